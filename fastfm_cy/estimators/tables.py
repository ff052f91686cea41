"""Tables with columns that are not numbers: encoded before anything else looks at them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from ..data.disk.dataset import DiskDataset
from ..data.field_matrix import FieldMatrix
from ..data.fields import WithFields
from ..data.relational import RelationalDesign
from ..exceptions import FileFormatError
from ..preprocessing import FieldEncoder
from ..preprocessing.encoder_file import read_encoder
from ..preprocessing.from_dtype import encoder_for, refuse_other_than_numbers
from ..preprocessing.plan import FROM_DTYPE
from ..utils.checks import shown

_NO_TABLES = (RelationalDesign, DiskDataset, WithFields)


def check_categorical_features(value: Any, name: str = "categorical_features") -> None:
    """ "from_dtype", or a list of names and positions."""
    if isinstance(value, str) and value == FROM_DTYPE:
        return
    keys = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
    if not isinstance(keys, list | tuple) or not all(map(_is_key, keys)):
        raise ValueError(
            f'{name} must be "{FROM_DTYPE}" or a list of columns, by name or position; got '
            f"{shown(value)}."
        )


def _is_key(value: Any) -> bool:
    return isinstance(value, str | Integral) and not isinstance(value, bool)


def encoder_of(estimator: Any) -> FieldEncoder:
    """FieldEncoder : what makes rows of tables; only if X had columns that are not numbers."""
    encoder = estimator._model_for("encoder_").encoder
    if encoder is None:
        raise AttributeError(
            f"{type(estimator).__name__} has no encoder_: all columns of X were numbers."
        )
    return encoder


def encoded_to_fit(
    estimator: BaseEstimator, X: Any, before: Any, *, is_chunk: bool = False, grows: bool = False
) -> tuple[FieldEncoder | None, Any]:
    """The encoder of a fit, or None if X is all numbers; and X as checks of matrices take it.

    Parameters
    ----------
    estimator : estimator
        Has the parameters, and forgets names of columns that rows do not have once encoded.
    X
        As the user gave it.
    before : FittedModel, FittedPosterior or None
        A model to go on with, whose encoder stays as it is.
    is_chunk : bool, default=False
        Whether more rows will come.
    grows : bool, default=False
        Whether a copy of that encoder learns what is new in X.
    """
    encoder = _encoder_to_fit(estimator, X) if before is None else before.encoder
    if encoder is None:
        if before is not None:
            refuse_table(X)
        return None, X
    if before is None:
        X = encoder.partial_fit(X).transform(X) if is_chunk else encoder.fit_transform(X)
    else:
        if grows:
            encoder = copy.deepcopy(encoder).partial_fit(X)
        X = encoded(estimator, X, encoder)
    vars(estimator).pop("feature_names_in_", None)
    return encoder, X


def _encoder_to_fit(estimator: BaseEstimator, X: Any) -> FieldEncoder | None:
    named = estimator.categorical_features
    if isinstance(X, _NO_TABLES):
        if not (isinstance(named, str) and named == FROM_DTYPE):
            raise TypeError(f"categorical_features takes a table; X is a {type(X).__name__}.")
        return None
    return encoder_for(X, named, dtype=estimator.dtype, n_jobs=estimator.n_jobs)


def encoded(estimator: BaseEstimator, X: Any, encoder: FieldEncoder | None, name: str = "X") -> Any:
    """X as checks of matrices take it: by a fitted model's encoder, if it has one.

    `estimator`, a copy that becomes what checks of the encoded rows need, says how many threads.
    """
    with _about(name):
        if encoder is None:
            refuse_table(X)
            return X
        vars(estimator).pop("feature_names_in_", None)
        if isinstance(X, FieldMatrix):  # some encoder's rows
            return X
        if sparse.issparse(X) or isinstance(X, _NO_TABLES):
            raise TypeError(
                f"The model encodes tables ({_listed(encoder)}), and X is a {type(X).__name__}. "
                "Give a table; of rows that are encoded, what encoder_.transform returns."
            )
        worker = copy.copy(encoder)
        worker.n_jobs = estimator.n_jobs
        return worker.transform(X)


def encoder_of_dataset(dataset: Any) -> FieldEncoder | None:
    """What made the rows of a data set on disk, if it was converted from a table."""
    if getattr(dataset, "encoder_file", None) is None:
        return None
    encoder = read_encoder(dataset.encoder_file)
    if len(encoder.fields_) != dataset.shape[1]:
        raise FileFormatError(
            f"{dataset.encoder_file} makes {len(encoder.fields_)} features, but the data set has "
            f"{dataset.shape[1]}: it was altered. Convert the data anew."
        )
    return encoder


def take_tables(estimator: Any, encoder: FieldEncoder) -> None:
    """Let a fitted estimator, which knows an encoder's rows, take tables from now on."""
    model, n_features = estimator._fitted, len(encoder.fields_)
    if model.n_features != n_features:
        raise ValueError(
            f"The encoder makes {n_features} features, but the model has {model.n_features}."
        )
    estimator._fitted = replace(model, encoder=encoder)
    estimator.__dict__.pop("feature_names_in_", None)
    vars(estimator).update(
        {name: value for name, value in vars(encoder).items() if name.endswith("_in_")}
    )


def refuse_table(X: Any) -> None:
    """Refuse a table with columns that are not numbers, where a model knows numbers alone."""
    if not isinstance(X, _NO_TABLES):
        refuse_other_than_numbers(X)


@contextmanager
def _about(name: str) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        if name == "X":
            raise
        raise type(error)(f"{name}: {error}") from error


def _listed(encoder: FieldEncoder) -> str:
    names = getattr(encoder, "feature_names_in_", None)
    if names is None:
        return f"{encoder.n_features_in_} columns"
    return ", ".join(map(repr, names[:5].tolist())) + (", ..." if len(names) > 5 else "")
