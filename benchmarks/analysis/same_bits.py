"""Digests of fits and predictions, to see that a change of the code changes no bit of a result.

    python -m benchmarks.analysis.same_bits > new.json           # in a built checkout
    python -m benchmarks.analysis.same_bits --against old.json   # counts what differs

Every estimator x solver x loss x dtype with one thread, then what shapes a fit: threads that are
deterministic, streams, warm starts, early stopping, "auto" strengths, data on disk, Gibbs chains.
"""

import argparse
import hashlib
import itertools
import json
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse

import fastfm_cy
from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
    RelationalDesign,
)
from fastfm_cy.io import Dataset, convert, open_dataset

SOLVERS = ("sgd", "adagrad", "adam", "adamw", "ftrl", "als")
DTYPES = ("float32", "float64")
REGRESSION = ("squared_error", "huber", "poisson")
CLASSIFICATION = ("log_loss", "probit", "hinge", "squared_hinge", "softmax")
FIELDS = np.arange(40) % 5


def data():
    rng = np.random.default_rng(0)
    X = sparse.random(600, 40, 0.2, format="csr", random_state=0, data_rvs=rng.standard_normal)
    X.data *= 0.5
    X = sparse.csr_array(X)
    score = X @ rng.normal(size=40) + ((X @ rng.normal(size=(40, 3)) * 0.5) ** 2).sum(axis=1)
    score -= score.mean()
    labels = np.digitize(score + 0.3 * rng.normal(size=600), [-1, 1])
    return X, score + 0.3 * rng.normal(size=600), labels


X, Y, LABELS = data()
COUNTS = np.random.default_rng(1).poisson(np.exp(np.clip(Y, -2, 2)))
WEIGHTS = np.random.default_rng(2).random(600)


def target(loss, classes=2):
    if loss in REGRESSION:
        return COUNTS if loss == "poisson" else Y
    return LABELS if classes == 3 else LABELS > 0


def digest(model, rows=X, **others):
    """Of all that a user can see of a model."""
    score = getattr(model, "decision_function", model.predict)
    parts = [score(rows, **others)]
    parts += [
        getattr(model, name) for name in ("intercept_", "coef_", "factors_") if hasattr(model, name)
    ]
    parts += [model.history_[name] for name in sorted(model.history_) if name != "seconds"]
    sha = hashlib.sha256()
    for part in parts:
        sha.update(np.ascontiguousarray(part).tobytes())
    return sha.hexdigest()[:16]


def plain_fits():
    for cls, losses in ((FMRegressor, REGRESSION), (FMClassifier, CLASSIFICATION)):
        for solver, loss, dtype, classes in itertools.product(SOLVERS, losses, DTYPES, (2, 3)):
            if loss in REGRESSION and classes == 3:
                continue
            for degree, shared in ((2, False), (3, False), (3, True)):
                how = {
                    "solver": solver,
                    "loss": loss,
                    "dtype": dtype,
                    "degree": degree,
                    "share_factors": shared,
                    "max_iter": 3,
                    "random_state": 0,
                    "init_scale": 0.1,
                }
                y = target(loss, classes)
                if solver == "sgd":
                    how["learning_rate"] = 0.01
                name = f"{cls.__name__} {solver} {loss} {dtype} {classes} {degree} {shared}"
                yield name, lambda cls=cls, how=how, y=y: digest(cls(5, **how).fit(X, y))


def field_fits():
    families = (
        (FFMRegressor, REGRESSION),
        (FwFMRegressor, REGRESSION),
        (FFMClassifier, CLASSIFICATION),
        (FwFMClassifier, CLASSIFICATION),
    )
    for (cls, losses), solver, dtype in itertools.product(families, SOLVERS[:-1], DTYPES):
        for loss, classes in itertools.product(losses, (2, 3)):
            if loss in REGRESSION and classes == 3:
                continue
            how = {"solver": solver, "loss": loss, "dtype": dtype, "fields": FIELDS}
            how |= {"max_iter": 3, "random_state": 0}
            y = target(loss, classes)
            if solver == "sgd":
                how["learning_rate"] = 0.01
            name = f"{cls.__name__} {solver} {loss} {dtype} {classes}"
            yield name, lambda cls=cls, how=how, y=y: digest(cls(3, **how).fit(X, y))


