"""Kinds of a table's columns, from options and the table [columns] of the configuration."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import typer
from sklearn.feature_extraction.text import TfidfVectorizer

from ..preprocessing import Categorical, Dates, FieldEncoder, MultiValued, Numeric, Text
from ..preprocessing.columns import NUMBER, TEXT
from .config import COLUMNS

_KINDS = {"categorical": Categorical, "multi": MultiValued, "numeric": Numeric, "dates": Dates}
_DROP = "drop"


@dataclass
class Columns:
    """What a user says of a table's columns.

    Attributes
    ----------
    kinds : dict
        As FieldEncoder's `columns`.
    missing : list of str
        Cells that are missing, beside empty ones.
    min_frequency : int or None
    """

    kinds: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    min_frequency: int | None = None

    @classmethod
    def of(cls, context: typer.Context) -> Columns:
        """From the options of a command; those of the command line come first."""
        options = context.params
        kinds = {name: _kind_of(name, said) for name, said in context.meta.get(COLUMNS, {}).items()}
        for words in options.get("multi") or []:
            name, colon, separator = words.partition(":")
            if not (name and colon and separator):
                raise ValueError(
                    f'--multi wants COLUMN:SEPARATOR, such as "genres:|"; got {words!r}.'
                )
            kinds[name] = MultiValued(separator)
        for words in options.get("categorical") or []:
            kinds |= dict.fromkeys(filter(None, words.split(",")), Categorical())
        missing = [text.strip() for text in options.get("missing") or []]
        return cls(kinds, missing, options.get("min_frequency"))

    @property
    def are_given(self) -> bool:
        """Whether they say that the data are a table of any columns."""
        return bool(self.kinds or self.missing or self.min_frequency)

    @property
    def contents(self) -> dict[str, str]:
        """What columns hold whose kinds are given: categories are text as it is written."""
        contents = {}
        for name, kind in self.kinds.items():
            if isinstance(kind, Categorical | MultiValued | Text):
                contents[name] = TEXT
            elif isinstance(kind, Numeric):
                contents[name] = NUMBER
        return contents

    def encoder(self, names: list[str], **parameters: Any) -> FieldEncoder:
        """For a table with columns of these names; an error if one was named that is not there."""
        for name in self.kinds:
            if name not in names:
                raise ValueError(
                    f"There is no column {name!r} of features; there are "
                    f"{', '.join(map(repr, names[:20]))}."
                )
        return FieldEncoder(self.kinds, min_frequency=self.min_frequency, **parameters)


def _kind_of(name: str, said: Any) -> Any:
    """A kind from a word, or a table with the word and the kind's options."""
    options = dict(said) if isinstance(said, dict) else {"kind": said}
    word = options.pop("kind", None)
    options = {option.replace("-", "_"): value for option, value in options.items()}
    known: set[str] = set()
    if word == _DROP and not options:
        return _DROP
    try:
        if word == "text":
            return Text(TfidfVectorizer(**options))
        known = {option.name for option in dataclasses.fields(_KINDS[word])}
        kind = _KINDS[word](**options)
        kind.check()
        return kind
    except (KeyError, TypeError) as error:
        kinds = ", ".join([*_KINDS, "text", _DROP])
        raise ValueError(
            f"[columns]: {name} must be one of {kinds}, or a table such as {{kind = "
            f'"multi", separator = "|"}}'
            + (f" with options of {', '.join(sorted(known))}" if known else "")
            + f"; got {said!r}."
        ) from error


def described(encoder: FieldEncoder, frame: Any) -> dict[str, str]:
    """What a fitted encoder makes of each column, for people."""
    names, fields = encoder.field_names_, encoder.fields_.tolist()
    facts = {}
    for column in frame.columns:
        own = [
            number for number, name in enumerate(names)
            if name == column or name.startswith(f"{column}.")
        ]  # fmt: skip
        kind = (encoder.columns or {}).get(column)
        word = kind if isinstance(kind, str) else _word_of(kind, frame.schema[column])
        n_features = sum(fields.count(number) for number in own)
        facts[column] = (
            word if word == _DROP else f"{word}, {n_features:,} feature{'s'[: n_features != 1]}"
        )
    return facts


def _word_of(kind: Any, dtype: Any) -> str:
    if kind is None:
        if dtype.is_numeric():
            return "numeric"
        return "dates" if dtype.is_temporal() else "multi" if dtype.is_nested() else "categorical"
    if isinstance(kind, Text):
        return "text"
    return next(word for word, cls in _KINDS.items() if isinstance(kind, cls))
