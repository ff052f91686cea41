"""The lines of libsvm's, libFM's and libffm's text files."""

import re

from ...exceptions import FileFormatError
from ...kernels.text.reader import Problem, Rows, index_of
from ...utils.checks import check_choice, check_integer
from .line_reader import first_line

_LARGEST_INDEX = 2**31 - 2
_BYTES_AN_ENTRY, _BYTES_WITH_FIELD = 2, 6  # at least
_HAS_QUERY = re.compile(rb"(\S+\s+)?qid:")
_HAS_NO_TARGET = re.compile(rb"[^\s:#]+:")
_FIRST_ENTRY = re.compile(
    rb"(?:[^\s:,;|#]+(?=[\s#]|$)\s*)?"  # the target, if there is one
    rb"(qid:\S*\s*)?"
    rb"(?:[^\s:,;|#]+((?::[^\s:,;|#]*)+)(?=[\s#]|$))?"
)


class SparseForm:
    """`[target] [qid:n] entry entry ...` with entries `index[:value]`; a LineForm.

    Whether there are targets and qids, the first line says.

    Parameters
    ----------
    n_features : int or None
        None: as many as there are.
    zero_based : bool or "auto"
        Whether indices start from 0; "auto": from 1 if there is no 0 in any file.
    dtype : "float32" or "float64"
    n_hash : int or None
        Into how many features the names in the file are hashed; None: they are numbers.
    """

    has_fields = False
    feature_names: list[str] | None = None
    target_name: str | None = None

    def __init__(self, *, n_features=None, zero_based=True, dtype="float32", n_hash=None):
        if zero_based not in (True, False, "auto"):
            raise ValueError(f"zero_based must be True, False or 'auto'; got {zero_based!r}.")
        check_choice(dtype, "dtype", {"float32": 0, "float64": 0})
        check_size(n_features, "n_features")
        check_size(n_hash, "n_hash")
        if n_hash is not None and (n_features is not None or zero_based is not True):
            raise ValueError("With n_hash there are n_hash features; leave out the other options.")
        self.n_features, self.zero_based, self.dtype = n_features, zero_based, dtype
        self.n_hash = n_hash
        self.has_target, self.has_query = True, None
        self._first = int(zero_based is False)
        self._largest = _LARGEST_INDEX
        if n_features is not None:
            self._largest = n_features - (zero_based is True)

    def begin(self, text, name):
        line = first_line(text)
        if line is None:
            return None
        if self.has_query is None:
            self.has_query = bool(_HAS_QUERY.match(line[1]))
            self.has_target = not _HAS_NO_TARGET.match(line[1])
        return 0

    def new_rows(self, text, spare=None):
        return Rows(
            text, self.dtype, has_target=self.has_target, has_fields=self.has_fields,
            has_query=self.has_query, n_hash=self.n_hash or 0,
            bytes_an_entry=_BYTES_WITH_FIELD if self.has_fields else _BYTES_AN_ENTRY,
            spare=spare,
        )  # fmt: skip

    def read(self, rows, start):
        return rows.read_sparse(start, first_index=self._first, largest_index=self._largest)

    def extent(self, least, largest):
        if self.n_hash is not None:
            return 0, self.n_hash
        first = int(self.zero_based == "auto" and least > 0)
        n_features = max(0, largest + 1 - first)
        if self.n_features is None:
            return first, n_features
        if n_features > self.n_features:
            raise FileFormatError(
                f"The features' numbers start from 0 and end at {largest}, but there should be "
                f"only {self.n_features} features (n_features)."
            )
        return first, self.n_features

    def expected(self, problem):
        feature = "a feature's name" if self.n_hash else "a feature's number"
        most = f"{feature} of at most {self._largest}"
        texts = {
            Problem.TARGET: "a finite number, the target, at the start of the line",
            Problem.NO_TARGET: "a target at the start of the line, as in the first line",
            Problem.LABEL: "an entry at the start of the line, as in the first line, not a target",
            Problem.BLANK: "a row: where rows have no target, one without entries cannot be told "
            "from an empty line, so put a 0 in front of all rows",
            Problem.FIELD: "field:index:value, numbers from 0 on",
            Problem.PAIR: "field:index:value; an entry of two numbers is one of the format libsvm "
            "(read_libsvm, format='libsvm')",
            Problem.TRIPLE: "a blank or the end of the line; an entry of three numbers is one of "
            "the format libffm (read_libffm, format='libffm')",
            Problem.ENTRY: f"{feature}, " + ("index" if self.has_fields else "index:value")
            + ("" if self.n_hash else "; names are hashed with n_hash="),
            Problem.BELOW_ONE: f"{feature} of at least 1 (zero_based=False)",
            Problem.TOO_MANY_FEATURES: f"{most} (n_features={self.n_features})"
            if self.n_features else f"{most}; larger ones are hashed with n_hash=",
            Problem.VALUE: "a finite number behind the colon",
            Problem.TOO_LARGE: f"a number that {self.dtype} can hold",
            Problem.END: "a blank or the end of the line",
            Problem.QUERY: "qid: and a number, as in the first line",
            Problem.NO_QUERY: "no qid, as in the first line",
        }  # fmt: skip
        return texts[problem]


class FieldForm(SparseForm):
    """Likewise, with entries `field:index:value`."""

    has_fields = True


def check_size(value, name):
    """A number of features, or None."""
    if value is not None and check_integer(value, name, 1) > _LARGEST_INDEX + 1:
        raise ValueError(f"{name} must be at most {_LARGEST_INDEX + 1}; got {value}.")


def hashed_feature(name: str, n_hash: int) -> int:
    """The feature that a reader with ``n_hash`` makes of a name.

    Its UTF-8 bytes go through the hash FNV-1a of 64 bits (Fowler, Noll & Vo) and the last steps of
    MurmurHash3 (Appleby), which spread its bits; the feature is what remains after division.

    Parameters
    ----------
    name : str
        What stands before the colon of an entry; of a table ``column=cell``, the column by its name
        or, without a header, its number.
    n_hash : int
        How many features there are.

    Returns
    -------
    int
        From 0 to n_hash - 1.
    """
    check_size(check_integer(n_hash, "n_hash", 1), "n_hash")
    return index_of(name.encode(), n_hash)


def colons_of_first_entry(line):
    """How many colons the first entry of a line has: 1 in libsvm's format, 2 in libffm's.

    Parameters
    ----------
    line : bytes
        With data.

    Returns
    -------
    int or None
        0 if the line is of another format, None if it has no entry and so may be of any.
    """
    match = _FIRST_ENTRY.match(line)
    if match[2] or match[1]:
        return match[2].count(b":") if match[2] else 1  # ranking is for libsvm's alone
    rest = line[match.end() :].strip()
    return 0 if rest and not rest.startswith(b"#") else None
