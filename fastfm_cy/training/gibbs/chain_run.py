"""Chain run: all sweeps of a fit, the draws that they leave, and their history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ...data.inputs import Rows
from ...exceptions import DivergenceError
from ...model.posterior import Samples
from ...model.responses import Response
from ...model.scoring import score_rows
from ..coordinate.sweeper import not_finite
from ..early_stopping import History
from .likelihoods import Likelihood
from .mixing import check_mixing
from .plan import SamplingPlan
from .sampler import Chain, Sampler

AfterSweep = Callable[[Chain, History, int], bool]
"""Called with the chain, the history and the number of sweeps so far; says whether to stop."""


@dataclass(frozen=True)
class ChainResult:
    """What a run of a chain gives back."""

    samples: Samples
    history: History
    n_iter: int
    """Sweeps, those before this run included."""
    rhat: float
    """Split R-hat of the training error after the burn-in."""


class RunningMean:
    """Validation rows, and the mean of what the draws so far predict for them."""

    def __init__(self, rows: Rows, y: np.ndarray) -> None:
        self.rows, self.y = rows, y
        self.begin_anew()

    def begin_anew(self) -> None:
        self.mean: float | np.ndarray = 0.0
        self.n = 0

    def add(self, drawn: np.ndarray) -> np.ndarray:
        self.mean = (self.mean * self.n + drawn) / (self.n + 1)
        self.n += 1
        return self.mean


def run_chain(
    plan: SamplingPlan, rows: Rows, likelihood: Likelihood, response: Response, chain: Chain, *,
    y: np.ndarray, n_kept: int, validation: RunningMean | None = None, after_sweep: AfterSweep,
    history: History, n_iter: int,
) -> ChainResult:  # fmt: skip
    """Sweep `plan.max_iter` times, from the state of the chain on, which changes in place.

    Parameters
    ----------
    plan : SamplingPlan
    rows : CSRRows or RelationalRows
    likelihood : RegressionTarget, ProbitTarget or OrdinalTarget
    response : Response
    chain : Chain
    y : array of shape (n_rows,)
        The targets as the response has them.
    n_kept : int
        Most draws to keep, the last ones.
    validation : RunningMean, default=None
    after_sweep : function
    history : dict of lists
        So far; what comes is added in place.
    n_iter : int
        Sweeps so far.
    """
    run = _Run(plan, rows, likelihood, response, chain, y, n_kept, validation, history, n_iter)
    return run.all_sweeps(after_sweep)


class _Run:
    def __init__(
        self, plan: SamplingPlan, rows: Rows, likelihood: Likelihood, response: Response,
        chain: Chain, y: np.ndarray, n_kept: int, validation: RunningMean | None,
        history: History, n_iter: int,
    ) -> None:  # fmt: skip
        self.y, self.spread = y, getattr(getattr(response, "scale", None), "spread", 1.0)
        self.plan, self.likelihood, self.response, self.chain = plan, likelihood, response, chain
        self.validation, self.history, self.n_iter = validation, history, n_iter
        self.sampler = Sampler(
            rows, likelihood, plan.groups(rows.n_features), chain, plan.priors,
            fit_intercept=plan.fit_intercept, fit_linear=plan.fit_linear, n_jobs=plan.n_jobs,
        )  # fmt: skip
        n_cutpoints = likelihood.n_cutpoints
        self.samples = Samples.empty(n_kept, rows.n_features, plan.n_factors, n_cutpoints)
        self.n_drawn = 0

    def all_sweeps(self, after_sweep: AfterSweep) -> ChainResult:
        plan = self.plan
        with (
            self.sampler,
            tqdm(total=plan.max_iter, unit="draw", disable=not plan.verbose) as bar,
        ):
            for _ in range(plan.max_iter):
                shown = {f"train {self.response.error_name}": self._sweep()}
                self._keep()
                if self.validation:
                    shown[f"validation {self.response.error_name}"] = self._validate(
                        self.validation
                    )
                bar.set_postfix(
                    {name: f"{error:.4f}" for name, error in shown.items()}, refresh=False
                )
                bar.update()
                if after_sweep(self.chain, self.history, self.n_iter):
                    break
        if self.n_drawn == 0:
            raise ValueError("A callback stopped sampling before the first draw was kept.")
        rhat = check_mixing(
            np.array(self.history[self._train_error][plan.n_burn_in :]),
            self.response.error_name, plan.n_burn_in, scaling=plan.scaling,
        )  # fmt: skip
        return ChainResult(_in_order(self.samples, self.n_drawn), self.history, self.n_iter, rhat)

    @property
    def _train_error(self) -> str:
        return f"train_{self.response.error_name}"

    def _sweep(self) -> float:
        """One sweep, into the history; the error of the draw before it."""
        start = perf_counter()
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # found below
                scores = self.sampler.iterate()
        except DivergenceError:
            raise
        except (np.linalg.LinAlgError, ArithmeticError) as reason:
            raise not_finite(self.n_iter + 1, self.plan.dtype) from reason
        seconds = perf_counter() - start
        self.n_iter += 1
        chain = self.chain
        if not chain.is_finite():
            raise not_finite(self.n_iter, self.plan.dtype)
        self._record("seconds", seconds)
        self._record("alpha", chain.alpha / self.spread**2)
        value = self.response.value(scores, chain.cutpoints)
        error = self.response.error(value, self.y)
        self._record(self._train_error, error)
        return error

    def _keep(self) -> None:
        after = self.n_iter - self.plan.n_burn_in
        if after > 0 and after % self.plan.thin == 0:
            self.samples.record(self.n_drawn % len(self.samples), self.chain)
            self.n_drawn += 1

    def _validate(self, validation: RunningMean) -> float:
        chain = self.chain
        scores = score_rows(chain.table, validation.rows, self.plan.n_jobs)[:, 0]
        drawn = self.response.value(scores, chain.cutpoints)
        if self.n_iter - self.plan.n_burn_in == 1:
            validation.begin_anew()  # without the burn-in
        error = self.response.error(validation.add(drawn), validation.y)
        self._record(f"validation_{self.response.error_name}", error)
        return error

    def _record(self, name: str, value: float) -> None:
        self.history.setdefault(name, []).append(float(value))


def _in_order(samples: Samples, n_drawn: int) -> Samples:
    """Samples were written round and round; the oldest first, and none that was not written."""
    n_kept = len(samples)
    if n_drawn % n_kept == 0:
        return samples
    if n_drawn < n_kept:
        return Samples(*(array[:n_drawn].copy() for array in samples.arrays))
    return Samples(*(np.roll(array, -(n_drawn % n_kept), axis=0) for array in samples.arrays))
