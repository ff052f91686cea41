from enum import IntEnum

class RankingLoss(IntEnum):
    BPR = 0
    RANK_HINGE = 1
    WARP = 2
    SAMPLED_SOFTMAX = 3
    LOGISTIC = 4
