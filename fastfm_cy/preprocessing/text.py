"""Text fields: the words of a text, by a vectorizer of scikit-learn."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

from ..kernels.text.vocabulary import TextVocabulary, is_missing
from .categorical import Categorical
from .columns import NOTHING, TEXT, Column, refuse_content
from .field import Field, Part
from .sets import part_of
from .state import StateReader, StateWriter

_STORED = {kind.__name__: kind for kind in (CountVectorizer, TfidfVectorizer, HashingVectorizer)}


@dataclass(frozen=True)
class Text:
    """A column of texts, whose words are features.

    Parameters
    ----------
    vectorizer : transformer
        Such as scikit-learn's TfidfVectorizer(); it is cloned. It takes texts, and gives a sparse
        matrix. What it learned in `fit` stays as it is in `partial_fit`.
    """

    vectorizer: Any

    def check(self) -> None:
        if not hasattr(self.vectorizer, "fit_transform") or isinstance(self.vectorizer, type):
            raise TypeError(
                "vectorizer must be a transformer of texts, such as TfidfVectorizer(); got "
                f"{self.vectorizer!r}."
            )

    def fields(self, name: str, column: Column, defaults: Categorical) -> list[Field]:
        return [TextField(name, column.name, self.vectorizer)]


class TextField(Field):
    """The features of a vectorizer and, if there was any, of a missing text."""

    kind = "text"

    def __init__(self, name: str, source: str, vectorizer: Any) -> None:
        super().__init__(name, source)
        self.vectorizer = vectorizer
        self.n_words: int | None = None  # None before it is fitted
        self.has_missing = False

    @property
    def n_features(self) -> int:
        return (self.n_words or 0) + self.has_missing

    @property
    def has_values(self) -> bool:
        return self.n_words is not None

    @property
    def takes(self) -> str:
        return TEXT

    def learn(self, column: Column) -> tuple[sparse.csr_array, NDArray[np.bool_]]:
        texts, missing = self._texts(column)
        self.has_missing |= bool(missing.any())
        if self.n_words is not None:
            return self._transformed(texts, missing)
        if missing.all():
            raise ValueError(f"Column {self.source!r} has no text from which to learn words.")
        vectorizer = clone(self.vectorizer)
        try:
            words = vectorizer.fit_transform(texts)
        except ValueError as error:
            raise ValueError(f"Column {self.source!r}: {error}") from error
        self.vectorizer, self.n_words = vectorizer, words.shape[1]
        return sparse.csr_array(words), missing

    def read(self, column: Column) -> tuple[sparse.csr_array, NDArray[np.bool_]]:
        return self._transformed(*self._texts(column))

    def _texts(self, column: Column) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        if column.content not in (TEXT, NOTHING):
            raise refuse_content(column, "text")
        texts = column.objects()
        missing = np.fromiter(map(is_missing, texts), bool, len(texts))
        return np.where(missing, "", texts), missing

    def _transformed(
        self, texts: NDArray[np.object_], missing: NDArray[np.bool_]
    ) -> tuple[sparse.csr_array, NDArray[np.bool_]]:
        if not len(texts):
            return sparse.csr_array((0, self.n_words or 0)), missing
        return sparse.csr_array(self.vectorizer.transform(texts)), missing

    def part(self, reading: Any, numbers: NDArray[np.int32], dtype: np.dtype[Any]) -> Part:
        words, missing = reading
        if self.has_missing and missing.any():
            indicator = sparse.csr_array(missing[:, None].astype(np.float64))
            words = sparse.hstack([words, indicator], format="csr")
        words = sparse.csr_array(words, copy=True)
        words.sum_duplicates()
        words.eliminate_zeros()
        if not np.isfinite(words.data).all():
            entry = int(np.argmax(~np.isfinite(words.data)))
            row = int(np.searchsorted(words.indptr, entry, side="right")) - 1
            raise ValueError(
                f"Column {self.source!r}, row {row}: the vectorizer gave {words.data[entry]}."
            )
        # In the order of the global numbers, which the vectorizer's growth leaves rising.
        words.indices = numbers[words.indices]
        return part_of(words, None, dtype)

    def feature_names(self) -> list[str]:
        n_words = self.n_words or 0
        if hasattr(self.vectorizer, "get_feature_names_out"):
            words = list(map(str, self.vectorizer.get_feature_names_out()))
        else:
            words = [f"<hash {place}>" for place in range(n_words)]
        return [f"{self.name}={word}" for word in [*words, "<missing>"][: self.n_features]]

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        kind = type(self.vectorizer)
        if _STORED.get(kind.__name__) is not kind:
            raise TypeError(
                f"Column {self.source!r}: a vectorizer of type {kind.__name__} cannot be stored "
                f"without pickle; {', '.join(_STORED)} can."
            )
        state = {
            "vectorizer": kind.__name__,
            "parameters": [
                [name, _encode(value, name, self.source)]
                for name, value in self.vectorizer.get_params(deep=False).items()
            ],
            "n_words": self.n_words,
            "has_missing": self.has_missing,
        }
        if kind is not HashingVectorizer:
            words = TextVocabulary()
            terms = np.array(self.vectorizer.get_feature_names_out(), dtype=object)
            words.encode_objects(terms, np.empty(len(terms), dtype=np.int32), True)
            state["words"] = [writer.put(array) for array in words.to_arrays()]
        if kind is TfidfVectorizer and self.vectorizer.use_idf:
            state["idf"] = writer.put(self.vectorizer.idf_.astype(np.float64))
        return state

    @classmethod
    def from_state(cls, name: str, source: str, state: Any, reader: StateReader) -> TextField:
        reader.require(state["vectorizer"] in _STORED, "vectorizer")
        kind = _STORED[state["vectorizer"]]
        parameters = {reader.text(key): _decode(value) for key, value in state["parameters"]}
        n_words = reader.count(state["n_words"])
        terms = None
        if kind is not HashingVectorizer:
            text, offsets = state["words"]
            text, offsets = reader.get(text, np.uint8), reader.get(offsets, np.int64)
            terms = TextVocabulary.from_arrays(text, offsets).texts()
        vectorizer = _fitted(kind, parameters, terms)
        width = vectorizer.n_features if terms is None else len(terms)
        reader.require(width == n_words, "words")
        if kind is TfidfVectorizer and vectorizer.use_idf:
            idf = reader.get(state["idf"], np.float64)
            reader.require(len(idf) == n_words and bool(np.isfinite(idf).all()), "words")
            vectorizer.idf_ = idf
        field = cls(name, source, vectorizer)
        field.n_words = n_words
        reader.require(isinstance(state["has_missing"], bool), "texts")
        field.has_missing = state["has_missing"]
        return field


def _fitted(kind: Any, parameters: dict[str, Any], terms: list[str] | None) -> Any:
    """A vectorizer that knows these terms."""
    try:
        vectorizer = kind(**parameters)
        if terms is None:
            return vectorizer.fit([""])
        vectorizer.set_params(vocabulary=terms).fit([""])
    except re.error as error:
        raise ValueError(f"the encoder's state makes no sense: {error}") from error
    return vectorizer.set_params(vocabulary=parameters.get("vocabulary"))


def _encode(value: Any, name: str, source: str) -> Any:
    """JSON of a vectorizer's parameter."""
    if isinstance(value, type | np.dtype):
        return {"dtype": np.dtype(value).name}
    if isinstance(value, tuple):
        return {"tuple": list(value)}
    if isinstance(value, set | frozenset):
        return {"list": sorted(value)}
    try:
        return {"json": json.loads(json.dumps(value))}
    except (TypeError, ValueError):
        raise TypeError(
            f"Column {source!r}: the vectorizer's {name}={value!r} cannot be stored without pickle."
        ) from None


def _decode(code: Any) -> Any:
    ((kind, content),) = code.items()
    if kind == "dtype":
        if content not in ("float32", "float64", "int32", "int64"):
            raise ValueError(f"the encoder's state makes no sense: dtype {content!r}")
        return np.dtype(content).type
    return tuple(content) if kind == "tuple" else content
