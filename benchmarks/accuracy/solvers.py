"""All solvers with their default parameters: ``python -m benchmarks.accuracy.solvers``.

Seconds of training (20 epochs) and test metric; and the "auto" strengths beside the best of a grid.
"""

import argparse
import statistics

import numpy as np

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.training.solvers import SOLVERS

from ..measure import print_table
from .defaults import classification_sets, log_loss_and_auc, regression_sets, rmse

_GRID_LINEAR = (0.002, 0.006, 0.02, 0.06, 0.2)
_GRID_FACTORS = (0.01, 0.03, 0.07, 0.15, 0.3)


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    _table(FMRegressor, regression_sets(), rmse, options.seeds)
    _table(FMClassifier, classification_sets(), log_loss_and_auc, options.seeds)
    _auto(regression_sets()["ml-100k u1"], options.seeds)


def _table(Model, sets, metrics, n_seeds):
    rows = []
    for solver in SOLVERS:
        cells = []
        for data in sets.values():
            values, seconds = _measured(Model(solver=solver), data, metrics, n_seeds)
            shown = " / ".join(f"{value:.4f}" for value in values)
            cells.append(f"{shown}, {seconds:.2f} s")
        rows.append((solver, *cells))
    print()
    print_table([Model.__name__, *sets], rows)


def _measured(model, data, metrics, n_seeds):
    """Mean test metrics, and the median of the seconds that all epochs take."""
    X, y, X_test, y_test = data
    values, seconds = [], []
    for seed in range(n_seeds):
        model.set_params(random_state=seed).fit(X, y)
        values.append(metrics(model, X_test, y_test))
        seconds.append(sum(model.history_["seconds"]))
    return np.mean(values, axis=0), statistics.median(seconds)


def _auto(data, n_seeds):
    rows = []
    for solver in ("sgd", "adagrad", "adam"):
        grid = {
            (linear, factors): _measured(
                FMRegressor(solver=solver, l2_linear=linear, l2_factors=factors),
                data,
                rmse,
                n_seeds,
            )[0][0]
            for linear in _GRID_LINEAR
            for factors in _GRID_FACTORS
        }
        best = min(grid, key=grid.get)
        auto = FMRegressor(solver=solver, l2_linear="auto", l2_factors="auto")
        (error,), _ = _measured(auto, data, rmse, n_seeds)
        learned = f"{auto.l2_linear_:.3g}, {auto.l2_factors_:.3g}"
        rows.append((solver, f"{grid[best]:.4f}", f"{best[0]}, {best[1]}", f"{error:.4f}", learned))
    print()
    head = [
        "ml-100k u1",
        "best of the grid",
        "at l2_linear, l2_factors",
        '"auto"',
        "learned (last)",
    ]
    print_table(head, rows)


if __name__ == "__main__":
    main()
