"""Training on a cluster against one process: ``python -m benchmarks.accuracy.distributed``.

Workers are simulated in this process, by the code that a cluster runs, which gives the same model
bit for bit (tests/dask). Rows are dealt at random, or sorted by the first feature that they have.
"""

import argparse

import numpy as np

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.dask.fit import train_crew
from fastfm_cy.dask.member import Member
from fastfm_cy.dask.partitions import Piece
from fastfm_cy.estimators.common import new_rng
from fastfm_cy.training.distributed.crew import CrewOfOneProcess
from fastfm_cy.training.early_stopping import Unobserved

from ..measure import print_table
from ..workloads import WORKLOADS


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["A", "B", "ml100k"])
    parser.add_argument("--solvers", nargs="+", default=["adagrad", "sgd", "adam", "ftrl"])
    parser.add_argument("--workers", nargs="+", type=int, default=[2, 4, 8, 16])
    parser.add_argument("--epochs", nargs="+", type=int, default=[1, 5, 10])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, help="training rows, if not the workload's own")
    parser.add_argument("--sorted", action="store_true", help="rows by their first feature")
    options = parser.parse_args()
    for name in options.workloads:
        workload = WORKLOADS[name](options)
        for solver in options.solvers:
            _table(workload, solver, options)


def _table(workload, solver, options):
    rows, alone = [], None
    for n_workers in (1, *options.workers):
        runs = [_run(workload, solver, n_workers, seed, options) for seed in range(options.seeds)]
        errors = np.mean([errors for errors, _ in runs], axis=0)
        alone = errors if alone is None else alone
        megabytes = np.mean([n_bytes for _, n_bytes in runs]) / 1e6 / max(options.epochs)
        shown = [f"{errors[e - 1]:.5f}" for e in options.epochs]
        if n_workers > 1:
            shown = [f"{100 * (errors[e - 1] / alone[e - 1] - 1):+.2f} %" for e in options.epochs]
        rows.append((n_workers, *shown, f"{megabytes / n_workers:.1f}"))
    dealt = "sorted" if options.sorted else "at random"
    print(f"\n**{workload.title}; {solver}, k = 16, rows {dealt}: test {workload.metric}**\n")
    epochs = [f"after {e} epochs" for e in options.epochs]
    print_table(["workers", *epochs, "MB a worker and epoch"], rows)


def _run(workload, solver, n_workers, seed, options):
    """Test errors after each epoch, and the bytes that travel."""
    is_regression = workload.task == "regression"
    model = (FMRegressor if is_regression else FMClassifier)(
        16, solver=solver, learning_rate=workload.learning_rates[solver], l2_linear=workload.l2,
        l2_factors=workload.l2, max_iter=max(options.epochs), random_state=seed,
    )  # fmt: skip
    X = workload.X
    order = np.random.default_rng(seed).permutation(X.shape[0])
    if options.sorted:
        order = np.argsort(X.indices[X.indptr[:-1]], kind="stable")
    parts = np.array_split(order, n_workers)
    members = [
        Member([(number, Piece(X[part], workload.y[part], None))], [])
        for number, part in enumerate(parts)
    ]
    crew, errors = Counting(members), []

    def watch(learned):
        return Watching(workload, model, learned, errors)

    train_crew(crew, model, model._plan(), new_rng(seed), watch)
    return errors, crew.n_bytes


class Watching(Unobserved):
    """Notes the test error after each epoch."""

    watches = True

    def __init__(self, workload, model, learned, errors):
        self._workload, self._model, self._learned = workload, model, learned
        self._errors = errors

    def begin(self, table, state_key):
        self._table = table

    def publish(self, history):
        model, workload = self._model, self._workload
        model.__dict__.update(
            _fitted=self._learned.model(self._table), n_features_in_=workload.X.shape[1]
        )
        if workload.task == "regression":
            predicted = model.predict(workload.X_test)
        else:
            predicted = model.predict_proba(workload.X_test)[:, 1]
        self._errors.append(workload.error(predicted))


class Counting(CrewOfOneProcess):
    """Counts what would travel in training: the arrays of arguments and results."""

    n_bytes = 0

    def each(self, method, *arguments, per_session=()):
        found = super().each(method, *arguments, per_session=per_session)
        if method in ("run", "tail", "take_all"):
            self.n_bytes += self.n_sessions * _size(arguments) + _size([per_session, found])
        return found


def _size(value):
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return sum(map(_size, vars(value).values())) if hasattr(value, "__dict__") else 0


if __name__ == "__main__":
    main()
