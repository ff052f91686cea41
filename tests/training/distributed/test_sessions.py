"""Sessions and the coordinator, in one process: what they learn, and from what."""

import numpy as np
import pytest

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.datasets import make_ratings
from fastfm_cy.estimators import FMRegressor
from fastfm_cy.model.scoring import score_rows
from fastfm_cy.training.distributed.crew import CrewOfOneProcess, SessionsLost
from fastfm_cy.training.distributed.fit import fit_by_crew, frequent_features
from fastfm_cy.training.distributed.session import Session
from fastfm_cy.training.fit import fit
from fastfm_cy.training.solvers import SOLVERS
from fastfm_cy.training.sources import MemorySource
from fastfm_cy.training.validation_set import ValidationSet


@pytest.fixture(scope="module")
def many_ratings():
    data = make_ratings(n_users=800, n_items=500, n_ratings=44_000, random_state=0)
    X = data.X
    rows = CSRRows(
        X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data.astype("f4"), X.shape[1]
    )
    return rows, data.y - data.y.mean()


def plan_of(**parameters):
    return FMRegressor(8, **({"max_iter": 6, "random_state": 0} | parameters))._plan()


def sessions_of(rows, y, n_sessions, validation=None, weights=None):
    parts = np.array_split(np.arange(rows.n_rows), n_sessions)
    found = []
    for part in parts:
        source = None
        if len(part):
            w = None if weights is None else weights[part]
            source = MemorySource.of(rows.take(part), y[part], w, "float32")
        found.append(Session(source, validation))
    return found


def fitted(plan, sessions, n_features, crew=CrewOfOneProcess, **options):
    rng = np.random.default_rng(0)
    return fit_by_crew(plan, crew(sessions), n_features, 0.0, rng, **options)


def error(table, rows, y):
    return float(np.sqrt(np.mean((score_rows(table, rows, 1)[:, 0] - y) ** 2)))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_sessions", [2, 4])
def test_several_learn_as_one(solver, n_sessions, many_ratings):
    rows, y = many_ratings
    train, test = rows.take(np.arange(40_000)), rows.take(np.arange(40_000, 44_000))
    plan = plan_of(solver=solver)
    alone = fitted(plan, sessions_of(train, y[:40_000], 1), rows.n_features).table
    together = fitted(plan, sessions_of(train, y[:40_000], n_sessions), rows.n_features).table
    assert error(together, test, y[40_000:]) < 1.01 * error(alone, test, y[40_000:])


def test_the_number_of_merges_is_nothing_to_one_session(many_ratings):
    rows, y = many_ratings
    tables = [
        fitted(plan_of(max_iter=2), sessions_of(rows, y, 1), rows.n_features, n_parts=n).table
        for n in (1, 64)
    ]
    for one, other in zip(tables[0].arrays, tables[1].arrays, strict=True):
        assert np.array_equal(one, other)


def test_sessions_have_their_own_columns_and_no_others(many_ratings):
    rows, y = many_ratings
    sessions = sessions_of(rows.take(np.arange(300)), y[:300], 3)
    fitted(plan_of(max_iter=1), sessions, rows.n_features)
    for number, session in enumerate(sessions):
        own = rows.take(np.arange(number * 100, number * 100 + 100)).indices
        assert session.table.n_features == len(np.unique(own))


def test_what_sessions_have_is_the_table(many_ratings):
    rows, y = many_ratings
    validation = ValidationSet(rows.take(np.arange(500)), y[:500], None)
    sessions = sessions_of(rows.take(np.arange(500, 3000)), y[500:3000], 3, validation)
    result = fitted(plan_of(max_iter=2), sessions, rows.n_features, validates=True)
    table = result.table
    for session in sessions:
        assert np.array_equal(session.table.intercept, table.intercept)
        assert np.array_equal(session.table.linear, table.linear[session._features])
        assert np.array_equal(session.table.factors, table.factors[session._features])
    settings = plan_of().settings(plan_of().check_strengths(rows.n_features))
    expected = validation.loss(table, settings)
    assert result.history["validation_loss"][-1] == pytest.approx(expected)


def test_features_are_frequent_in_all_rows(many_ratings):
    rows, y = many_ratings
    crew = CrewOfOneProcess(sessions_of(rows, y, 5))
    counts = np.bincount(rows.indices, minlength=rows.n_features)
    for one_in in (50, 500):
        found = frequent_features(crew, rows.n_rows, one_in)
        assert np.array_equal(found, np.flatnonzero(counts >= rows.n_rows / one_in))


def test_sessions_without_rows_and_rows_without_weight(many_ratings):
    rows, y = many_ratings
    rows, y = rows.take(np.arange(100)), y[:100]
    weights = np.ones(100)
    weights[40:] = 0
    plan = plan_of(max_iter=2)
    heavy = fitted(
        plan, [Session(None), *sessions_of(rows, y, 1, weights=weights)], rows.n_features
    )
    rows = rows.take(np.arange(40))
    plain = fitted(plan, [Session(None), *sessions_of(rows, y[:40], 1)], rows.n_features)
    assert np.array_equal(heavy.table.factors, plain.table.factors)


class LosesOne(CrewOfOneProcess):
    """A crew one of whose sessions is gone, once, in the middle of an epoch."""

    calls = 0

    def each(self, method, *arguments, per_session=()):
        self.calls += method == "run"
        if method == "open":
            self.opening = arguments, per_session
        if method == "run" and self.calls == 30:
            (plan, *common), (rngs) = self.opening
            rows, y = self.data
            lost = sessions_of(rows, y, self.n_sessions)[1]
            lost.open(plan, *common, *rngs[1])
            self.sessions[1] = lost
            raise SessionsLost
        return super().each(method, *arguments, per_session=per_session)


def test_a_lost_session_changes_nothing(many_ratings):
    rows, y = many_ratings
    rows, y = rows.take(np.arange(3000)), y[:3000]
    crew = type("Crew", (LosesOne,), {"data": (rows, y)})
    plan = plan_of(max_iter=3)
    results = [
        fitted(plan, sessions_of(rows, y, 3), rows.n_features, kind, n_parts=16)
        for kind in (CrewOfOneProcess, crew)
    ]
    for one, other in zip(*(result.table.arrays for result in results), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_rows", [3000, 36_000])
def test_one_session_is_a_fit_of_one_process(solver, n_rows, many_ratings):
    """Bit for bit, in order of rows and blocks of rows."""
    rows, y = many_ratings
    rows, y = rows.take(np.arange(n_rows)), y[:n_rows]
    plan = plan_of(max_iter=2, solver=solver, init_intercept=0.0)
    source = MemorySource.of(rows, y, None, "float32")
    alone = fit(plan, source, np.random.default_rng(0)).table
    session = fitted(plan, [Session(source)], rows.n_features).table
    for name in ("intercepts", "coef", "factor_vectors"):
        assert np.array_equal(getattr(alone, name), getattr(session, name))
