"""Tuned machines: a grid of settings, and epochs, chosen by cross-validation on the training rows.

Small data are split into five folds, larger data into rows to train on and rows held out.
"""

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from fastfm_cy import DivergenceError
from fastfm_cy.training.solvers import ALL_SOLVERS

_FEW_ROWS, _FEW_ENTRIES = 2500, 1e5  # up to which there are five folds
_VISITS, _FEWEST_EPOCHS, _MOST_EPOCHS = 4e7, 20, 300  # entries that a setting may visit


def adagrad_grid(task):
    """Settings of a plain machine with AdaGrad, those that `tuning` tries among them."""
    grid = [
        {"learning_rate": rate, "l2_factors": factors, "l2_linear": linear}
        for rate in (0.02, 0.06, 0.2)
        for factors in (0.002, 0.02, 0.05, 0.2, 0.8)
        for linear in (1e-4, 0.02)
    ]
    grid += [
        {**rest, "n_factors": 32, "init_scale": scale}
        for scale in (0.01, 0.1)
        for rest in (
            {"learning_rate": 0.2, "l2_factors": 0.005, "l2_linear": 1e-3},
            {"learning_rate": 0.06, "l2_factors": 0.05, "l2_linear": 0.02},
        )
    ]
    return grid


def relative_grid(solver, family=None):
    """A function of the task: settings around the defaults of a solver, or of a family with it."""

    def grid(task):
        row = ALL_SOLVERS[solver]
        factors, linear = row.l2_factors[task], getattr(family, "l2_linear", None)
        linear = linear or row.l2_linear[task]
        rate = row.learning_rate * getattr(family, "step_factor", 1.0)
        rates = [{}]
        if not row.by_columns:
            rates = [{"learning_rate": by * rate} for by in (0.3, 1, 3)]
        return [
            {**setting, "l2_factors": strength * factors, "l2_linear": weak * linear}
            for setting in rates
            for strength in (0.1, 1, 10)
            for weak in (0.01, 1, 10)
        ]

    return grid


def tuned(make, grid, *, tests_all=False):
    """A column's fit: the best setting and number of epochs, then a fit of all rows.

    Parameters
    ----------
    make : function
        (split, **settings) makes an estimator.
    grid : function
        The settings by task.
    tests_all : bool
        Whether to keep the held-out and the test loss of each setting, refitted, for the choice of
        candidates (portfolio.py).
    """

    def fit(split, seed):
        parts = _parts(split, seed)
        settings = grid(split.task)
        judged = [_judged(split, make, setting, parts, seed) for setting in settings]
        best = min(range(len(settings)), key=lambda place: judged[place][0])
        if not tests_all:
            loss = _tested(split, make, settings[best], judged[best][1], seed)
            return {"loss": loss, "setting": settings[best], "epochs": judged[best][1]}
        tests = [
            _tested(split, make, setting, epochs, seed)
            for setting, (_, epochs) in zip(settings, judged, strict=True)
        ]
        return {
            "loss": tests[best], "setting": settings[best], "epochs": judged[best][1],
            "held_out": [loss for loss, _ in judged], "test": tests,
        }  # fmt: skip

    return fit


def _parts(split, seed):
    n_rows, n_entries = len(split.y), _n_entries(split)
    kind = KFold if split.task == "regression" else StratifiedKFold
    parts = list(kind(5, shuffle=True, random_state=seed).split(np.zeros(n_rows), split.y))
    return parts if n_rows <= _FEW_ROWS and n_entries <= _FEW_ENTRIES else parts[:1]


def _n_entries(split):
    stored = getattr(split.X, "nnz", None) or np.prod(split.X.shape)
    return stored * (split.n_classes if split.n_classes > 2 else 1)


def _judged(split, make, setting, parts, seed):
    """(held-out loss, epochs) at the best number of epochs."""
    most = np.clip(_VISITS / (len(parts) * _n_entries(split)), _FEWEST_EPOCHS, _MOST_EPOCHS)
    curves = []
    for rows, held_out in parts:
        model = make(split, random_state=seed, tuning=None, max_iter=int(most), **setting)
        try:
            model.fit(
                split.X[rows], split.y[rows], eval_set=(split.X[held_out], split.y[held_out]),
                callbacks=[_stops],
            )  # fmt: skip
        except DivergenceError:
            return np.inf, 1
        curves.append(model.history_["validation_loss"])
    # Folds stop where they like; beyond its end, a curve is worse than at its end.
    length = min(map(len, curves))
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    return float(mean.min()), int(mean.argmin()) + 1


def _stops(model, history):
    losses = history["validation_loss"]
    best = int(np.argmin(losses))
    return len(losses) - 1 - best >= max(8, 0.5 * best)


def _tested(split, make, setting, epochs, seed):
    model = make(split, random_state=seed, tuning=None, max_iter=epochs, **setting)
    try:
        model.fit(split.X, split.y)
    except DivergenceError:
        return np.inf
    return split.test_loss(model)
