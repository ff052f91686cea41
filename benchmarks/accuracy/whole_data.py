"""Losses over whole data, with and without features: ``python -m benchmarks.accuracy.whole_data``.

NDCG@10 on the sets of benchmarks/accuracy/ranking.py, means and standard deviations over seeds, of
FMRecommender(loss="implicit_squared", solver="als"): defaults, and settings that were chosen on a
tenth of each user's training items, ids only; defaults with what is known of users (age, sex,
occupation) and movies (genres, year), where the set is of MovieLens 100K; and, if it is installed,
implicit's alternating least squares with the settings of the paper trail, chosen on the test part.
"""

import argparse
import warnings

import numpy as np
from scipy import sparse

from fastfm_cy import FMRecommender
from fastfm_cy.metrics import ndcg_at_k, split_by_user

from ..measure import print_table
from ..speed.ranking import movielens_with_features
from .ranking import SETS, load

try:
    from implicit.cpu.als import AlternatingLeastSquares
except ImportError:
    AlternatingLeastSquares = None

warnings.filterwarnings("ignore", module="implicit")

GRID = [
    {"n_factors": k, "unobserved_weight": weight, "l2_factors": l2}
    for k in (32, 64)
    for weight in (0.3, 0.6, 1.2)
    for l2 in (0.2, 0.3, 0.45)
]
THEIRS = {"u1 0": (24, 10, 1)}
"""Factors, regularization and alpha of implicit; (48, 30, 3) for the other sets."""


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.whole_data", description=__doc__
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--choose", action="store_true")
    options = parser.parse_args()
    _, users, items = movielens_with_features()
    both = {"user_features": users, "item_features": items}
    rows = []
    for name in options.sets:
        train, test = load(name)
        kinds = {"ids, defaults": ({}, {})}
        if not name.startswith("small"):
            kinds["both sides' features, defaults"] = {}, both
            kinds["movies' features, defaults"] = {}, {"item_features": items}
        if options.choose:
            kinds["ids, chosen"] = chosen(train), {}
        for kind, (settings, features) in kinds.items():
            scores = [
                ours(settings, seed).fit(train, **features).score(test)
                for seed in range(options.seeds)
            ]
            rows.append((name, kind, settings or "", _mean(scores)))
        if AlternatingLeastSquares is not None:
            scores = [theirs(name, train, test, seed) for seed in range(options.seeds)]
            rows.append((name, "implicit's ALS", THEIRS.get(name, (48, 30, 3)), _mean(scores)))
        print_table(["data", "model", "settings", "NDCG@10"], rows)
        rows = []


def ours(settings, seed):
    return FMRecommender(loss="implicit_squared", solver="als", random_state=seed, **settings)


def _mean(scores):
    return f"{np.mean(scores):.4f} ± {np.std(scores):.4f}"


def chosen(train):
    entries = train.tocoo()
    parts = split_by_user(entries.row, 0.1, random_state=0)
    kept, held_out = (
        sparse.csr_array((entries.data[part], (entries.row[part], entries.col[part])),
                         shape=train.shape) for part in parts
    )  # fmt: skip
    scores = [ours(settings, 0).fit(kept).score(held_out) for settings in GRID]
    return GRID[int(np.argmax(scores))]


def theirs(name, train, test, seed):
    factors, strength, alpha = THEIRS.get(name, (48, 30, 3))
    model = AlternatingLeastSquares(
        factors=factors, regularization=strength, alpha=alpha, iterations=15, random_state=seed
    )
    model.fit(sparse.csr_matrix(train), show_progress=False)
    scores = model.user_factors @ model.item_factors.T
    scores[train.toarray() > 0] = -np.inf
    return ndcg_at_k(test, np.argsort(-scores, axis=1, kind="stable")[:, :10])


if __name__ == "__main__":
    main()
