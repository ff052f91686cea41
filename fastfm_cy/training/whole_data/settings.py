"""Settings of losses over whole data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WholeDataSettings:
    """What the pairs weigh, and how regularisation grows.

    Parameters
    ----------
    unobserved_weight : float >= 0
        Weight w0 of a pair's square.
    alpha : float > 0
        An interaction of weight r has the confidence alpha r.
    counts_observed : bool, default=True
        Whether the squares of observed pairs count among all (Rendle et al., RecSys 2022); if not,
        their confidence is all that they weigh (Hu et al., ICDM 2008).
    frequency_power : float >= 0, default=0
        An L2 strength is multiplied by that power of what the pairs of a feature weigh together.
    """

    unobserved_weight: float
    alpha: float = 1.0
    counts_observed: bool = True
    frequency_power: float = 0.0
