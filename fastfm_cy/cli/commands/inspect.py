"""``fastfm-cy inspect``: what is in a model or in data."""

import sys
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import numpy as np
import typer

from ...estimators.recommender import FMRecommender
from ...inspection import (
    EmbeddingDisplay,
    FieldInteractionsDisplay,
    HistoryDisplay,
    field_interactions,
    top_interactions,
)
from .. import options as opt
from ..data import describe, matrix_of, names_of_features, read_data
from ..files import STANDARD, check_files, is_folder
from ..models import is_model, open_model
from ..pictures import check_picture, new_picture, save_picture
from ..ranking import facts_of_recommender
from ..report import Reporter
from ..tables import data_for_model

_MOST = 50_000  # features whose pairs are all looked at


def inspect(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="FILE", help="A model, data, or - for data.")],
    top: Annotated[
        int, typer.Option(min=0, help="Largest weights, and strongest interactions, to show.")
    ] = 5,
    data: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Rows that say which interactions of a model count."),
    ] = None,
    names: opt.Names = None,
    plot: opt.Plot = None,
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
        for option, value in (("--data", data), ("--names", names), ("--plot", plot)):
            if value is not None:
                raise ValueError(f"{option} is for models; {path} is none.")
        reporter.facts("data", describe(read_data(context, [path])))
        return
    check_files([path, data, names], [plot])
    if plot is not None:
        check_picture(plot)
    model = open_model(path, task)
    reporter.facts("model", {"file": path, "bytes": Path(path).stat().st_size} | _facts(model))
    changed = {
        name: value for name, value in model.get_params().items()
        if _differs(value, type(model)().get_params()[name])
    }  # fmt: skip
    reporter.facts("parameters", {name: _short(value) for name, value in changed.items()})
    if not hasattr(model, "coef_"):  # a recommender, whose sides have weights of their own
        return
    rows = None
    if data is not None:
        rows = data_for_model(context, [data], model)
    names = names_of_features(names, rows, model)
    reporter.facts("largest weights", _largest(model, top, names))
    X = None if rows is None else matrix_of(rows, model)
    if top:
        _show_interactions(reporter, model, X, names, top)
    if plot is not None:
        _draw(model, X, names, plot)


def _show_interactions(reporter, model, X, names, top):
    """Of features and, where the model knows them, of fields."""
    if X is None and _needs_rows(model):
        print("interactions: give --data, rows in which to look for them", file=sys.stderr)
        return
    reporter.table("strongest interactions", top_interactions(model, top, X=X, names=names))
    if hasattr(model, "n_fields_"):
        reporter.table("interactions of fields", field_interactions(model, X=X).head(top))


def _needs_rows(model):
    """Whether only rows tell which features are of which field, or there are too many pairs."""
    has_fields = hasattr(model, "n_fields_")
    is_unknown = has_fields and (model.n_hash is not None or _has_fields_beside(model))
    return is_unknown or model.n_features_in_ > _MOST


def _has_fields_beside(model):
    return model.fields is None and model.n_features_in_ != model.n_fields_


def _draw(model, X, names, path):
    panels = []
    if model.history_:
        panels.append(lambda ax: HistoryDisplay.from_estimator(model, ax=ax))
    if hasattr(model, "n_fields_") and not (X is None and _needs_rows(model)):
        panels.append(lambda ax: FieldInteractionsDisplay.from_estimator(model, X, ax=ax))
    elif model.n_factors > 1:
        panels.append(lambda ax: EmbeddingDisplay.from_estimator(model, names=names, ax=ax))
    if not panels:
        raise ValueError("There is nothing to draw: the model has no history and no factors.")
    figure, axes = new_picture(len(panels), (6.4, 5.0))
    for draw, ax in zip(panels, axes, strict=True):
        draw(ax)
    save_picture(figure, path)


def _facts(model):
    facts = {
        "estimator": type(model).__name__, "factors": model.n_factors, "epochs": model.n_iter_,
    }  # fmt: skip
    if isinstance(model, FMRecommender):
        facts |= facts_of_recommender(model)
    elif hasattr(model, "encoder_"):
        facts |= {"columns": int(model.n_features_in_), "features": len(model.encoder_.fields_)}
    else:
        facts["features"] = int(model.n_features_in_)
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


def _largest(model, top, names):
    """Linear weights by their features' names, the largest first."""
    weights = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    size = np.abs(np.atleast_2d(weights)).max(axis=0)
    features = np.argsort(-size, kind="stable")[:top]
    if hasattr(model, "encoder_"):
        names = model.encoder_.get_feature_names_out()
    elif names is None or len(names) != len(size):  # of hashed features
        names = getattr(model, "feature_names_in_", np.arange(len(size)))
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
