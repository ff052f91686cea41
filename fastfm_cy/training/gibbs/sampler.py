"""Gibbs sampling of a factorization machine with libFM's hierarchical priors.

    targets         y ~ N(score, 1 / alpha)             alpha ~ Gamma(alpha_0 / 2, gamma_0 / 2)
    parameters      theta ~ N(mu, 1 / lambda)           of each group, factor by factor
    their priors    mu ~ N(mu_0, 1 / (beta_0 lambda))   lambda ~ Gamma(alpha_0 / 2, gamma_0 / 2)

with gammas by shape and rate, as in Rendle, "Factorization Machines with libFM", TIST 2012, and
Freudenthaler, Schmidt-Thieme, Rendle, "Bayesian Factorization Machines", 2011. The conditionals of
the parameters are in ``kernels/coordinate/sweeps.pxi``, those of their priors here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data.inputs import Rows
from ...kernels.dispatch import coordinate
from ...model.starts import Starts, new_key
from ...model.table import ParameterTable
from ..coordinate.row_cache import FACTOR_TILE
from ..coordinate.sweeper import Sweeper
from .cutpoints import cutpoints_of
from .likelihoods import Likelihood


@dataclass(frozen=True)
class Priors:
    """Hyper-parameters; libFM fixes them at these values."""

    alpha_0: float = 1.0
    beta_0: float = 1.0
    gamma_0: float = 1.0
    mu_0: float = 0.0


@dataclass
class Chain:
    """The current state of a chain: all that the next iteration depends on, but for the data."""

    table: ParameterTable
    alpha: float
    linear_prior: np.ndarray
    """Precision and mean a group: (n_groups, 2)."""
    precisions: np.ndarray
    """Of the factors: (n_groups, n_factors)."""
    means: np.ndarray
    rng: np.random.Generator
    free_cutpoints: np.ndarray
    """Of an ordinal model, as cutpoints.py has them; else empty."""

    @classmethod
    def start(
        cls, n_features: int, n_factors: int, n_groups: int, dtype: Any, init_scale: float,
        rng: np.random.Generator,
    ) -> Chain:  # fmt: skip
        """Linear weights at zero, factors drawn."""
        table = ParameterTable(n_features, n_factors, dtype, is_tiled=True)
        table.start_key = new_key(rng)
        Starts(init_scale).write(table)
        return cls(
            table, 1.0, np.tile([1.0, 0.0], (n_groups, 1)),
            np.ones((n_groups, n_factors)), np.zeros((n_groups, n_factors)), rng, np.empty(0),
        )  # fmt: skip

    @property
    def n_factors(self) -> int:
        return self.table.n_factors

    @property
    def n_groups(self) -> int:
        return len(self.linear_prior)

    @property
    def factors(self) -> np.ndarray:
        return self.table.factor_vectors

    @property
    def cutpoints(self) -> np.ndarray:
        return cutpoints_of(self.free_cutpoints)

    def is_finite(self) -> bool:
        """Whether every number is."""
        small = self.alpha, self.linear_prior, self.precisions, self.means, self.cutpoints
        return self.table.is_finite() and all(np.isfinite(numbers).all() for numbers in small)

    def copy(self) -> Chain:
        return copy.deepcopy(self)


class Sampler:
    """Draws the next state of a chain.

    Parameters
    ----------
    rows : CSRRows
    target : RegressionTarget, ProbitTarget or OrdinalTarget
    groups : int32 array of shape (n_features,)
    chain : Chain
    priors : Priors
    fit_intercept, fit_linear : bool
    n_jobs : int
        Threads; the states do not depend on it.
    """

    def __init__(
        self, rows: Rows, target: Likelihood, groups: np.ndarray, chain: Chain, priors: Priors, *,
        fit_intercept: bool, fit_linear: bool, n_jobs: int,
    ) -> None:  # fmt: skip
        self.rows, self.target, self.groups, self.chain = rows, target, groups, chain
        self.priors, self.fit_intercept, self.fit_linear = priors, fit_intercept, fit_linear
        self.n_jobs = n_jobs
        self.sweeper = Sweeper(rows, chain.table, groups, chain.n_factors, n_jobs=n_jobs)
        self.errors = self.sweeper.errors
        self.group_sizes = np.bincount(groups, minlength=len(chain.linear_prior))

    def __enter__(self) -> Sampler:
        self.sweeper.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.sweeper.__exit__(*error)

    def iterate(self) -> np.ndarray:
        """One sweep over everything; the scores that it started from."""
        chain = self.chain
        scores = self.sweeper.scores()
        self.errors[...] = self.target.errors(scores, chain)
        self._draw_alpha()
        if self.fit_intercept:
            self._draw_intercept()
        if self.fit_linear:
            weights = chain.table.coef[:, None]
            self._draw_priors(weights, chain.linear_prior[:, :1], chain.linear_prior[:, 1:])
            self._draw_linear()
        if chain.n_factors:
            self._draw_priors(chain.factors, chain.precisions, chain.means)
            self._draw_factors()
        return scores

    def _draw_alpha(self) -> None:
        if not self.target.has_noise:
            return
        priors, square = self.priors, float(np.square(self.errors, dtype=np.float64).sum())
        shape, rate = priors.alpha_0 + len(self.errors), priors.gamma_0 + square
        self.chain.alpha = self.chain.rng.gamma(shape / 2, 2 / rate)

    def _draw_intercept(self) -> None:
        """With a flat prior, as in libFM."""
        chain, n_rows = self.chain, len(self.errors)
        mean = -float(self.errors.mean(dtype=np.float64))
        step = mean + chain.rng.standard_normal() / np.sqrt(chain.alpha * n_rows)
        chain.table.intercept[0, 0] += step
        self.errors += chain.table.dtype.type(step)

    def _draw_priors(self, weights: np.ndarray, precisions: np.ndarray, means: np.ndarray) -> None:
        """Of each group of features and column of weights, given the weights; in place."""
        priors, rng, sizes = self.priors, self.chain.rng, self.group_sizes[:, None]
        sums, squares = np.zeros((2, *means.shape))
        coordinate.group_moments(weights, self.groups, np.ascontiguousarray(means), sums, squares)
        rate = squares + priors.beta_0 * np.square(means - priors.mu_0) + priors.gamma_0
        precisions[...] = rng.gamma((priors.alpha_0 + sizes + 1) / 2, 2 / rate)
        count = sizes + priors.beta_0
        mean = (sums + priors.beta_0 * priors.mu_0) / count
        means[...] = mean + rng.standard_normal(mean.shape) / np.sqrt(count * precisions)

    def _draw_linear(self) -> None:
        chain = self.chain
        normals = chain.rng.standard_normal(self.rows.n_features)
        self.sweeper.sweep_linear(chain.alpha, chain.linear_prior, normals)

    def _draw_factors(self) -> None:
        chain, shape = self.chain, (self.rows.n_features, FACTOR_TILE)
        self.sweeper.sweep_factors(
            chain.alpha, chain.precisions, chain.means, lambda: chain.rng.standard_normal(shape)
        )
