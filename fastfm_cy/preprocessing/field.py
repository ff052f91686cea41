"""Field: what the encoder learned of one column, and the features that it makes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Column
from .state import StateReader, StateWriter

# Columns (global feature numbers), values or None for ones, and indptr or None for at most one a
# row: what kernels/matrix/interleave.pyx takes.
Part = tuple[NDArray[np.int32], NDArray[Any] | None, NDArray[np.int64] | None]

HANDLE_UNKNOWN = ("error", "ignore", "infrequent_if_exist")


class Field(ABC):
    """The features of one column, numbered from 0; new ones get the next numbers.

    Parameters
    ----------
    name : str
        Of the field, before "=" in the names of its features.
    source : str
        The column that it is made of.
    """

    kind: str  # in the state

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source

    @property
    @abstractmethod
    def n_features(self) -> int: ...

    @property
    @abstractmethod
    def has_values(self) -> bool:
        """Whether anything but missing values was ever learned."""

    @property
    def takes(self) -> str | None:
        """The content that the column must have; None if several will do."""
        return None

    @abstractmethod
    def learn(self, column: Column) -> Any:
        """Learn from a column; what `part` needs to know of it."""

    @abstractmethod
    def read(self, column: Column) -> Any:
        """What `part` needs to know of a column, without learning."""

    @abstractmethod
    def part(self, reading: Any, numbers: NDArray[np.int32], dtype: np.dtype[Any]) -> Part:
        """The entries of a column, where the features have the numbers numbers[0], ..."""

    @abstractmethod
    def feature_names(self) -> list[str]: ...

    @abstractmethod
    def to_state(self, writer: StateWriter) -> dict[str, Any]: ...

    @classmethod
    @abstractmethod
    def from_state(cls, name: str, source: str, state: Any, reader: StateReader) -> Field: ...

    def checkpoint(self) -> Any:
        """For roll_back; attributes are replaced by learning, never changed in place."""
        return dict(vars(self))

    def roll_back(self, checkpoint: Any) -> None:
        vars(self).clear()
        vars(self).update(checkpoint)