def courses():
    """Ways to fit other than from scratch in memory."""

    def early(**how):
        return digest(
            FMRegressor(early_stopping=True, random_state=0, **how).fit(X, Y, sample_weight=WEIGHTS)
        )

    yield "early stopping", early
    yield "early stopping deterministic", lambda: early(deterministic=True)
    yield "early stopping scorer", lambda: early(scoring="neg_mean_absolute_error")
    yield "schedule", lambda: early(schedule="cosine", relabel=True, tol=1e-3)
    yield (
        "eval set",
        lambda: digest(FMClassifier(random_state=0).fit(X, LABELS, eval_set=(X[:99], LABELS[:99]))),
    )
    yield (
        "auto",
        lambda: digest(
            FMRegressor(l2_linear="auto", l2_factors="auto", max_iter=3, random_state=0).fit(X, Y)
        ),
    )
    groups = {"feature_groups": np.arange(40) % 3, "l2_factors": [0.1, 0.2, 0.3]}
    yield "groups", lambda: digest(FMRegressor(random_state=0, **groups).fit(X, Y))
    for solver, threads in itertools.product(SOLVERS[:-1], (1, 2)):
        how = {"solver": solver, "learning_rate": 0.01, "n_jobs": threads, "deterministic": True}
        yield (
            f"deterministic {solver} {threads}",
            lambda how=how: digest(FMRegressor(random_state=0, max_iter=3, **how).fit(X, Y)),
        )
    for cls, solver in itertools.product((FMRegressor, FFMRegressor, FwFMRegressor), SOLVERS[:-1]):
        fields = {} if cls is FMRegressor else {"fields": FIELDS}
        how = {"solver": solver, "learning_rate": 0.01, "random_state": 0} | fields

        def stream(cls=cls, how=how):
            model = cls(grow_features=True, **how)
            for first in range(0, 600, 100):
                part = X[first : first + 100, : 20 + first // 30]
                model.partial_fit(part, Y[first : first + 100])
            return digest(model, X[:, : 20 + 500 // 30])

        def warm(cls=cls, how=how):
            model = cls(warm_start=True, max_iter=2, **how)
            return digest(model.fit(X, Y).fit(X[:300], Y[:300]))

        if cls is FMRegressor:
            yield f"stream {cls.__name__} {solver}", stream
        yield f"warm {cls.__name__} {solver}", warm
        for early_set in (None, (X[:99], Y[:99])):
            yield (
                f"disk {cls.__name__} {solver} {early_set is None}",
                lambda cls=cls, how=how, e=early_set: from_disk(
                    cls(max_iter=3, early_stopping=e is not None, **how), e
                ),
            )
    yield (
        "warm als",
        lambda: digest(
            FMRegressor(solver="als", warm_start=True, max_iter=3, random_state=0)
            .fit(X, Y)
            .fit(X, Y)
        ),
    )
    yield (
        "weights and classes",
        lambda: digest(
            FMClassifier(class_weight="balanced", random_state=0).fit(
                X, LABELS, sample_weight=WEIGHTS
            )
        ),
    )
    yield (
        "l1 sparsify",
        lambda: digest(
            FMRegressor(solver="ftrl", l1_linear=1.0, l1_factors=1.0, random_state=0)
            .fit(X, Y)
            .densify()
        ),
    )


def from_disk(model, eval_set):
    with tempfile.TemporaryDirectory() as folder:
        convert(Dataset(X, Y, weights=WEIGHTS), Path(folder) / "set")
        dataset = open_dataset(Path(folder) / "set", memory_budget=100_000)
        return digest(model.fit(dataset, eval_set=eval_set), X)


def samplers():
    how = {"max_iter": 30, "random_state": 0, "n_factors": 5}
    users, items = np.arange(600) % 30, np.arange(600) % 17
    design = RelationalDesign([(sparse.eye_array(30, format="csr"), users), (np.eye(17), items)])
    for dtype in DTYPES:
        yield (
            f"bayes regressor {dtype}",
            lambda dtype=dtype: digest(BayesianFMRegressor(dtype=dtype, **how).fit(X, Y)),
        )
        yield (
            f"bayes classifier {dtype}",
            lambda dtype=dtype: digest_of(
                BayesianFMClassifier(dtype=dtype, **how).fit(X, LABELS > 0)
            ),
        )
        yield (
            f"bayes ordinal {dtype}",
            lambda dtype=dtype: digest_of(BayesianFMOrdinal(dtype=dtype, **how).fit(X, LABELS)),
        )
        yield (
            f"bayes design {dtype}",
            lambda dtype=dtype: digest(
                BayesianFMRegressor(dtype=dtype, feature_groups=np.arange(47) % 2, **how).fit(
                    design, Y
                ),
                design,
            ),
        )
    yield (
        "bayes warm",
        lambda: digest(
            BayesianFMRegressor(warm_start=True, **how).fit(X, Y, eval_set=(X, Y)).fit(X, Y)
        ),
    )
    yield (
        "als design",
        lambda: digest(
            FMRegressor(solver="als", max_iter=5, random_state=0).fit(design, Y), design
        ),
    )
    yield "adagrad design", lambda: digest(FMRegressor(random_state=0).fit(design, Y), design)


def digest_of(model):
    return hashlib.sha256(model.predict_proba(X).tobytes()).hexdigest()[:16]


def all_digests():
    found = {}
    for name, fit in itertools.chain(plain_fits(), field_fits(), courses(), samplers()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[name] = fit()
        except (ValueError, FloatingPointError) as error:
            found[name] = f"{type(error).__name__}: {error}"[:60]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", help="digests of another tree, as this prints them")
    options = parser.parse_args()
    found = all_digests()
    if not options.against:
        json.dump(found, sys.stdout, indent=0)
        return None
    before = json.loads(Path(options.against).read_text())
    differing = [name for name in before if before[name] != found.get(name)]
    print(
        f"{fastfm_cy.__file__}: {len(found)} fits, {len(differing)} differ", *differing, sep="\n  "
    )
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
