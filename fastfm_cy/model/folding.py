"""Folding: a model of scaled columns and targets as one of the user's, exactly.

A second-order machine with a bias and linear terms is closed under affine changes of its inputs.
With x'_j = (x_j - c_j) / s_j, y = m + t y' and u = v' / s, the plain machine, for one, becomes

    v_j = sqrt(t) u_j
    w_j = t (w'_j / s_j - <u_j, q> + c_j |u_j|^2),                   q = sum_j c_j u_j
    w0  = m + t (w0' - sum_j c_j w'_j / s_j + (|q|^2 - sum_j c_j^2 |u_j|^2) / 2).

Of higher degrees, whose columns are scaled but not centred, the factors of order p take t^(1/p).
"""

from __future__ import annotations

import numpy as np

from ..data.column_scaling import ColumnScaling
from ..data.targets import TargetScale
from ..exceptions import DivergenceError
from .table import ParameterTable


def folded(
    table: ParameterTable, columns: ColumnScaling | None, target: TargetScale | None,
    fields: np.ndarray | None = None,
) -> ParameterTable:  # fmt: skip
    """A table, without optimiser state, that scores what the user gives.

    Parameters
    ----------
    table : ParameterTable
        That was trained on scaled columns and targets.
    columns : ColumnScaling or None
        With as many features as the table.
    target : TargetScale or None
    fields : int array of shape (n_features,), default=None
        The field of each feature, for families that know fields.
    """
    features = None
    if table.has_gaps:  # the features that have started, packed
        features, n_features = table.started, table.n_features
        table, fields = table.take(features), None if fields is None else fields[features]
    plain = table.with_state()
    location, spread = (0.0, 1.0) if target is None else (target.location, target.spread)
    centre, scale = np.zeros(1), np.ones(1)
    if columns is not None:
        centre, scale = columns.of(np.arange(table.n_features) if features is None else features)
    with np.errstate(over="ignore", invalid="ignore"):
        _fold(table, plain, centre, scale, location, spread, fields)
    if not plain.is_finite():
        raise DivergenceError(
            f"A weight of X and y as they are leaves the range of {table.dtype}: columns or "
            "targets are too large, or their scales too far apart. Rescale them, or use "
            "dtype='float64'."
        )
    return plain if features is None else plain.with_gaps(features, n_features)


def rescale_scores(table: ParameterTable, scale: TargetScale) -> None:
    """Make spread x score + location of a table's scores, in place; its state stays."""
    if table.has_gaps:
        features = table.started
        packed = table.take(features)
        rescale_scores(packed, scale)
        table.assign(packed, features)
        return
    with np.errstate(over="ignore", invalid="ignore"):  # whoever predicts finds what is not finite
        table.vector_blocks[...] *= table.family.target_roots(scale.spread)
        table.linear_blocks[:, :, 0] *= scale.spread
        table.intercepts[...] = scale.location + scale.spread * table.intercepts


def _fold(
    table: ParameterTable, plain: ParameterTable, centre: np.ndarray, scale: np.ndarray,
    location: float, spread: float, fields: np.ndarray | None,
) -> None:  # fmt: skip
    """Write the parameters of the plain model."""
    family = table.family
    for output in range(table.n_outputs):
        vectors = table.vector_blocks[:, output].astype(np.float64) / scale[:, None, None]
        linear = table.linear_blocks[:, output, 0].astype(np.float64) / scale
        intercept = float(table.intercepts[output])
        if centre.any():
            meetings, own = family.meetings(table, output, vectors, centre, fields)
            intercept += float(-centre @ linear + (centre @ meetings - centre**2 @ own) / 2)
            linear = linear - meetings + centre * own
        roots = family.target_roots(spread)
        plain.vector_blocks[:, output] = vectors * roots
        plain.linear_blocks[:, output, 0] = spread * linear
        plain.intercepts[output] = location + spread * intercept
