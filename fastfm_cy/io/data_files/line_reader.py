"""Text files, piece by piece: whole lines to Rows, in several threads, and errors with a place."""

import os
import re
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from joblib import effective_n_jobs

from ...exceptions import FileFormatError, ParseError
from ...kernels.text.reader import Problem, Rows, has_lone_returns
from ...utils.checks import check_choice
from ..files import check_text, damage_reported, is_path, listed, name_of, opened

_PIECE = 1 << 20  # bytes
LONGEST_LINE = 1 << 25
_LOOKED_AT = 1 << 12  # bytes that tell whether a file is text
_SHOWN = 40  # bytes of a line on either side of what is wrong
_KEPT_ERRORS = 1000
_NO_INDEX = 2**31
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE = re.compile(rb"^[ \t\r\f\v]*([^#\s][^\n]*)\n", re.MULTILINE)


def first_line(text):
    """A match of the first line with data (group 1), or None."""
    return _LINE.search(text)


def data_lines(text: bytes) -> Iterator[bytes]:
    """The lines with data, without what ends them."""
    return (match[1] for match in _LINE.finditer(text))


class LineForm(Protocol):
    """What the lines of a format look like: all that a LineReader must know of it."""

    has_target: bool
    feature_names: list[str] | None
    target_name: str | None

    def begin(self, text: bytes, name: str) -> int | None:
        """Look at the first piece of a file called `name`: where its rows begin, or None."""

    def new_rows(self, text: bytes, spare: Rows | None = None) -> Rows:
        """What a piece is read into; the arrays of `spare` may be."""

    def read(self, rows: Rows, start: int) -> bool:
        """Read from byte `start` up to the first line that is wrong; whether there was none."""

    def extent(self, least: int, largest: int) -> tuple[int, int]:
        """Given all indices' range, as read: which is the first feature, and how many there are."""

    def expected(self, problem: Problem) -> str:
        """What should stand where there is a problem."""


class LineReader:
    """Iterates over Rows, in the order of the files.

    Parameters
    ----------
    source : path, binary file object, or list of these
    form : LineForm
    on_error : {"raise", "skip"}
    n_jobs : int or None
        The most threads; the rows do not depend on it.

    Attributes
    ----------
    least_index, largest_index, largest_field : int
        Of all rows so far.
    skipped, n_skipped
        As in Dataset.
    """

    def __init__(self, source, form, *, on_error="raise", n_jobs=None):
        check_choice(on_error, "on_error", {"raise": 0, "skip": 1})
        self.sources, self.form = listed(source), form
        self.skips = on_error == "skip"
        self.n_jobs = effective_n_jobs(n_jobs)
        self.skipped, self.n_skipped = [], 0
        self.least_index, self.largest_index, self.largest_field = _NO_INDEX, -1, -1
        self._spare = deque()

    def take_back(self, rows):
        """Rows whose arrays nobody will look at any more: later pieces may be read into them."""
        if len(rows.text) <= 2 * _PIECE:
            self._spare.append(rows)

    @property
    def n_bytes(self):
        """Of all sources that are files, as they are stored."""
        return sum(os.path.getsize(source) for source in self.sources if is_path(source))

    @property
    def names(self):
        """Of the sources, for messages."""
        return ", ".join(map(name_of, self.sources))

    def __iter__(self):
        n_lines = n_rows = 0
        empty_line = None  # behind the last row, in a file whose rows have no target
        with self._in_order(self._pieces()) as results:
            for rows, problems, name, n_lines_before in results:
                if n_lines_before is not None:
                    n_lines, empty_line = n_lines_before, None
                if empty_line and (rows.n_rows or problems):
                    self._report(*empty_line)
                    empty_line = None
                for place, problem in problems:
                    self._report(name, n_lines, rows.text, place, problem)
                if rows.blank >= 0 and not empty_line:
                    empty_line = name, n_lines, rows.text, rows.blank, Problem.BLANK
                self.least_index = min(self.least_index, rows.least_index)
                self.largest_index = max(self.largest_index, rows.largest_index)
                self.largest_field = max(self.largest_field, rows.largest_field)
                n_lines, n_rows = n_lines + rows.n_lines, n_rows + rows.n_rows
                yield rows
        self._finish(n_rows)

    def _finish(self, n_rows):
        """Refuse a source without rows; tell of lines that were left out."""
        told = ""
        if self.n_skipped:
            told = f"{self.n_skipped} lines could not be read, the first: {self.skipped[0]}"
        if not n_rows:
            raise FileFormatError(f"There are no rows in {self.names}. {told}".rstrip())
        if told:
            warnings.warn(f"Left out: {told}", stacklevel=5)

    def _pieces(self):
        """(text, where to start in it, file name, number of lines before it if it is the first of
        the file, else None)."""
        for source in self.sources:
            with opened(source) as (file, name), damage_reported(name):
                begun, n_lines = False, 0
                for text in texts(file, name):
                    start = 0 if begun else self.form.begin(text, name)
                    if start is None:
                        n_lines += text.count(b"\n")
                    else:
                        yield text, start, name, None if begun else n_lines
                        begun = True

    @contextmanager
    def _in_order(self, pieces):
        """What _read makes of the pieces, a few read ahead by threads."""
        if self.n_jobs == 1:
            yield (self._read(*piece) for piece in pieces)
            return
        with ThreadPoolExecutor(self.n_jobs) as pool:
            try:
                yield self._ahead(pool, pieces)
            finally:
                pool.shutdown(cancel_futures=True)

    def _ahead(self, pool, pieces):
        waiting = deque()
        for piece in pieces:
            waiting.append(pool.submit(self._read, *piece))
            if len(waiting) > 2 * self.n_jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _read(self, text, start, name, n_lines_before):
        try:
            spare = self._spare.pop()
        except IndexError:
            spare = None
        rows, problems = self.form.new_rows(text, spare), []
        while not self.form.read(rows, start):
            problems.append((rows.place, rows.problem))
            if not self.skips:
                break
            start = text.index(b"\n", rows.place) + 1
        return rows, problems, name, n_lines_before

    def _report(self, name, n_lines_before, text, place, problem):
        self.n_skipped += 1
        if self.skips and self.n_skipped > _KEPT_ERRORS:
            return
        begin = text.rfind(b"\n", 0, place) + 1
        end = text.index(b"\n", place)
        shown = text[max(begin, place - _SHOWN) : min(end, place + _SHOWN)].rstrip(b"\r")
        number = n_lines_before + text.count(b"\n", 0, place) + 1
        error = ParseError(
            name, number, place - begin + 1, shown.decode("utf-8", "backslashreplace"),
            self.form.expected(problem),
        )  # fmt: skip
        if not self.skips:
            raise error
        self.skipped.append(error)


