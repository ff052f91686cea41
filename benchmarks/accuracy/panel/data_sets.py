"""Data sets of the panel: what users bring, five splits or seeds each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn import datasets as bundled
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

from fastfm_cy import datasets

from ...data import data_file

SEEDS = range(5)


@dataclass(frozen=True)
class Split:
    """Training and test rows of one data set."""

    X: object
    y: np.ndarray
    X_test: object
    y_test: np.ndarray
    fields: np.ndarray | None = None
    """A field a feature; None if there are none, or if each column is one."""

    @property
    def task(self):
        return "regression" if self.y.dtype.kind == "f" else "classification"

    @property
    def n_classes(self):
        return 0 if self.task == "regression" else len(np.unique(self.y))

    @property
    def has_fields(self):
        return self.fields is not None or self.X.shape[1] <= 100

    def test_loss(self, model):
        """RMSE or log loss of a fitted model on the test rows."""
        if self.task == "regression":
            return self.rmse(model.predict(self.X_test))
        return self.log_loss(model.predict_proba(self.X_test))

    def rmse(self, predicted):
        return float(root_mean_squared_error(self.y_test, predicted))

    def log_loss(self, probabilities):
        return float(log_loss(self.y_test, probabilities, labels=np.unique(self.y)))


def _split(X, y, seed, fields=None):
    rows, test = train_test_split(
        np.arange(len(y)), test_size=0.25, random_state=seed,
        stratify=None if y.dtype.kind == "f" else y,
    )  # fmt: skip
    return Split(X[rows], y[rows], X[test], y[test], fields)


def _one_hot(train, test):
    """Levels of the training rows, and a field for each column."""
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    X, X_test = encoder.fit_transform(train), encoder.transform(test)
    sizes = [len(levels) for levels in encoder.categories_]
    return X, X_test, np.repeat(np.arange(len(sizes)), sizes)


# Tables of numbers -------------------------------------------------------------------------------


def _bundled(load):
    def make(seed):
        X, y = load(return_X_y=True)
        return _split(X, y, seed)

    return make


def make_regression(seed):
    X, y = bundled.make_regression(400, 20, noise=5, random_state=seed)
    return _split(X, y, seed)


def friedman1(seed):
    X, y = bundled.make_friedman1(1000, noise=1.0, random_state=seed)
    return _split(X, y, seed)


def two_columns(seed):
    """Far from zero and from unit scale."""
    rng = np.random.default_rng(seed)
    X = np.c_[rng.normal(7, 1, 400), rng.normal(4e4, 1e4, 400)]
    return _split(X, 2 * X[:, 0] - 1e-4 * X[:, 1] + rng.normal(0, 1, 400), seed)


def one_huge_column(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 5)) * [1, 1, 1, 1, 1e5]
    return _split(X, (X[:, 0] + rng.normal(0, 1, 2000) > 0).astype(int), seed)


def wide_dense(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(1000, 400))
    return _split(X, 12 + X @ rng.normal(0, 0.1, 400) + rng.normal(0, 0.39, 1000), seed)


def bank(seed):
    """Strings one-hot, numbers as they are."""
    table = pd.read_csv(data_file("bank.csv"))
    y = (table.pop("y") == "yes").to_numpy().astype(int)
    numbers = table.select_dtypes("number")
    words = table.drop(columns=numbers.columns)
    levels, _, fields = _one_hot(words, words[:1])
    X = sparse.hstack([sparse.csr_array(numbers.to_numpy(float)), levels], format="csr")
    n = numbers.shape[1]
    return _split(X, y, seed, np.concatenate([np.arange(n), n + fields]))


# Ratings -----------------------------------------------------------------------------------------


def ml100k(seed):
    data = datasets.load_movielens_fold(data_file("ml-100k"), f"u{seed + 1}")
    X, y, X_test, y_test = data
    n_users = X.indices[X.indptr[:-1]].max() + 1
    fields = (np.arange(X.shape[1]) >= n_users).astype(int)
    return Split(X, np.asarray(y, float), X_test, np.asarray(y_test, float), fields)


def ml100k_liked(seed):
    """Rating >= 4, with side features."""
    data = datasets.load_movielens_design(data_file("ml-100k"), f"u{seed + 1}")
    X, X_test = data.X.tocsr().astype("float32"), data.X_test.tocsr().astype("float32")
    return Split(X, (data.y >= 4).astype(int), X_test, (data.y_test >= 4).astype(int))


def _ratings_small():
    data = datasets.load_ratings(data_file("ratings_small.csv"))
    return np.column_stack([data.users, data.items]), data.ratings


def ratings_small(seed):
    ids, ratings = _ratings_small()
    train, test, y, y_test = train_test_split(ids, ratings, test_size=0.2, random_state=seed)
    X, X_test, fields = _one_hot(train, test)
    return Split(X, y, X_test, y_test, fields)


def ids_as_numbers(seed):
    """What a user does who forgets to encode."""
    ids, ratings = _ratings_small()
    keep = np.random.default_rng(seed).choice(len(ids), 20_000, replace=False)
    return _split(ids[keep].astype(float), ratings[keep], seed)


def generated_ratings(seed):
    data = datasets.make_ratings(1000, 500, 20_000, rank=3, random_state=seed)
    return _split(data.X, data.y.astype(float), seed, data.fields)


def one_hot_regression(seed):
    """Few rows, many levels, a target far from unit scale."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 60, size=(1500, 6))
    effects = rng.normal(0, 300, size=(6, 60)) * np.array([1, 1, 0.5, 0, 0, 0])[:, None]
    y = 5000 + effects[np.arange(6), levels].sum(axis=1) + rng.normal(0, 300, 1500)
    X, _, fields = _one_hot(levels, levels[:1])
    return _split(X, y, seed, fields)


