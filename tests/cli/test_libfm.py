"""libFM's command line, checked against its mathematics written out, and against its outputs."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import root_mean_squared_error
from support.realdata import data_file

from fastfm_cy.io import (
    load_model,
    read_libfm_model,
    read_libsvm,
    write_libfm_binary,
    write_libsvm,
    write_vector,
)


@pytest.fixture
def libfm(run, files):
    """Run libFM's command line on the ratings; the printed text."""

    def invoke(*flags, data="ratings", exit_code=0):
        result = run(
            "libfm", "-train", files / f"{data}.libsvm", "-test", files / f"{data}_test.libsvm",
            *flags,
        )  # fmt: skip
        assert result.exit_code == exit_code, result.stderr
        return result.stdout if exit_code == 0 else result.stderr

    return invoke


def _numbers(path):
    return np.loadtxt(path, ndmin=1)


def _log(path):
    header, *rows = path.read_text().splitlines()
    columns = np.array([row.split("\t") for row in rows], dtype=float).T
    return dict(zip(header.split("\t"), columns, strict=True))


def _start(path, n_features, n_factors):
    """A model in libFM's format, and its weights."""
    rng = np.random.default_rng(0)
    w0, w = 0.5, rng.normal(0, 0.1, n_features).round(3)
    V = rng.normal(0, 0.1, (n_features, n_factors)).round(3)
    lines = ["#global bias W0", w0, "#unary interactions Wj", *w, "#pairwise interactions Vj,f"]
    lines += [" ".join(map(str, v)) for v in V]
    path.write_text("\n".join(map(str, lines)) + "\n")
    return w0, w, V


def _scores(X, w0, w, V):
    return w0 + X @ w + 0.5 * (((X @ V) ** 2) - (X**2) @ (V**2)).sum(axis=1)


def _sgd(X, y, w0, w, V, rate, regular, n_iter):
    """libFM's SGD: rows in their order, a clipped prediction, strengths on what a row touches."""
    r0, r1, r2 = regular
    low, high = y.min(), y.max()
    for _ in range(n_iter):
        for x, target in zip(X, y, strict=True):
            sums = x @ V
            score = w0 + x @ w + 0.5 * (sums**2 - (x**2) @ (V**2)).sum()
            g = np.clip(score, low, high) - target
            w0 = w0 - rate * (g + r0 * w0)
            for i in np.flatnonzero(x):
                w[i] -= rate * (g * x[i] + r1 * w[i])
                V[i] -= rate * (g * (sums * x[i] - V[i] * x[i] ** 2) + r2 * V[i])
    return w0, w, V


