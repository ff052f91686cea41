"""Learning to rank: rows in pairs, items for users, and the best items of each user."""

import numpy as np

from libc.math cimport INFINITY, exp

from ..common.settings cimport ADAGRAD, SGD
from ..common.widths cimport width_8, width_16, width_32, width_64
from ..gradient.solver_steps cimport plain_adagrad, plain_sgd

include "sides.pxi"
include "recommender.pxi"
include "pairs.pxi"
include "selection.pxi"
