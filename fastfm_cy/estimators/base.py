"""Base of the estimators with a parameter table: the course of fit and partial_fit, scores."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..data.disk.dataset import DiskDataset
from ..data.inputs import input_of, split_eval_set, unpacked
from ..data.targets import ClassRules, RealRules
from ..model.families import FM
from ..model.fitted import FittedModel
from ..model.sparse_table import SparseTable, sparsity
from ..model.weaving import unwoven
from ..training.fit import FitResult, fit
from ..training.one_epoch import fit_one_epoch_more
from ..training.plan import TrainingPlan
from ..training.sources import MemorySource
from ..training.validation_set import DiskValidationSet, ValidationSet
from ..utils.gates import changing, reading
from .common import (
    as_of_now,
    check_callbacks,
    new_rng,
    no_attribute,
    one_fit,
    refuse_while_fitted,
)
from .hyperparameters import resolve
from .intake import (
    Intake,
    check_features,
    take_in,
    take_in_from_disk,
    validation_in_memory,
    validation_on_disk,
)
from .observer import EstimatorObserver
from .tables import encoded, encoder_of

if TYPE_CHECKING:
    from typing_extensions import Self

# What some fits find, and others do not.
_FOUND = ("best_iter_", "l2_linear_", "l2_factors_", "tuned_")


class Base(BaseEstimator):
    """A machine trained by gradient or coordinate descent.

    The model is one object, `_fitted`, that a fit swaps in, together with the names of the
    features; whoever reads several attributes reads them `as_of_now`. `_rng` and `_state_key` are
    what training needs to go on.
    """

    _task: ClassVar[str]
    _family: ClassVar[type[FM]] = FM
    _fitted: FittedModel
    _rng: np.random.Generator
    _state_key: tuple | None

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.string = True
        return tags

    def _model_for(self, attribute: str) -> FittedModel:
        """The model, for a public `attribute` that does not exist before fit."""
        try:
            return vars(self)["_fitted"]
        except KeyError:
            raise no_attribute(self, attribute) from None

    @property
    def _table(self) -> Any:
        return self._model_for("_table").table

    encoder_ = property(encoder_of)

    @property
    def intercept_(self) -> float | np.ndarray:
        """float, or ndarray of shape (n_classes,) : the bias w0."""
        intercepts = self._model_for("intercept_").table.intercepts
        return float(intercepts[0]) if len(intercepts) == 1 else intercepts

    @property
    def coef_(self) -> Any:
        """ndarray of shape (n_features,) or (n_classes, n_features) : the linear weights w."""
        return self._model_for("coef_").table.coef

    @property
    def factors_(self) -> Any:
        """ndarray of shape (n_features, n_factors) or (n_classes, n_features, n_factors)."""
        return self._model_for("factors_").table.factor_vectors

    # What a subclass or its parameters say -------------------------------------------------------

    def _rules(self, plan: TrainingPlan) -> RealRules | ClassRules:
        """What the parameters say of y."""
        raise NotImplementedError

    def _plan(self, *, partial: bool = False) -> TrainingPlan:
        params = self.get_params(deep=False)
        return resolve(params, self._task, self._family, partial=partial)

    def _check_parameters(self) -> None:
        """Raise an error that names the first parameter that is wrong."""
        self._rules(self._plan())

    # Fitting -----------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, sample_weight: Any, eval_set: Any, callbacks: Any) -> Self:
        with one_fit(self):
            plan, callbacks = self._plan(), check_callbacks(callbacks)
            before = None
            if self.warm_start and self.__sklearn_is_fitted__():
                before = self._fitted
            data = self._take_in(X, y, sample_weight, plan, before)
            plan, tuned = self._going_on(data.complete(plan), before)
            rng = new_rng(self.random_state)
            validation: ValidationSet | DiskValidationSet | None = None
            if isinstance(eval_set, DiskDataset):
                validation = validation_on_disk(eval_set, data)
            elif eval_set is not None:
                eval_set = split_eval_set(eval_set, data.inputs)
                validation = validation_in_memory(eval_set, data)
            observer = EstimatorObserver(
                self, self._publisher(plan, data, rng),
                data=(data.X, data.y, getattr(data.source, "weights", None)), eval_set=eval_set,
                validates=validation is not None or plan.early_stopping, callbacks=callbacks,
            )  # fmt: skip
            table = None if before is None else _trainable(before)
            result = fit(
                plan, data.source, rng, validation=validation, observer=observer, table=table
            )
            self._publisher(plan, data, rng)(result.table, result.state_key)
            self._take(result, tuned)
            self.history_, self.n_iter_ = result.history, len(result.history["train_loss"])
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, **learning: Any) -> Self:
        with one_fit(self, "partial_fit"), ExitStack() as held:
            plan = self._plan(partial=True)
            before = self._fitted if self.__sklearn_is_fitted__() else None
            data = self._take_in(
                X, y, sample_weight, plan, before,
                is_chunk=True, grows=self.grow_features, **learning,
            )  # fmt: skip
            plan, tuned = self._going_on(data.complete(plan), before)
            if before is None:
                rng = new_rng(self.random_state)
                result = fit(plan, data.source, rng)
                self.history_, self.n_iter_ = {}, 0
            else:
                # A copy: on an error, the generator must be as it was, too.
                rng = copy.deepcopy(self._rng)
                source = cast(MemorySource, data.source)  # partial_fit takes no other
                table = _trainable(before)
                held.enter_context(changing(table))  # in place: other threads' predictions wait
                result = fit_one_epoch_more(plan, source, rng, table, self._state_key)
            self._publisher(plan, data, rng)(result.table, result.state_key)
            self._take(result, tuned)
            before_now = self.history_
            self.history_ = {
                name: before_now.get(name, []) + new for name, new in result.history.items()
            }
            self.n_iter_ += 1
        return self

    def _take_in(
        self, X: Any, y: Any, sample_weight: Any, plan: TrainingPlan, before: FittedModel | None,
        **options: Any,
    ) -> Intake:  # fmt: skip
        inputs, rules = input_of(self.get_params(deep=False)), self._rules(plan)
        # A copy learns the features' names, which predictions in other threads must not see yet.
        checked = as_of_now(self)
        if before is not None:
            checked.n_features_in_ = before.n_features
        if isinstance(X, DiskDataset) and not options:
            return take_in_from_disk(checked, X, y, sample_weight, inputs, rules, before, plan)
        return take_in(checked, X, y, sample_weight, inputs, rules, before, plan, **options)

    def _publisher(
        self, plan: TrainingPlan, data: Intake, rng: np.random.Generator
    ) -> Callable[..., None]:
        """A function that makes a table, with its state_key, the estimator's model."""

        def publish(table: Any, state_key: tuple | None) -> None:
            model = data.model(table, plan.loss.link)
            self.__dict__.update(_fitted=model, _rng=rng, _state_key=state_key, **data.names)
            for name in {"feature_names_in_", *_FOUND} - data.names.keys():
                self.__dict__.pop(name, None)

        return publish

    def _going_on(
        self, plan: TrainingPlan, before: FittedModel | None
    ) -> tuple[TrainingPlan, dict[str, Any]]:
        """The plan with what tuning once chose for the model `before`, and that."""
        tuned = {} if before is None else vars(self).get("tuned_", {})
        chosen = {name: value for name, value in tuned.items() if name != "max_iter"}
        return plan.with_defaults(**chosen), tuned

    def _take(self, result: FitResult, tuned: dict[str, Any]) -> None:
        """Take what else a fit gives back."""
        if result.best_iter:
            self.best_iter_ = result.best_iter
        if tuned := result.tuned or tuned:
            self.tuned_ = tuned
        for name, value in result.learned_l2.items():
            setattr(self, f"{name}_", value)

    # Scores ------------------------------------------------------------------------------------

    def compile(self) -> Any:
        """Prepare the model, as it is now, for scoring single rows and small batches fast.

        Returns
        -------
        Scorer
            ``scorer.row(indices, data)`` scores one row, ``scorer.rows(indptr, indices, data)`` a
            CSR matrix, both with `fields` if these stand beside the data. Fastest are int32 columns
            and values of the model's dtype; lists and other arrays of numbers are converted.
        """
        check_is_fitted(self)
        model = as_of_now(self)._model_to_score()
        with reading(model.trained.table):
            return model.scorer()

    def _model_to_score(self) -> FittedModel:
        """The model, with what parameters say of predictions now."""
        return self._fitted

    def _scores(self, X: Any) -> tuple[FittedModel, np.ndarray]:
        """The model, and its value of each row, shape (n_rows, n_outputs), in its dtype."""
        check_is_fitted(self)
        now = as_of_now(self)
        model, n_jobs = now._model_to_score(), effective_n_jobs(now.n_jobs)
        if isinstance(X, DiskDataset):
            with reading(model.trained.table):
                return model, model.scores_from_disk(X, n_jobs)
        now.n_features_in_ = model.n_features
        X, _, _ = unpacked(X, None, None, model.inputs, to_fit=False)
        X = encoded(now, X, model.encoder)
        rows = check_features(now, X, model.inputs, reset=False, dtype=str(model.table.dtype))
        rows = model.inputs.finish(rows, X)
        with reading(model.trained.table):
            return model, model.scores(rows, n_jobs)

    # Sparse models -----------------------------------------------------------------------------

    @property
    def sparsity_(self) -> dict[str, float]:
        """dict : shares that are zero.

        "linear", of the linear weights; "factors", of the factors; "features", of the features all
        of whose weights are.
        """
        return sparsity(self._model_for("sparsity_").table)

    def sparsify(self) -> Self:
        """Keep only features with a weight that is not zero: less memory, smaller files.

        ``coef_`` and ``factors_`` become scipy.sparse arrays (``factors_`` of several classes: one
        below the other; of several vectors a feature: side by side), predictions stay the same. To
        train on, call ``densify`` first; the state of the optimiser starts anew.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        refuse_while_fitted(self, "sparsify")
        table = self._fitted.table
        if not isinstance(table, SparseTable):
            self._fitted = self._fitted.with_table(SparseTable.of(table))
        return self

    def densify(self) -> Self:
        """Undo ``sparsify``.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        refuse_while_fitted(self, "densify")
        table = self._fitted.table
        if isinstance(table, SparseTable):
            dense = self._fitted.with_table(unwoven(table.dense(with_state=True)))
            self.__dict__.update(_fitted=dense, _state_key=None)
        return self


def _trainable(model: FittedModel) -> Any:
    """Its table, if it can be trained on."""
    if model.is_sparse:
        raise ValueError("The model was made sparse; call densify() before training it on.")
    return model.trained.table
