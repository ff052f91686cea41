"""Step sizes that the rows bear: caps of the solvers' default learning rates.

A step of plain SGD that is longer than 2 / (curvature |x|^2) moves a row's score beyond its target
(Widrow & Hoff's LMS rule); Adam's steps are of one size a parameter, so a score moves by the rate
times |x|_1, whatever its error.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.csr import CSRRows
from .plan import TrainingPlan
from .sources import MemorySource, Source

_ROWS = 2000  # that are looked at
_OF_SGD = 0.2  # of the distance to its target, that a score may move by in a step
_OF_ADAM = 0.1  # of unit scale, that it may move by
_SMALLEST, _LARGEST = 1e-300, 1e100  # by which, and whose square, there is no overflow


def with_bearable_steps(plan: TrainingPlan, source: Source) -> TrainingPlan:
    """The plan with a default learning rate that is no longer than the rows bear."""
    norm = plan.solver.step_norm
    if norm is None or not plan.has_default_rate or not isinstance(source, MemorySource):
        return plan
    rows = source.rows
    if not isinstance(rows, CSRRows) or not rows.n_entries:
        return plan
    if rows.n_rows > _ROWS:
        rows = rows.take(np.arange(0, rows.n_rows, rows.n_rows // _ROWS))
    sizes = np.minimum(np.abs(rows.data.astype(np.float64)), _LARGEST) ** norm
    sums = np.add.reduceat(np.append(sizes, 0.0), rows.indptr[:-1])[np.diff(rows.indptr) > 0]
    cap = _OF_ADAM / max(sums.mean(), _SMALLEST)
    if norm == 2:
        cap = _OF_SGD / (plan.loss.curvature * (1 + np.quantile(sums, 0.99)))
    return replace(plan, learning_rate=min(plan.learning_rate, float(cap)))
