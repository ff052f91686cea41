"""Rollback: the numbers of a table that training on some rows may change, to go back to."""

from __future__ import annotations

import numpy as np

from ..model.table import ParameterTable
from .sources import MemorySource


class Touched:
    """The numbers that training on some rows may change, to go back to."""

    def __init__(self, table: ParameterTable, source: MemorySource) -> None:
        indices = source.rows.indices
        if len(indices) < table.n_features:
            self.features = np.unique(indices)
        else:
            self.features = np.flatnonzero(source.occurrences())
        self.table = table
        self.before = table.take(self.features)

    def restore(self) -> None:
        self.table.assign(self.before, self.features)
