"""State of an encoder without pickle: JSON beside a list of arrays, checked when it is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class StateWriter:
    """Takes the arrays; JSON refers to them by number."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []

    def put(self, array: NDArray[Any]) -> int:
        self.arrays.append(np.ascontiguousarray(array))
        return len(self.arrays) - 1


class StateReader:
    """Gives the arrays; whatever makes no sense is a ValueError."""

    def __init__(self, arrays: list[NDArray[Any]]) -> None:
        self._arrays = arrays

    def get(self, number: Any, *dtypes: Any) -> NDArray[Any]:
        """A 1-D array of one of some types."""
        self.require(type(number) is int and 0 <= number < len(self._arrays), "array")
        array = np.ascontiguousarray(self._arrays[number])
        self.require(array.ndim == 1 and array.dtype in [np.dtype(t) for t in dtypes], "array")
        return array

    def count(self, number: Any, most: int = 2**31 - 1) -> int:
        self.require(type(number) is int and 0 <= number <= most, "count")
        return int(number)

    def real(self, number: Any) -> float:
        self.require(type(number) in (int, float) and np.isfinite(number), "number")
        return float(number)

    def text(self, value: Any) -> str:
        self.require(isinstance(value, str), "text")
        return str(value)

    @staticmethod
    def require(condition: bool, what: str) -> None:
        if not condition:
            raise ValueError(f"the encoder's state makes no sense: its {what}")
