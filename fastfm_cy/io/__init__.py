"""Reading and writing data: text, libFM's binary files, and data sets on disk."""

from .convert import convert
from .csv import read_csv, write_csv
from .dataset import Dataset
from .disk import DiskDataset, open_dataset
from .formats import detect_format, read
from .libffm import read_libffm, write_libffm
from .libfm_binary import read_libfm_binary, read_vector, write_libfm_binary, write_vector
from .libfm_relation import Relation, read_groups, read_relation
from .libsvm import read_libsvm, write_libsvm

__all__ = [
    "Dataset",
    "DiskDataset",
    "Relation",
    "convert",
    "detect_format",
    "open_dataset",
    "read",
    "read_csv",
    "read_groups",
    "read_libffm",
    "read_libfm_binary",
    "read_libsvm",
    "read_relation",
    "read_vector",
    "write_csv",
    "write_libffm",
    "write_libfm_binary",
    "write_libsvm",
    "write_vector",
]
