"""From labels to what the kernels take."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..utils.checks import check_not_all_zero


def check_labels(y):
    """Refuse targets that are not labels of classes."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"y must hold a class a row; the type of the target is {kind}.")


def classes_of(y, weights, estimator_name):
    """The classes in y, sorted; there must be rows of two."""
    classes, codes = np.unique(y, return_inverse=True)
    if weights is not None:
        check_not_all_zero(weights)
        codes = codes[weights > 0]
    used = np.unique(codes)
    if len(used) < 2:
        raise ValueError(
            f"{estimator_name} needs rows of two classes; y has only one class with a positive "
            f"weight: {classes[used[0]]!r}."
        )
    return classes


def encoded(y, classes, *, as_numbers):
    """Labels as float64: numbers of classes from 0, or -1 and +1 for two classes."""
    codes = np.searchsorted(classes, y)
    known = classes[np.minimum(codes, len(classes) - 1)] == y
    if not np.all(known):
        where = int(np.argmin(known))
        raise ValueError(
            f"y has the label {y[where : where + 1].tolist()[0]!r} in row {where}, which is not "
            f"one of the model's classes: {classes.tolist()}."
        )
    return codes.astype(np.float64) if as_numbers else 2.0 * codes - 1.0
