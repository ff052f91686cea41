"""Gates: what is changed in place is seen by other threads before or after, never meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from weakref import WeakKeyDictionary


class _Gate:
    """Any number of readers, or one who changes; who wants to change goes before new readers."""

    def __init__(self) -> None:
        self.turns, self.n_readers, self.n_changing = Condition(), 0, 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self.turns:
            self.turns.wait_for(lambda: not self.n_changing)
            self.n_readers += 1
        try:
            yield
        finally:
            with self.turns:
                self.n_readers -= 1
                self.turns.notify_all()

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.turns:
            self.n_changing += 1
        try:
            with self.turns:
                self.turns.wait_for(lambda: not self.n_readers)
            yield
        finally:
            with self.turns:
                self.n_changing -= 1
                self.turns.notify_all()


# By what they are for: no copy or pickle of that takes its gate along.
_gates: WeakKeyDictionary[object, _Gate] = WeakKeyDictionary()
_lock = Lock()


def _begin_anew() -> None:
    """In a child, which has none of the threads that hold a gate."""
    _gates.clear()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_begin_anew
    )


def _gate_of(thing: object) -> _Gate:
    with _lock:
        return _gates.setdefault(thing, _Gate())


@contextmanager
def reading(thing: object) -> Iterator[None]:
    """A context in which nobody is `changing` it."""
    with _gate_of(thing).reading():
        yield


@contextmanager
def changing(thing: object) -> Iterator[None]:
    """A context in which nobody is `reading` it; one thread at a time may be in it."""
    with _gate_of(thing).changing():
        yield
