import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.losses import GRADIENTS, LOSSES, of_outputs
from scipy.special import log_ndtr
from scipy.stats import norm

from fastfm_cy.kernels.common.losses import values_and_gradients
from fastfm_cy.kernels.common.settings import Settings, SolverCode
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION

SETTINGS = {
    name: Settings(loss=entry.code, solver=SolverCode.SGD, learning_rate=0.1)
    for name, entry in (REGRESSION | CLASSIFICATION).items()
}
TARGETS = {"poisson": (0.0, 2.5)} | dict.fromkeys(CLASSIFICATION, (-1.0, 1.0))
CASES = [(name, y) for name in LOSSES for y in TARGETS.get(name, (-3.0, 0.0, 2.5))]


def both(name, score, y):
    values, gradients = values_and_gradients(SETTINGS[name], np.array([[score]]), np.array([y]))
    return values[0], gradients[0, 0]


def value(name, score, y):
    return both(name, score, y)[0]


def gradient(name, score, y):
    return both(name, score, y)[1]


def test_every_loss_has_a_reference():
    assert set(SETTINGS) - {"softmax"} == set(LOSSES) == set(GRADIENTS)


@pytest.mark.parametrize("name", CLASSIFICATION)
@given(scores=st.lists(st.floats(-30, 30), min_size=2, max_size=5), seed=st.integers(0, 9))
def test_several_classes_equal_the_textbook(name, scores, seed):
    scores, label = np.array(scores), float(seed % len(scores))
    values, gradients = values_and_gradients(SETTINGS[name], scores[None], np.array([label]))
    expected, slopes = of_outputs(name, len(scores))(scores, label)
    assert values[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(gradients[0], slopes, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("far", [1e4, 1e300])
def test_softmax_does_not_overflow(far):
    scores = np.array([[far, -far, 0.0], [-far, -far, -far]])
    values, gradients = values_and_gradients(SETTINGS["softmax"], scores, np.array([1.0, 2.0]))
    np.testing.assert_allclose(values, [2 * far, np.log(3)])
    np.testing.assert_allclose(gradients, [[1, -1, 0], [1 / 3, 1 / 3, -2 / 3]])


def test_classes_must_be_among_the_outputs():
    with pytest.raises(ValueError, match="0 to 2"):
        values_and_gradients(SETTINGS["softmax"], np.zeros((1, 3)), np.array([3.0]))


@pytest.mark.parametrize("score", [-9.0, 9.0])
def test_scores_are_clipped_to_the_range(score):
    settings = Settings(
        loss=REGRESSION["squared_error"].code, solver=SolverCode.SGD, learning_rate=0.1, low=1.0,
        high=5.0,
    )  # fmt: skip
    values, gradients = values_and_gradients(settings, np.array([[score]]), np.array([3.0]))
    assert values[0] == 2
    assert gradients[0, 0] == np.sign(score) * 2


def test_gradients_are_clipped():
    assert gradient("squared_error", 1e300, 0.0) == 1e12
    assert gradient("poisson", 1e5, 0.0) == 1e12


@pytest.mark.parametrize(("name", "y"), CASES)
@given(score=st.floats(-20, 20))
def test_value_and_gradient_equal_the_textbook(name, y, score):
    assert value(name, score, y) == pytest.approx(LOSSES[name](score, y), rel=1e-9, abs=1e-12)
    assert gradient(name, score, y) == pytest.approx(GRADIENTS[name](score, y), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("name", "y"), CASES)
@given(score=st.floats(-20, 20))
def test_gradient_equals_finite_difference(name, y, score):
    step = 1e-6
    if abs(y * score - 1) < 10 * step or abs(abs(score - y) - 1) < 10 * step:
        score += 0.1  # beside the kinks of the hinge and the Huber losses
    difference = (value(name, score + step, y) - value(name, score - step, y)) / (2 * step)
    assert gradient(name, score, y) == pytest.approx(difference, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(("name", "y"), CASES)
@pytest.mark.parametrize("score", [-1e4, 1e4, -1e300, 1e300])
def test_far_scores_do_not_overflow(name, y, score):
    assert np.isfinite(gradient(name, score, y))
    if name in ("log_loss", "hinge") or (abs(score) < 1e5 and name != "poisson"):
        assert np.isfinite(value(name, score, y))


@pytest.mark.parametrize("y", [-1.0, 1.0])
def test_log_loss_keeps_its_digits_at_both_ends(y):
    assert value("log_loss", 1e4 * y, y) == 0
    assert value("log_loss", -1e4 * y, y) == 1e4
    assert value("log_loss", 40 * y, y) == pytest.approx(np.exp(-40), rel=1e-12)
    assert gradient("log_loss", 40 * y, y) == pytest.approx(-y * np.exp(-40), rel=1e-12)
    assert gradient("log_loss", -1e4 * y, y) == -y


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 scores, but 1 targets"):
        values_and_gradients(SETTINGS["log_loss"], np.zeros((2, 1)), np.ones(1))


def test_probit_far_from_zero():
    """-log Phi(x) and phi(x) / Phi(x) where their textbook forms are 0 / 0."""
    for score in (-1e8, -1e4, -60.0, -25.1, -24.9, -3.0, 9.0, 60.0, 1e8):
        assert value("probit", score, 1.0) == pytest.approx(-log_ndtr(score), rel=1e-9, abs=1e-300)
        ratio = np.exp(norm.logpdf(score) - log_ndtr(score)) if score > -1e4 else -score
        assert gradient("probit", score, 1.0) == pytest.approx(-ratio, rel=1e-7, abs=1e-300)
