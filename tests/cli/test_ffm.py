"""libffm's command lines, and fields in our own."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from fastfm_cy import FFMClassifier, FwFMClassifier
from fastfm_cy.datasets import make_clicks
from fastfm_cy.io import load_model, read_libffm, read_libffm_model, write_libffm


@pytest.fixture
def ffm_files(tmp_path):
    data = make_clicks(n_rows=2500, n_fields=6, n_features=60, random_state=0)
    fields = np.arange(data.X.shape[1]) // 10
    for name, part in (("train", slice(2000)), ("test", slice(2000, None))):
        write_libffm(tmp_path / name, data.X[part], data.y[part], fields)
    return tmp_path


def _train(run, files, *flags):
    result = run("ffm-train", *flags, files / "train", files / "model")
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_training_and_predictions(run, ffm_files):
    printed = _train(run, ffm_files, "-t", 5, "-p", ffm_files / "test")
    header, *lines = printed.splitlines()
    assert header.split() == ["iter", "tr_logloss", "va_logloss", "tr_time"]
    assert [line.split()[0] for line in lines] == list("12345")
    result = run("ffm-predict", ffm_files / "test", ffm_files / "model", ffm_files / "out")
    probabilities = np.loadtxt(ffm_files / "out")
    y = read_libffm(ffm_files / "test").y
    loss = log_loss(y > 0, probabilities)
    assert result.stdout == f"logloss = {loss:.5f}\n"
    assert float(lines[-1].split()[2]) == pytest.approx(loss, abs=2e-5)
    assert loss < log_loss(y > 0, np.full(len(y), y.mean()))


def test_flags_are_the_estimators_parameters(run, ffm_files):
    _train(run, ffm_files, "-k", 3, "-l", 0.01, "-r", 0.1, "-t", 2, "--no-norm", "--quiet")
    data = read_libffm(ffm_files / "train")
    same = FFMClassifier(
        3, l2_factors=0.01, learning_rate=0.1, max_iter=2, normalize=None, fit_intercept=False,
        fit_linear=False, init_scale=1.0, random_state=0,
    ).fit(data.X, data.y, fields=data.fields)  # fmt: skip
    model = read_libffm_model(ffm_files / "model")
    assert model.normalize is None
    np.testing.assert_array_equal(model.factors_, same.factors_)


def test_auto_stop_keeps_the_best_iteration(run, ffm_files):
    flags = "-k", 8, "-r", 1.0, "-l", 0, "-t", 60, "-p", ffm_files / "test"
    printed = _train(run, ffm_files, *flags, "--auto-stop")
    losses = [float(line.split()[2]) for line in printed.splitlines()[1:-1]]
    best = int(np.argmin(losses)) + 1
    assert len(losses) == best + 1 < 60
    assert printed.splitlines()[-1] == f"Auto-stop. Use the model of iteration {best}."
    run("ffm-predict", ffm_files / "test", ffm_files / "model", ffm_files / "out")
    y = read_libffm(ffm_files / "test").y
    assert log_loss(y > 0, np.loadtxt(ffm_files / "out")) == pytest.approx(min(losses), abs=2e-5)


def test_unknown_features_and_fields_are_left_out(run, ffm_files):
    _train(run, ffm_files, "-t", 1, "--quiet")
    (ffm_files / "a").write_text("1 0:1:1 1:12:1\n")
    (ffm_files / "b").write_text("1 0:1:1 1:12:1 1:99999:1 77:13:1\n")
    for name in "ab":
        run("ffm-predict", ffm_files / name, ffm_files / "model", ffm_files / f"{name}.out")
    assert (ffm_files / "a.out").read_text() == (ffm_files / "b.out").read_text()


def test_the_models_name_is_the_data_sets(run, ffm_files, monkeypatch):
    monkeypatch.chdir(ffm_files)
    assert run("ffm-train", "-t", 1, "--quiet", "train").exit_code == 0
    assert read_libffm_model(ffm_files / "train.model").n_fields_ == 6


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["ffm-train", "--auto-stop", "train"], 2, "needs a validation set"),
        (["ffm-train", "-k"], 2, "expected one argument"),
        (["ffm-train", "missing"], 1, "missing"),
        (["ffm-train", "-k", "0", "train", "model"], 2, "-k must be at least 1"),
        (["ffm-predict", "test", "train", "out"], 1, "is no model of libffm"),
    ],
)
def test_errors(run, ffm_files, monkeypatch, arguments, exit_code, message):
    monkeypatch.chdir(ffm_files)
    before = set(ffm_files.iterdir())
    result = run(*arguments)
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert set(ffm_files.iterdir()) == before


@pytest.mark.parametrize(("family", "kind"), [("ffm", FFMClassifier), ("fwfm", FwFMClassifier)])
def test_our_own_commands_with_fields(run, lines, ffm_files, family, kind):
    found = lines(
        "fit", ffm_files / "train", "-m", ffm_files / "m.fm", "--estimator", family,
        "--max-iter", 3, "--valid", ffm_files / "test", "--seed", 0,
    )  # fmt: skip
    assert found["data"][0]["fields"] == 6
    assert isinstance(load_model(ffm_files / "m.fm"), kind)
    metrics = lines("evaluate", ffm_files / "m.fm", ffm_files / "test")["metrics"][0]
    assert metrics["auc"] == found["model"][0]["validation_auc"] > 0.5
    result = run("predict", ffm_files / "m.fm", ffm_files / "test")
    y = read_libffm(ffm_files / "test").y
    assert log_loss(y, np.loadtxt(result.stdout.splitlines())) == pytest.approx(
        metrics["log_loss"], rel=1e-6
    )
    folds = lines("cv", ffm_files / "train", "--estimator", family, "--max-iter", 1, "--folds", 2)
    assert folds["all folds"][0]["auc_mean"] > 0.5
