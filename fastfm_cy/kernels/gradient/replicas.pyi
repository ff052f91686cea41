import numpy as np

def count(indices: np.ndarray, counts: np.ndarray) -> None: ...
def rank(counts: np.ndarray, places: np.ndarray, out: np.ndarray) -> None: ...
def renumber(
    indptr: np.ndarray,
    indices: np.ndarray,
    rank: np.ndarray,
    shard_of_row: np.ndarray,
    head: int,
    n_copies: int,
    out: np.ndarray,
    first: int,
    last_row: int,
) -> None: ...
def merge(
    table: np.ndarray,
    n_weights: int,
    head: int,
    n_shards: int,
    shares: np.ndarray,
    state_shares: np.ndarray,
    first: int,
    last: int,
) -> None: ...
