"""Column transformer: scikit-learn's, whose rows know the fields of their columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from ..data.field_matrix import FieldMatrix


class FieldColumnTransformer(ColumnTransformer):
    """A ColumnTransformer whose rows tell field-aware estimators the fields of their columns.

    scikit-learn's own puts its parts together to a matrix that knows none. The fields are those of
    a part that has some (`FieldEncoder`); the columns that a `OneHotEncoder` takes; the columns
    themselves if a part gives as many as it takes, such as a scaler; and else one a part. Its
    parameters and attributes are ColumnTransformer's.

    Attributes
    ----------
    fields_ : int32 array of shape (n_features_out,)
    n_fields_ : int

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.preprocessing import StandardScaler
    >>> from fastfm_cy.preprocessing import FieldColumnTransformer, FieldEncoder
    >>> people = pd.DataFrame({"job": ["cook", "poet"], "sex": ["f", "m"], "age": [31, 58]})
    >>> parts = [("ids", FieldEncoder(), ["job", "sex"]), ("numbers", StandardScaler(), ["age"])]
    >>> FieldColumnTransformer(parts).fit(people).fields_
    array([0, 0, 1, 1, 2], dtype=int32)
    """

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> FieldMatrix:
        """Fit all parts, and put together what they make of X.

        Parameters
        ----------
        X : table with rows
        y : array of shape (n_rows,), default=None
        **params : as of ColumnTransformer

        Returns
        -------
        csr_array of shape (n_rows, n_features_out)
            With the attribute `fields`, where estimators find them.
        """
        return self._with_fields(super().fit_transform(X, y, **params))

    def transform(self, X: Any, **params: Any) -> FieldMatrix:
        """Put together what all parts make of X.

        Parameters
        ----------
        X : table with the columns of `fit`
        **params : as of ColumnTransformer

        Returns
        -------
        csr_array of shape (n_rows, n_features_out)
            With the attribute `fields`, where estimators find them.
        """
        return self._with_fields(super().transform(X, **params))

    @property
    def fields_(self) -> NDArray[np.int32]:
        fields, n_fields = [np.empty(0, dtype=np.int32)], 0
        for name, place in self.output_indices_.items():
            if place.stop > place.start:
                of_part = _fields_of(self.named_transformers_[name], place.stop - place.start)
                fields.append(of_part + np.int32(n_fields))
                n_fields += int(of_part.max()) + 1
        return np.concatenate(fields)

    @property
    def n_fields_(self) -> int:
        return int(self.fields_.max(initial=-1)) + 1

    def _with_fields(self, X: Any) -> FieldMatrix:
        fields = self.fields_
        return FieldMatrix(X).with_fields(fields, int(fields.max(initial=-1)) + 1)


def _fields_of(part: Any, n_features: int) -> NDArray[np.int32]:
    """The field, from 0, of each feature that a fitted transformer makes."""
    last = part[-1] if isinstance(part, Pipeline) else part
    if hasattr(last, "fields_"):
        return np.asarray(last.fields_, dtype=np.int32)
    categories = [len(categories) for categories in getattr(last, "categories_", ())]
    if sum(categories) == n_features:
        return np.repeat(np.arange(len(categories), dtype=np.int32), categories)
    if getattr(last, "n_features_in_", None) == n_features:
        return np.arange(n_features, dtype=np.int32)
    return np.zeros(n_features, dtype=np.int32)
