"""``fastfm-cy explain``: what a model's score of a row is made of."""

from typing import Annotated

import typer

from ...inspection import ExplanationDisplay
from ...inspection import explain as explain_row
from .. import options as opt
from ..data import matrix_of, names_of_features
from ..files import check_files
from ..models import open_model
from ..pictures import check_picture, new_picture, save_picture
from ..report import Reporter
from ..tables import data_for_model


def explain(
    context: typer.Context,
    model: opt.ModelFile,
    sources: opt.Sources,
    row: Annotated[int, typer.Option(min=0, help="Which row, from 0.")] = 0,
    top: Annotated[int, typer.Option(min=1, help="Largest terms to show.")] = 10,
    names: opt.Names = None,
    plot: opt.Plot = None,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    task: opt.ModelTask = "auto",
    json: opt.Json = False,
):
    """Take a model's score of a row apart: bias, linear terms, interactions."""
    check_files([model, *sources, names], [plot])
    if plot is not None:
        check_picture(plot)
    machine = open_model(model, task)
    data = data_for_model(context, sources, machine)
    if row >= data.X.shape[0]:
        raise ValueError(f"The data have {data.X.shape[0]} rows; there is no row {row}, from 0.")
    known = names_of_features(names, data, machine)
    found = explain_row(machine, matrix_of(data, machine), row, names=known)
    facts = {"row": row, "prediction": found.prediction, "score": found.score}
    if found.label is not None:
        facts["of_class"] = found.label
    if found.interval is not None:
        facts["score_low"], facts["score_high"] = found.interval
    facts["bias"] = found.intercept
    titles = {1: "linear_terms", 2: "pairs"}
    for order, value in found.orders.items():
        facts[titles.get(order, f"order_{order}")] = value
    reporter = Reporter(json)
    reporter.facts("score", facts)
    reporter.table("features", found.features.head(top))
    reporter.table("interactions", found.pairs.head(top))
    if plot is not None:
        figure, axes = new_picture(1, (7.0, 2.2 + 0.34 * min(top, found.features.n_rows)))
        ExplanationDisplay.from_explanation(found, n_steps=top, ax=axes[0])
        save_picture(figure, plot)
