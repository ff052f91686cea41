"""Inputs: how X becomes rows. An estimator makes one from its parameters, and a model keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np
from scipy import sparse

from ..utils.checks import plain_number
from .column_scaling import ColumnScaling, learn_scaling
from .csr import CSRRows
from .dataset import Dataset
from .disk.dataset import Chunk, DiskDataset
from .field_matrix import FieldMatrix
from .fields import (
    WithFields,
    as_kernels_want,
    check_fields_of_entries,
    check_fields_of_features,
    hashed_and_summed,
    hashes_of,
    joined,
)
from .matrix_checks import check_rows
from .relational import RelationalDesign
from .relational_rows import RelationalRows, check_design, expand_if_relational
from .sample_checks import check_eval_set

Rows = CSRRows | RelationalRows


@dataclass(frozen=True)
class PlainInput:
    """X as it is: a matrix, or a relational design; its columns may be hashed."""

    n_hash: int | None = None
    columns: ColumnScaling | None = None
    """What is done to the columns before anything else; not to those of relational designs."""

    n_fields: ClassVar[Any] = None

    @property
    def folds(self) -> bool:
        """Whether a model of scaled columns can be folded into one of plain columns.

        Hashed columns share parameters.
        """
        return self.n_hash is None

    @property
    def attributes(self) -> dict[str, Any]:
        """What an estimator shows of it."""
        return {}

    def matrix(self, X: Any) -> Any:
        """What of X has the features."""
        return X

    def with_fields_of(self, X: Any) -> Any:
        """The same, with the fields that X knows of its columns if the user gave none."""
        return self.with_fields(X.fields, X.n_fields) if isinstance(X, FieldMatrix) else self

    def with_fields(self, fields: np.ndarray | None, n_fields: int | None) -> Any:
        """The same, with these fields of features if there are any and the user gave none."""
        return self

    def check(self, X: Any, dtype: str, n_jobs: int, **names: Any) -> Rows:
        """The checked rows of X, in `dtype`; `names` as check_rows has them."""
        if isinstance(X, RelationalDesign):
            return check_design(X, dtype, n_jobs, name=names.get("name", "X"))
        return check_rows(X, dtype, n_jobs, **names)

    def learn(
        self, rows: Rows, X: Any, weights: np.ndarray | None = None, *, scales: bool,
        centres: bool, shortens: bool = False,
    ) -> tuple[Any, Rows]:  # fmt: skip
        """What a fit learns of the checked rows of its first X, and these as kernels take them.

        Parameters
        ----------
        rows, X
            The checked rows, and what the user gave.
        weights : array of shape (n_rows,), default=None
            Of the rows.
        scales : bool
            Whether columns far from unit scale are brought there.
        centres : bool
            Whether columns may be centred, too.
        shortens : bool
            Whether what is dense of a row is brought to unit length.
        """
        learned = self._with_columns(
            rows, weights, scales=scales, centres=centres, shortens=shortens
        )
        return learned, learned.finish(rows, X)

    def _with_columns(
        self, rows: Rows, weights: np.ndarray | None, *, scales: bool, centres: bool,
        shortens: bool = False,
    ) -> Any:  # fmt: skip
        if not scales or isinstance(rows, RelationalRows):
            return self
        centres = centres and self.folds
        return replace(
            self, columns=learn_scaling(rows, weights, centres=centres, shortens=shortens)
        )

    def scaled(self, rows: Any) -> Any:
        """The rows with scaled columns."""
        if self.columns is None or isinstance(rows, RelationalRows):
            return rows
        return self.columns.apply(rows)

    def learn_disk(self, dataset: DiskDataset, columns: ColumnScaling | None) -> Any:
        """What a fit learns of a data set on disk, whose columns need a scaling."""
        return replace(self, columns=columns)

    def going_on(self, before: Any, n_features: int) -> PlainInput:
        """The input of a fit that goes on with a model of that many features and its input."""
        _refuse_change(self, before, "n_hash")
        return replace(self, columns=before.columns)

    def finish(self, rows: Rows, X: Any) -> Rows:
        """Checked rows of X as the kernels take them."""
        rows = self.scaled(rows)
        if self.n_hash is None:
            return rows
        # Columns of different blocks may meet, so a relational design is expanded.
        return hashed_and_summed(expand_if_relational(rows), self.n_hash)

    def of_chunk(self, chunk: Chunk) -> CSRRows:
        """A part of a data set on disk as the kernels take it."""
        return cast(CSRRows, self.finish(chunk.rows, None))

    def of_entries(self, rows: CSRRows, fields: np.ndarray | None) -> CSRRows:
        """Rows of checked columns, and perhaps the fields of their entries, as kernels take them.

        The rows may be in any order, with a column twice.
        """
        if fields is not None:
            raise ValueError("The model knows no fields; leave out fields.")
        return cast(CSRRows, self.finish(rows, None))

    def n_table_features(self, n_features: int) -> int:
        """How many features the table has."""
        return n_features if self.n_hash is None else self.n_hash

    def table_rows(self, columns: np.ndarray) -> np.ndarray:
        """Where the table has the features of X's columns."""
        return columns if self.n_hash is None else hashes_of(columns, self.n_hash)


