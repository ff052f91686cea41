"""Solvers: a row for each; the update is in ``kernels/gradient/solver_steps.pxd``.

docs/extending/solver.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..kernels.common.settings import SolverCode
from .gradient.ftrl import match_state


@dataclass(frozen=True)
class Solver:
    """A solver: its kernel code, its state beside the parameters, and its defaults."""

    code: SolverCode
    learning_rate: float
    l2_linear: dict[str, float]
    """By the task, "regression" or "classification"."""
    l2_factors: dict[str, float]
    state_start: tuple[float, ...] = ()
    """Start value of each number of state kept beside a parameter."""
    state_adds: tuple[bool, ...] = ()
    """Of each: whether it is a sum over rows, so that threads' moves add up, or a mean."""
    n_row_state: int = 0
    """Numbers of state of a feature as a whole, all means."""
    steps_shrink: bool = False
    """Whether steps get ever smaller, so that a frequent feature's factors never settle."""
    schedules: bool = True
    """Whether the learning rate may change from epoch to epoch."""
    losses: tuple[str, ...] | None = None
    """Losses that it can minimise; None is all."""
    learns_strengths: bool = True
    """Whether its L2 strengths act step by step, as learning them ("auto") assumes."""
    candidates: tuple[dict, ...] = ()
    """Settings that tuning tries, from the most to the least shrunk."""
    step_norm: int | None = None
    """Which power of a row's values bounds its default steps (training/step_size.py)."""
    by_columns: bool = False
    """Whether it makes exact steps, a column at a time (training/coordinate/), and needs all rows
    in memory and one output."""
    match_state: Callable | None = None
    """(table, strengths, settings, rows) sets the state that belongs to given weights, where
    weights are a function of their state."""

    def remedy(self, learning_rate: float, scaling: str) -> str:
        """What may help if it diverges or gets nowhere, for messages; `scaling` is a part of it."""
        advice = [scaling] if scaling else []
        if not self.by_columns:
            advice.insert(0, f"lower learning_rate (it is {learning_rate:.3g})")
        if not (self.steps_shrink or self.by_columns):
            advice.append("use solver='adagrad', whose steps shrink")
        last = "weaken l2_linear and l2_factors"
        text = f"{', '.join(advice)}, or {last}" if advice else last
        return text[0].upper() + text[1:]


def _grid(*settings: tuple[float, float, float]) -> tuple[dict[str, float], ...]:
    """From (learning_rate, l2_factors, l2_linear)."""
    names = "learning_rate", "l2_factors", "l2_linear"
    return tuple(dict(zip(names, values, strict=True)) for values in settings)


def _by_task(regression: float, classification: float) -> dict[str, float]:
    return {"regression": regression, "classification": classification}


SOLVERS = {
    "sgd": Solver(
        SolverCode.SGD, 0.02, _by_task(0.02, 0.02), _by_task(0.07, 0.002), step_norm=2,
        candidates=_grid(
            (0.004, 0.8, 0.02), (0.006, 0.05, 0.02), (0.006, 0.05, 1e-4), (0.025, 0.002, 1e-4)
        ),
    ),
    "adagrad": Solver(
        SolverCode.ADAGRAD, 0.05, _by_task(0.02, 0.02), _by_task(0.07, 0.002),
        state_start=(1.0,), state_adds=(True,), steps_shrink=True,
        candidates=_grid(
            (0.02, 0.8, 0.02), (0.06, 0.05, 0.02), (0.02, 0.05, 1e-4), (0.2, 0.002, 1e-4)
        ),
    ),
    # The moments of the gradient, and for each feature the corrections of their bias.
    "adam": Solver(
        SolverCode.ADAM, 0.002, _by_task(0.02, 0.002), _by_task(0.07, 0.002),
        state_start=(0.0, 0.0), state_adds=(False, False), n_row_state=2, step_norm=1,
        candidates=_grid(
            (0.001, 0.3, 0.02), (0.002, 0.07, 0.02), (0.004, 0.01, 0.002), (0.01, 0.002, 2e-4)
        ),
    ),
    "adamw": Solver(
        SolverCode.ADAMW, 0.002, _by_task(0.02, 0.02), _by_task(0.3, 0.02),
        state_start=(0.0, 0.0), state_adds=(False, False), n_row_state=2, step_norm=1,
    ),
    # z and the sum of squared gradients, as the paper names them (gradient/ftrl.py).
    "ftrl": Solver(
        SolverCode.FTRL, 0.1, _by_task(2.0, 1.0), _by_task(60.0, 5.0),
        state_start=(0.0, 0.0), state_adds=(False, True), steps_shrink=True,
        schedules=False, learns_strengths=False, match_state=match_state,
        candidates=_grid((0.01, 200.0, 5.0), (0.05, 60.0, 2.0), (0.1, 5.0, 0.5), (0.3, 0.5, 0.1)),
    ),
}  # fmt: skip
"""Of gradient descent, a row at a time."""

# Its kernels take no code of a solver, and it has no steps whose size one could choose.
COORDINATE_SOLVERS = {
    "als": Solver(
        SolverCode.SGD, 1.0, _by_task(3.0, 1.0), _by_task(12.0, 6.0),
        schedules=False, losses=("squared_error", "log_loss", "probit", "squared_hinge"),
        learns_strengths=False, by_columns=True,
        candidates=_grid((1.0, 400.0, 20.0), (1.0, 60.0, 3.0), (1.0, 12.0, 0.3), (1.0, 12.0, 0.03)),
    ),
}  # fmt: skip
"""Of exact steps, a column at a time."""

ALL_SOLVERS = SOLVERS | COORDINATE_SOLVERS
