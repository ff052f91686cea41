"""Texts in Arrow's memory, through its C data interface: no copy of them, no Python object each."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memset, strcmp

from .vocabulary cimport MISSING, TextVocabulary, hash_of
from ..common.vector cimport FM_PREFETCH

cdef enum:
    BLOCK = 32                  # texts whose slots are fetched together
    INLINE = 12                 # bytes of the longest text that a view holds itself

cdef enum Layout:
    NO_VALUES
    OFFSETS_32
    OFFSETS_64
    VIEWS

# The structures of Arrow's C data and C stream interfaces.

cdef struct ArrowSchema:
    const char* format
    const char* name
    const char* metadata
    int64_t flags
    int64_t n_children
    ArrowSchema** children
    ArrowSchema* dictionary
    void (*release)(ArrowSchema*) noexcept
    void* private_data

cdef struct ArrowArray:
    int64_t length
    int64_t null_count
    int64_t offset
    int64_t n_buffers
    int64_t n_children
    const void** buffers
    ArrowArray** children
    ArrowArray* dictionary
    void (*release)(ArrowArray*) noexcept
    void* private_data

cdef struct ArrowArrayStream:
    int (*get_schema)(ArrowArrayStream*, ArrowSchema*) noexcept
    int (*get_next)(ArrowArrayStream*, ArrowArray*) noexcept
    const char* (*get_last_error)(ArrowArrayStream*) noexcept
    void (*release)(ArrowArrayStream*) noexcept
    void* private_data

cdef struct Piece:
    const char* start           # NULL: missing
    int64_t length
    uint64_t hash


def encode_arrow(capsule, TextVocabulary vocabulary, int32_t[::1] numbers, bint add):
    """Put the number of each text of a column into `numbers`.

    Parameters
    ----------
    capsule : PyCapsule
        What a column's __arrow_c_stream__() gives; used up.
    vocabulary : TextVocabulary
    numbers : int32 array of the column's length
    add : bool
        Texts that are not in the vocabulary are added to it; else they are UNKNOWN.
    """
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>PyCapsule_GetPointer(
        capsule, "arrow_array_stream"
    )
    cdef Layout layout = layout_of(stream)
    cdef ArrowArray chunk
    cdef int64_t done = 0
    while True:
        memset(&chunk, 0, sizeof(ArrowArray))
        check(stream.get_next(stream, &chunk), stream)
        if chunk.release == NULL:
            break
        try:
            if chunk.length > numbers.shape[0] - done:
                raise ValueError("the column has more rows than it says")
            if chunk.length:
                with nogil:
                    encode_chunk(&chunk, layout, vocabulary, &numbers[done], add)
            done += chunk.length
        finally:
            chunk.release(&chunk)
    if done != numbers.shape[0]:
        raise ValueError("the column has fewer rows than it says")


cdef Layout layout_of(ArrowArrayStream* stream) except *:
    cdef ArrowSchema schema
    memset(&schema, 0, sizeof(ArrowSchema))
    check(stream.get_schema(stream, &schema), stream)
    try:
        if schema.dictionary == NULL:
            for text, layout in ((b"u", OFFSETS_32), (b"U", OFFSETS_64), (b"vu", VIEWS),
                                 (b"n", NO_VALUES)):
                if strcmp(schema.format, text) == 0:
                    return layout
        raise TypeError(f"an Arrow column of format {(<bytes>schema.format).decode()!r}, not text")
    finally:
        schema.release(&schema)


cdef int check(int code, ArrowArrayStream* stream) except -1:
    cdef const char* message
    if code:
        message = stream.get_last_error(stream)
        raise ValueError("" if message == NULL else (<bytes>message).decode("utf-8", "replace"))
    return 0


cdef int encode_chunk(const ArrowArray* chunk, Layout layout, TextVocabulary vocabulary,
                      int32_t* numbers, bint add) except -1 nogil:
    cdef Piece[BLOCK] pieces
    cdef int64_t first = 0, i, n
    while first < chunk.length:
        n = min(<int64_t>BLOCK, chunk.length - first)
        for i in range(n):
            pieces[i] = piece(chunk, layout, chunk.offset + first + i)
            if pieces[i].start != NULL:
                pieces[i].hash = hash_of(pieces[i].start, pieces[i].length)
                FM_PREFETCH(&vocabulary.slots[pieces[i].hash & <uint64_t>vocabulary.slot_mask])
        for i in range(n):
            if pieces[i].start == NULL:
                numbers[first + i] = MISSING
            elif add:
                numbers[first + i] = vocabulary.find_or_add(
                    pieces[i].start, pieces[i].length, pieces[i].hash
                )
            else:
                numbers[first + i] = vocabulary.find(
                    pieces[i].start, pieces[i].length, pieces[i].hash
                )
        first += n
    return 0


cdef inline Piece piece(const ArrowArray* chunk, Layout layout, int64_t row) noexcept nogil:
    """The text of a row, counted with the chunk's offset."""
    cdef Piece text
    cdef const uint8_t* is_there = <const uint8_t*>chunk.buffers[0] if chunk.n_buffers else NULL
    cdef const int32_t* view
    text.start, text.length, text.hash = NULL, 0, 0
    if layout == NO_VALUES or (
        is_there != NULL and not is_there[row >> 3] >> (row & 7) & 1
    ):
        return text
    if layout == OFFSETS_32:
        text.length = (<const int32_t*>chunk.buffers[1])[row]
        text.start = <const char*>chunk.buffers[2] + text.length
        text.length = (<const int32_t*>chunk.buffers[1])[row + 1] - text.length
    elif layout == OFFSETS_64:
        text.length = (<const int64_t*>chunk.buffers[1])[row]
        text.start = <const char*>chunk.buffers[2] + text.length
        text.length = (<const int64_t*>chunk.buffers[1])[row + 1] - text.length
    else:
        view = <const int32_t*>chunk.buffers[1] + 4 * row
        text.length = view[0]
        text.start = <const char*>(view + 1)
        if text.length > INLINE:  # else the view has its beginning, a buffer's number, an offset
            text.start = <const char*>chunk.buffers[2 + view[2]] + view[3]
    if text.start == NULL:  # a buffer of empty texts only
        text.start = b""
    return text
