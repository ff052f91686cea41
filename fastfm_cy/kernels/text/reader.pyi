from enum import IntEnum
from typing import Any

import numpy as np

class Problem(IntEnum):
    NONE = 0
    TARGET = 1
    NO_TARGET = 2
    LABEL = 3
    BLANK = 4
    ENTRY = 5
    BELOW_ONE = 6
    TOO_MANY_FEATURES = 7
    FIELD = 8
    PAIR = 9
    TRIPLE = 10
    VALUE = 11
    TOO_LARGE = 12
    END = 13
    QUERY = 14
    NO_QUERY = 15
    CELL = 16
    COLUMNS = 17
    QUOTE = 18
    WEIGHT = 19

class Role(IntEnum):
    FEATURE_COLUMN = 0
    TARGET_COLUMN = 1
    WEIGHT_COLUMN = 2
    NAME_COLUMN = 3
    DROPPED_COLUMN = 4

def hash_of(name: bytes) -> int: ...
def index_of(name: bytes, n_hash: int) -> int: ...
def has_lone_returns(text: bytes) -> bool: ...

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
        has_target: bool = True,
        has_fields: bool = False,
        has_query: bool = False,
        has_weights: bool = False,
        n_hash: int = 0,
        bytes_an_entry: int = 2,
        spare: Rows | None = None,
    ) -> None: ...
    def array(self, name: str) -> np.ndarray | None: ...
    def read_sparse(
        self, start: int = 0, *, first_index: int = 0, largest_index: int = ...
    ) -> bool: ...
    def read_table(
        self,
        start: int = 0,
        *,
        roles: np.ndarray,
        separator: int,
        seeds: np.ndarray | None = None,
    ) -> bool: ...
