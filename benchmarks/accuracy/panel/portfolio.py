"""Portfolio: how well a few settings, chosen on all data sets but one, do on that one.

The rule by which `tuning` picks a setting is the same throughout: the least held-out loss. What is
chosen here are the settings it picks from.
"""

import numpy as np

from .tuned import adagrad_grid

_SIZE = 4  # as many as `tuning` tries


def choices(outcomes, data_sets, reference="FM, tuned"):
    """A dict of what was chosen from to arrays of log test loss over the tuned machine's, a number
    a data set: the best few settings in sample, those of the others, and all of the grid."""
    tables = _tables(outcomes, data_sets, reference)
    if len(tables) < 3:
        return {}
    names = list(tables)
    picked = _greedy([tables[name] for name in names])
    left_out = [
        _loss(tables[name], _greedy([tables[other] for other in names if other != name]))
        for name in names
    ]
    return {
        f"{_SIZE} settings of {_grid_size()}, chosen on all data sets": np.array(
            [_loss(tables[name], picked) for name in names]
        ),
        "the same, leaving out the data set they are scored on": np.array(left_out),
    }


def _grid_size():
    return len(adagrad_grid("regression"))


def _tables(outcomes, data_sets, reference):
    """By data set: a list, of a split each, of (held-out losses, log ratios of test losses)."""
    tables = {}
    for name in data_sets:
        cells = [
            outcomes.cells[name, seed, reference] for seed in outcomes.seeds(name, [reference])
        ]
        cells = [cell for cell in cells if len(cell.get("test", ())) == _grid_size()]
        if cells:
            tables[name] = [
                (np.array(cell["held_out"]), np.log(np.array(cell["test"]) / cell["loss"]))
                for cell in cells
            ]
    return tables


def _loss(table, places):
    """Mean over splits of the log ratio of the place with the least held-out loss."""
    places = np.asarray(places)
    return float(np.mean([ratios[places[held[places].argmin()]] for held, ratios in table]))


def _greedy(tables):
    """The settings that one after the other lower the mean most."""
    picked = []
    for _ in range(_SIZE):
        rest = [place for place in range(_grid_size()) if place not in picked]
        means = [np.mean([_loss(table, [*picked, place]) for table in tables]) for place in rest]
        picked.append(rest[int(np.argmin(means))])
    return picked
