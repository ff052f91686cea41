"""Tables at a start that tests can choose."""

import numpy as np

from fastfm_cy.model.starts import Starts


def start(table, scale, key=0):
    """Draw the factors of all features."""
    table.start_key = key
    Starts(scale).write(table)


def start_as(monkeypatch, numbers):
    """Let features of tables with as many start as those of these numbers in a wider one."""
    numbers, write = numbers.astype(np.uint32), Starts.write

    def by_number(self, table, rows=None, *, first=0, **given):
        if not given and table.n_features == len(numbers):
            given = {"numbers": numbers if rows is None else numbers[rows]}
        write(self, table, rows, first=first, **given)

    monkeypatch.setattr(Starts, "write", by_number)
