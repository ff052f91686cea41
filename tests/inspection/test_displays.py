"""Displays: what they draw, where, and what they need."""

import sys

import numpy as np
import pytest
from scipy import sparse
from support.machines import FIELDS, N_FEATURES, machine, rows_for
from support.ranking import block_taste

from fastfm_cy import BayesianFMRegressor, FMRecommender, FMRegressor
from fastfm_cy.inspection import (
    EmbeddingDisplay,
    ExplanationDisplay,
    FieldInteractionsDisplay,
    HistoryDisplay,
    IntervalCoverageDisplay,
    RankingDisplay,
    embeddings,
    explain,
    field_interactions,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    plt.close("all")


def check_figure(display, ax=None):
    """It can be drawn, has a title and axes with names, and lies where it was told to."""
    assert display.ax_.figure is display.figure_
    assert display.ax_.get_title()
    display.figure_.canvas.draw()
    if ax is not None:
        assert display.ax_ is ax


def labels_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_history(ratings):
    model = FMRegressor(4, early_stopping=True, scoring="r2", max_iter=5, random_state=0)
    model.fit(ratings.X, ratings.y)
    display = HistoryDisplay.from_estimator(model)
    check_figure(display)
    names = ["train loss", "validation loss", "validation score", "kept epoch"]
    assert labels_of(display.ax_) == names
    train = display.ax_.lines[0]
    np.testing.assert_array_equal(train.get_ydata(), model.history_["train_loss"])
    score = display.score_ax_.lines[0]
    np.testing.assert_array_equal(score.get_ydata(), model.history_["validation_score"])
    by_time = HistoryDisplay.from_history(model.history_, x="seconds", ax=plt.figure().gca())
    np.testing.assert_allclose(
        by_time.ax_.lines[0].get_xdata(), np.cumsum(model.history_["seconds"])
    )
    with pytest.raises(ValueError, match="x must be one of 'epoch', 'seconds'"):
        HistoryDisplay.from_estimator(model, x="rows")
    only_scores = HistoryDisplay.from_history({"validation_score": [0.1, 0.2]})
    assert only_scores.score_ax_ is None
    assert only_scores.ax_.get_ylabel() == "score"


@pytest.mark.parametrize("kind", ["ffm", "fwfm, three classes", "fwfm, other fields"])
def test_field_interactions(kind):
    model, _ = machine(kind)
    X = rows_for(1)
    ax = plt.figure().gca()
    names = ["site", "ad", "user"]
    display = FieldInteractionsDisplay.from_estimator(model, X, field_names=names, ax=ax)
    check_figure(display, ax)
    table = field_interactions(model, X=X, field_names=names)
    if "class" in table:
        table = table.take(table["class"] == 0)
    assert display.fields.tolist() == names
    for row in table.rows():
        i, j = names.index(row["first"]), names.index(row["second"])
        assert display.strengths[i, j] == display.strengths[j, i] == row["strength"]
    meets_itself = kind != "fwfm, other fields"
    assert len(ax.get_yticks()) == (3 if meets_itself else 2)
    n_cells = 6 if meets_itself else 3
    assert len(ax.texts) == n_cells


def test_embedding():
    model, _ = machine("regressor")
    ax = plt.figure().gca()
    display = EmbeddingDisplay.from_estimator(model, fields=FIELDS, n_names=3, ax=ax)
    check_figure(display, ax)
    assert display.points.shape == (N_FEATURES, 2)
    assert len(ax.texts) == 3
    assert labels_of(ax) == ["2", "0", "1"]  # the most frequent first
    v = model.factors_ - model.factors_.mean(axis=0)
    spread = np.linalg.svd(v)[1]
    np.testing.assert_allclose(display.explained, (spread**2 / (spread**2).sum())[:2], rtol=1e-5)
    vectors = embeddings(model)
    groups = np.arange(N_FEATURES) % 2
    assert len(EmbeddingDisplay.from_embeddings(vectors, groups=groups).ax_.collections) == 2
    with pytest.raises(ValueError, match="two vectors of two dimensions"):
        EmbeddingDisplay.from_estimator(machine("linear")[0])


@pytest.mark.parametrize("kind", ["regressor", "degree 3", "three classes", "bayes"])
@pytest.mark.parametrize("by", ["feature", "term"])
def test_explanation(kind, by):
    model, _ = machine(kind)
    X = rows_for(5, 2)
    ax = plt.figure().gca()
    display = ExplanationDisplay.from_estimator(model, X, 1, by=by, n_steps=3, ax=ax)
    check_figure(display, ax)
    found = explain(model, X, 1)
    steps = [bar.get_width() for bar in ax.patches]
    assert found.intercept + sum(steps) == pytest.approx(found.score)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "bias"
    assert labels[-1] == "score"
    assert any(label.endswith("others") for label in labels)
    sizes = np.abs(steps[:3])
    assert (np.diff(sizes) <= 0).all()
    if kind == "degree 3" and by == "term":
        assert "interactions of 3 features" in labels
    left, right = ax.get_xlim()
    ends = [found.intercept, *(bar.get_x() + bar.get_width() for bar in ax.patches)]
    assert left < min(ends)
    assert max(ends) < right


def test_coverage(ratings):
    X, y = ratings.X, ratings.y
    model = BayesianFMRegressor(4, max_iter=30, random_state=0).fit(X[:2000], y[:2000])
    display = IntervalCoverageDisplay.from_estimator(model, X[2000:], y[2000:], levels=[0.5, 0.8])
    check_figure(display)
    low, high = model.predict_quantiles(X[2000:], [0.25, 0.75]).T
    inside = (low <= y[2000:]) & (y[2000:] <= high)
    assert display.covered[0] == inside.mean()
    assert display.widths[0] == pytest.approx((high - low).mean())
    with pytest.raises(TypeError, match="no predict_quantiles; BayesianFMRegressor has"):
        IntervalCoverageDisplay.from_estimator(FMRegressor(), X, y)
    with pytest.raises(ValueError, match="levels must lie between 0 and 1"):
        IntervalCoverageDisplay.from_estimator(model, X, y, levels=[1.0])
    with pytest.raises(ValueError, match="a row a target and a column a level"):
        IntervalCoverageDisplay.from_predictions([1.0], [[0.0]], [[1.0]])


def test_ranking():
    train, test = block_taste()
    model = FMRecommender(4, max_iter=3, random_state=0).fit(train)
    display = RankingDisplay.from_estimator(model, test, ks=[1, 5], metrics=["ndcg", "recall"])
    check_figure(display)
    expected = [model.evaluate(test, k=k)["ndcg"] for k in (1, 5)]
    np.testing.assert_array_equal(display.metrics["ndcg"], expected)
    assert labels_of(display.ax_) == ["ndcg", "recall"]
    truth, lists = sparse.csr_array([[0, 1]]), np.array([[1, 0]])
    with pytest.raises(ValueError, match=r"no metric 'mapp'; there are precision"):
        RankingDisplay.from_predictions(truth, lists, ks=[1], metrics=["mapp"])
    with pytest.raises(TypeError, match="FMRecommender does"):
        RankingDisplay.from_estimator(FMRegressor(), test)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install \"fastfm_cy\[plot\]\""):
        HistoryDisplay.from_history({"train_loss": [1.0]})
