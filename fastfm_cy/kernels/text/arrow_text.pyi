from typing import Any

import numpy as np

from .vocabulary import TextVocabulary

def encode_arrow(
    capsule: Any, vocabulary: TextVocabulary, numbers: np.ndarray, add: bool
) -> Any: ...
