"""What commands say of the files they are given: outputs and parameters before any work."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fastfm_cy.cli.app import app
from fastfm_cy.io import (
    convert,
    load_model,
    open_dataset,
    read_libffm,
    read_libffm_model,
    read_libsvm,
    write_csv,
    write_libffm,
    write_libffm_model,
    write_libfm_binary,
    write_libfm_model,
    write_libsvm,
    write_xlearn_model,
)
from fastfm_cy.io.data_files.line_reader import LineReader


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Some files in the working folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = (rng.random((60, 6)) < 0.5).astype(np.float32)
    X[:, 5], X[0] = 1, 0  # a row without entries comes first, and there is no other
    y = (X[:, 0] > 0).astype(int)
    write_libsvm("a.svm", X, y)
    write_libffm("a.ffm", X, y, fields=[0, 0, 1, 1, 2, 2])
    write_csv("a.csv", X, y, feature_names=list("abcdef"))
    write_libfm_binary("a", X, y, by_columns=True)
    for name, skipped in (("a.svm", 2), ("a.ffm", 2)):
        lines = Path(name).read_text().splitlines()[1:]
        Path(f"bare{name[1:]}").write_text("".join(line[skipped:] + "\n" for line in lines))
    return tmp_path


@pytest.fixture
def call(small):
    """Run a command; what it prints, or its error."""

    def invoke(*arguments, exit_code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == exit_code, result.stderr
        return result.stdout if exit_code == 0 else result.stderr

    return invoke


@pytest.fixture
def unread(monkeypatch):
    """No row of data may be read."""

    def refuse(self):
        pytest.fail("data were read before the command line was judged")

    monkeypatch.setattr(LineReader, "__iter__", refuse)
    monkeypatch.setattr("fastfm_cy.io.data_files.libfm_binary.read_matrix", refuse)
    monkeypatch.setattr("fastfm_cy.datasets.ratings.split_lines", refuse)


# Outputs ----------------------------------------------------------------------------------------

FFM = ("ffm-train", "a.ffm")
LIBFM = ("libfm", "-task", "r", "-train", "a.svm", "-test", "a.svm", "-iter", "1")
PREDICT = ("predict", "a.fm", "a.svm", "-o")
OUTPUTS = {
    "fit": ("fit", "a.svm", "-m"),
    "predict": PREDICT,
    "convert": ("convert", "a.svm", "--to", "csv"),
    "convert to binary": ("convert", "a.svm", "--to", "libfm_binary"),
    "convert to a folder": ("convert", "a.svm", "--to", "folder", "--overwrite"),
    "convert a model": ("convert", "a.fm", "--to", "libfm_model"),
    "ffm-train": FFM,
    "ffm-predict": ("ffm-predict", "a.ffm", "ffm.model"),
    "libfm -out": (*LIBFM, "-out"),
    "libfm -rlog": (*LIBFM, "-rlog"),
    "libfm -save_model": (*LIBFM, "-method", "sgd", "-save_model"),
    "libfm, mcmc, -save_model": (*LIBFM, "-save_model"),
    "demo": ("demo", "--rows", "100", "--plot"),
}  # fmt: skip


@pytest.fixture
def models(call):
    call("fit", "a.svm", "-m", "a.fm", "--max-iter", 1)
    call("ffm-train", "--quiet", "-t", 1, "a.ffm", "ffm.model")


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("output", ["no/where", "folder", "a.svm/x"])
def test_outputs_are_tried_first(models, call, small, unread, name, output):
    (small / "folder").mkdir()
    (small / "folder" / "precious").write_text("mine")
    before = {path: path.read_bytes() for path in small.iterdir() if path.is_file()}
    if name == "convert to binary" and output == "folder":
        output = "no/where"  # NAME.x, NAME.xt and NAME.y can stand beside a folder NAME
    message = call(
        *OUTPUTS[name], output, exit_code=2 if (name, output) == ("demo", "folder") else 1
    )
    assert "no data set" in message or "folder" in message or "directory" in message
    assert {path: path.read_bytes() for path in small.iterdir() if path.is_file()} == before
    assert os.listdir(small / "folder") == ["precious"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
@pytest.mark.parametrize("name", OUTPUTS)
def test_folders_that_cannot_be_written_to(models, call, small, unread, name):
    (small / "shut").mkdir(mode=0o500)
    assert "cannot be written" in call(*OUTPUTS[name], "shut/x", exit_code=1)


@pytest.mark.parametrize("name", ["fit", "ffm-train", "convert a model"])
def test_models_are_not_packed(models, call, unread, name):
    assert "Models are not packed" in call(*OUTPUTS[name], "m.gz", exit_code=1)


def test_a_picture_of_a_kind_that_cannot_be_drawn(call, unread):
    pytest.importorskip("matplotlib")
    assert "pictures can be" in call("demo", "--rows", 100, "--plot", "x.nothing", exit_code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "a.svm", "-m", "a.svm"),
        ("fit", "a.svm", "--valid", "a.ffm", "-m", "./a.ffm"),
        (*PREDICT, "a.fm"),
        (*PREDICT, "a.svm"),
        (*LIBFM, "-out", "a.svm"),
        (*LIBFM, "-out", "x", "-rlog", "x"),
        (*FFM, "a.ffm"),
        ("ffm-predict", "a.ffm", "ffm.model", "ffm.model"),
    ],
)
def test_no_input_is_overwritten(models, call, small, unread, arguments):
    before = {path: path.read_bytes() for path in small.iterdir()}
    assert "name another file to write to" in call(*arguments, exit_code=1)
    assert {path: path.read_bytes() for path in small.iterdir()} == before


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no /dev/null")
def test_special_files_are_written_to(models, call):
    call(*PREDICT, "/dev/null")
    call(*LIBFM, "-out", "/dev/null", "-rlog", "/dev/null")


# Inputs and parameters --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "a.svm", "--valid", "gone", "-m", "m"),
        ("fit", "a.svm", "gone", "-m", "m"),
        ("cv", "a.svm", "gone"),
        ("predict", "a.fm", "gone"),
        ("predict", "a.fm", "a.svm", "gone"),
        ("evaluate", "a.fm", "gone"),
        ("convert", "a.svm", "gone", "x.csv"),
        ("inspect", "gone"),
        (*LIBFM, "-meta", "gone"),
        (*LIBFM, "-load_model", "gone"),
        (*LIBFM[:5], "-test", "gone"),
        (*FFM, "-p", "gone"),
        ("ffm-predict", "a.ffm", "gone", "out"),
        ("ffm-predict", "gone", "ffm.model", "out"),
    ],
)
def test_inputs_are_looked_for_first(models, call, unread, arguments):
    assert "No such file or directory: 'gone'" in call(*arguments, exit_code=1)


WRONG = [
    (("--max-iter", 0), "max_iter"),
    (("--learning-rate", "nan"), "learning_rate"),
    (("--learning-rate", -1), "learning_rate"),
    (("--set", "n_factors=abc"), "n_factors"),
    (("--set", "n_factors=" + "9" * 5000), "n_factors"),
    (("--set", "huber_delta=0"), "huber_delta"),
    (("--l2-linear", "nan"), "l2_linear"),
    (("--l2-factors", -1), "l2_factors"),
    (("--set", "l1_factors=-1"), "l1_factors"),
    (("--set", "l2_linear=[1, -1]"), "l2_linear"),
    (("--solver", "newton"), "solver"),
    (("--loss", "squared"), "loss"),
    (("--n-jobs", -5), "n_jobs"),
    (("--set", "random_state=abc"), "abc"),
    (("--set", "dtype=float16"), "dtype"),
    (("--set", "clip_predictions=[2, 1]", "--task", "regression"), "clip_predictions"),
    (("--set", "tol=-1"), "tol"),
    (("--set", "n_factor=3"), "did you mean n_factors?"),
    (("--estimator", "ffm", "--set", "normalize=l1"), "normalize"),
    (("--estimator", "ffm", "--set", "max_memory=lots"), "max_memory"),
    (("--estimator", "bayes", "--max-iter", 5), "leaves no draw to keep"),
    (("--estimator", "bayes", "--set", "alpha_0=-1"), "alpha_0"),
    (("--estimator", "svm"), "estimator must be one of"),
    (("--task", "ranking"), "task must be"),
    (("--set", "scoring=auc"), "Did you mean roc_auc?"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=[str(row[0])[:50] for row in WRONG])
@pytest.mark.parametrize("command", [("fit", "a.svm", "-m", "m"), ("cv", "a.svm")])
def test_parameters_are_judged_first(call, small, unread, command, options, message):
    before = set(small.iterdir())
    assert message in call(*command, *options, exit_code=1)
    assert set(small.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*LIBFM, "-method", "sgd", "-learn_rate", "nan"), "learn_rate"),
        ((*LIBFM, "-method", "sgd", "-learn_rate", "inf"), "learning_rate"),
        ((*LIBFM, "-init_stdev", "inf"), "init_scale"),
        ((*LIBFM, "-method", "als", "-regular", "-1"), "l2_intercept"),
        ((*LIBFM, "-method", "als", "-regular", "0,nan,0"), "l2_linear"),
        ((*LIBFM, "-method", "als", "-regular", "0,1,1,-2,1"), "l2_factors"),
        ((*LIBFM, "-method", "als", "-regular", "0,1"), "-regular must have 1, 3"),
        ((*FFM, "-r", "nan"), "learning_rate"),
        ((*FFM, "-l", "-1"), "l2_factors"),
        ((*FFM, "-t", "0"), "max_iter"),
        ((*FFM, "-s", "-7"), "n_jobs"),
    ],
)
def test_flags_of_others_are_judged_first(call, unread, arguments, message):
    code = 2 if message == "learn_rate" else 1
    assert message in call(*arguments, exit_code=code)


def test_what_suits_one_task_only_waits_for_the_data(call):
    for options in (("--loss", "hinge"), ("--set", "class_weight=balanced")):
        call("fit", "a.svm", "-m", "m", *options, "--max-iter", 1)
        assert type(load_model("m")).__name__ == "FMClassifier"
    message = call("fit", "a.svm", "-m", "m", "--loss", "huber", exit_code=1)
    assert "loss must be one of 'log_loss'" in message


def test_metrics_that_are_none(call, unread):
    message = call("fit", "a.svm", "-m", "m", "--metric", "auc", exit_code=1)
    assert "Did you mean roc_auc?" in message
    assert len(message) < 500


# Labels -----------------------------------------------------------------------------------------


def test_data_without_labels(models, call, small):
    expected = call("predict", "a.fm", "a.svm").splitlines()[1:]
    assert call("predict", "a.fm", "bare.svm").splitlines() == expected
    convert("bare.svm", "disk", n_features=6)
    assert call("predict", "a.fm", "disk").splitlines() == expected
    os.unlink("a.y")
    assert call("predict", "a.fm", "a.x").splitlines()[1:] == expected
    write_csv("bare.csv", read_libsvm("bare.svm", n_features=6).X.toarray())
    assert call("predict", "a.fm", "bare.csv", "--target", "none").splitlines() == expected
    message = call("predict", "a.fm", "bare.csv", exit_code=1)
    assert "5 features are read, but the model knows 6" in message
    assert "--target none" in message


@pytest.mark.parametrize(
    "command",
    [
        ("fit", "bare.svm", "-m", "m"), ("fit", "a.svm", "--valid", "bare.svm", "-m", "m"),
        ("cv", "bare.svm"), ("evaluate", "a.fm", "bare.svm"), ("ffm-train", "bare.ffm", "m"),
        (*FFM, "m", "-p", "bare.ffm"),
        ("libfm", "-task", "c", "-train", "bare.svm", "-test", "a.svm"),
        (*LIBFM, "-method", "sgda", "-validation", "bare.svm"),
    ],
)  # fmt: skip
def test_what_needs_labels(models, call, small, command):
    message = call(*command, exit_code=1)
    assert "there is no label in any row" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("method", ["sgd", "als", "mcmc"])
@pytest.mark.parametrize("task", ["r", "c"])
def test_libfm_without_labels_of_the_test_data(call, method, task):
    write_libsvm("test.svm", read_libsvm("bare.svm", n_features=6).X, np.ones(59))
    flags = ["-task", task, "-method", method, "-iter", 2, "-seed", 0, "-train", "a.svm"]
    flags += ["-learn_rate", 0.01, "-verbosity", 1, "-rlog", "log", "-out"]
    labelled = call("libfm", *flags, "with", "-test", "test.svm")
    bare = call("libfm", *flags, "without", "-test", "bare.svm")
    assert Path("with").read_text() == Path("without").read_text()
    assert "Test=" in labelled
    assert "Test" not in bare
    assert bare.count("Train=") == 2
    name = "rmse_train" if task == "r" else "accuracy_train"
    header, *rows = Path("log").read_text().splitlines()
    assert name in header.split("\t")
    assert not {"rmse", "mae", "accuracy"} & set(header.split("\t"))
    assert {len(row.split("\t")) for row in rows} == {len(header.split("\t"))}


def test_ffm_predict_without_labels(models, call):
    assert "logloss" in call("ffm-predict", "a.ffm", "ffm.model", "with")
    assert call("ffm-predict", "bare.ffm", "ffm.model", "without") == ""
    assert Path("with").read_text().splitlines()[1:] == Path("without").read_text().splitlines()


# Formats ----------------------------------------------------------------------------------------


def test_models_of_libffm_are_known_everywhere(models, call, small):
    expected = read_libffm_model("ffm.model")
    data = read_libffm("a.ffm")
    probabilities = expected.predict_proba(data)[:, 1]
    write_libffm_model(expected, "text.model", text=True)
    for name in ("ffm.model", "text.model"):
        assert "FFMClassifier" in call("inspect", name)
        printed = np.loadtxt(call("predict", name, "a.ffm").splitlines())
        np.testing.assert_allclose(printed, probabilities, rtol=1e-6)
        assert "log_loss" in call("evaluate", name, "a.ffm")
        call("convert", name, "own.fm")
        np.testing.assert_array_equal(load_model("own.fm").factors_, expected.factors_)
    call("convert", "own.fm", "again.model", "--to", "libffm_model")
    np.testing.assert_array_equal(read_libffm_model("again.model").factors_, expected.factors_)
    message = call("predict", "ffm.model", "a.svm", exit_code=1)
    assert "a command needs a file of libffm's format" in message


def test_models_and_data_are_not_mistaken(models, call, small):
    model = load_model("a.fm")
    write_libfm_model(model, "libfm.txt")
    write_xlearn_model(model, "xlearn.txt")
    for name, title in (("a.fm", "fastfm_cy"), ("ffm.model", "libffm"), ("libfm.txt", "libFM"),
                        ("xlearn.txt", "xLearn")):  # fmt: skip
        for command in (("fit", name, "-m", "m"), ("predict", "a.fm", name), ("cv", name),
                        ("evaluate", "a.fm", "a.svm", name)):  # fmt: skip
            assert f"{name} is a model of {title}, not data" in call(*command, exit_code=1)
    for name in ("a.svm", "a.csv", "a.x", "a.y"):
        for command in (("predict", name, "a.svm"), ("evaluate", name, "a.svm")):
            assert f"{name} is no model file" in call(*command, exit_code=1)
    assert "is a binary file" in call("inspect", "a.y", exit_code=1)


def test_libsvm_is_not_taken_for_libffm(call):
    for command in (("ffm-train", "a.svm", "m"), ("fit", "a.svm", "--format", "libffm", "-m", "m")):
        assert "is one of the format libsvm" in call(*command, exit_code=1)
    message = call("fit", "a.ffm", "--format", "libsvm", "-m", "m", exit_code=1)
    assert "is one of the format libffm" in message


def test_a_row_without_entries_may_come_first(models, call):
    assert "60" in call("inspect", "a.svm")
    call("convert", "a.svm", "b.csv")
    call("convert", "a.ffm", "folder")
    assert open_dataset("folder").has("fields")


@pytest.mark.parametrize("estimator", ["ffm", "fwfm"])
def test_an_estimator_of_fields_says_what_it_needs(call, estimator):
    lines = "".join(f"{i % 2} {i % 300}:1 {299 - i % 300}:1\n" for i in range(600))
    Path("wide.svm").write_text(lines)
    message = call("fit", "wide.svm", "-m", "m", "--estimator", estimator, exit_code=1)
    assert "a file of libffm's format, or --set fields=" in message


def test_tables_of_pandas(call):
    Path("p.csv").write_text("".join(f"{i},{i % 2},{i % 7}\n" for i in range(50)))
    content = Path("p.csv").read_text()
    Path("p.csv").write_text(",y,a\n" + content)
    for target in ((), ("--target", "y")):
        message = call("fit", "p.csv", "-m", "m", *target, exit_code=1)
        assert "--drop 0" in message
        call("fit", "p.csv", "-m", "m", *target, "--drop", 0, "--max-iter", 1)
        assert load_model("m").n_features_in_ == 1
    printed = call("inspect", "p.csv", "--drop", 0)
    assert "target" in printed
    assert " y" in printed


def test_the_target_that_is_taken_is_told(call):
    Path("r.csv").write_text("userId,movieId,rating\n1,2,3.5\n2,2,1\n4,1,5\n")
    result = CliRunner().invoke(app, ["inspect", "r.csv"])
    assert result.stderr.startswith("warning: r.csv: the first column, 'userId', is taken")
    assert CliRunner().invoke(app, ["inspect", "r.csv", "--target", "rating"]).stderr == ""


def test_names_are_hashed(call):
    rng = np.random.default_rng(0)
    users, items = rng.integers(10, size=(2, 300))
    y = (users + items) % 2
    rows = list(zip(y, users, items, strict=True))
    Path("h.svm").write_text("".join(f"{t} u{u}:1 i{i}:1\n" for t, u, i in rows))
    Path("h.ffm").write_text("".join(f"{t} 0:u{u}:1 1:{2**40 + i}:1\n" for t, u, i in rows))
    Path("h.csv").write_text("y,user,item\n" + "".join(f"{t},u{u},i{i}\n" for t, u, i in rows))
    for name, estimator in (("h.svm", "fm"), ("h.ffm", "ffm"), ("h.csv", "ffm"), ("h.csv", "fm")):
        hashed = name, "--n-hash", 500
        call("fit", *hashed, "-m", "m", "--estimator", estimator, "--max-iter", 2)
        assert load_model("m").n_features_in_ == 500
        assert len(call("predict", "m", *hashed).splitlines()) == 300
        call("evaluate", "m", *hashed)
        call("cv", *hashed, "--folds", 2, "--max-iter", 1)
        call("convert", *hashed, "folder", "--overwrite")
        assert open_dataset("folder").shape == (300, 500)
        if name.endswith("csv"):  # a table, whose text needs no hashing
            call("fit", name, "-m", "m", "--estimator", estimator, "--max-iter", 2)
            assert load_model("m").encoder_.n_fields_ == 2
        else:
            assert "n_hash" in call("fit", name, "-m", "m", exit_code=1)
    assert "is for files" in call("fit", "folder", "-m", "m", "--n-hash", 500, exit_code=1)


def test_other_widths_on_disk(call):
    call("fit", "a.svm", "-m", "m", "--max-iter", 1)
    Path("narrow.svm").write_text("1 0:1\n0 1:1\n")
    call("convert", "narrow.svm", "narrow")
    assert "n_features=" in call("predict", "m", "narrow", exit_code=1)
    call("convert", "narrow.svm", "narrow", "--n-features", 6, "--overwrite")
    assert len(call("predict", "m", "narrow").splitlines()) == 2


def test_configurations_in_other_encodings(call, small, unread):
    (small / "fit.toml").write_bytes("max_iter = 2\n".encode("utf-16"))
    message = call("fit", "a.svm", "-m", "m", "--config", "fit.toml", exit_code=1)
    assert "fit.toml is text in UTF-16" in message


def test_standard_input_of_any_kind(small):
    command = [sys.executable, "-m", "fastfm_cy.cli", "inspect", "-", "--json"]
    for content, rows in ((b"1\r" * 5000 + b"1 0:1\r0 1:1\r", 5002), (b"0:1\n1:1\n", 2)):
        result = subprocess.run(command, input=content, capture_output=True)
        assert result.returncode == 0, result.stderr
        assert f'"rows": {rows}'.encode() in result.stdout
