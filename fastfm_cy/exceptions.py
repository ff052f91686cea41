"""Errors of our own; everything else is Python's ValueError, TypeError or MemoryError."""


class DivergenceError(FloatingPointError):
    """Training, or a prediction, left the range of finite numbers.

    A fit that raises it leaves the estimator as it was before.
    """
