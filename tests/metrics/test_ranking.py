"""Ranking metrics against their definitions, scikit-learn and ranx."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from fastfm_cy import metrics
from fastfm_cy.metrics.ranking import METRICS
from fastfm_cy.model.top_n import top_n


def case(seed, n_users=12, n_items=30, n=8, empty=True):
    rng = np.random.default_rng(seed)
    truth = rng.random((n_users, n_items)) < 0.2
    if not empty:
        truth[:, 0] = True
    scores = rng.random((n_users, n_items))
    lists = np.argsort(-scores, axis=1)[:, :n]
    for user in range(0, n_users, 4):
        lists[user, rng.integers(1, n) :] = -1
    return truth, lists


def by_definition(name, chosen, listed, k):
    listed = [item for item in listed[:k] if item >= 0]
    hits = [item in chosen for item in listed]
    if name == "precision":
        return sum(hits) / k
    if name == "recall":
        return sum(hits) / len(chosen)
    if name == "hit_rate":
        return float(any(hits))
    if name == "mrr":
        return next((1 / (place + 1) for place, hit in enumerate(hits) if hit), 0.0)
    if name == "ndcg":
        gain = sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit)
        return gain / sum(1 / np.log2(place + 2) for place in range(min(k, len(chosen))))
    precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
    return sum(precisions) / min(k, len(chosen))


@pytest.mark.parametrize("name", METRICS)
@given(seed=st.integers(0, 1000), k=st.integers(1, 8))
def test_by_definition(name, seed, k):
    truth, lists = case(seed)
    values = METRICS[name](sparse.csr_array(truth), lists, k, per_user=True)
    for user, row in enumerate(truth):
        chosen = set(np.flatnonzero(row))
        if chosen:
            assert values[user] == pytest.approx(by_definition(name, chosen, lists[user], k))
        else:
            assert np.isnan(values[user])
    mean = METRICS[name](sparse.csr_array(truth), lists, k)
    assert mean == pytest.approx(np.nanmean(values))


@given(seed=st.integers(0, 1000))
def test_against_scikit_learn(seed):
    truth, _ = case(seed, empty=False)
    rng = np.random.default_rng(seed)
    scores = rng.permutation(truth.size).reshape(truth.shape) / truth.size
    lists = np.argsort(-scores, axis=1)
    sparse_truth = sparse.csr_array(truth)
    assert metrics.ndcg_at_k(sparse_truth, lists, 5) == pytest.approx(
        ndcg_score(truth, scores, k=5)
    )
    n_items = truth.shape[1]
    found = metrics.average_precision_at_k(sparse_truth, lists, n_items, per_user=True)
    wanted = [average_precision_score(row, s) for row, s in zip(truth, scores, strict=True)]
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_items", [30, 5000])
def test_area_under_the_curve(dtype, n_items):
    rng = np.random.default_rng(0)
    queries = rng.integers(-2, 3, (140, 3)).astype(dtype)  # many ties
    items = rng.integers(-2, 3, (n_items, 3)).astype(dtype)
    truth = rng.random((140, n_items)) < 0.1
    hidden = rng.random((140, n_items)) < 0.3
    truth[5] = False
    areas = metrics.roc_auc(
        sparse.csr_array(truth), queries, items, hidden=sparse.csr_array(hidden), per_user=True
    )
    for user in range(140):
        left = ~hidden[user]
        labels = truth[user, left]
        if labels.any() and not labels.all():
            wanted = roc_auc_score(labels, items[left] @ queries[user])
            assert areas[user] == pytest.approx(wanted)
        else:
            assert np.isnan(areas[user])


def test_against_ranx():
    ranx = pytest.importorskip("ranx")
    truth, lists = case(3, n_users=40)
    counted = np.flatnonzero(truth.any(axis=1))
    full = np.where(lists >= 0, lists, 0)
    lists = np.where((lists >= 0).all(axis=1, keepdims=True), lists, np.sort(full, 1))
    lists = np.argsort(-np.random.default_rng(0).random(truth.shape), axis=1)[:, :8]
    qrels = ranx.Qrels({
        str(u): {str(i): 1 for i in np.flatnonzero(truth[u])} for u in counted
    })  # fmt: skip
    run = ranx.Run({
        str(u): {str(i): 8.0 - place for place, i in enumerate(lists[u])} for u in counted
    })  # fmt: skip
    names = {"precision": "precision@8", "recall": "recall@8", "ndcg": "ndcg@8", "mrr": "mrr@8",
             "hit_rate": "hit_rate@8"}  # fmt: skip
    theirs = ranx.evaluate(qrels, run, list(names.values()))
    for ours, name in names.items():
        assert METRICS[ours](sparse.csr_array(truth), lists, 8) == pytest.approx(theirs[name])


def test_coverage_and_report():
    truth, lists = case(1)
    report = metrics.ranking_report(sparse.csr_array(truth), lists, 8)
    assert report["coverage"] == len(set(lists[lists >= 0])) / truth.shape[1]
    for name, function in METRICS.items():
        assert report[name] == pytest.approx(function(sparse.csr_array(truth), lists, 8))
    assert report["n_users"] == truth.any(axis=1).sum()


@given(seed=st.integers(0, 300), k=st.integers(1, 6), exponential=st.booleans())
def test_ndcg_of_queries(seed, k, exponential):
    rng = np.random.default_rng(seed)
    n = 40
    y, qid, scores = rng.integers(0, 4, n), rng.integers(0, 6, n), rng.integers(0, 12, n) / 4
    gains = 2.0**y - 1 if exponential else y.astype(float)
    wanted = [
        ndcg_score([gains[qid == q]], [scores[qid == q]], k=k)
        for q in np.unique(qid)
        if (qid == q).sum() > 1 and gains[qid == q].any()
    ]
    single = [1.0 for q in np.unique(qid) if (qid == q).sum() == 1 and gains[qid == q].any()]
    found = metrics.query_ndcg(y, scores, qid, k, exponential=exponential)
    if wanted + single:
        assert found == pytest.approx(np.mean(wanted + single))
    else:
        assert np.isnan(found)


def test_bad_input():
    truth, lists = case(0)
    sparse_truth = sparse.csr_array(truth)
    with pytest.raises(TypeError, match="sparse matrix"):
        metrics.ndcg_at_k(truth, lists, 3)
    with pytest.raises(ValueError, match="fewer than k=9"):
        metrics.ndcg_at_k(sparse_truth, lists, 9)
    with pytest.raises(ValueError, match="12 users, there are 3 lists"):
        metrics.ndcg_at_k(sparse_truth, lists[:3], 3)
    twice = lists.copy()
    twice[2, 1] = twice[2, 0]
    with pytest.raises(ValueError, match="twice for user 2"):
        metrics.ndcg_at_k(sparse_truth, twice, 3)
    with pytest.raises(ValueError, match="at least 0"):
        metrics.query_ndcg([-1, 0], [0, 1], [0, 0])
    nobody = sparse.csr_array((len(lists), 30))
    assert np.isnan(metrics.ndcg_at_k(nobody, lists, 3))


def test_lists_come_from_top_n():
    rng = np.random.default_rng(2)
    queries, items = rng.normal(size=(20, 4)), rng.normal(size=(30, 4))
    best = sparse.csr_array(np.eye(30)[(queries @ items.T).argmax(axis=1)])
    assert metrics.reciprocal_rank_at_k(best, top_n(queries, items, 5)[0], 5) == 1
