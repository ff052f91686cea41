"""How the learning rate changes from epoch to epoch."""

import math


def _inverse_scaling(rate, power_t, epoch, max_iter):
    return rate / (1 + epoch) ** power_t


def _cosine(rate, power_t, epoch, max_iter):
    """From the full rate almost to zero (Loshchilov & Hutter, ICLR 2017, without restarts)."""
    return rate * 0.5 * (1 + math.cos(math.pi * epoch / max_iter))


SCHEDULES = {"constant": None, "invscaling": _inverse_scaling, "cosine": _cosine}
"""Functions of (rate, power_t, epoch from 0, max_iter); None: the rate stays."""
