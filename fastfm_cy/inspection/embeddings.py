"""Embeddings: the factor vectors of features, by their names."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..io.outputs import written_aside
from ..utils.checks import shown
from .columns import Columns
from .names import Fields
from .pairs import blocks
from .view import View, view_of


@dataclass(frozen=True)
class Embeddings:
    """Vectors of features, by their names; `embeddings` makes them.

    Attributes
    ----------
    names : ndarray of shape (n_vectors,)
    vectors : ndarray of shape (n_vectors, n_dimensions), float64
    std : ndarray of shape (n_vectors, n_dimensions) or None
        Of a Bayesian machine, the standard deviations over its draws.
    fields : ndarray of shape (n_vectors,) or None
        Names of the features' fields, where they are known.
    """

    names: np.ndarray
    vectors: np.ndarray
    std: np.ndarray | None = None
    fields: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)

    def columns(self) -> Columns:
        """All of it as a table.

        Returns
        -------
        Columns
            "feature", "field" where it is known, "v0", "v1", ..., and of a Bayesian machine "std0",
            "std1", ...
        """
        table = Columns(feature=self.names)
        if self.fields is not None:
            table["field"] = self.fields
        table |= {f"v{place}": column for place, column in enumerate(self.vectors.T)}
        if self.std is not None:
            table |= {f"std{place}": column for place, column in enumerate(self.std.T)}
        return table

    def save(self, path: str | Path) -> None:
        """Write the vectors to a file, whole or not at all.

        Parameters
        ----------
        path : path
            Its suffix says how: ".npz" for the arrays of the attributes (`numpy.load`), ".csv" for
            the table of `columns`, ".txt" or ".vec" for word2vec's text format (gensim, TensorBoard
            and others read it), in which blanks of names become "_".

        Raises
        ------
        ValueError
            Of any other suffix.
        """
        writers = {".npz": self._npz, ".csv": self._csv, ".txt": self._text, ".vec": self._text}
        suffix = Path(path).suffix
        if suffix not in writers:
            raise ValueError(f"Name a file *{', *'.join(writers)}; got {shown(str(path))}.")
        content = writers[suffix]()
        with written_aside(path) as file:
            file.write(content)

    def _npz(self) -> bytes:
        arrays = {"names": self.names.astype(str), "vectors": self.vectors}
        if self.std is not None:
            arrays["std"] = self.std
        if self.fields is not None:
            arrays["fields"] = self.fields.astype(str)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    def _csv(self) -> bytes:
        table, buffer = self.columns(), io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(row.values() for row in table.rows())
        return buffer.getvalue().encode()

    def _text(self) -> bytes:
        lines = [f"{len(self)} {self.vectors.shape[1]}"]
        for name, vector in zip(self.names, self.vectors.tolist(), strict=True):
            word = re.sub(r"\s", "_", str(name)) or "_"
            lines.append(" ".join([word, *(f"{number:.9g}" for number in vector)]))
        return ("\n".join(lines) + "\n").encode()


def embeddings(
    model: Any, *, field: Any = None, toward: Any = None, order: int = 2, class_: Any = None,
    fields: Any = None, names: Any = None,
) -> Embeddings:  # fmt: skip
    """The factor vectors of features as a table with names.

    Features with similar vectors do alike to scores, so they cluster, plot and feed other models as
    embeddings of words do.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted machine of this package, or a pipeline that ends in one.
    field : int or str, default=None
        Features of one field only, by its number or name.
    toward : int or str, default=None
        Of a field-aware machine, which has a vector for each field: the one for the features of
        that field. None: all of them, one after the other.
    order : int, default=2
        Of a machine of a higher degree, whose vectors: those of products of so many features.
    class_ : label, default=None
        Of several classes, whose vectors. None is the first.
    fields : array of shape (n_features,), default=None
        For plain machines, the number or the name of the field of each feature. None takes those of
        the FieldEncoder of the pipeline, or of `names`.
    names : array of shape (n_features,) or fitted transformer, default=None
        Names of the features, or what has `get_feature_names_out`. None takes the pipeline's, or
        those of the data frame that the model saw.

    Returns
    -------
    Embeddings
        Of the features that may have weights: all, but for those that never occurred in a large
        space, or that ``sparsify`` left out.

    Notes
    -----
    Rotating all vectors changes no score, so each draw of a Bayesian machine has its own axes. They
    are turned onto those of the last draw (orthogonal Procrustes [1]_) before means are taken.

    References
    ----------
    .. [1] P. Schönemann, "A Generalized Solution of the Orthogonal Procrustes Problem",
       Psychometrika 31, 1966.

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import embeddings
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(8, random_state=0).fit(data.X, data.y)
    >>> found = embeddings(model)
    >>> found.vectors.shape
    (136, 8)
    """
    view = view_of(model, names)
    own, features = view.fields(fields), view.weights.used
    output, which = output_of(view, class_), _which(view, own, toward, order)
    of_features = None
    if own is not None and view.inputs.n_hash is None:
        of_features = own.of_features[features]
    if field is not None:
        if own is None or of_features is None:
            raise ValueError(
                f"The fields of the features are not known; give fields= with {field=}."
            )
        features = features[of_features == own.number(field)]
        of_features = own.of_features[features]
    vectors, std = _aligned(view, output, features, which)
    known = None if own is None or of_features is None else own.names[of_features]
    return Embeddings(view.names.of_table(features), vectors, std, known)


def output_of(view: View, class_: Any) -> int:
    """The output of a class, or the first."""
    if class_ is None:
        return 0
    classes = view.classes
    found = [] if classes is None else np.flatnonzero(classes == class_)
    if not len(found):
        known = "one score for all" if classes is None else f"the classes {classes.tolist()}"
        raise ValueError(f"class_={class_!r} has no vectors of its own; the model has {known}.")
    return int(found[0])


def _which(view: View, own: Fields | None, toward: Any, order: int) -> list[int]:
    """The numbers of the vectors of a feature to take."""
    family = view.weights.family
    if order not in family.orders:
        known = ", ".join(map(str, family.orders))
        raise ValueError(f"The model has interactions of order {known}; got order={order!r}.")
    n_fields = len(view.weights.pair_scales(0))
    fields = np.arange(n_fields)
    has_several = len(np.unique(family.vectors_toward(fields))) > 1
    if toward is None:
        return fields.tolist() if has_several else [family.orders[order]]
    if not has_several:
        raise ValueError(
            "Only field-aware machines have a vector for each field; leave out toward=."
        )
    own = own or Fields(np.zeros(0, dtype=np.int64), fields.astype(str).astype(object))
    return [own.number(toward)]


def _aligned(
    view: View, output: int, features: np.ndarray, which: list[int]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Means of the draws' vectors on the last one's axes, and standard deviations of several."""
    weights = view.weights
    if weights.n_draws == 1:
        parts = [weights.vectors(output, features, vector)[0] for vector in which]
        return np.concatenate(parts, axis=1), None
    (vector,) = which
    meetings = np.zeros((weights.n_draws, weights.n_factors, weights.n_factors))
    for part in blocks(len(features), weights):
        drawn = weights.vectors(output, features[part], vector)
        meetings += drawn.swapaxes(1, 2) @ drawn[-1]
    left, _, right = np.linalg.svd(meetings)
    turns = left @ right
    mean, std = np.zeros((2, len(features), weights.n_factors))
    for part in blocks(len(features), weights):
        turned = weights.vectors(output, features[part], vector) @ turns
        mean[part], std[part] = turned.mean(axis=0), turned.std(axis=0)
    return mean, std
