"""Fitted state: what scores is what was fitted, in one object that a fit swaps in at once."""

import copy
import pickle
import threading

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy.io import load_model, save_model, write_libffm_model, write_libfm_model

N_FEATURES = 20
FIELDS = np.arange(N_FEATURES) % 4
GRADIENT = [FMRegressor, FMClassifier, FFMRegressor, FFMClassifier, FwFMRegressor, FwFMClassifier]
FIELD_AWARE = GRADIENT[2:]
BAYESIAN = [BayesianFMRegressor, BayesianFMClassifier, BayesianFMOrdinal]
ALL = GRADIENT + BAYESIAN


@pytest.fixture(scope="module")
def X():
    return sparse.csr_array(
        sparse.random(300, N_FEATURES, 0.3, format="csr", dtype=np.float32, random_state=0)
    )


@pytest.fixture(scope="module")
def y():
    return np.random.default_rng(0).integers(0, 2, 300)


def new(Estimator, **parameters):
    parameters = {"random_state": 0, "max_iter": 3, **parameters}
    if Estimator in FIELD_AWARE:
        parameters.setdefault("fields", FIELDS)
    if Estimator in BAYESIAN:
        parameters.setdefault("n_burn_in", 0)
    return Estimator(2, **parameters)


def scores_of(model, X, **fields):
    name = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    return getattr(model, name)(X, **fields)


# Parameters set after a fit -----------------------------------------------------------------------

LATER = {
    "n_factors": 64, "max_iter": 1, "dtype": "float64", "random_state": 5, "warm_start": True,
    "feature_groups": np.arange(10**6), "init_scale": 3.0, "verbose": 0, "fit_linear": False,
}  # fmt: skip
LATER_OF_GRADIENT = {
    "n_hash": 10**8, "solver": "ftrl", "learning_rate": 9.0, "l2_linear": np.ones(10**6),
    "grow_features": True, "early_stopping": True, "scoring": "r2", "relabel": True,
}  # fmt: skip
LATER_OF_FIELDS = {
    "fields": np.arange(N_FEATURES) * 10**6, "n_fields": 10**6, "same_field": False,
    "normalize": None, "init": "normal",
}  # fmt: skip


@pytest.mark.parametrize("Estimator", ALL)
def test_parameters_set_later_change_no_prediction(Estimator, X, y, tmp_path):
    model = new(Estimator).fit(X, y)
    expected = scores_of(model, X)
    later = dict(LATER)
    if Estimator in GRADIENT:
        later |= LATER_OF_GRADIENT | ({"degree": 4} if "degree" in model.get_params() else {})
        classifies = "loss" in model.get_params() and hasattr(model, "classes_")
        later["loss"] = "hinge" if classifies else "poisson"
        compiled = model.compile().row(np.arange(20, dtype=np.int32), np.ones(20, np.float32))
    if Estimator in FIELD_AWARE:
        later |= LATER_OF_FIELDS
    for name, value in later.items():
        model.set_params(**{name: value})
        if name != "loss":
            np.testing.assert_array_equal(scores_of(model, X), expected, err_msg=name)
    if Estimator in BAYESIAN:
        return
    np.testing.assert_array_equal(scores_of(model, X), expected)
    again = model.compile().row(np.arange(20, dtype=np.int32), np.ones(20, np.float32))
    assert again == compiled
    model.set_params(feature_groups=None, l2_linear=None)
    if Estimator in FIELD_AWARE:
        model.set_params(fields=FIELDS * 7, n_fields=None)
    for restored in (
        pickle.loads(pickle.dumps(model)), copy.deepcopy(model), saved_and_loaded(model, tmp_path)
    ):  # fmt: skip
        np.testing.assert_array_equal(scores_of(restored, X), expected)


def saved_and_loaded(model, folder):
    save_model(model, folder / "model.fm")
    return load_model(folder / "model.fm")


@pytest.mark.parametrize("Estimator", FIELD_AWARE)
def test_the_users_array_of_fields_may_change(Estimator, X, y):
    fields = FIELDS.astype(np.int32)
    model = new(Estimator, fields=fields).fit(X, y)
    expected = scores_of(model, X)
    scorer = model.compile()
    row = np.arange(20, dtype=np.int32), np.ones(20, np.float32)
    score = scorer.row(*row)
    fields[:] = 2**30
    np.testing.assert_array_equal(scores_of(model, X), expected)
    assert scorer.row(*row) == model.compile().row(*row) == score
    assert model.n_fields_ == 4


