"""Base of the Bayesian estimators: parameters, the course of fit, draws' predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..data.inputs import PlainInput, split_eval_set, unpacked
from ..data.sample_checks import check_target
from ..data.targets import ClassRules, ClassTarget, RealRules, RealTarget, TargetScale
from ..model.posterior import FittedPosterior
from ..model.responses import NormalResponse, Response
from ..training.early_stopping import History
from ..training.gibbs.chain_run import AfterSweep, RunningMean, run_chain
from ..training.gibbs.likelihoods import Likelihood
from ..training.gibbs.plan import SamplingPlan
from ..training.gibbs.sampler import Chain, Priors
from ..utils.checks import check_bool, check_choice, check_integer, check_real, plain_number
from ..utils.memory import check_memory
from .common import as_of_now, check_callbacks, new_rng, no_attribute, one_fit
from .hyperparameters import DTYPES
from .intake import check_features, names_of_features
from .tables import check_categorical_features, encoded, encoded_to_fit, encoder_of

if TYPE_CHECKING:
    from typing_extensions import Self


class BayesianBase(BaseEstimator):
    """Gibbs sampling; subclasses say what the target and a score mean.

    The model is one object, `_fitted`, that a fit swaps in; `_chain` is what sampling needs to go
    on.
    """

    fit_intercept: bool
    categorical_features: Any
    _fitted: FittedPosterior
    _chain: Chain
    history_: History
    n_iter_: int
    rhat_: float

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.string = True
        return tags

    def _model_for(self, attribute: str) -> FittedPosterior:
        """The model, for a public `attribute` that does not exist before fit."""
        try:
            return vars(self)["_fitted"]
        except KeyError:
            raise no_attribute(self, attribute) from None

    @property
    def _samples(self) -> Any:
        return self._model_for("_samples").samples

    encoder_ = property(encoder_of)

    @property
    def intercept_(self) -> float:
        """float : posterior mean of the bias."""
        samples = self._model_for("intercept_").samples
        return float(samples.intercept.mean(dtype=np.float64))

    @property
    def coef_(self) -> np.ndarray:
        """ndarray of shape (n_features,) : posterior means of the linear weights."""
        return self._model_for("coef_").samples.linear.mean(axis=0, dtype=np.float64)

    @property
    def n_samples_(self) -> int:
        """int : number of draws that are kept."""
        return len(self._model_for("n_samples_").samples)

    # What a subclass says ----------------------------------------------------------------------

    def _rules(self) -> RealRules | ClassRules:
        """What the parameters say of y."""
        raise NotImplementedError

    def _learn_target(self, y: np.ndarray, given: Any, before: Any) -> Any:
        """What a fit learns of its checked y, which the user gave as `given`."""
        return self._rules().learn(y, None, before)

    def _encode(self, target: Any, y: np.ndarray) -> np.ndarray:
        """Labels or numbers y as likelihoods and responses take them."""
        return target.encode(y)

    def _learn_scale(self, y: np.ndarray) -> TargetScale | None:
        """The scale that encoded targets need, if they are numbers."""
        return None

    def _likelihood(self, y: np.ndarray, target: Any) -> Likelihood:
        """What a chain takes as its target, given an encoded y."""
        raise NotImplementedError

    def _response(self, target: Any) -> Response:
        """What a draw's score says of an observation."""
        raise NotImplementedError

    def _check_parameters(self) -> None:
        """Raise an error that names the first parameter that is wrong."""
        for name, minimum in (
            ("n_factors", 0), ("max_iter", 1), ("n_burn_in", 0), ("thin", 1), ("verbose", 0),
        ):  # fmt: skip
            check_integer(getattr(self, name), name, minimum)
        for name, minimum in (("n_kept_samples", 1), ("n_jobs", -1)):
            if getattr(self, name) is not None:
                check_integer(getattr(self, name), name, minimum)
        for name in ("init_scale", "alpha_0", "beta_0", "gamma_0"):
            check_real(getattr(self, name), name, above=True)
        check_real(self.mu_0, "mu_0", -np.inf)
        for name in ("fit_intercept", "fit_linear", "warm_start"):
            check_bool(getattr(self, name), name)
        check_choice(self.dtype, "dtype", DTYPES)
        if self.scaling is not None:
            check_choice(self.scaling, "scaling", {"auto": "auto"})
        check_memory(self.max_memory)
        check_categorical_features(self.categorical_features)
        self._rules()

    def _plan(self) -> SamplingPlan:
        self._check_parameters()
        names = (
            "n_factors", "max_iter", "n_burn_in", "thin", "n_kept_samples", "feature_groups",
            "init_scale", "fit_intercept", "fit_linear", "max_memory", "verbose", "dtype",
        )  # fmt: skip
        return SamplingPlan(
            priors=Priors(*map(float, (self.alpha_0, self.beta_0, self.gamma_0, self.mu_0))),
            n_jobs=effective_n_jobs(self.n_jobs),
            scaling=self.scaling is not None,
            **{name: plain_number(getattr(self, name)) for name in names},
        )

    # Fitting -----------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, eval_set: Any, callbacks: Any) -> Self:
        X, y, weights = unpacked(X, y, None, PlainInput())
        if weights is not None:
            raise ValueError("The Bayesian estimators take no weights, and the Dataset has some.")
        with one_fit(self):
            plan, callbacks = self._plan(), check_callbacks(callbacks)
            before = None
            if self.warm_start and self.__sklearn_is_fitted__():
                before = self._fitted
            # A copy learns the features' names; predictions in other threads must not see them yet.
            checked = as_of_now(self)
            if before is not None:
                checked.n_features_in_ = before.n_features
            given = y
            encoder, X = encoded_to_fit(checked, X, before)
            rows, y = checked._check_data(X, y, reset=before is None)
            target = self._learn_target(y, given, None if before is None else before.target)
            y = self._encode(target, y)
            if before is None:
                inputs, rows = _learned_input(plan, rows, X)
                scale = self._learn_scale(y) if plan.scaling else None
            else:
                inputs, scale = before.inputs, before.scale
                rows = inputs.finish(rows, X)
            likelihood = self._likelihood(y if scale is None else scale.apply(y), target)
            response = self._response(target)
            n_features = rows.n_features
            size = n_features, plan.n_factors, likelihood.n_cutpoints
            n_before, n_iter, history = 0, 0, {}
            if before is None:
                n_kept = plan.n_to_keep(size, 0, 0)
                chain = plan.new_chain(n_features, new_rng(self.random_state))
            else:
                n_before, n_iter = len(before.samples), self.n_iter_
                chain = self._chain_to_go_on(plan, n_features)
                n_kept = plan.n_to_keep(size, n_iter, n_before)
                history = {name: list(values) for name, values in self.history_.items()}
            in_training = response
            if scale is not None and isinstance(response, NormalResponse):
                in_training = replace(response, scale=scale)
            validation = checked._validation(eval_set, target, inputs, encoder)
            names = names_of_features(encoder or checked)
            result = run_chain(
                plan, rows, likelihood, in_training, chain,
                y=likelihood.y if scale is None else y, n_kept=n_kept, validation=validation,
                after_sweep=self._publisher(callbacks, names), history=history, n_iter=n_iter,
            )  # fmt: skip
            samples = result.samples.folded(inputs.columns, scale)
            if before is not None:
                samples = before.samples.concatenated(samples)
            if plan.n_kept_samples is not None:
                samples = samples.newest(plan.n_kept_samples)
            fitted = FittedPosterior(samples, target, response, inputs, scale, encoder)
            if "feature_names_in_" not in names:
                self.__dict__.pop("feature_names_in_", None)
            self.__dict__.update(
                names, _chain=chain, _fitted=fitted, history_=result.history,
                n_iter_=result.n_iter, rhat_=result.rhat,
            )  # fmt: skip
        return self

    def _publisher(self, callbacks: list[Callable], names: dict[str, Any]) -> AfterSweep:
        """A function that shows the chain's state to callbacks; they say whether to stop."""

        def after_sweep(chain: Chain, history: dict, n_iter: int) -> bool:
            if not callbacks:
                return False
            self.__dict__.update(names, _chain=chain, history_=history, n_iter_=n_iter)
            stops = [bool(callback(self, history)) for callback in callbacks]
            return any(stops)

        return after_sweep

    def _check_data(self, X: Any, y: Any, *, reset: bool, name: str = "X") -> tuple[Any, Any]:
        rows = check_features(self, X, PlainInput(), reset=reset, dtype=self.dtype, name=name, y=y)
        return rows, check_target(y, X, is_numeric=self._rules().is_numeric)

    def _chain_to_go_on(self, plan: SamplingPlan, n_features: int) -> Chain:
        if "_chain" not in vars(self):
            raise ValueError(
                "The model was saved without the state of its chain (optimizer_state=False), so "
                "sampling cannot go on. Fit anew with warm_start=False."
            )
        plan.check_same_kind(self._chain, n_features)
        return self._chain.copy()

    def _validation(
        self, eval_set: Any, target: RealTarget | ClassTarget, inputs: PlainInput, encoder: Any
    ) -> RunningMean | None:
        if eval_set is None:
            return None
        X, y, weights = split_eval_set(eval_set, PlainInput())
        if weights is not None:
            raise ValueError("The Bayesian estimators take no weights; give eval_set as (X, y).")
        X = encoded(self, X, encoder, "eval_set")
        rows, y = self._check_data(X, y, reset=False, name="eval_set")
        return RunningMean(inputs.finish(rows, X), self._encode(target, y))

    # Prediction --------------------------------------------------------------------------------

    def _model_to_score(self) -> FittedPosterior:
        """The model, with what parameters say of predictions now."""
        return self._fitted

    def _values(self, X: Any) -> tuple[FittedPosterior, Iterator[np.ndarray]]:
        """The model, and each kept draw's predictions of the rows of X."""
        check_is_fitted(self)
        now = as_of_now(self)
        model, n_jobs = now._model_to_score(), effective_n_jobs(now.n_jobs)
        now.n_features_in_ = model.n_features
        X, _, _ = unpacked(X, None, None, PlainInput(), to_fit=False)
        X = encoded(now, X, model.encoder)
        rows = check_features(now, X, PlainInput(), reset=False, dtype="float32")
        return model, model.values(rows, n_jobs)

    def _mean_value(self, X: Any) -> tuple[FittedPosterior, Any]:
        model, values = self._values(X)
        total: Any = 0.0
        for value in values:
            total = total + value
        return model, total / len(model.samples)

    def sample_predictions(self, X: Any) -> np.ndarray:
        """What each kept draw of the parameters predicts, without the noise of an observation.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_draws, n_samples), float64
        """
        return np.array(list(self._values(X)[1]))


def _learned_input(plan: SamplingPlan, rows: Any, X: Any) -> tuple[PlainInput, Any]:
    """How X is read, with the scaling that the plan wants, and its rows so."""
    centres = plan.fit_intercept and plan.fit_linear
    return PlainInput().learn(rows, X, scales=plan.scaling, centres=centres, shortens=True)
