"""Sampling plan: the hyper-parameters of one Bayesian fit, resolved and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...model.posterior import bytes_of
from ...utils.checks import shown
from ...utils.memory import check_memory
from ..regularization import check_groups
from .sampler import Chain, Priors


@dataclass(frozen=True)
class SamplingPlan:
    """What the parameters of a Bayesian estimator say of sampling."""

    n_factors: int
    max_iter: int
    n_burn_in: int
    thin: int
    n_kept_samples: int | None
    feature_groups: Any
    init_scale: float
    priors: Priors
    fit_intercept: bool
    fit_linear: bool
    max_memory: Any
    """As the user gave it."""
    n_jobs: int
    verbose: int
    dtype: str
    scaling: bool = True
    """Whether columns and targets are brought to unit scale."""

    def groups(self, n_features: int) -> np.ndarray:
        """int32, the group of each feature."""
        groups = check_groups(self.feature_groups, n_features)
        return np.zeros(n_features, dtype=np.int32) if groups is None else groups

    def n_groups(self, n_features: int) -> int:
        return int(self.groups(n_features).max(initial=0)) + 1

    def new_chain(self, n_features: int, rng: np.random.Generator) -> Chain:
        n_groups = self.n_groups(n_features)
        return Chain.start(n_features, self.n_factors, n_groups, self.dtype, self.init_scale, rng)

    def check_same_kind(self, chain: Chain, n_features: int) -> None:
        """Refuse to go on with a chain that the plan's parameters cannot have."""
        for name, now, before in (
            ("n_factors", self.n_factors, chain.n_factors),
            ("dtype", np.dtype(self.dtype), chain.table.dtype),
            ("the number of feature_groups", self.n_groups(n_features), chain.n_groups),
            ("the number of features", n_features, chain.table.n_features),
        ):
            if now != before:
                raise ValueError(
                    "n_factors and dtype cannot change while sampling goes on (warm_start), nor "
                    f"can the numbers of features and of feature_groups: {name} was {before}, now "
                    f"it is {now}. Fit anew with warm_start=False."
                )

    def n_to_keep(self, size: tuple[int, int, int], n_iter: int, n_before: int) -> int:
        """How many draws a fit keeps; an error if their memory exceeds the limit.

        Parameters
        ----------
        size : tuple
            Of a draw: numbers of features, factors and cutpoints.
        n_iter, n_before : int
            Sweeps so far, and draws kept so far.
        """
        after = max(0, n_iter + self.max_iter - self.n_burn_in)
        n_kept = after // self.thin - max(0, n_iter - self.n_burn_in) // self.thin
        if n_kept < 1:
            raise ValueError(
                f"max_iter={self.max_iter} leaves no draw to keep after n_burn_in={self.n_burn_in} "
                f"with thin={self.thin}; use more iterations or a shorter burn-in."
            )
        in_all = n_kept + n_before
        if self.n_kept_samples is not None:
            n_kept = min(n_kept, self.n_kept_samples)
            in_all = min(n_kept + n_before, self.n_kept_samples)
        self._check_memory(in_all, size)
        return n_kept

    def _check_memory(self, n_samples: int, size: tuple[int, int, int]) -> None:
        limit, needed = check_memory(self.max_memory), bytes_of(n_samples, *size)
        if self.verbose:
            print(f"{n_samples} samples take {needed / 1e6:.1f} MB")
        if needed > limit:
            raise ValueError(
                f"{n_samples} samples of {size[0]} features take {needed / 1e6:.1f} MB, more than "
                f"max_memory={shown(self.max_memory)}. Raise it, thin more, or set n_kept_samples "
                f"to at most {limit // bytes_of(1, *size)}."
            )
