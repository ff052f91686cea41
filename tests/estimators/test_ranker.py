"""FMRanker: what it learns from relevances and from pairs, and what it refuses."""

import pickle

import numpy as np
import pytest
from reference.ranking import row_score
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from fastfm_cy import DivergenceError, FMRanker
from fastfm_cy.io import read_libsvm
from fastfm_cy.metrics import query_ndcg
from fastfm_cy.training.ranking.losses import PAIR_LOSSES
from fastfm_cy.training.solvers import SOLVERS


def queries(n_queries=80, rows_a_query=12, seed=0):
    """Relevance falls with a hidden score of interactions; each query has a level of its own."""
    rng = np.random.default_rng(seed)
    n = n_queries * rows_a_query
    X = sparse.random_array((n, 10), density=0.5, rng=rng, format="csr")
    w, v = np.random.default_rng(9).normal(size=10), np.random.default_rng(8).normal(size=(10, 2))
    scores = np.array([row_score(row, w, v) for row in X.toarray()])
    qid = rng.permutation(np.repeat(np.arange(n_queries), rows_a_query))
    y = np.zeros(n)
    for query in range(n_queries):
        own = qid == query
        y[own] = np.digitize(scores[own], np.quantile(scores[own], [0.5, 0.8])) + query % 3
    return X, y - y.min(), qid


X, Y, QID = queries()
X_TEST, Y_TEST, QID_TEST = queries(seed=1)


def model(**more):
    return FMRanker(**{"n_factors": 4, "max_iter": 30, "random_state": 0} | more)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize("sampling", ["sampled", "all"])
def test_it_learns(loss, sampling):
    one = model(loss=loss, pair_sampling=sampling).fit(X, Y, qid=QID)
    rng = np.random.default_rng(0)
    chance = query_ndcg(Y_TEST, rng.random(len(Y_TEST)), QID_TEST)
    assert one.score(X_TEST, Y_TEST, QID_TEST) > chance + 0.1
    assert one.history_["train_loss"][-1] < one.history_["train_loss"][0]


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver(solver):
    rates = {"sgd": 0.1, "adagrad": 0.1, "adam": 0.01, "adamw": 0.01, "ftrl": 0.2}
    one = model(solver=solver, learning_rate=rates[solver]).fit(X, Y, qid=QID)
    assert one.score(X_TEST, Y_TEST, QID_TEST) > 0.85


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_are_the_machines(dtype):
    one = model(dtype=dtype, max_iter=3).fit(X, Y, qid=QID)
    wanted = [row_score(row, one.coef_, one.factors_) for row in X[:20].toarray()]
    np.testing.assert_allclose(one.predict(X[:20]), wanted, rtol=1e-4, atol=1e-5)
    assert one.predict(X).dtype == dtype
    assert one.factors_.shape == (10, 4)


def test_sorted_queries_or_not():
    """The same model, but for the order in which rows are visited."""
    order = np.argsort(QID, kind="stable")
    one = model(pair_sampling="all", max_iter=60).fit(X, Y, qid=QID)
    other = model(pair_sampling="all", max_iter=60).fit(X[order], Y[order], qid=QID[order])
    both = np.corrcoef(one.predict(X_TEST), other.predict(X_TEST))
    assert both[0, 1] > 0.98
    names = np.array([f"q{query}" for query in QID])
    named = model(pair_sampling="all", max_iter=60).fit(X, Y, qid=names)
    assert np.corrcoef(one.predict(X_TEST), named.predict(X_TEST))[0, 1] > 0.98


def test_only_differences_within_queries_count():
    shifted = model(max_iter=2).fit(X, Y + 10 * QID, qid=QID)
    assert np.array_equal(shifted.coef_, model(max_iter=2).fit(X, Y, qid=QID).coef_)


def test_given_pairs():
    better, worse = np.random.default_rng(0).integers(0, len(Y), (2, 3000))
    signs = Y[better] - 10 * QID[better] > Y[worse] - 10 * QID[worse]
    pairs = np.where(signs[:, None], np.column_stack([better, worse]),
                     np.column_stack([worse, better]))  # fmt: skip
    one = model().fit(X, pairs=pairs)
    scores = one.predict(X)
    assert (scores[pairs[:, 0]] > scores[pairs[:, 1]]).mean() > 0.55
    weights = np.zeros(len(pairs))
    weights[:10] = 1
    few = model(max_iter=1).fit(X, pairs=pairs, sample_weight=weights)
    assert np.array_equal(few.coef_, model(max_iter=1).fit(X, pairs=pairs[:10]).coef_)


def test_early_stopping_on_ndcg():
    one = model(early_stopping=True, n_iter_no_change=2, max_iter=80, learning_rate=0.3)
    one.fit(X, Y, qid=QID)
    scores = one.history_["validation_score"]
    assert one.best_iter_ == 1 + int(np.argmax(scores))
    other = model(early_stopping=True, max_iter=5)
    other.fit(X, Y, qid=QID, eval_set=(X_TEST, Y_TEST, QID_TEST))
    best = max(other.history_["validation_score"])
    assert other.score(X_TEST, Y_TEST, QID_TEST) == pytest.approx(best)


