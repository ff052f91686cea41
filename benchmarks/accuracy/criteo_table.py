"""Lines of a user's code for a table of clicks: ``python -m benchmarks.accuracy.criteo_table``.

The small Criteo sample, 13 counts and 26 columns of categories, with missing values: a field-aware
machine by hand with pandas, NumPy and scikit-learn, and the same with FFMClassifier alone. Prints
how many lines each takes, and the test log loss and AUC of both over some random splits.
"""

import argparse
import inspect

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

from fastfm_cy import FFMClassifier
from fastfm_cy.preprocessing import FieldEncoder

from ..data import data_file
from ..measure import print_table


def by_hand(train, y, test, seed):
    """What there was to write before there was an encoder."""
    counts = [name for name in train if name.startswith("I")]
    categories = [name for name in train if name.startswith("C")]

    def buckets(frame):
        frame = frame.copy()
        for name in counts:
            values = frame[name]
            large = np.floor(np.log(values.where(values > 2, 3)) ** 2)
            bucket = values.where(values <= 2, large)
            frame[name] = bucket.map(lambda value: f"{value:.0f}", na_action="ignore")
        return frame[counts + categories].fillna("missing").astype(str)

    encoder = OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist", dtype=np.float32)
    X = encoder.fit_transform(buckets(train))
    sizes = [
        len(known) - (0 if rare is None else len(rare) - 1)
        for known, rare in zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
    ]
    fields = np.repeat(np.arange(len(sizes)), sizes)
    assert sparse.issparse(X)
    assert len(fields) == X.shape[1]
    model = FFMClassifier(fields=fields, random_state=seed).fit(X, y)
    return model.predict_proba(encoder.transform(buckets(test)))


def with_an_encoder(train, y, test, seed):
    """The same."""
    encoder = FieldEncoder(numeric="log_square", min_frequency=5)
    model = FFMClassifier(random_state=seed).fit(encoder.fit_transform(train), y)
    return model.predict_proba(encoder.transform(test))


def as_it_is(train, y, test, seed):
    """The defaults."""
    return FFMClassifier(random_state=seed).fit(train, y).predict_proba(test)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.criteo_table", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--splits", type=int, default=5, help="random ones, 30 %% for testing")
    options = parser.parse_args()
    table = pd.read_csv(data_file("criteo-tiny/train.tiny.csv")).drop(columns="Id")
    X, y = table.drop(columns="Label"), table["Label"]
    rows = []
    for way in (by_hand, with_an_encoder, as_it_is):
        errors = []
        for seed in range(options.splits):
            X_train, X_test, y_train, y_test = train_test_split(
                X, y, test_size=0.3, random_state=seed, stratify=y
            )
            probability = way(X_train, y_train, X_test, seed)
            errors.append((log_loss(y_test, probability), roc_auc_score(y_test, probability[:, 1])))
        loss, area = np.mean(errors, axis=0)
        rows.append((way.__name__, _n_lines(way), f"{loss:.4f}", f"{area:.4f}"))
    print_table(["way", "lines", "log loss", "AUC"], rows)


def _n_lines(function):
    """Without the head, its docstring, assertions and empty lines."""
    lines = inspect.getsource(function).splitlines()[2:]
    return sum(bool(line.strip()) and "assert " not in line for line in lines)


if __name__ == "__main__":
    main()
