"""Estimators on a Dask cluster: the local ones, which fit and predict where the data are."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
from sklearn.base import clone

from .. import estimators as local
from ..data.sample_checks import check_eval_set
from ..estimators.common import check_callbacks, new_rng, one_fit
from ..estimators.observer import EstimatorObserver
from .fit import Learned, check_can_distribute, train
from .libraries import distributed
from .partitions import is_distributed, partitions_of
from .prediction import by_blocks


class OnDask:
    """What the estimators do differently from the local ones; they come first among the bases."""

    _local: type

    @property
    def client(self) -> Any:
        """distributed.Client : that was given, or the current one."""
        own = vars(self).get("_client")
        if own is not None:
            return own
        try:
            return distributed.get_client()
        except ValueError:
            raise ValueError(
                f"{type(self).__name__} needs a Dask client: make one first, such as "
                "distributed.Client(n_workers=2), or give client=."
            ) from None

    @client.setter
    def client(self, client: Any) -> None:
        self._client = client

    def __getstate__(self) -> Any:
        # A client belongs to its process.
        state: Any = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_client"}

    def __deepcopy__(self, memo: dict) -> Any:
        copied = object.__new__(type(self))
        for name, value in vars(self).items():
            vars(copied)[name] = value if name == "_client" else copy.deepcopy(value, memo)
        return copied

    def to_local(self) -> Any:
        """The fitted model as an estimator of one process, with a table of its own.

        Returns
        -------
        estimator
            Of the class without Dask, to save, compile, inspect and predict with.
        """
        made = self._unfitted()
        names = [n for n in vars(self) if n.endswith("_") and not n.startswith("_")]
        for name in ("_fitted", "_rng", "_state_key", *names):
            if name in vars(self):
                vars(made)[name] = copy.deepcopy(vars(self)[name])
        return made

    @property
    def model_(self) -> Any:
        """estimator : as `to_local` returns it."""
        if not self.__sklearn_is_fitted__():  # type: ignore[attr-defined]
            raise AttributeError(f"{type(self).__name__} has no model_ before it is fitted.")
        return self.to_local()

    def _unfitted(self) -> Any:
        parameters = {n: clone(v, safe=False) for n, v in self.get_params(deep=False).items()}  # type: ignore[attr-defined]
        return self._local(**parameters)

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, eval_set: Any = None,
        callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """Train on a cluster, from scratch.

        Parameters
        ----------
        X : Dask array or data frame, list of delayed objects or futures, or paths
            A Dask array's blocks are dense or scipy's CSR. Delayed objects and futures are each of
            a matrix, a table, a tuple (X, y) or (X, y, weights), or a Dataset. Paths are those of a
            data set on disk (`fastfm_cy.io.convert`), of libsvm or libffm files, or of Parquet
            files or a folder of them, which all workers must see.
        y : alike, or a column's name, or None
            Cut at the same rows as X. Of a data frame and of Parquet files it may be the name of a
            column; None if X has its targets.
        sample_weight : alike, default=None
            Factors >= 0 on each row's loss.
        eval_set : tuple (X, y) or (X, y, sample_weight), default=None
            Rows to validate on after each epoch, distributed like X.
        callbacks : function or list of functions of (estimator, history), default=None
            Called in this process after each epoch; one that returns True ends training.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            A partition has something wrong; the message says which, and in which row.
        DivergenceError
            Training diverged.
        MemoryError
            The parameters do not fit, here or on a worker.
        RuntimeError
            Data that were only on workers that are gone.
        """
        with one_fit(self):  # type: ignore[type-var]
            estimator, callbacks = self._unfitted(), check_callbacks(callbacks)
            plan = estimator._plan()
            check_can_distribute(
                plan, estimator.get_params(deep=False), validates=eval_set is not None
            )
            partitions, eval_partitions = partitions_of(X, y, sample_weight), []
            if eval_set is not None:
                eval_partitions = partitions_of(*check_eval_set(eval_set), name="eval_set")
            rng = new_rng(self.random_state)  # type: ignore[attr-defined]

            def watch(learned: Learned) -> EstimatorObserver:
                return EstimatorObserver(
                    self, lambda table, state_key: self._publish(learned, table, rng),  # type: ignore[arg-type]
                    data=(None, None, None), eval_set=None, validates=False, callbacks=callbacks,
                )  # fmt: skip

            learned, result = train(
                self.client, (partitions, eval_partitions), estimator, plan, rng, watch
            )
            self._publish(learned, result.table, rng)
            vars(self).pop("tuned_", None)
            if result.best_iter:
                self.best_iter_ = result.best_iter
            self.history_, self.n_iter_ = result.history, len(result.history["train_loss"])
        return self

    def _publish(self, learned: Learned, table: Any, rng: np.random.Generator) -> None:
        vars(self).pop("feature_names_in_", None)
        vars(self).pop("best_iter_", None)
        vars(self).update(_fitted=learned.model(table), _rng=rng, _state_key=None, **learned.names)

    def predict(self, X: Any) -> Any:
        """Predict the target or the label of each row.

        Parameters
        ----------
        X : as for `fit`, or data of this process

        Returns
        -------
        Dask array, lazy, of shape (n_samples,); a list of delayed arrays for a list; an array for
        data of this process
        """
        return self._by_blocks("predict", X)

    def _by_blocks(self, method: str, X: Any) -> Any:
        if is_distributed(X):
            return by_blocks(self.to_local(), method, X)
        return getattr(self.to_local(), method)(X)


class _ClassifierOnDask(OnDask):
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes.

        Parameters
        ----------
        X : as for `fit`, or data of this process

        Returns
        -------
        As of `predict`, of shape (n_samples, n_classes)
        """
        return self._by_blocks("predict_proba", X)

    def decision_function(self, X: Any) -> Any:
        """Score each row.

        Parameters
        ----------
        X : as for `fit`, or data of this process

        Returns
        -------
        As of `predict`, of shape (n_samples,), or (n_samples, n_classes) of several scores a row
        """
        return self._by_blocks("decision_function", X)


def _on_dask(cls: Any) -> Any:
    """The class of a local estimator's class."""
    base = _ClassifierOnDask if hasattr(cls, "decision_function") else OnDask
    signature = inspect.signature(cls.__init__)

    def __init__(self: Any, *args: Any, client: Any = None, **parameters: Any) -> None:
        cls.__init__(self, *args, **parameters)
        self._client = client

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    name = f"Dask{cls.__name__}"
    doc = (
        f"{cls.__name__} on a Dask cluster: its parameters, and `client`, the\n"
        "    distributed.Client, which by default is the current one.\n\n"
        "    Rows stay on the workers that hold them, and one model is trained on all of them\n"
        "    (docs/guide/dask.md). The fitted model is an ordinary one: ``model_``.\n"
    )
    body = {
        "__init__": __init__, "__doc__": doc, "__module__": "fastfm_cy.dask", "_local": cls,
        "__qualname__": name,
    }  # fmt: skip
    return type(name, (base, cls), body)


DaskFMClassifier = _on_dask(local.FMClassifier)
DaskFMRegressor = _on_dask(local.FMRegressor)
DaskFFMClassifier = _on_dask(local.FFMClassifier)
DaskFFMRegressor = _on_dask(local.FFMRegressor)
DaskFwFMClassifier = _on_dask(local.FwFMClassifier)
DaskFwFMRegressor = _on_dask(local.FwFMRegressor)
