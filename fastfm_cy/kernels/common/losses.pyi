import numpy as np

from .settings import Settings

def values_and_gradients(
    settings: Settings, scores: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]: ...
