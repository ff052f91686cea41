"""``fastfm-cy recommend``: the best items for users, as csv."""

import csv
import io
import sys
from contextlib import nullcontext
from typing import Annotated

import numpy as np
import typer

from ...estimators.recommender import FMRecommender
from ...io.outputs import written_aside
from .. import options as opt
from ..files import check_files
from ..models import open_model
from ..ranking import ids_like, interactions_of

_USERS_A_PART = 10_000


def recommend(
    model: opt.ModelFile,
    users: Annotated[
        list[str] | None,
        typer.Option("--user", "-u", metavar="ID", help="A known user; all, if none is named."),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="csv of user,item: what new users have chosen."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Items a user.")] = 10,
    keep_seen: Annotated[
        bool, typer.Option("--keep-seen", help="Also what a user has chosen already.")
    ] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Pass over ids that the model does not know.")
    ] = False,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE", help="Where the csv goes.")
    ] = "-",
    n_jobs: opt.Threads = None,
):
    """Write the best items of users, best first: user,item,score a line."""
    if users and history:
        raise ValueError("--user names known users, --history new ones; give one of both.")
    check_files([model, history], [out])
    recommender = open_model(model)
    if not isinstance(recommender, FMRecommender):
        raise ValueError(f"{model} is a {type(recommender).__name__}, which recommends nothing.")
    recommender.set_params(n_jobs=n_jobs)
    asked = {
        "n": n, "filter_seen": not keep_seen, "unknown": "skip" if skip_unknown else "error",
    }  # fmt: skip
    if history:
        parts = _of_histories(recommender, history, asked)
    else:
        known = recommender.user_ids_
        parts = _of_users(recommender, ids_like(users, known, "user") if users else known, asked)
    target = nullcontext(sys.stdout.buffer) if out == "-" else written_aside(out)
    with target as file:
        file.write(b"user,item,score\n")
        for part in parts:
            file.write(_lines(*part))
        file.flush()


def _of_users(recommender, users, asked):
    """(users, items, scores) of some users at a time."""
    for first in range(0, len(users), _USERS_A_PART):
        part = users[first : first + _USERS_A_PART]
        yield part, *recommender.recommend(part, **asked)


def _of_histories(recommender, path, asked):
    known = recommender.user_ids_, recommender.item_ids_
    users, items = interactions_of([path], False, (np.array([""]), known[1]))
    names, numbers = np.unique(users, return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    lists = np.split(items[order], np.flatnonzero(np.diff(numbers[order])) + 1)
    yield names, *recommender.recommend(history=lists, **asked)


def _lines(users, items, scores):
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for user, names, values in zip(users.tolist(), items.tolist(), scores.tolist(), strict=True):
        rows.writerows(
            (user, name, f"{value:.9g}")
            for name, value in zip(names, values, strict=True)
            if value > -np.inf
        )
    return text.getvalue().encode()
