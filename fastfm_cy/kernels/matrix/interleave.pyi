import numpy as np

def interleave(
    parts: list,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    first: int,
    last: int,
) -> None: ...
