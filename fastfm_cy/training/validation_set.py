"""Validation sets: held-out rows, in memory or on disk, and a model's mean loss on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.disk.chunks import in_order, read_ahead
from ..data.disk.dataset import DiskDataset
from ..data.inputs import PlainInput, Rows
from ..data.targets import Encoding
from ..kernels.common.losses import values_and_gradients
from ..kernels.common.settings import Settings
from ..model.scoring import score_rows
from ..model.table import ParameterTable
from ..utils.means import weighted_mean
from .sources import encoded_chunk


@dataclass(frozen=True)
class ValidationSet:
    """Held-out rows in memory, as the kernels take them."""

    rows: Rows
    target: np.ndarray
    """float64, encoded as in training."""
    weights: np.ndarray | None

    def loss(self, table: ParameterTable, settings: Settings, n_jobs: int = 1) -> float:
        """Weighted mean loss."""
        losses = _losses(table, self.rows, self.target, settings, n_jobs)
        return float(weighted_mean(losses, self.weights))

    def sums(self, table: ParameterTable, settings: Settings) -> tuple[float, float]:
        """The sum of the weighted losses, and of the weights, of a part of a larger set."""
        losses = _losses(table, self.rows, self.target, settings, 1)
        if self.weights is None:
            return float(losses.sum()), float(len(losses))
        with np.errstate(over="ignore", invalid="ignore"):
            return float(losses @ self.weights), float(self.weights.sum())


@dataclass(frozen=True)
class DiskValidationSet:
    """What ValidationSet is in memory, of a data set on disk."""

    dataset: DiskDataset
    inputs: PlainInput
    target: Encoding

    def loss(self, table: ParameterTable, settings: Settings, n_jobs: int = 1) -> float:
        """Weighted mean loss."""
        total = weight = 0.0
        for chunk in read_ahead(self.dataset, in_order(self.dataset), table.dtype):
            y, weights = encoded_chunk(chunk, self.target, None)
            y = y.astype(table.dtype).astype(np.float64)
            losses = _losses(table, self.inputs.of_chunk(chunk), y, settings, n_jobs)
            with np.errstate(over="ignore", invalid="ignore"):
                total += losses.sum() if weights is None else losses @ weights
            weight += len(losses) if weights is None else weights.sum()
            del chunk
        if not weight:
            raise ValueError(f"eval_set: {self.dataset.folder} has no row of a positive weight.")
        return float(total / weight)


def _losses(
    table: ParameterTable, rows: Rows, target: np.ndarray, settings: Settings, n_jobs: int
) -> np.ndarray:
    scores = score_rows(table, rows, n_jobs).astype(np.float64, copy=False)
    losses, _ = values_and_gradients(settings, scores, target)
    return losses
