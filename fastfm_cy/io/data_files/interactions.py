"""Interactions in text: user, item and perhaps a weight a line, with ids of any kind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...datasets.ratings import split_lines
from ...exceptions import FileFormatError
from ...utils.checks import check_bool
from ..files import check_text, damage_reported, listed, opened

_LOOKED_AT = 1 << 12  # bytes that tell whether a file is text
_HEADERS = {"user", "users", "userid", "user_id", "item", "items", "itemid", "item_id"}
_LINES_A_PART = 1 << 16


def read_interactions(
    source: Any, *, weights: bool = True, header: bool | str = "auto", as_text: bool = False
) -> tuple[np.ndarray, ...]:
    """Read who chose what, as ``FMRecommender.fit`` takes it.

    Columns are separated by tabs, commas, semicolons, bars, ``::`` or blanks, of which the first
    line shows one. Empty lines are passed over; files may be packed.

    Parameters
    ----------
    source : path, binary file object, or list of these
    weights : bool, default=True
        Whether there may be a third column, of weights; without, whatever is behind user and item
        is left out.
    header : bool or "auto", default="auto"
        Whether each file begins with the columns' names; "auto": if these are names such as
        "user", "itemId" or "item_id", or the weight of the first line is no number.
    as_text : bool, default=False
        Whether ids stay text; otherwise those of a column become int64 if all are whole numbers, as
        Python writes them.

    Returns
    -------
    (users, items) or (users, items, weights)

    Raises
    ------
    FileFormatError
        Naming the file and the line.
    """
    check_bool(weights, "weights")
    parts: list[tuple[np.ndarray, ...]] = []
    for one in listed(source):
        with opened(one) as (file, name), damage_reported(name):
            text: Any = file
            if not hasattr(text, "peek"):
                text = io.BufferedReader(text)
            check_text(text.peek(_LOOKED_AT)[:_LOOKED_AT], name)
            lines = io.TextIOWrapper(text, "utf-8-sig", errors="replace", newline="")
            parts += _parts(split_lines(lines), name, weights, header)
            lines.detach()  # or it would close what is not ours
    if not parts:
        names = ", ".join(map(str, listed(source)))
        raise FileFormatError(f"{names}: there is no interaction.")
    if len({len(part) for part in parts}) > 1:
        raise FileFormatError("Some files have a column of weights, and others have none.")
    users, items, *numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not as_text:
        users, items = whole_numbers(users), whole_numbers(items)
    return users, items, *numbers


def whole_numbers(ids: np.ndarray) -> np.ndarray:
    """Texts as int64, if all of them are written as Python writes whole numbers."""
    try:
        numbers = ids.astype(np.int64)
    except (ValueError, OverflowError):
        return ids
    return numbers if np.array_equal(numbers.astype(ids.dtype), ids) else ids


def _parts(
    rows: Iterator[tuple[int, list[str]]], name: str, weights: bool, header: bool | str
) -> Iterator[tuple[np.ndarray, ...]]:
    """(users, items[, weights]) of some lines at a time."""
    width, lines, is_first = 0, [], True
    for number, cells in rows:
        cells = [cell.strip() for cell in (cells if weights else cells[:2])]
        if is_first:
            is_first, width = False, len(cells)
            if header is True or (header == "auto" and _is_header(cells)):
                continue
        if len(cells) != width or width not in (2, 3):
            raise FileFormatError(
                f"{name}, line {number}: expected user, item and perhaps a weight, found "
                f"{len(cells)} column(s): {cells}." + _hint(len(cells), width)
            )
        lines.append((number, cells))
        if len(lines) == _LINES_A_PART:
            yield _columns(lines, name)
            lines = []
    if lines:
        yield _columns(lines, name)


def _hint(n_cells: int, width: int) -> str:
    if n_cells > 3 and n_cells == width:
        return " weights=False (--no-weights) reads the first two columns alone."
    return "" if n_cells == width else f" The first line has {width}."


def _is_header(cells: list[str]) -> bool:
    if any(cell.lower() in _HEADERS for cell in cells[:2]):
        return True
    return len(cells) == 3 and not _is_number(cells[2])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _columns(lines: list[tuple[int, list[str]]], name: str) -> tuple[np.ndarray, ...]:
    users, items, *weights = zip(*(cells for _, cells in lines), strict=True)
    for what, column in (("user", users), ("item", items)):
        if "" in column:
            number = lines[column.index("")][0]
            raise FileFormatError(f"{name}, line {number}: the {what} is empty.")
    if not weights:
        return np.array(users), np.array(items)
    try:
        numbers = np.array(weights[0], dtype=np.float64)
    except ValueError:
        numbers = np.array([float(text) if _is_number(text) else np.nan for text in weights[0]])
    bad = np.flatnonzero(~np.isfinite(numbers))
    if bad.size:
        number, cells = lines[bad[0]]
        raise FileFormatError(f"{name}, line {number}: the weight is {cells[2]!r}, no number.")
    return np.array(users), np.array(items), numbers
