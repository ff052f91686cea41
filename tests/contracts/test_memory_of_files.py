"""No file costs more memory than it weighs, whatever its header or its packing promise.

Each case is small on disk, and would take gigabytes, or minutes, of a reader that believes it.
"""

import bz2
import gzip
import lzma
import struct
import sys
import tracemalloc
from contextlib import suppress
from importlib.util import find_spec
from io import BytesIO

import numpy as np
import pytest

from fastfm_cy import FMRegressor
from fastfm_cy.exceptions import FileFormatError
from fastfm_cy.io import (
    Dataset,
    convert,
    load_model,
    open_dataset,
    read,
    read_csv,
    read_libffm_model,
    read_libfm_binary,
    read_libfm_model,
    read_libsvm,
    read_relation,
    read_vector,
    read_xlearn_model,
    save_model,
    write_csv,
    write_libsvm,
)
from fastfm_cy.io.data_files import libfm_binary
from fastfm_cy.io.data_files.formats import DATA_FORMATS

BYTES_A_BYTE, SLACK = 200, 1 << 25
MATRIX = struct.Struct("<IIQII")


def cost(function):
    """The most memory, in bytes, while a function runs; it may refuse."""
    tracemalloc.start()
    try:
        with suppress(ValueError):
            function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def zstd_bomb(n_bytes, content):
    """Frames whose blocks are one byte, repeated 128 KB."""
    size = 1 << 17
    block = ((size << 3) | 2).to_bytes(3, "little") + content
    n_blocks = n_bytes // size
    last = ((size << 3) | 3).to_bytes(3, "little") + content
    return struct.pack("<IBB", 0xFD2FB528, 0, 0x58) + block * (n_blocks - 1) + last


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
HAS_ZSTD = find_spec("zstandard") or sys.version_info >= (3, 14)


@pytest.mark.parametrize("suffix", [*PACKERS, ".zst"])
@pytest.mark.parametrize("content", [b"\0", b"1", b" ", b"#", b"\n", b"\r"])
def test_bombs(tmp_path, suffix, content):
    if suffix == ".zst" and not HAS_ZSTD:
        pytest.skip("neither Python 3.14 nor the package zstandard")
    path, is_one_line = tmp_path / f"bomb{suffix}", content not in b"\n\r"
    n_bytes = 1 << (26 if is_one_line else 22)
    pack = PACKERS.get(suffix)
    path.write_bytes(pack(content * n_bytes) if pack else zstd_bomb(n_bytes, content))
    for reader in (read, read_libsvm, read_csv):
        # A line may be as long as 32 MB; of other texts, one piece at a time is held.
        most = cost(lambda reader=reader: reader(path))
        assert most < SLACK + (1 << 25 if is_one_line else 30 * n_bytes)


def test_bombs_are_converted_in_bounded_memory(tmp_path):
    path = tmp_path / "rows.gz"
    path.write_bytes(gzip.compress(b"1 0:1\n" * 2_000_000))
    assert cost(lambda: convert(path, tmp_path / "disk")) < SLACK + 8 * 2_000_000


