import numpy as np

class Fields:
    def __init__(self, of_entry: np.ndarray, n_fields: int, same_field: bool = True) -> None: ...
