"""Microseconds for one row: ``python -m benchmarks.speed.latency``."""

import argparse
from timeit import repeat

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from fastfm_cy import FMRegressor
from fastfm_cy.datasets import make_clicks

from ..measure import min_median, print_table

_CALLS = 2000


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    data = make_clicks(20_000, n_fields=39, n_features=5000, random_state=0)
    model = FMRegressor(max_iter=1, random_state=0).fit(data.X, data.y)
    scorer = model.compile()
    row = sparse.csr_matrix(data.X[:1])
    row = sparse.csr_matrix((row.data, row.indices.astype(np.int32), row.indptr), shape=row.shape)
    rules = {"reset": False, "accept_sparse": "csr", "dtype": "float32"}

    def validate():
        validate_data(model, row, ensure_all_finite=False, **rules)

    results = {
        "predict, all of it": _microseconds(lambda: model.predict(row), options.runs),
        "scikit-learn's validate_data alone": _microseconds(validate, options.runs),
    }
    own = [a - b for a, b in zip(*results.values(), strict=True)]
    results["predict, our own part"] = own
    results["compile().row"] = _microseconds(
        lambda: scorer.row(row.indices, row.data), options.runs
    )
    print("\nOne row of 39 non-zeros, k = 16\n")
    head = ["", "microseconds: min", "median"]
    print_table(head, [(name, min_median(times, 1)) for name, times in results.items()])


def _microseconds(function, runs):
    return [seconds / _CALLS * 1e6 for seconds in repeat(function, number=_CALLS, repeat=runs)]


if __name__ == "__main__":
    main()
