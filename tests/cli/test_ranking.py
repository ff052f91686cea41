"""Commands with recommenders and rankers."""

import csv
import io

import numpy as np
import pytest
from support.ranking import block_taste

from fastfm_cy import FMRanker, FMRecommender
from fastfm_cy.io import load_model, read_interactions, write_libsvm

TRAIN, TEST = block_taste(40, 30)


@pytest.fixture
def csvs(tmp_path):
    for name, matrix in (("train", TRAIN), ("test", TEST)):
        entries = matrix.tocoo()
        rows = zip(entries.row, entries.col, strict=True)
        text = "".join(f"{user},film {item}\n" for user, item in rows)
        (tmp_path / f"{name}.csv").write_text("userId,item\n" + text)
    return tmp_path


FAST = ("--estimator", "recommender", "--seed", 0, "-k", 8, "--max-iter", 5)


def table(text):
    return list(csv.reader(io.StringIO(text)))


def fitted(run, csvs, *options):
    result = run("fit", csvs / "train.csv", "-m", csvs / "m.fm", *FAST, *options)
    assert result.exit_code == 0, result.stderr
    return load_model(csvs / "m.fm"), result


def test_fit_is_what_python_does(run, csvs):
    model, _ = fitted(run, csvs, "--loss", "bpr", "--set", "max_sampled=4")
    same = FMRecommender(8, loss="bpr", max_sampled=4, max_iter=5, random_state=0)
    same.fit(read_interactions(csvs / "train.csv"))
    np.testing.assert_array_equal(model.item_vectors_, same.item_vectors_)
    assert model.user_ids_.dtype.kind == "i"
    assert model.get_params() == same.get_params()


def test_fit_validates_and_evaluate_agrees(lines, csvs):
    found = lines(
        "fit", csvs / "train.csv", "-m", csvs / "m.fm", "--valid", csvs / "test.csv", *FAST
    )
    assert found["data"][0]["users"] == 40
    assert [line["epoch"] for line in found["epoch"]] == [1, 2, 3, 4, 5]
    evaluated = lines("evaluate", csvs / "m.fm", csvs / "test.csv")["metrics"][0]
    assert found["model"][0]["validation_ndcg"] == evaluated["ndcg"]
    assert found["epoch"][-1]["validation_score"] == evaluated["ndcg"]
    shorter = lines("evaluate", csvs / "m.fm", csvs / "test.csv", "--top", 3)["metrics"][0]
    assert shorter["k"] == 3
    assert shorter["precision"] != evaluated["precision"]


def test_recommend(run, csvs):
    model, _ = fitted(run, csvs)
    header, *rows = table(run("recommend", csvs / "m.fm").stdout)
    assert header == ["user", "item", "score"]
    assert len(rows) == 400
    ids, scores = model.recommend(n=3)
    _, *rows = table(run("recommend", csvs / "m.fm", "-n", 3, "-u", 7, "-u", 0).stdout)
    assert [row[:2] for row in rows[:3]] == [["7", item] for item in ids[7]]
    np.testing.assert_allclose([float(row[2]) for row in rows[3:]], scores[0], rtol=1e-6)
    every = table(run("recommend", csvs / "m.fm", "-n", 30, "--keep-seen", "-u", 3).stdout)
    assert len(every) == 31
    unseen = table(run("recommend", csvs / "m.fm", "-n", 30, "-u", 3).stdout)
    assert len(unseen) == 31 - TRAIN[[3]].nnz


def test_recommend_to_new_users(run, csvs):
    model, _ = fitted(run, csvs)
    (csvs / "new.csv").write_text("x,film 1\ny,film 2\nx,film 6\n")
    result = run("recommend", csvs / "m.fm", "--history", csvs / "new.csv", "-n", 2, "-o",
                 csvs / "out.csv")  # fmt: skip
    assert result.exit_code == 0
    _, *rows = table((csvs / "out.csv").read_text())
    ids, _ = model.recommend(n=2, history=[["film 1", "film 6"], ["film 2"]])
    assert [row[:2] for row in rows] == [
        [user, item] for user, items in zip("xy", ids, strict=True) for item in items
    ]


