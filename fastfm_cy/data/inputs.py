"""Inputs: how X becomes rows. An estimator makes one from its parameters, and a model keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from .column_scaling import ColumnScaling, learn_scaling
from .csr import CSRRows
from .disk.dataset import Chunk, DiskDataset
from .fields import (
    WithFields,
    as_kernels_want,
    check_fields_of_entries,
    check_fields_of_features,
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
    """X as it is: a matrix, or a relational design."""

    columns: ColumnScaling | None = None
    """What is done to the columns before anything else; not to those of relational designs."""

    n_fields = None
    folds = True
    """Whether a model of scaled columns can be folded into one of plain columns."""

    @property
    def attributes(self) -> dict[str, Any]:
        """What an estimator shows of it."""
        return {}

    def matrix(self, X: Any) -> Any:
        """What of X has the features."""
        return X

    def check(self, X: Any, dtype: str, n_jobs: int, **names: Any) -> Rows:
        """The checked rows of X, in `dtype`; `names` as check_rows has them."""
        if isinstance(X, RelationalDesign):
            return check_design(X, dtype, n_jobs, name=names.get("name", "X"))
        return check_rows(X, dtype, n_jobs, **names)

    def learn(self, rows: Rows, X: Any, *, scales: bool, centres: bool) -> tuple[PlainInput, Rows]:
        """What a fit learns of the checked rows of its first X, and these as kernels take them.

        Parameters
        ----------
        rows, X
            The checked rows, and what the user gave.
        scales : bool
            Whether columns far from unit scale are brought there.
        centres : bool
            Whether columns may be centred, too.
        """
        learned = self._with_columns(rows, scales=scales, centres=centres)
        return learned, learned.finish(rows, X)

    def _with_columns(self, rows: Rows, *, scales: bool, centres: bool) -> PlainInput:
        if not scales or isinstance(rows, RelationalRows):
            return self
        return replace(self, columns=learn_scaling(rows, centres=centres and self.folds))

    def scaled(self, rows: Rows) -> Rows:
        """The rows with scaled columns."""
        if self.columns is None or isinstance(rows, RelationalRows):
            return rows
        return self.columns.apply(rows)

    def learn_disk(self, dataset: DiskDataset, columns: ColumnScaling | None) -> PlainInput:
        """What a fit learns of a data set on disk, whose columns need a scaling."""
        return replace(self, columns=columns)

    def going_on(self, before: Any) -> PlainInput:
        """The input of a fit that goes on with the model of the input `before`."""
        return replace(self, columns=before.columns)

    def finish(self, rows: Rows, X: Any) -> Rows:
        """Checked rows of X as the kernels take them."""
        return self.scaled(rows)

    def of_chunk(self, chunk: Chunk) -> CSRRows:
        """A part of a data set on disk as the kernels take it."""
        return self.scaled(chunk.rows)

    def n_table_features(self, n_features: int) -> int:
        """How many features the table has."""
        return n_features

    def table_rows(self, columns: np.ndarray) -> np.ndarray:
        """Where the table has the features of X's columns."""
        return columns


