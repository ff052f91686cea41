"""Codec: Python values as JSON and arrays, and back; what the attributes of estimators consist of.

JSON's own values stand for themselves. Everything else is an object with one key, its kind: one
of the entries of _KINDS, whose `decode` checks whatever comes. Nothing is imported by name.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from ...model.families import FAMILIES, HIGHEST_DEGREE
from ...model.posterior import Samples
from ...model.table import ParameterTable
from ...model.weaving import woven
from ...preprocessing import FieldEncoder
from ...training.gibbs.sampler import Chain


@dataclass(frozen=True)
class Kind:
    """A kind of value beyond JSON: `encode` gives encodable content, `decode` takes it."""

    holds: Callable
    """Whether a value is of this kind."""
    encode: Callable
    decode: Callable


def encode(value, arrays):
    """JSON for a value; arrays are appended to the list `arrays`."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, list):
        return [encode(item, arrays) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    for name, kind in _KINDS.items():
        if kind.holds(value):
            return {name: encode(kind.encode(value), arrays)}
    raise TypeError(f"a value of type {type(value).__name__} cannot be stored: {value!r}.")


def decode(code, arrays):
    """The value of a JSON `code`; anything wrong raises ValueError, TypeError or KeyError."""
    if isinstance(code, list):
        return [decode(item, arrays) for item in code]
    if not isinstance(code, dict):
        return code
    ((name, content),) = code.items()
    if name == "array":
        if type(content) is not int or content < 0:
            raise ValueError(f"array {content!r}")
        return arrays[content]
    return _KINDS[name].decode(decode(content, arrays))


def require(condition, what):
    """Refuse contents that contradict each other."""
    if not condition:
        raise ValueError(f"its {what} makes no sense")


# Values of Python ------------------------------------------------------------------------------


def _is_other_float(value):
    return isinstance(value, float)


def _encode_dict(value):
    return [list(pair) for pair in value.items()]


def _decode_dict(pairs):
    return dict(pairs)


_SCALARS = str | bool | int | float


def _is_scalars(value):
    """Strings, or a vector of objects that JSON knows."""
    is_vector = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "UO"
    return is_vector and all(isinstance(item, _SCALARS) for item in value.tolist())


def _encode_scalars(value):
    return [value.dtype.kind == "O", *value.tolist()]


def _decode_scalars(content):
    is_object, *items = content
    require(all(isinstance(item, _SCALARS if is_object else str) for item in items), "labels")
    return np.array(items, dtype=object if is_object else str)


def _is_generator(value):
    return isinstance(value, np.random.Generator) and isinstance(
        value.bit_generator, np.random.PCG64
    )


def _encode_generator(rng):
    state = rng.bit_generator.state
    return [*state["state"].values(), state["has_uint32"], state["uinteger"]]


def _decode_generator(content):
    state, increment, has_uint32, uinteger = content
    for number, bits in zip(content, (128, 128, 1, 32), strict=True):
        require(type(number) is int and 0 <= number < 1 << bits, "random generator")
    bits = np.random.PCG64()
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }
    return np.random.Generator(bits)


# Our own values --------------------------------------------------------------------------------


# Each as pairs (name in files, attribute): an attribute may be renamed, a name in files never.


def _pairs(*names, **renamed):
    """Pairs of names in files and of attributes, the same but for some."""
    return {name: renamed.get(name, name) for name in names}


_TABLE_NAMES = _pairs(
    "n_factors", "machine", "n_padded", "n_weights", "in_eights", "state_start", "n_row_state",
    "intercept", "linear", "factors", "begun", "start_key",
    machine="family", in_eights="is_tiled", begun="has_started",
)  # fmt: skip
_SAMPLES_NAMES = _pairs("intercept", "linear", "factors", "alpha", "cutpoints")
_CHAIN_NAMES = _pairs(
    "table", "alpha", "linear_prior", "precisions", "means", "rng", "free_cutpoints"
)
_FAMILY_NAMES = _pairs("degree", "shared", "n_fields", "same_field")


def _encode_names(value, names):
    held = {field.name for field in fields(value)} if is_dataclass(value) else vars(value).keys()
    return [[stored, getattr(value, name)] for stored, name in names.items() if name in held]


def _decode_names(content, names):
    """Attributes by their names, from pairs of names in files and values."""
    return {names[stored]: value for stored, value in _decode_dict(content).items()}


def _encode_family(family):
    return [type(family).__name__, *_encode_names(family, _FAMILY_NAMES)]


def _decode_family(content):
    name, *pairs = content
    values = _decode_names(pairs, _FAMILY_NAMES)
    for value in values.values():
        _count(int(value) if isinstance(value, bool) else value)
    family = FAMILIES[name](**values)
    require(2 <= family.degree <= HIGHEST_DEGREE, "degree")
    return family


def _encode_table(table):
    """A table's names; of one whose features have mostly not started, those that have, packed."""
    if table.state is not None:
        table = woven(table)  # as files have had them from the beginning
    if table.has_started is None or 4 * np.count_nonzero(table.has_started) > table.n_features:
        return _encode_names(table, _TABLE_NAMES)
    started = table.started
    packed = _encode_names(table.take(started), _TABLE_NAMES)
    return [*packed, ["gaps", [table.n_features, started.astype(np.int32)]]]


