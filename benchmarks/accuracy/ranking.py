"""How well items are ranked: ``python -m benchmarks.accuracy.ranking``.

NDCG@10, means and standard deviations over seeds. Training items of a user are left out, all others
are candidates; users without test items do not count. "0" takes all ratings as positives, ">=4"
those of 4 and more, in both parts. Settings were chosen on a validation part of the training data
(``--choose``), which the figures for the test part never saw.
"""

import argparse

import numpy as np
from scipy import sparse

from fastfm_cy import FMRecommender
from fastfm_cy.datasets import load_ratings
from fastfm_cy.metrics import split_by_user

from ..data import data_file
from ..measure import print_table
from ..speed.ranking import movielens_with_features

SETS = ("rand 0", "ua 0", "u1 0", "small 0", "rand >=4", "ua >=4")
GRID = [
    {"learning_rate": rate, "l2_factors": l2, "max_iter": epochs}
    for rate in (0.07, 0.1)
    for l2 in (0.07, 0.1, 0.13)
    for epochs in (20, 40)
]
MODELS = {
    "defaults": {},
    "bpr, defaults": {"loss": "bpr"},
    "softmax, defaults": {"loss": "softmax"},
    "logistic, defaults": {"loss": "logistic"},
}


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.ranking", description=__doc__
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["defaults"])
    parser.add_argument(
        "--choose", action="store_true", help="choose settings on a validation part"
    )
    parser.add_argument("--features", action="store_true", help="warm users, with features or not")
    options = parser.parse_args()
    if options.features:
        return _features(options)
    rows = []
    for name in options.sets:
        train, test = load(name)
        models = {name: MODELS[name] for name in options.models}
        if options.choose:
            models["chosen"] = _chosen(train)
        for model, settings in models.items():
            rows.append((name, model, settings, _over_seeds(settings, train, test, options.seeds)))
    print_table(["data", "model", "settings", "NDCG@10"], rows)
    return None


def load(name):
    """(train, test) of a data set, matrices of users x items."""
    source, least = name.split()
    if source in ("rand", "ua", "u1"):
        folder = data_file("ml-100k")
        if source == "rand":
            parts = _halves(np.loadtxt(folder / "u.data", dtype=np.int64))
        else:
            files = (folder / f"{source}.base", folder / f"{source}.test")
            parts = [np.loadtxt(path, dtype=np.int64) for path in files]
        shape = 943, 1682
    else:
        data = load_ratings(data_file("ratings_small.csv"))
        users, items = (
            np.unique(ids.astype(int), return_inverse=True)[1] + 1
            for ids in (data.users, data.items)
        )
        table = np.column_stack([users, items, data.ratings])
        parts, shape = _halves(table), (users.max(), items.max())
    least = 4 if least == ">=4" else 0
    return [_matrix(part[part[:, 2] >= least], shape) for part in parts]


def _halves(table):
    order = np.random.default_rng(0).permutation(len(table))
    n_test = len(table) // 5
    return table[order[n_test:]], table[order[:n_test]]


def _matrix(table, shape):
    users, items = table[:, 0].astype(int) - 1, table[:, 1].astype(int) - 1
    return sparse.csr_array((np.ones(len(table), np.float32), (users, items)), shape=shape)


def _over_seeds(settings, train, test, n_seeds, **features):
    values = [
        FMRecommender(**settings, random_state=seed).fit(train, **features).score(test)
        for seed in range(n_seeds)
    ]
    return f"{np.mean(values):.4f} ± {np.std(values):.4f}"


def _chosen(train):
    """The settings of the grid that are best on a tenth of each user's items."""
    entries = train.tocoo()
    parts = split_by_user(entries.row, 0.1, random_state=0)
    kept, held_out = (
        sparse.csr_array((entries.data[part], (entries.row[part], entries.col[part])),
                         shape=train.shape) for part in parts
    )  # fmt: skip
    scores = [
        FMRecommender(**settings, random_state=0).fit(kept).score(held_out) for settings in GRID
    ]
    return GRID[int(np.argmax(scores))]


def _features(options):
    train, test = load("rand 0")
    _, users, items = movielens_with_features()
    kinds = {
        "ids": {},
        "items' features": {"item_features": items},
        "users' features": {"user_features": users},
        "both": {"user_features": users, "item_features": items},
    }
    rows = [
        (name, _over_seeds({}, train, test, options.seeds, **features))
        for name, features in kinds.items()
    ]
    print_table(["rand 0, features", "NDCG@10"], rows)


if __name__ == "__main__":
    main()
