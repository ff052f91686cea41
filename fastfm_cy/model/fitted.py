"""Fitted models: all that predictions need, in one object that a fit swaps in at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from ..data.disk.chunks import in_order, read_ahead
from ..data.disk.dataset import DiskDataset
from ..data.inputs import FieldInput, PlainInput, Rows
from ..data.matrix_checks import AS_MANY_FEATURES
from ..data.targets import Encoding, TargetScale
from .folding import folded
from .links import Link
from .sparse_table import SparseTable
from .table import ParameterTable


@dataclass(frozen=True)
class TrainedModel:
    """A model as training sees it, of columns and targets that may be scaled, to go on with."""

    table: ParameterTable
    inputs: PlainInput
    scale: TargetScale | None = None


@dataclass(frozen=True)
class FittedModel:
    """A machine with a parameter table, and what its input and its scores mean.

    It holds all of it as it was when it was fitted, whatever is set on the estimator since.
    """

    table: ParameterTable | SparseTable
    inputs: PlainInput
    target: Any
    """RealTarget or ClassTarget."""
    link: Link
    n_features: int
    """Of X; the table may have fewer, if they are hashed."""
    scaled: TrainedModel | None = None
    """Where columns or targets were scaled, the model that was folded into this one."""
    encoder: Any = None
    """What makes X of a table, if the model takes tables (preprocessing/encoder.py)."""

    @property
    def trained(self) -> TrainedModel:
        """What training goes on with."""
        return self.scaled or TrainedModel(cast(ParameterTable, self.table), self.inputs)

    @property
    def is_sparse(self) -> bool:
        return isinstance(self.table, SparseTable)

    @property
    def dense_table(self) -> ParameterTable:
        table = self.table
        return table.dense() if isinstance(table, SparseTable) else table

    def with_table(self, table: ParameterTable | SparseTable) -> FittedModel:
        """The same model with another form of its table."""
        return replace(self, table=table, scaled=None)

    def scores(self, rows: Rows, n_jobs: int = 1) -> np.ndarray:
        """The value of each row, shape (n_rows, n_outputs), in the table's dtype."""
        if rows.n_features != self.table.n_features:
            raise ValueError(
                f"X has {rows.n_features} features, the model {self.table.n_features}."
            )
        return self.table.scores(rows, n_jobs)

    def scores_from_disk(self, dataset: DiskDataset, n_jobs: int = 1) -> np.ndarray:
        """The same, of the rows of a data set on disk, chunk by chunk."""
        if dataset.shape[1] != self.n_features:
            raise ValueError(
                f"X has {dataset.shape[1]} features, the model {self.n_features}. "
                f"{AS_MANY_FEATURES}"
            )
        table = self.table
        scores = np.empty((dataset.shape[0], table.n_outputs), dtype=table.dtype)
        done = 0
        for chunk in read_ahead(dataset, in_order(dataset), table.dtype):
            rows = self.inputs.of_chunk(chunk)
            scores[done : done + rows.n_rows] = table.scores(rows, n_jobs)
            done += rows.n_rows
            del chunk, rows  # before the next is read
        return scores

    def scorer(self) -> Any:
        """What ``compile()`` returns: a copy of the model for single rows and small batches."""
        table = self.dense_table.with_state()
        return table.family.scorer(table, self)


def fitted_model(
    table: ParameterTable,
    inputs: PlainInput,
    encoding: Encoding,
    link: Link,
    n_features: int,
) -> FittedModel:
    """The model of a table that was trained on what `inputs` and `encoding` made of the data."""
    target, scale, columns = encoding.target, encoding.scale, inputs.columns
    if columns is None and scale is None:
        return FittedModel(table, inputs, target, link, n_features)
    plain, fields = inputs, None
    if inputs.folds:
        plain = replace(inputs, columns=None)
        if columns is not None and columns.centre.any() and isinstance(inputs, FieldInput):
            fields = inputs.of_features(n_features)
    else:
        columns = None  # applied at predictions, too
    trained = TrainedModel(table, inputs, scale)
    return FittedModel(
        folded(table, columns, scale, fields),
        plain,
        target,
        link,
        n_features,
        trained,
    )
