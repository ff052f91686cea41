"""Factorization machines: scikit-learn estimators over Cython kernels."""

from importlib.metadata import version as _version

from .data.relational import RelationalDesign
from .estimators import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRanker,
    FMRecommender,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from .exceptions import DivergenceError, ModelFileError
from .show_config import show_config

__version__ = _version("fastfm_cy")

__all__ = [
    "BayesianFMClassifier",
    "BayesianFMOrdinal",
    "BayesianFMRegressor",
    "DivergenceError",
    "FFMClassifier",
    "FFMRegressor",
    "FMClassifier",
    "FMRanker",
    "FMRecommender",
    "FMRegressor",
    "FwFMClassifier",
    "FwFMRegressor",
    "ModelFileError",
    "RelationalDesign",
    "__version__",
    "show_config",
]
