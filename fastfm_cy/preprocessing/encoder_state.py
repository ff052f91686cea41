"""Encoders without pickle: to JSON and arrays, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .categorical import Categorical, CategoricalField
from .dates import Dates
from .field import Field
from .fitted import FittedFields
from .joined import Join, JoinedField
from .multi import MultiValued, MultiValuedField
from .numeric import Numeric, NumericField
from .state import StateReader, StateWriter
from .text import Text, TextField

_VERSION = 1
_FIELDS = {
    kind.kind: kind
    for kind in (
        CategoricalField, NumericField, MultiValuedField, TextField, JoinedField,
    )
}  # fmt: skip
_OPTIONS = {kind.__name__: kind for kind in (Categorical, MultiValued, Numeric, Dates)}


def state_of(parameters: dict[str, Any], fitted: FittedFields) -> tuple[dict[str, Any], list[Any]]:
    """An encoder's state: an object for JSON, and arrays of uint8, int32, int64, float64, bool."""
    writer = StateWriter()
    state = {
        "version": _VERSION,
        "parameters": [[name, _encode(value)] for name, value in parameters.items()],
        "names_in": fitted.names_in,
        "has_names": fitted.has_names,
        "dropped": sorted(fitted.dropped),
        "n_features": fitted.n_features,
        "fields": [
            {
                "kind": field.kind,
                "name": field.name,
                "source": field.source,
                "numbers": writer.put(numbers),
                "state": field.to_state(writer),
            }
            for field, numbers in zip(fitted.fields, fitted.numbers, strict=True)
        ],
    }
    return state, writer.arrays


def parameters_and_fields(
    state: Any, arrays: list[NDArray[Any]]
) -> tuple[dict[str, Any], FittedFields]:
    """What state_of took; ValueError if that makes no sense."""
    try:
        version = state["version"]
        if version != _VERSION:
            raise ValueError(f"the encoder's state is of version {version!r}, not {_VERSION}")
        fitted = _fitted(state, StateReader(arrays))
        texts = {f.source: f.vectorizer for f in fitted.fields if isinstance(f, TextField)}
        parameters = {name: _decode(code) for name, code in state["parameters"]}
        columns = parameters.get("columns") or {}
        for key, kind in columns.items():
            if kind is Text:
                name = key if isinstance(key, str) else fitted.names_in[key]
                columns[key] = Text(texts[name])
        return parameters, fitted
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError) as error:
        raise ValueError(f"the encoder's state makes no sense ({error!r})") from error


def _fitted(state: Any, reader: StateReader) -> FittedFields:
    fields, numbers = [], []
    names_in = [reader.text(name) for name in state["names_in"]]
    for code in state["fields"]:
        reader.require(code["kind"] in _FIELDS, "fields")
        kind: type[Field] = _FIELDS[code["kind"]]
        source = reader.text(code["source"])
        reader.require(source in names_in, "fields")
        fields.append(kind.from_state(reader.text(code["name"]), source, code["state"], reader))
        numbers.append(reader.get(code["numbers"], np.int32))
        reader.require(len(numbers[-1]) == fields[-1].n_features, "features")
        reader.require(bool((np.diff(numbers[-1]) > 0).all()), "features")
    n_features = reader.count(state["n_features"])
    every = np.sort(np.concatenate([np.empty(0, np.int32), *numbers]))
    reader.require(np.array_equal(every, np.arange(len(every))), "features")
    reader.require(len(every) == n_features, "features")
    reader.require(isinstance(state["has_names"], bool), "names")
    dropped = frozenset(reader.text(name) for name in state["dropped"])
    return FittedFields(fields, numbers, n_features, names_in, state["has_names"], dropped)


def _encode(value: Any) -> Any:
    """JSON of a parameter of the encoder."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {"dict": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if isinstance(value, Text):
        return {"Text": None}
    if isinstance(value, Join):  # without its table
        return {"Join": _attributes(value, "on", "values", "weights", "normalize", "categories")}
    if type(value) in _OPTIONS.values():
        names = (field.name for field in dataclasses.fields(value))
        return {type(value).__name__: _attributes(value, *names)}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item) for item in value]}
    return [_encode(item) for item in value]


def _attributes(value: Any, *names: str) -> list[list[Any]]:
    return [[name, _encode(getattr(value, name))] for name in names]


def _decode(code: Any) -> Any:
    if isinstance(code, list):
        return [_decode(item) for item in code]
    if not isinstance(code, dict):
        return code
    ((name, content),) = code.items()
    if name == "Text":
        return Text  # its vectorizer is that of the field
    if name == "tuple":
        return tuple(_decode(item) for item in content)
    pairs = {_decode(key): _decode(item) for key, item in content}
    if name == "dict":
        return pairs
    if name == "Join":
        return Join(None, **pairs)
    return _OPTIONS[name](**pairs)
