"""What should become of numbers: ``python -m benchmarks.accuracy.numeric``.

Test log loss and AUC of the untuned FMClassifier on bank.csv and on the small Criteo sample, where
FieldEncoder takes numbers as they are, standardised, by quantiles, or as Criteo's winners did.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from fastfm_cy import FMClassifier
from fastfm_cy.preprocessing import FieldEncoder

from ..data import data_file
from ..measure import print_table


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.numeric", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--splits", type=int, default=5, help="random ones, 30 %% for testing")
    options = parser.parse_args()
    tables = {
        "bank.csv": (pd.read_csv(data_file("bank.csv")), "y", None),
        "criteo-tiny": (pd.read_csv(data_file("criteo-tiny/train.tiny.csv")), "Label", 5),
    }
    rows = []
    for numeric in ("passthrough", "standard", "quantiles", "log_square"):
        cells = [
            _errors(table, target, options.splits, numeric=numeric, min_frequency=min_frequency)
            for table, target, min_frequency in tables.values()
        ]
        rows.append((numeric, *cells))
    print_table(["numeric", *tables], rows)


def _errors(table, target, n_splits, **parameters):
    X, y = table.drop(columns=[target, "Id"], errors="ignore"), table[target]
    errors = []
    for seed in range(n_splits):
        parts = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
        X_train, X_test, y_train, y_test = parts
        encoder = FieldEncoder(**parameters)
        model = FMClassifier(random_state=seed).fit(encoder.fit_transform(X_train), y_train)
        probability = model.predict_proba(encoder.transform(X_test))
        errors.append((log_loss(y_test, probability), roc_auc_score(y_test, probability[:, 1])))
    return "{:.4f} / {:.4f}".format(*np.mean(errors, axis=0))


if __name__ == "__main__":
    main()
