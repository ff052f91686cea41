"""xLearn's text models: linear models, factorization machines and field-aware ones.

bias: <w0>
i_0: <w of feature 0>                        one a line
v_0: <v of feature 0, factor 0> ...          of a factorization machine; or
v_0_1: <v of feature 0 for field 1> ...      of a field-aware one, fields ascending
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ...exceptions import ModelFileError
from .text import bad_line, line_of, parse_numbers, read_lines, text_written_aside
from .weights import FIELD_AWARE, PLAIN, Weights, estimator_of, weights_of

_LINE = re.compile(r"(bias|i_(\d+)|v_(\d+)(?:_(\d+))?): (.*)")


def read_xlearn_model(
    path: str | Path, *, task: str = "classification", classes: tuple = (0, 1),
    normalize: bool = False, **parameters: Any,
) -> Any:  # fmt: skip
    """Read a text model of xLearn (``setTXTModel``, ``-t``) as a fitted estimator.

    Parameters
    ----------
    path : path
    task : {"regression", "classification"}, default="classification"
        Which the file does not tell.
    classes : pair of labels, default=(0, 1)
        Of a classifier; the second is the positive class.
    normalize : bool, default=False
        Whether xLearn normalised the rows, as it does unless told not to (``disableNorm``,
        ``--no-norm``); it never does so for linear models. The estimator is then the last step of a
        pipeline, whose first does what xLearn does: a factorization machine's linear terms are
        divided by the length of the row, and its interactions by its fourth power; a
        field-aware machine does it itself (``normalize="l2"``).
    **parameters
        Of the estimator; of a field-aware machine, ``fields`` holds the field of each feature, or
        is left out if predictions are to give those of the entries (``predict(X, fields=)``).

    Returns
    -------
    FMRegressor, FMClassifier, FFMRegressor or FFMClassifier, or a Pipeline

    Raises
    ------
    ModelFileError
        If the file is no model of xLearn, with the line where that shows.
    """
    weights = _read(path)
    if weights.is_field_aware:
        parameters |= {
            "n_fields": weights.factors.shape[1],
            "normalize": "l2" if normalize else None,
        }
    is_normalized = normalize and not weights.is_field_aware and weights.factors.shape[1] > 0
    model = estimator_of(
        task, _doubled(weights) if is_normalized else weights, classes=classes, y_range=None,
        **parameters,
    )  # fmt: skip
    if not is_normalized:
        return model
    return make_pipeline(FunctionTransformer(_doubled_rows, accept_sparse=True), model)


def _read(path):
    lines = read_lines(path)
    matches = [_LINE.fullmatch(line) for line in lines]
    if None in matches:
        number = matches.index(None)
        raise bad_line(path, number + 1, lines[number], "'bias: w0', 'i_0: w' or 'v_0: v v ...'")
    n_features = sum(match[2] is not None for match in matches)
    n_vectors = sum(match[3] is not None for match in matches)
    n_fields = sum(match[3] == "0" for match in matches if match[4])
    names = _names(n_features, n_vectors, n_fields)  # only as many as there are lines are made
    for number, (match, name) in enumerate(zip(matches, names, strict=False)):
        if match[1] != name:
            raise bad_line(path, number + 1, lines[number], f"{name!r}")
    n_expected = 1 + n_features + (n_vectors > 0) * n_features * max(1, n_fields)
    if len(matches) != n_expected:
        raise ModelFileError(
            f"{path} has {len(matches)} lines where {n_expected} are expected; it may be truncated."
        )
    values = [match[5] for match in matches]
    linear = parse_numbers(path, values[: 1 + n_features], 1, 1)[:, 0]
    vectors = values[1 + n_features :]
    factors = np.zeros((n_features, 0))
    if vectors:
        factors = parse_numbers(path, vectors, 2 + n_features, len(vectors[0].split()))
    if n_fields:
        factors = factors.reshape(n_features, n_fields, -1)
    return Weights(linear[0], linear[1:], factors)


def _names(n_features, n_vectors, n_fields):
    """What the lines begin with, in order."""
    yield "bias"
    yield from (f"i_{i}" for i in range(n_features))
    if n_fields:
        yield from (f"v_{i}_{f}" for i in range(n_features) for f in range(n_fields))
    elif n_vectors:
        yield from (f"v_{i}" for i in range(n_features))


def _doubled(weights):
    """For the rows of _doubled_rows: linear weights first, then factors."""
    n_features, n_factors = weights.factors.shape
    nothing = np.zeros((n_features, n_factors))
    return Weights(
        weights.intercept,
        np.concatenate([weights.coef, np.zeros(n_features)]),
        np.concatenate([nothing, weights.factors]),
    )


def _doubled_rows(X):
    """[x / |x|, x / |x|^2], rows of zeros as they are."""
    X = sparse.csr_array(X, dtype=np.float64)
    squares = np.asarray(X.multiply(X).sum(axis=1)).ravel()
    squares[squares == 0] = 1
    scales = 1 / np.sqrt(squares), 1 / squares
    return sparse.hstack([sparse.diags_array(scale) @ X for scale in scales], format="csr")


def write_xlearn_model(model: Any, path: str | Path) -> None:
    """Write a fitted estimator as a text model of xLearn, in full precision.

    Parameters
    ----------
    model : FMRegressor, FMClassifier, FFMRegressor or FFMClassifier
        With one score a row, that is, at most two classes. ``n_factors=0`` gives a linear model.
    path : path
        Takes its place when it is whole.
    """
    kinds = FIELD_AWARE if type(model) in FIELD_AWARE.values() else PLAIN
    weights = weights_of(model, "A text model of xLearn", kinds)
    with text_written_aside(path) as file:
        print(f"bias: {weights.intercept!s}", file=file)
        file.writelines(f"i_{i}: {w!s}\n" for i, w in enumerate(weights.coef))
        if weights.is_field_aware:
            for (feature, field), _ in np.ndenumerate(weights.factors[..., 0]):
                line = line_of(weights.factors[feature, field])
                print(f"v_{feature}_{field}: {line}", file=file)
        elif weights.factors.shape[1]:
            file.writelines(f"v_{i}: {line_of(v)}\n" for i, v in enumerate(weights.factors))
