"""Intake: from what a user gives a fit to a source of rows, and what the model keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ..data.disk.dataset import DiskDataset
from ..data.disk.target_summary import summarise_targets
from ..data.inputs import PlainInput, Rows
from ..data.sample_checks import check_target, check_weights
from ..data.targets import ClassRules, ClassTarget, RealRules, RealTarget
from ..model.fitted import FittedModel
from ..training.plan import TrainingPlan
from ..training.sources import DiskSource, MemorySource, Source
from ..training.validation_set import DiskValidationSet, ValidationSet


@dataclass(frozen=True)
class Intake:
    """The data of a fit."""

    source: Source
    inputs: PlainInput
    target: RealTarget | ClassTarget
    X: Any
    y: Any
    """As the user gave them, for scorers."""
    checked: BaseEstimator
    """A copy of the estimator that knows the number and the names of X's features."""

    @property
    def n_features(self) -> int:
        """Of X."""
        return self.checked.n_features_in_

    @property
    def names(self) -> dict[str, Any]:
        """What scikit-learn's validation keeps of the features."""
        return names_of_features(self.checked)

    def complete(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan with what only the data say."""
        target = self.target
        family = plan.family.with_fields(self.inputs.n_fields)
        return replace(
            plan, family=family, n_outputs=target.n_outputs, score_range=target.score_range
        )


def names_of_features(estimator: BaseEstimator) -> dict[str, Any]:
    """The attributes with the number and the names of an estimator's features."""
    names = "n_features_in_", "feature_names_in_"
    return {name: vars(estimator)[name] for name in names if name in vars(estimator)}


def check_features(
    estimator: BaseEstimator, X: Any, inputs: PlainInput, *, reset: bool, grows: bool = False,
    dtype: str, name: str = "X", **y: Any,
) -> Rows:  # fmt: skip
    """The checked rows of X, whose features are the estimator's or, if `reset`, become these.

    If it `grows`, X may have more features than the estimator, which then has them, too, or fewer.
    """
    n_before, matrix = getattr(estimator, "n_features_in_", 0), inputs.matrix(X)
    owner, n_jobs = type(estimator).__name__, effective_n_jobs(estimator.n_jobs)
    rows = inputs.check(X, dtype, n_jobs, owner=owner, name=name)
    try:
        validate_data(estimator, matrix, reset=reset or grows, skip_check_array=True, **y)
    except ValueError as error:
        if name == "X":
            raise
        raise ValueError(f"{name}: {error}") from error
    if grows and rows.n_features < n_before:
        estimator.n_features_in_ = n_before
        rows = replace(rows, n_features=n_before)
    return rows


def take_in(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, inputs: PlainInput,
    rules: RealRules | ClassRules, before: FittedModel | None, *, grows: bool = False,
    **learning: Any,
) -> Intake:  # fmt: skip
    """Take in data in memory.

    Parameters
    ----------
    estimator : Base
        Learns the number and the names of the features.
    X, y, sample_weight
        As a user gives them to ``fit``.
    inputs : PlainInput
        How to read X.
    rules : RealRules or ClassRules
        What the estimator's parameters say of y.
    before : FittedModel or None
        A model to go on with.
    grows : bool, default=False
        As check_features has it.
    **learning
        Further parameters of the rules' ``learn``.
    """
    reset = before is None
    rows = check_features(
        estimator, X, inputs, reset=reset, grows=grows, dtype=estimator.dtype, y=y
    )
    y_checked = check_target(y, inputs.matrix(X), is_numeric=rules.is_numeric)
    if before is None:
        inputs, rows = inputs.learn(rows, X)
    else:
        inputs = inputs.going_on(before.inputs, before.n_features)
        rows = inputs.finish(rows, X)
    weights = rules.row_weights(y_checked, check_weights(sample_weight, rows.n_rows))
    target = rules.learn(y_checked, weights, before and before.target, **learning)
    source = MemorySource.of(rows, target.encode(y_checked), weights, estimator.dtype)
    return Intake(source, inputs, target, X, y, estimator)


def take_in_from_disk(
    estimator: BaseEstimator, dataset: DiskDataset, y: Any, sample_weight: Any,
    inputs: PlainInput, rules: RealRules | ClassRules, before: FittedModel | None,
    plan: TrainingPlan,
) -> Intake:  # fmt: skip
    """Take in a data set on disk, without reading more than its targets."""
    _check_call(dataset, y, sample_weight, plan)
    n_features = dataset.shape[1]
    if before is not None and n_features != estimator.n_features_in_:
        raise ValueError(
            f"{dataset.folder} has {n_features} features, the model {estimator.n_features_in_}."
        )
    estimator.n_features_in_ = n_features
    if before is None:
        vars(estimator).pop("feature_names_in_", None)
        inputs = inputs.learn_disk(dataset)
    else:
        inputs = inputs.going_on(before.inputs, before.n_features)
    summary = summarise_targets(dataset, rules)
    target = rules.learn(summary.values, summary.value_weights, before and before.target)
    source = DiskSource(dataset, inputs, target, summary)
    return Intake(source, inputs, target, None, None, estimator)


def _check_call(dataset: DiskDataset, y: Any, sample_weight: Any, plan: TrainingPlan) -> None:
    if y is not None or sample_weight is not None:
        raise ValueError(
            "A data set on disk has its own targets and weights: fit(dataset), without y and "
            "sample_weight."
        )
    if not dataset.has("target"):
        raise ValueError(f"{dataset.folder} has no targets; convert data that have.")
    if plan.solver.by_columns:
        raise ValueError(
            "This solver needs all rows in memory: fit(dataset.X, dataset.y), or choose a "
            "gradient solver."
        )
    for name in plan.learned:
        raise ValueError(
            f'{name}="auto" needs rows in memory; learn it on a part of the data, and give it '
            "as a number."
        )


def validation_in_memory(X: Any, y: Any, weights: Any, intake: Intake) -> ValidationSet:
    """A validation set from what a user gives as eval_set."""
    estimator = intake.checked
    rows = check_features(
        estimator, X, intake.inputs, reset=False, dtype=estimator.dtype, name="eval_set", y=y
    )
    is_numeric = isinstance(intake.target, RealTarget)
    y = check_target(y, intake.inputs.matrix(X), is_numeric=is_numeric)
    weights = check_weights(weights, rows.n_rows)
    return ValidationSet(intake.inputs.finish(rows, X), intake.target.encode(y), weights)


def validation_on_disk(dataset: DiskDataset, intake: Intake) -> DiskValidationSet:
    """A validation set from a data set on disk."""
    if not dataset.has("target"):
        raise ValueError(f"eval_set: {dataset.folder} has no targets.")
    if dataset.shape[1] != intake.n_features:
        raise ValueError(
            f"eval_set: {dataset.folder} has {dataset.shape[1]} features, the data to fit "
            f"{intake.n_features}."
        )
    return DiskValidationSet(dataset, intake.inputs, intake.target)
