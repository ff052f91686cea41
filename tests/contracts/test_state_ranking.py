"""Fitted state of ranking estimators: what answers is what was fitted, swapped in at once."""

import threading

import numpy as np
import pytest
from support.ranking import block_taste

from fastfm_cy import FMRanker, FMRecommender
from fastfm_cy.io import load_model, save_model

TRAIN, TEST = block_taste(40, 30)
FAST = {"max_iter": 2, "random_state": 0}
HISTORY = [[1, 2, 3], [7]]
RNG = np.random.default_rng(0)
X, Y, QID = RNG.normal(size=(200, 5)), RNG.integers(0, 3, 200), np.arange(200) // 10


def test_parameters_set_later_change_no_answer(tmp_path):
    model = FMRecommender(4, **FAST).fit(TRAIN)
    expected = model.query_vectors(history=HISTORY), model.recommend()[0]
    later = {
        "n_factors": 9, "loss": "softmax", "solver": "adam", "dtype": "float64", "max_sampled": 1,
        "learning_rate": 9.0, "l2_factors": {"items": 3.0}, "item_interactions": False,
        "user_identity": False, "negatives": "popularity", "random_state": 7,
    }  # fmt: skip
    for name, value in later.items():
        model.set_params(**{name: value})
        np.testing.assert_array_equal(model.query_vectors(history=HISTORY), expected[0], name)
        np.testing.assert_array_equal(model.recommend()[0], expected[1])
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.query_vectors(history=HISTORY), expected[0])
    assert loaded.n_factors == 9


@pytest.mark.parametrize("kind", ["recommender", "ranker"])
def test_predictions_go_on_while_another_thread_refits(kind):
    """With other numbers of factors, items and features: each call sees one model."""
    if kind == "recommender":
        model = FMRecommender(**FAST)
        fits = [lambda: model.set_params(n_factors=3).fit(TRAIN),
                lambda: model.set_params(n_factors=9).fit(TRAIN[:, :20])]  # fmt: skip
        asks = [lambda: model.recommend([1], 5)[1], lambda: model.similar_items([2], 3)[1],
                lambda: model.predict([0], [3])]  # fmt: skip
    else:
        model = FMRanker(**FAST)
        fits = [lambda: model.set_params(n_factors=3).fit(X, Y, qid=QID),
                lambda: model.set_params(n_factors=9).fit(X, -Y, qid=QID)]  # fmt: skip
        asks = [lambda: model.predict(X[:9])]
    expected = []
    for fit in fits:
        fit()
        expected.append([ask() for ask in asks])
    stop, wrong, right = threading.Event(), [], [0]

    def look(number):
        while not stop.is_set():
            try:
                found = asks[number]()
            except Exception as error:
                wrong.append(error)
                return
            right[0] += 1
            if not any(np.array_equal(found, one[number]) for one in expected):
                wrong.append(found)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for turn in range(30):
        fits[turn % 2]()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert right[0] > 10


@pytest.mark.parametrize("kind", ["recommender", "ranker"])
def test_one_fit_at_a_time(kind):
    model = FMRecommender(2, max_iter=1) if kind == "recommender" else FMRanker(2, max_iter=1)
    data = (TRAIN,) if kind == "recommender" else (X, Y)
    entered, done = threading.Event(), threading.Event()

    def wait(model, history):
        entered.set()
        done.wait(60)

    thread = threading.Thread(target=model.fit, args=data, kwargs={"callbacks": wait})
    thread.start()
    assert entered.wait(60)
    for again in (model.fit, model.partial_fit):
        with pytest.raises(RuntimeError, match="being fitted"):
            again(*data)
    done.set()
    thread.join()
    model.fit(*data)


def test_what_a_callback_asks_is_forgotten():
    """Vectors that were computed after an epoch are not those of the end."""
    looks = []

    def look(model, history):
        looks.append(model.item_vectors_.copy())

    model = FMRecommender(4, **FAST).fit(TRAIN, callbacks=look)
    plain = FMRecommender(4, **FAST).fit(TRAIN)
    np.testing.assert_array_equal(model.item_vectors_, plain.item_vectors_)
    assert not np.array_equal(looks[0], looks[1])


def test_a_failed_fit_leaves_the_model():
    model = FMRanker(2, **FAST).fit(X, Y, qid=QID)
    before = model.predict(X)
    with pytest.raises(ValueError, match="nothing to learn"):
        model.fit(X[:, :3], np.ones(200), qid=QID)
    np.testing.assert_array_equal(model.predict(X), before)