def _decode_table(content):
    values = _decode_dict(content)
    gaps = values.pop("gaps", None)
    values.setdefault("start_key", None)  # of files written before there were any
    table = _whole_table(values, has_gaps=gaps is not None)
    if gaps is None:
        return table
    n_features, started = gaps
    require(_count(n_features) > 0 and len(table.linear) <= n_features, "gaps")
    require(started.shape == (len(table.linear),) and started.dtype == np.int32, "gaps")
    require(bool((np.diff(started) > 0).all()), "gaps")
    require(started.min(initial=0) >= 0 and started.max(initial=0) < n_features, "gaps")
    return table.with_gaps(started, n_features)


def _whole_table(values, *, has_gaps):
    table = ParameterTable.__new__(ParameterTable)
    vars(table).update({_TABLE_NAMES[stored]: value for stored, value in values.items()})
    table.has_gaps, table.state, table.kept_start = False, None, ()
    require(type(table.family) in FAMILIES.values(), "machine")
    key = table.start_key
    require(key is None or (type(key) is int and 0 <= key < 1 << 64), "start_key")
    n_slots = 1 + len(table.state_start)
    width = n_slots * (1 + table.family.n_shared) + _count(table.n_row_state)
    require(table.intercept.shape == (len(table.intercept), width), "parameter table")
    require(table.linear.dtype in (np.float32, np.float64), "parameter table")
    like = ParameterTable(
        0, _count(table.n_factors), table.linear.dtype, len(table.intercept),
        table.state_start, table.n_row_state, bool(table.is_tiled), table.family,
    )  # fmt: skip
    require(vars(like).keys() == vars(table).keys(), "parameter table")
    padding = (table.n_padded, table.n_weights)
    require((like.n_padded, like.n_weights) == padding, "padding")
    n_features = len(table.linear)
    starts_late = table.has_started is not None
    require(starts_late == (has_gaps or like.has_started is not None), "parameter table")
    if table.has_started is not None:
        require(
            table.has_started.shape == (n_features,) and table.has_started.dtype == bool, "table"
        )
    for array, empty in zip(table.arrays, like.arrays, strict=True):
        shape = empty.shape if array is table.intercept else (n_features, *empty.shape[1:])
        require(array.shape == shape and array.dtype == like.dtype, "parameter table")
    return table


def _count(number):
    require(type(number) is int and 0 <= number < 1 << 31, "count")
    return number


def _decode_samples(content):
    samples = Samples(**_decode_names(content, _SAMPLES_NAMES))
    n_samples, n_features, n_factors = samples.factors.shape
    size = n_features, n_factors, samples.cutpoints.shape[1]
    shapes = [array.shape for array in Samples.empty(0, *size).arrays]
    for array, shape in zip(samples.arrays, shapes, strict=True):
        require(array.shape == (n_samples, *shape[1:]), "samples")
        require(array.dtype == np.float32, "samples")
    require(n_samples >= 1, "number of samples")
    require(bool((samples.alpha > 0).all()), "precision of the noise")
    require(bool((np.diff(samples.cutpoints, axis=1) >= 0).all()), "cutpoints")
    return samples


def _decode_chain(content):
    chain = Chain(**_decode_names(content, _CHAIN_NAMES))
    require(isinstance(chain.table, ParameterTable) and chain.table.is_tiled, "chain")
    require(isinstance(chain.rng, np.random.Generator), "chain")
    require(chain.table.n_outputs == 1 and chain.table.linear.shape[1] == 1, "chain")
    n_groups = len(chain.linear_prior)
    shapes = (n_groups, 2), (n_groups, chain.n_factors), (n_groups, chain.n_factors)
    priors = chain.linear_prior, chain.precisions, chain.means
    for array, shape in zip(priors, shapes, strict=True):
        require(array.shape == shape and array.dtype == np.float64, "chain")
    free = chain.free_cutpoints
    require(free.ndim == 1 and free.dtype == np.float64, "chain")
    chain.alpha = float(chain.alpha)
    require(0 < chain.alpha < math.inf and bool((chain.precisions >= 0).all()), "chain")
    return chain


_KINDS = {
    "float": Kind(_is_other_float, repr, float),  # what JSON has no word for
    "tuple": Kind(lambda value: isinstance(value, tuple), list, tuple),
    "dict": Kind(lambda value: isinstance(value, dict), _encode_dict, _decode_dict),
    "bytes": Kind(lambda value: isinstance(value, bytes), bytes.hex, bytes.fromhex),
    "scalars": Kind(_is_scalars, _encode_scalars, _decode_scalars),
    "generator": Kind(_is_generator, _encode_generator, _decode_generator),
    "machine": Kind(lambda value: type(value) in FAMILIES.values(), _encode_family, _decode_family),
    "table": Kind(
        lambda value: isinstance(value, ParameterTable),
        _encode_table,
        _decode_table,
    ),
    "samples": Kind(
        lambda value: isinstance(value, Samples),
        lambda samples: _encode_names(samples, _SAMPLES_NAMES),
        _decode_samples,
    ),
    "encoder": Kind(
        lambda value: isinstance(value, FieldEncoder),
        lambda encoder: list(encoder.to_state()),
        lambda content: FieldEncoder.from_state(*content),
    ),
    "chain": Kind(
        lambda value: isinstance(value, Chain),
        lambda chain: _encode_names(chain, _CHAIN_NAMES),
        _decode_chain,
    ),
}
