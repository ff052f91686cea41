"""Native model files: ``save_model`` and ``load_model``.

A file holds the name of the estimator's class, its parameters and its fitted attributes (codec.py)
in a container (container.py). The class is looked up in the registry, never imported by name, and
only the attributes that schema.py lists are taken.
"""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...estimators.common import held_as_it_is
from ...estimators.registry import ESTIMATORS
from ...exceptions import ModelFileError
from ...utils.checks import check_bool
from .codec import decode, encode
from .container import read_container, write_container
from .schema import schema_of

_MOST_UNASKED = 1 << 20  # numbers of an array

# Whatever contents that contradict each other make Python say.
_NONSENSE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


def save_model(model: Any, path: str | Path, *, optimizer_state: bool = True) -> None:
    """Save a fitted estimator in one file, to be read by ``load_model``.

    The file takes its place when it is whole. What is in it decides predictions to the last bit
    and, with `optimizer_state`, how training goes on (``warm_start``, ``partial_fit``).

    Parameters
    ----------
    model : estimator
        A fitted estimator of this package. Of its parameters, functions (``scoring``) and
        generators (a RandomState as ``random_state``) are saved as None, with a warning.
    path : path
    optimizer_state : bool, default=True
        Whether to keep what only training needs: the solver's state beside each parameter (half of
        the file for "adagrad", more for "adam" and "ftrl"), or the state of a Bayesian chain, which
        cannot go on without it. Gradient solvers then start from fresh state.

    Raises
    ------
    TypeError
        If the model, a parameter or its labels are of a type that files cannot hold.
    OSError
        If the file cannot be written; what was there before is still there.

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.io import load_model, save_model
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(random_state=0).fit(data.X, data.y)
    >>> save_model(model, "ratings.fm")  # doctest: +SKIP
    >>> model = load_model("ratings.fm", mmap=True)  # doctest: +SKIP
    """
    with held_as_it_is(model) as now:
        write_container(path, *_contents(now, check_bool(optimizer_state, "optimizer_state")))


def _contents(model, optimizer_state):
    """The header and the arrays of a model's file."""
    schema = schema_of(model)
    check_is_fitted(model)
    parameters = {
        name: _plain(name, value)
        for name, value in model.get_params(False).items()
        if name not in schema.told_by_attributes
    }
    attributes = schema.stored(model)
    if not optimizer_state:
        attributes = schema.without_state(attributes)
    schema.check(model, attributes)
    arrays = []
    header = {"estimator": type(model).__name__, "fastfm_cy": version("fastfm_cy")}
    for part, values in (("parameters", parameters), ("attributes", attributes)):
        header[part] = {}
        for name, value in values.items():
            try:
                header[part][name] = encode(value, arrays)
            except TypeError as error:
                raise TypeError(f"{type(model).__name__}.{name} holds {error}") from None
    return header, arrays


def load_model(path: str | Path, *, mmap: bool = False, verify: bool = True) -> Any:
    """Load an estimator that ``save_model`` saved, by this version or an older one.

    Parameters
    ----------
    path : path
    mmap : bool, default=False
        Map the file into memory rather than read it: processes that predict from one file share
        its pages. Training on changes copies of the pages, never the file. If the file is cut
        while it is in use, weights that are gone are NaN, and predictions that use them raise
        DivergenceError; those in what is left of the last page (4 kB) read as 0.
    verify : bool, default=True
        Whether to compare all arrays with their checksums, which reads the whole file. If it is
        not, large arrays that are mapped are not looked at either; a number in them that is none
        makes the predictions that use it raise DivergenceError.

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
        If the file is of another kind, truncated, altered, or of a newer version.
    """
    header, arrays = read_container(
        path, mmap=check_bool(mmap, "mmap"), verify=check_bool(verify, "verify")
    )
    try:
        _check_finite(arrays, whole=verify or not mmap)
        estimator = ESTIMATORS[header["estimator"]].estimator
        parts = {
            part: {name: decode(code, arrays) for name, code in header[part].items()}
            for part in ("parameters", "attributes")
        }
        parameters = {name: _number(value) for name, value in parts["parameters"].items()}
        model = estimator(**parameters)
        schema = schema_of(model)
        for name, value in parts["attributes"].items():
            schema.attributes[name](value)
        schema.restore(model, parts["attributes"], mmap)
    except _NONSENSE as error:
        raise ModelFileError(
            f"{path} holds no model that this version knows: {_said(error)}."
        ) from error
    return model


def _check_finite(arrays, *, whole):
    """Refuse numbers that are none; of large arrays, only if the `whole` file is read anyway."""
    for number, array in enumerate(arrays):
        if array.dtype.kind != "f" or not (whole or array.size <= _MOST_UNASKED):
            continue
        numbers = array.reshape(-1)
        for start in range(0, len(numbers), _MOST_UNASKED):
            if not np.isfinite(numbers[start : start + _MOST_UNASKED]).all():
                raise ValueError(f"array {number} holds NaN or infinity")


def _plain(name, value):
    """A parameter's value as files can hold it."""
    if callable(value) or isinstance(value, np.random.RandomState | np.random.Generator):
        warnings.warn(f"{name}={value!r} cannot be saved; the file has None.", stacklevel=3)
        return None
    is_array = hasattr(value, "__array__") and not isinstance(value, np.generic)
    return np.asarray(value) if is_array else value


def _number(value):
    """The number in an array without axes, which older versions wrote for NumPy's numbers."""
    return value[()] if isinstance(value, np.ndarray) and not value.ndim else value


def _said(error):
    return f"unknown name {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
