"""Matrices that no kernel may see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastfm_cy import FMRegressor
from fastfm_cy.data.matrix_checks import check_structure


def csr(data=(1.0, 2.0, 3.0), indices=(0, 2, 1), indptr=(0, 2, 2, 3), shape=(3, 3), kind="csr"):
    """A matrix made by hand, past scipy's own checks."""
    X = getattr(sparse, f"{kind}_array")(shape)
    X.data, X.indices, X.indptr = map(np.array, (data, indices, indptr))
    return X


def fit(X):
    return FMRegressor(max_iter=1).fit(X, np.zeros(X.shape[0]))


def test_a_sound_matrix_passes():
    fit(csr())
    fit(csr(kind="csc"))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"indices": (0, 3, 1)}, r"column index 3 in row 0, but has only 3 columns \(0 to 2\)"),
        ({"indices": (0, 2, -1)}, r"column index -1 in row 2"),
        ({"indices": (0, 2**40, 1)}, r"column index 1099511627776 in row 0"),
        ({"indptr": (0, 2, 1, 3)}, r"indptr decreases at row 1"),
        ({"indptr": (1, 2, 2, 3)}, r"must start at 0 .* starts at 1"),
        ({"indptr": (0, 2, 3)}, r"have 4 entries for 3 rows; it has 3"),
        ({"indptr": (0, 2, 2, 9)}, r"indptr ends at 9, but X has 3 indices and 3 values"),
        ({"data": (1.0, 2.0)}, r"3 indices and 2 values"),
    ],
)
def test_broken_csr(broken, message):
    with pytest.raises(ValueError, match=message):
        fit(csr(**broken))


def test_broken_csc_and_bsr():
    with pytest.raises(ValueError, match="row index 7 in column 0, but has only 3 rows"):
        fit(csr(kind="csc", indices=(0, 7, 1)))
    blocks = sparse.bsr_array(np.arange(16.0).reshape(4, 4), blocksize=(2, 2))
    blocks.indices = np.array([0, 1, 0, 5], np.int32)
    with pytest.raises(ValueError, match="block column index 5 in block row 1"):
        fit(blocks)


def test_broken_coo():
    X = sparse.coo_matrix(np.eye(3))
    X.row = np.array([0, 1, 8], np.int32)
    with pytest.raises(ValueError, match="row index 8 at entry 2, but has only 3 rows"):
        fit(X)
    X = sparse.coo_matrix(np.eye(3))
    X.col = np.array([0, -1, 2], np.int32)
    with pytest.raises(ValueError, match="column index -1 at entry 1"):
        fit(X)


def test_broken_lil():
    X = sparse.lil_array(np.eye(3))
    X.rows[1] = [5]
    with pytest.raises(ValueError, match="column index 5 in row 1"):
        fit(X)


def test_predict_checks_too():
    model = fit(csr())
    with pytest.raises(ValueError, match="column index 3 in row 0"):
        model.predict(csr(indices=(0, 3, 1)))


@given(
    indptr=st.lists(st.integers(-3, 9), min_size=4, max_size=4),
    indices=st.lists(st.integers(-2, 5), max_size=6),
)
def test_random_arrays_are_refused_or_safe(indptr, indices):
    X = csr(np.ones(len(indices)), np.array(indices, np.int64), indptr)
    try:
        check_structure(X)
    except ValueError:
        return
    used = X.indices[: X.indptr[-1]]
    assert X.indptr[0] == 0
    assert (np.diff(X.indptr) >= 0).all()
    assert X.indptr[-1] <= len(indices)
    assert ((used >= 0) & (used < 3)).all()
    assert np.isfinite(fit(X).coef_).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["dense", "csr", "csc"])
def test_not_finite_values_are_located(value, kind):
    X = np.eye(4)
    X[2, 3] = value
    X = X if kind == "dense" else getattr(sparse, f"{kind}_array")(X)
    name = "NaN" if np.isnan(value) else "infinity"
    with pytest.raises(ValueError, match=rf"{name}.* at row 2, column 3"):
        fit(X)


def test_values_beyond_float32_are_located():
    X = np.eye(3)
    X[1, 2] = 1e39
    with pytest.raises(ValueError, match=r"too large for float32 at row 1, column 2.*float64"):
        fit(X)
    FMRegressor(dtype="float64", n_factors=0).fit(X * 1e-39, [0, 1, 2])


def test_sums_of_duplicates_beyond_float32_are_located():
    X = sparse.csr_array(
        (np.array([3e38, 3e38, 1.0], np.float32), [1, 1, 0], [0, 2, 3]), shape=(2, 2)
    )
    with pytest.raises(ValueError, match="too large for float32 at row 0, column 1"):
        fit(X)


@pytest.mark.parametrize("X", [np.eye(3) * 1j, sparse.csr_array(np.eye(3) * 1j)])
def test_complex_data(X):
    with pytest.raises(ValueError, match=r"[Cc]omplex"):
        fit(X)