@dataclass(frozen=True)
class FieldInput(PlainInput):
    """Features, or the entries beside which the user gives them, that have fields."""

    fields: Any = None
    """Of the features, as the user has them; once learned, an array of the model's own, or None if
    they stand beside X. None before that: each feature is a field, unless they stand beside X."""
    n_fields: int | None = None  # type: ignore[misc]
    """How many there are; None before it is learned."""
    normalize: str | None = None
    may_be_more: bool = False
    """Whether `fields` may be longer than X is wide."""
    beside: bool | None = None
    """Whether the entries' fields stand beside X; None before it is learned."""

    @property
    def attributes(self) -> dict[str, Any]:
        return {"n_fields_": self.n_fields}

    def matrix(self, X: Any) -> Any:
        return X.X if isinstance(X, WithFields) else X

    def with_fields(self, fields: np.ndarray | None, n_fields: int | None) -> FieldInput:
        if self.fields is not None or fields is None:
            return self
        return replace(self, fields=fields, n_fields=self.n_fields or n_fields)

    def check(self, X: Any, dtype: str, n_jobs: int, **names: Any) -> CSRRows:
        return expand_if_relational(super().check(self.matrix(X), dtype, n_jobs, **names))

    @property
    def folds(self) -> bool:
        """Nor are rows of unit length an affine change."""
        return self.n_hash is None and self.normalize is None

    def learn(
        self, rows: Any, X: Any, weights: np.ndarray | None = None, *, scales: bool,
        centres: bool, shortens: bool = False,
    ) -> tuple[FieldInput, CSRRows]:  # fmt: skip
        beside = isinstance(X, WithFields)
        scaled = self._with_columns(
            rows, weights, scales=scales, centres=centres and not beside, shortens=shortens
        )
        learned: FieldInput = scaled.of_model(rows.n_features, beside=beside)
        with_fields = learned._with_fields(rows, X)
        if learned.n_fields is None:
            n_fields = int(with_fields.known_fields.max(initial=0)) + 1
            learned = replace(learned, n_fields=n_fields)
        return learned, learned._as_kernels_want(with_fields)

    def learn_disk(self, dataset: DiskDataset, columns: ColumnScaling | None) -> FieldInput:
        beside = dataset.has("fields") and self.fields is None
        learned = self.of_model(dataset.shape[1], beside=beside)
        if learned.n_fields is None:
            learned = replace(learned, n_fields=max(1, dataset.n_fields))
        if columns is not None and (beside or not self.folds):
            columns = replace(columns, centre=np.zeros_like(columns.centre))
        return replace(learned, columns=columns)

    def of_model(self, n_features: int, *, beside: bool) -> FieldInput:
        """The input of a model with that many features, whose fields the user cannot change."""
        learned = replace(self, beside=beside)
        if beside:
            return learned
        fields = self.of_features(n_features)
        if learned.n_fields is None:
            learned = replace(learned, n_fields=int(fields.max(initial=0)) + 1)
        learned._check_known(fields)
        if self.fields is None:
            return learned
        own = np.minimum(fields, np.iinfo(np.int32).max).astype(np.int32)  # no table has as many
        own.setflags(write=False)
        return replace(learned, fields=own)

    def going_on(self, before: Any, n_features: int) -> FieldInput:
        known = replace(self, n_fields=self.n_fields or before.n_fields, columns=before.columns)
        _refuse_change(known, before, "n_fields", "n_hash", "normalize")
        known = known.of_model(n_features, beside=before.beside)
        if before.beside:
            return known
        now, then = known.of_features(n_features), before.of_features(n_features)
        if not np.array_equal(now, then):
            where = int(np.argmax(now != then))
            raise ValueError(
                f"fields cannot change between fits that go on (warm_start, partial_fit): feature "
                f"{where} had field {then[where]}, now {now[where]}. Fit anew with "
                "warm_start=False."
            )
        return known

    def finish(self, rows: Any, X: Any) -> CSRRows:
        return self._as_kernels_want(self._with_fields(rows, X))

    def of_chunk(self, chunk: Chunk) -> CSRRows:
        rows: CSRRows = chunk.rows
        X: Any = rows
        if self.beside:
            if rows.fields is None:
                raise ValueError("The model was fitted with fields beside the data; X has none.")
            X = rows.as_matrix()
            X = WithFields(X, sparse.csr_array((rows.fields, X.indices, X.indptr), X.shape))
        return self.finish(rows, X)

    def of_entries(self, rows: CSRRows, fields: np.ndarray | None) -> CSRRows:
        if not self.beside:
            if fields is not None:
                raise ValueError("The model was fitted with a field a feature; leave out fields.")
            return self.finish(rows, None)
        if fields is None:
            raise ValueError("The model knows no fields of features; give a field an entry.")
        return self._as_kernels_want(self.scaled(rows.with_fields(fields)))

    def of_features(self, n_features: int) -> np.ndarray:
        """The field of each feature, or if `may_be_more` of more; a model's own are int32."""
        is_own = self.beside is not None and self.fields is not None
        if is_own and len(self.fields) >= n_features:
            return self.fields[:n_features]
        return check_fields_of_features(self.fields, n_features, self.may_be_more)

    def _as_kernels_want(self, rows: CSRRows) -> CSRRows:
        """Rows with fields, hashed and normalised if the model is."""
        return as_kernels_want(rows, n_hash=self.n_hash, normalize=self.normalize)

    def _with_fields(self, rows: CSRRows, X: Any) -> CSRRows:
        beside = isinstance(X, WithFields)
        if beside != self.beside:
            raise ValueError(
                "The model was fitted with fields beside the data; pass fields= with this X, too "
                "(a command needs a file of libffm's format)."
                if self.beside
                else "The model was fitted with a field a feature; leave out fields=."
            )
        if beside:
            if self.fields is not None:
                raise ValueError("Give fields to the estimator or beside the data, not both.")
            return self.scaled(check_fields_of_entries(X, rows, self.n_fields))
        rows = self.scaled(rows)
        fields = self.of_features(rows.n_features)
        self._check_known(fields)
        fields = fields.astype(np.int32, copy=False)
        return rows.with_fields(fields.take(rows.indices, mode="clip"))

    def _check_known(self, fields: np.ndarray) -> None:
        """Refuse fields beyond those that the model knows."""
        if self.n_fields is not None and fields.max(initial=0) >= self.n_fields:
            raise ValueError(
                f"fields has {fields.max()} for feature {fields.argmax()}, but n_fields is "
                f"{self.n_fields}."
            )


