"""docs/migration.md: every row of its tables is true (test_docs.py runs its examples).

A test says which rows it shows to be true; the last one compares these with the page.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from reference import peers
from scipy.special import ndtr
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import cross_val_score

import fastfm_cy
from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    RelationalDesign,
    io,
)
from fastfm_cy.io.model_files.weights import Weights, estimator_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "migration.md").read_text(encoding="utf-8")
OF_RANKING = "LightFM", "implicit", "RankFM", "fastFM's bpr"  # test_migration_ranking.py
TESTED = set()


def rows(library, *cells):
    """Mark a test of rows, by their first cells."""
    TESTED.update((library, cell) for cell in cells)
    return lambda test: test


def _rows_of_the_page():
    """(Library, first cell) of the tables that say what is what here."""
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        library = section.splitlines()[0]
        if library in OF_RANKING:
            continue
        for table in re.findall(r"^\| .* \| here \|\n\|---\|---\|\n((?:\|.*\n)+)", section, re.M):
            for line in table.splitlines():
                yield library, line.removeprefix("| ").split(" | ")[0]


@pytest.fixture(scope="module")
def small():
    """X, y and a start: few rows and features of all kinds of values."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5)) * (rng.random((40, 5)) < 0.6)
    start = 0.3, rng.normal(0, 0.2, 5), rng.normal(0, 0.2, (5, 2))
    y = peers.scores(X, 0.5, rng.normal(size=5), rng.normal(size=(5, 2)))
    return X, y + rng.normal(0, 0.1, 40), start


def _trained(X, y, start, task="regression", **parameters):
    """An estimator trained on from some weights."""
    model = estimator_of(
        task, Weights(*start), classes=(-1, 1), y_range=None, dtype="float64", warm_start=True,
        shuffle=False, **parameters,
    )  # fmt: skip
    return model.fit(X, y)


def _assert_weights(model, expected, rtol=1e-9):
    for mine, theirs in zip(peers.of(model), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-12)


# libFM -------------------------------------------------------------------------------------------


@rows("libFM", "`-method sgd`", "`-regular 'r0,r1,r2'`",
      "`-learn_rate`, `-init_stdev`, `-iter`, `-seed`",
      "predictions clipped to the range of the targets")  # fmt: skip
def test_libfm_sgd(small):
    X, y, start = small
    model = _trained(
        X, y, start, solver="sgd", learning_rate=0.05, max_iter=3, l2_intercept=0.3,
        l2_linear=0.1, l2_factors=0.2, clip_predictions=(-0.5, 0.5),
    )  # fmt: skip
    _assert_weights(model, peers.sgd(X, y, start, 0.05, (0.3, 0.1, 0.2), 3, -0.5, 0.5))
    expected = peers.scores(X, *peers.of(model)).clip(-0.5, 0.5)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6, atol=1e-9)
    new = FMRegressor(solver="sgd", shuffle=False, init_intercept=0, max_iter=1, init_scale=0.5,
                      scaling=None, n_factors=200, random_state=3, learning_rate=1e-9,
                      clip_predictions=(y.min(), y.max()))  # fmt: skip
    new.fit(X, y)
    assert abs(new.intercept_) < 1e-6
    assert new.factors_.std() == pytest.approx(0.5, rel=0.05)
    assert new.y_range_ == (y.min(), y.max())


@rows("libFM", "`-dim 'k0,k1,k2'`", "`-task r`, `-task c`")
@pytest.mark.parametrize("k0", [False, True])
@pytest.mark.parametrize("k1", [False, True])
def test_libfm_dim(small, k0, k1):
    X, y, _ = small
    model = FMRegressor(3, fit_intercept=k0, fit_linear=k1, solver="sgd", random_state=0).fit(X, y)
    assert (model.intercept_ != 0) == k0
    assert model.coef_.any() == k1
    assert model.factors_.shape == (5, 3)
    classifier = FMClassifier(3, fit_intercept=k0, fit_linear=k1, random_state=0).fit(X, y > 0)
    assert set(classifier.predict(X)) <= {False, True}


def _squared(y):
    return lambda scores: 0.5 * (scores - y) ** 2


def _probit(y):
    return lambda scores: -np.log(ndtr(y * scores))


