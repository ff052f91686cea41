"""``fastfm-cy predict``: predictions of a saved model, one a line."""

import sys
from contextlib import nullcontext
from typing import Annotated

import numpy as np
import typer
from sklearn.base import is_classifier

from ...estimators.recommender import FMRecommender
from ...io.outputs import written_aside
from .. import options as opt
from ..data import rows_of
from ..files import check_files
from ..models import open_model
from ..tables import data_for_model

_KINDS = {
    "value": "targets, or the probability of the second class (of each, if there are more)",
    "label": "labels",
    "score": "scores before any link",
    "std": "targets and their standard deviations (bayes)",
}


def predict(
    context: typer.Context,
    model: opt.ModelFile,
    sources: opt.Sources,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE", help="Where predictions go.")
    ] = "-",
    kind: Annotated[
        str, typer.Option(help="; ".join(f"{name}: {text}" for name, text in _KINDS.items()))
    ] = "value",
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    missing: opt.Missing = None,
    task: opt.ModelTask = "auto",
    n_jobs: opt.Threads = None,
):
    """Write a model's predictions of rows, which need no labels, one a line."""
    if kind not in _KINDS:
        raise ValueError(f"The kind must be one of {', '.join(_KINDS)}; got {kind!r}.")
    check_files([model, *sources], [out])
    machine = open_model(model, task).set_params(n_jobs=n_jobs)
    if isinstance(machine, FMRecommender):
        raise ValueError(f"{model} is a recommender; fastfm-cy recommend asks it for items.")
    data = data_for_model(context, sources, machine)
    predictions = _predictions(machine, rows_of(data, machine), kind)
    target_file = nullcontext(sys.stdout.buffer) if out == "-" else written_aside(out)
    with target_file as file:
        write_lines(file, predictions)


def _predictions(model, X, kind):
    try:
        if kind == "std":
            return np.column_stack(model.predict(X, return_std=True))
        if kind == "score" and is_classifier(model):
            return model.decision_function(X)
        if kind == "value" and is_classifier(model) and hasattr(model, "predict_proba"):
            probabilities = model.predict_proba(X)
            return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
        if kind == "value" and is_classifier(model):
            return model.decision_function(X)
        return model.predict(X)
    except (TypeError, AttributeError) as error:
        raise ValueError(
            f"A {type(model).__name__} has no predictions of kind {kind!r}."
        ) from error


def write_lines(file, values):
    """Numbers with 9 digits, which float32 takes, or labels; columns separated by tabs."""
    values = np.asarray(values)
    rows = values[:, None] if values.ndim == 1 else values
    if rows.dtype.kind == "f":
        form = "\t".join(["%.9g"] * rows.shape[1]) + "\n"
        file.writelines((form % tuple(row)).encode() for row in rows.tolist())
    else:
        file.writelines(("\t".join(map(str, row)) + "\n").encode() for row in rows.tolist())
    file.flush()
