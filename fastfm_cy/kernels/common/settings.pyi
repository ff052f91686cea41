from enum import IntEnum

class LossCode(IntEnum):
    SQUARED_ERROR = 0
    HUBER = 1
    POISSON = 2
    LOG_LOSS = 3
    HINGE = 4
    SQUARED_HINGE = 5
    SOFTMAX = 6
    PROBIT = 7

class SolverCode(IntEnum):
    SGD = 0
    ADAGRAD = 1
    ADAM = 2
    ADAMW = 3
    FTRL = 4

class Settings:
    learning_rate: float
    def __init__(
        self,
        *,
        loss: LossCode,
        solver: SolverCode,
        learning_rate: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        ftrl_beta: float = 1.0,
        huber_delta: float = 1.0,
        l2_intercept: float = 0.0,
        l2_pair_weights: float = 0.0,
        low: float = ...,
        high: float = ...,
        has_l1: bool = False,
        fit_intercept: bool = True,
        fit_linear: bool = True,
        fit_pair_weights: bool = True,
        prefetch: bool = True,
        constant_width: bool = True,
    ) -> None: ...
    @property
    def loss(self) -> LossCode: ...
    @property
    def l2_intercept(self) -> float: ...
    @property
    def l2_pair_weights(self) -> float: ...
    @property
    def ftrl_beta(self) -> float: ...
