"""Random changes of sound files, for where there is no engine that follows coverage."""

import random
import struct

TOKENS = [
    b"0", b"-1", b"1e400", b"1e-400", b"nan", b"inf", b"2147483647", b"2147483648",
    b"18446744073709551616", b"9" * 40, b".", b":", b",", b" ", b"\t", b"\n", b"\r", b"\r\n", b"#",
    b'"', b"\0", b"\xff", b"\xef\xbb\xbf", b"qid:1", b"[", b"]", b"{", b"}", b"null", b"-",
    b"<f4", b"<i8", b"|O",
]  # fmt: skip
NUMBERS = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]
LONGEST = 20_000  # bytes


def mutated(rng: random.Random, corpus: list[bytes]) -> bytes:
    """One of the corpus with one to five changes."""
    content = bytearray(rng.choice(corpus))
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        rng.choice(CHANGES)(rng, content, corpus)
    return bytes(content[:LONGEST])


def place(rng, content):
    return rng.randrange(len(content) + 1)


def flip(rng, content, corpus):
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def token(rng, content, corpus):
    at = place(rng, content)
    new = rng.choice(TOKENS)
    content[at : at + rng.choice([0, 0, 1, len(new)])] = new


def number(rng, content, corpus):
    at, form = place(rng, content), rng.choice(["<Q", "<I", "<H"])
    value = rng.choice(NUMBERS) % (1 << 8 * struct.calcsize(form))
    content[at : at + struct.calcsize(form)] = struct.pack(form, value)


def digits(rng, content, corpus):
    """Another number in place of one, as text."""
    at = place(rng, content)
    while at < len(content) and not 48 <= content[at] <= 57:
        at += 1
    end = at
    while end < len(content) and 48 <= content[end] <= 57:
        end += 1
    if end > at:
        content[at:end] = rng.choice([*TOKENS[:10], str(rng.randrange(20)).encode()])


def cut(rng, content, corpus):
    first, last = sorted((place(rng, content), place(rng, content)))
    del content[first : rng.choice([last, first + 1, len(content)])]


def repeat(rng, content, corpus):
    first, last = sorted((place(rng, content), place(rng, content)))
    content[last:last] = content[first:last] * rng.choice([1, 1, 2, 9])


def splice(rng, content, corpus):
    other = rng.choice(corpus)
    at, first = place(rng, content), rng.randrange(len(other) + 1)
    content[at : at + rng.randrange(40)] = other[first : first + rng.randrange(200)]


CHANGES = [flip, token, number, digits, cut, repeat, splice]
