"""``fastfm-cy fit``: train a model on files and save it."""

from time import perf_counter
from typing import Annotated

import numpy as np
import typer

from ...estimators.tables import take_tables
from ...io import save_model
from .. import options as opt
from ..columns import Columns
from ..config import Config
from ..data import describe, matrix_of, rows_of, stays_on_disk, targets_of
from ..estimators import EstimatorChoice
from ..files import check_files
from ..metrics import metrics_of
from ..ranking import RANKING, describe_interactions, fit_ranker, fit_recommender, interactions_of
from ..report import Reporter
from ..tables import data_for, training_data


def fit(
    context: typer.Context,
    sources: opt.Sources,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="FILE", help="Where the model goes.")
    ],
    valid: Annotated[
        str | None, typer.Option(metavar="FILE", help="Data to validate on after each epoch.")
    ] = None,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    categorical: opt.Categorical = None,
    multi: opt.Multi = None,
    missing: opt.Missing = None,
    min_frequency: opt.MinFrequency = None,
    no_weights: opt.NoWeights = False,
    task: opt.Task = "auto",
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="Keep the epoch that validates best.")
    ] = False,
    metric: Annotated[
        str | None, typer.Option(help="A scikit-learn scorer to validate with, such as roc_auc.")
    ] = None,
    no_state: Annotated[
        bool, typer.Option("--no-state", help="Leave out what only more training needs.")
    ] = False,
    estimator: opt.Estimator = "fm",
    n_factors: opt.NFactors = None,
    max_iter: opt.MaxIter = None,
    solver: opt.Solver = None,
    loss: opt.Loss = None,
    learning_rate: opt.LearningRate = None,
    l2_linear: opt.L2Linear = None,
    l2_factors: opt.L2Factors = None,
    n_jobs: opt.Threads = None,
    seed: opt.Seed = None,
    settings: opt.Settings = None,
    config: Config = None,
    json: opt.Json = False,
):
    """Train a model on files and save it."""
    choice, columns = EstimatorChoice(context), Columns.of(context)
    check_files([*sources, valid], models=[model])
    reporter = Reporter(json)
    if choice.recommender is not None:
        machine = choice.recommender
        facts = _train_recommender(machine, sources, valid, no_weights, reporter)
    else:
        machine, facts = _train_on_rows(context, choice, columns, sources, valid, reporter)
    save_model(machine, model, optimizer_state=not no_state)
    reporter.facts("model", facts | {"file": model})


def _train_on_rows(context, choice, columns, sources, valid, reporter):
    """The fitted estimator of files, and what to tell of it."""
    start = perf_counter()
    data, machine, encoder = training_data(context, sources, choice, columns, reporter)
    held_out = None
    if valid:
        held_out = data_for(context, [valid], encoder, data, valid)
        y_held_out = targets_of(held_out, valid)
    reporter.facts("data", describe(data) | {"seconds": perf_counter() - start})
    start, found = perf_counter(), {}
    with reporter.training(data.X.shape[0], machine.max_iter) as callback:
        if isinstance(machine, RANKING):
            found = fit_ranker(machine, data, data.y, held_out, callback)
        else:
            eval_set = None
            if held_out is not None:
                eval_set = _eval_set(held_out, y_held_out, data, machine)
            _train(machine, data, data.y, eval_set=eval_set, callbacks=callback)
    facts = {"estimator": type(machine).__name__, "epochs": machine.n_iter_}
    facts |= {"seconds": perf_counter() - start, **found}
    if encoder is not None:
        take_tables(machine, encoder)
    if held_out is not None and not found:
        found = metrics_of(machine, rows_of(held_out, machine), y_held_out)
        facts |= {f"validation_{name}": value for name, value in found.items()}
    return machine, facts


def _train_recommender(recommender, sources, valid, no_weights, reporter):
    """Fit it to files; what to tell of it."""
    start = perf_counter()
    train = interactions_of(sources, not no_weights)
    held_out = interactions_of([valid], not no_weights, train) if valid else None
    reporter.facts("data", describe_interactions(train) | {"seconds": perf_counter() - start})
    start = perf_counter()
    with reporter.training(len(train[0]), recommender.max_iter) as callback:
        found = fit_recommender(recommender, train, held_out, callback)
    facts = {"estimator": type(recommender).__name__, "epochs": recommender.n_iter_}
    return facts | {"seconds": perf_counter() - start, **found}


def _train(machine, data, y, **more):
    if stays_on_disk(data, machine):  # it has its own targets and weights
        machine.fit(data, **more)
        return
    if data.weights is not None:
        more["sample_weight"] = np.asarray(data.weights)
    machine.fit(matrix_of(data, machine), np.asarray(y), **more)


def _eval_set(held_out, y, data, machine):
    """As fit takes it; on disk only beside training data on disk."""
    if stays_on_disk(data, machine) and stays_on_disk(held_out, machine):
        return held_out
    return matrix_of(held_out, machine), y