@rows("libFM", "`-method als`")
@rows("fastFM", "`als.FMRegression(n_iter, init_stdev, rank, random_state)`",
      "`l2_reg_w`, `l2_reg_V`, `l2_reg`", "`als.FMClassification`",
      "labels -1 and 1")  # fmt: skip
@pytest.mark.parametrize("probit", [False, True])
def test_als_of_libfm_and_fastfm(small, probit):
    X, y, _ = small
    common = {"solver": "als", "l2_linear": 2.0, "l2_factors": 3.0, "max_iter": 500,
              "init_scale": 0.1, "random_state": 1, "dtype": "float64",
              "scaling": None}  # fmt: skip
    if probit:
        labels = np.where(y > y.mean(), 1, -1)
        model = FMClassifier(2, loss="probit", **common).fit(X, labels)
        losses = _probit(labels)
    else:
        model, losses = FMRegressor(2, **common).fit(X, y), _squared(y)
    assert peers.is_minimum(
        lambda weights: peers.objective(X, losses, weights, 2.0, 3.0), peers.of(model)
    )
    other = peers.of(model)[0], peers.of(model)[1] + 0.1, peers.of(model)[2]
    assert not peers.is_minimum(
        lambda weights: peers.objective(X, losses, weights, 2.0, 3.0), other
    )


@rows("libFM", "`-regular` with 1 + 2G numbers", "`-meta FILE`")
def test_libfm_groups(small, tmp_path):
    X, y, _ = small
    (tmp_path / "meta").write_text("0\n0\n1\n1\n0\n")
    groups = io.read_groups(tmp_path / "meta")
    model = FMRegressor(
        0, solver="als", feature_groups=groups, l2_linear=[1.0, 9.0], max_iter=200, dtype="float64"
    ).fit(X, y)
    w0, w, V = peers.of(model)
    strengths = np.where(groups == 0, 1.0, 9.0)
    gradient = X.T @ (peers.scores(X, w0, w, V) - y) + strengths * w
    np.testing.assert_allclose(gradient, 0, atol=1e-6)
    bayes = BayesianFMRegressor(2, feature_groups=groups, max_iter=25, random_state=0).fit(X, y)
    assert bayes._chain.linear_prior.shape == (2, 2)


@rows("libFM", "`-method mcmc` (the default)")
@rows("fastFM", "`mcmc.FMRegression().fit_predict(X, y, X_test)`",
      "`mcmc.FMClassification().fit_predict_proba(...)`")  # fmt: skip
def test_mcmc_of_libfm_and_fastfm(small):
    X, y, _ = small
    model = BayesianFMRegressor(
        2, n_burn_in=0, max_iter=30, clip_predictions=(y.min(), y.max()), random_state=0
    ).fit(X, y)
    assert model.n_samples_ == 30
    draws = [
        peers.scores(X, *weights).clip(y.min(), y.max())
        for weights in zip(
            *(array.astype(float) for array in model._samples.arrays[:3]), strict=True
        )
    ]
    np.testing.assert_allclose(model.predict(X), np.mean(draws, axis=0), rtol=1e-4, atol=1e-5)
    model = BayesianFMClassifier(2, n_burn_in=0, max_iter=30, random_state=0).fit(X, y > 0)
    draws = [
        ndtr(peers.scores(X, *weights))
        for weights in zip(
            *(array.astype(float) for array in model._samples.arrays[:3]), strict=True
        )
    ]
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], np.mean(draws, axis=0), atol=1e-5)


@rows("libFM", "`-method sgda -validation FILE`")
def test_libfm_sgda(ratings):
    model = FMRegressor(
        solver="sgd", l2_linear="auto", l2_factors="auto", max_iter=5, random_state=0
    ).fit(ratings.X[:2000], ratings.y[:2000], eval_set=(ratings.X[2000:], ratings.y[2000:]))
    assert model.l2_linear_ > 0
    assert model.l2_factors_ > 0


