from enum import IntEnum
from typing import Any

import numpy as np

class Problem(IntEnum):
    NONE = 0
    TARGET = 1
    ENTRY = 2
    BELOW_ONE = 3
    TOO_MANY_FEATURES = 4
    FIELD = 5
    VALUE = 6
    TOO_LARGE = 7
    END = 8
    QUERY = 9
    NO_QUERY = 10
    CELL = 11
    COLUMNS = 12
    WEIGHT = 13

class Rows:
    @property
    def text(self) -> bytes: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def n_entries(self) -> int: ...
    @property
    def largest_index(self) -> int: ...
    @property
    def least_index(self) -> int: ...
    @property
    def largest_field(self) -> int: ...
    @property
    def problem(self) -> Problem: ...
    @property
    def place(self) -> int: ...
    @property
    def n_lines(self) -> int: ...
    def __init__(
        self,
        text: bytes,
        dtype: Any,
        *,
        has_fields: bool = False,
        has_query: bool = False,
        has_weights: bool = False,
    ) -> None: ...
    def array(self, name: str) -> np.ndarray | None: ...
    def read_sparse(
        self, start: int = 0, *, first_index: int = 0, largest_index: int = ...
    ) -> bool: ...
    def read_table(
        self,
        start: int = 0,
        *,
        n_columns: int,
        separator: int,
        target: int = -1,
        weight: int = -1,
    ) -> bool: ...
