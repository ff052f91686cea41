"""Crews: the sessions of a fit, wherever they are, called all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .session import Session


class Crew(Protocol):
    """The sessions of a fit, in an order that never changes."""

    n_sessions: int

    def each(self, method: str, *arguments: Any, per_session: Sequence[tuple] = ()) -> list[Any]:
        """What each session's method returns, in their order.

        It takes `arguments`, and behind them those of `per_session`, if there are any.
        """

    def one(self, session: int, method: str, *arguments: Any) -> Any:
        """What the method of one session returns."""


class CrewOfOneProcess:
    """All sessions in this process, one after the other: a cluster, simulated."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions, self.n_sessions = list(sessions), len(sessions)

    def each(self, method: str, *arguments: Any, per_session: Sequence[tuple] = ()) -> list[Any]:
        own = per_session or [()] * self.n_sessions
        return [
            getattr(session, method)(*arguments, *more)
            for session, more in zip(self.sessions, own, strict=True)
        ]

    def one(self, session: int, method: str, *arguments: Any) -> Any:
        return getattr(self.sessions[session], method)(*arguments)


class SessionsLost(RuntimeError):
    """Sessions are gone with their workers; others stand in their place, at their start."""
