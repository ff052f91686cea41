"""Prefetching of a feature's row of the table."""

from .structs cimport TableView, real
from .vector cimport CACHE_LINE, FM_PREFETCH, FM_PREFETCH_OWN


cdef inline void prefetch_parameters(const TableView* table, Py_ssize_t column, bint to_write,
                                     real tag) noexcept nogil:
    """All of its row of the table."""
    cdef const real* v = <const real*>table.factors + column * table.factor_stride
    cdef const real* w = <const real*>table.linear + column * table.linear_stride
    cdef Py_ssize_t f = 2 * CACHE_LINE // sizeof(real)
    if to_write:
        FM_PREFETCH_OWN(v)
        if table.factor_stride > CACHE_LINE // sizeof(real):
            FM_PREFETCH_OWN(v + CACHE_LINE // sizeof(real))
        while f < table.factor_stride:
            FM_PREFETCH_OWN(v + f)
            f += CACHE_LINE // sizeof(real)
        FM_PREFETCH_OWN(w)
        if table.linear_stride > 2:  # may lie on two lines
            FM_PREFETCH_OWN(w + table.linear_stride - 1)
    else:
        FM_PREFETCH(v)
        if table.factor_stride > CACHE_LINE // sizeof(real):
            FM_PREFETCH(v + CACHE_LINE // sizeof(real))
        while f < table.factor_stride:
            FM_PREFETCH(v + f)
            f += CACHE_LINE // sizeof(real)
        FM_PREFETCH(w)
