"""The course of a fit on a cluster: what estimators/base.py and intake.py do of data at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from ..data.inputs import FieldInput, PlainInput, input_of
from ..data.targets import Encoding
from ..model.fitted import FittedModel, fitted_model
from ..preprocessing import FieldEncoder
from ..training.distributed.crew import Crew, SessionsLost
from ..training.distributed.fit import fit_by_crew
from ..training.early_stopping import Observer
from ..training.fit import FitResult
from ..training.plan import TrainingPlan
from .crew import DaskCrew
from .member import Found, Reading, learned_input

_MOST_BEGINNINGS = 3


@dataclass(frozen=True)
class Learned:
    """What was learned of the data before training."""

    plan: TrainingPlan
    inputs: PlainInput
    encoding: Encoding
    n_features: int
    names: dict[str, Any]
    encoder: FieldEncoder | None
    start: Any
    """Of the intercepts."""

    def model(self, table: Any) -> FittedModel:
        link = self.plan.loss.link
        model = fitted_model(table, self.inputs, self.encoding, link, self.n_features)
        return model if self.encoder is None else replace(model, encoder=self.encoder)


def check_can_distribute(
    plan: TrainingPlan, parameters: dict[str, Any], *, validates: bool
) -> None:
    """Refuse what takes all rows in one place."""
    if plan.solver.by_columns:
        raise ValueError(f"solver={parameters['solver']!r} needs all rows in one process.")
    for name in plan.learned:
        raise ValueError(f'{name}="auto" needs all rows in one process; give a number.')
    if parameters["warm_start"]:
        raise ValueError("On a cluster, fits begin anew: set warm_start=False.")
    if plan.refits or (plan.early_stopping and not validates):
        raise ValueError("On a cluster, early_stopping=True needs an eval_set of its own.")
    if parameters["scoring"] is not None:
        raise ValueError("On a cluster, the loss is what is followed: set scoring=None.")


def train(
    client: Any, partitions: tuple[list, list], estimator: Any, plan: TrainingPlan,
    rng: np.random.Generator, watch: Any,
) -> tuple[Learned, FitResult]:  # fmt: skip
    """Train on a cluster.

    `partitions` are those to train on and those to validate on; `estimator` is a local one, for its
    parameters; `watch` makes the Observer of what was learned.
    """
    state = rng.bit_generator.state
    for attempt in range(_MOST_BEGINNINGS):
        rng.bit_generator.state = state
        try:
            return _trained(client, partitions, estimator, plan, rng, watch)
        except SessionsLost as lost:  # before training, which goes on without them
            if attempt == _MOST_BEGINNINGS - 1:
                raise RuntimeError(
                    f"Workers were lost in each of {_MOST_BEGINNINGS} fits: {lost}"
                ) from lost
    raise AssertionError  # one of them returns or raises


def _trained(
    client: Any, partitions: tuple[list, list], estimator: Any, plan: TrainingPlan,
    rng: np.random.Generator, watch: Any,
) -> tuple[Learned, FitResult]:  # fmt: skip
    with DaskCrew(client, *partitions) as crew:
        return train_crew(crew, estimator, plan, rng, watch, validates=bool(partitions[1]))


def train_crew(
    crew: Crew, estimator: Any, plan: TrainingPlan, rng: np.random.Generator, watch: Any,
    *, validates: bool = False,
) -> tuple[Learned, FitResult]:  # fmt: skip
    """Train by a crew of members, wherever they are."""
    learned = _learn(crew, estimator, plan, _encoder(crew, estimator))
    observer: Observer | None = watch(learned)
    result = fit_by_crew(
        learned.plan, crew, learned.inputs.n_table_features(learned.n_features), learned.start,
        rng, validates=validates, observer=observer,
    )  # fmt: skip
    return learned, result


def _learn(crew: Crew, estimator: Any, plan: TrainingPlan, encoder: FieldEncoder | None) -> Learned:
    inputs, rules = input_of(estimator.get_params(deep=False)), estimator._rules(plan)
    if encoder is not None and isinstance(inputs, FieldInput) and inputs.fields is None:
        n_fields = inputs.n_fields or encoder.n_fields_
        inputs = replace(inputs, fields=encoder.fields_, n_fields=n_fields)
    found: list[Found] = crew.each("read", Reading(estimator, inputs, rules, encoder))
    n_features, names = _width(found)
    tally = found[0].tally
    for one in found[1:]:
        tally.take(one.tally)
    summary = tally.summary(rules)
    target = summary.learn(rules, None)
    centres = plan.centres and inputs.folds
    columns = None
    if plan.scaling:
        columns = _scaling(crew, summary.class_weights, n_features, centres)
    inputs = learned_input(inputs, n_features, columns)
    scale = summary.scale(centres=plan.has_free_bias) if plan.scales_targets else None
    encoding = Encoding(target, scale)
    family = plan.family.with_fields(inputs.n_fields)
    plan = replace(plan, family=family, n_outputs=target.n_outputs, score_range=target.score_range)
    plan = plan.on_scale(scale)
    crew.each("finish", encoding, summary.class_weights, inputs, n_features)
    rate = min(crew.each("bearable_rate", plan))
    plan = replace(plan, learning_rate=rate)
    start = plan.init_intercept
    if start is None:
        y = encoding.encode(summary.typical).astype(plan.dtype)
        weights = summary.typical_weights
        start = plan.loss.best_constant(y, weights, plan.n_outputs, summary.n_visited)
    if encoder is not None:
        names = {name: value for name, value in vars(encoder).items() if name.endswith("_in_")}
    return Learned(plan, inputs, encoding, n_features, names, encoder, start)


def _width(found: list[Found]) -> tuple[int, dict[str, Any]]:
    """How many features X has, and what else there is to say of them."""
    with_rows = [one for one in found if one.n_features >= 0]
    if not with_rows:
        raise ValueError("X has no rows: all partitions are empty.")
    widths = [one.n_features for one in with_rows]
    if len(set(widths)) > 1 and not all(one.widens for one in with_rows):
        raise ValueError(
            f"Partitions of X have different numbers of features: {sorted(set(widths))}."
        )
    names = {**with_rows[0].names, "n_features_in_": max(widths)}
    for one in with_rows[1:]:
        other = one.names.get("feature_names_in_")
        if not np.array_equal(names.get("feature_names_in_"), other):
            raise ValueError("Partitions of X have different names of features.")
    return max(widths), names


def _scaling(crew: Crew, class_weights: Any, n_features: int, centres: bool) -> Any:
    moments = crew.each("moments", class_weights, n_features, centres)
    if all(one is None for one in moments):
        return None
    # Of those that need none, too: a column may be common in all rows together.
    moments = crew.each("moments", class_weights, n_features, centres, True)
    whole = moments[0]
    for other in moments[1:]:
        whole.take(other)
    return whole.scaling(centres=centres)


def _encoder(crew: Crew, estimator: Any) -> FieldEncoder | None:
    """A FieldEncoder that saw all tables, one partition after the other, where they are; None of
    partitions that are numbers."""
    parameters = estimator.get_params(deep=False)
    options = parameters["categorical_features"], parameters["dtype"]
    owners = {n: owner for owner, own in enumerate(crew.each("numbers")) for n in own}
    encoder: Any = None
    for owner, run in groupby(sorted(owners), key=owners.__getitem__):
        encoder = crew.one(owner, "learn_encoder", encoder, list(run), *options)
        if encoder is False:
            return None
    return encoder
