"""Ranking losses, and ways to draw negatives: a row for each.

The mathematics is in ``kernels/ranking/losses.pxd``.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...kernels.ranking.losses import RankingLoss as Code


@dataclass(frozen=True)
class RankingLoss:
    """A ranking loss: its kernel code, and all that Python must know of it."""

    code: Code
    l2_factors: float | dict[str, float]
    """Default strength, or strengths by group, by benchmarks/accuracy/ranking.py."""
    draws_many: bool = False
    """Whether a step looks at up to max_sampled negatives."""
    screens: bool = False
    """Whether it passes over most negatives, so that item vectors of some time ago save time."""
    learns_from_negatives: bool = False
    """Whether explicit negatives say something without any positive."""
    has_constants: bool = True
    """Whether items have linear weights and interactions by default."""
    unobserved_weight: float | None = None
    """Default, of losses that look at all pairs of users and items (training/whole_data/)."""
    frequency_power: float = 0.0
    """Default, of these."""

    @property
    def is_whole(self) -> bool:
        return self.unobserved_weight is not None


SAMPLED_LOSSES = {
    "warp": RankingLoss(Code.WARP, 0.1, draws_many=True, screens=True),
    "bpr": RankingLoss(Code.BPR, 0.01),
    "softmax": RankingLoss(Code.SAMPLED_SOFTMAX, 0.03, draws_many=True),
    "logistic": RankingLoss(Code.LOGISTIC, 0.03, draws_many=True, learns_from_negatives=True),
    "hinge": RankingLoss(Code.RANK_HINGE, 0.03),
}
"""Of a recommender, that draw negatives."""

# Features that many share are regularised more than their frequencies say: they are what is left
# where ids say nothing, and shall not take what these can say (benchmarks/accuracy/whole_data.py).
_OWN, _SHARED = ("users", "items"), ("user_features", "context", "item_features")
WHOLE_LOSSES = {
    "implicit_squared": RankingLoss(
        Code.LOGISTIC,  # its kernels take no code
        dict.fromkeys(_OWN, 0.3) | dict.fromkeys(_SHARED, 3.0),
        unobserved_weight=0.5, frequency_power=0.5, has_constants=False,
    ),
}  # fmt: skip
"""Of a recommender, that look at all pairs."""

RECOMMENDER_LOSSES = SAMPLED_LOSSES | WHOLE_LOSSES

PAIR_LOSSES = {
    "bpr": RankingLoss(Code.BPR, 0.001),
    "hinge": RankingLoss(Code.RANK_HINGE, 0.001),
    "warp": RankingLoss(Code.WARP, 0.001, draws_many=True),
}
"""Of rows in pairs."""


@dataclass(frozen=True)
class Negatives:
    """A way to draw negatives."""

    by_count: bool = False
    """Whether items are drawn as often as they were chosen, rather than alike."""
    adapts: bool = False
    """Whether those are drawn that score high with the user so far."""


NEGATIVES = {
    "uniform": Negatives(),
    "popularity": Negatives(by_count=True),
    "adaptive": Negatives(adapts=True),
}
