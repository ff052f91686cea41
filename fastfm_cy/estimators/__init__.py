"""Estimators: what users construct. Importing this package enters all of them in the registry."""

from .bayesian import BayesianFMClassifier, BayesianFMRegressor
from .bayesian_ordinal import BayesianFMOrdinal
from .ffm import FFMClassifier, FFMRegressor
from .fm import FMClassifier, FMRegressor
from .fwfm import FwFMClassifier, FwFMRegressor
from .ranker import FMRanker
from .recommender import FMRecommender

__all__ = [
    "BayesianFMClassifier",
    "BayesianFMOrdinal",
    "BayesianFMRegressor",
    "FFMClassifier",
    "FFMRegressor",
    "FMClassifier",
    "FMRanker",
    "FMRecommender",
    "FMRegressor",
    "FwFMClassifier",
    "FwFMRegressor",
]