@pytest.mark.skipif(not HAS_ZSTD, reason="neither Python 3.14 nor the package zstandard")
def test_zstd_files_of_all_kinds():
    """Frames with and without checksum and size, of all kinds of blocks, and skipped ones."""
    zstandard = pytest.importorskip("zstandard")
    text = b"".join(b"1 %d:%d\n" % (i % 7, i) for i in range(100_000))
    noise = b"# " + np.random.default_rng(0).integers(33, 126, 300_000, np.uint8).tobytes() + b"\n"
    skipped = struct.pack("<II", 0x184D2A53, 5) + b"hello"
    expected = read_libsvm(BytesIO(text))
    for checksum in (False, True):
        for size in (False, True):
            packer = zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=size)
            whole = packer.compress(text)
            streamed = packer.compressobj()
            pieces = streamed.compress(text[:700_000]) + streamed.flush()
            later = packer.compress(text[700_000:])
            empty = packer.compress(b"")
            for packed in (whole, whole + skipped, pieces + empty + later,
                           packer.compress(noise) + whole):  # fmt: skip
                found = read_libsvm(BytesIO(packed))
                np.testing.assert_array_equal(found.X.data, expected.X.data)
            for cut in range(1, len(whole), len(whole) // 50):
                with pytest.raises(FileFormatError, match="damaged or truncated"):
                    read_libsvm(BytesIO(whole[:cut] if cut > 8 else whole[: 8 + cut]))
            altered = bytearray(whole)
            altered[len(whole) // 2] ^= 255
            if checksum:
                with pytest.raises(FileFormatError):
                    read_libsvm(BytesIO(bytes(altered)))


HEADERS = [
    MATRIX.pack(2, 4, 0, 0, 2**31 - 1),
    MATRIX.pack(2, 4, 0, 0, 300_000_000),
    MATRIX.pack(2, 4, 2**60, 0, 5),
    MATRIX.pack(2, 4, 0, 2**32 - 1, 5),
    MATRIX.pack(2, 4, 1, 1, 2**31 - 1) + struct.pack("<IIf", 1, 7, 1.0),
]


@pytest.mark.parametrize("suffix", [".x", ".xt"])
@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_headers_of_binary_matrices(tmp_path, suffix, header):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(header)
    (tmp_path / "m.train").write_bytes(b"0\n")
    pieces = DATA_FORMATS["libfm_binary"].pieces
    for reader in (
        read_libfm_binary, read, lambda path: list(pieces(path)),
        lambda _: read_relation(tmp_path / "m"),
        lambda path: convert(path, tmp_path / "disk", overwrite=True),
    ):  # fmt: skip
        assert cost(lambda reader=reader: reader(path)) < SLACK


def test_rows_without_entries_are_believed_if_targets_agree(tmp_path, monkeypatch):
    monkeypatch.setattr(libfm_binary, "_FREE_ROWS", 3)
    path = tmp_path / "m.xt"
    path.write_bytes(MATRIX.pack(2, 4, 1, 2, 9) + struct.pack("<IIfI", 1, 7, 1.5, 0))
    with pytest.raises(FileFormatError, match="tells of 9 rows, but holds 1 entries only"):
        read_libfm_binary(path)
    (tmp_path / "m.y").write_text("\n".join("1" * 9))
    assert read_libfm_binary(path).X.shape == (9, 2)
    (tmp_path / "m.y").write_text("1\n")
    with pytest.raises(FileFormatError, match=r"m\.y has 1 targets, .*m\.xt has 9 rows"):
        read_libfm_binary(path)


def test_vectors(tmp_path):
    path = tmp_path / "m.y"
    path.write_bytes(struct.pack("<III", 1, 4, 2**32 - 1))
    assert cost(lambda: read_vector(path)) < SLACK


N = 1500
MODELS = {
    "fields of one feature, features without factors": (
        read_xlearn_model,
        "bias: 0\n" + "".join(f"i_{i}: 0\n" for i in range(N))
        + "".join(f"v_0_{f}: 0\n" for f in range(N)),
    ),
    "a first line of many factors": (
        read_xlearn_model,
        "bias: 0\n" + "".join(f"i_{i}: 0\n" for i in range(N)) + "v_0: " + "0 " * N
        + "".join(f"\nv_{i}: 0" for i in range(1, N)),
    ),
    "libFM, a first line of many factors": (
        read_libfm_model, "#pairwise interactions Vj,f\n" + "0 " * N + "\n0" * N,
    ),
    "libffm, huge counts": (
        read_libffm_model, "n 9999999999\nm 9999999999\nk 9999999999\nnormalization 0\n",
    ),
    "libffm, counts of 5,000 digits": (
        read_libffm_model, f"n {'9' * 5000}\nm 1\nk 1\nnormalization 0\nw0,0 1\n",
    ),
    "libffm, many factors": (
        read_libffm_model, f"n {N}\nm 1\nk {N}\nnormalization 0\n"
        + "".join(f"w{i},0 0\n" for i in range(N)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_text_models(tmp_path, name):
    reader, text = MODELS[name]
    path = tmp_path / "model"
    path.write_text(text)
    assert cost(lambda: reader(path)) < BYTES_A_BYTE * len(text) + (1 << 20)


@pytest.mark.parametrize("counts", [(2**31 - 1,) * 3, (1, 1, 2**31 - 1), (0, 1, 1), (-1, -1, 4)])
def test_binary_models(tmp_path, counts):
    path = tmp_path / "model"
    path.write_bytes(struct.pack("<iiiB", *counts, 1) + bytes(32))
    assert cost(lambda: read_libffm_model(path)) < SLACK


def test_own_files(tmp_path):
    """Their headers are held against the length of the file before anything is allocated."""
    X = np.eye(3)
    save_model(FMRegressor(2, max_iter=1, random_state=0).fit(X, [1, 2, 3]), tmp_path / "m.fm")
    content = (tmp_path / "m.fm").read_bytes()
    convert(Dataset(X, np.ones(3)), tmp_path / "disk")
    header = (tmp_path / "disk" / "header.json").read_text()
    for digits in ("9" * 12, "9" * 5000):
        (tmp_path / "m.fm").write_bytes(
            content.replace(b'"shape": [', b'"shape": [' + digits.encode())
        )
        assert cost(lambda: load_model(tmp_path / "m.fm")) < SLACK
        (tmp_path / "disk" / "header.json").write_text(header.replace(": 3", f": {digits}"))
        assert cost(lambda: open_dataset(tmp_path / "disk")) < SLACK


def test_features_that_never_occur(tmp_path):
    """A number of a feature is as long as it is; what is read, kept and written is what occurs."""
    text = tmp_path / "rows.svm"
    text.write_text("1 2000000000:1\n0 1:1\n")
    dataset = read(text)
    write = DATA_FORMATS["libfm_binary"].write
    for function in (
        lambda: read(text),
        lambda: convert(text, tmp_path / "disk").X,
        lambda: write_libsvm(tmp_path / "again.svm", dataset),
        lambda: write_csv(tmp_path / "again.csv", dataset),
        lambda: write(tmp_path / "again.x", dataset),
        lambda: read_libfm_binary(tmp_path / "again.x"),
    ):
        assert cost(function) < SLACK
    assert sum(path.stat().st_size for path in tmp_path.iterdir() if path.is_file()) < 1000
