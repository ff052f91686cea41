"""FieldEncoder: tables of users, items, dates, numbers and texts to sparse rows with fields."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..data.field_matrix import FieldMatrix
from ..utils.checks import check_choice
from .assembly import assemble
from .categorical import Categorical
from .encoder_state import parameters_and_fields, state_of
from .field import HANDLE_UNKNOWN, Field
from .fitted import FittedFields
from .joined import Join
from .numeric import Numeric
from .plan import FROM_DTYPE, all_missing, plan_fields
from .table import Table, read_table

_DTYPES = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}


class FieldEncoder(TransformerMixin, BaseEstimator):
    """Encode a table as sparse rows, in which each column is a field.

    Text, categories and bools become one feature a category, numbers are standardised, dates
    become their parts, lists several features a row; `columns` says otherwise. A missing value is a
    category of its own; a category that was not there in `fit` has no entry.

    Parameters
    ----------
    columns : dict, default=None
        What columns (names, or positions) are, if not what their type says: "categorical",
        "multi", "numeric", "dates" or "drop", or with options `Categorical`, `MultiValued`,
        `Numeric`, `Dates` or `Text`.
    categorical : "from_dtype" or list of columns, default="from_dtype"
        Columns that are categorical beside those whose type says so, such as ids that are numbers.
    numeric : Numeric or str, default="standard"
        What becomes of number columns: a `Numeric`, or the name of its transform.
    join : dict, default=None
        More fields: name -> `Join`, the sets from another table that belong to the rows' keys.
    min_frequency : int or float, default=None
        Categories in fewer rows, or in a smaller fraction of them, share one feature a field.
    max_categories : int, default=None
        At most so many features a categorical field; the rarest categories share one of them.
    handle_unknown : {"infrequent_if_exist", "ignore", "error"}, default="infrequent_if_exist"
        What is done with categories that were not there in `fit`: they go to the feature of the
        rare ones if the field has one and else have no entry, have no entry, or are an error.
    n_hash : int, default=None
        Rare and unknown categories share so many features a field, by a hash of them. Without
        `min_frequency` and `max_categories` all categories do, and none is remembered.
    dtype : {"float32", "float64"}, default="float32"
        Of the matrix.
    n_jobs : int, default=None
        Threads; pays for columns of text in Arrow's memory (polars, pyarrow).

    Attributes
    ----------
    fields_ : int32 array of shape (n_features_out,)
        The field of each feature, as `FFMClassifier(fields=...)` and `FwFMClassifier` take it.
    n_fields_ : int
    field_names_ : list of str
    n_features_in_ : int
    feature_names_in_ : array of str
        Names of the columns in `fit`, if all are strings.

    Notes
    -----
    Tables are whatever narwhals reads (pandas, polars, pyarrow, ...), NumPy arrays, dicts of
    columns, and lists of dicts or of rows. Columns with names are found by them, in any order.

    Where scikit-learn's OneHotEncoder and MultiLabelBinarizer apply, the matrix is theirs; features
    are named "column=category".

    Examples
    --------
    >>> from fastfm_cy.preprocessing import FieldEncoder, MultiValued
    >>> films = {"user": [7, 7, 9], "genres": ["Comedy|War", "War", None]}
    >>> encoder = FieldEncoder({"genres": MultiValued("|")}, categorical=["user"])
    >>> encoder.fit_transform(films).toarray()
    array([[1., 0., 1., 1., 0.],
           [1., 0., 0., 1., 0.],
           [0., 1., 0., 0., 1.]], dtype=float32)
    >>> encoder.get_feature_names_out().tolist()
    ['user=7', 'user=9', 'genres=Comedy', 'genres=War', 'genres=<missing>']
    >>> encoder.fields_
    array([0, 0, 1, 1, 1], dtype=int32)
    """

    _fitted: FittedFields

    def __init__(
        self,
        columns: dict[Any, Any] | None = None,
        *,
        categorical: Any = FROM_DTYPE,
        numeric: Numeric | str = "standard",
        join: dict[str, Join] | None = None,
        min_frequency: float | None = None,
        max_categories: int | None = None,
        handle_unknown: str = "infrequent_if_exist",
        n_hash: int | None = None,
        dtype: str = "float32",
        n_jobs: int | None = None,
    ) -> None:
        self.columns = columns
        self.categorical = categorical
        self.numeric = numeric
        self.join = join
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.n_hash = n_hash
        self.dtype = dtype
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> FieldEncoder:
        """Learn the columns and their categories.

        Parameters
        ----------
        X : table with rows
        y : ignored

        Returns
        -------
        self
        """
        self._learn_first(read_table(X), is_chunk=False)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> FieldMatrix:
        """`fit` and `transform`, with one pass over the table.

        Parameters
        ----------
        X : table with rows
        y : ignored

        Returns
        -------
        csr_array of shape (n_rows, n_features_out)
            It has the features' fields as its attribute `fields`, where estimators find them.
        """
        table = read_table(X)
        return self._matrix(table, self._learn_first(table, is_chunk=False))

    def partial_fit(self, X: Any, y: Any = None) -> FieldEncoder:
        """Learn from a chunk of rows what earlier ones did not show.

        Known features keep their numbers, new ones get the next numbers: those of new categories,
        and of those that were rare before and are not any more. Bins of quantiles, words, joined
        tables and the day from which days are counted stay as the first chunk had them.

        Parameters
        ----------
        X : table with rows
            A chunk of a table; the first one says what the columns are.
        y : ignored

        Returns
        -------
        self
        """
        if not self.__sklearn_is_fitted__():
            self._learn_first(read_table(X), is_chunk=True)
        else:
            self._learn_more(read_table(X))
        return self

    def transform(self, X: Any) -> FieldMatrix:
        """Encode a table.

        Parameters
        ----------
        X : table with the columns of `fit`

        Returns
        -------
        csr_array of shape (n_rows, n_features_out)
            Columns are int32, ascending in each row, without zeros. It has the features' fields
            as its attribute `fields`, where estimators find them.
        """
        check_is_fitted(self)
        table = read_table(X)
        columns = self._fitted.columns_of(table)
        readings = self._each(lambda field: field.read(columns[field.source]), self._fitted.fields)
        return self._matrix(table, readings)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the features.

        Parameters
        ----------
        input_features : array of str, default=None
            Names of the columns: those in `fit`, or any if the columns had none.

        Returns
        -------
        array of str objects of shape (n_features_out,)
            "column=category"; a number's is the column's name. "<missing>", "<rare>" and
            "<hash 5>" stand for missing values, for rare and for hashed categories.
        """
        check_is_fitted(self)
        names_in = self._fitted.names_in
        if input_features is None:
            input_features = names_in
        elif self._fitted.has_names and list(input_features) != names_in:
            raise ValueError("input_features is not equal to feature_names_in_.")
        elif len(input_features) != len(names_in):
            raise ValueError(
                f"input_features should have length equal to {len(names_in)}, the number of "
                f"features; got {len(input_features)}."
            )
        return self._fitted.feature_names(list(input_features))

    @property
    def fields_(self) -> NDArray[np.int32]:
        return self._require_fitted("fields_").field_of_feature

    @property
    def n_fields_(self) -> int:
        return len(self._require_fitted("n_fields_").fields)

    @property
    def field_names_(self) -> list[str]:
        return [field.name for field in self._require_fitted("field_names_").fields]

    def to_state(self) -> tuple[dict[str, Any], list[NDArray[Any]]]:
        """The encoder without pickle.

        Returns
        -------
        state : dict
            For JSON.
        arrays : list of 1-D arrays of uint8, int32, int64, float64 or bool

        Raises
        ------
        TypeError
            A column of text has a vectorizer other than scikit-learn's, or one with functions.
        """
        check_is_fitted(self)
        return state_of(self.get_params(deep=False), self._fitted)

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: list[NDArray[Any]]) -> FieldEncoder:
        """The encoder that `to_state` took; it encodes and grows as that one would.

        The tables of `join` are not part of it: it cannot be fitted anew without them.

        Parameters
        ----------
        state, arrays : what `to_state` gave

        Returns
        -------
        FieldEncoder

        Raises
        ------
        ValueError
            State and arrays contradict each other.
        """
        parameters, fitted = parameters_and_fields(state, arrays)
        try:
            encoder = cls(**parameters)
            encoder._checked_parameters()
        except TypeError as error:
            raise ValueError(f"the encoder's state makes no sense ({error!r})") from error
        encoder._take(fitted)
        return encoder

    def checkpoint(self) -> Any:
        """What `roll_back` needs to forget a later `partial_fit`; cheap.

        Returns
        -------
        object
        """
        fitted = vars(self).get("_fitted")
        return dict(vars(self)), fitted and fitted.checkpoint()

    def roll_back(self, checkpoint: Any) -> None:
        """Become what the encoder was at a checkpoint, which can be used once.

        Parameters
        ----------
        checkpoint : what `checkpoint` gave
        """
        attributes, of_fields = checkpoint
        self.__dict__.clear()
        self.__dict__.update(attributes)
        if of_fields is not None:
            self._fitted.roll_back(of_fields)

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _require_fitted(self, attribute: str) -> FittedFields:
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"FieldEncoder has no {attribute} before it is fitted.")
        return self._fitted

    def _learn_first(self, table: Table, *, is_chunk: bool) -> list[Any]:
        """Plan the fields, let them learn, and only then take them over; what they read."""
        _check_size(table)
        defaults, numeric = self._checked_parameters()
        fields, dropped = plan_fields(
            table, self.columns, self.categorical, numeric, self.join, defaults
        )
        columns = {column.name: column for column in table.columns}
        readings = self._each(lambda field: field.learn(columns[field.source]), fields)
        empty = [field.source for field in fields if not field.has_values]
        if empty and not is_chunk:
            raise ValueError(all_missing(list(dict.fromkeys(empty)), table.n_rows))
        self._take(FittedFields.of(fields, table, dropped))
        return readings

    def _learn_more(self, table: Table) -> None:
        _check_size(table)
        columns = self._fitted.columns_of(table)
        checkpoint = self.checkpoint()
        try:
            self._each(lambda field: field.learn(columns[field.source]), self._fitted.fields)
            self._fitted = self._fitted.numbered()
        except BaseException:
            self.roll_back(checkpoint)
            raise

    def _take(self, fitted: FittedFields) -> None:
        self._fitted = fitted
        self.n_features_in_ = len(fitted.names_in)
        self.__dict__.pop("feature_names_in_", None)
        if fitted.has_names:
            self.feature_names_in_ = np.array(fitted.names_in, dtype=object)

    def _checked_parameters(self) -> tuple[Categorical, Numeric]:
        """What holds for categorical and for number columns unless `columns` says otherwise."""
        check_choice(self.dtype, "dtype", _DTYPES)
        check_choice(self.handle_unknown, "handle_unknown", dict.fromkeys(HANDLE_UNKNOWN))
        options = Categorical(
            self.min_frequency, self.max_categories, self.handle_unknown, self.n_hash
        )
        options.check()
        numeric = Numeric(self.numeric) if isinstance(self.numeric, str) else self.numeric
        if not isinstance(numeric, Numeric):
            raise TypeError(f"numeric must be a Numeric(...) or a text; got {self.numeric!r}.")
        numeric.check()
        return options, numeric

    def _each(self, function: Callable[[Field], Any], fields: list[Field]) -> list[Any]:
        """function(field) of each field."""
        n_threads = min(effective_n_jobs(self.n_jobs), len(fields))
        if n_threads < 2:
            return [function(field) for field in fields]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(function, fields))

    def _matrix(self, table: Table, readings: list[Any]) -> FieldMatrix:
        fitted = self._fitted
        dtype: Any = check_choice(self.dtype, "dtype", _DTYPES)
        parts = []
        for place, (field, numbers) in enumerate(zip(fitted.fields, fitted.numbers, strict=True)):
            parts.append(field.part(readings[place], numbers, dtype))
            readings[place] = None  # frees its memory
        X = assemble(
            parts, table.n_rows, fitted.n_features, dtype,
            is_sorted=fitted.is_in_order, n_jobs=effective_n_jobs(self.n_jobs),
        )  # fmt: skip
        return X.with_fields(fitted.field_of_feature, len(fitted.fields))


def _check_size(table: Table) -> None:
    for axis, (what, size) in enumerate(
        (("sample", table.n_rows), ("feature", len(table.columns)))
    ):
        if not size:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={(table.n_rows, len(table.columns))}) while "
                f"a minimum of 1 is required by FieldEncoder: X has no "
                f"{('rows', 'columns')[axis]}."
            )
