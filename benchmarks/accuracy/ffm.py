"""Plain, field-weighted and field-aware machines on data whose structure depends on the fields:
``python -m benchmarks.accuracy.ffm``. MovieLens 100K is looked for as benchmarks/data.py says."""

import argparse

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from fastfm_cy import FFMClassifier, FMClassifier, FwFMClassifier
from fastfm_cy.datasets import load_movielens_fields

from ..data import data_file
from ..measure import print_table

N_FIELDS, FEATURES_A_FIELD, RANK = 10, 60, 3
L2 = 5e-4  # of the factors, on the generated rows


def make_field_clicks(n_rows, seed):
    """One feature of each field a row, y, the fields of the features, and the true probabilities.

    The score of a pair is r_fg <v_i, v_j> + <u_ig, u_jf>: a weight that the fields i and j are of
    decide, of either sign, and vectors that are for the other's field only.
    """
    rng = np.random.default_rng(seed)
    n_features = N_FIELDS * FEATURES_A_FIELD
    fields = np.repeat(np.arange(N_FIELDS), FEATURES_A_FIELD)
    columns = rng.integers(0, FEATURES_A_FIELD, (n_rows, N_FIELDS))
    columns += FEATURES_A_FIELD * np.arange(N_FIELDS)
    v = rng.normal(size=(n_features, RANK))
    u = rng.normal(size=(n_features, N_FIELDS, RANK))
    r = rng.normal(size=(N_FIELDS, N_FIELDS))
    scores = rng.normal(size=n_features)[columns].sum(axis=1) / 2
    for f in range(N_FIELDS):
        for g in range(f + 1, N_FIELDS):
            i, j = columns[:, f], columns[:, g]
            common = (v[i] * v[j]).sum(axis=1)
            scores += 0.2 * (r[f, g] * common + (u[i, g] * u[j, f]).sum(axis=1))
    indptr = np.arange(0, n_rows * N_FIELDS + 1, N_FIELDS)
    X = sparse.csr_array((np.ones(columns.size), columns.ravel(), indptr), (n_rows, n_features))
    probabilities = expit(scores - 1)
    return X, (rng.random(n_rows) < probabilities).astype(int), fields, probabilities


def compare(title, X, y, X_test, y_test, models, noise_floor=None):
    print(f"\n{title}\n")
    rows = [] if noise_floor is None else [("the truth", *noise_floor, "")]
    for name, model in models.items():
        model.set_params(early_stopping=True, n_iter_no_change=2, max_iter=40, random_state=0)
        model.fit(X, y)
        p = model.predict_proba(X_test)[:, 1]
        error, auc = log_loss(y_test, p), roc_auc_score(y_test, p)
        rows.append((name, f"{error:.4f}", f"{auc:.4f}", model.best_iter_))
    print_table(["model", "test log loss", "AUC", "epochs"], rows)


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000, help="generated rows")
    parser.add_argument("--no-movielens", action="store_true")
    options = parser.parse_args()
    X, y, fields, p = make_field_clicks(options.rows * 6 // 5, seed=0)
    n = options.rows
    floor = f"{log_loss(y[n:], p[n:]):.4f}", f"{roc_auc_score(y[n:], p[n:]):.4f}"
    models = {
        "FMClassifier(8)": FMClassifier(8, l2_factors=L2),
        "FMClassifier(40)": FMClassifier(40, l2_factors=L2),
        "FwFMClassifier(8)": FwFMClassifier(8, fields=fields, l2_factors=L2),
        "FFMClassifier(4)": FFMClassifier(4, fields=fields, l2_factors=L2),
    }
    compare(f"generated clicks, {n:,} rows", X[:n], y[:n], X[n:], y[n:], models, floor)
    if options.no_movielens:
        return
    X, ratings, fields = load_movielens_fields(data_file("ml-100k"))
    y = (ratings >= 4).astype(int)
    is_test = np.random.default_rng(0).random(len(y)) < 0.2
    models = {
        "FMClassifier(8)": FMClassifier(8),
        "FwFMClassifier(8)": FwFMClassifier(8, fields=fields),
        "FFMClassifier(4)": FFMClassifier(4, fields=fields),
    }
    parts = X[~is_test], y[~is_test], X[is_test], y[is_test]
    compare("MovieLens 100K, ratings of 4 and more", *parts, models)


if __name__ == "__main__":
    main()
