import numpy as np

def sparse_lines(
    target: np.ndarray | None,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    fields: np.ndarray | None,
    query: np.ndarray | None,
    first: int,
    last: int,
    first_index: int,
) -> bytes: ...
def table_lines(before: np.ndarray, cells: np.ndarray, separator: int) -> bytes: ...
