import numpy as np

def copy(
    source: np.ndarray,
    target: np.ndarray,
    source_rows: np.ndarray | None,
    target_rows: np.ndarray | None,
    n_pieces: int,
    source_step: int,
    source_start: int,
    target_step: int,
    target_start: int,
    width: int,
    first: int,
    last: int,
) -> None: ...
