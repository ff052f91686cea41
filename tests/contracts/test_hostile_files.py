"""Whatever bytes a file holds, a reader returns sound data or raises a clear exception.

It neither crashes nor takes more memory than the size of the file justifies.
"""

import bz2
import gzip
import io
import json
import lzma
import struct
import tracemalloc
import warnings
import zlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.files import assert_sound

from fastfm_cy.io import (
    Dataset,
    convert,
    open_dataset,
    read,
    read_csv,
    read_groups,
    read_libffm,
    read_libfm_binary,
    read_libsvm,
    read_relation,
    read_vector,
)
from fastfm_cy.io.data_files import libfm_binary

# Of memory a byte of text: scratch for the most rows and entries that it could hold, and a result.
BYTES_A_BYTE, SLACK = 100, 1 << 24  # read in blocks of some megabytes
MANY = settings(max_examples=150)

NUMBERS = st.one_of(
    st.integers(-5, 20).map(str),
    st.sampled_from(
        [
            "2147483646", "2147483647", "4294967296", "9223372036854775807",
            "9223372036854775808", "18446744073709551616", "9" * 30, "9" * 5000, "-1", "1e400",
            "1e-400", "1e999999999999999999999", "0." + "0" * 400 + "1", "nan", "inf", "0x10", ".",
            "e", "+", "1_0", "\u0661",
        ]
    ),
    st.floats().map(repr),
)  # fmt: skip
PIECES = st.one_of(
    NUMBERS,
    st.sampled_from([" ", "\t", "\n", "\r\n", ":", ",", ";", "#", '"', "qid:", "\0", "\ufeff", ""]),
)
TEXTS = st.lists(PIECES, max_size=40).map(lambda parts: "".join(parts).encode())
LINES = st.lists(
    st.builds(
        lambda target, entries: " ".join([target, *(":".join(entry) for entry in entries)]),
        NUMBERS,
        st.lists(st.lists(NUMBERS, min_size=1, max_size=4), max_size=4),
    ),
    max_size=6,
).map(lambda lines: "\n".join(lines).encode())
CONTENTS = st.one_of(st.binary(max_size=200), TEXTS, LINES)


@st.composite
def altered(draw, contents):
    """Sound contents, cut or with some bytes replaced."""
    contents = bytearray(contents)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(contents) - 1)))
        kind = draw(st.sampled_from(["cut", "bytes", "count", "insert"]))
        if kind == "cut":
            del contents[place:]
        elif kind == "insert":
            contents[place:place] = draw(st.binary(max_size=9))
        else:
            huge = st.sampled_from([2**63, 2**64 - 1, 2**32 - 1, 2**31, 2**31 - 1, 2**62, 1, 0])
            new = struct.pack("<Q", draw(huge)) if kind == "count" else draw(st.binary(max_size=4))
            contents[place : place + len(new)] = new
    return bytes(contents)


def outcome(reader, n_bytes):
    """What a reader returns, or None if it refuses."""
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of skipped lines
            try:
                return reader()
            except ValueError as error:
                return None if str(error) else pytest.fail("an error without a message")
            finally:
                assert tracemalloc.get_traced_memory()[1] < BYTES_A_BYTE * n_bytes + SLACK
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("reader", [read_libsvm, read_libffm, read_csv, read])
def test_text(reader, on_error):
    @MANY
    @given(CONTENTS, st.sampled_from([1, 2]))
    def check(contents, n_jobs):
        file = io.BytesIO(contents)
        dataset = outcome(lambda: reader(file, on_error=on_error, n_jobs=n_jobs), len(contents))
        if dataset:
            assert_sound(dataset)

    check()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_text(pack):
    sound = pack(b"1 0:1 2:0.5\n" * 50)

    @MANY
    @given(st.one_of(altered(sound), st.binary(max_size=50).map(lambda rest: sound[:6] + rest)))
    def check(contents):
        try:
            dataset = read_libsvm(io.BytesIO(contents), on_error="skip")
        except (ValueError, ImportError):  # the latter if it looks like zstd
            return
        assert_sound(dataset)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        check()


def matrix_bytes(draw_rows):
    """A sound binary matrix."""
    entries = sum(map(len, draw_rows))
    header = struct.pack("<IIQII", 2, 4, entries, len(draw_rows), 10)
    rows = b"".join(
        struct.pack("<I", len(row)) + b"".join(struct.pack("<If", *entry) for entry in row)
        for row in draw_rows
    )
    return header + rows


