"""Trainer on whole data: exact steps in blocks of eight factors, users and items in turn.

The loss is the sum of a (y - s)^2 over the observed pairs and of w0 s^2 over all pairs, plus the
squares of all parameters times their strengths; s = <q_c, q_i> + b_i is the model's ranking score,
which is linear in the vector of any one feature. So each step is a least-squares problem, and the
loss never rises. All pairs together cost no more than the Gram matrices of the two sides (Bayer,
He, Kanagal, Rendle, WWW 2017); eight factors at a time are those of iALS++ (Rendle, Krichene,
Zhang, Koren, 2021). Rows that are features of their own are independent, and solved in threads; the
bits do not depend on their number.

Users and items that nobody chose anything of, or that nobody chose, do not take part.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ...data.interactions import Interactions
from ...kernels.dispatch import whole_data
from ...model.sides import Side
from ...utils.memory import aligned_zeros
from ..epoch_loop import divergence
from ..ranking.plan import RankingPlan
from .half import Columns, Half, columns_of, fill_vectors, frequencies, gram_of, half_of
from .queries import distinct_queries
from .settings import WholeDataSettings

_TILE = 8
_WORK_A_CALL = 20_000_000  # multiply-adds between two looks at Ctrl-C


class OneSide:
    """Queries or items: their rows, parameters and strengths.

    Parameters
    ----------
    side : Side
        The rows that take part; its table is trained.
    taking_part : int array
        Their numbers among all; those of the features that are rows of their own.
    half : Half
    strengths, linear_strengths : arrays of shape (n_features,) or, without rows of features, a row
    has_constant : bool
        Whether linear weights are trained.
    """

    def __init__(
        self, side: Side, taking_part: np.ndarray, half: Half, settings: WholeDataSettings,
        n_others: int, n_factors: int, n_own: int, *, has_constant: bool,
    ) -> None:  # fmt: skip
        self.side, self.taking_part, self.half = side, taking_part, half
        self.n_factors, self.has_constant = n_factors, has_constant
        self.width = -(-n_factors // _TILE) * _TILE
        self.losses = np.zeros(half.n_rows)
        self.columns: Columns | None = None
        table, rows = side.table, side.rows
        if rows is not None:
            n_pairs = len(half.partners)
            self.columns = columns_of(rows, n_own, n_pairs, whole_data.LINE_WIDTH)
        weights = np.maximum(half.row_sums() + settings.unobserved_weight * n_others, 0)
        scale = frequencies(rows, weights) ** settings.frequency_power
        plain = side.strengths.of_rows(taking_part if rows is None else slice(None))
        self.strengths, self.linear_strengths = (
            np.ascontiguousarray(scale * plain[:, column].astype(float), dtype=table.dtype)
            for column in (3, 1)
        )
        self._forget_idle()
        self.refresh(1)

    def _forget_idle(self) -> None:
        """Features that no row has are told nothing by the data."""
        table = self.side.table
        idle = np.ones(table.n_features, dtype=bool)
        idle[self.taking_part if self.columns is None else self.columns.rows.indices] = False
        table.factors[idle], table.linear[idle] = 0, 0
        if not self.has_constant:
            table.linear[...] = 0

    def refresh(self, n_jobs: int) -> None:
        """Compute the vectors from the parameters."""
        if self.columns is None:
            table, vectors = self.side.table, self.half.vectors
            vectors[:, : self.n_factors] = table.factors[self.taking_part, : self.n_factors]
            if self.has_constant:
                vectors[:, self.half.constant] = table.linear[self.taking_part, 0]
        else:
            constant = self.half.constant if self.has_constants else -1
            fill_vectors(self.half.vectors, self.side, self.n_factors, constant, n_jobs)

    @property
    def has_constants(self) -> bool:
        """Whether rows have constants that training changes."""
        return self.has_constant or self.side.interacts

    def finish(self) -> None:
        """Bring what was trained to the table."""
        if self.columns is None:
            table, vectors = self.side.table, self.half.vectors
            table.factors[self.taking_part, : self.n_factors] = vectors[:, : self.n_factors]
            if self.has_constant:
                table.linear[self.taking_part, 0] = vectors[:, self.half.constant]

    def penalty(self) -> float:
        """The squares of the parameters, times their strengths."""
        table, taken = self.side.table, self.taking_part
        if self.columns is None:
            factors = self.half.vectors[:, : self.n_factors].astype(float)
            linear = table.linear[taken, 0]
            if self.has_constant:
                linear = self.half.vectors[:, self.half.constant]
        else:
            factors, linear = table.factors.astype(float), table.linear[:, 0]
        squares = np.einsum("ij,ij->i", factors, factors)
        return float(squares @ self.strengths + linear.astype(float) ** 2 @ self.linear_strengths)


class WholeDataTrainer:
    """The Trainer of losses over whole data; an epoch is a sweep.

    Parameters
    ----------
    plan : RankingPlan
    interactions : Interactions
    users, contexts, items : Side
        Of which users and contexts, a row an interaction, share a table; trained in place, once
        `finish` was called.
    """

    loss_unit = 1.0
    n_visits = 1
    bar_options = {"unit": "sweep"}  # noqa: RUF012

    def __init__(
        self, plan: RankingPlan, interactions: Interactions, users: Side, contexts: Side,
        items: Side,
    ) -> None:  # fmt: skip
        assert plan.whole_data is not None
        self.plan, self.settings, self.remedy = plan, plan.whole_data, plan.remedy
        self._pool: ThreadPoolExecutor | None = None
        given, users, queries = _queries(interactions, users, contexts)
        kept, (query_rows, item_rows) = _taking_part(given, queries)
        given, queries = given.take(kept), queries[kept]
        pairs = self._pairs(given)
        rows = np.searchsorted(query_rows, queries), np.searchsorted(item_rows, given.items)
        factors = -(-plan.n_factors // _TILE) * _TILE
        has_constants = plan.fit_linear or (items.rows is not None and items.interacts)
        width = factors + _TILE * has_constants
        constant = factors if has_constants else -1
        vectors = [
            aligned_zeros((len(part), width), items.table.dtype) for part in (query_rows, item_rows)
        ]
        if has_constants:
            vectors[0][:, constant] = 1
        halves = (
            half_of(rows[0], rows[1], *pairs, vectors[0], vectors[1], -1),
            half_of(rows[1], rows[0], *pairs, vectors[1], vectors[0], constant),
        )
        self.sides = [
            OneSide(
                _of(side, part), part, half, self.settings, len(others), plan.n_factors,
                part[-1] + 1 if side.starts_with_own else 0, has_constant=has_constant,
            )
            for side, part, half, others, has_constant in zip(
                (users, items), (query_rows, item_rows), halves, (item_rows, query_rows),
                (False, plan.fit_linear), strict=True,
            )
        ]  # fmt: skip
        self.unit = 1 / max(self.confidence, np.finfo(float).tiny)

    def _pairs(self, given: Interactions) -> tuple[np.ndarray, np.ndarray]:
        """(a, t) of the observed pairs; notes what they add to the loss whatever the model."""
        confidence = self.settings.alpha * given.weights
        targets = np.where(given.is_negative, 0.0, confidence)
        self.confidence, self.offset = float(confidence.sum()), float(targets.sum())
        own = 0.0 if self.settings.counts_observed else self.settings.unobserved_weight
        return confidence - own, targets

    def __enter__(self) -> WholeDataTrainer:
        self._blas = threadpool_limits(1, user_api="blas")  # small products, in threads of ours
        if self.plan.n_jobs > 1:
            self._pool = ThreadPoolExecutor(self.plan.n_jobs)
        return self

    def __exit__(self, *error: object) -> None:
        self._blas.restore_original_limits()
        if self._pool:
            self._pool.shutdown()
            self._pool = None

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        """One sweep over both sides; the loss, penalties included, between the two, over what the
        interactions weigh together."""
        bar.set_description(f"sweep {number}/{max_iter}", refresh=False)
        queries, items = self.sides
        n_jobs = self.plan.n_jobs
        with np.errstate(over="ignore", invalid="ignore"):
            items_gram = gram_of(items.half.vectors, n_jobs)
            self._sweep(queries, items_gram)
            queries_gram = gram_of(queries.half.vectors, n_jobs)
            penalty = queries.penalty() + items.penalty()
            self._sweep(items, queries_gram)
            whole = self.settings.unobserved_weight * float((items_gram * queries_gram).sum())
            loss = float(items.losses.sum()) + self.offset + whole + penalty
        bar.update(1)
        return loss * self.unit

    def check_end(self, number: int, mean_loss: float) -> None:
        self.finish()
        for side in self.sides:
            if not side.side.table.is_finite():
                raise divergence(number, "a weight is no longer finite", self.remedy)

    def finish(self) -> None:
        """Bring what was trained so far to the sides' tables."""
        for side in self.sides:
            side.finish()

    # One side ------------------------------------------------------------------------------------

    def _sweep(self, side: OneSide, gram_of_others: np.ndarray) -> None:
        side.half.gram[...] = self.settings.unobserved_weight * gram_of_others
        if side.columns is None:
            self._in_blocks(side, side.width, lambda first, last: whole_data.step_rows(
                side.half, side.strengths, side.linear_strengths, side.has_constant, side.width,
                side.losses, first, last,
            ))  # fmt: skip
        else:
            self._sweep_features(side, side.columns)

    def _sweep_features(self, side: OneSide, columns: Columns) -> None:
        half, table = side.half, side.side.table
        side.refresh(self.plan.n_jobs)
        self._in_blocks(side, _TILE, lambda first, last: whole_data.start_rows(
            half, columns.errors, side.losses, first, last
        ))  # fmt: skip
        linear = np.ascontiguousarray(table.linear[:, 0])
        before = -1
        for place in [*range(0, side.width, _TILE), -1]:

            def collect(first: int, last: int, before: int = before, place: int = place) -> None:
                whole_data.collect(half, before, place, columns.errors, columns.lines, first, last)

            self._in_blocks(side, _TILE, collect)
            if place < 0:
                break

            def step(first: int, last: int, place: int = place) -> None:
                whole_data.step_features(
                    half, place, columns.lines, columns.starts, columns.row_of, columns.values,
                    table.factors, linear, side.strengths, side.linear_strengths,
                    side.side.interacts, side.has_constant, first, last,
                )  # fmt: skip

            step(columns.n_own, table.n_features)
            self._run(step, _cuts(np.arange(columns.n_own + 1), 10 * _TILE**2))
            before = place
        table.linear[:, 0] = linear

    def _in_blocks(self, side: OneSide, n_factors: int, work: Callable[[int, int], None]) -> None:
        self._run(work, _cuts(side.half.indptr, 12 * n_factors))

    def _run(self, work: Callable[[int, int], None], cuts: np.ndarray) -> None:
        """Call work(first, last) between all cuts, in threads."""
        run_all: Callable = self._pool.map if self._pool else map
        for _ in run_all(work, cuts[:-1], cuts[1:]):
            pass


