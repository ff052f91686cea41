"""Encodings: what is text in UTF-8, and what is not."""

# Longer marks first: that of UTF-16 begins that of UTF-32.
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16",
}  # fmt: skip
_HEADER = 16  # bytes, several of which are zero in a binary file


def encoding_of(beginning: bytes) -> str | None:
    """UTF-16 or UTF-32 if a text begins as these do, else None."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if beginning.startswith(mark):
            return encoding
    # Without a mark: ASCII in UTF-16 has a zero in every second byte, and in no other.
    halves = beginning[0::2], beginning[1::2]
    zeros = [half.count(0) for half in halves]
    for these, others, half in zip(zeros, zeros[::-1], halves, strict=True):
        if not others and 2 * these > len(half) > 1:
            return "UTF-16"
    return None


def is_binary(beginning: bytes) -> bool:
    """By zero bytes; a single one further on may be a slip, of which its line's reader tells."""
    first_line = beginning.lstrip(b"\r\n").split(b"\n", 1)[0]
    return b"\0" in first_line or beginning[:_HEADER].count(0) > 1


def other_encoding(beginning: bytes, name: str) -> str | None:
    """What to say of a file called `name` that is text in another encoding than UTF-8."""
    encoding = encoding_of(beginning)
    if encoding is None:
        return None
    return (
        f"{name} is text in {encoding}; only UTF-8 is read. Convert it first: iconv -f {encoding} "
        f"-t UTF-8, or open(path, encoding={encoding.lower()!r}) in Python."
    )