ROWS = st.lists(st.lists(st.tuples(st.integers(0, 9), st.floats(-9, 9)), max_size=4), max_size=5)
MATRICES = ROWS.map(matrix_bytes).flatmap(altered)
VECTORS = st.lists(st.floats(-9, 9), max_size=5).map(
    lambda values: struct.pack(f"<III{len(values)}f", 1, 4, len(values), *values)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@pytest.mark.parametrize("suffix", [".x", ".xt"])
def test_binary_matrices(folder, suffix):
    path = folder / f"matrix{suffix}"

    @MANY
    @given(st.one_of(MATRICES, st.binary(max_size=100)))
    def check(contents):
        path.write_bytes(contents)
        dataset = outcome(lambda: read_libfm_binary(path), len(contents))
        if dataset:
            assert_sound(dataset)
        if suffix == ".x":
            pieces = outcome(lambda: list(libfm_binary.matrix_pieces(path)), len(contents))
            assert (pieces is None) == (dataset is None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libfm_binary, "_PIECE", 5)
        check()


@pytest.mark.parametrize("dtype", ["float32", "uint32"])
def test_vectors(folder, dtype):
    path = folder / "vector"

    @MANY
    @given(st.one_of(VECTORS.flatmap(altered), CONTENTS))
    def check(contents):
        path.write_bytes(contents)
        values = outcome(lambda: read_vector(path, dtype), len(contents))
        assert values is None or np.isfinite(values).all()
        groups = outcome(lambda: read_groups(path), len(contents))
        assert groups is None or not len(groups) or 0 <= groups.min() <= groups.max() < len(groups)

    check()


@MANY
@given(ROWS.map(matrix_bytes), st.lists(st.integers(0, 6), max_size=4))
def test_relations(folder, matrix, rows):
    (folder / "relation.x").write_bytes(matrix)
    (folder / "relation.train").write_text("\n".join(map(str, rows)))
    relation = outcome(lambda: read_relation(folder / "relation"), len(matrix) + 10)
    if relation:
        assert not rows or max(relation.train) < relation.X.shape[0]
    else:
        n_rows = struct.unpack_from("<I", matrix, 16)[0]
        assert rows
        assert max(rows) >= n_rows


@pytest.fixture(scope="module")
def on_disk(folder):
    X = np.arange(60.0).reshape(20, 3) % 7
    return convert(Dataset(X, np.arange(20) % 2, weights=np.ones(20)), folder / "data").folder


FILES = ["header.json", "indptr.npy", "indices.npy", "data.npy", "target.npy", "weights.npy"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("verify", [False, True])
def test_folders(on_disk, name, verify):
    path = on_disk / name
    sound = path.read_bytes()

    @MANY
    @given(st.one_of(altered(sound), st.binary(max_size=200)), st.sampled_from([1, 500, 10**9]))
    def check(contents, budget):
        path.write_bytes(contents)
        outcome(lambda: visit(budget), sum(file.stat().st_size for file in on_disk.iterdir()))

    def visit(budget):
        dataset = open_dataset(on_disk, memory_budget=budget, verify=verify)
        cuts = dataset.cuts(budget)
        for first, last in pairwise(cuts):
            chunk = dataset.chunk([(first, last)])
            assert len(chunk.y) == chunk.rows.n_rows == last - first

    try:
        check()
    finally:
        path.write_bytes(sound)


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.sampled_from([2**31, 2**63, -1, "<f4", "<i8", "|O", "indptr", "../x"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)  # fmt: skip


def test_headers_with_right_checksums(on_disk):
    path = on_disk / "header.json"
    sound = path.read_text()
    names = [*json.loads(sound), "other"]

    @MANY
    @given(st.dictionaries(st.sampled_from(names), VALUES, min_size=1, max_size=3))
    def check(changes):
        header = {**json.loads(sound), **changes}
        del header["checksum"]
        text = json.dumps(header, sort_keys=True)
        header["checksum"] = zlib.crc32(text.encode())
        path.write_text(json.dumps(header))
        outcome(lambda: open_dataset(on_disk), len(text) + 10_000)

    try:
        check()
    finally:
        path.write_text(sound)
