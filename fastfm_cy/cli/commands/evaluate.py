"""``fastfm-cy evaluate``: how well a saved model predicts."""

from typing import Annotated

import typer

from ...estimators.recommender import FMRecommender
from .. import options as opt
from ..data import read_data, rows_of, targets_of, with_features
from ..files import check_files
from ..metrics import metrics_of
from ..models import open_model
from ..ranking import RANKING, evaluate_recommender, interactions_of, query_of
from ..report import Reporter


def evaluate(
    context: typer.Context,
    model: opt.ModelFile,
    sources: opt.Sources,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
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
    data = with_features(read_data(context, sources), machine.n_features_in_, "The data")
    y = targets_of(data, "The data")
    if isinstance(machine, RANKING):
        found = {"ndcg": machine.score(rows_of(data, machine), y, query_of(data))}
    else:
        found = metrics_of(machine, rows_of(data, machine), y)
    Reporter(json).facts("metrics", {"rows": len(y)} | found)
