"""Loops with constant bounds: every kernel is compiled once for each common number of factors."""

from .structs cimport TableView, real

# A type whose size is the number of factors: a constant that a function can be specialised for.
ctypedef struct any_width:
    char size[1]
ctypedef struct width_4:
    char size[4]
ctypedef struct width_8:
    char size[8]
ctypedef struct width_16:
    char size[16]
ctypedef struct width_32:
    char size[32]
ctypedef struct width_64:
    char size[64]
ctypedef fused width:
    any_width
    width_4
    width_8
    width_16
    width_32
    width_64


cdef inline Py_ssize_t n_factors_of(const width* tag, const TableView* table) noexcept nogil:
    if width is any_width:
        return table.n_factors
    else:
        return sizeof(width)


cdef inline Py_ssize_t n_outputs_of(const width* tag, const TableView* table) noexcept nogil:
    # Several outputs share the loops of any width, so that one output needs no loop over outputs.
    return table.n_outputs if width is any_width else 1


cdef inline const TableView* output_of(const width* tag, const TableView* table, Py_ssize_t output,
                                       TableView* view, real number) noexcept nogil:
    """The table as one output sees it: made in `view`, unless there is only one."""
    if width is any_width:
        view[0] = table[0]
        view.intercept = <real*>table.intercept + output * table.intercept_block
        view.linear = <real*>table.linear + output * table.linear_block
        view.factors = <real*>table.factors + output * table.factor_block
        return view
    else:
        return table
