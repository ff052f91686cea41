"""Reading and writing data and models: text, binary files, data sets on disk, model files."""

from importlib import import_module

from .convert import convert
from .csv import read_csv, write_csv
from .dataset import Dataset
from .disk import DiskDataset, open_dataset
from .formats import detect_format, read
from .libffm import read_libffm, write_libffm
from .libfm_binary import read_libfm_binary, read_vector, write_libfm_binary, write_vector
from .libfm_relation import Relation, read_groups, read_relation
from .libsvm import read_libsvm, write_libsvm

# The files that hold models import the estimators, which import data sets on disk from here: so
# these are imported when they are asked for.
_OF_MODELS = {
    "load_model": "models",
    "read_libffm_model": "libffm_model",
    "read_libfm_model": "libfm_model",
    "read_xlearn_model": "xlearn_model",
    "save_model": "models",
    "write_libffm_model": "libffm_model",
    "write_libfm_model": "libfm_model",
    "write_xlearn_model": "xlearn_model",
}

__all__ = [
    "Dataset",
    "DiskDataset",
    "Relation",
    "convert",
    "detect_format",
    "load_model",
    "open_dataset",
    "read",
    "read_csv",
    "read_groups",
    "read_libffm",
    "read_libffm_model",
    "read_libfm_binary",
    "read_libfm_model",
    "read_libsvm",
    "read_relation",
    "read_vector",
    "read_xlearn_model",
    "save_model",
    "write_csv",
    "write_libffm",
    "write_libffm_model",
    "write_libfm_binary",
    "write_libfm_model",
    "write_libsvm",
    "write_vector",
    "write_xlearn_model",
]


def __getattr__(name):
    if name not in _OF_MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_OF_MODELS[name]}"), name)


def __dir__():
    return sorted({*globals(), *__all__})
