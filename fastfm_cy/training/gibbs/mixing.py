"""Mixing: whether the draws of a chain come from one distribution, by split R-hat.

Draws are cut into two halves, which are taken for two chains (Gelman et al., "Bayesian Data
Analysis", 3rd ed. 2013, section 11.4). It is the training error that is looked at: predictions of
single rows vary too much to tell.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

# A warning takes a split R-hat of more than this, ...
_LARGEST = 1.05
# ... and halves whose mean errors are so far apart, as a share. Chains on ratings walk slowly (an
# R-hat of 2, errors that fall by a tenth), and longer ones predict no better; where errors fall by
# more, they do.
_APART = 0.2
_FEWEST_DRAWS = 40  # a chain that was asked for less is not expected to get anywhere


def split_rhat(draws: np.ndarray) -> float:
    """The root of the variance of two half chains taken together over that within them.

    Parameters
    ----------
    draws : array of shape (n_draws,)
        Of one chain, in order; of an odd number, that in the middle is left out.

    Returns
    -------
    float
        NaN for fewer than four draws.
    """
    half = len(draws) // 2
    if half < 2:
        return float("nan")
    halves = np.array([draws[:half], draws[-half:]], dtype=np.float64)
    within = halves.var(axis=1, ddof=1).mean()
    between = half * halves.mean(axis=1).var(ddof=1)
    if between == 0:
        return float(np.sqrt((half - 1) / half))
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.sqrt((half - 1 + between / within) / half))


def check_mixing(errors: np.ndarray, error_name: str, n_burn_in: int, *, scaling: bool) -> float:
    """Warn if the training errors after the burn-in say that the chain has not mixed.

    Parameters
    ----------
    errors : array of shape (n_draws,)
        After the burn-in.
    error_name : str
    n_burn_in : int
    scaling : bool
        Whether columns and targets were brought to unit scale.

    Returns
    -------
    float
        The split R-hat.
    """
    rhat = split_rhat(errors)
    half = len(errors) // 2
    if len(errors) < _FEWEST_DRAWS or rhat <= _LARGEST:
        return rhat
    first, second = float(np.mean(errors[:half])), float(np.mean(errors[-half:]))
    if abs(first - second) > _APART * max(first, second):
        advice = "" if scaling else ", or set scaling='auto'"
        warnings.warn(
            f"The chain has not mixed: the training {error_name} is {first:.4g} on average in the "
            f"first half of the {len(errors)} draws after n_burn_in={n_burn_in}, {second:.4g} in "
            f"the second (split R-hat {rhat:.2f}, which should be below {_LARGEST}). A longer "
            f"chain may predict better: raise max_iter and n_burn_in{advice}.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return rhat
