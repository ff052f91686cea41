"""Intake: from what a user gives a fit to a source of rows, and what the model keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ..data.disk.column_sample import sampled_scaling
from ..data.disk.dataset import DiskDataset
from ..data.disk.target_summary import summarise_targets
from ..data.inputs import PlainInput, Rows, unpacked
from ..data.matrix_checks import AS_MANY_FEATURES
from ..data.sample_checks import check_cast, check_not_all_zero, check_target, check_weights
from ..data.targets import (
    ClassRules,
    Encoding,
    RealRules,
    RealTarget,
    learn_target_scale,
)
from ..model.fitted import FittedModel, fitted_model
from ..model.links import Link
from ..model.table import ParameterTable
from ..preprocessing import FieldEncoder
from ..training.plan import TrainingPlan
from ..training.sources import DiskSource, MemorySource, Source
from ..training.validation_set import DiskValidationSet, ValidationSet
from .tables import encoded, encoded_to_fit, encoder_of_dataset


@dataclass(frozen=True)
class Intake:
    """The data of a fit."""

    source: Source
    inputs: PlainInput
    """How X is read for training."""
    encoding: Encoding
    X: Any
    y: Any
    """As the user gave them, for scorers."""
    checked: BaseEstimator
    """A copy of the estimator that knows the number and the names of X's features."""
    encoder: FieldEncoder | None = None
    """What made rows of a table, whose columns then are the features that users see."""

    @property
    def n_features(self) -> int:
        """Of X."""
        return self.checked.n_features_in_

    @property
    def names(self) -> dict[str, Any]:
        """What scikit-learn's validation keeps of the features."""
        return names_of_features(self.encoder or self.checked)

    def complete(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan with what only the data say."""
        target = self.encoding.target
        family = plan.family.with_fields(self.inputs.n_fields)
        plan = replace(
            plan, family=family, n_outputs=target.n_outputs, score_range=target.score_range
        )
        return plan.on_scale(self.encoding.scale)

    def model(self, table: ParameterTable, link: Link) -> FittedModel:
        """The fitted model of a table that was trained on these data."""
        model = fitted_model(table, self.inputs, self.encoding, link, self.n_features)
        return model if self.encoder is None else replace(model, encoder=self.encoder)


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
        of_width = " is expecting " in str(error)
        if name == "X" and not of_width:
            raise
        where, hint = "" if name == "X" else f"{name}: ", f" {AS_MANY_FEATURES}" if of_width else ""
        raise ValueError(f"{where}{error}{hint}") from error
    if grows and rows.n_features < n_before:
        estimator.n_features_in_ = n_before
        rows = replace(rows, n_features=n_before)
    return rows


def take_in(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, inputs: PlainInput,
    rules: RealRules | ClassRules, before: FittedModel | None, plan: TrainingPlan, *,
    is_chunk: bool = False, grows: bool = False, **learning: Any,
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
    plan : TrainingPlan
    is_chunk : bool, default=False
        Whether X is one of several.
    grows : bool, default=False
        As check_features has it.
    **learning
        Further parameters of the rules' ``learn``.
    """
    reset = before is None
    reads = inputs if before is None else before.trained.inputs
    given, y, sample_weight = unpacked(X, y, sample_weight, reads)
    encoder, X = encoded_to_fit(estimator, given, before, is_chunk=is_chunk, grows=grows)
    inputs = inputs.with_fields_of(X)
    rows = check_features(
        estimator, X, inputs, reset=reset, grows=grows, dtype=estimator.dtype, y=y
    )
    y_checked = check_target(y, inputs.matrix(X), is_numeric=rules.is_numeric)
    plain, weights = rows, rules.row_weights(y_checked, check_weights(sample_weight, rows.n_rows))
    if before is None:
        inputs, rows = inputs.learn(rows, X, weights, scales=plan.scaling, centres=plan.centres)
    else:
        inputs = inputs.going_on(before.trained.inputs, before.n_features)
        rows = inputs.finish(rows, X)
    known = None if before is None else before.target
    target = rules.learn(y_checked, weights, known, **learning)
    scale = before.trained.scale if before else None
    if before is None and plan.scales_targets:
        encoded = check_cast(target.encode(y_checked), estimator.dtype, "y")
        if weights is not None:
            check_not_all_zero(weights)
        scale = learn_target_scale(encoded.astype(np.float64), weights, centres=plan.has_free_bias)
    encoding = Encoding(target, scale)
    unscaled = plain if inputs.columns is not None else None
    source = MemorySource.of(rows, encoding.encode(y_checked), weights, estimator.dtype, unscaled)
    return Intake(source, inputs, encoding, given, y, estimator, encoder)


def take_in_from_disk(
    estimator: BaseEstimator, dataset: DiskDataset, y: Any, sample_weight: Any,
    inputs: PlainInput, rules: RealRules | ClassRules, before: FittedModel | None,
    plan: TrainingPlan,
) -> Intake:  # fmt: skip
    """Take in a data set on disk, without reading more than its targets."""
    _check_call(dataset, y, sample_weight, plan, estimator.solver)
    n_features = dataset.shape[1]
    if before is not None and n_features != estimator.n_features_in_:
        raise ValueError(
            f"{dataset.folder} has {n_features} features, the model {estimator.n_features_in_}. "
            f"{AS_MANY_FEATURES}"
        )
    estimator.n_features_in_ = n_features
    encoder = encoder_of_dataset(dataset) if before is None else before.encoder
    if encoder is not None:
        inputs = inputs.with_fields(encoder.fields_, encoder.n_fields_)
    if before is None:
        vars(estimator).pop("feature_names_in_", None)
        scaling = sampled_scaling(dataset, centres=plan.centres) if plan.scaling else None
        inputs = inputs.learn_disk(dataset, scaling)
    else:
        inputs = inputs.going_on(before.trained.inputs, before.n_features)
    summary = summarise_targets(dataset, rules)
    known = None if before is None else before.target
    target = summary.learn(rules, known)
    scale = before.trained.scale if before else None
    if before is None and plan.scales_targets:
        scale = summary.scale(centres=plan.has_free_bias)
    encoding = Encoding(target, scale)
    source = DiskSource(dataset, inputs, encoding, summary)
    return Intake(source, inputs, encoding, None, None, estimator, encoder)


def _check_call(
    dataset: DiskDataset, y: Any, sample_weight: Any, plan: TrainingPlan, solver: str
) -> None:
    if y is not None or sample_weight is not None:
        raise ValueError(
            "A data set on disk has its own targets and weights: fit(dataset), without y and "
            "sample_weight."
        )
    if not dataset.has("target"):
        raise ValueError(f"{dataset.folder} has no targets; convert data that have.")
    if plan.solver.by_columns:
        raise ValueError(f"solver={solver!r} needs all rows in memory: fit(dataset.X, dataset.y).")
    for name in plan.learned:
        raise ValueError(
            f'{name}="auto" needs rows in memory; learn it on a part of the data, and give it '
            "as a number."
        )


def validation_in_memory(eval_set: tuple[Any, Any, Any], intake: Intake) -> ValidationSet:
    """A validation set from what a user gives as eval_set: (X, y, weights or None)."""
    X, y, weights = eval_set
    estimator = intake.checked
    X = encoded(estimator, X, intake.encoder, "eval_set")
    rows = check_features(
        estimator, X, intake.inputs, reset=False, dtype=estimator.dtype, name="eval_set", y=y
    )
    is_numeric = isinstance(intake.encoding.target, RealTarget)
    y = check_target(y, intake.inputs.matrix(X), is_numeric=is_numeric)
    weights = check_weights(weights, rows.n_rows)
    if weights is not None and not weights.any():
        raise ValueError("eval_set: at least one row must have a positive weight.")
    return ValidationSet(intake.inputs.finish(rows, X), intake.encoding.encode(y), weights)


def validation_on_disk(dataset: DiskDataset, intake: Intake) -> DiskValidationSet:
    """A validation set from a data set on disk."""
    if not dataset.has("target"):
        raise ValueError(f"eval_set: {dataset.folder} has no targets.")
    if dataset.shape[1] != intake.n_features:
        raise ValueError(
            f"eval_set: {dataset.folder} has {dataset.shape[1]} features, the data to fit "
            f"{intake.n_features}. {AS_MANY_FEATURES}"
        )
    return DiskValidationSet(dataset, intake.inputs, intake.encoding)
