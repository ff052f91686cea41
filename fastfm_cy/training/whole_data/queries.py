"""Queries: the distinct users and contexts of interactions, as rows of features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...data.csr import CSRRows


def distinct_queries(
    users: np.ndarray, user_rows: CSRRows | None, contexts: CSRRows
) -> tuple[np.ndarray, CSRRows]:
    """(number of each interaction's query, the queries' features).

    Parameters
    ----------
    users : int array of shape (n,)
        Of the interactions.
    user_rows : CSRRows or None
        Features of users; None if their numbers are all.
    contexts : CSRRows of n rows
        Features of the interactions' contexts, numbered behind the users'.
    """
    numbers: dict[tuple[int, bytes, bytes], int] = {}
    firsts: list[int] = []
    query_of = np.empty(len(users), dtype=np.int32)
    for row, (user, start, end) in enumerate(
        zip(users.tolist(), contexts.indptr[:-1].tolist(), contexts.indptr[1:].tolist(),
            strict=True)
    ):  # fmt: skip
        key = user, contexts.indices[start:end].tobytes(), contexts.data[start:end].tobytes()
        number = numbers.setdefault(key, len(numbers))
        query_of[row] = number
        if number == len(firsts):
            firsts.append(row)
    chosen = np.array(firsts, dtype=np.int64)
    of_context = contexts.take(chosen)
    if user_rows is None:
        own = users[chosen].astype(np.int32)
        of_user = CSRRows(
            np.arange(len(own) + 1), own, np.ones(len(own), contexts.data.dtype),
            contexts.n_features,
        )  # fmt: skip
    else:
        of_user = user_rows.take(users[chosen])
    return query_of, side_by_side(of_user, of_context)


def side_by_side(first: CSRRows, second: CSRRows) -> CSRRows:
    """Rows with the features of both, of one numbering."""
    counts = np.diff(first.indptr), np.diff(second.indptr)
    indptr = first.indptr + second.indptr
    is_second = np.zeros(indptr[-1], dtype=bool)
    starts = np.repeat(indptr[:-1] + counts[0] - second.indptr[:-1], counts[1])
    is_second[starts + np.arange(second.n_entries)] = True
    indices = np.empty(len(is_second), dtype=np.int32)
    data = np.empty(len(is_second), dtype=second.data.dtype)
    for chosen, part in ((~is_second, first), (is_second, second)):
        indices[chosen], data[chosen] = part.indices, part.data
    return replace(first, indptr=indptr, indices=indices, data=data, n_features=second.n_features)
