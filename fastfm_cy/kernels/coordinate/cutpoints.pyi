import numpy as np

def log_likelihood(
    scores: np.ndarray, classes: np.ndarray, cutpoints: np.ndarray, with_slopes: bool
) -> tuple[float, np.ndarray | None, np.ndarray | None]: ...