@pytest.mark.parametrize("regular", ["0,0.02,0.05", "0.03", "0.5,0,0"])
def test_sgd_is_libfms_step_by_step(libfm, files, regular):
    X, y = read_libsvm(files / "ratings.libsvm")
    X_test, _ = read_libsvm(files / "ratings_test.libsvm", n_features=X.shape[1])
    start = _start(files / "start.txt", X.shape[1], 3)
    libfm(
        "-task", "r", "-method", "sgd", "-load_model", files / "start.txt", "-iter", 2,
        "-learn_rate", "0.02", "-regular", regular, "-out", files / "out.txt",
    )  # fmt: skip
    strengths = [float(r) for r in regular.split(",")]
    trained = _sgd(X.toarray(), y, *start, 0.02, strengths * (3 // len(strengths)), 2)
    expected = _scores(X_test.toarray(), *trained).clip(y.min(), y.max())
    np.testing.assert_allclose(_numbers(files / "out.txt"), expected, atol=1e-4)


@pytest.mark.parametrize("regular", ["0,3,6", "4", "20,1,6"])
def test_als_ends_where_libfms_objective_is_least(libfm, files, regular):
    X, y = read_libsvm(files / "ratings.libsvm")
    X = X.toarray()
    libfm(
        "-task", "r", "-method", "als", "-dim", "1,1,2", "-iter", 3000, "-regular", regular,
        "-save_model", files / "m.txt", "-seed", 1,
    )  # fmt: skip
    model = read_libfm_model(files / "m.txt")
    r0, r1, r2 = [float(r) for r in regular.split(",")] * (3 // len(regular.split(",")))
    w0, w, V = float(model.intercept_), model.coef_.astype(float), model.factors_.astype(float)
    errors = _scores(X, w0, w, V) - y
    assert abs(errors.sum() + r0 * w0) < 0.5
    np.testing.assert_allclose(X.T @ errors + r1 * w, 0, atol=0.1)
    along = X.T @ (errors[:, None] * (X @ V)) - V * ((X**2).T @ errors)[:, None]
    np.testing.assert_allclose(along + r2 * V, 0, atol=0.1)


def test_predictions_are_clipped_and_errors_are_those_of_the_predictions(libfm, files):
    y = read_libsvm(files / "ratings.libsvm").y
    y_test = read_libsvm(files / "ratings_test.libsvm").y
    for method in ("sgd", "als", "mcmc"):
        printed = libfm(
            "-task", "r", "-method", method, "-iter", 7, "-out", files / "out.txt",
            "-rlog", files / "log.tsv", "-regular", 1, "-learn_rate", 0.02, "-seed", 0,
        )  # fmt: skip
        predictions = _numbers(files / "out.txt")
        assert y.min() <= predictions.min() < predictions.max() <= y.max()
        log = _log(files / "log.tsv")
        rmse = root_mean_squared_error(y_test, predictions)
        assert log["rmse"][-1] == pytest.approx(rmse, abs=1e-5)
        assert log["mae"][-1] == pytest.approx(np.abs(y_test - predictions).mean(), abs=1e-5)
        assert len(log["rmse"]) == printed.count("#Iter=") == 7
        assert f"Test={rmse:.4f}"[:10] in printed.splitlines()[-1]
        assert (log["time_learn"] > 0).all()


def test_the_log_of_mcmc(libfm, files):
    (files / "meta.txt").write_text("0\n1\n" * 200)
    n_features = read_libsvm(files / "ratings.libsvm").X.shape[1]
    (files / "meta.txt").write_text("\n".join(str(i % 2) for i in range(n_features)))
    libfm(
        "-task", "r", "-iter", 9, "-dim", "1,1,3", "-rlog", files / "log.tsv", "-seed", 0,
        "-meta", files / "meta.txt",
    )  # fmt: skip
    log = _log(files / "log.tsv")
    for group in (0, 1):
        assert {f"wmu[{group}]", f"wlambda[{group}]"} <= log.keys()
        assert {f"vmu[{group},{f}]" for f in range(3)} <= log.keys()
        assert (log[f"vlambda[{group},2]"] > 0).all()
    assert (log["alpha"] > 0).all()
    np.testing.assert_array_equal(log["rmse"], log["rmse_mcmc_all"])
    assert log["rmse_mcmc_this"][0] == log["rmse_mcmc_all"][0]
    assert np.isnan(log["rmse_mcmc_all_but5"][:5]).all()
    assert log["rmse_mcmc_all_but5"][5] == log["rmse_mcmc_this"][5]
    assert log["rmse_mcmc_all"][-1] < log["rmse_mcmc_this"].min()


@pytest.mark.parametrize("method", ["sgd", "als", "mcmc"])
def test_classification(libfm, files, method):
    y = read_libsvm(files / "clicks_test.libsvm").y
    libfm(
        "-task", "c", "-method", method, "-iter", 20, "-out", files / "out.txt", "-regular", 1,
        "-rlog", files / "log.tsv", "-learn_rate", 0.02, "-seed", 0, data="clicks",
    )  # fmt: skip
    probabilities = _numbers(files / "out.txt")
    assert ((probabilities > 0) & (probabilities < 1)).all()
    log = _log(files / "log.tsv")
    assert log["accuracy"][-1] == pytest.approx(np.mean((probabilities > 0.5) == (y > 0)), abs=1e-5)
    assert log["accuracy"][-1] >= max(y.mean(), 1 - y.mean()) - 0.02
    if method == "mcmc":
        right = np.where(y > 0, probabilities, 1 - probabilities).clip(0.01, 0.99)
        assert log["ll_mcmc_all"][-1] == pytest.approx(-np.log10(right).mean(), abs=1e-5)


def test_sgda_learns_strengths_on_the_validation_data(libfm, files):
    X, y = read_libsvm(files / "ratings.libsvm")
    write_libsvm(files / "ratings.libsvm", X[:1500], y[:1500])
    write_libsvm(files / "validation.libsvm", X[1500:], y[1500:])
    flags = ["-task", "r", "-iter", 60, "-learn_rate", 0.05, "-seed", 0, "-out", files / "out.txt"]
    y_test = read_libsvm(files / "ratings_test.libsvm").y

    def error(*method):
        libfm(*flags, *method)
        return root_mean_squared_error(y_test, _numbers(files / "out.txt"))

    with_none = error("-method", "sgd")
    assert error("-method", "sgda", "-validation", files / "validation.libsvm") < with_none


def test_binary_files_are_the_same_as_text(libfm, files):
    flags = ["-task", "r", "-iter", 3, "-method", "als", "-seed", 0, "-out", files / "out.txt"]
    libfm(*flags)
    from_text = _numbers(files / "out.txt")
    for part in ("ratings", "ratings_test"):
        X, y = read_libsvm(files / f"{part}.libsvm")
        write_libfm_binary(files / part, X, y, by_columns=True)
        (files / f"{part}.libsvm").unlink()
        (files / f"{part}.libsvm.x").write_bytes((files / f"{part}.x").read_bytes())
        (files / f"{part}.libsvm.y").write_bytes((files / f"{part}.y").read_bytes())
    libfm(*flags)
    np.testing.assert_allclose(_numbers(files / "out.txt"), from_text, rtol=1e-5)


def test_relations_are_the_same_as_joined_rows(libfm, files):
    rng = np.random.default_rng(0)
    block = sparse.random(7, 4, 0.6, format="csr", random_state=0)
    write_libfm_binary(files / "users", block)
    joined = {}
    for part, name in (("ratings", "train"), ("ratings_test", "test")):
        X, y = read_libsvm(files / f"{part}.libsvm", n_features=146)
        rows = rng.integers(7, size=X.shape[0])
        write_vector(files / f"users.{name}", rows, "uint32")
        joined[part] = sparse.hstack([X, block[rows]], format="csr"), y
    flags = ["-task", "r", "-iter", 3, "-method", "als", "-seed", 0, "-out", files / "out.txt"]
    libfm(*flags, "-relation", files / "users", "-verbosity", 1)
    related = _numbers(files / "out.txt")
    for part, (X, y) in joined.items():
        write_libsvm(files / f"{part}.libsvm", X, y)
    (files / "meta.txt").write_text("0\n" * 146 + "1\n" * 4)
    libfm(*flags, "-meta", files / "meta.txt")
    np.testing.assert_allclose(related, _numbers(files / "out.txt"), rtol=1e-4)


@pytest.mark.parametrize("method", ["sgd", "als", "mcmc"])
@pytest.mark.parametrize("n_factors", [0, 1, 4])
def test_a_saved_model_predicts_the_same_and_goes_on(libfm, files, method, n_factors):
    flags = ["-task", "r", "-method", method, "-regular", 0.01, "-learn_rate", 0.02, "-seed", 0]
    dim = ["-dim", f"1,1,{n_factors}"]
    libfm(*flags, *dim, "-iter", 5, "-save_model", files / "m", "-out", files / "a.txt")
    libfm(*flags, *dim, "-iter", 0, "-load_model", files / "m", "-out", files / "b.txt")
    np.testing.assert_allclose(_numbers(files / "b.txt"), _numbers(files / "a.txt"), rtol=1e-6)
    before = libfm(*flags, *dim, "-iter", 5).splitlines()[-1].split("Train=")[1]
    after = libfm(*flags, *dim, "-iter", 3, "-load_model", files / "m").splitlines()[-1]
    if method != "mcmc":
        assert float(after.split("Train=")[1].split()[0]) <= float(before.split()[0])
    else:
        assert load_model(files / "m").n_samples_ == 5


def test_mended_faults(libfm, files):
    """See docs/migration.md."""
    out = ["-out", files / "out.txt"]
    libfm("-task", "r", "-method", "sgd", "-iter", 1, *out)  # aborts in libFM: no -learn_rate
    libfm("-task", "r", "-method", "mcmc", "-iter", 2, "-save_model", files / "m", *out)
    assert load_model(files / "m").n_samples_ == 2
    libfm("-task", "r", "-iter", 2, "-seed", -1, *out)
    message = libfm("-task", "r", "-method", "sgd", "-learn_rate", "0.1,0.2,0.3", *out, exit_code=2)
    assert "share one" in message


def test_the_seed_decides(libfm, files):
    def predictions(seed):
        libfm("-task", "r", "-iter", 2, "-seed", seed, "-out", files / "out.txt")
        return (files / "out.txt").read_text()

    assert predictions(4) == predictions(4) != predictions(5)


@pytest.mark.parametrize(
    ("flags", "exit_code", "message"),
    [
        (["-task", "x"], 2, "-task"),
        (["-task", "r", "-dim", "1,1"], 2, "'k0,k1,k2'"),
        (["-task", "r", "-dim", "1,1,-1"], 2, "'k0,k1,k2'"),
        (["-task", "r", "-method", "sgdx"], 2, "-method must be one of sgd, sgda, als, mcmc"),
        (["-task", "r", "-method", "sgda"], 2, "needs a -validation file"),
        (["-task", "r", "-iter", "0"], 2, "-iter must be at least 1"),
        (["-task", "r", "-init_stdev", "0"], 2, "-init_stdev must be above 0"),
        (["-task", "r", "-method", "als", "-regular", "1,2"], 1, "-regular must have 1, 3"),
        (["-task", "r", "-unknown", "1"], 2, "unrecognized arguments"),
        (["-task", "r", "-meta", "short.txt"], 1, "groups of 1 features"),
        (["-task", "r", "-method", "als", "-load_model", "small.txt"], 1, "a model of 1 features"),
        (["-task", "r", "-train", "missing.libfm"], 1, "missing.libfm"),
    ],
)
def test_errors(libfm, files, monkeypatch, flags, exit_code, message):
    monkeypatch.chdir(files)
    (files / "short.txt").write_text("0\n")
    (files / "small.txt").write_text("#pairwise interactions Vj,f\n1 2\n")
    before = set(files.iterdir())
    assert message in libfm(*flags, "-out", "o", "-rlog", "l", exit_code=exit_code)
    assert set(files.iterdir()) == before


_FLAGS = """task train test validation meta relation cache_size dim method iter learn_rate regular
init_stdev seed out rlog save_model load_model verbosity help"""


def test_help(run):
    result = run("libfm", "-help")
    assert result.exit_code == 0
    for flag in _FLAGS.split():
        assert f"-{flag} " in result.stdout


# On MovieLens 100K ------------------------------------------------------------------------------

# Test errors of libFM 1.4.4 itself, means over seeds 1 to 10 (mcmc: 1 to 3): the folds' ids alone.
_OF_LIBFM = {
    "als": (["-dim", "1,1,4", "-regular", "0,5,5", "-init_stdev", "0.00001"], 0.9243, 0.003),
    "als of one factor": (["-dim", "1,1,1", "-regular", "0,5,5", "-iter", 300], 0.92816, 1e-4),
    "sgd, linear": (
        ["-dim", "1,1,0", "-learn_rate", "0.01", "-regular", "0.02", "-iter", 30], 0.98963, 1e-4
    ),
    "mcmc": (["-dim", "1,1,10", "-iter", 200], 0.9104, 0.002),
}  # fmt: skip


@pytest.mark.realdata
@pytest.mark.parametrize("name", _OF_LIBFM)
def test_errors_are_libfms(libfm, files, name):
    flags, of_libfm, tolerance = _OF_LIBFM[name]
    for part, file in (("ratings", "u1.base"), ("ratings_test", "u1.test")):
        users, items, y, _ = np.loadtxt(data_file(f"ml-100k/{file}"), dtype=int).T
        lines = [f"{r} {u - 1}:1 {942 + i}:1\n" for u, i, r in zip(users, items, y, strict=True)]
        (files / f"{part}.libsvm").write_text("".join(lines))
    method = name.split()[0].rstrip(",")
    libfm("-task", "r", "-method", method, "-seed", 1, "-out", files / "out.txt", *flags)
    error = root_mean_squared_error(y, _numbers(files / "out.txt"))
    assert error == pytest.approx(of_libfm, abs=tolerance)
