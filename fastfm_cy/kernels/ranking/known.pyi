import numpy as np

class Known:
    indptr: np.ndarray
    items: np.ndarray
    n_items: int

    def __init__(self, indptr: np.ndarray, items: np.ndarray, n_items: int) -> None: ...
    @property
    def n_users(self) -> int: ...
    def contains(self, users: np.ndarray, items: np.ndarray) -> np.ndarray: ...
    def negatives(
        self,
        users: np.ndarray,
        key: int,
        candidates: np.ndarray | None = None,
        first: int = 0,
    ) -> np.ndarray: ...

def deal(
    order: np.ndarray, items: np.ndarray, part_of_item: np.ndarray, n_parts: int
) -> list[np.ndarray]: ...