def test_objects_are_located():
    X = np.eye(3).astype(object)
    fit(X)
    X[1, 2] = "red"
    with pytest.raises(ValueError, match=r"'red' \(X at row 1, column 2\)"):
        fit(X)
    X[1, 2] = {}
    with pytest.raises(TypeError, match=r"dict' \(X at row 1, column 2\)"):
        fit(X)


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((2, 2, 2)), sparse.coo_array(np.ones(3))])
def test_two_dimensions_only(X):
    with pytest.raises(ValueError, match=r"2D array|2-dimensional|<= 2"):
        fit(X)


def test_too_many_features():
    X = sparse.csr_array((np.ones(1), np.zeros(1, np.int64), [0, 1]), shape=(1, 2**31))
    with pytest.raises(ValueError, match=r"2147483648 features; at most 2147483647"):
        fit(X)


# Arrays of all formats, each replaced by all that it must not be --------------------------------

INDEX_ARRAYS = [
    *((kind, name) for kind in ("csr", "csc", "bsr") for name in ("indptr", "indices")),
    *(("coo", name) for name in ("row", "col")), ("dia", "offsets"),
]  # fmt: skip
NO_INDICES = {
    "NaN": lambda a: np.where(np.arange(len(a)) == 1, np.nan, a),
    "fractions": lambda a: a + 0.5,
    "infinity": lambda a: np.full(len(a), np.inf),
    "floats": lambda a: a.astype(float),
    "objects": lambda a: a.astype(object),
    "bools": lambda a: a.astype(bool),
    "two axes": lambda a: a[:, None],
    "no axis": lambda a: np.array(3),
    "a list": lambda a: a.tolist(),
    "None": lambda a: None,
}


def random_matrix(kind):
    return sparse.random_array((6, 4), density=0.5, format=kind, rng=0, dtype=np.float32)


@pytest.mark.parametrize(("kind", "name"), INDEX_ARRAYS)
@pytest.mark.parametrize("what", NO_INDICES)
def test_what_are_no_indices(kind, name, what):
    X = random_matrix(kind)
    array = NO_INDICES[what](getattr(X, name))
    if kind == "coo":
        X.coords = (array, X.col) if name == "row" else (X.row, array)
    else:
        setattr(X, name, array)
    with pytest.raises(ValueError, match=rf"X\.{name} must (hold integers|be an array)"):
        fit(X)


@pytest.mark.parametrize(
    "shape", [(3, 0, 2), (3, 2, 0), (3, 0, 0), (3, 4, 1), (3, 5, 5), (3,), (3, 4)]
)
def test_blocks_that_do_not_fill_the_matrix(shape):
    X = sparse.bsr_array(np.eye(6, 4, dtype=np.float32), blocksize=(2, 2))
    X.data = np.ones(shape, np.float32)
    with pytest.raises(ValueError, match=r"blocks of .* do not fill|X\.data must be an array"):
        fit(X)


def alterations():
    """(name, matrix) whose lists, keys or diagonals make no sense."""
    for value in (np.nan, "x", -1, 100, None, 2**40):
        X = random_matrix("lil")
        X.rows[0], X.data[0] = [value], [1.0]
        yield f"lil, column {value}", X
    for name, change in {
        "lil, more columns than values": lambda X: X.rows.__setitem__(0, [0, 1, 2, 3]),
        "lil, no list": lambda X: X.rows.__setitem__(0, None),
        "lil, a word": lambda X: (X.rows.__setitem__(0, [0]), X.data.__setitem__(0, ["x"])),
        "lil, fewer rows": lambda X: setattr(X, "rows", X.rows[:2]),
        "lil, fewer data": lambda X: setattr(X, "data", X.data[:2]),
        "dia, fewer offsets": lambda X: setattr(X, "offsets", X.offsets[:1]),
        "dia, fewer diagonals": lambda X: setattr(X, "data", X.data[:1]),
        "dia, one diagonal": lambda X: setattr(X, "data", X.data[0]),
        "dia, none": lambda X: setattr(X, "data", None),
        "coo, one array": lambda X: setattr(X, "coords", (X.row,)),
        "coo, fewer rows": lambda X: setattr(X, "coords", (X.row[:2], X.col)),
        "coo, fewer data": lambda X: setattr(X, "data", X.data[:2]),
        "csr, data of two axes": lambda X: setattr(X, "data", X.data[:, None]),
        "csc, data of two axes": lambda X: setattr(X, "data", X.data[:, None]),
        "csr, no data": lambda X: setattr(X, "data", None),
    }.items():
        X = random_matrix(name[:3])
        change(X)
        yield name, X
    for key in ((100, 0), (-1, 0), (0, 100), ("a", 0), (np.nan, 0), (2**40, 0)):
        X = random_matrix("dok")
        X._dict[key] = 1.0
        yield f"dok, {key}", X


@pytest.mark.parametrize(
    ("name", "X"), list(alterations()), ids=[name for name, _ in alterations()]
)
def test_matrices_that_contradict_themselves(name, X):
    with pytest.raises(ValueError, match=r"."):
        fit(X)