@rows("libFM", "`-relation NAME`")
@rows("myFM", "`fit(X, y, X_rel=[RelationBlock(rows, block)])`")
@pytest.mark.parametrize("Model", [FMRegressor, BayesianFMRegressor])
def test_relations(small, tmp_path, Model):
    X, y, _ = small
    rng = np.random.default_rng(0)
    block, rows_of = rng.normal(size=(6, 3)).astype(np.float32), rng.integers(6, size=len(y))
    io.write_libfm_binary(tmp_path / "users", block)
    io.write_vector(tmp_path / "users.train", rows_of, "uint32")
    relation = io.read_relation(tmp_path / "users")
    design = RelationalDesign([(X, None), (relation.X, relation.train)])
    options = {"max_iter": 30, "random_state": 0, "dtype": "float64", "scaling": None}
    if Model is FMRegressor:
        options["solver"] = "als"
    joined = np.column_stack([X, block[rows_of]])
    expected = Model(2, **options).fit(joined, y).predict(joined)
    np.testing.assert_allclose(Model(2, **options).fit(design, y).predict(design), expected,
                               rtol=1e-4, atol=1e-5)  # fmt: skip


@rows("libFM", "text files; `.x`, `.y`", "`-cache_size`")
@rows("xLearn", "`setOnDisk()`")
def test_files_of_data(small, tmp_path):
    X, y, _ = small
    X, y = X.astype(np.float32), y.astype(np.float32)
    io.write_libsvm(tmp_path / "text", X, y)
    io.write_libfm_binary(tmp_path / "binary", X, y)
    io.convert(tmp_path / "text", tmp_path / "folder")
    for data in (
        io.read_libsvm(tmp_path / "text"), io.read_libfm_binary(tmp_path / "binary"),
        io.open_dataset(tmp_path / "folder", memory_budget="1MB"),
    ):  # fmt: skip
        np.testing.assert_array_equal(data.X.toarray(), X)
        np.testing.assert_array_equal(data.y, y)


