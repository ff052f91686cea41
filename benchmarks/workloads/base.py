"""What a workload is."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from sklearn.datasets import dump_svmlight_file
from sklearn.metrics import log_loss, root_mean_squared_error


@dataclass
class Workload:
    """Training and test rows, and the hyper-parameters that every peer gets."""

    title: str
    task: str
    """"regression" or "classification" (labels 0 and 1)."""
    X: sparse.csr_array
    y: np.ndarray
    X_test: sparse.csr_array
    y_test: np.ndarray
    l2: float
    learning_rates: dict = field(
        default_factory=lambda: {"sgd": 0.02, "adagrad": 0.05, "adam": 0.002, "ftrl": 0.1}
    )
    init_scale: float = 0.01

    @property
    def metric(self):
        return "RMSE" if self.task == "regression" else "log loss"

    def error(self, predicted):
        """Test error of predictions: ratings, or probabilities of the class 1."""
        if self.task == "regression":
            return root_mean_squared_error(self.y_test, predicted)
        return log_loss(self.y_test, np.clip(predicted, 1e-7, 1 - 1e-7))

    def write(self, folder):
        """The rows as libsvm text, which the peers with files read; (train, test) paths."""
        paths = folder / "train.txt", folder / "test.txt"
        if not paths[0].exists():
            for path, X, y in zip(paths, (self.X, self.X_test), (self.y, self.y_test), strict=True):
                narrow = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
                dump_svmlight_file(sparse.csr_matrix(narrow, X.shape), y, str(path))
        return paths
