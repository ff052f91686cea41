"""What the estimators of all families share."""

from contextlib import contextmanager

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_random_state

from ..data.dataset import Dataset
from ..data.fields import joined
from ..data.matrix_checks import check_rows, check_rows_and_target
from ..data.relational import RelationalDesign
from ..data.relational_rows import check_design, check_design_and_target


@contextmanager
def unchanged_on_error(estimator):
    """All of a fit or none of it: an error leaves the estimator as it was before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class BaseMachine(BaseEstimator):
    """An estimator of sparse rows whose fitted parameters are one attribute, `_fitted_name`."""

    _fitted_name: str

    def __sklearn_is_fitted__(self):
        return self._fitted_name in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _keep(self, parameters):
        """Set the attributes of __init__'s parameters, given its locals()."""
        for name in self._get_param_names():
            setattr(self, name, parameters[name])

    def _fitted(self, attribute):
        """The fitted parameters, for a public `attribute` that does not exist before fit."""
        try:
            return vars(self)[self._fitted_name]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no {attribute} before it is fitted."
            ) from None

    def _new_rng(self):
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))

    def _check_data(self, X, y, *, reset, **others):
        """The rows and the target; `others` as check_rows_and_target has them."""
        check = (
            check_design_and_target if isinstance(X, RelationalDesign) else check_rows_and_target
        )
        return check(
            self, X, y, self.dtype, y_numeric=is_regressor(self), reset=reset,
            n_jobs=effective_n_jobs(self.n_jobs), **others,
        )  # fmt: skip

    def _unpacked(self, X, y=None, sample_weight=None, *, to_fit=False):
        """X, y and weights, of a Dataset its own."""
        if not isinstance(X, Dataset):
            return X, y, sample_weight
        if y is not None or sample_weight is not None:
            raise ValueError(
                "A Dataset has its own targets and weights: fit(dataset), without y and "
                "sample_weight."
            )
        if to_fit and X.y is None:
            raise ValueError("The Dataset has no targets: there was no label in any row.")
        wants_fields = getattr(self, "fields", self) is None
        return joined(X.X, X.fields if wants_fields else None), X.y, X.weights

    def _check_rows(self, X, dtype, n_jobs):
        """The rows of X for prediction."""
        X, *_ = self._unpacked(X)
        check = check_design if isinstance(X, RelationalDesign) else check_rows
        return check(self, X, dtype, n_jobs)