@rows("libFM", "`-out FILE`", "`-rlog FILE`", "`-save_model`, `-load_model`")
def test_outputs_of_libfm(ratings, clicks, tmp_path):
    X, y = ratings.X, ratings.y
    model = FMRegressor(max_iter=4, random_state=0).fit(X, y, eval_set=(X, y))
    assert len(model.history_["validation_loss"]) == 4
    rmse = root_mean_squared_error(y, model.predict(X))
    assert np.sqrt(2 * model.history_["validation_loss"][-1]) == pytest.approx(rmse, rel=1e-3)
    io.write_libfm_model(model, tmp_path / "m")
    again = io.read_libfm_model(tmp_path / "m", y_range=model.y_range_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    classifier = FMClassifier(max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    assert classifier.predict_proba(clicks.X).shape == (clicks.X.shape[0], 2)


# fastFM ------------------------------------------------------------------------------------------


@rows("fastFM", "`sgd.FMRegression(n_iter, step_size)`")
def test_fastfm_sgd(small):
    X, y, start = small
    n_iter = 3 * len(y)  # updates of one row
    model = _trained(
        X, y, start, solver="sgd", learning_rate=0.02, max_iter=n_iter // len(y), l2_linear=0.1,
        l2_factors=0.1, clip_predictions=False,
    )  # fmt: skip
    _assert_weights(model, peers.sgd(X, y, start, 0.02, (0, 0.1, 0.1), 3))


@rows("fastFM", "`fit(X, y, n_more_iter=n)`", "`w0_`, `w_`, `V_`")
def test_fastfm_goes_on(small):
    X, y, _ = small
    whole = FMRegressor(2, solver="als", max_iter=9, random_state=0).fit(X, y)
    parts = FMRegressor(2, solver="als", max_iter=5, random_state=0).fit(X, y)
    parts.set_params(warm_start=True, max_iter=4).fit(X, y)
    np.testing.assert_array_equal(parts.predict(X), whole.predict(X))
    assert whole.factors_.T.shape == (2, 5)  # (rank, n_features)
    assert whole.coef_.shape == (5,)
    assert isinstance(whole.intercept_, float)


@rows("fastFM", "`bpr.FMRecommender`")
def test_fastfm_ranking():
    """Its rows are in test_migration_ranking.py."""
    assert hasattr(fastfm_cy, "FMRanker")


# xLearn ------------------------------------------------------------------------------------------


@rows("xLearn", '`"opt": "adagrad"`, `"sgd"`, `"ftrl"`', '`"lr"`, `"epoch"`, `"k"`',
      '`"lambda"`', '`"task": "binary"`, `"reg"`')  # fmt: skip
def test_xlearn_adagrad(small):
    X, y, start = small
    labels = np.where(y > y.mean(), 1, -1)
    model = _trained(
        X, labels, start, "classification", solver="adagrad", learning_rate=0.2, max_iter=3,
        l2_linear=0.01, l2_factors=0.01,
    )  # fmt: skip
    _assert_weights(model, peers.adagrad_log_loss(X, labels, start, 0.2, 0.01, 3), rtol=1e-6)
    for solver in ("sgd", "ftrl"):
        assert FMRegressor(solver=solver, clip_predictions=False, max_iter=1).fit(X, y).n_iter_ == 1


@rows("xLearn", '`"alpha"`, `"beta"`, `"lambda_1"`, `"lambda_2"` (FTRL)')
def test_xlearn_ftrl():
    """One weight: the closed form of McMahan et al. after each row."""
    X, y = np.ones((6, 1)), np.array([1, -1, 1, 1, 1, -1])
    alpha, beta, l1, l2 = 0.3, 1.0, 0.2, 0.5
    model = FMClassifier(
        0, solver="ftrl", learning_rate=alpha, ftrl_beta=beta, l1_linear=l1, l2_linear=l2,
        fit_intercept=False, shuffle=False, max_iter=2, dtype="float64",
    ).fit(X, y)  # fmt: skip
    w = z = n = 0.0
    for label in np.tile(y, 2):
        g = -label / (1 + np.exp(label * w))
        sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / alpha
        z, n = z + g - sigma * w, n + g**2
        w = 0.0 if abs(z) <= l1 else -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2)
    assert model.coef_[0] == pytest.approx(w, rel=1e-9)


@rows("xLearn", "`create_linear()`, `create_fm()`", '`"init"`', "`setSigmoid()`, `setSign()`",
      "`setTXTModel(FILE)`", "instance-wise normalisation of FM")  # fmt: skip
def test_xlearn_models(clicks, tmp_path):
    for n_factors in (0, 4):
        model = FMClassifier(n_factors, max_iter=2, init_scale=0.3, random_state=0)
        model.fit(clicks.X, clicks.y)
        probability = 1 / (1 + np.exp(-model.decision_function(clicks.X).astype(float)))
        np.testing.assert_allclose(model.predict_proba(clicks.X)[:, 1], probability, rtol=1e-9)
        np.testing.assert_array_equal(model.predict(clicks.X), probability > 0.5)
        io.write_xlearn_model(model, tmp_path / "m")
        again = io.read_xlearn_model(tmp_path / "m")
        np.testing.assert_array_equal(
            again.decision_function(clicks.X), model.decision_function(clicks.X)
        )
    X = clicks.X[:50].toarray() * 2.0
    w0, w, V = peers.of(model)
    square = (X**2).sum(axis=1)
    pairs = peers.scores(X, 0.0, np.zeros_like(w), V)
    expected = w0 + (X @ w) / np.sqrt(square) + pairs / square**2
    normalised = io.read_xlearn_model(tmp_path / "m", normalize=True)
    np.testing.assert_allclose(normalised.decision_function(X), expected, rtol=1e-4, atol=1e-5)


@rows("xLearn", "`setTrain(FILE)`, `setValidate(FILE)`", 'early stopping, `"stop_window"`',
      '`"nthread"`, `"metric"`', "`cv()`")  # fmt: skip
def test_xlearn_training(clicks, tmp_path):
    io.write_libsvm(tmp_path / "train", clicks.X[:2000], clicks.y[:2000])
    io.write_libsvm(tmp_path / "valid", clicks.X[2000:], clicks.y[2000:])
    X, y = io.read_libsvm(tmp_path / "train")
    eval_set = tuple(io.read_libsvm(tmp_path / "valid", n_features=X.shape[1]))
    model = FMClassifier(
        early_stopping=True, n_iter_no_change=2, max_iter=200, n_jobs=2, scoring="roc_auc",
        learning_rate=0.2, random_state=0,
    ).fit(X, y, eval_set=eval_set)  # fmt: skip
    scores = model.history_["validation_score"]
    assert model.best_iter_ == np.argmax(scores) + 1
    assert model.n_iter_ == model.best_iter_ + 2 < 200
    assert len(cross_val_score(FMClassifier(max_iter=1), X, y, cv=3)) == 3


# libffm ------------------------------------------------------------------------------------------


@rows("libffm", "`-k`, `-t`, `-r`, `-l`", "neither bias nor linear weights",
      "rows of unit length; `--no-norm`")  # fmt: skip
@rows("xLearn", "`create_ffm()`")
@rows("modern-fm", "`FFMClassifier`, `FFMRegressor`, `FwFMClassifier`",
      "`fit(X, y, field_ids=...)`")  # fmt: skip
@pytest.mark.parametrize("normalizes", [False, True])
def test_libffm_training(small, normalizes):
    X, y, _ = small
    labels = np.where(y > np.median(y), 1, -1)
    start = np.random.default_rng(0).random((5, 5, 3)) / np.sqrt(3)
    weights = Weights(0.0, np.zeros(5), start)
    model = estimator_of(
        "classification", weights, classes=(-1, 1), y_range=None, fields=range(5), n_fields=5,
        normalize="l2" if normalizes else None, fit_intercept=False, fit_linear=False,
        dtype="float64", warm_start=True, shuffle=False, learning_rate=0.2, l2_factors=0.01,
        max_iter=3,
    ).fit(X, labels)  # fmt: skip
    expected = peers.libffm(X, labels, start, 0.2, 0.01, 3, normalizes)
    np.testing.assert_allclose(model.factors_, expected, rtol=1e-6)
    assert model.intercept_ == 0
    assert not model.coef_.any()
    weighted = FwFMClassifier(fields=range(5), max_iter=1).fit(X, labels)
    assert weighted.predict(X).shape == y.shape


@rows("libffm", "start from U(0, 1) / sqrt(k), squared gradients from 1", "`-s`",
      "`-p FILE`, `--auto-stop`", "files of `label field:index:value`",
      "model files, text and binary")  # fmt: skip
def test_libffm_files(clicks, tmp_path):
    fields = np.arange(clicks.X.shape[1]) // 10
    for name, part in (("train", slice(2000)), ("valid", slice(2000, None))):
        io.write_libffm(tmp_path / name, clicks.X[part], clicks.y[part], fields)
    train, valid = io.read_libffm(tmp_path / "train"), io.read_libffm(tmp_path / "valid")
    options = {"n_factors": 16, "fit_intercept": False, "fit_linear": False, "random_state": 0}
    options["init_scale"] = 1.0
    start = FFMClassifier(learning_rate=1e-9, max_iter=1, **options)
    start.fit(train.X, train.y, fields=train.fields)
    has_started = start.factors_[start._table.has_started]
    assert 0 <= has_started.min() < 0.01
    assert 0.24 < has_started.max() <= 0.25 + 1e-6  # 1 / sqrt(16)
    model = FFMClassifier(
        early_stopping=True, n_iter_no_change=1, max_iter=100, n_jobs=2, learning_rate=1.0,
        **options,
    )  # fmt: skip
    model.fit(
        train.X, train.y, fields=train.fields, eval_set=(valid.X, valid.y, None, valid.fields)
    )
    assert model.n_iter_ == model.best_iter_ + 1 < 100
    for text in (False, True):
        io.write_libffm_model(model, tmp_path / "m", text=text)
        again = io.read_libffm_model(tmp_path / "m")
        np.testing.assert_array_equal(
            again.predict_proba(valid.X, fields=valid.fields),
            model.predict_proba(valid.X, fields=valid.fields),
        )


# myFM --------------------------------------------------------------------------------------------


@rows("myFM", "`alpha_0`, `mu_0`", "`beta_0` (rate of the precisions)",
      "`gamma_0` (weight of the means' prior)")  # fmt: skip
def test_myfm_priors():
    """Of no data, the draws are those of the priors, which tell the parameters apart."""
    X, y = np.zeros((1, 3)), np.zeros(1)
    X[0, 0] = 1e-6

    def drawn(**priors):
        model = BayesianFMRegressor(
            1, max_iter=4000, n_burn_in=200, fit_intercept=False, random_state=0, **priors
        )
        values = []
        model.fit(X, y, callbacks=lambda m, _: values.append(m._chain.linear_prior[0].copy()))
        return np.array(values)[200:].T

    precisions, _ = drawn(alpha_0=20.0, gamma_0=5.0)  # myFM: alpha_0=20, beta_0=5
    assert precisions.mean() == pytest.approx(20 / 5, rel=0.1)
    few = {"alpha_0": 20.0, "gamma_0": 20.0}
    _, means = drawn(beta_0=25.0, mu_0=3.0, **few)  # myFM: gamma_0=25, mu_0=3
    assert means.mean() == pytest.approx(3, abs=0.1)
    assert means.std() < 0.5 * drawn(beta_0=1.0, mu_0=3.0, **few)[1].std()


@rows("myFM", "`MyFMRegressor(rank)`, `MyFMClassifier(rank)`", "`MyFMOrderedProbit(rank)`",
      "`init_stdev`, `random_seed`, `fit_w0`, `fit_linear`", "`fit(n_iter, n_kept_samples)`",
      "`predict`, `predict_proba`", "`fit(X_test=..., y_test=..., callback=...)`",
      "`fit(grouping=..., group_shapes=...)`")  # fmt: skip
def test_myfm_estimators(small):
    X, y, _ = small
    n_iter, n_kept, seen = 30, 12, []
    options = {
        "n_factors": 2, "max_iter": n_iter, "n_burn_in": n_iter - n_kept, "random_state": 0,
        "init_scale": 0.2, "feature_groups": [0] * 2 + [1] * 3,
    }  # fmt: skip
    model = BayesianFMRegressor(fit_intercept=False, fit_linear=False, **options)
    model.fit(X, y, eval_set=(X, y), callbacks=lambda m, history: seen.append(len(history)))
    assert model.n_samples_ == n_kept
    assert len(seen) == n_iter == len(model.history_["validation_rmse"])
    assert model.intercept_ == 0
    assert not model.coef_.any()
    rmse = root_mean_squared_error(y, model.predict(X))
    assert model.history_["validation_rmse"][-1] == pytest.approx(rmse, rel=1e-4)
    _, std = model.predict(X, return_std=True)
    assert (std > 0).all()
    assert model.predict_quantiles(X, [0.1, 0.9]).shape == (len(y), 2)
    classifier = BayesianFMClassifier(**options).fit(X, y > 0)
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1)
    stars = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    ordinal = BayesianFMOrdinal(**options).fit(X, stars)
    assert ordinal.predict_proba(X).shape == (len(y), 3)


