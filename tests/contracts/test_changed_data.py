"""Data that contradict themselves, or change while they are used: an error or a model, no crash."""

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy import FMRegressor, RelationalDesign

FORMATS = ("csr", "csc", "coo", "bsr")


def copied(arrays):
    return tuple(map(np.copy, arrays)) if isinstance(arrays, tuple) else arrays.copy()


def broken(format, seed=0):
    """Matrices of one format whose arrays contradict each other, by what is wrong."""
    rng = np.random.default_rng(seed)
    sound = sparse.random_array((6, 4), density=0.6, rng=rng, format="csr")

    def changed(**arrays):
        X = sound.asformat(format)
        if format == "bsr":
            X = sparse.bsr_array(sound, blocksize=(2, 2))
        for name, change in arrays.items():
            setattr(X, name, change(copied(getattr(X, name))))
        return X

    def at(place, value):
        def change(array):
            array[place] = value
            return array

        return change

    def as_floats(array):
        array = array.astype(float)
        array[1] = np.nan
        return array

    if format == "coo":
        for value in (2**30, -(2**30), 6, -1):
            yield changed(coords=lambda c, v=value: (c[0], at(2, v)(c[1].copy())))
            yield changed(coords=lambda c, v=value: (at(2, v)(c[0].copy()), c[1]))
        yield changed(data=lambda data: np.ones(2**16))
        yield changed(coords=lambda c: (as_floats(c[0]), c[1]))
        return
    for value in (2**30, -(2**30), 6, -1):
        yield changed(indices=at(1, value))
    for place, value in ((0, 1), (1, 2**30), (2, -5), (-1, 2**30)):
        yield changed(indptr=at(place, value))
    yield changed(indptr=lambda indptr: indptr[:-1])
    yield changed(indices=lambda indices: indices[:-1])
    yield changed(data=lambda data: data[:-1])
    yield changed(indptr=as_floats)
    yield changed(indices=as_floats)
    yield changed(indptr=lambda indptr: np.tile(indptr[:, None], 2))


BROKEN = [(format, number) for format in FORMATS for number in range(len(list(broken(format))))]


def matrix_of(case):
    format, number = case
    return list(broken(format))[number]


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_a_matrix_that_contradicts_itself_is_refused(case):
    y = np.arange(6.0)
    with pytest.raises(ValueError, match="X"):
        FMRegressor(2, max_iter=1).fit(matrix_of(case), y)
    model = FMRegressor(2, max_iter=1).fit(np.eye(6, 4), y)
    with pytest.raises(ValueError, match="X"):
        model.predict(matrix_of(case))


@pytest.mark.parametrize("case", BROKEN, ids=str)
@pytest.mark.parametrize("row_index", [None, np.array([0, 5, 1])])
def test_a_block_that_contradicts_itself_is_refused(case, row_index):
    with pytest.raises(ValueError, match="Block 1: "):
        RelationalDesign([(np.ones((6 if row_index is None else 3, 2)), None),
                          (matrix_of(case), row_index)])  # fmt: skip


def test_blocks_of_no_size():
    X = sparse.bsr_array(np.eye(4), blocksize=(2, 2))
    X.data = np.zeros((2, 0, 2))
    with pytest.raises(ValueError, match="which do not fill"):
        FMRegressor(2).fit(X, np.arange(4.0))


# Relational designs -------------------------------------------------------------------------------


def design():
    rng = np.random.default_rng(0)
    blocks = [sparse.random_array((8, 5), density=0.5, rng=rng, format="csr") for _ in range(2)]
    own = sparse.random_array((30, 3), density=0.5, rng=rng, format="csr")
    return RelationalDesign(
        [(blocks[0], rng.integers(0, 8, 30)), (own, None), (blocks[1], rng.integers(0, 8, 30))]
    )


CHANGES = {
    "columns": lambda matrix: matrix.indices.__setitem__(1, 2**30),
    "a negative column": lambda matrix: matrix.indices.__setitem__(1, -(2**30)),
    "offsets": lambda matrix: matrix.indptr.__setitem__(1, 2**30),
    "falling offsets": lambda matrix: matrix.indptr.__setitem__(2, -7),
    "the last offset": lambda matrix: matrix.indptr.__setitem__(-1, 2**30),
    "fewer rows": lambda matrix: matrix.resize(2, 5),
    "more columns": lambda matrix: matrix.resize(8, 90),
    "no values": lambda matrix: setattr(matrix, "data", matrix.data[:1]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("block", [0, 1])
@pytest.mark.parametrize("solver", ["adagrad", "als"])
def test_a_design_is_checked_whenever_it_is_used(change, block, solver):
    X, y = design(), np.arange(30.0)
    model = FMRegressor(2, solver=solver, max_iter=2, random_state=0).fit(X, y)
    expected = model.predict(X)
    np.testing.assert_array_equal(model.predict(design()), expected)
    change(X.blocks[block][0])
    for use in (
        lambda: X[:5], lambda: X[np.arange(30)], lambda: X[np.ones(30, bool)], X.tocsr,
        lambda: model.fit(X, y), lambda: model.predict(X),
        lambda: FMRegressor(2, early_stopping=True).fit(X, y),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"[Bb]lock {block}"):
            use()
    np.testing.assert_array_equal(model.predict(design()), expected)


def test_a_design_cannot_be_changed():
    X = design()
    with pytest.raises(AttributeError):
        X.blocks.append((np.ones((8, 2)), None))
    with pytest.raises(AttributeError):
        X.blocks = ()
    with pytest.raises(AttributeError):
        X.shape = (10**9, 10**9)
    with pytest.raises(TypeError):
        X.blocks[0] = X.blocks[1]
    with pytest.raises(ValueError, match="read-only"):
        X.blocks[0][1][0] = 10**6
    index = np.zeros(4, dtype=np.int32)
    X = RelationalDesign([(np.ones((2, 3)), index)])
    index[:] = 10**6
    assert X.tocsr().shape == (4, 3)
    assert FMRegressor(2, solver="als", max_iter=1).fit(X, np.arange(4.0)).predict(X).shape == (4,)


def test_the_users_matrix_stays_as_it_is():
    """Also one that has to be sorted, and summed, and converted."""
    X = sparse.csr_array((np.array([1.0, 2.0, 0.0, 4.0]), [3, 0, 1, 3], [0, 4, 4]), (2, 5))
    before = [array.copy() for array in (X.data, X.indices, X.indptr)]
    FMRegressor(2, max_iter=1).fit(X, [0.0, 1.0]).predict(X)
    for array, then in zip((X.data, X.indices, X.indptr), before, strict=True):
        np.testing.assert_array_equal(array, then)
