"""Chunks of a data set on disk: how the rows are cut, and how the next is read meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from .dataset import Chunk, DiskDataset, Ranges

# The chunk that is worked on, the next one, and what training needs besides.
_CHUNKS_IN_MEMORY = 3
_PIECES = 16  # a chunk


def in_order(dataset: DiskDataset) -> list[Ranges]:
    """Ranges of rows, each a chunk."""
    return [[part] for part in pairwise(dataset.cuts(_chunk_bytes(dataset)))]


def pieces_of(dataset: DiskDataset) -> Ranges:
    """Ranges of neighbouring rows, several of which make a chunk."""
    return list(pairwise(dataset.cuts(_chunk_bytes(dataset) // _PIECES)))


def from_all_over(pieces: Ranges, rng: np.random.Generator, *, shuffle: bool) -> Iterator[Ranges]:
    """The pieces of each chunk of an epoch, drawn from all of the data set if they are shuffled."""
    order = np.arange(len(pieces))
    if shuffle:
        rng.shuffle(order)
    for first in range(0, len(order), _PIECES):
        yield [pieces[number] for number in order[first : first + _PIECES]]


def read_ahead(dataset: DiskDataset, groups: Iterable[Ranges], dtype: object) -> Iterator[Chunk]:
    """The chunks of groups of ranges, the next always being read."""
    coming: deque[Future] = deque()
    with ThreadPoolExecutor(1) as thread:
        for group in groups:
            coming.append(thread.submit(dataset.chunk, group, dtype))
            if len(coming) > 1:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _chunk_bytes(dataset: DiskDataset) -> int:
    return dataset.memory_budget // _CHUNKS_IN_MEMORY
