import numpy as np

def append(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    rows: np.ndarray,
    places: np.ndarray,
    out_indices: np.ndarray,
    out_data: np.ndarray,
) -> None: ...
