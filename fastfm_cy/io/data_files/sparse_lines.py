"""The lines of libsvm's, libFM's and libffm's text files."""

import re

from ...exceptions import FileFormatError
from ...kernels.text.reader import Problem, Rows
from ...utils.checks import check_choice, check_integer
from .line_reader import first_line

_LARGEST_INDEX = 2**31 - 2
_HAS_QUERY = re.compile(rb"\S+\s+qid:")


class SparseForm:
    """`target [qid:n] entry entry ...`; a form as LineReader takes it.

    Parameters
    ----------
    n_features : int or None
        None: as many as there are.
    zero_based : bool or "auto"
        Whether indices start from 0; "auto": from 1 if there is no 0 in any file.
    dtype : "float32" or "float64"
    has_fields : bool
        Whether entries are `field:index[:value]` or `index[:value]`.
    """

    has_target, feature_names = True, None

    def __init__(self, *, n_features=None, zero_based=True, dtype="float32", has_fields=False):
        if n_features is not None:
            check_integer(n_features, "n_features", 1)
            if n_features > _LARGEST_INDEX + 1:
                raise ValueError(f"n_features must be at most {_LARGEST_INDEX + 1}.")
        if zero_based not in (True, False, "auto"):
            raise ValueError(f"zero_based must be True, False or 'auto'; got {zero_based!r}.")
        check_choice(dtype, "dtype", {"float32": 0, "float64": 0})
        self.n_features, self.zero_based, self.dtype = n_features, zero_based, dtype
        self.has_fields, self.has_query = has_fields, None
        self._first = int(zero_based is False)
        self._largest = _LARGEST_INDEX
        if n_features is not None:
            self._largest = n_features - (zero_based is True)
        self._seen = []

    def begin(self, text, name):
        line = first_line(text)
        if line is None:
            return None
        if self.has_query is None:
            self.has_query = bool(_HAS_QUERY.match(line[1]))
        return 0

    def new_rows(self, text):
        return Rows(text, self.dtype, has_fields=self.has_fields, has_query=self.has_query)

    def read(self, rows, start):
        return rows.read_sparse(start, first_index=self._first, largest_index=self._largest)

    def extent(self, least, largest):
        """From where indices start that were read from 0 on, and how many there are."""
        first = int(self.zero_based == "auto" and least > 0)
        n_features = max(0, largest + 1 - first)
        if self.n_features is None:
            return first, n_features
        if n_features > self.n_features:
            raise FileFormatError(
                f"The features' numbers start from 0 and end at {largest}, but there should be "
                f"only {self.n_features} features."
            )
        return first, self.n_features

    def expected(self, problem):
        """What should stand where a Problem is."""
        texts = {
            Problem.TARGET: "a finite number, the target, at the start of the line",
            Problem.FIELD: "field:index:value, numbers from 0 on",
            Problem.ENTRY: "a feature's number, " + ("index" if self.has_fields else "index:value"),
            Problem.BELOW_ONE: "a feature's number of at least 1 (zero_based=False)",
            Problem.TOO_MANY_FEATURES: f"a feature's number of at most {self._largest}",
            Problem.VALUE: "a finite number behind the colon",
            Problem.TOO_LARGE: f"a number that {self.dtype} can hold",
            Problem.END: "a blank or the end of the line",
            Problem.QUERY: "qid: and a number, as in the first line",
            Problem.NO_QUERY: "no qid, as in the first line",
        }
        return texts[problem]
