"""fit, predict, evaluate, cv, convert and inspect."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from fastfm_cy import BayesianFMRegressor, FMClassifier, FMRegressor
from fastfm_cy.estimators import base
from fastfm_cy.estimators.intake import take_in_from_disk
from fastfm_cy.io import load_model, open_dataset, read_csv, read_libfm_binary, read_libsvm


def _fit(run, files, name="ratings", *options):
    result = run("fit", files / f"{name}.libsvm", "-m", files / "m.fm", "--seed", 0, *options)
    assert result.exit_code == 0, result.stderr
    return load_model(files / "m.fm"), result


def test_fit_is_what_python_does(run, files):
    X, y = read_libsvm(files / "ratings.libsvm")
    model, _ = _fit(run, files, "ratings", "-k", 4, "--max-iter", 3, "--solver", "sgd")
    same = FMRegressor(n_factors=4, max_iter=3, solver="sgd", random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), same.predict(X))
    assert model.get_params() == same.get_params()


@pytest.mark.parametrize(("name", "kind"), [("ratings", FMRegressor), ("clicks", FMClassifier)])
def test_the_task_is_seen_from_the_targets(run, files, name, kind):
    assert type(_fit(run, files, name, "--max-iter", 1)[0]) is kind
    model, _ = _fit(run, files, "clicks", "--max-iter", 1, "--task", "regression")
    assert type(model) is FMRegressor


def test_the_table_of_epochs(run, files):
    _, result = _fit(
        run, files, "clicks", "--max-iter", 3, "--valid", files / "clicks_test.libsvm",
        "--metric", "roc_auc",
    )  # fmt: skip
    header, *epochs = [line for line in result.stderr.splitlines() if line.strip()]
    assert header.split() == (
        ["epoch", "train", "loss", "validation", "loss", "validation", "score", "rows/s"]
    )
    assert [line.split()[0] for line in epochs] == ["1", "2", "3"]
    assert 0.5 < float(epochs[-1].split()[3]) < 1
    assert float(epochs[-1].split()[4].replace(",", "")) > 0
    assert "2,000" in result.stdout
    assert "validation_auc" in result.stdout


def test_json_lines(lines, files):
    found = lines(
        "fit", files / "ratings.libsvm", "-m", files / "m.fm", "--max-iter", 4,
        "--valid", files / "ratings_test.libsvm",
    )  # fmt: skip
    assert found["data"][0]["rows"] == 2000
    assert [line["epoch"] for line in found["epoch"]] == [1, 2, 3, 4]
    losses = [line["train_loss"] for line in found["epoch"]]
    assert losses == sorted(losses, reverse=True)
    assert all(line["rows_per_second"] > 0 for line in found["epoch"])
    evaluated = lines("evaluate", files / "m.fm", files / "ratings_test.libsvm")["metrics"][0]
    assert evaluated["rmse"] == found["model"][0]["validation_rmse"]


def test_the_seed_decides_the_model(run, files):
    def content(seed):
        run("fit", files / "ratings.libsvm", "-m", files / "m", "--seed", seed, "--max-iter", 1)
        return load_model(files / "m").factors_

    assert np.array_equal(content(1), content(1))
    assert not np.array_equal(content(1), content(2))


def test_a_configuration_is_overridden_by_options(run, files):
    config = files / "fit.toml"
    config.write_text(
        'max-iter = 2\nseed = 5\nsolver = "sgd"\n[parameters]\nn_factors = 3\ninit_scale = 0.5\n'
        "l2-factors = [0.1, 0.2]\n"
    )
    groups = [0, 1] * 100
    n_features = read_libsvm(files / "ratings.libsvm").X.shape[1]
    model, _ = _fit(
        run, files, "ratings", "--config", config, "--max-iter", 1,
        "--set", f"feature_groups={groups[:n_features]}", "--set", "shuffle=false",
    )  # fmt: skip
    assert (model.max_iter, model.random_state, model.solver) == (1, 0, "sgd")
    assert (model.n_factors, model.init_scale, model.shuffle) == (3, 0.5, False)
    assert list(model.l2_factors) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("maxiter = 2", "unknown option 'maxiter'"),
        ("max_iter = ", "fit.toml: "),
        ("[parameters]\nn_factor = 2", "did you mean n_factors?"),
    ],
)
def test_wrong_configurations(run, files, text, message):
    (files / "fit.toml").write_text(text)
    result = run(
        "fit", files / "ratings.libsvm", "-m", files / "m.fm", "--config", files / "fit.toml"
    )
    assert result.exit_code != 0
    assert message in result.stderr
    assert not (files / "m.fm").exists()


def test_predictions_one_a_line(run, files):
    model, _ = _fit(run, files, "ratings", "--max-iter", 2)
    X, y = read_libsvm(files / "ratings_test.libsvm")
    result = run("predict", files / "m.fm", files / "ratings_test.libsvm")
    printed = np.array(result.stdout.split(), dtype=np.float32)
    np.testing.assert_array_equal(printed, model.predict(X))
    run("predict", files / "m.fm", files / "ratings_test.libsvm", "-o", files / "p.txt")
    assert (files / "p.txt").read_text() == result.stdout
    assert root_mean_squared_error(y, printed) < y.std()


def test_kinds_of_predictions(run, files):
    model, _ = _fit(run, files, "clicks", "--max-iter", 2)
    test = files / "clicks_test.libsvm"
    X, _ = read_libsvm(test)

    def predicted(kind):
        result = run("predict", files / "m.fm", test, "--kind", kind)
        assert result.exit_code == 0, result.stderr
        return np.loadtxt(result.stdout.splitlines())

    np.testing.assert_allclose(predicted("value"), model.predict_proba(X)[:, 1], rtol=1e-7)
    np.testing.assert_allclose(predicted("score"), model.decision_function(X), rtol=1e-7)
    np.testing.assert_array_equal(predicted("label"), model.predict(X))
    result = run("predict", files / "m.fm", test, "--kind", "std")
    assert result.exit_code == 1
    assert "no predictions of kind 'std'" in result.stderr
    model, _ = _fit(run, files, "ratings", "--estimator", "bayes", "--max-iter", 30)
    assert type(model) is BayesianFMRegressor
    X = X.copy()
    X.resize(X.shape[0], model.n_features_in_)
    np.testing.assert_allclose(
        predicted("std"), np.column_stack(model.predict(X, return_std=True)), rtol=1e-7
    )


def test_several_classes(run, lines, files):
    X, _ = read_libsvm(files / "clicks.libsvm")
    y = np.arange(X.shape[0]) % 3
    from fastfm_cy.io import write_libsvm

    write_libsvm(files / "three.libsvm", X, y)
    _fit(run, files, "three", "--task", "classification", "--max-iter", 1, "--loss", "softmax")
    result = run("predict", files / "m.fm", files / "three.libsvm")
    assert np.loadtxt(result.stdout.splitlines()).shape == (len(y), 3)
    metrics = lines("evaluate", files / "m.fm", files / "three.libsvm")["metrics"][0]
    assert set(metrics) == {"event", "rows", "log_loss", "accuracy"}


def test_metrics_are_scikit_learns(run, lines, files):
    model, _ = _fit(run, files, "clicks", "--max-iter", 3)
    X, y = read_libsvm(files / "clicks_test.libsvm")
    metrics = lines("evaluate", files / "m.fm", files / "clicks_test.libsvm")["metrics"][0]
    probability = model.predict_proba(X)[:, 1]
    assert metrics["log_loss"] == pytest.approx(log_loss(y, probability))
    assert metrics["auc"] == pytest.approx(roc_auc_score(y, probability))
    assert metrics["accuracy"] == pytest.approx(model.score(X, y))


def test_features_that_the_model_does_not_know(run, files):
    _fit(run, files, "ratings", "--max-iter", 1)
    known = run("predict", files / "m.fm", "-", input="1 0:1 3:1\n").stdout
    result = run("predict", files / "m.fm", "-", input="1 0:1 3:1 99999:1\n")
    assert result.stdout == known
    assert "left out 1 values" in result.stderr


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(run, files, pack):
    content = pack((files / "ratings_test.libsvm").read_bytes())
    _fit(run, files, "ratings", "--max-iter", 1)
    named = run("predict", files / "m.fm", files / "ratings_test.libsvm").stdout
    assert run("predict", files / "m.fm", "-", input=content).stdout == named
    result = run("fit", "-", "-m", files / "n.fm", "--max-iter", 1, input=content)
    assert result.exit_code == 0, result.stderr


def test_cross_validation(lines, files):
    found = lines("cv", files / "clicks.libsvm", "--folds", 3, "--max-iter", 2, "--seed", 0)
    folds = [found[f"fold {fold}"][0] for fold in (1, 2, 3)]
    of_all = found["all folds"][0]
    for name in ("log_loss", "auc", "accuracy"):
        values = [fold[name] for fold in folds]
        assert of_all[f"{name}_mean"] == pytest.approx(np.mean(values))
        assert of_all[f"{name}_std"] == pytest.approx(np.std(values))
    assert len({fold["auc"] for fold in folds}) == 3
    assert len(found["epoch"]) == 6


def test_data_into_all_formats(run, files):
    source = files / "ratings_test.libsvm"
    X, y = read_libsvm(source)
    for name, options in (
        ("a.csv", []), ("a.svm.gz", []), ("b.x", []), ("folder", []),
        ("c.txt", ["--to", "libsvm"]),
    ):  # fmt: skip
        result = run("convert", source, files / name, *options)
        assert result.exit_code == 0, result.stderr
    for again in (
        read_csv(files / "a.csv"), read_libsvm(files / "a.svm.gz"), open_dataset(files / "folder"),
        read_libfm_binary(files / "b.x"), read_libsvm(files / "c.txt"),
    ):  # fmt: skip
        np.testing.assert_allclose(again.y, y, rtol=1e-6)
        assert (abs(again.X - X)).max() < 1e-6
    assert run("convert", source, files / "folder").exit_code == 1
    assert run("convert", source, files / "folder", "--overwrite").exit_code == 0
    printed = run("convert", source, "-", "--to", "libsvm").stdout
    assert printed == (files / "c.txt").read_text()


def test_models_into_all_formats(run, lines, files):
    test = files / "ratings_test.libsvm"
    _fit(run, files, "ratings", "--max-iter", 2, "--set", "clip_predictions=false")
    expected = lines("evaluate", files / "m.fm", test)["metrics"]
    for kind in ("libfm_model", "xlearn_model"):
        assert run("convert", files / "m.fm", files / "m.txt", "--to", kind).exit_code == 0
        found = lines("evaluate", files / "m.txt", test, "--task", "regression")["metrics"]
        assert found == expected
        result = run("evaluate", files / "m.txt", test)
        assert result.exit_code == 1
        assert "give --task regression or classification" in result.stderr
    arguments = "convert", files / "m.txt", files / "again.fm", "--task", "regression"
    assert run(*arguments).exit_code == 0
    assert lines("evaluate", files / "again.fm", test)["metrics"] == expected


def test_inspect(lines, run, files):
    facts = lines("inspect", files / "ratings.libsvm")["data"][0]
    X, y = read_libsvm(files / "ratings.libsvm")
    assert (facts["rows"], facts["features"], facts["values"]) == (*X.shape, X.nnz)
    assert facts["target_mean"] == pytest.approx(y.mean())
    model, _ = _fit(run, files, "ratings", "--max-iter", 2, "-k", 3)
    found = lines("inspect", files / "m.fm", "--top", 2)
    assert found["model"][0]["estimator"] == "FMRegressor"
    assert found["model"][0]["factors"] == 3
    assert found["parameters"][0]["n_factors"] == 3
    weights = {name: w for name, w in found["largest weights"][0].items() if name != "event"}
    largest = np.argmax(np.abs(model.coef_))
    assert weights[str(largest)] == pytest.approx(float(model.coef_[largest]))
    assert len(weights) == 2
    _fit(run, files, "clicks", "--max-iter", 1)
    assert run("inspect", files / "m.fm").exit_code == 0


def test_training_from_a_folder(run, files):
    run("convert", files / "ratings.libsvm", files / "folder")
    result = run(
        "fit", files / "folder", "-m", files / "m.fm", "--max-iter", 2, "--set", "shuffle=false"
    )
    assert result.exit_code == 0, result.stderr
    X, y = read_libsvm(files / "ratings.libsvm")
    assert load_model(files / "m.fm").score(X, y) > 0


def test_gradient_solvers_leave_a_folder_on_disk(run, files, monkeypatch):
    run("convert", files / "ratings.libsvm", files / "folder")
    trained = []
    monkeypatch.setattr(
        base, "take_in_from_disk",
        lambda model, data, *how: trained.append(data) or take_in_from_disk(model, data, *how),
    )  # fmt: skip
    valid = "--valid", files / "folder", "--early-stopping", "--json"
    for solver, n in (("adagrad", 1), ("als", 1)):
        result = run(
            "fit", files / "folder", *valid, "-m", files / "m.fm", "--solver", solver,
            "--max-iter", 2,
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        assert len(trained) == n
        assert json.loads(result.stdout.splitlines()[-1])["validation_rmse"] > 0
    assert run("evaluate", files / "m.fm", files / "folder").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "missing.libsvm", "-m", "m.fm"], "missing.libsvm"),
        (["fit", "bad.libsvm", "-m", "m.fm"], "bad.libsvm, line 2, column 3"),
        (["fit", "ok.libsvm", "-m", "m.fm", "-k", "-3"], "n_factors"),
        (["fit", "ok.libsvm", "-m", "m.fm", "--set", "nothing"], "--set wants name=value"),
        (["fit", "ok.libsvm", "-m", "m.fm", "--estimator", "svm"], "must be one of fm"),
        (["fit", "ok.libsvm", "-m", "m.fm", "--task", "both"], "task must be"),
        (["fit", "ok.libsvm", "-m", "m.fm", "--format", "json"], "format must be one of"),
        (["fit", "ok.libsvm", "-m", "m.fm", "--target", "1"], "option target is for csv"),
        (["predict", "ok.libsvm", "ok.libsvm"], "is no model file"),
        (["predict", "missing.fm", "ok.libsvm"], "missing.fm"),
        (["convert", "ok.libsvm", "x.unknown"], "give --to"),
        (["convert", "ok.libsvm", "x", "--to", "parquet"], "Data can be written as"),
    ],
)
def test_errors(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ok.libsvm").write_text("1 0:1\n2 1:1\n3 0:1 1:1\n")
    (tmp_path / "bad.libsvm").write_text("1 0:1\n2 x:1\n")
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"ok.libsvm", "bad.libsvm"}
    debugged = run("--debug", *arguments)
    assert debugged.exit_code == 1
    assert debugged.exception is not None
    assert not isinstance(debugged.exception, SystemExit)


def test_the_command_as_a_program(files):
    # From there, not from a checkout, whose package lacks the compiled kernels.
    command, there = [sys.executable, "-m", "fastfm_cy.cli"], {"cwd": files, "capture_output": True}
    test = (files / "ratings_test.libsvm").read_bytes()
    fitted = subprocess.run(
        [*command, "fit", files / "ratings.libsvm", "-m", files / "m.fm", "--max-iter", "1"],
        **there,
    )
    assert fitted.returncode == 0, fitted.stderr
    predicted = subprocess.run([*command, "predict", files / "m.fm", "-"], input=test, **there)
    assert len(predicted.stdout.splitlines()) == len(test.splitlines())
    wrong = subprocess.run([*command, "predict", "nothing.fm", "-"], **there)
    assert wrong.returncode == 1
    assert b"Traceback" not in wrong.stderr
    shown = subprocess.run([*command, "--show-completion", "bash"], text=True, **there)
    assert "fastfm-cy" in shown.stdout or "FASTFM" in shown.stdout.upper()
