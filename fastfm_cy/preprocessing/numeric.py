"""Numeric fields: a number as a feature's value, and a feature that says that it is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..utils.checks import check_choice, check_integer
from .categorical import Categorical
from .columns import NUMBER, Column
from .field import Field, Part
from .state import StateReader, StateWriter
from .views import Composed, LogSquare, Quantiles, View, numbers_of

_TRANSFORMS = {name: name for name in ("passthrough", "standard", "quantiles", "log_square")}


@dataclass(frozen=True)
class Numeric:
    """A column of numbers.

    Parameters
    ----------
    transform : {"passthrough", "standard", "quantiles", "log_square"}, default="standard"
        The number as it is; less the mean, divided by the standard deviation; as one of `n_bins`
        categories that hold equally many rows each; or as the category floor(ln(x)^2) if it is
        above 2, else floor(x), as the winners of Criteo's challenge had it [1]_.
    n_bins : int, default=10
        Of "quantiles".

    Notes
    -----
    A missing number is a feature of its own, and counts as 0: as the mean, if standardised.

    References
    ----------
    .. [1] Y. Juan, Y. Zhuang, W.-S. Chin, "3 Idiots' Approach for Display Advertising Challenge",
       2014.
    """

    transform: str = "standard"
    n_bins: int = 10

    def check(self) -> None:
        check_choice(self.transform, "transform", _TRANSFORMS)
        check_integer(self.n_bins, "n_bins", 2)

    def fields(self, name: str, column: Column, defaults: Categorical) -> list[Field]:
        return [self.field(name, column.name, defaults.handle_unknown)]

    def field(
        self, name: str, source: str, handle_unknown: str | None, view: View | None = None
    ) -> Field:
        if self.transform in ("passthrough", "standard"):
            return NumericField(name, source, self.transform, handle_unknown, view)
        bins: View = LogSquare() if self.transform == "log_square" else Quantiles(self.n_bins)
        bins = bins if view is None else Composed(view, bins)
        return Categorical(handle_unknown=handle_unknown).field(name, source, bins)


class NumericField(Field):
    """A number's value, as it is or standardised, and whether it is missing."""

    kind = "numeric"

    def __init__(
        self,
        name: str,
        source: str,
        transform: str,
        handle_unknown: str | None,
        view: View | None = None,
    ) -> None:
        super().__init__(name, source)
        self.transform = transform
        self.handle_unknown = handle_unknown
        self.view = view
        self.n_values, self.mean, self.variance = 0, 0.0, 0.0
        self.has_missing = False

    @property
    def n_features(self) -> int:
        return 1 + self.has_missing

    @property
    def has_values(self) -> bool:
        return self.n_values > 0

    @property
    def takes(self) -> str | None:
        return NUMBER if self.view is None else self.view.takes

    def learn(self, column: Column) -> NDArray[np.float64]:
        if self.view is not None:
            self.view = self.view.learned(column)
        values = self.read(column)
        missing = np.isnan(values)
        self.has_missing |= bool(missing.any())
        self._add_moments(values[~missing] if missing.any() else values)
        if self.transform == "standard" and not np.isfinite(self.variance):
            row = int(np.nanargmax(np.abs(values)))
            raise ValueError(
                f"Column {column.name!r}, row {row}: {values[row]} is too large to be "
                "standardised; rescale the column."
            )
        return values

    def _add_moments(self, values: NDArray[np.float64]) -> None:
        """Mean and variance of all values so far (Chan, Golub and LeVeque 1983)."""
        n_new = len(values)
        if not n_new:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean, variance = values.mean(), values.var()
            n = self.n_values + n_new
            distance = mean - self.mean
            of_new = n_new / n
            variance = (
                self.variance * (1 - of_new) + variance * of_new
                + distance**2 * of_new * (1 - of_new)
            )  # fmt: skip
        self.n_values, self.variance = n, float(variance)
        self.mean = float(self.mean + distance * of_new)

    def read(self, column: Column) -> NDArray[np.float64]:
        return numbers_of(column if self.view is None else self.view.of(column))

    def part(
        self, reading: NDArray[np.float64], numbers: NDArray[np.int32], dtype: np.dtype[Any]
    ) -> Part:
        missing = np.isnan(reading)
        if missing.any() and not self.has_missing:
            self._refuse_missing(int(np.argmax(missing)))
        values = self._scaled(reading, dtype)
        columns = np.where(values != 0, numbers[0], np.int32(-1))
        if missing.any():
            values[missing] = 1
            columns[missing] = numbers[1] if self.has_missing else -1
        return columns.astype(np.int32, copy=False), values, None

    def _scaled(self, reading: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
        values = reading
        if self.transform == "standard":
            deviation = np.sqrt(self.variance)
            # What rounding makes of a constant is no variance.
            is_constant = deviation <= 1e-12 * abs(self.mean)
            values = (values - self.mean) / (1.0 if is_constant else deviation)
        with np.errstate(over="ignore"):
            cast = values.astype(dtype)
        bad = np.isinf(cast)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"Column {self.source!r}, row {row}: {reading[row]!r} is too large for {dtype}; "
                'rescale the column, or use dtype="float64".'
            )
        return cast

    def _refuse_missing(self, row: int) -> None:
        if self.handle_unknown == "error" or self.transform == "passthrough":
            raise ValueError(
                f"Column {self.source!r}, row {row}: the number is missing, but none was when the "
                "encoder was fitted. Impute it, or fit with rows that miss it, too."
            )

    def feature_names(self) -> list[str]:
        return [self.name, f"{self.name}=<missing>"][: self.n_features]

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        return {
            "transform": self.transform,
            "handle_unknown": self.handle_unknown,
            "view": None if self.view is None else self.view.to_state(writer),
            "n_values": self.n_values,
            "mean": self.mean,
            "variance": self.variance,
            "has_missing": self.has_missing,
        }

    @classmethod
    def from_state(cls, name: str, source: str, state: Any, reader: StateReader) -> NumericField:
        reader.require(state["transform"] in ("passthrough", "standard"), "numbers")
        view = None if state["view"] is None else View.from_state(state["view"], reader)
        options = Categorical(handle_unknown=state["handle_unknown"])
        options.check()
        field = cls(name, source, state["transform"], options.handle_unknown, view)
        field.n_values = reader.count(state["n_values"], 2**62)
        field.mean, field.variance = reader.real(state["mean"]), reader.real(state["variance"])
        reader.require(field.variance >= 0 and isinstance(state["has_missing"], bool), "numbers")
        field.has_missing = state["has_missing"]
        return field