def _refuse_change(now: PlainInput, before: PlainInput, *names: str) -> None:
    for name in names:
        if getattr(now, name) != getattr(before, name):
            raise ValueError(
                f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                f"model has {getattr(before, name)}, now {getattr(now, name)} is asked for. Fit "
                "anew with warm_start=False."
            )


def input_of(params: dict[str, Any]) -> PlainInput:
    """How an estimator with these parameters reads X, but for what a fit learns."""
    if "fields" not in params:
        return PlainInput(plain_number(params["n_hash"]))
    names = "fields", "n_fields", "n_hash", "normalize"
    values = {name: plain_number(params[name]) for name in names}
    return FieldInput(**values, may_be_more=params["grow_features"])


def unpacked(
    X: Any, y: Any, sample_weight: Any, inputs: PlainInput, *, to_fit: bool = True
) -> tuple[Any, Any, Any]:
    """X, y and weights, of a Dataset (as readers return it) its own, with fields if they count."""
    if not isinstance(X, Dataset):
        return X, y, sample_weight
    if y is not None or sample_weight is not None:
        raise ValueError(
            "A Dataset has its own targets and weights: fit(dataset), without y and sample_weight."
        )
    if to_fit and X.y is None:
        raise ValueError("The Dataset has no targets: there was no label in any row.")
    wants_fields = isinstance(inputs, FieldInput) and (inputs.fields is None or inputs.beside)
    return joined(X.X, X.fields if wants_fields else None), X.y, X.weights


def split_eval_set(eval_set: Any, inputs: PlainInput) -> tuple[Any, Any, Any]:
    """(X, y, weights or None) of what a user gives; of four parts, the last are fields beside X."""
    if isinstance(eval_set, Dataset):
        return unpacked(eval_set, None, None, inputs)
    has_fields = isinstance(inputs, FieldInput)
    if has_fields and isinstance(eval_set, tuple) and len(eval_set) == 4:
        X, y, weights, fields = eval_set
        return joined(X, fields), y, weights
    return check_eval_set(eval_set)
