"""Text files, piece by piece: whole lines to Rows, in several threads, and errors with a place."""

import re
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from joblib import effective_n_jobs

from ...exceptions import FileFormatError, ParseError
from ...utils.checks import check_choice
from ..files import damage_reported, listed, name_of, opened

_PIECE = 1 << 20  # bytes
_LONGEST_LINE = 1 << 28
_SHOWN = 40  # bytes of a line on either side of what is wrong
_KEPT_ERRORS = 1000
_NO_INDEX = 2**31
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_LINE = re.compile(rb"^[ \t\r\f\v]*([^#\s][^\n]*)\n", re.MULTILINE)


def first_line(text):
    """A match of the first line with data (group 1), or None."""
    return _FIRST_LINE.search(text)


class LineReader:
    """Iterates over Rows, in the order of the files.

    Parameters
    ----------
    source : path, binary file object, or list of these
    form : SparseForm or TableForm
        What the lines look like: ``begin(text)`` looks at a file's first piece and says where the
        data begin in it, None if nowhere; ``new_rows(text)`` and ``read(rows, start)`` read a
        piece; ``expected(problem)`` says what should stand where there is a problem.
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

    @property
    def names(self):
        """Of the sources, for messages."""
        return ", ".join(map(name_of, self.sources))

    def __iter__(self):
        n_lines = n_rows = 0
        with self._in_order(self._pieces()) as results:
            for rows, problems, name, n_lines_before in results:
                n_lines = n_lines if n_lines_before is None else n_lines_before
                for place, problem in problems:
                    self._report(name, n_lines, rows.text, place, problem)
                self.least_index = min(self.least_index, rows.least_index)
                self.largest_index = max(self.largest_index, rows.largest_index)
                self.largest_field = max(self.largest_field, rows.largest_field)
                n_lines, n_rows = n_lines + rows.n_lines, n_rows + rows.n_rows
                yield rows
        told = ""
        if self.n_skipped:
            told = f"{self.n_skipped} lines could not be read, the first: {self.skipped[0]}"
        if not n_rows:
            raise FileFormatError(f"There are no rows in {self.names}. {told}".rstrip())
        if told:
            warnings.warn(f"Left out: {told}", stacklevel=4)

    def _pieces(self):
        """(text, where to start in it, file name, number of lines before it if it is the first of
        the file, else None)."""
        for source in self.sources:
            with opened(source) as (file, name), damage_reported(name):
                begun, n_lines = False, 0
                for text in _texts(file, name):
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
        rows, problems = self.form.new_rows(text), []
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


def _texts(file, name):
    """Pieces of whole lines, the last with a line feed, too."""
    first = True
    while text := file.read(_PIECE):
        if not text.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
            if len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
                raise FileFormatError(f"{name}: a line is longer than {_LONGEST_LINE >> 20} MB.")
            text += rest if rest.endswith(b"\n") else rest + b"\n"
        yield text.removeprefix(_BYTE_ORDER_MARK) if first else text
        first = False
