"""Tables of some features at their start, which is the same wherever it is made."""

from __future__ import annotations

import numpy as np

from ...kernels.common.settings import Settings
from ...model.table import ParameterTable
from ..plan import TrainingPlan
from ..regularization import Strengths


def started_table(
    plan: TrainingPlan, strengths: Strengths, settings: Settings, key: int, features: np.ndarray
) -> ParameterTable:
    """A new table whose rows are these features, all of which have started.

    `strengths` are those of the rows, and `key` is what start values are drawn with.
    """
    table = plan.new_table(len(features))
    table.start_key = key
    if table.has_started is not None:
        table.begin(np.arange(len(features)))
    every = np.arange(len(features))
    plan.starts.write(table, every, numbers=features.astype(np.uint32))
    if plan.solver.match_state and len(features):
        plan.solver.match_state(table, strengths, settings)
    return table