@rows("myFM", "`reg_0`")
def test_the_bias_has_a_flat_prior():
    X, y = np.full((50, 1), 1e-9), np.full(50, 1e4) + np.arange(50) % 2
    model = BayesianFMRegressor(0, max_iter=200, fit_linear=False, random_state=0,
                                dtype="float64").fit(X, y)  # fmt: skip
    assert model.intercept_ == pytest.approx(1e4 + 0.5, abs=0.2)  # any strength would draw it to 0


# polylearn ---------------------------------------------------------------------------------------


def _logistic(y):
    return lambda scores: np.logaddexp(0, -y * scores)


def _squared_hinge(y):
    return lambda scores: np.maximum(0, 1 - y * scores) ** 2


@rows("polylearn", "`FactorizationMachineRegressor(degree=2)`, `...Classifier`",
      "`n_components`, `max_iter`, `warm_start`, `random_state`", "`alpha`, `beta`",
      '`loss="squared"`, `"logistic"`, `"squared_hinge"`', "`fit_linear`",
      "`w_`, `P_[0]`")  # fmt: skip
@pytest.mark.parametrize("loss", ["squared_error", "log_loss", "squared_hinge"])
@pytest.mark.parametrize("fit_linear", [False, True])
def test_polylearn(small, loss, fit_linear):
    X, y, _ = small
    alpha, beta = 0.5, 0.25
    common = {
        "n_factors": 2, "solver": "als", "fit_intercept": False, "fit_linear": fit_linear,
        "l2_linear": 2 * alpha, "l2_factors": 2 * beta, "max_iter": 1000, "random_state": 0,
        "dtype": "float64", "init_scale": 0.3, "scaling": None,
    }  # fmt: skip
    labels = np.where(y > np.median(y), 1, -1)
    if loss == "squared_error":
        model, losses = FMRegressor(**common).fit(X, y), _squared(y)
    else:
        model = FMClassifier(loss=loss, **common).fit(X, labels)
        losses = (_logistic if loss == "log_loss" else _squared_hinge)(labels)

    def objective(weights):
        if not fit_linear:
            weights = weights[0], np.zeros(5), weights[2]
        penalty = alpha * (weights[1] ** 2).sum() + beta * (weights[2] ** 2).sum()
        return losses(peers.scores(X, *weights)).sum() + penalty

    weights = peers.of(model)
    assert peers.is_minimum(objective, weights, with_bias=False, tolerance=1e-4)
    assert not peers.is_minimum(
        objective, (0.0, weights[1], weights[2] + 0.1), with_bias=False, tolerance=1e-4
    )
    assert model.factors_.T.shape == (2, 5)


