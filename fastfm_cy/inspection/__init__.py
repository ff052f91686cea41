"""Inspection: what drives a fitted machine, which interactions matter, what a score is made of."""

from .columns import Columns
from .displays.coverage import IntervalCoverageDisplay
from .displays.embedding import EmbeddingDisplay
from .displays.explanation import ExplanationDisplay
from .displays.field_interactions import FieldInteractionsDisplay
from .displays.history import HistoryDisplay
from .displays.ranking import RankingDisplay
from .embeddings import Embeddings, embeddings
from .explanation import Explanation, explain
from .field_interactions import field_interactions
from .history import learning_curve_frame
from .importance import feature_importance
from .interactions import top_interactions
from .neighbours import nearest

__all__ = [
    "Columns",
    "EmbeddingDisplay",
    "Embeddings",
    "Explanation",
    "ExplanationDisplay",
    "FieldInteractionsDisplay",
    "HistoryDisplay",
    "IntervalCoverageDisplay",
    "RankingDisplay",
    "embeddings",
    "explain",
    "feature_importance",
    "field_interactions",
    "learning_curve_frame",
    "nearest",
    "top_interactions",
]