def test_deterministic_whatever_the_threads():
    fits = [
        model(deterministic=True, n_jobs=n_jobs, max_iter=5).fit(X, Y, qid=QID)
        for n_jobs in (1, 2, 3)
    ]
    for other in fits[1:]:
        assert np.array_equal(fits[0].factors_, other.factors_)
    assert fits[0].score(X_TEST, Y_TEST, QID_TEST) > 0.8
    two = model(n_jobs=2).fit(X, Y, qid=QID)
    assert two.score(X_TEST, Y_TEST, QID_TEST) > 0.85


def test_partial_fit_warm_start_pickle():
    one = model()
    for _ in range(10):
        one.partial_fit(X, Y, qid=QID)
    assert one.n_iter_ == len(one.history_["train_loss"]) == 10
    assert one.score(X_TEST, Y_TEST, QID_TEST) > 0.8
    warm = model(warm_start=True, max_iter=2).fit(X, Y, qid=QID)
    before = warm.coef_.copy()
    assert not np.array_equal(warm.fit(X, Y, qid=QID).coef_, before)
    with pytest.raises(ValueError, match="solver cannot change"):
        warm.set_params(solver="adam").fit(X, Y, qid=QID)
    other = pickle.loads(pickle.dumps(one))
    assert np.array_equal(other.predict(X), one.predict(X))
    assert clone(one).get_params() == one.get_params()


def test_callbacks():
    seen = []

    def stop(one, history):
        seen.append(one.predict(X[:3]))
        return len(history["train_loss"]) == 2

    one = model().fit(X, Y, qid=QID, callbacks=[stop])
    assert one.n_iter_ == 2
    assert np.array_equal(seen[-1], one.predict(X[:3]))


def test_libsvm_files_with_queries(tmp_path):
    path = tmp_path / "rank.txt"
    path.write_text("2 qid:1 1:1 2:0.5\n0 qid:1 2:1\n1 qid:2 1:1\n0 qid:2 3:1\n")
    data = read_libsvm(path)
    one = model().fit(data.X, data.y, qid=data.query)
    assert one.score(data.X, data.y, data.query) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Give either y"),
        ({"y": Y, "pairs": [[0, 1]]}, "Give either y"),
        ({"pairs": [[0, 1]], "qid": QID}, "qid belongs to y"),
        ({"y": Y, "qid": QID[:-1]}, "a query a row"),
        ({"y": Y, "qid": np.where(QID == 3, np.nan, QID)}, "qid is nan in row"),
        ({"y": np.ones(len(Y)), "qid": QID}, "No query has rows of different relevance"),
        ({"y": Y, "qid": np.arange(len(Y))}, "No query has rows of different relevance"),
        ({"y": np.where(QID == 3, np.nan, Y)}, "NaN"),
        ({"pairs": [0, 1]}, "shape"),
        ({"pairs": [[0.5, 1]]}, "int array"),
        ({"pairs": np.zeros((0, 2), int)}, "empty"),
        ({"pairs": [[0, 1], [5, -1]]}, r"\[5, -1\] at 1"),
        ({"pairs": [[0, len(Y)]]}, "X has the rows 0 to"),
        ({"pairs": [[0, 1]], "sample_weight": [0.0]}, "weight 0"),
        ({"y": Y, "qid": QID, "sample_weight": np.zeros(len(Y))}, "All sample weights are zero"),
        ({"y": Y, "qid": QID, "eval_set": (X, -Y, QID)}, "relevances >= 0"),
        ({"y": Y, "qid": QID, "eval_set": 3}, "eval_set must be"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model(max_iter=1).fit(X, **arguments)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "softmax"}, "loss must be one of 'bpr', 'hinge', 'warp'"),
        ({"pair_sampling": "some"}, "pair_sampling"),
        ({"early_stopping": True, "validation_fraction": 0.999}, "none to train on"),
        ({"feature_groups": [0]}, "feature_groups"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model(**params).fit(X, Y, qid=QID)


def test_other_errors():
    with pytest.raises(NotFittedError):
        model().predict(X)
    one = model(max_iter=1).fit(X, Y, qid=QID)
    with pytest.raises(ValueError, match="9 features"):
        one.predict(X[:, :9])
    wild = model(solver="sgd", learning_rate=1e30)
    with pytest.raises(DivergenceError):
        wild.fit(X, Y, qid=QID)
    assert not hasattr(wild, "history_")
    with pytest.raises(ValueError, match="cannot stop early"):
        model(early_stopping=True).partial_fit(X, Y, qid=QID)
    with pytest.raises(ValueError, match="needs an eval_set"):
        model(early_stopping=True).fit(X, pairs=[[0, 1]])
