import numpy as np

def split_rows(
    words: np.ndarray,
    n_columns: int,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
) -> int: ...
def whole_rows(words: np.ndarray, n_rows: int) -> tuple[int, int, int]: ...
def join_rows(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, words: np.ndarray
) -> None: ...
