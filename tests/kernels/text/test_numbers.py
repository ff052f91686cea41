"""Numbers are those of Python's float(), to the last bit."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy.kernels.text import numbers

DIGITS = st.text("0123456789", max_size=25)
DECIMALS = st.builds(
    lambda sign, before, after, exponent: f"{sign}{before}.{after}{exponent}",
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    DIGITS,
    st.one_of(st.just(""), st.integers(-400, 400).map(lambda e: f"e{e}")),
)


def bits(value):
    return struct.pack("d", value)


def assert_as_python(text):
    parsed = numbers.parse(text.encode())
    try:
        expected = float(text)
    except ValueError:
        assert parsed is None
    else:
        assert bits(parsed) == bits(expected)


@given(DECIMALS)
def test_decimals(text):
    assert_as_python(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_shortest_texts_of_doubles(value):
    assert_as_python(repr(value))
    assert_as_python(f"{value:.20e}")


@given(st.integers(2**53, 2**64), st.integers(-30, 30))
def test_ties_and_their_neighbours(mantissa, exponent):
    assert_as_python(f"{mantissa | 1}e{exponent}")


def test_many_random_numbers():
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2**64, 20_000, dtype=np.uint64).view(np.float64)
    exponents = rng.integers(-345, 310, 20_000)
    mantissas = rng.integers(0, 2**63, 20_000) >> rng.integers(0, 62, 20_000)
    for value in patterns[np.isfinite(patterns)].tolist():
        assert_as_python(repr(value))
    for mantissa, exponent in zip(mantissas.tolist(), exponents.tolist(), strict=True):
        assert_as_python(f"{mantissa}e{exponent}")


@pytest.mark.parametrize(
    "text",
    [
        "0", "-0", "-0.0", "1.", "+.5", "9007199254740993", "1e22", "1e23", "8.5e22",
        "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9406564584124654e-324",
        "2e-324", "3e-324", "1.7976931348623157e308", "1.7976931348623159e308", "1e400", "-1e400",
        "1e-400", "0e99999999999999999999", "1e-99999999999999999999", "1E5", "1e+05",
        "0" * 60 + "1", "0." + "0" * 60 + "1", "1" * 400, "0.1" + "0" * 400 + "1",
        "179769313486231580793728971405301e276",
    ],
)  # fmt: skip
def test_corners(text):
    assert_as_python(text)


@pytest.mark.parametrize(
    "text", ["", "+", "-", ".", "e5", "1e", "1e+", "0x1", "nan", "inf", " 1", "1 ", "--1", "1,0"]
)
def test_what_is_no_number(text):
    assert numbers.parse(text.encode()) is None
