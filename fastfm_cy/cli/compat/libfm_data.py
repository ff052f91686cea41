"""What libFM's command line reads: training and test rows, groups, relations."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from ...data.relational import RelationalDesign
from ...io import read_groups, read_libsvm, read_relation
from ...io.data_files.reading import format_of
from ..data import targets_of

_BINARY = (".x", ".xt", ".data", ".datat")


@dataclass
class Part:
    """Rows and targets."""

    X: sparse.csr_array | RelationalDesign
    y: np.ndarray | None


@dataclass
class Problem:
    """All that a command line names."""

    train: Part
    test: Part
    validation: Part | None
    groups: np.ndarray | None
    """Of each feature."""
    is_classification: bool

    @property
    def n_features(self):
        return self.train.X.shape[1]

    @property
    def n_groups(self):
        return 1 if self.groups is None else int(self.groups.max()) + 1

    def widen(self, n_features, model):
        """Give the data the features of a model, which must have all of theirs."""
        if self.n_features == n_features:
            return
        if self.n_features > n_features or isinstance(self.train.X, RelationalDesign):
            raise ValueError(
                f"{model} is a model of {n_features} features; the data have {self.n_features}."
            )
        for part in filter(None, (self.train, self.test, self.validation)):
            part.X.resize(part.X.shape[0], n_features)

    def describe(self):
        """Print what libFM prints with -verbosity."""
        for name in ("train", "validation", "test"):
            part = getattr(self, name)
            if part is None:
                continue
            facts = {"num_rows": part.X.shape[0], "num_features": part.X.shape[1]}
            if part.y is not None:
                facts |= {"min_target": part.y.min(), "max_target": part.y.max()}
            numbers = "".join(f"\t{fact}={value:.15g}" for fact, value in facts.items())
            print(f"{name}{numbers}")
        print(f"#attr={self.n_features}\t#groups={self.n_groups}")


def sources_of(options):
    """The files that the options name to be read, but those of relations."""
    data = [options.train, options.test, options.validation]
    return [
        *(_matrix_of(file) for file in data if file), options.meta, options.load_model,
    ]  # fmt: skip


def load_problem(options):
    """Read the files that the options name."""
    named = {"train": options.train, "test": options.test, "validation": options.validation}
    parts = {name: _read(file) for name, file in named.items() if file}
    for name in parts.keys() - {"test"}:
        targets_of(parts[name], named[name])
    groups = None if options.meta is None else read_groups(options.meta)
    n_features = max(part.X.shape[1] for part in parts.values())
    if groups is not None:
        if len(groups) < n_features:
            raise ValueError(
                f"{options.meta} has groups of {len(groups)} features; the data have {n_features}."
            )
        n_features = len(groups)
    for part in parts.values():
        part.X.resize(part.X.shape[0], n_features)
        if options.task == "c" and part.y is not None:
            part.y = np.where(part.y > 0, 1.0, -1.0)
    for name in options.relation:
        groups = _join(parts, name, groups)
    return Problem(
        parts["train"], parts["test"], parts.get("validation"), groups, options.task == "c"
    )


def _matrix_of(file):
    """The file itself or, as libFM names its binary files, the one with the suffix of a matrix."""
    path = Path(file)
    candidates = [path.with_name(path.name + suffix) for suffix in _BINARY]
    return str(next((c for c in candidates if c.exists() and not path.exists()), path))


def _read(file):
    path = _matrix_of(file)
    row = format_of(path)
    data = read_libsvm(path) if row is None or row.is_text else row.read(path)
    return Part(data.X, data.y)


def _join(parts, name, groups):
    """Add a relation's features to the rows; the groups of all features, old and new."""
    relation = read_relation(name)
    n_before = parts["train"].X.shape[1]
    for part_name, part in parts.items():
        rows = getattr(relation, part_name, None)
        if rows is None:
            raise ValueError(f"The relation {name} has no rows for this data: {name}.{part_name}.")
        if len(rows) != part.X.shape[0]:
            raise ValueError(
                f"{name}.{part_name} has {len(rows)} cases; the {part_name} data have "
                f"{part.X.shape[0]} rows."
            )
        blocks = part.X.blocks if isinstance(part.X, RelationalDesign) else [(part.X, None)]
        part.X = RelationalDesign([*blocks, (relation.X, rows)])
    # As in libFM: a relation's groups are its own, one if it has no file of them.
    before = np.zeros(n_before, dtype=np.int32) if groups is None else groups
    block = relation.groups
    if block is None:
        block = np.zeros(relation.X.shape[1], dtype=np.int32)
    return np.concatenate([before, before.max(initial=-1) + 1 + block])
