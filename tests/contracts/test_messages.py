"""Numbers of every type and size: taken, or refused by name; messages that do not mislead."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import ClassifierMixin

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    DivergenceError,
    FFMClassifier,
    FMClassifier,
    FMRegressor,
    FwFMRegressor,
)

GRADIENT = [FMRegressor, FMClassifier, FFMClassifier, FwFMRegressor]
BAYESIAN = [BayesianFMRegressor, BayesianFMClassifier, BayesianFMOrdinal]
ALL = GRADIENT + BAYESIAN
INTEGERS = (
    "n_factors", "max_iter", "n_burn_in", "thin", "n_kept_samples", "n_hash", "n_fields", "degree",
    "n_iter_no_change", "n_jobs", "verbose",
)  # fmt: skip
REALS = (
    "learning_rate", "power_t", "ftrl_beta", "l1_linear", "l1_factors", "l2_linear", "l2_factors",
    "l2_intercept", "init_scale", "init_intercept", "huber_delta", "tol", "alpha_0", "beta_0",
    "gamma_0", "mu_0", "nu", "cutpoint_scale", "validation_fraction",
)  # fmt: skip


def problem():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 4)), np.arange(40) % 2


def new(Estimator, **parameters):
    burn_in = {"n_burn_in": 0} if Estimator in BAYESIAN else {}
    return Estimator(**{"n_factors": 2, "max_iter": 2, "random_state": 0} | burn_in | parameters)


def known(Estimator, names):
    return [name for name in names if name in Estimator().get_params()]


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint64"])
def test_integers_of_small_types_do_not_overflow(Estimator, kind):
    X, y = problem()
    number = np.dtype(kind).type
    values = {"n_factors": 120, "max_iter": 3, "n_jobs": 1, "verbose": 0, "n_iter_no_change": 100}
    values |= {"n_burn_in": 0, "thin": 1, "n_kept_samples": 100, "degree": 3, "n_hash": 100}
    values = {name: values[name] for name in known(Estimator, values)}
    expected = Estimator(random_state=0, **values).fit(X, y).predict(X)
    values = {name: number(value) for name, value in values.items()}
    model = Estimator(random_state=0, **values).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble, Fraction, int])
def test_reals_of_any_type(Estimator, kind):
    X, y = problem()
    values = dict.fromkeys(known(Estimator, REALS), 1)
    values.pop("validation_fraction", None)
    model = new(Estimator, **{name: kind(value) for name, value in values.items()})
    expected = new(Estimator, **{name: float(value) for name, value in values.items()})
    np.testing.assert_array_equal(model.fit(X, y).predict(X), expected.fit(X, y).predict(X))


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("value", [2**63, 10**400, 1e-320, Fraction(1, 10**400), 1e308, -(10**400)])
def test_reals_of_any_size(Estimator, value):
    """A model, or an error that names the parameter; never one of arithmetic."""
    X, y = problem()
    for name in known(Estimator, REALS):
        try:
            model = new(Estimator, **{name: value}).fit(X, y)
        except DivergenceError:
            continue
        except ValueError as error:
            named = name in str(error) or "cannot be held out" in str(error)
            assert named, (name, error)  # noqa: PT017
        else:
            assert np.isfinite(model.coef_).all(), name


@pytest.mark.parametrize("Estimator", ALL)
def test_integers_of_any_size(Estimator):
    X, y = problem()
    for name in known(Estimator, INTEGERS):
        for value in (-(2**63), -(10**400)):
            with pytest.raises(ValueError, match=name):
                new(Estimator, **{name: value}).fit(X, y)
    with pytest.raises((MemoryError, ValueError), match=r"take|max_memory"):
        new(Estimator, n_factors=2**40).fit(X, y)


@pytest.mark.parametrize("Estimator", ALL)
def test_messages_show_numbers_as_python_writes_them(Estimator):
    X, y = problem()
    wrong = [np.float64(-1.5), np.float32("nan"), np.int64(-7), np.bool_(True), np.str_("x"),
             [np.float64(3.0), np.int64(2)], (np.float64(0.5),)]  # fmt: skip
    for name, value in Estimator().get_params().items():
        if name in ("random_state", "fields", "feature_groups", "classes"):
            continue
        for bad in wrong:
            if isinstance(value, bool) and isinstance(bad, np.bool_):
                continue
            try:
                new(Estimator, **{name: bad}).fit(X, y)
            except (ValueError, TypeError, MemoryError) as error:
                assert "np." not in str(error), (name, error)  # noqa: PT017
    if issubclass(Estimator, ClassifierMixin):
        for labels in (np.ones(40), np.ones(40, dtype=int), np.array(["a"] * 40)):
            with pytest.raises(ValueError, match=r"only one|no order") as info:
                new(Estimator).fit(X, labels)
            assert "np." not in str(info.value)


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "ftrl", "als"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_divergence_recommends_nothing_that_is_in_use(solver, dtype):
    """Neither the solver, nor scaling="auto", nor dtype="float64"; nor rates that als has not."""
    X, y = problem()
    messages = set()
    for scaling in (None, "auto"):
        for extreme in ({"init_scale": 1e38}, {"learning_rate": 1e37, "init_scale": 1e3}):
            model = new(FMRegressor, solver=solver, dtype=dtype, scaling=scaling, **extreme)
            model.set_params(max_iter=30, clip_predictions=False, n_factors=8)
            try:
                model.fit(1e3 * X, 1e4 * y)
            except DivergenceError as error:
                messages.add((scaling, str(error)))
    for scaling, message in messages:
        assert f"solver='{solver}'" not in message
        assert not (scaling == "auto" and "scaling='auto'" in message)
        assert not (dtype == "float64" and "dtype='float64'" in message)
        assert not (solver == "als" and "learning_rate" in message)
        assert not (solver in ("adagrad", "ftrl") and "adagrad" in message)


def test_values_that_float64_cannot_hold_do_not_recommend_it():
    X, y = problem()
    with pytest.raises(ValueError, match=r"too large for float32.*use dtype='float64'"):
        FMRegressor().fit(1e300 * X, y)
    X[3, 1] = np.inf
    with pytest.raises(ValueError, match="infinity") as info:
        FMRegressor(dtype="float64").fit(X, y)
    assert "dtype=" not in str(info.value)
