"""``fastfm-cy evaluate``: how well a saved model predicts."""

from typing import Annotated

import typer

from ...estimators.recommender import FMRecommender
from .. import options as opt
from ..data import rows_of, targets_of
from ..files import check_files
from ..metrics import metrics_of
from ..models import open_model
from ..ranking import RANKING, evaluate_recommender, interactions_of, query_of
from ..report import Reporter
from ..tables import data_for_model


def evaluate(
    context: typer.Context,
    model: opt.ModelFile,
    sources: opt.Sources,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    missing: opt.Missing = None,
    no_weights: opt.NoWeights = False,
    top: Annotated[int, typer.Option(min=1, help="Of a recommender: length of the lists.")] = 10,
    task: opt.ModelTask = "auto",
    n_jobs: opt.Threads = None,
    json: opt.Json = False,
):
    """Compare a model's predictions with the targets."""
    check_files([model, *sources])
    machine = open_model(model, task).set_params(n_jobs=n_jobs)
    if isinstance(machine, FMRecommender):
        known = machine.user_ids_, machine.item_ids_
        columns = interactions_of(sources, not no_weights, known)
        Reporter(json).facts("metrics", evaluate_recommender(machine, columns, top))
        return
    data = data_for_model(context, sources, machine, needs_target=True)
    y = targets_of(data, "The data")
    if isinstance(machine, RANKING):
        found = {"ndcg": machine.score(rows_of(data, machine), y, query_of(data))}
    else:
        found = metrics_of(machine, rows_of(data, machine), y)
    Reporter(json).facts("metrics", {"rows": len(y)} | found)
