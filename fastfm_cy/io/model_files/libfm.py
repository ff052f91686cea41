"""libFM's text models.

#global bias W0                  left out if there is no bias
<w0>
#unary interactions Wj           left out if there are no linear weights
<w of feature 0>                 one a line
#pairwise interactions Vj,f
<v of feature 0, factor 0> ...   a line a feature; empty lines if there are no factors
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...exceptions import ModelFileError
from .text import bad_line, lines_of, parse_numbers, read_lines, text_written_aside
from .weights import Weights, estimator_of, weights_of

_BIAS, _LINEAR, _FACTORS = (
    "#global bias W0", "#unary interactions Wj", "#pairwise interactions Vj,f",
)  # fmt: skip
_SECTIONS = (_BIAS, _LINEAR, _FACTORS)


def read_libfm_model(
    path: str | Path, *, task: str = "regression", classes: tuple = (-1, 1),
    y_range: tuple[float, float] | None = None, **parameters: Any,
) -> Any:  # fmt: skip
    """Read a model that libFM saved (``-save_model``) as a fitted estimator.

    Parameters
    ----------
    path : path
    task : {"regression", "classification"}, default="regression"
        libFM's ``-task``, which the file does not tell. Classification gives a ``FMClassifier``,
        whose probabilities are logistic, as those of libFM's SGD.
    classes : pair of labels, default=(-1, 1)
        Of a classifier; the second is the positive class.
    y_range : (low, high) or None, default=None
        Range of the training targets, to which libFM clips a regression's predictions; the file
        does not tell it, and None does not clip.
    **parameters
        Of the estimator, such as ``solver="sgd", warm_start=True`` to train on.

    Returns
    -------
    FMRegressor or FMClassifier

    Raises
    ------
    ModelFileError
        If the file is no model of libFM, with the line where that shows.
    """
    sections = _split(path, read_lines(path))
    first, lines = sections[_FACTORS]
    n_factors = len(lines[0].split()) if lines else 0
    factors = parse_numbers(path, lines, first, n_factors)
    intercept, coef = 0.0, np.zeros(len(lines))
    if _BIAS in sections:
        first, lines = sections[_BIAS]
        if len(lines) != 1:
            raise ModelFileError(f"{path}, line {first}: expected one bias, got {len(lines)}.")
        intercept = parse_numbers(path, lines, first, 1)[0, 0]
    if _LINEAR in sections:
        first, lines = sections[_LINEAR]
        coef = parse_numbers(path, lines, first, 1)[:, 0]
        if len(coef) != len(factors):
            raise ModelFileError(
                f"{path} has {len(coef)} linear weights, but {len(factors)} features with factors; "
                "it may be truncated."
            )
    return estimator_of(
        task, Weights(intercept, coef, factors), classes=classes, y_range=y_range,
        fit_intercept=_BIAS in sections, fit_linear=_LINEAR in sections, **parameters,
    )  # fmt: skip


def _split(path, lines):
    """The lines of each section, by its title: (number of its first line, lines)."""
    starts = [number for number, line in enumerate(lines) if line.startswith("#")]
    titles = [lines[start].rstrip() for start in starts]
    following = _SECTIONS
    for start, title in zip(starts, titles, strict=True):
        if title not in following or starts[0] != 0:
            raise bad_line(path, start + 1, lines[start], f"a section such as {_BIAS!r}")
        following = following[following.index(title) + 1 :]
    if _FACTORS not in titles:
        raise ModelFileError(f"{path} has no section {_FACTORS!r}; it may be truncated.")
    ends = [*starts[1:], len(lines)]
    return {
        title: (start + 2, lines[start + 1 : end])
        for title, start, end in zip(titles, starts, ends, strict=True)
    }


def write_libfm_model(model: Any, path: str | Path) -> None:
    """Write a fitted estimator as a text model of libFM (``-load_model``), in full precision.

    libFM wants the same ``-dim`` when it loads the file: bias, linear weights and factors as in
    the estimator. It cannot load models of one factor, so a second one of zeros is added to those.

    Parameters
    ----------
    model : FMRegressor or FMClassifier
        With one score a row, that is, at most two classes.
    path : path
        Takes its place when it is whole.
    """
    weights = weights_of(model, "A model of libFM")
    factors = weights.factors
    if factors.shape[1] == 1:
        factors = np.pad(factors, ((0, 0), (0, 1)))
    with text_written_aside(path) as file:
        if model.fit_intercept or weights.intercept:
            file.write(f"{_BIAS}\n{weights.intercept!s}\n")
        if model.fit_linear or weights.coef.any():
            file.write(f"{_LINEAR}\n{lines_of(weights.coef[:, None])}")
        file.write(f"{_FACTORS}\n{lines_of(factors)}")