def test_weights_and_columns_too_many(run, tmp_path):
    (tmp_path / "rated.tsv").write_text("u\ta\t1\nu\tb\t-1\nv\tb\t2.5\n")
    result = run("fit", tmp_path / "rated.tsv", "-m", tmp_path / "m", *FAST, "--json")
    assert '"explicit_negatives": 1' in result.stdout
    (tmp_path / "u.data").write_text("1\t2\t5\t881250949\n2\t1\t3\t881250950\n")
    result = run("fit", tmp_path / "u.data", "-m", tmp_path / "m", *FAST)
    assert "line 1: expected user, item and perhaps a weight, found 4 column(s)" in result.stderr
    assert "--no-weights" in result.stderr
    result = run("fit", tmp_path / "u.data", "-m", tmp_path / "m", *FAST, "--no-weights")
    assert result.exit_code == 0, result.stderr


def test_unknown_ids(run, csvs):
    fitted(run, csvs)
    result = run("recommend", csvs / "m.fm", "-u", 5, "-u", 99)
    assert result.exit_code == 1
    assert "user 99 (row 1) is unknown" in result.stderr
    result = run("recommend", csvs / "m.fm", "-u", 5, "-u", 99, "--skip-unknown", "-n", 1)
    assert len(table(result.stdout)) == 2
    assert "whole numbers; 'x' is none" in run("recommend", csvs / "m.fm", "-u", "x").stderr
    (csvs / "some.csv").write_text("1,film 1\n1,film x\n77,film 2\n")
    result = run("evaluate", csvs / "m.fm", csvs / "some.csv")
    assert result.exit_code == 0
    assert "left out 2 of 3 held-out interactions" in result.stderr
    (csvs / "none.csv").write_text("77,film 2\n")
    assert "knows the user and the item of no" in (
        run("evaluate", csvs / "m.fm", csvs / "none.csv").stderr
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "m.fm", "train.csv"), "is a recommender"),
        (("recommend", "m.fm", "-u", "1", "--history", "train.csv"), "one of both"),
        (("recommend", "train.csv"), "no model file"),
        (("cv", "train.csv", "--estimator", "recommender"), "not of queries or users"),
        (("fit", "train.csv", "-m", "n.fm", "--estimator", "recommender", "--loss", "squared"),
         "loss must be one of"),
        (("fit", "train.csv", "-m", "n.fm", "--estimator", "recommender", "--metric", "rmse"),
         "scoring must be one of"),
        (("fit", "train.csv", "-m", "n.fm", "--estimator", "recommender", "--task", "regression"),
         "task must be auto"),
    ],
)  # fmt: skip
def test_wrong_calls(run, csvs, arguments, message, monkeypatch):
    fitted(run, csvs)
    monkeypatch.chdir(csvs)
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (csvs / "n.fm").exists()


def test_inspect(lines, run, csvs):
    fitted(run, csvs)
    facts = lines("inspect", csvs / "m.fm")["model"][0]
    assert (facts["users"], facts["items"], facts["interactions"]) == (40, 30, TRAIN.nnz)


def test_rankers(lines, run, tmp_path):
    rng = np.random.default_rng(0)
    X, qid = rng.normal(size=(200, 5)).round(3), np.arange(200) // 10
    y = (X[:, 0] > 0) * 2.0 + (X[:, 1] > 0)
    write_libsvm(tmp_path / "rows", X, y, query=qid)
    found = lines(
        "fit", tmp_path / "rows", "-m", tmp_path / "m", "--estimator", "ranker", "--seed", 0,
        "--valid", tmp_path / "rows",
    )  # fmt: skip
    same = FMRanker(random_state=0).fit(X, y, qid=qid)
    np.testing.assert_allclose(load_model(tmp_path / "m").predict(X), same.predict(X), rtol=1e-4)
    ndcg = lines("evaluate", tmp_path / "m", tmp_path / "rows")["metrics"][0]["ndcg"]
    assert ndcg == pytest.approx(found["model"][0]["validation_ndcg"])
    assert ndcg > 0.9
    scores = run("predict", tmp_path / "m", tmp_path / "rows").stdout.split()
    np.testing.assert_allclose(np.array(scores, float), same.predict(X), rtol=1e-3, atol=1e-5)
    assert lines("inspect", tmp_path / "m")["model"][0]["features"] == 5
