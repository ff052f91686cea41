"""Ranking metrics, and splits of interactions into training and test parts."""

from .queries import query_ndcg
from .ranking import (
    average_precision_at_k,
    catalogue_coverage,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    ranking_report,
    recall_at_k,
    reciprocal_rank_at_k,
    roc_auc,
)
from .splits import leave_one_out, split_by_time, split_by_user

__all__ = [
    "average_precision_at_k",
    "catalogue_coverage",
    "hit_rate_at_k",
    "leave_one_out",
    "ndcg_at_k",
    "precision_at_k",
    "query_ndcg",
    "ranking_report",
    "recall_at_k",
    "reciprocal_rank_at_k",
    "roc_auc",
    "split_by_time",
    "split_by_user",
]
