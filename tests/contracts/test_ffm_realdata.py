"""Field-aware machines on libffm's sample and on MovieLens 100K."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import log_loss, roc_auc_score
from support.realdata import data_file

from fastfm_cy import FFMClassifier, FMClassifier
from fastfm_cy.datasets import load_movielens_fields

pytestmark = pytest.mark.realdata

# Of libffm 1.23's ffm-train -k 4 -t 10 -s 1, with its defaults -r 0.2 -l 0.00002.
LIBFFM_LOSS = 0.5524


def read_libffm(name):
    """(X, fields, y): CSR matrices with the same entries."""
    labels, fields, columns, values, ends = [], [], [], [], [0]
    for line in data_file(f"criteo-tiny/{name}").read_text().splitlines():
        label, *entries = line.split()
        labels.append(float(label) > 0)
        for entry in entries:
            field, column, value = entry.split(":")
            fields.append(int(field))
            columns.append(int(column))
            values.append(float(value))
        ends.append(len(columns))
    shape = len(labels), 10_000
    X = sparse.csr_array((np.array(values), np.array(columns), np.array(ends)), shape)
    return X, sparse.csr_array((np.array(fields), X.indices, X.indptr), shape), np.array(labels)


@pytest.mark.parametrize("seed", range(3))
def test_at_least_as_good_as_libffm_on_its_sample(seed):
    X, fields, y = read_libffm("bigdata.tr.txt")
    X_test, fields_test, y_test = read_libffm("bigdata.te.txt")
    model = FFMClassifier(
        4, n_fields=18, learning_rate=0.2, l2_factors=2e-5, fit_intercept=False, fit_linear=False,
        init_scale=1.0, max_iter=10, random_state=seed,
    )  # fmt: skip
    model.fit(X, y, fields=fields)
    assert log_loss(y_test, model.predict_proba(X_test, fields=fields_test)) < LIBFFM_LOSS


def test_at_least_as_good_as_an_fm_on_movielens():
    X, ratings, fields = load_movielens_fields(data_file("ml-100k"))
    y = ratings >= 4
    is_test = np.random.default_rng(0).random(len(y)) < 0.2
    scores = {}
    for name, model in {
        "fm": FMClassifier(8, max_iter=20, random_state=0),
        "ffm": FFMClassifier(4, fields=fields, max_iter=20, random_state=0),
    }.items():
        model.fit(X[~is_test], y[~is_test])
        scores[name] = roc_auc_score(y[is_test], model.decision_function(X[is_test]))
    assert scores["ffm"] >= scores["fm"] > 0.75, scores
