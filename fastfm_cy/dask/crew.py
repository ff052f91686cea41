"""A crew on a Dask cluster: members in the memory of workers, which get their own partitions."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..training.distributed.crew import SessionsLost
from . import member
from .libraries import distributed
from .partitions import Partition

_PINNED = {"allow_other_workers": False}
_LOOK = 0.5  # seconds between two looks at the workers
_IDLE = 30.0  # seconds in which nothing happens before it is given up
_SETTING_UP = ("read", "finish", "open")
"""Methods that a member in place of one that was lost must have run anew."""
_TRAINING = ("run", "tail", "take_all", "validate")
_MOST_REPLACED = 5  # times in a row
_LOST = (distributed.CancelledError, distributed.scheduler.KilledWorker)


class DaskCrew:
    """A session for each worker that gets partitions.

    Partitions of data that a worker holds (persisted collections, futures) stay there. All others
    are made where they are needed: each worker makes a run of neighbouring ones.

    Parameters
    ----------
    client : distributed.Client
    partitions, eval_partitions : list of Partition
    """

    def __init__(self, client: Any, partitions: list, eval_partitions: list) -> None:
        self.client, self._fit = client, f"fastfm_cy-{uuid.uuid4().hex}"
        self._partitions, self._eval_partitions = partitions, eval_partitions
        workers = sorted(client.nthreads())
        if not workers:
            raise RuntimeError("The Dask cluster has no workers; start some, or wait for them.")
        owners = self._owners(partitions, workers)
        used = [worker for worker in workers if worker in owners]
        # Numbered by their first partition: addresses are others each time.
        used.sort(key=owners.index)
        self.addresses, self.n_sessions = used, len(used)
        self._numbers = [[n for n, o in enumerate(owners) if o == worker] for worker in used]
        self._eval_numbers: list[list[int]] = [[] for _ in used]
        for number, owner in enumerate(self._owners(eval_partitions, used)):
            self._eval_numbers[used.index(owner)].append(number)
        self._history: list[tuple[str, tuple, list[tuple]]] = []

    def __enter__(self) -> DaskCrew:
        try:
            self._join(range(self.n_sessions))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        alive = [worker for worker in self.client.nthreads() if worker in set(self.addresses)]
        for worker in alive:  # not waited for
            distributed.fire_and_forget(
                self.client.submit(member.leave, self._fit, workers=[worker], pure=False)
            )

    def _owners(self, partitions: list[Partition], workers: list[str]) -> list[str]:
        """Of each partition, the worker that holds its data, or should."""
        held = [distributed.futures_of(list(one.sources)) for one in partitions]
        every = [future for futures in held for future in futures]
        where = self.client.who_has(every) if every else {}
        owners = []
        for number, futures in enumerate(held):
            counts = Counter(w for f in futures for w in where.get(f.key, ()) if w in workers)
            worker = workers[number * len(workers) // len(partitions)]
            if counts:
                worker = min(counts, key=lambda one: (-counts[one], one))
            owners.append(worker)
        return owners

    # Calls ---------------------------------------------------------------------------------------

    def each(self, method: str, *arguments: Any, per_session: Sequence[tuple] = ()) -> list[Any]:
        """What each member's method returns, in order.

        Raises
        ------
        SessionsLost
            Workers were lost. In training, others have taken their place, at their start.
        """
        own = list(per_session) or [()] * self.n_sessions
        if method in _SETTING_UP:
            self._history.append((method, arguments, own))
        calls = [(number, method, (*arguments, *more)) for number, more in enumerate(own)]
        try:
            return self._called(calls)
        except _WorkersLost as lost:
            if method in _TRAINING:
                self._replace(lost.numbers)
            raise SessionsLost(str(lost)) from lost

    def one(self, session: int, method: str, *arguments: Any) -> Any:
        """What the method of one member returns; before training."""
        try:
            return self._called([(session, method, arguments)])[0]
        except _WorkersLost as lost:
            raise SessionsLost(str(lost)) from lost

    def _called(self, calls: list[tuple[int, str, tuple]]) -> list[Any]:
        futures = [
            self._submit(number, member.call, self._fit, number, method, arguments)
            for number, method, arguments in calls
        ]
        return self._results(futures, [number for number, *_ in calls])

    def _submit(self, number: int, function: Any, *arguments: Any) -> Any:
        return self.client.submit(
            function, *arguments, workers=[self.addresses[number]], **_PINNED, pure=False,
            retries=0, key=f"{function.__name__}-{self._fit[:20]}-{uuid.uuid4().hex}",
        )  # fmt: skip

    def _results(self, futures: list[Any], numbers: list[int]) -> list[Any]:
        """Results in order; every wait has an end, and an interrupt cancels what is under way."""
        results, since, looked = [], time.monotonic(), time.monotonic()
        try:
            for future in futures:
                while True:
                    try:
                        results.append(future.result(timeout=_LOOK))
                        since = time.monotonic()
                        break
                    except (TimeoutError, distributed.TimeoutError):
                        pass
                    if time.monotonic() - looked >= _LOOK:
                        looked = time.monotonic()
                        since = self._look(since, numbers)
        except member.MemberGone as gone:
            raise _WorkersLost(self._gone(numbers) or numbers) from gone
        except _LOST as error:
            gone_now = self._gone(numbers)
            if gone_now:
                raise _WorkersLost(gone_now) from error
            raise RuntimeError(
                "Data of the fit were lost, and cannot be made again: they were on a worker that "
                f"is gone, and nothing says how they were computed ({error!r}). Give collections "
                "that are not scattered but loaded, or fit anew."
            ) from error
        except BaseException:
            self.client.cancel(futures, force=True)
            raise
        return results

    def _look(self, since: float, numbers: list[int]) -> float:
        """Notice workers that are gone, and clusters where nothing happens."""
        gone = self._gone(numbers)
        if gone:
            raise _WorkersLost(gone)
        if any(self.client.processing().values()):
            return time.monotonic()
        if time.monotonic() - since > _IDLE:
            raise RuntimeError(
                f"The fit waits for {_IDLE:.0f} seconds for data that no worker makes: they were "
                "lost, or no worker may make them."
            )
        return since

    def _gone(self, numbers: Sequence[int]) -> list[int]:
        alive = self.client.nthreads()
        return [number for number in numbers if self.addresses[number] not in alive]

    # Members -------------------------------------------------------------------------------------

    def _join(self, numbers: Sequence[int]) -> None:
        """Bring partitions to where they belong, and make members of them."""
        futures = []
        for number in numbers:
            worker = [self.addresses[number]]
            owned = [
                [
                    (n, self.client.compute(partitions[n].piece, workers=worker, **_PINNED))
                    for n in wanted[number]
                ]
                for partitions, wanted in (
                    (self._partitions, self._numbers), (self._eval_partitions, self._eval_numbers),
                )
            ]  # fmt: skip
            futures.append(self._submit(number, member.join, self._fit, number, *owned))
        self._results(futures, list(numbers))

    def _replace(self, numbers: list[int]) -> None:
        """Put members on other workers in place of those that are gone, at their start."""
        for _ in range(_MOST_REPLACED):
            alive = sorted(self.client.nthreads())
            if not alive:
                deadline = time.monotonic() + _IDLE
                while not alive and time.monotonic() < deadline:
                    time.sleep(_LOOK)
                    alive = sorted(self.client.nthreads())
                if not alive:
                    raise RuntimeError("All workers of the Dask cluster are gone.")
            for number in numbers:
                busy = Counter(self.addresses)
                self.addresses[number] = min(alive, key=lambda one: (busy[one], one))
            try:
                self._join(numbers)
                for method, arguments, own in self._history:
                    self._called([(n, method, (*arguments, *own[n])) for n in numbers])
                return
            except _WorkersLost as lost:
                numbers = sorted({*numbers, *lost.numbers})
        raise RuntimeError("Workers are lost faster than their partitions can be made elsewhere.")


class _WorkersLost(Exception):
    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__(f"Workers {list(numbers)} of the fit are gone.")
        self.numbers = list(numbers)
