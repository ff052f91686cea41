"""Outcomes: a line of JSON for each data set, seed and column, kept in a file."""

import json
import warnings
from datetime import date
from time import process_time

from fastfm_cy import DivergenceError

from .columns import COLUMNS
from .data_sets import DATA_SETS


class Outcomes:
    """What was fitted so far; a later line replaces an earlier one of the same cell."""

    def __init__(self, path):
        self.path, self.cells = path, {}
        lines = path.read_text().splitlines() if path.exists() else []
        for line in map(json.loads, lines):
            self._take(line)

    def _take(self, line):
        self.cells[line["data"], line["seed"], line["column"]] = line

    def complete(self, data, seed, columns, *, anew=False):
        """Fit the columns that are missing of one split."""
        missing = [name for name in columns if anew or (data, seed, name) not in self.cells]
        if not missing:
            return
        split = DATA_SETS[data](seed)
        for name in missing:
            if not COLUMNS[name].applies(split):
                continue
            line = {"data": data, "seed": seed, "column": name, **_fitted(split, name, seed)}
            self._take(line)
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{data}, {seed}, {name}: {line['loss']}  {line['seconds']:.1f} s", flush=True)

    def loss(self, data, seed, column):
        """None where there is none: not run, not installed, or it makes no sense."""
        return self.cells.get((data, seed, column), {}).get("loss")

    def seeds(self, data, columns):
        """Those that all of the columns have which have any."""
        runs = [
            {seed for at, seed, name in self.cells if (at, name) == (data, column)
             and self.loss(at, seed, name) is not None}
            for column in columns
        ]  # fmt: skip
        runs = [run for run in runs if run]
        return sorted(set.intersection(*runs)) if runs else []


def _fitted(split, name, seed):
    start = process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = COLUMNS[name].fit(split, seed)
        except DivergenceError:
            outcome = {"loss": float("inf")}
    seconds = process_time() - start
    warned = sorted({warning.category.__name__ for warning in caught})
    return outcome | {
        "seconds": round(seconds, 2), "warned": warned, "date": date.today().isoformat()
    }  # fmt: skip
