"""libffm's models: text (before version 1.21) and binary.

Text:

    n 4                    features
    m 2                    fields
    k 3                    factors
    normalization 1        whether rows are scaled to unit length
    w0,0 0.1 0.2 0.3       of feature 0 for field 0; fields, then features ascending

Binary, little endian: int32 n, m, k; one byte, the normalization; then for each feature and field
blocks of four weights and their four sums of squared gradients (from 1), float32, until there are
k. The weights that fill the last block are 0.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ...exceptions import ModelFileError
from ..outputs import model_written_aside
from .text import bad_line, line_of, parse_numbers, read_lines, text_written_aside
from .weights import FIELD_AWARE, Weights, estimator_of, weights_of

_HEADER = struct.Struct("<iiiB")
_FOUR = 4
_NAMES = ("n", "m", "k", "normalization")
_COUNT = re.compile(r"[0-9]{1,10}")
_TEXT = re.compile(rb"n [0-9]+\r?\nm [0-9]")


def read_libffm_model(
    path: str | Path, *, fields: Any = None, classes: tuple = (0, 1), **parameters: Any
) -> Any:
    """Read a model of libffm, of any version, as a fitted estimator.

    Parameters
    ----------
    path : path
    fields : int array of shape (n_features,) or None, default=None
        The field of each feature, which the file does not tell; with None, predictions want the
        fields of the entries (``predict(X, fields=)``), as ``read_libffm`` reads them.
    classes : pair of labels, default=(0, 1)
        The second is the positive class.
    **parameters
        Of the estimator, such as ``warm_start=True`` to train on. AdaGrad goes on with the state in
        the file, if it is binary.

    Returns
    -------
    FFMClassifier

    Raises
    ------
    ModelFileError
        If the file is no model of libffm.
    """
    with open(path, "rb") as file:
        is_text = file.read(2) == b"n "
    weights, normalizes = _read_text(path) if is_text else _read_binary(path)
    return estimator_of(
        "classification", weights, classes=classes, y_range=None, fields=fields,
        n_fields=weights.factors.shape[1], normalize="l2" if normalizes else None,
        fit_intercept=False, fit_linear=False, **parameters,
    )  # fmt: skip


def begins_libffm_model(beginning, n_bytes):
    """Whether a file of `n_bytes` that begins so is a model of libffm.

    The binary form has no mark; but its length follows from its first numbers.
    """
    if _TEXT.match(beginning):
        return True
    if len(beginning) < _HEADER.size:
        return False
    n, m, k, normalizes = _HEADER.unpack_from(beginning)
    return min(n, m, k) > 0 and normalizes <= 1 and n_bytes == _binary_size(n, m, k)


def _binary_size(n, m, k):
    return _HEADER.size + n * m * -(-k // _FOUR) * 2 * _FOUR * 4


def _read_text(path):
    lines = read_lines(path)
    header = []
    for number, name in enumerate(_NAMES):
        line = lines[number] if number < len(lines) else ""
        first, _, count = line.partition(" ")
        if first != name or not _COUNT.fullmatch(count.strip()):
            raise bad_line(path, number + 1, line, f"{name!r} and a number")
        header.append(int(count))
    n, m, k, normalizes = header
    if len(lines) - len(_NAMES) != n * m or not n * m * k:
        raise ModelFileError(
            f"{path} has {len(lines) - len(_NAMES)} lines of weights; its header tells of {n} "
            f"features and {m} fields, with {k} factors. It may be truncated."
        )
    vectors = []
    for place, line in enumerate(lines[len(_NAMES) :]):
        name, _, numbers = line.partition(" ")
        if name != f"w{place // m},{place % m}":
            raise bad_line(path, place + 5, line, f"'w{place // m},{place % m}'")
        vectors.append(numbers)
    factors = parse_numbers(path, vectors, len(_NAMES) + 1, k).reshape(n, m, k)
    return Weights(0.0, np.zeros(n), factors), bool(normalizes)


def _read_binary(path):
    with open(path, "rb") as file:
        header = file.read(_HEADER.size)
        n_bytes = os.fstat(file.fileno()).st_size
        if len(header) < _HEADER.size:
            raise ModelFileError(f"{path} is no model of libffm: it ends after {n_bytes} bytes.")
        n, m, k, normalizes = _HEADER.unpack(header)
        if min(n, m, k) < 1 or normalizes > 1 or n_bytes != _binary_size(n, m, k):
            raise ModelFileError(
                f"{path} is no model of libffm, or truncated or altered: its header tells of {n} "
                f"features, {m} fields and {k} factors, which is not what {n_bytes} bytes hold."
            )
        numbers = np.fromfile(file, "<f4")
    n_blocks = -(-k // _FOUR)
    blocks = numbers.reshape(n, m, n_blocks, 2, _FOUR)
    factors, squares = (
        blocks[:, :, :, slot].reshape(n, m, n_blocks * _FOUR)[..., :k] for slot in (0, 1)
    )
    if not np.isfinite(numbers).all() or (squares < 1).any():
        raise ModelFileError(f"{path} holds weights that are not finite, or wrong sums of squares.")
    return Weights(0.0, np.zeros(n), factors, squares), bool(normalizes)


def write_libffm_model(model: Any, path: str | Path, *, text: bool = False) -> None:
    """Write a fitted estimator as a model of libffm.

    Parameters
    ----------
    model : FFMClassifier or FFMRegressor
        With one score a row, and neither bias nor linear weights, which libffm does not know.
    path : path
        Takes its place when it is whole.
    text : bool, default=False
        Whether to write the text of versions before 1.21, in full precision, or the binary form,
        in float32 and with the state of AdaGrad.
    """
    weights = weights_of(model, "A model of libffm", FIELD_AWARE)
    if weights.intercept or weights.coef.any():
        raise ValueError(
            "libffm knows neither bias nor linear weights; fit with fit_intercept=False and "
            "fit_linear=False."
        )
    if not model._fitted.table.family.same_field:
        raise ValueError("libffm counts pairs of one field, too; fit with same_field=True.")
    normalizes = model._fitted.inputs.normalize is not None
    (_write_text if text else _write_binary)(path, weights, normalizes)


def _write_text(path, weights, normalizes):
    with text_written_aside(path) as file:
        for name, count in zip(_NAMES, (*weights.factors.shape, int(normalizes)), strict=True):
            print(name, count, file=file)
        for (feature, field), _ in np.ndenumerate(weights.factors[..., 0]):
            print(f"w{feature},{field}", line_of(weights.factors[feature, field]), file=file)


def _write_binary(path, weights, normalizes):
    n, m, k = weights.factors.shape
    n_blocks = -(-k // _FOUR)
    padded = np.zeros((2, n, m, n_blocks * _FOUR), dtype="<f4")
    padded[1] = 1
    padded[0, ..., :k] = weights.factors
    if weights.squares is not None:
        padded[1, ..., :k] = np.maximum(weights.squares, 1)  # 0 where training never came
    blocks = padded.reshape(2, n, m, n_blocks, _FOUR).transpose(1, 2, 3, 0, 4)
    with model_written_aside(path) as file:
        file.write(_HEADER.pack(n, m, k, normalizes))
        file.write(np.ascontiguousarray(blocks).tobytes())
