"""Preprocessing: tables of any kind to sparse rows with fields."""

from .categorical import Categorical
from .column_transformer import FieldColumnTransformer
from .dates import Dates
from .encoder import FieldEncoder
from .joined import Join
from .multi import MultiValued
from .numeric import Numeric
from .text import Text

__all__ = [
    "Categorical",
    "Dates",
    "FieldColumnTransformer",
    "FieldEncoder",
    "Join",
    "MultiValued",
    "Numeric",
    "Text",
]
