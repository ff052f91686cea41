"""Blocks against their expansion: ``python -m benchmarks.speed.relational``.

MovieLens 100K, u3, with what timeSVD++ uses: the set of items that each user rated and the set of
users who rated each item. Seconds a sweep as a RelationalDesign and as the expanded matrix, by our
own clock, in one thread; for Gibbs also myFM's relational blocks, if it is installed (difference of
two fits).
"""

import argparse
from importlib.util import find_spec
from time import perf_counter

import numpy as np
from scipy import sparse

from fastfm_cy import BayesianFMRegressor, FMRegressor
from fastfm_cy.datasets import load_movielens_design

from ..data import data_file
from ..measure import from_difference, min_median, print_table, ratios

_BLOCKS, _EXPANDED = "blocks", "expanded"


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--factors", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sweeps", type=int, default=5)
    options = parser.parse_args()
    data = load_movielens_design(data_file("ml-100k"), "u3", history=True)
    expanded = data.X.tocsr().astype(np.float32)
    print(f"{data.X.shape[0]:,} rows of {expanded.nnz / expanded.shape[0]:.0f} non-zeros")
    for n_factors in options.factors:
        for method, model_of in (("als", _als), ("gibbs", _gibbs)):
            seconds = {_BLOCKS: [], _EXPANDED: []}
            for _ in range(options.runs):
                for name, X, sweeps in (
                    (_BLOCKS, data.X, options.sweeps),
                    (_EXPANDED, expanded, 1),
                ):
                    model = model_of(n_factors, sweeps + 1, data.groups).fit(X, data.y)
                    seconds[name].append(min(model.history_["seconds"][1:]))
                if method == "gibbs" and find_spec("myfm"):
                    times = seconds.setdefault("myfm, blocks", [])
                    times.append(_myfm(data, n_factors, options.sweeps))
            print(f"\n{method}, k = {n_factors}\n")
            print_table(
                ["", "s a sweep: min", "median", "times blocks: min", "median"],
                [
                    (name, min_median(seconds[name], 4),
                     min_median(ratios(seconds, name, _BLOCKS), 2))
                    for name in seconds
                ],
            )  # fmt: skip


def _als(n_factors, max_iter, groups):
    return FMRegressor(n_factors, solver="als", max_iter=max_iter, init_scale=0.1, random_state=0)


def _gibbs(n_factors, max_iter, groups):
    return BayesianFMRegressor(
        n_factors, max_iter=max_iter, n_burn_in=max_iter - 1, feature_groups=groups, random_state=0
    )


def _myfm(data, n_factors, sweeps):
    import myfm

    blocks = [
        myfm.RelationBlock(index.astype(np.uint64).tolist(), sparse.csr_matrix(matrix))
        for matrix, index in data.X.blocks
    ]

    def fit(n_iter):
        start = perf_counter()
        myfm.MyFMGibbsRegressor(rank=n_factors, random_seed=0).fit(
            None, data.y, X_rel=blocks, n_iter=n_iter, n_kept_samples=1,
            group_shapes=np.bincount(data.groups).tolist(),
        )  # fmt: skip
        return perf_counter() - start

    return from_difference(fit, sweeps)


if __name__ == "__main__":
    main()
