"""The default hyper-parameters and their neighbours: ``python -m benchmarks.accuracy.defaults``.

Each default is halved and doubled, one at a time, and the rows shuffled one by one instead of in
blocks. The figures are means over seeds.
"""

import argparse

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.datasets import load_movielens_fold, load_ratings, load_sms_spam, make_clicks
from fastfm_cy.training.solvers import SOLVERS

from ..data import data_file

_VARIED = ("learning_rate", "l2_linear", "l2_factors", "init_scale", "n_factors", "max_iter")


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    _table(FMRegressor(), regression_sets(), rmse, options.seeds)
    _table(FMClassifier(), classification_sets(), log_loss_and_auc, options.seeds)


def regression_sets():
    folder = data_file("ml-100k")
    sets = {f"ml-100k {fold}": load_movielens_fold(folder, fold) for fold in ("u1", "u3")}
    data = load_ratings(data_file("ratings_small.csv"))
    ids = np.column_stack([data.users, data.items])
    train, test, y, y_test = train_test_split(ids, data.ratings, test_size=0.2, random_state=0)
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    sets["ratings_small"] = encoder.fit_transform(train), y, encoder.transform(test), y_test
    return sets


def classification_sets():
    messages, labels = load_sms_spam(data_file("sms.tsv"))
    train, test, y, y_test = train_test_split(
        messages, labels == "spam", test_size=0.25, random_state=1
    )
    vectorizer = TfidfVectorizer(min_df=2, max_df=0.5)
    sets = {"SMS spam": (vectorizer.fit_transform(train), y, vectorizer.transform(test), y_test)}
    data = make_clicks(100_000, random_state=0)
    X, X_test, y, y_test = train_test_split(data.X, data.y, test_size=0.2, random_state=0)
    sets["generated clicks"] = X, y, X_test, y_test
    X, y, X_test, y_test = load_movielens_fold(data_file("ml-100k"), "u1")
    sets["ml-100k u1, rating >= 4"] = X, y >= 4, X_test, y_test >= 4
    return sets


def rmse(model, X, y):
    return (root_mean_squared_error(y, model.predict(X)),)


def log_loss_and_auc(model, X, y):
    probability = model.predict_proba(X)[:, 1]
    return log_loss(y, probability), roc_auc_score(y, probability)


def _variants(model):
    """(name, model) of the defaults and of their neighbours."""
    yield "defaults", model
    yield "shuffle=True", type(model)(shuffle=True)
    for name in _VARIED:
        default = getattr(model, name)
        if default is None:
            default = getattr(SOLVERS[model.solver], name)
            default = default[model._task] if isinstance(default, dict) else default
        for factor in (0.5, 2):
            value = type(default)(default * factor)
            yield f"{name}={value:g}", type(model)(**{name: value})


def _table(model, sets, metrics, n_seeds):
    print(f"\n| {type(model).__name__} | " + " | ".join(sets) + " |")
    print("|---" * (1 + len(sets)) + "|")
    for name, variant in _variants(model):
        cells = []
        for X, y, X_test, y_test in sets.values():
            values = [
                metrics(variant.set_params(random_state=seed).fit(X, y), X_test, y_test)
                for seed in range(n_seeds)
            ]
            cells.append(" / ".join(f"{value:.4f}" for value in np.mean(values, axis=0)))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
