"""Factorization machines: scikit-learn estimators over Cython kernels."""

from importlib.metadata import version as _version

from ._config import show_config
from .bayes import BayesianFMClassifier, BayesianFMRegressor
from .exceptions import DivergenceError
from .fm import FMClassifier, FMRegressor
from .ordinal import BayesianFMOrdinal
from .relational import RelationalDesign

__version__ = _version("fastfm_cy")

__all__ = [
    "BayesianFMClassifier",
    "BayesianFMOrdinal",
    "BayesianFMRegressor",
    "DivergenceError",
    "FMClassifier",
    "FMRegressor",
    "RelationalDesign",
    "__version__",
    "show_config",
]
