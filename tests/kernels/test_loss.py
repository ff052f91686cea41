import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.losses import GRADIENTS, LOSSES

from fastfm_cy._losses import CLASSIFICATION, REGRESSION
from fastfm_cy.kernels import loss

CODES = {name: entry.code for name, entry in (REGRESSION | CLASSIFICATION).items()}
TARGETS = {name: (-1.0, 1.0) if name in CLASSIFICATION else (-3.0, 0.0, 2.5) for name in CODES}
CASES = [(name, y) for name in CODES for y in TARGETS[name]]


def value(name, score, y):
    return loss.values_and_gradients(CODES[name], np.array([score]), np.array([y]))[0][0]


def gradient(name, score, y):
    return loss.values_and_gradients(CODES[name], np.array([score]), np.array([y]))[1][0]


def test_every_loss_has_a_reference():
    assert set(CODES) == set(LOSSES) == set(GRADIENTS)


@pytest.mark.parametrize(("name", "y"), CASES)
@given(score=st.floats(-30, 30))
def test_value_and_gradient_equal_the_textbook(name, y, score):
    assert value(name, score, y) == pytest.approx(LOSSES[name](score, y), rel=1e-9, abs=1e-12)
    assert gradient(name, score, y) == pytest.approx(GRADIENTS[name](score, y), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("name", "y"), CASES)
@given(score=st.floats(-30, 30))
def test_gradient_equals_finite_difference(name, y, score):
    step = 1e-6
    if abs(y * score - 1) < 10 * step:
        score += 0.1  # beside the kink of the hinge losses
    difference = (value(name, score + step, y) - value(name, score - step, y)) / (2 * step)
    assert gradient(name, score, y) == pytest.approx(difference, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(("name", "y"), CASES)
@pytest.mark.parametrize("score", [-1e4, 1e4, -1e300, 1e300])
def test_far_scores_do_not_overflow(name, y, score):
    assert np.isfinite(gradient(name, score, y))
    if name in ("log_loss", "hinge") or abs(score) < 1e5:
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
        loss.values_and_gradients(CODES["log_loss"], np.zeros(2), np.ones(1))