# modern-fm ---------------------------------------------------------------------------------------


@rows("modern-fm", "`FMRegressor(n_factors, ...)`, `FMClassifier(...)`",
      '`optimizer="sgd"`, `"adagrad"`, `"adam"`, `"ftrl"`', "the bias starts from 0",
      "`l2_linear`, `l2_factors`, `l1_linear`, `l1_factors`, `ftrl_beta`",
      "`w0_`, `w_`, `V_`")  # fmt: skip
def test_modern_fm():
    """Steps that modern-fm 1.1.2 took on one row, x = 2 and y = 3."""
    X, y = np.array([[2.0]]), np.array([3.0])

    def steps(n, **parameters):
        options = {"learning_rate": 0.1, "init_intercept": 0, "clip_predictions": False,
                   "l2_linear": 0, "l2_factors": 0, "max_iter": n, "solver": "sgd"}  # fmt: skip
        model = FMRegressor(1, **options | parameters).fit(X, y)
        return model.intercept_, model.coef_[0]

    assert steps(1) == pytest.approx((0.3, 0.6))
    assert steps(2, l2_linear=0.5) == pytest.approx((0.45, 0.87))
    assert steps(1, solver="adam") == pytest.approx((0.1, 0.1), rel=1e-5)
    # adagrad: 0.1 g / sqrt(g^2) there, 0.1 g / sqrt(1 + g^2) here.
    assert steps(1, solver="adagrad") == pytest.approx((0.3 / np.sqrt(10), 0.6 / np.sqrt(37)))
    assert FMRegressor(1, solver="ftrl", ftrl_beta=1.0, max_iter=1).fit(X, y).factors_.shape == (
        1, 1,
    )  # fmt: skip


