"""What the Bayesian estimators share: parameters, sampling, samples."""

from time import perf_counter

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from ..data.dataset import Dataset
from ..model.posterior import Samples, bytes_of
from ..model.scoring import score_rows
from ..training.coordinate.sweeper import not_finite
from ..training.gibbs.sampler import Chain, Priors, Sampler
from ..training.regularization import check_groups
from ..utils.checks import (
    check_bool,
    check_callbacks,
    check_choice,
    check_eval_set,
    check_integer,
    check_real,
)
from ..utils.memory import check_memory
from .base import BaseMachine, unchanged_on_error
from .hyperparameters import DTYPES


class BaseBayesianFM(BaseMachine):
    """Gibbs sampling; subclasses say what the target and a score mean."""

    _fitted_name = "_samples"

    @property
    def intercept_(self):
        """float : posterior mean of the bias."""
        return float(self._fitted("intercept_").intercept.mean(dtype=np.float64))

    @property
    def coef_(self):
        """ndarray of shape (n_features,) : posterior means of the linear weights."""
        return self._fitted("coef_").linear.mean(axis=0, dtype=np.float64)

    @property
    def n_samples_(self):
        """int : number of draws that are kept."""
        return len(self._fitted("n_samples_"))

    def _check_parameters(self):
        check_integer(self.n_factors, "n_factors", 0)
        check_integer(self.max_iter, "max_iter", 1)
        check_integer(self.n_burn_in, "n_burn_in", 0)
        check_integer(self.thin, "thin", 1)
        if self.n_kept_samples is not None:
            check_integer(self.n_kept_samples, "n_kept_samples", 1)
        check_integer(self.verbose, "verbose", 0)
        if self.n_jobs is not None:
            check_integer(self.n_jobs, "n_jobs", -1)
        for name in ("init_scale", "alpha_0", "beta_0", "gamma_0"):
            check_real(getattr(self, name), name, above=True)
        check_real(self.mu_0, "mu_0", -np.inf)
        for name in ("fit_intercept", "fit_linear", "warm_start"):
            check_bool(getattr(self, name), name)
        check_choice(self.dtype, "dtype", DTYPES)

    def _fit(self, X, y, eval_set, callbacks):
        X, y, weights = self._unpacked(X, y, to_fit=True)
        if weights is not None:
            raise ValueError("The Bayesian estimators take no weights; fit(dataset.X, dataset.y).")
        with unchanged_on_error(self):
            self._check_parameters()
            continues = bool(self.warm_start) and self.__sklearn_is_fitted__()
            n_jobs = effective_n_jobs(self.n_jobs)
            rows, y = self._check_data(X, y, reset=not continues)
            target = self._target(y, continues=continues)
            n_kept = self._n_to_keep(rows.n_features, continues)
            chain = self._chain_to_go_on() if continues else self._new_chain(rows.n_features)
            validation = self._validation(eval_set)
            sampler = Sampler(
                rows, target, self._groups(rows.n_features), chain,
                Priors(self.alpha_0, self.beta_0, self.gamma_0, self.mu_0),
                fit_intercept=self.fit_intercept, fit_linear=self.fit_linear, n_jobs=n_jobs,
            )  # fmt: skip
            self._chain = chain  # for callbacks
            samples = self._run(sampler, n_kept, validation, callbacks)
            self._samples = self._samples.followed_by(samples) if continues else samples
            if self.n_kept_samples is not None:
                self._samples = self._samples.last(self.n_kept_samples)
        return self

    def _groups(self, n_features):
        groups = check_groups(self.feature_groups, n_features)
        return np.zeros(n_features, dtype=np.int32) if groups is None else groups

    def _new_chain(self, n_features):
        n_groups = int(self._groups(n_features).max(initial=0)) + 1
        chain = Chain.start(
            n_features, self.n_factors, n_groups, self.dtype, self.init_scale, self._new_rng()
        )  # fmt: skip
        self.history_, self.n_iter_ = {}, 0
        return chain

    def _chain_to_go_on(self):
        if "_chain" not in vars(self):
            raise ValueError(
                "The model was saved without the state of its chain (optimizer_state=False), so "
                "sampling cannot go on. Fit anew with warm_start=False."
            )
        chain = self._chain.copy()
        if chain.n_factors != self.n_factors or chain.table.dtype != self.dtype:
            raise ValueError(
                "n_factors and dtype cannot change while sampling goes on (warm_start); the chain "
                f"has {chain.n_factors} and {chain.table.dtype}."
            )
        self.history_ = {name: list(values) for name, values in self.history_.items()}
        return chain

    def _size(self, n_features):
        """Of a draw: numbers of features, factors and cutpoints."""
        return n_features, self.n_factors, self._n_cutpoints()

    def _n_cutpoints(self):
        return 0

    def _n_to_keep(self, n_features, continues):
        """How many draws this call keeps; an error if their memory exceeds the limit."""
        before = self.n_iter_ if continues else 0
        after = max(0, before + self.max_iter - self.n_burn_in)
        n_kept = after // self.thin - max(0, before - self.n_burn_in) // self.thin
        if n_kept < 1:
            raise ValueError(
                f"max_iter={self.max_iter} leaves no draw to keep after n_burn_in={self.n_burn_in} "
                f"with thin={self.thin}; use more iterations or a shorter burn-in."
            )
        if self.n_kept_samples is not None:
            n_kept = min(n_kept, self.n_kept_samples)
        in_all = n_kept + (len(self._samples) if continues else 0)
        if self.n_kept_samples is not None:
            in_all = min(in_all, self.n_kept_samples)
        size, limit = self._size(n_features), check_memory(self.max_memory)
        needed = bytes_of(in_all, *size)
        if self.verbose:
            print(f"{in_all} samples take {needed / 1e6:.1f} MB")
        if needed > limit:
            fit = int(limit // bytes_of(1, *size))
            raise ValueError(
                f"{in_all} samples of {n_features} features take {needed / 1e6:.1f} MB, more than "
                f"max_memory={self.max_memory!r}. Raise it, thin more, or set n_kept_samples to at "
                f"most {fit}."
            )
        return n_kept

    def _validation(self, eval_set):
        if eval_set is None:
            return None
        if isinstance(eval_set, Dataset):
            eval_set = self._unpacked(eval_set, to_fit=True)
        X, y, weights = check_eval_set(eval_set)
        if weights is not None:
            raise ValueError("The Bayesian estimators take no weights; give eval_set as (X, y).")
        rows, y = self._check_data(X, y, reset=False, name="eval_set")
        return _RunningMean(rows, self._encode(y))

    def _run(self, sampler, n_kept, validation, callbacks):
        """All iterations; the samples that they leave."""
        callbacks = check_callbacks(callbacks)
        chain = sampler.chain
        samples, n_drawn = Samples.empty(n_kept, *self._size(sampler.rows.n_features)), 0
        with sampler, tqdm(total=self.max_iter, unit="draw", disable=not self.verbose) as bar:
            for _ in range(self.max_iter):
                shown = {f"train {self._error_name}": self._iterate(sampler)}
                after = self.n_iter_ - self.n_burn_in
                if after > 0 and after % self.thin == 0:
                    samples.keep(n_drawn % n_kept, chain)
                    n_drawn += 1
                if validation:
                    scores = score_rows(chain.table, validation.rows, sampler.n_jobs)[:, 0]
                    drawn = self._value(scores, chain.cutpoints)
                    if after == 1:
                        validation.begin_anew()  # without the burn-in
                    error = self._error_of_value(validation.add(drawn), validation.y)
                    self._record(f"validation_{self._error_name}", error)
                    shown[f"validation {self._error_name}"] = error
                bar.set_postfix(
                    {name: f"{error:.4f}" for name, error in shown.items()}, refresh=False
                )
                bar.update()
                stops = [bool(callback(self, self.history_)) for callback in callbacks]
                if any(stops):
                    break
        if n_drawn == 0:
            raise ValueError("A callback stopped sampling before the first draw was kept.")
        return _in_order(samples, n_drawn)

    def _iterate(self, sampler):
        """One iteration, into the history; the error of the draw before it."""
        start = perf_counter()
        scores = sampler.iterate()
        seconds = perf_counter() - start
        self.n_iter_ += 1
        if not (sampler.chain.table.is_finite() and np.isfinite(sampler.chain.alpha)):
            raise not_finite(self.n_iter_)
        self._record("seconds", seconds)
        self._record("alpha", sampler.chain.alpha)
        value = self._value(scores, sampler.chain.cutpoints)
        error = self._error_of_value(value, sampler.target.y)
        self._record(f"train_{self._error_name}", error)
        return error

    def _record(self, name, value):
        self.history_.setdefault(name, []).append(float(value))

    # Prediction --------------------------------------------------------------------------------

    def _values(self, X):
        """Each kept draw's predictions of the rows of X."""
        check_is_fitted(self)
        n_jobs = effective_n_jobs(self.n_jobs)
        rows = self._check_rows(X, "float32", n_jobs)
        if rows.n_features != self._samples.linear.shape[1]:
            raise ValueError(
                f"X has {rows.n_features} features, the model {self._samples.linear.shape[1]}."
            )
        draws = zip(self._samples.scores(rows, n_jobs), self._samples.cutpoints, strict=True)
        return (self._value(scores, cutpoints) for scores, cutpoints in draws)

    def _mean_value(self, X):
        total = 0.0
        for value in self._values(X):
            total = total + value
        return total / len(self._samples)

    def sample_predictions(self, X):
        """What each kept draw of the parameters predicts, without the noise of an observation.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples_, n_samples), float64
        """
        return np.array(list(self._values(X)))


class _RunningMean:
    """Validation rows, and the mean of what the draws so far predict for them."""

    def __init__(self, rows, y):
        self.rows, self.y = rows, y
        self.begin_anew()

    def begin_anew(self):
        self.mean, self.n = 0.0, 0

    def add(self, drawn):
        self.mean = (self.mean * self.n + drawn) / (self.n + 1)
        self.n += 1
        return self.mean


def _in_order(samples, n_drawn):
    """Samples were written round and round; the oldest first, and none that was not written."""
    n_kept = len(samples)
    if n_drawn % n_kept == 0:
        return samples
    if n_drawn < n_kept:
        return Samples(*(array[:n_drawn].copy() for array in samples.arrays))
    return Samples(*(np.roll(array, -(n_drawn % n_kept), axis=0) for array in samples.arrays))
