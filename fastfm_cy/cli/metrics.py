"""How well a fitted estimator predicts."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)


def metrics_of(model, X, y):
    """Metrics by their names: of a regressor RMSE, MAE and R^2, of a classifier log loss, AUC (of
    two classes) and accuracy."""
    if not is_classifier(model):
        predicted = model.predict(X)
        return {
            "rmse": float(root_mean_squared_error(y, predicted)),
            "mae": float(mean_absolute_error(y, predicted)),
            "r2": float(r2_score(y, predicted)) if len(y) > 1 else np.nan,
        }
    unknown = np.setdiff1d(y, model.classes_)
    if unknown.size:
        raise ValueError(
            f"The data have the label {unknown[0]}, which the model does not know: its classes are "
            f"{model.classes_.tolist()}."
        )
    metrics = {}
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(X)
        metrics["log_loss"] = float(log_loss(y, probabilities, labels=model.classes_))
        scores, predicted = probabilities[:, 1], model.classes_[probabilities.argmax(axis=1)]
    else:
        scores, predicted = model.decision_function(X), model.predict(X)
    if len(model.classes_) == 2 and len(np.unique(y)) == 2:
        metrics["auc"] = float(roc_auc_score(y == model.classes_[1], scores))
    return metrics | {"accuracy": float(accuracy_score(y, predicted))}
