"""Factorization machines: scikit-learn estimators over Cython kernels."""

from importlib.metadata import version as _version

from ._config import show_config
from .bayes import BayesianFMClassifier, BayesianFMRegressor
from .exceptions import DivergenceError, ModelFileError
from .ffm import FFMClassifier, FFMRegressor
from .fm import FMClassifier, FMRegressor
from .fwfm import FwFMClassifier, FwFMRegressor
from .ordinal import BayesianFMOrdinal
from .relational import RelationalDesign

__version__ = _version("fastfm_cy")

__all__ = [
    "BayesianFMClassifier",
    "BayesianFMOrdinal",
    "BayesianFMRegressor",
    "DivergenceError",
    "FFMClassifier",
    "FFMRegressor",
    "FMClassifier",
    "FMRegressor",
    "FwFMClassifier",
    "FwFMRegressor",
    "ModelFileError",
    "RelationalDesign",
    "__version__",
    "show_config",
]
