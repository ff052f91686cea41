"""Model files are known by what they hold."""

import numpy as np
import pytest

from fastfm_cy import FFMClassifier, FMRegressor
from fastfm_cy.io import write_libffm_model, write_libsvm
from fastfm_cy.io.model_files.formats import MODEL_FORMATS, model_format_of

X, y = np.eye(4), np.arange(4) % 2


@pytest.fixture(scope="module")
def models():
    plain = FMRegressor(2, max_iter=1, random_state=0).fit(X, y)
    field_aware = FFMClassifier(
        3, fields=[0, 0, 1, 1], fit_intercept=False, fit_linear=False, max_iter=1, random_state=0
    ).fit(X, y)
    return {"libffm_model": field_aware} | dict.fromkeys(
        MODEL_FORMATS.keys() - {"libffm_model"}, plain
    )


@pytest.mark.parametrize("name", MODEL_FORMATS)
def test_what_is_written_is_known(models, tmp_path, name):
    path = tmp_path / "model"
    MODEL_FORMATS[name].write(models[name], path)
    assert model_format_of(path) is MODEL_FORMATS[name]
    content = path.read_bytes()
    known = [row for row in MODEL_FORMATS.values() if row.knows(content[:1024], len(content))]
    assert known == [MODEL_FORMATS[name]]
    task = {"task": "regression"} if MODEL_FORMATS[name].needs_task else {}
    again = MODEL_FORMATS[name].read(path, **task)
    np.testing.assert_array_equal(again.factors_, models[name].factors_)


def test_libffm_in_both_forms(models, tmp_path):
    for text in (False, True):
        write_libffm_model(models["libffm_model"], tmp_path / "model", text=text)
        assert model_format_of(tmp_path / "model").name == "libffm_model"
    (tmp_path / "model").write_bytes((tmp_path / "model").read_bytes() + b"0")
    write_libffm_model(models["libffm_model"], tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:-1])
    assert model_format_of(tmp_path / "cut") is None


def test_what_is_no_model(tmp_path):
    write_libsvm(tmp_path / "rows", X, y)
    (tmp_path / "empty").touch()
    for path in (tmp_path, tmp_path / "rows", tmp_path / "empty"):
        assert model_format_of(path) is None
    with pytest.raises(FileNotFoundError):
        model_format_of(tmp_path / "missing")
