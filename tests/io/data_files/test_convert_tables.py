"""Tables of any columns become data sets on disk, some rows at a time."""

import numpy as np
import pandas as pd
import pytest

from fastfm_cy import FFMRegressor, FMClassifier, FMRegressor
from fastfm_cy.exceptions import FileFormatError
from fastfm_cy.io import convert, open_dataset
from fastfm_cy.io.data_files.convert_tables import write_table
from fastfm_cy.io.data_files.disk_writer import FolderWriter
from fastfm_cy.io.data_files.frame_text import text_frames
from fastfm_cy.io.data_files.frames import FrameChunks, read_frame
from fastfm_cy.preprocessing import FieldEncoder, MultiValued

SMALL = 200  # bytes a block


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 200
    frame = pd.DataFrame(
        {
            "stars": rng.integers(1, 6, n), "user": rng.integers(0, 20, n),
            "title": rng.choice(['Heat, "the"', "Babe\nin the City", "Fargo"], n),
            "genres": rng.choice(["War|Art", "Art", None], n), "age": rng.normal(40, 9, n).round(2),
            "seen": pd.Timestamp("1998-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "code": [f"{k:03}" if k > 150 else str(k) for k in rng.integers(100, 200, n)],
        }
    )  # fmt: skip
    frame.loc[5, "age"] = np.nan
    frame.to_csv(tmp_path / "t.csv", index=False)
    return frame


def converted(source, folder, encoder, **options):
    with FolderWriter(folder, False) as writer:
        write_table(writer, source, encoder, block_size=SMALL, **options)
    return open_dataset(folder, verify=True)


def test_chunks_are_the_whole(table, tmp_path):
    import polars as pl

    whole = read_frame([tmp_path / "t.csv"])
    chunks = list(FrameChunks([tmp_path / "t.csv"], block_size=SMALL))
    assert len(chunks) > 20
    assert pl.concat(chunks).equals(whole)
    assert whole["title"].to_list() == table["title"].to_list()  # with a line's end in quotes


@pytest.mark.parametrize("content", [b'a,b\n1,"x\ny"\n2,"z""\n"\n3,w', b'a,b\n1,"x\n\n\n"\n2,y\n'])
def test_blocks_of_any_size_give_the_same_rows(tmp_path, content):
    import polars as pl

    (tmp_path / "q.csv").write_bytes(content)
    expected = pl.concat(text_frames(tmp_path / "q.csv", [], None)).rows()
    for size in range(1, len(content) + 1):
        if size >= 4:  # the first line is needed whole
            rows = [row for f in text_frames(tmp_path / "q.csv", [], size) for row in f.rows()]
            assert rows == expected


def test_types_are_those_of_all_rows(tmp_path):
    lines = ["y,a,b,c,d"]
    lines += [f"1,{k},{k},2001-01-01,true" for k in range(50)]
    lines += [f"0,{k}.5,x{k},2001-01-01 12:00,false" for k in range(50)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    frame = next(iter(FrameChunks([tmp_path / "t.csv"], block_size=SMALL)))
    assert [str(dtype) for dtype in frame.dtypes[1:4]] == [
        "Float64", "String", "Datetime(time_unit='us', time_zone=None)",
    ]  # fmt: skip
    assert frame["b"][1] == "1"
    assert str(frame.dtypes[4]) == "Boolean"


def test_rows_are_those_of_the_whole_table(table, tmp_path):
    encoder = FieldEncoder({"genres": MultiValued("|")}, categorical=["user"])
    data = converted(tmp_path / "t.csv", tmp_path / "disk", encoder, target="stars")
    frame = read_frame([tmp_path / "t.csv"]).drop("stars")
    in_memory = FieldEncoder({"genres": MultiValued("|")}, categorical=["user"]).fit(frame)
    X = in_memory.transform(frame)
    mine, theirs = encoder.get_feature_names_out(), in_memory.get_feature_names_out()
    assert sorted(mine) == sorted(theirs)
    place = {name: number for number, name in enumerate(mine)}
    dense = data.X.toarray()[:, [place[name] for name in theirs]]
    np.testing.assert_allclose(dense, X.toarray(), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(data.y, table["stars"])
    assert data.target_name == "stars"


def test_models_of_it_take_tables(table, tmp_path):
    encoder = FieldEncoder({"genres": MultiValued("|")}, categorical=["user"])
    data = convert(
        tmp_path / "t.csv", tmp_path / "disk", encoder=encoder, target="stars", drop=["seen"]
    )
    frame = read_frame([tmp_path / "t.csv"])
    for estimator in (FMRegressor(4, max_iter=3), FFMRegressor(2, max_iter=3)):
        model = estimator.set_params(random_state=0).fit(data)
        assert model.feature_names_in_.tolist() == ["user", "title", "genres", "age", "code"]
        np.testing.assert_array_equal(
            model.predict(frame.drop("stars", "seen")), model.predict(open_dataset(data.folder))
        )
    assert model.n_fields_ == encoder.n_fields_


def test_an_encoder_that_is_fitted_is_used_as_it_is(table, tmp_path):
    encoder = FieldEncoder(categorical=["user"]).fit(
        pd.DataFrame({"user": [1, 2], "age": [1.0, 3]})
    )
    data = convert(tmp_path / "t.csv", tmp_path / "disk", encoder=encoder, target="stars")
    assert data.shape == (200, 3)
    expected = encoder.transform(table[["user", "age"]])
    np.testing.assert_allclose(data.X.toarray(), expected.toarray(), rtol=1e-6)


def test_errors(table, tmp_path):
    source, folder = tmp_path / "t.csv", tmp_path / "disk"
    with pytest.raises(ValueError, match="target: there is no column 'rating'; there are 'stars'"):
        convert(source, folder, encoder=FieldEncoder(), target="rating")
    with pytest.raises(ValueError, match="column 'title', is String; data sets on disk"):
        convert(source, folder, encoder=FieldEncoder(), target="title")
    table.loc[[5, 150], "age"] = 1.0, np.nan
    table.to_csv(tmp_path / "late.csv", index=False)
    with pytest.raises(ValueError, match=r"In the rows from \d+ on, .*column 'age', has no value"):
        converted(tmp_path / "late.csv", folder, FieldEncoder(), target="age")
    with pytest.raises(TypeError, match="give the paths of files"), open(source, "rb") as file:
        convert(file, folder, encoder=FieldEncoder())
    assert not folder.exists()


def test_an_altered_encoder_is_refused(table, tmp_path):
    data = convert(tmp_path / "t.csv", tmp_path / "disk", encoder=FieldEncoder(), target="stars")
    content = data.encoder_file.read_bytes()
    for wrong in (content[:-1], content.replace(b"Fargo", b"Farg\xff")):
        data.encoder_file.write_bytes(wrong)
        with pytest.raises(FileFormatError, match=r"truncated or altered|checksum|no encoder"):
            FMRegressor(max_iter=1).fit(
                open_dataset(data.folder, verify=len(wrong) == len(content))
            )
    data.encoder_file.write_bytes(bytes(len(content)))
    with pytest.raises(FileFormatError, match="is no encoder, or was altered"):
        FMClassifier(max_iter=1).fit(open_dataset(data.folder))


def test_columns_without_values_and_other_encoders_are_refused(table, tmp_path):
    table.assign(age=np.nan).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match="'age'"):
        converted(tmp_path / "t.csv", tmp_path / "disk", FieldEncoder(), target="stars")
    with pytest.raises(TypeError, match="encoder must be a FieldEncoder; got 'one'"):
        convert(tmp_path / "t.csv", tmp_path / "disk", encoder="one")
    assert not (tmp_path / "disk").exists()
