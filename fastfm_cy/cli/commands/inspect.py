"""``fastfm-cy inspect``: what is in a model or in data."""

from pathlib import Path
from textwrap import shorten
from typing import Annotated

import numpy as np
import typer

from .. import options as opt
from ..data import describe, read_data
from ..files import STANDARD, is_folder
from ..models import is_model, open_model
from ..report import Reporter


def inspect(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="FILE", help="A model, data, or - for data.")],
    top: Annotated[int, typer.Option(min=0, help="Features with the largest weights to show.")] = 5,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    task: opt.ModelTask = "regression",
    json: opt.Json = False,
):
    """Describe a model or data."""
    reporter = Reporter(json)
    if path == STANDARD or is_folder(path) or not is_model(path):
        reporter.facts("data", describe(read_data(context, [path])))
        return
    model = open_model(path, task)
    reporter.facts("model", {"file": path, "bytes": Path(path).stat().st_size} | _facts(model))
    changed = {
        name: value for name, value in model.get_params().items()
        if _differs(value, type(model)().get_params()[name])
    }  # fmt: skip
    reporter.facts("parameters", {name: _short(value) for name, value in changed.items()})
    reporter.facts("largest weights", _largest(model, top))


def _facts(model):
    facts = {
        "estimator": type(model).__name__, "features": int(model.n_features_in_),
        "factors": model.n_factors, "epochs": model.n_iter_,
    }  # fmt: skip
    if hasattr(model, "encoder_"):
        facts |= {"columns": facts["features"], "features": len(model.encoder_.fields_)}
    if hasattr(model, "classes_"):
        facts["classes"] = ", ".join(map(str, model.classes_[:10].tolist()))
    if hasattr(model, "n_samples_"):
        facts["samples"] = model.n_samples_
    if hasattr(model, "sparsity_"):
        facts |= {f"zeros_in_{name}": float(share) for name, share in model.sparsity_.items()}
    for name, numbers in model.history_.items():
        if numbers and name != "seconds":
            facts[f"last_{name}"] = float(numbers[-1])
    return facts


def _largest(model, top):
    """Linear weights by their features' names, the largest first."""
    weights = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    size = np.abs(np.atleast_2d(weights)).max(axis=0)
    features = np.argsort(-size, kind="stable")[:top]
    names = getattr(model, "feature_names_in_", np.arange(len(size)))
    if hasattr(model, "encoder_"):
        names = model.encoder_.get_feature_names_out()
    return {str(names[i]): _short(np.atleast_2d(weights)[:, i]) for i in features}


def _differs(value, default):
    return not np.array_equal(np.asarray(value, dtype=object), np.asarray(default, dtype=object))


def _short(value):
    """A value in few words."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, int | float):
        return value
    return shorten(str(value), 80, placeholder="...")
