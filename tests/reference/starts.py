"""Start values by counter, as their definitions have them: Philox4x32-10, Box-Muller."""

from __future__ import annotations

import math

import numpy as np

_WORD = 2**32
_FACTORS = 0xD2511F53, 0xCD9E8D57
_STEPS = 0x9E3779B9, 0xBB67AE85  # of the golden ratio, and of the root of 3


def philox(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """Four random words of a counter of four and a key of two (Salmon et al. 2011)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high_0, low_0 = divmod(_FACTORS[0] * c[0], _WORD)
        high_1, low_1 = divmod(_FACTORS[1] * c[2], _WORD)
        c = [high_1 ^ c[1] ^ k[0], low_1, high_0 ^ c[3] ^ k[1], low_0]
        k = [(k[0] + _STEPS[0]) % _WORD, (k[1] + _STEPS[1]) % _WORD]
    return tuple(c)


def _words(key: int, feature: int, factor: int, vector: int, output: int) -> tuple[int, ...]:
    return philox((feature, factor // 4, vector, output), (key % _WORD, key // _WORD))


def normal(key: int, feature: int, factor: int, vector: int = 0, output: int = 0) -> float:
    """A standard normal value: two words make two, by distance and angle."""
    words = _words(key, feature, factor, vector, output)
    pair = 2 * (factor % 4 // 2)
    share = float(np.float32(words[pair] // 2) + np.float32(0.5)) / 2**31  # of 24 bits
    radius = math.sqrt(-2 * math.log(share))
    angle = 2 * math.pi * words[pair + 1] / _WORD
    return radius * (math.sin(angle) if factor % 2 else math.cos(angle))


def uniform(key: int, feature: int, factor: int, vector: int = 0, output: int = 0) -> float:
    """A value from [0, 1), of 24 bits."""
    return (_words(key, feature, factor, vector, output)[factor % 4] // 256) / 2**24