@pytest.mark.parametrize("Estimator", FIELD_AWARE)
def test_fitted_attributes_cannot_be_set(Estimator, X, y):
    model = new(Estimator).fit(X, y)
    for name in ("n_fields_", "coef_", "factors_", "intercept_"):
        with pytest.raises(AttributeError):
            setattr(model, name, 10**6)


@pytest.mark.parametrize("Estimator", ALL)
def test_a_number_of_features_that_is_not_the_models_is_not_believed(Estimator, X, y):
    model = new(Estimator).fit(X, y)
    expected = scores_of(model, X)
    wide = sparse.csr_array((X.data, X.indices * 1000, X.indptr), (300, N_FEATURES * 1000))
    model.n_features_in_ = wide.shape[1]
    with pytest.raises(ValueError, match="features"):
        scores_of(model, wide)
    np.testing.assert_array_equal(scores_of(model, X), expected)
    with pytest.raises(ValueError, match="features"):
        model.set_params(warm_start=True).fit(wide, y)


def test_files_of_others_have_the_model_that_was_fitted(X, y, tmp_path):
    model = FMRegressor(2, max_iter=2, random_state=0).fit(X, y)
    write_libfm_model(model, tmp_path / "before")
    write_libfm_model(model.set_params(fit_intercept=False, fit_linear=False), tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()
    model = new(FFMClassifier, fit_intercept=False, fit_linear=False).fit(X, y)
    write_libffm_model(model, tmp_path / "before")
    write_libffm_model(model.set_params(normalize=None, same_field=False), tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


# Going on with another shape ----------------------------------------------------------------------

SHAPES = {
    "n_factors": 3, "dtype": "float64", "solver": "sgd", "degree": 3, "share_factors": None,
    "n_hash": 7, "fields": FIELDS[::-1].copy(), "n_fields": 9, "same_field": False,
    "normalize": "other", "loss": "softmax",
}  # fmt: skip


@pytest.mark.parametrize("Estimator", GRADIENT)
@pytest.mark.parametrize("name", [name for name in SHAPES if SHAPES[name] is not None])
def test_what_shapes_a_model_cannot_change_while_training_goes_on(Estimator, name, X, y):
    model = new(Estimator, warm_start=True)
    if name not in model.get_params() or (name == "loss" and not hasattr(model, "class_weight")):
        return
    model.fit(X, y)
    expected, before = scores_of(model, X), dict(vars(model))
    value = SHAPES[name]
    if name == "normalize":
        value = None if model.normalize else "l2"
    model.set_params(**{name: value})
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="cannot change between fits"):
            train(X, y)
    np.testing.assert_array_equal(scores_of(model, X), expected)
    assert vars(model).keys() == before.keys()


@pytest.mark.parametrize("Estimator", BAYESIAN)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("feature_groups", np.arange(N_FEATURES)), ("feature_groups", np.arange(N_FEATURES) % 2),
        ("n_factors", 3), ("dtype", "float64"),
    ],
)  # fmt: skip
def test_a_chain_keeps_its_shape(Estimator, name, value, X, y, tmp_path):
    model = new(Estimator, warm_start=True).fit(X, y)
    expected = scores_of(model, X)
    model.set_params(**{name: value})
    with pytest.raises(ValueError, match="cannot change while sampling goes on"):
        model.fit(X, y)
    np.testing.assert_array_equal(scores_of(model, X), expected)
    if name == "feature_groups":
        with pytest.raises(ValueError, match="feature_groups"):
            save_model(model, tmp_path / "m")
        save_model(model, tmp_path / "m", optimizer_state=False)
        np.testing.assert_array_equal(scores_of(load_model(tmp_path / "m"), X), expected)


def test_fields_may_go_on_beyond_what_was_seen(X, y):
    """With grow_features, more columns come later; their fields may be given then."""
    model = FFMRegressor(2, fields=FIELDS[:10], n_fields=4, grow_features=True, random_state=0)
    model.partial_fit(X[:, :10], y)
    model.set_params(fields=FIELDS)
    model.partial_fit(X, y)
    assert model.n_features_in_ == N_FEATURES
    model.set_params(fields=(FIELDS + 1) % 4)
    with pytest.raises(ValueError, match="feature 0 had field 0, now 1"):
        model.partial_fit(X, y)


