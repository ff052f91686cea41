"""Dates: a field for each part of a date."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..utils.checks import check_choice
from .categorical import Categorical
from .columns import Column
from .field import Field
from .numeric import Numeric
from .views import UNITS, DatePart, Days, dates_of


@dataclass(frozen=True)
class Dates:
    """A column of dates: each part of a date is a field.

    Parameters
    ----------
    parts : sequence of str, default=None
        Of "year", "quarter", "month", "day" (of the month), "weekday" (Monday is 0), "hour",
        "minute" and "date" (the calendar day), which are categories; and "days", the number of days
        since the earliest date of `fit`. None takes year, month, weekday, days and, if any date has
        a time of day, hour.
    unit : {"D", "h", "m", "s", "ms", "us"}, default="s"
        What numbers count from the beginning of 1970 on, if the column holds numbers.
    days : Numeric, default=Numeric("standard")
        What becomes of the number of days.
    """

    parts: tuple[str, ...] | None = None
    unit: str = "s"
    days: Numeric = field(default_factory=Numeric)

    def check(self) -> None:
        check_choice(self.unit, "unit", UNITS)
        if not isinstance(self.days, Numeric):
            raise TypeError(f"days must be a Numeric(...), got {self.days!r}.")
        self.days.check()
        if self.parts is None:
            return
        if isinstance(self.parts, str) or not len(self.parts):
            raise ValueError(f"parts must be a sequence of names, got {self.parts!r}.")
        for part in self.parts:
            check_choice(part, "a part of a date", dict.fromkeys((*DatePart.PARTS, "days")))
        if len(set(self.parts)) < len(self.parts):
            raise ValueError(f"parts names one twice: {self.parts!r}.")

    def fields(self, name: str, column: Column, defaults: Categorical) -> list[Field]:
        parts = self.parts
        if parts is None:
            dates = dates_of(column, self.unit)
            has_times = (dates != dates.astype("datetime64[D]"))[~np.isnat(dates)].any()
            parts = ("year", "month", "weekday", *(["hour"] if has_times else []), "days")
        options = Categorical(handle_unknown=defaults.handle_unknown)
        fields: list[Field] = []
        for part in parts:
            its_name = f"{name}.{part}"
            if part == "days":
                view = Days(self.unit)
                fields.append(self.days.field(its_name, column.name, options.handle_unknown, view))
            else:
                view_of_part = DatePart(part, self.unit)
                fields.append(options.field(its_name, column.name, view_of_part))
        return fields