@dataclass(frozen=True)
class FieldInput(PlainInput):
    """Features, or the entries beside which the user gives them, that have fields."""

    fields: Any = None
    """Of the features; None: each is one, unless they stand beside X."""
    n_fields: int | None = None  # type: ignore[assignment]
    """How many there are; None before it is learned."""
    n_hash: int | None = None
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

    def check(self, X: Any, dtype: str, n_jobs: int, **names: Any) -> CSRRows:
        return expand_if_relational(super().check(self.matrix(X), dtype, n_jobs, **names))

    @property
    def folds(self) -> bool:  # type: ignore[override]
        """Hashed columns share parameters; and rows of unit length are no affine change."""
        return self.n_hash is None and self.normalize is None

    def learn(
        self, rows: Rows, X: Any, *, scales: bool, centres: bool
    ) -> tuple[FieldInput, CSRRows]:
        beside = isinstance(X, WithFields)
        learned = self._with_columns(rows, scales=scales, centres=centres and not beside)
        learned = replace(learned, beside=beside)
        with_fields = learned._with_fields(rows, X)
        if learned.n_fields is None:
            fields = with_fields.known_fields
            if not learned.beside:
                fields = self.of_features(rows.n_features)
            learned = replace(learned, n_fields=int(fields.max(initial=0)) + 1)
        return learned, learned.as_kernels_want(with_fields)

    def learn_disk(self, dataset: DiskDataset, columns: ColumnScaling | None) -> FieldInput:
        beside, n_fields = dataset.has("fields") and self.fields is None, self.n_fields
        if n_fields is None and beside:
            n_fields = max(1, dataset.n_fields)
        elif n_fields is None:
            n_fields = int(self.of_features(dataset.shape[1]).max(initial=0)) + 1
        if columns is not None and (beside or not self.folds):
            columns = replace(columns, centre=np.zeros_like(columns.centre))
        return replace(self, beside=beside, n_fields=n_fields, columns=columns)

    def going_on(self, before: Any) -> FieldInput:
        known = replace(
            self, n_fields=self.n_fields or before.n_fields, beside=before.beside,
            columns=before.columns,
        )  # fmt: skip
        for name in ("n_fields", "n_hash", "normalize"):
            now, then = getattr(known, name), getattr(before, name)
            if now != then:
                raise ValueError(
                    f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                    f"model has {then}, now {now} is asked for. Fit anew with warm_start=False."
                )
        return known

    def finish(self, rows: Rows, X: Any) -> CSRRows:
        return self.as_kernels_want(self._with_fields(rows, X))

    def of_chunk(self, chunk: Chunk) -> CSRRows:
        rows: CSRRows = chunk.rows
        X: Any = rows
        if self.beside:
            if rows.fields is None:
                raise ValueError("The model was fitted with fields beside the data; X has none.")
            X = rows.as_matrix()
            X = WithFields(X, sparse.csr_array((rows.fields, X.indices, X.indptr), X.shape))
        return self.finish(rows, X)

    def n_table_features(self, n_features: int) -> int:
        return n_features if self.n_hash is None else self.n_hash

    def table_rows(self, columns: np.ndarray) -> np.ndarray:
        return columns if self.n_hash is None else hashes_of(columns, self.n_hash)

    def as_kernels_want(self, rows: CSRRows) -> CSRRows:
        """Rows with fields, hashed and normalised if the model is."""
        return as_kernels_want(rows, n_hash=self.n_hash, normalize=self.normalize)

    def of_features(self, n_features: int) -> np.ndarray:
        """The field of each feature."""
        return check_fields_of_features(self.fields, n_features, self.may_be_more)

    def _with_fields(self, rows: Any, X: Any) -> CSRRows:
        beside = isinstance(X, WithFields)
        if beside != self.beside:
            raise ValueError(
                "The model was fitted with fields beside the data; pass fields= with this X, too."
                if self.beside
                else "The model was fitted with a field a feature; leave out fields=."
            )
        if beside:
            if self.fields is not None:
                raise ValueError("Give fields to the estimator or beside the data, not both.")
            return self.scaled(check_fields_of_entries(X, rows, self.n_fields))
        rows, fields = self.scaled(rows), self.of_features(rows.n_features)
        if self.n_fields is not None and fields.max(initial=0) >= self.n_fields:
            raise ValueError(
                f"fields has {fields.max()} for feature {fields.argmax()}, but n_fields is "
                f"{self.n_fields}."
            )
        return rows.with_fields(fields.astype(np.int32, copy=False)[rows.indices])


def input_of(params: dict[str, Any]) -> PlainInput:
    """How an estimator with these parameters reads X, but for what a fit learns."""
    if "fields" not in params:
        return PlainInput()
    names = "fields", "n_fields", "n_hash", "normalize"
    return FieldInput(**{name: params[name] for name in names}, may_be_more=params["grow_features"])


def split_eval_set(eval_set: Any, inputs: PlainInput) -> tuple[Any, Any, Any]:
    """(X, y, weights or None) of what a user gives; of four parts, the last are fields beside X."""
    has_fields = isinstance(inputs, FieldInput)
    if has_fields and isinstance(eval_set, tuple) and len(eval_set) == 4:
        X, y, weights, fields = eval_set
        return joined(X, fields), y, weights
    return check_eval_set(eval_set)
