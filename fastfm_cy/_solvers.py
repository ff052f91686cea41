"""What Python knows of each solver; its update is in ``kernels/update.pxd``."""

from dataclasses import dataclass

from .kernels.settings import SolverCode


@dataclass(frozen=True)
class Solver:
    """A solver: its kernel code, its state beside each parameter, and its default rate."""

    code: SolverCode
    state_start: tuple[float, ...]
    """Start value of each number of state kept beside a parameter."""
    steps_shrink: bool
    """Whether steps get ever smaller, so that a frequent feature's factors never settle."""
    learning_rate: float
    """Default of ``learning_rate``; benchmarks/README.md says how it was chosen."""


SOLVERS = {
    "sgd": Solver(SolverCode.SGD, (), steps_shrink=False, learning_rate=0.02),
    "adagrad": Solver(SolverCode.ADAGRAD, (1.0,), steps_shrink=True, learning_rate=0.05),
}
