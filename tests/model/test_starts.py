"""Start values depend on their key and place only, and are those of their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import starts as reference
from scipy import sparse, stats
from support.strategies import DTYPES

from fastfm_cy import FFMRegressor, FMRegressor
from fastfm_cy.data.dataset import Dataset
from fastfm_cy.io import convert
from fastfm_cy.kernels import dispatch
from fastfm_cy.model.families import FFM, FM, HigherOrderFM
from fastfm_cy.model.starts import Starts, new_key
from fastfm_cy.model.table import ParameterTable

BITS = [  # of three features' four factors, key 42
    [0xBF785E5C, 0x3E46ACE8, 0xBF9E28D3, 0x3FF6433C],
    [0xBD95E033, 0x3E0E7A13, 0xBF8DA734, 0x3EA742FE],
    [0xBEAC8644, 0xBF04CCB7, 0x3E1821F2, 0xBF7EC66C],
]


def drawn(n_features, n_factors, key=1, *, dtype="float32", n_outputs=1, family=None, **options):
    table = ParameterTable(n_features, n_factors, dtype, n_outputs, (0.0,), family=family)
    table.start_key = key
    if table.has_started is not None:
        table.begin(np.arange(n_features))
    Starts(**{"scale": 1.0} | options).write(table)
    return table


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)  # fmt: skip
def test_the_definition_gives_the_known_answers_of_random123(counter, key, words):
    assert reference.philox(counter, key) == words


@pytest.mark.parametrize("build", dispatch.available_builds())
@given(
    key=st.integers(0, 2**64 - 1), first=st.integers(0, 2**32 - 30),
    n_factors=st.integers(0, 9), n_outputs=st.integers(1, 3), is_uniform=st.booleans(),
    dtype=st.sampled_from(DTYPES), family=st.sampled_from([FM(), HigherOrderFM(4), FFM(3)]),
)  # fmt: skip
def test_they_equal_their_definition(
    build, key, first, n_factors, n_outputs, is_uniform, dtype, family
):
    kernels, n_features = dispatch.load(build, "starts"), 23
    table = ParameterTable(n_features, n_factors, dtype, n_outputs, (1.0,), family=family)
    numbers = np.arange(first, first + n_features, dtype=np.uint32)
    scales = np.linspace(0.5, 2, family.n_vectors, dtype=np.float32)
    before = table.factors.copy()
    kernels.write(
        table.factors, key, is_uniform, scales, n_outputs, table.factor_blocks[0, 0].size,
        table.n_padded, n_factors, None, numbers, 0, n_features,
    )  # fmt: skip
    one = reference.uniform if is_uniform else reference.normal
    for (place, output, vector, factor), found in np.ndenumerate(table.vector_blocks):
        value = one(key, int(numbers[place]), factor, vector, output)
        assert found == pytest.approx(scales[vector] * value, rel=1e-6, abs=1e-6)
    table.vector_blocks[...] = 0  # all else, padding and state, is as it was
    assert np.array_equal(table.factors, before * (table.factors != 0) if n_factors else before)


def test_all_builds_draw_the_same_bits():
    found = []
    for build in dispatch.available_builds():
        table = ParameterTable(100_000, 8, "float32")
        scales = np.ones(1, dtype=np.float32)
        dispatch.load(build, "starts").write(
            table.factors, 5, False, scales, 1, 8, 8, 8, None, None, 0, 100_000
        )
        found.append(table.factors.tobytes())
    assert len(set(found)) == 1


def test_the_bits_are_those_of_every_machine():
    """From one of gcc and x86-64; no other may give others."""
    bits = drawn(3, 4, key=42).factor_vectors.view(np.uint32)
    assert bits.tolist() == BITS


@pytest.mark.parametrize("n_factors", [3, 16])
def test_moments(n_factors):
    values = drawn(400_000, n_factors).factor_vectors.ravel().astype(np.float64)
    n = values.size
    assert abs(values.mean()) < 4 / np.sqrt(n)
    assert abs(values.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(values)) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(values)) < 4 * np.sqrt(24 / n)
    assert stats.kstest(values[:200_000], "norm").pvalue > 1e-4
    assert 4.5 < np.abs(values).max() < 6.7


def test_uniform_values():
    values = drawn(100_000, 4, scale=3.0, is_uniform=True).factor_vectors.ravel()
    assert stats.kstest(values / 1.5, "uniform").pvalue > 1e-4  # 3 / sqrt(4)
    assert values.min() >= 0
    assert values.max() < 1.5


def test_neighbours_are_independent():
    """Of features, factors, vectors, outputs and keys."""
    table = drawn(60_000, 8, n_outputs=2, family=HigherOrderFM(3))
    other = drawn(60_000, 8, key=2, n_outputs=2, family=HigherOrderFM(3))
    v, w = table.vector_blocks, other.vector_blocks
    pairs = {
        "features": (v[1:], v[:-1]), "factors": (v[..., 1:], v[..., :-1]),
        "vectors": (v[:, :, 1], v[:, :, 0]), "outputs": (v[:, 1], v[:, 0]), "keys": (v, w),
    }  # fmt: skip
    for name, (a, b) in pairs.items():
        a, b = a.ravel().astype(float), b.ravel().astype(float)
        for x, y in ((a, b), (a**2, b**2), (np.abs(a), b)):
            assert abs(np.corrcoef(x, y)[0, 1]) < 4.5 / np.sqrt(a.size), name


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("n_factors", [0, 1, 5, 16])
def test_threads_dtypes_growth_and_order_do_not_matter(n_factors, n_outputs, monkeypatch):
    kind = {"n_outputs": n_outputs, "scale": 0.1}
    whole = drawn(3000, n_factors, **kind)
    monkeypatch.setattr("fastfm_cy.utils.threads._WORK_A_THREAD", 1)
    assert np.array_equal(whole.factors, drawn(3000, n_factors, n_jobs=3, **kind).factors)
    exact = drawn(3000, n_factors, dtype="float64", **kind)
    assert np.array_equal(whole.vector_blocks, exact.vector_blocks)
    grown = drawn(1000, n_factors, **kind).grown(3000)
    Starts(0.1).write(grown, first=1000)
    assert np.array_equal(whole.factors, grown.factors)
    rows = np.random.default_rng(0).permutation(3000)
    scattered = whole.like(3000)
    Starts(0.1).write(scattered, rows[:2000])
    Starts(0.1).write(scattered, rows, first=2000)
    assert np.array_equal(whole.factors, scattered.factors)
    placed = whole.like(3000)
    Starts(0.1).write(placed, numbers=rows.astype(np.uint32))
    assert np.array_equal(whole.factors[rows], placed.factors)
    fewer = drawn(3000, max(0, n_factors - 1), **kind)  # of more factors the first are the same
    assert np.array_equal(whole.vector_blocks[..., : fewer.n_factors], fewer.vector_blocks)


def test_keys():
    keys = {new_key(np.random.default_rng(seed)) for seed in range(100)}
    assert len(keys) == 100
    assert max(keys) > 2**63  # all bits are used


# Fits --------------------------------------------------------------------------------------------


def start_of(model, **more):
    """The factors before training, in a callback of a fit that steps are too short to change."""
    return model.set_params(
        learning_rate=1e-30, l2_factors=0.0, l2_linear=0.0, max_iter=1, n_factors=3, **more
    )


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = (rng.random((300, 40)) < 0.2) * rng.normal(size=(300, 40))
    return X, rng.normal(size=300)


@pytest.mark.parametrize("solver", ["sgd", "adagrad"])
def test_all_fits_of_a_seed_start_the_same(data, solver, tmp_path):
    X, y = data

    def fitted(**more):
        return start_of(FMRegressor(solver=solver, random_state=3), **more)

    plain = fitted().fit(X, y).factors_
    assert plain.std() > 0
    for more in (
        {"n_jobs": 2}, {"relabel": True}, {"deterministic": True, "n_jobs": 2},
        {"early_stopping": True}, {"early_stopping": True, "refit": True}, {"dtype": "float64"},
    ):  # fmt: skip
        known = {name: value for name, value in more.items() if name in FMRegressor().get_params()}
        assert np.allclose(fitted(**known).fit(X, y).factors_, plain, rtol=1e-6), more
    assert np.allclose(fitted().fit(X, y, eval_set=(X, y)).factors_, plain, rtol=1e-6)
    dataset = convert(Dataset(X, y), tmp_path / "set")
    assert np.allclose(fitted().fit(dataset).factors_, plain, rtol=1e-6)
    # A stream that sees the later features later starts them as they would have started at first.
    stream = fitted(grow_features=True)
    for n in (10, 25, 40):
        stream.partial_fit(X[:, :n], y)
    assert np.allclose(stream.factors_, plain, rtol=1e-6)


@pytest.mark.parametrize("init", ["normal", "uniform"])
def test_features_that_start_late_start_the_same(init):
    rng = np.random.default_rng(0)
    X = (rng.random((200, 12)) < 0.3).astype(float)
    y, fields = rng.normal(size=200), np.arange(12) // 3
    kind = {"random_state": 0, "init": init, "fields": fields, "solver": "adagrad"}
    at_once = start_of(FFMRegressor(**kind)).fit(X, y)
    by_and_by, order = start_of(FFMRegressor(**kind)), [np.arange(6, 12), np.arange(6)]
    for features in order:
        part = np.zeros_like(X)
        part[:, features] = X[:, features]
        by_and_by.partial_fit(part, y)
    assert np.allclose(at_once.factors_, by_and_by.factors_, rtol=1e-6)


def test_hashed_models_with_gaps_start_as_those_without():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 6)), rng.normal(size=50)
    kind = {"random_state": 0, "solver": "sgd"}
    few = start_of(FMRegressor(**kind)).fit(X, y)
    wide = sparse.csr_array(np.pad(X, ((0, 0), (0, 1_000_000 - 6))))
    many = start_of(FMRegressor(**kind)).fit(wide, y)
    assert np.allclose(many.factors_[:6], few.factors_, rtol=1e-6)
