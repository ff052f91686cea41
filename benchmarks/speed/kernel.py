"""One epoch of the training kernel on a workload, with each optimisation switchable."""

import mmap

import numpy as np

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.kernels import dispatch
from fastfm_cy.kernels.common.settings import Settings
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.model.starts import Starts
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.training.gradient.row_order import RowOrder
from fastfm_cy.training.gradient.sharding import place_features
from fastfm_cy.training.solvers import SOLVERS


class Epoch:
    """Callable: trains for one epoch, in an order that was drawn beforehand."""

    def __init__(
        self,
        workload,
        solver,
        n_factors=16,
        *,
        build=None,
        prefetch=True,
        constant_width=True,
        huge_pages=True,
        shuffle="block",
        relabel=True,
        family=None,
        fields=None,
    ):
        X = workload.X
        rows = CSRRows(
            X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data, X.shape[1], fields
        )
        visited = np.arange(rows.n_rows)
        counts = np.bincount(rows.indices, minlength=rows.n_features)
        placement = place_features(
            rows.n_features, lambda: counts, len(visited), n_jobs=1, relabel=relabel,
            deterministic=False,
        )  # fmt: skip
        layout = placement.layout(rows, visited)
        self.rows = layout.rows
        kernels = "fm" if family is None else type(family).__name__.lower()
        self.kernel = dispatch.load(build or dispatch.BUILD, kernels)
        kind = SOLVERS[solver]
        n_state = kind.state_start, kind.n_row_state
        table = ParameterTable(X.shape[1], n_factors, "float32", 1, *n_state, family=family)
        self.table = table
        if not huge_pages:
            table.linear, table.factors = _small_pages(table.linear), _small_pages(table.factors)
        table.start_key, starts = 0, Starts(workload.init_scale)
        if table.has_started is None:
            starts.write(table)
        else:
            starts.write(table, table.begin(np.unique(layout.rows.indices)))
        is_regression = workload.task == "regression"
        loss = REGRESSION["squared_error"] if is_regression else CLASSIFICATION["log_loss"]
        self.y = (workload.y if is_regression else 2 * workload.y - 1).astype(np.float32)
        self.settings = Settings(
            loss=loss.code,
            solver=SOLVERS[solver].code,
            learning_rate=workload.learning_rates[solver],
            prefetch=prefetch,
            constant_width=constant_width,
        )
        self.strengths = np.array([[0, workload.l2, 0, workload.l2]], np.float32)
        order = RowOrder(visited, shuffle)
        order.shuffle(np.random.default_rng(1))
        self.order = order.part(0, len(order))

    def __call__(self):
        rows, table = self.rows, self.table
        self.kernel.train(
            rows.indptr, rows.indices, rows.data, self.y, None, self.order,
            *table.arrays, table.n_padded, None, self.strengths, self.settings,
            table.family.fields(rows),
        )  # fmt: skip


def _small_pages(array):
    """A copy in memory that the system must not back with huge pages."""
    memory = mmap.mmap(-1, array.nbytes)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    copy = np.frombuffer(memory, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
