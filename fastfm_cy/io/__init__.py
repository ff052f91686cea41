"""Reading and writing data and models: text, binary files, data sets on disk, model files."""

from ..data.dataset import Dataset
from ..data.disk.dataset import DiskDataset, open_dataset
from .data_files.convert import convert
from .data_files.csv import read_csv, write_csv
from .data_files.interactions import read_interactions
from .data_files.libffm import read_libffm, write_libffm
from .data_files.libfm_binary import (
    read_libfm_binary,
    read_vector,
    write_libfm_binary,
    write_vector,
)
from .data_files.libfm_relation import Relation, read_groups, read_relation
from .data_files.libsvm import read_libsvm, write_libsvm
from .data_files.reading import detect_format, read
from .data_files.sparse_lines import hashed_feature
from .model_files.libffm import read_libffm_model, write_libffm_model
from .model_files.libfm import read_libfm_model, write_libfm_model
from .model_files.native import load_model, save_model
from .model_files.xlearn import read_xlearn_model, write_xlearn_model

__all__ = [
    "Dataset",
    "DiskDataset",
    "Relation",
    "convert",
    "detect_format",
    "hashed_feature",
    "load_model",
    "open_dataset",
    "read",
    "read_csv",
    "read_groups",
    "read_interactions",
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
