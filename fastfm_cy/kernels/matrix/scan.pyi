import numpy as np

OUTSIDE: int
NOT_FINITE: int
UNSORTED: int
HAS_ZEROS: int

def scan(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    n_columns: int,
    first: int,
    last: int,
) -> tuple[int, int]: ...
