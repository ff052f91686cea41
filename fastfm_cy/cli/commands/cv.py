"""``fastfm-cy cv``: cross-validation."""

from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold, StratifiedKFold

from .. import options as opt
from ..columns import Columns
from ..config import Config
from ..data import describe, matrix_of, targets_of
from ..estimators import EstimatorChoice
from ..files import check_files
from ..metrics import metrics_of
from ..ranking import RANKING
from ..report import Reporter
from ..tables import training_data


def cv(
    context: typer.Context,
    sources: opt.Sources,
    folds: Annotated[int, typer.Option(min=2, help="Number of folds.")] = 5,
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    categorical: opt.Categorical = None,
    multi: opt.Multi = None,
    missing: opt.Missing = None,
    min_frequency: opt.MinFrequency = None,
    task: opt.Task = "auto",
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
    """Train on all folds but one and test on that one, for each fold."""
    choice, columns = EstimatorChoice(context), Columns.of(context)
    if any(isinstance(one, RANKING) for one in choice.estimators.values()):
        raise ValueError(
            "cv knows folds of rows, not of queries or users; validate by fit's --valid instead."
        )
    check_files(sources)
    reporter = Reporter(json)
    data, machine, _ = training_data(context, sources, choice, columns, reporter)
    y, X = targets_of(data, "The data"), matrix_of(data, machine)
    reporter.facts("data", describe(data))
    splitter = StratifiedKFold if is_classifier(machine) else KFold
    found = []
    for fold, (train, test) in enumerate(
        splitter(folds, shuffle=True, random_state=seed).split(y, y), start=1
    ):
        start = perf_counter()
        weights = {} if data.weights is None else {"sample_weight": data.weights[train]}
        model = clone(machine)
        with reporter.training(len(train), model.max_iter, f"fold {fold} of {folds}") as callback:
            model.fit(X[train], y[train], callbacks=callback, **weights)
        found.append(metrics_of(model, X[test], y[test]))
        reporter.facts(f"fold {fold}", found[-1] | {"seconds": perf_counter() - start})
    values = {name: [metrics[name] for metrics in found if name in metrics] for name in found[0]}
    reporter.facts("all folds", {
        f"{name}_{what}": float(function(numbers))
        for name, numbers in values.items()
        for what, function in (("mean", np.mean), ("std", np.std))
    })  # fmt: skip
