"""The memory that a fit's tables take, and whether there is so much."""

from __future__ import annotations

from ..utils.memory import free_memory
from .gradient.sharding import DETERMINISTIC_SHARDS
from .plan import TrainingPlan

_PAGE = 4096  # bytes of memory that the system gives at a time


def check_size(plan: TrainingPlan, n_features: int, n_started: int | None = None) -> None:
    """Refuse a table that is too large, before memory is taken for it.

    Of a table with gaps, `n_started` of the features take memory, in pages of their own.
    """
    n_copies = 1 + plan.early_stopping
    if plan.deterministic:
        n_copies += DETERMINISTIC_SHARDS + 1
    elif plan.n_jobs > 1 or plan.relabel:
        n_copies += 1
    needed = dense = n_copies * plan.table_bytes(n_features)
    if n_started is not None:
        in_pages = plan.table_bytes(n_started) + 2 * _PAGE * n_started
        needed = n_features + (n_copies + 1) * min(in_pages, plan.table_bytes(n_features))
    limit = free_memory() if plan.max_memory is None else plan.max_memory
    n_fields = getattr(plan.family, "n_fields", None)
    fields = "" if n_fields is None else f" and {n_fields} fields"
    what = f"The parameters of {n_features:,} features{fields} take {needed / 1e6:,.1f} MB"
    if needed > limit:
        most = f"the {limit / 1e6:,.1f} MB that are free"
        if plan.max_memory is not None:
            most = f"max_memory={plan.max_memory:,} bytes"
        raise MemoryError(
            f"{what}{f' in {n_copies} copies' if n_copies > 1 else ''}, more than {most}. Hash "
            f"the features to fewer rows (n_hash={max(1, int(n_features * limit / dense))}), use "
            "fewer factors or fields, or raise max_memory. Early stopping, and threads or relabel, "
            "each hold a copy more."
        )
    if plan.verbose and n_fields is not None:
        print(what)
