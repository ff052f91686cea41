"""Exact steps on the vectors of one side of a score, for a loss over all pairs of two sides.

Row x of this side and row y of the other score <x, y>. The loss is, over the observed pairs and
over all of them,

    sum_p (a_p s_p^2 - 2 t_p s_p)  +  sum_(x, y) w0 <x, y>^2,

where a pair of weight a and target 1 has t = a; w0 times the sum of all y y' is the Gram matrix G,
so that no pair that was not observed is ever looked at. The errors of the observed pairs, e_p = t_p
- a_p s_p, are carried along. In eight coordinates of x, half the loss is

    1/2 d' (G + sum_p a_p y_p y_p') d  -  d' (sum_p e_p y_p - G x),   d the move of x,

all sums over the row's own pairs (Bayer, He, Kanagal, Rendle, WWW 2017; in blocks: Rendle,
Krichene, Zhang, Koren, "iALS++", 2021).
"""

import numpy as np

from ..common.structs cimport int32_t, int64_t, real
from ..common.vector cimport (
    CACHE_LINE, FM_PREFETCH, dot, fm_flush_denormals, fm_restore_denormals,
)
from .subspace cimport PAIRS_AHEAD, TILE, less_product, move_pairs, pair_sums, solve_tile

include "pairs.pxi"
include "rows.pxi"
include "features.pxi"