def texts(file: Any, name: str) -> Iterator[bytes]:
    """Pieces of whole lines, all of which end in a line feed: a carriage return, alone or before
    one, ends a line, too."""
    is_first = True
    while text := file.read(_PIECE):
        if is_first:
            check_text(text[:_LOOKED_AT], name)
            text, is_first = text.removeprefix(_BYTE_ORDER_MARK), False
        if not text.endswith(b"\n"):
            text = _whole_lines(text, file, name)
        yield _with_line_feeds(text)


def _whole_lines(text, file, name):
    """A piece of a file, and what is left of its last line."""
    if b"\n" in text:
        parts, n_bytes, rest = [text], 0, [file.readline(LONGEST_LINE)]
    else:  # one long line, or carriage returns only
        parts, n_bytes, rest = [text], len(text), _up_to_return(file, text[-1:])
    for part in rest:
        parts.append(part)
        n_bytes += len(part)
        if n_bytes >= LONGEST_LINE:
            raise FileFormatError(f"{name}: a line is longer than {LONGEST_LINE >> 20} MB.")
    if not parts[-1].endswith(b"\n"):
        parts.append(b"\n")
    return b"".join(parts)


def _up_to_return(file, last):
    """Parts of a file without line feeds up to one, or to a carriage return, that ends the line
    whose last byte so far is `last`."""
    while ahead := file.peek(1):
        if last == b"\r":
            # What follows a return at the end of what was seen belongs to it, or is another line.
            yield file.read(1) if ahead.startswith(b"\n") else b""
            return
        ends = [place for place in (ahead.find(b"\r"), ahead.find(b"\n")) if place >= 0]
        part = file.read(min(ends) + 1 if ends else len(ahead))
        yield part
        last = part[-1:]
        if last == b"\n":
            return


def _with_line_feeds(text):
    """The kernels take a carriage return for a blank, which is right before a line feed only."""
    if b"\r" in text and has_lone_returns(text):
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text
