"""Do the intervals of a Bayesian factorization machine cover what they promise?

    python examples/predictive_intervals.py --data path/to/ml-100k

fits user and item ids of MovieLens 100K's split u1 (without --data, generated ratings), prints how
many of the test ratings lie within the central intervals of each level, and draws it into
predictive_intervals.png. Needs matplotlib (python -m pip install "fastfm_cy[plot]").
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from fastfm_cy import BayesianFMRegressor
from fastfm_cy.datasets import load_movielens_fold, make_ratings

LEVELS = np.linspace(0.1, 0.9, 9)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MovieLens 100K")
    parser.add_argument("--output", type=Path, default=Path("predictive_intervals.png"))
    options = parser.parse_args(arguments)
    if options.data:
        X, y, X_test, y_test = load_movielens_fold(options.data, "u1")
    else:
        data = make_ratings(random_state=0)
        X, X_test, y, y_test = train_test_split(data.X, data.y, random_state=0)
    model = BayesianFMRegressor(10, random_state=0).fit(X, y)
    covered, width = coverage(model, X_test, y_test)
    print(f"test RMSE {root_mean_squared_error(y_test, model.predict(X_test)):.4f}")
    print("interval  covers  mean width")
    for row in zip(LEVELS, covered, width, strict=True):
        print("{:8.0%}  {:6.1%}  {:10.2f}".format(*row))
    draw(covered, width, options.output)
    print(f"drawn into {options.output}")


def coverage(model, X, y):
    """Share of y within the central interval of each level, and the intervals' mean width."""
    quantiles = model.predict_quantiles(X, np.concatenate([(1 - LEVELS) / 2, (1 + LEVELS) / 2]))
    low, high = quantiles[:, : len(LEVELS)], quantiles[:, len(LEVELS) :]
    return ((low <= y[:, None]) & (y[:, None] <= high)).mean(axis=0), (high - low).mean(axis=0)


def draw(covered, width, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    left.plot([0, 1], [0, 1], color="0.7", label="as promised")
    left.plot(LEVELS, covered, "o-", label="test ratings")
    left.set(xlabel="level of the interval", ylabel="share of ratings inside", aspect="equal")
    left.legend(frameon=False)
    right.plot(LEVELS, width, "o-")
    right.set(xlabel="level of the interval", ylabel="mean width, in rating units", ylim=(0, None))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
