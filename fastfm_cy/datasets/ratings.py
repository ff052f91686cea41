"""Ratings files: user, item, rating and perhaps a timestamp a line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..utils.encodings import other_encoding

_LOOKED_AT = 1 << 12  # bytes that tell whether a file is text


@dataclass(frozen=True)
class Ratings:
    """Who rated what: four columns of one length, as ``load_ratings`` reads them."""

    users: np.ndarray
    """str, as they stand in the file."""
    items: np.ndarray
    """str, as they stand in the file."""
    ratings: np.ndarray
    """float64."""
    timestamps: np.ndarray | None
    """float64, or None if a line has none."""


def load_ratings(path: str | Path) -> Ratings:
    """Read a file of ratings: user, item, rating and, if there, a timestamp a line.

    Columns are separated by tabs, commas, semicolons, bars, ``::`` or blanks; the first line
    shows which, and may be a header. Empty lines are passed over.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Ratings

    Raises
    ------
    ValueError
        Naming the file and the line that is not of that form.
    """
    path = Path(path)
    with path.open("rb") as file:
        message = other_encoding(file.read(_LOOKED_AT), str(path))
    if message is not None:
        raise ValueError(message)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = split_lines(file)
        lines = list(_parse_ratings(path, rows))
    if not lines:
        raise ValueError(f"{path} holds no ratings.")
    users, items, ratings, times = zip(*lines, strict=True)
    has_times = all(time is not None for time in times)
    return Ratings(
        np.array(users), np.array(items), np.array(ratings), np.array(times) if has_times else None
    )


def split_lines(file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """(line number, columns) of every line that is not empty."""
    separator = None
    for number, line in enumerate(file, start=1):
        line = line.rstrip("\r\n")
        if not line.strip():
            continue
        if separator is None:
            separator = next((s for s in ("::", "\t", ",", ";", "|") if s in line), " ")
        if separator == "::":
            yield number, line.split("::")
        elif separator == " ":
            yield number, line.split()
        else:
            yield number, next(csv.reader([line], delimiter=separator))


def _parse_ratings(
    path: Path, rows: Iterable[tuple[int, list[str]]]
) -> Iterator[tuple[str, str, float, float | None]]:
    for position, (number, columns) in enumerate(rows):
        if len(columns) not in (3, 4):
            raise ValueError(
                f"{path}, line {number}: expected user, item, rating and at most a timestamp, "
                f"found {len(columns)} column(s): {columns}."
            )
        try:
            rating, *time = (float(column) for column in columns[2:])
            if not np.isfinite(rating):
                raise ValueError("a rating must be finite")
        except ValueError as error:
            if position == 0 and not _is_number(columns[2]):
                continue  # a header
            raise ValueError(
                f"{path}, line {number}: rating and timestamp must be numbers: {columns[2:]}."
            ) from error
        yield columns[0].strip(), columns[1].strip(), rating, time[0] if time else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
