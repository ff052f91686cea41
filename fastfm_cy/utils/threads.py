"""Work on ranges of rows in threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

# Multiply-adds below which another thread costs more than it saves.
_WORK_A_THREAD = 2_000_000


def in_parts(
    function: Callable[[int, int], Result], n_rows: int, work: int, n_jobs: int
) -> list[Result]:
    """Call function(first, last) on ranges that cover n_rows rows; the list of its results.

    `work` is that of all rows together, in multiply-adds; little of it gets few threads.
    """
    n_threads = max(1, min(n_jobs, work // _WORK_A_THREAD))
    if n_threads == 1:
        return [function(0, n_rows)]
    cuts = [part * n_rows // n_threads for part in range(n_threads + 1)]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, cuts[:-1], cuts[1:]))