# One fit at a time --------------------------------------------------------------------------------


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("what", ["fit", "partial_fit", "sparsify", "densify"])
def test_a_callback_cannot_change_the_model(Estimator, what, X, y):
    if Estimator in BAYESIAN and what != "fit":
        return
    model = new(Estimator).fit(X, y)
    expected = scores_of(model, X)

    def meddle(model, history):
        getattr(model, what)(*((X, y) if "fit" in what else ()))

    with pytest.raises(RuntimeError, match=f"{what}: this {Estimator.__name__} is being fitted"):
        model.fit(X, y, callbacks=meddle)
    np.testing.assert_array_equal(scores_of(model, X), expected)
    model.fit(X, y)  # it is free again


@pytest.mark.parametrize("Estimator", ALL)
def test_a_callback_may_look_copy_and_save(Estimator, X, y, tmp_path):
    copies = []

    def look(model, history):
        if Estimator in GRADIENT:
            scores_of(model, X)
            model.compile()
            save_model(model, tmp_path / "m")
            copies.append(copy.deepcopy(model))
            copies.append(pickle.loads(pickle.dumps(model)))
        copies.append(clone(model))

    expected = scores_of(new(Estimator).fit(X, y), X)
    np.testing.assert_array_equal(scores_of(new(Estimator).fit(X, y, callbacks=look), X), expected)
    for model in copies:
        np.testing.assert_array_equal(scores_of(model.fit(X, y), X), expected)


def test_two_threads_cannot_fit_one_estimator(X, y):
    model, entered, done = FMRegressor(2, max_iter=1), threading.Event(), threading.Event()

    def wait(model, history):
        entered.set()
        done.wait(60)

    thread = threading.Thread(target=model.fit, args=(X, y), kwargs={"callbacks": wait})
    thread.start()
    assert entered.wait(60)
    with pytest.raises(RuntimeError, match="being fitted"):
        model.fit(X, y)
    done.set()
    thread.join()
    model.fit(X, y)


# Predictions while a fit runs in another thread ---------------------------------------------------


@pytest.mark.parametrize("Estimator", [FMRegressor, FFMRegressor, FwFMClassifier,
                                       BayesianFMRegressor, BayesianFMOrdinal])  # fmt: skip
def test_predictions_go_on_while_another_thread_refits(Estimator, X, y):
    """With fewer and more features, fields and factors: each call sees one model."""
    wide = sparse.csr_array(sparse.hstack([X, X, X], format="csr"))
    data = [(X, y), (wide, y)]
    extra = [{}, {}]
    if Estimator in FIELD_AWARE:
        given = [sparse.csr_array((A.indices % n, A.indices, A.indptr), A.shape)
                 for A, n in ((X, 4), (wide, 40))]  # fmt: skip
        extra = [{"fields": fields} for fields in given]
    parameters = {"max_iter": 2, "random_state": 0} | ({"fields": None} if extra[0] else {})
    kinds = [{"n_factors": 2}, {"n_factors": 9}]
    expected = []
    model = new(Estimator, **parameters)
    for (A, b), fields, kind in zip(data, extra, kinds, strict=True):
        model.set_params(**kind).fit(A, b, **fields)
        expected.append(scores_of(model, A, **fields))
    stop, wrong, right = threading.Event(), [], [0]

    def predict(which):
        while not stop.is_set():
            try:
                scores = scores_of(model, data[which][0], **extra[which])
            except ValueError as error:  # the other model is there
                if "features" not in str(error):
                    wrong.append(error)
                continue
            except Exception as error:
                wrong.append(error)
                continue
            right[0] += 1
            if not np.array_equal(scores, expected[which]):
                wrong.append(scores)

    threads = [threading.Thread(target=predict, args=(which,)) for which in (0, 1, 1)]
    for thread in threads:
        thread.start()
    for turn in range(60):
        (A, b), fields, kind = data[turn % 2], extra[turn % 2], kinds[turn % 2]
        model.set_params(**kind).fit(A, b, **fields)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert right[0] > 10
