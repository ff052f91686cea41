"""``fastfm-cy evaluate``: how well a saved model predicts."""

import typer

from .. import options as opt
from ..data import read_data, rows_of, targets_of, with_features
from ..files import check_files
from ..metrics import metrics_of
from ..models import open_model
from ..report import Reporter


def evaluate(
    context: typer.Context,
    model: opt.ModelFile,
    sources: opt.Sources,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    task: opt.ModelTask = "auto",
    n_jobs: opt.Threads = None,
    json: opt.Json = False,
):
    """Compare a model's predictions with the targets."""
    check_files([model, *sources])
    machine = open_model(model, task).set_params(n_jobs=n_jobs)
    data = with_features(read_data(context, sources), machine.n_features_in_, "The data")
    y = targets_of(data, "The data")
    Reporter(json).facts(
        "metrics", {"rows": len(y)} | metrics_of(machine, rows_of(data, machine), y)
    )
