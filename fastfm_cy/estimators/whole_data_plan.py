"""Parameters of losses over whole data: their checks, and what they do not go with."""

from __future__ import annotations

from typing import Any

from ..training.ranking.losses import RankingLoss
from ..training.solvers import Solver
from ..training.whole_data.settings import WholeDataSettings
from ..utils.checks import check_bool, check_real

_OWN = {
    "unobserved_weight": None, "alpha": 1.0, "counts_observed": True, "frequency_power": None,
}  # fmt: skip
_NOT_THEIRS = {"learning_rate": None, "schedule": "constant", "negatives": "uniform"}


def whole_data_settings(
    params: dict[str, Any], loss: RankingLoss, solver: Solver
) -> WholeDataSettings | None:
    """What a loss over whole data takes of the parameters; None for a loss that draws negatives.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, also of parameters that would have no effect.
    """
    name = params["loss"]
    if loss.is_whole != solver.by_columns:
        raise ValueError(
            f"solver={params['solver']!r} does not go with loss={name!r}: "
            + ("it needs solver='als'." if loss.is_whole else "use solver='adagrad', for one.")
        )
    if not loss.is_whole:
        _refuse_others(params, _OWN, "is of losses over whole data")
        return None
    _refuse_others(params, _NOT_THEIRS, "has no meaning there")
    for strength in ("l1_linear", "l1_factors"):
        given = params[strength]
        if any(given.values()) if isinstance(given, dict) else given:
            raise ValueError(f"loss={name!r}: {strength} must be 0; got {given!r}.")
    weight, power = (
        getattr(loss, key) if params[key] is None else check_real(params[key], key)
        for key in ("unobserved_weight", "frequency_power")
    )
    return WholeDataSettings(
        float(weight), check_real(params["alpha"], "alpha", above=True),
        check_bool(params["counts_observed"], "counts_observed"), float(power),
    )  # fmt: skip


def _refuse_others(params: dict[str, Any], defaults: dict[str, Any], why: str) -> None:
    for name, default in defaults.items():
        if name in params and params[name] != default:
            raise ValueError(
                f"loss={params['loss']!r}: {name}={params[name]!r} {why}; leave it at {default!r}."
            )