def _cuts(indptr: np.ndarray, work: int) -> np.ndarray:
    """Where to cut rows, so that parts with so much work an entry take about as long."""
    n_rows = len(indptr) - 1
    n_parts = max(1, min(n_rows, int((indptr[-1] + n_rows) * work) // _WORK_A_CALL))
    ends = indptr[1:] + np.arange(1, n_rows + 1)
    total = (indptr[-1] + n_rows) * np.arange(1, n_parts) / n_parts
    inner = np.searchsorted(ends, total) if n_rows else np.zeros(0, dtype=np.int64)
    return np.unique(np.concatenate([[0], inner, [n_rows]]))


def _queries(
    interactions: Interactions, users: Side, contexts: Side
) -> tuple[Interactions, Side, np.ndarray]:
    """(interactions, the side of queries, the query of each); users are the queries where there are
    no contexts."""
    if contexts.rows is None or not contexts.rows.n_rows:
        return interactions, users, interactions.users
    numbers, rows = distinct_queries(interactions.users, users.rows, contexts.rows)
    rows = replace(rows, n_features=users.table.n_features)
    return interactions, replace(users, rows=rows, starts_with_own=False), numbers


def _taking_part(
    given: Interactions, queries: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """(interactions, (queries, items)) that take part: those of queries and items with a positive,
    and these, in rising order."""
    chosen = ~given.is_negative
    parts = np.unique(queries[chosen]), np.unique(given.items[chosen])
    kept = np.isin(queries, parts[0]) & np.isin(given.items, parts[1])
    return np.flatnonzero(kept), parts


def _of(side: Side, rows: np.ndarray) -> Side:
    return side if side.rows is None else replace(side, rows=side.rows.take(rows))