@rows("modern-fm", '`loss="logistic"`', "`beta_1`, `beta_2`", "`n_jobs=-1`",
      "`patience`, `min_delta`, `early_stopping`, `validation_fraction`, `eval_set`",
      "`learning_rate`, `max_iter`, `init_scale`, `random_state`, `warm_start`, `class_weight`, "
      "`dtype`, `verbose`", "`save_model`, `load_model` (pickle)",
      "`top_interactions`, `label_smoothing`, `batch_size`, `BiInteractionPooling`")  # fmt: skip
def test_modern_fm_parameters(clicks, tmp_path):
    same = {
        "learning_rate": 0.1, "max_iter": 3, "init_scale": 0.02, "random_state": 0,
        "warm_start": False, "class_weight": {0: 1.0, 1: 2.0}, "dtype": "float64", "verbose": 0,
        "validation_fraction": 0.2, "early_stopping": True,
    }  # fmt: skip
    model = FMClassifier(loss="log_loss", n_iter_no_change=2, tol=0.0, adam_betas=(0.8, 0.9),
                         solver="adam", **same).fit(clicks.X, clicks.y)  # fmt: skip
    assert same.items() <= model.get_params().items()
    predictions = [
        FMClassifier(n_jobs=n_jobs, deterministic=True, max_iter=1, random_state=0)
        .fit(clicks.X, clicks.y).decision_function(clicks.X)
        for n_jobs in (1, -1)
    ]  # fmt: skip
    np.testing.assert_array_equal(*predictions)
    io.save_model(model, tmp_path / "m")
    again = io.load_model(tmp_path / "m")
    np.testing.assert_array_equal(again.predict(clicks.X), model.predict(clicks.X))
    for name in ("top_interactions", "label_smoothing", "batch_size"):
        assert not hasattr(model, name)


def test_every_row_of_the_page_is_tested():
    assert set(_rows_of_the_page()) == TESTED
