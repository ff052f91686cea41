"""L2 strengths learned on held-out rows while training (``l2_linear="auto"``).

The gradient of the held-out loss by a strength is that of Rendle, "Learning Recommender Systems
with Adaptive Regularization", WSDM 2012: how the loss would change had the last step been taken
with another strength. The step along it is another: Adam on the strength's logarithm. So strengths
stay positive, and neither the scale of the loss nor that of the strength matters.
"""

import numpy as np

from .kernels import fm

_STEPS_AN_EPOCH = 100
_ROWS_A_STEP = 512
_STEP = 0.05  # of the logarithm
_BETA1, _BETA2 = 0.9, 0.99
_LEAST, _MOST = 1e-7, 1e2
_SHARE_AVERAGED = 0.5  # of the steps, the last ones, is what the learned strength is the mean of
COLUMNS = {"l2_linear": (1, 0), "l2_factors": (3, 1)}  # of Strengths.values, and of the slopes


class StrengthLearner:
    """Takes a step after each call of the training kernel.

    Parameters
    ----------
    names : sequence of str
        Which strengths to learn, of COLUMNS.
    strengths : Strengths
        In use by the trainer; changed in place.
    validation : ValidationSet
    n_rows : int
        Training rows.
    rng : numpy.random.Generator
    """

    def __init__(self, names, strengths, validation, n_rows, rng):
        self.columns = [COLUMNS[name] for name in names]
        self.strengths, self.validation, self.rng = strengths, validation, rng
        self.y = validation.target.astype(strengths.values.dtype)
        weights = np.ones(len(self.y)) if validation.weights is None else validation.weights
        self.cumulative = np.cumsum(weights)
        self.rows_a_call = max(1, n_rows // _STEPS_AN_EPOCH)
        shape = len(strengths.values), len(names)
        self.mean, self.square = np.zeros(shape), np.zeros(shape)
        self.path = []

    def __call__(self, trainer):
        slopes = self._slopes(trainer)
        self.mean = _BETA1 * self.mean + (1 - _BETA1) * slopes
        self.square = _BETA2 * self.square + (1 - _BETA2) * slopes**2
        n_steps = len(self.path) + 1
        mean, square = self.mean / (1 - _BETA1**n_steps), self.square / (1 - _BETA2**n_steps)
        # A group that no held-out row has stays as it is.
        step = _STEP * np.divide(mean, np.sqrt(square), out=np.zeros_like(mean), where=square > 0)
        values = self.strengths.values
        for place, (column, _) in enumerate(self.columns):
            values[:, column] = np.clip(values[:, column] * np.exp(-step[:, place]), _LEAST, _MOST)
        self.path.append(np.log(values[:, [column for column, _ in self.columns]]))

    def _slopes(self, trainer):
        rows, table = self.validation.rows, trainer.table
        # Rows are drawn by their weight, so that the slopes need none.
        draws = self.rng.random(min(_ROWS_A_STEP, rows.n_rows)) * self.cumulative[-1]
        batch = np.searchsorted(self.cumulative, draws, side="right")
        slopes = np.zeros((len(self.strengths.values), 2))
        fm.strength_slopes(
            rows.indptr, rows.indices, rows.data, self.y, batch, *table.arrays, table.n_padded,
            self.strengths.groups, slopes, trainer.settings,
        )  # fmt: skip
        return slopes[:, [slope for _, slope in self.columns]]

    def learned(self):
        """For each name, the geometric mean of the strengths in the later part: (n_groups,)."""
        last = self.path[int(len(self.path) * (1 - _SHARE_AVERAGED)) :]
        return list(np.exp(np.mean(last, axis=0)).T)
