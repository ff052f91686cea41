"""Inspection: what drives a fitted machine, which interactions matter, what a score is made of."""

from .columns import Columns
from .embeddings import Embeddings, embeddings
from .explanation import Explanation, explain
from .field_interactions import field_interactions
from .history import learning_curve_frame
from .importance import feature_importance
from .interactions import top_interactions
from .neighbours import nearest

__all__ = [
    "Columns",
    "Embeddings",
    "Explanation",
    "embeddings",
    "explain",
    "feature_importance",
    "field_interactions",
    "learning_curve_frame",
    "nearest",
    "top_interactions",
]
