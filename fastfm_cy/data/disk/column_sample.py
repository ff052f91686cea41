"""Column sample: the scaling that a data set on disk needs, from some of its rows."""

from __future__ import annotations

import numpy as np

from ..column_scaling import ColumnMoments, ColumnScaling
from .chunks import from_all_over, pieces_of
from .dataset import DiskDataset


def sampled_scaling(dataset: DiskDataset, *, centres: bool) -> ColumnScaling | None:
    """The scaling of a chunk whose rows come from all over the data set; None if it needs none.

    `centres` as ColumnMoments.scaling has it.
    """
    parts = from_all_over(pieces_of(dataset), np.random.default_rng(0), shuffle=True)
    moments = ColumnMoments(dataset.shape[1])
    for part in parts:
        moments.add(dataset.chunk(part, "float64").rows)
        break
    return moments.scaling(centres=centres)