# Clicks and text ---------------------------------------------------------------------------------


def generated_clicks(seed):
    data = datasets.make_clicks(40_000, random_state=seed)
    return _split(data.X, np.asarray(data.y).astype(int), seed, data.fields)


def criteo_tiny(seed):
    """Every value a level."""
    table = pd.read_csv(data_file("criteo-tiny/train.tiny.csv")).drop(columns="Id")
    y = table.pop("Label").to_numpy().astype(int)
    table = table.fillna("none").astype(str)
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=seed)
    X, X_test, fields = _one_hot(table.iloc[train], table.iloc[test])
    return Split(X, y[train], X_test, y[test], fields)


def a9a(seed):
    files = [str(data_file(name)) for name in ("a9a", "a9a.t")]
    X, y, X_test, y_test = bundled.load_svmlight_files(files, n_features=123)
    keep = np.random.default_rng(seed).choice(len(y), 16_000, replace=False)
    return Split(X[keep], y[keep].astype(int), X_test, y_test.astype(int))


def _sms(vectorizer, test_size, by_line=True):
    def make(seed):
        if by_line:
            messages, labels = datasets.load_sms_spam(data_file("sms.tsv"))
        else:  # as the notebook reads it, which honours quotes
            table = pd.read_table(data_file("sms.tsv"))
            messages, labels = table["msg"], table["label"].to_numpy()
        y = (np.asarray(labels) == "spam").astype(int)
        train, test, y, y_test = train_test_split(
            messages, y, test_size=test_size, random_state=seed + 1
        )
        X = vectorizer().fit(train)
        return Split(X.transform(train), y, X.transform(test), y_test)

    return make


def _tf_idf():
    return TfidfVectorizer(min_df=2, max_df=0.5)


def _counts():
    return CountVectorizer(min_df=2, dtype=float)


DATA_SETS = {
    "diabetes": _bundled(bundled.load_diabetes),
    "make_regression": make_regression,
    "friedman1": friedman1,
    "two columns": two_columns,
    "wide dense": wide_dense,
    "one-hot, large target": one_hot_regression,
    "ml-100k": ml100k,
    "ratings_small": ratings_small,
    "ids as numbers": ids_as_numbers,
    "generated ratings": generated_ratings,
    "breast cancer": _bundled(bundled.load_breast_cancer),
    "wine": _bundled(bundled.load_wine),
    "digits": _bundled(bundled.load_digits),
    "iris": _bundled(bundled.load_iris),
    "one huge column": one_huge_column,
    "SMS, notebook": _sms(_tf_idf, 0.25, by_line=False),
    "SMS, lines": _sms(_tf_idf, 0.25),
    "SMS, counts": _sms(_counts, 0.5),
    "criteo-tiny": criteo_tiny,
    "ml-100k >= 4, side features": ml100k_liked,
    "a9a": a9a,
    "bank": bank,
    "generated clicks": generated_clicks,
}
"""By name: a function of a seed that makes a Split."""

QUICK = (
    "diabetes", "make_regression", "friedman1", "two columns", "one-hot, large target",
    "generated ratings", "breast cancer", "wine", "iris", "one huge column", "SMS, notebook",
    "SMS, lines", "criteo-tiny", "bank",
)  # fmt: skip
"""Those of a few thousand rows at most, or short ones."""
