"""Views of fitted machines: what inspection reads of an estimator, or of a pipeline that ends in
one. Nothing else here looks inside an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..data.csr import CSRRows
from ..data.dataset import Dataset
from ..data.disk.dataset import DiskDataset
from ..data.field_matrix import FieldMatrix
from ..data.fields import joined
from ..data.inputs import FieldInput, PlainInput
from ..data.matrix_checks import check_structure
from ..data.relational import RelationalDesign
from ..data.relational_rows import expand_if_relational
from ..estimators.common import as_of_now
from ..estimators.intake import check_features
from ..model.fitted import FittedModel
from ..model.posterior import FittedPosterior
from ..model.table import ParameterTable
from .names import FeatureNames, Fields, check_fields, check_names, field_names
from .pairs import Nodes
from .weights import SampleWeights, TableWeights, Weights


@dataclass(frozen=True)
class SeenRows:
    """Rows as the kernels take them, and which of X's features they had."""

    rows: CSRRows
    columns: np.ndarray


@dataclass(frozen=True)
class View:
    """A fitted machine, all of one moment."""

    estimator: Any
    weights: Weights
    inputs: PlainInput
    """How X becomes rows."""
    names: FeatureNames
    steps: Any = None
    """The steps of a pipeline before the machine."""
    encoder: Any = None
    """What may know the fields of the features: fields_ and field_names_."""

    @property
    def classes(self) -> np.ndarray | None:
        """The labels that the outputs belong to, where there are several."""
        return self.estimator.classes_ if self.weights.n_outputs > 1 else None

    @property
    def n_features(self) -> int:
        """Of X as the machine takes it."""
        return self.estimator.n_features_in_

    @property
    def knows_fields(self) -> bool:
        """Whether the family does."""
        return isinstance(self.inputs, FieldInput)

    @property
    def has_fields_beside(self) -> bool:
        """Whether fields stand beside X, entry by entry."""
        return isinstance(self.inputs, FieldInput) and bool(self.inputs.beside)

    def fields(self, given: Any = None) -> Fields | None:
        """The fields of the features: the machine's own, those given, or the encoder's."""
        if isinstance(self.inputs, FieldInput):
            if self.inputs.beside:
                return None
            if given is not None:
                raise ValueError("The model has fields of its own; leave out fields=.")
            names = field_names(self._encoder("field_names_"), self.inputs.n_fields or 0)
            return Fields(self.inputs.of_features(self.n_features).astype(np.int64), names)
        if given is not None:
            return check_fields(given, self.n_features)
        own = self._encoder("fields_")
        if own is None or len(own) != self.n_features:
            return None
        found = check_fields(own, self.n_features)
        return replace(found, names=field_names(self._encoder("field_names_"), len(found.names)))

    def rows(self, X: Any, fields: Any = None) -> SeenRows:
        """The checked rows of X, through the steps of a pipeline.

        Parameters
        ----------
        X : whatever the model predicts from
        fields : CSR matrix, default=None
            Of the entries, if the model was fitted so.
        """
        X, fields = self.unpacked(X, fields)
        is_made = self.steps is None or isinstance(X, FieldMatrix)
        X = joined(X if is_made else self.steps.transform(X), fields)
        estimator, dtype = as_of_now(self.estimator), str(self.weights.dtype)
        checked = check_features(estimator, X, self.inputs, reset=False, dtype=dtype)
        rows = expand_if_relational(checked)
        finished = self.inputs.finish(rows, X)
        columns = np.unique(rows.indices) if self.names.n_hash is not None else np.zeros(0, int)
        return SeenRows(expand_if_relational(finished), columns)

    def unpacked(self, X: Any, fields: Any = None) -> tuple[Any, Any]:
        """X, of a data set its own, and the fields of its entries if the machine takes them."""
        if isinstance(X, Dataset | DiskDataset):
            fields = X.fields if self.has_fields_beside else fields
            X = X.X
        return X, fields

    def all_nodes(self) -> Nodes:
        """The features that may have weights, with their fields."""
        features = self.weights.used
        if not isinstance(self.inputs, FieldInput):
            return Nodes(features, np.zeros(len(features), dtype=np.int64))
        if self.inputs.beside or self.inputs.n_hash is not None:
            why = "are hashed" if self.inputs.n_hash is not None else "have fields beside the data"
            raise ValueError(
                f"The model's features {why}: only rows tell which feature is of which field. Give "
                "X, of training for one."
            )
        own = self.inputs.of_features(self.n_features)
        return Nodes(features, own[features].astype(np.int64))

    def nodes_of(self, rows: CSRRows) -> tuple[Nodes, np.ndarray]:
        """The features, with their fields, that occur in rows, and the number of each entry's."""
        keys = rows.indices.astype(np.int64)
        n_fields = 1
        if rows.fields is not None:
            n_fields = int(rows.fields.max(initial=0)) + 1
            keys = keys * n_fields + rows.fields
        found, numbers = np.unique(keys, return_inverse=True)
        return Nodes(found // n_fields, found % n_fields), numbers

    def names_of(self, nodes: Nodes, columns: np.ndarray | None = None) -> np.ndarray:
        """Names for people; those of features with fields beside X tell these, too."""
        names = self.names.of_table(nodes.features, columns)
        if not self.has_fields_beside:
            return names
        pairs = zip(names, nodes.fields.tolist(), strict=True)
        return np.array([f"{name} [field {field}]" for name, field in pairs], dtype=object)

    def _encoder(self, attribute: str) -> Any:
        return getattr(self.encoder, attribute, None)


def view_of(model: Any, names: Any = None) -> View:
    """A view of a fitted estimator, or of a pipeline that ends in one.

    Parameters
    ----------
    model : estimator or Pipeline
    names : array of shape (n_features,) or fitted transformer, default=None
        Names of the features, or what has them: get_feature_names_out, and perhaps the fields. None
        takes the pipeline's, or those of the model's data frame.
    """
    steps = None
    if isinstance(model, Pipeline):
        check_is_fitted(model[-1])
        steps = model[:-1] if len(model) > 1 else None
        model = model[-1]
    check_is_fitted(model)
    model = as_of_now(model)
    weights, inputs = _weights_of(model)
    own = getattr(vars(model).get("_fitted"), "encoder", None)
    if own is not None:
        steps = _of_rows(model, own, steps)
    encoder = names if hasattr(names, "get_feature_names_out") else None
    if names is None and steps is not None:
        encoder = steps
    n_features = model.n_features_in_
    found: Any = names
    if encoder is not None:
        found = encoder.get_feature_names_out()
    elif names is None:
        found = getattr(model, "feature_names_in_", None)
    checked = None if found is None else check_names(found, n_features)
    knows = steps if encoder is None else encoder
    knows = knows[-1] if isinstance(knows, Pipeline) else knows
    return View(model, weights, inputs, FeatureNames(checked, inputs.n_hash), steps, knows)


def _of_rows(model: Any, encoder: Any, steps: Pipeline | None) -> Pipeline:
    """Make a machine that encodes tables, a copy, one of rows; the steps that make them of X."""
    model._fitted = replace(model._fitted, encoder=None)
    model.n_features_in_ = len(encoder.fields_)
    vars(model).pop("feature_names_in_", None)
    return Pipeline([*(steps.steps if steps else ()), ("encoder", encoder)])


def _weights_of(model: Any) -> tuple[Weights, PlainInput]:
    fitted = vars(model).get("_fitted")
    if isinstance(fitted, FittedModel):
        model.n_features_in_ = fitted.n_features
        return TableWeights(fitted.table), fitted.inputs
    if isinstance(fitted, FittedPosterior):
        # Kept draws are those of plain columns, whatever was scaled in training.
        return SampleWeights(fitted.samples), PlainInput()
    table = vars(model).get("_table")
    if isinstance(table, ParameterTable):
        model.n_features_in_ = table.n_features
        return TableWeights(table), PlainInput()
    raise TypeError(
        f"fastfm_cy.inspection looks into machines of features (FM, FFM, FwFM, Bayesian, ranker); "
        f"got {type(model).__name__}. Of an FMRecommender, see item_vectors_, query_vectors and "
        "similar_items."
    )


def one_row(X: Any, row: int) -> Any:
    """X with one of its rows only."""
    is_dict = isinstance(X, Mapping)  # of columns
    sized = next(iter(X.values()), ()) if is_dict else X
    n_rows = sized.shape[0] if hasattr(sized, "shape") else len(sized)
    if not -n_rows <= row < n_rows:
        raise IndexError(f"X has {n_rows} rows; there is no row {row}.")
    row %= n_rows
    if is_dict:
        return {name: column[row : row + 1] for name, column in X.items()}
    if hasattr(X, "iloc"):
        return X.iloc[row : row + 1]
    if isinstance(X, RelationalDesign):
        return X[[row]]
    return check_structure(X, every_entry=True).tocsr()[[row]] if issparse(X) else X[row : row + 1]
