"""Tables of any columns on the command line."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastfm_cy import FFMClassifier, FMClassifier
from fastfm_cy.io import load_model, read_csv, read_libffm
from fastfm_cy.preprocessing import FieldEncoder, MultiValued


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame(
        {
            "clicked": rng.integers(0, 2, n), "user": rng.integers(0, 20, n),
            "genres": rng.choice(["War|Art", "Art", "War", None], n),
            "age": rng.normal(40, 9, n).round(2), "zip": rng.choice(["02139", "10001"], n),
        }
    )  # fmt: skip
    frame.loc[3, "age"] = np.nan
    frame[:200].to_csv(tmp_path / "train.csv", index=False)
    frame[:200].to_csv(tmp_path / "train.tsv", index=False, sep="\t")
    test = frame[200:].assign(user=99, extra="x")[["extra", *frame.columns[::-1]]]
    test.to_csv(tmp_path / "test.csv", index=False)
    test.drop(columns="clicked").to_csv(tmp_path / "new.csv", index=False)
    return frame


OPTIONS = ("--target", "clicked", "--categorical", "user", "--multi", "genres:|")


def fit(run, folder, source, *options):
    result = run("fit", folder / source, "-m", folder / "m.fm", "--seed", 0, "--max-iter", 2,
                 *options)  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return load_model(folder / "m.fm"), result


def test_a_table_becomes_a_model(run, table, tmp_path):
    model, result = fit(run, tmp_path, "train.csv", *OPTIONS, "--estimator", "ffm")
    assert "categorical, 20 features" in result.stdout
    X = table[:200].drop(columns="clicked").assign(user=lambda frame: frame["user"].astype(str))
    encoder = FieldEncoder({"genres": MultiValued("|")})
    by_hand = FFMClassifier(max_iter=2, random_state=0)
    by_hand.fit(encoder.fit_transform(X), table["clicked"][:200])
    new = table[200:].drop(columns="clicked").assign(user="99")
    expected = by_hand.predict_proba(encoder.transform(new))
    assert np.array_equal(model.predict_proba(new), expected)
    for name in ("new.csv", "test.csv"):
        result = run("predict", tmp_path / "m.fm", tmp_path / name)
        printed = np.array(result.stdout.split(), dtype=float)
        np.testing.assert_allclose(printed, expected[:, 1], rtol=1e-7)
        assert "left out the columns extra" in result.stderr


def test_tsv_and_parquet_give_the_same_model(run, table, tmp_path):
    of_csv, _ = fit(run, tmp_path, "train.csv", *OPTIONS)
    of_tsv, _ = fit(run, tmp_path, "train.tsv", *OPTIONS)
    assert np.array_equal(of_csv.factors_, of_tsv.factors_)
    typed = pl.read_csv(tmp_path / "train.csv", schema_overrides={"zip": pl.String})
    typed.with_columns(pl.col("user").cast(pl.String)).write_parquet(tmp_path / "train.parquet")
    of_parquet, _ = fit(run, tmp_path, "train.parquet", *OPTIONS)
    assert np.array_equal(of_csv.factors_, of_parquet.factors_)


def test_evaluation_finds_the_target(lines, run, table, tmp_path):
    found = lines("fit", tmp_path / "train.csv", "-m", tmp_path / "m.fm", *OPTIONS,
                  "--valid", tmp_path / "test.csv", "--max-iter", 2)  # fmt: skip
    evaluated = lines(
        "evaluate", tmp_path / "m.fm", tmp_path / "test.csv", "--target", "clicked"
    )["metrics"][0]  # fmt: skip
    assert evaluated["log_loss"] == found["model"][0]["validation_log_loss"]
    assert found["columns"][0]["genres"].startswith("multi, 3")
    result = run("evaluate", tmp_path / "m.fm", tmp_path / "test.csv")
    assert result.exit_code == 1
    assert "--target must name" in result.stderr
    assert run("cv", tmp_path / "train.csv", *OPTIONS, "--folds", 2).exit_code == 0
    assert "user=" in run("inspect", tmp_path / "m.fm", "--top", 99).stdout


def test_kinds_from_the_configuration(run, table, tmp_path):
    (tmp_path / "c.toml").write_text(
        'target = "clicked"\n[columns]\nuser = "categorical"\nage = "drop"\nzip = "numeric"\n'
        'genres = {kind = "multi", separator = "|", normalize = "l2"}\n'
    )
    model, result = fit(run, tmp_path, "train.csv", "--config", tmp_path / "c.toml")
    names = set(model.encoder_.field_names_)
    assert names == {"user", "genres", "zip"}
    (tmp_path / "c.toml").write_text('[columns]\nuser = "multiple"\n')
    result = run("fit", tmp_path / "train.csv", "-m", tmp_path / "n.fm", "--config",
                 tmp_path / "c.toml")  # fmt: skip
    assert "[columns]: user must be one of categorical" in result.stderr


def test_labels_that_are_text(run, table, tmp_path):
    labels = table["clicked"].map({0: "no", 1: "yes"})
    table.assign(clicked=labels).to_csv(tmp_path / "labels.csv", index=False)
    model, _ = fit(run, tmp_path, "labels.csv", *OPTIONS)
    assert model.classes_.tolist() == ["no", "yes"]
    kinds = run("predict", tmp_path / "m.fm", tmp_path / "new.csv", "--kind", "label").stdout
    assert set(kinds.split()) <= {"no", "yes"}
    assert json.loads(
        run("evaluate", tmp_path / "m.fm", tmp_path / "labels.csv", "--json").stdout
    )["auc"] > 0.5  # fmt: skip


def test_a_csv_of_numbers_is_read_as_ever(run, table, tmp_path):
    numbers = table[["clicked", "user"]]
    numbers.to_csv(tmp_path / "numbers.csv", index=False)
    model, result = fit(run, tmp_path, "numbers.csv", "--target", "clicked")
    assert not hasattr(model, "encoder_")
    data = read_csv(tmp_path / "numbers.csv", target="clicked")
    same = FMClassifier(max_iter=2, random_state=0).fit(data)
    assert np.array_equal(model.factors_, same.factors_)
    assert "columns" not in result.stdout


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("y,a\n1,2\n0,x\n" + "1,3\n" * 20, (), "row 1: 'x' is no number, as the others are"),
        ("y,a\n1,x\n,z\n", (), "The target, column 'y', has no value in row 1"),
        ("y,a\n1,x\n0,z\n", ("--target", "b"), "there is no column 'b'"),
        ("y,a\n1,x\n0,z\n", ("--multi", "a"), "--multi wants COLUMN:SEPARATOR"),
        ("y,a\n1,x\n0,z\n", ("--categorical", "b"), "There is no column 'b' of features"),
        ("y,a,a\n1,x,x\n0,z,z\n", (), "several columns of the name 'a'"),
        ("y,a,b\n1,x,\n0,z,\n", (), "column 'b' are missing"),
    ],
)
def test_errors(run, tmp_path, text, options, message):
    (tmp_path / "bad.csv").write_text(text)
    result = run("fit", tmp_path / "bad.csv", "-m", tmp_path / "m.fm", *options)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "m.fm").exists()


def test_missing_cells(run, tmp_path):
    (tmp_path / "t.csv").write_text("y,a\n1,NA\n0,x\n" + "1,3\n0,5\n" * 20)
    model, _ = fit(run, tmp_path, "t.csv", "--missing", "NA", "--missing", "x")
    assert model.encoder_.get_feature_names_out().tolist() == ["a", "a=<missing>"]


def test_a_table_is_trained_on_from_disk(run, table, tmp_path):
    result = run("convert", tmp_path / "train.csv", tmp_path / "disk", *OPTIONS)
    assert result.exit_code == 0, result.stderr
    assert run("fit", tmp_path / "disk", "-m", tmp_path / "d.fm", "--estimator", "ffm",
               "--max-iter", 2, "--valid", tmp_path / "test.csv").exit_code == 0  # fmt: skip
    model = load_model(tmp_path / "d.fm")
    assert isinstance(model, FFMClassifier)
    assert model.n_fields_ == len(model.encoder_.field_names_)
    printed = run("predict", tmp_path / "d.fm", tmp_path / "new.csv").stdout.split()
    new = table[200:].drop(columns="clicked").assign(user="99")
    np.testing.assert_allclose(np.array(printed, float), model.predict_proba(new)[:, 1], rtol=1e-7)
    from_disk = run("predict", tmp_path / "d.fm", tmp_path / "disk").stdout.split()
    old = table[:200].drop(columns="clicked").assign(user=lambda frame: frame["user"].astype(str))
    np.testing.assert_allclose(
        np.array(from_disk, float), model.predict_proba(old)[:, 1], rtol=1e-7
    )


def test_tables_to_predict_from_standard_input(run, table, tmp_path):
    fit(run, tmp_path, "train.csv", *OPTIONS)
    text = (tmp_path / "new.csv").read_bytes()
    piped = run("predict", tmp_path / "m.fm", "-", input=text)
    assert piped.exit_code == 0, piped.stderr
    assert piped.stdout == run("predict", tmp_path / "m.fm", tmp_path / "new.csv").stdout
    assert len(piped.stdout.split()) == 100


def test_a_table_becomes_a_file_of_numbers(run, table, tmp_path):
    assert run("convert", tmp_path / "train.csv", tmp_path / "t.ffm", *OPTIONS).exit_code == 0
    data = read_libffm(tmp_path / "t.ffm")
    assert data.fields.data.max() == 3
    np.testing.assert_array_equal(data.y, table["clicked"][:200])
