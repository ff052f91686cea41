"""Workload C, text: about 100 distinct words a row of a Zipf vocabulary of 50,000, tf-idf."""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from .base import Workload

_WORDS = 50_000
_LENGTH = 140  # words drawn a row, of which some 100 are distinct


def load(options):
    n_train = options.rows or 100_000
    n_rows = n_train + n_train // 10
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(_LENGTH), 0.4, n_rows), 10, 900).astype(int)
    frequencies = np.cumsum(1 / np.arange(1, _WORDS + 1))
    ranks = np.searchsorted(frequencies, rng.random(lengths.sum()) * frequencies[-1])
    words = rng.permutation(_WORDS)[np.minimum(ranks, _WORDS - 1)]
    counts = sparse.csr_array(
        (np.ones(len(words)), words, np.concatenate([[0], lengths.cumsum()])),
        shape=(n_rows, _WORDS),
    )
    counts.sum_duplicates()
    X = sparse.csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(counts))
    X = X.astype(np.float32)
    weights, factors = rng.normal(0, 2, _WORDS), rng.normal(0, 1, (_WORDS, 8))
    scores = X @ weights
    scores += ((X @ factors) ** 2 - X.power(2) @ factors**2).sum(axis=1) / 2
    scores = 2 * (scores - scores.mean()) / scores.std()
    y = (rng.random(n_rows) < 1 / (1 + np.exp(-scores))).astype(int)
    title = f"C, text: {n_train:,} rows of {X.nnz / n_rows:.0f}, {_WORDS:,} features"
    return Workload(
        title, "classification", X[:n_train], y[:n_train], X[n_train:], y[n_train:], l2=2e-5
    )
