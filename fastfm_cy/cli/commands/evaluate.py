"""``fastfm-cy evaluate``: how well a saved model predicts."""

import typer

from .. import options as opt
from ..data import rows_of, targets_of
from ..files import check_files
from ..metrics import metrics_of
from ..models import open_model
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
    task: opt.ModelTask = "auto",
    n_jobs: opt.Threads = None,
    json: opt.Json = False,
):
    """Compare a model's predictions with the targets."""
    check_files([model, *sources])
    machine = open_model(model, task).set_params(n_jobs=n_jobs)
    data = data_for_model(context, sources, machine, needs_target=True)
    y = targets_of(data, "The data")
    Reporter(json).facts(
        "metrics", {"rows": len(y)} | metrics_of(machine, rows_of(data, machine), y)
    )
