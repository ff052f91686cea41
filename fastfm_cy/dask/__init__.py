"""Estimators that train and predict on a Dask cluster, where the rows stay where they are.

Needs the extra `dask`: ``pip install "fastfm_cy[dask]"``.
"""

from .estimators import (
    DaskFFMClassifier,
    DaskFFMRegressor,
    DaskFMClassifier,
    DaskFMRegressor,
    DaskFwFMClassifier,
    DaskFwFMRegressor,
)

__all__ = [
    "DaskFFMClassifier",
    "DaskFFMRegressor",
    "DaskFMClassifier",
    "DaskFMRegressor",
    "DaskFwFMClassifier",
    "DaskFwFMRegressor",
]
