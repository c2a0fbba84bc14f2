"""Classifiers of showers: on high-level features, and on the cells as sets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cloudchamber.networks.dense import Dense
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.studies.showers.observables import Observables
from cloudchamber.studies.showers.settings import ClassifierSettings
from cloudchamber.training import run
from cloudchamber.training.task import Task

__all__ = ["cells_of", "features_of", "train_classifier"]

_ENTRY = "studies.showers.judge:judge"
_CHUNK = 128


@final
class _DenseOfClouds(nn.Module):
    """A dense network of showers that are clouds of one row."""

    def __init__(self, inputs: int, settings: ClassifierSettings, classes: int) -> None:
        super().__init__()
        self.layers = Dense(inputs, settings.hidden, classes)

    def forward(self, rows: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        return self.layers(torch.cat([rows, conditions], dim=1))


@final
class _DeepSet(nn.Module):
    """A network of each cell, their sum and mean, a network of these (arXiv 1703.06114)."""

    def __init__(self, inputs: int, conditions: int, settings: ClassifierSettings, classes: int) -> None:
        super().__init__()
        width = settings.hidden[-1]
        self.cells = Dense(inputs, settings.hidden, width)
        self.showers = Dense(2 * width + 1 + conditions, settings.hidden, classes)

    def forward(self, rows: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        total = packing.sum(self.cells(rows))
        counts = packing.counts[:, None].to(rows.dtype)
        mean = total / counts.clamp(min=1)
        # Sums in units of a typical number of cells, so that they are of the size of means.
        return self.showers(torch.cat([total / 100, mean, counts.clamp(min=1).log() / 4, conditions], dim=1))


@final
class _Task(Task):
    """Cross-entropy of the class of packed clouds.

    Args:
        network: maps rows, conditions and packing to (B, K) logits.
        clouds: all showers.
        target: (N,) int64 classes.
        train, validation: (n,) int64 showers of the two parts.
    """

    def __init__(
        self, network: nn.Module, clouds: PackedClouds, target: Tensor, train: Tensor, validation: Tensor
    ) -> None:
        self.network, self.size = network, len(train)
        self._clouds, self._target, self._train, self._validation = clouds, target, train, validation

    def to(self, device: torch.device) -> None:
        self._clouds = self._clouds.to(device)
        self._target, self._train = self._target.to(device), self._train.to(device)
        self._validation = self._validation.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        chosen = self._train[rows][share]
        values, packing, conditions = self._clouds.take(chosen)
        return cross_entropy(network(values, conditions, packing), self._target[chosen])

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss."""
        total = 0.0
        for rows in self._validation.split(_CHUNK):
            values, packing, conditions = self._clouds.take(rows)
            total += float(cross_entropy(network(values, conditions, packing), self._target[rows], reduction="sum"))
        return {"validation_loss": total / len(self._validation)}


def features_of(sides: list[np.ndarray], conditions: list[np.ndarray]) -> PackedClouds:
    """Return high-level features (n, K) of several samples as clouds of one row, standardised on the first sample."""
    centre, scale = sides[0].mean(axis=0), sides[0].std(axis=0)
    values = (np.concatenate(sides) - centre) / np.where(scale > 0, scale, 1.0)
    number = torch.arange(len(values) + 1)
    # What no true shower has would be far away whatever it is.
    clipped = np.clip(values, -20, 20).astype(np.float32)
    return PackedClouds(torch.from_numpy(clipped), number, torch.from_numpy(np.concatenate(conditions)))


def cells_of(sides: list[Observables], conditions: list[np.ndarray]) -> PackedClouds:
    """Return the cells of several samples: x and y in 20 mm, layer, logarithm of the energy in MeV."""
    cells = np.concatenate([side.cells for side in sides])
    reach = np.arcsinh(cells[:, :2] / 20)
    values = np.column_stack([reach, cells[:, 2] / 20, np.log10(1e3 * cells[:, 3])]).astype(np.float32)
    counts = np.concatenate([np.bincount(side.hit_shower, minlength=len(side)) for side in sides])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return PackedClouds(
        torch.from_numpy(values), torch.from_numpy(offsets), torch.from_numpy(np.concatenate(conditions))
    )


def train_classifier(
    clouds: PackedClouds,
    target: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray],
    scored: np.ndarray,
    sets: bool,
    settings: ClassifierSettings,
    seed: int,
    state: Path,
    sources: dict[str, Path],
    options: dict[str, Any],
) -> np.ndarray:
    """Train a classifier and return ln p(class | shower) of some showers.

    Args:
        clouds: all showers.
        target: (N,) classes from 0.
        parts: showers that it is trained with, and those on which its loss is watched.
        scored: (n,) showers to score.
        sets: whether clouds are sets of cells, or rows of features.
        settings: widths and loop.
        seed: of everything random.
        state: folder of the resumable state.
        sources: files that the showers are from.
        options: what else tells the classifier from others.

    Returns:
        (n, K) float64.

    Raises:
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    classes = int(target.max()) + 1
    inputs, conditions = clouds.values.shape[1], clouds.conditions.shape[1]
    with run.initialisation(seed):
        network: nn.Module = (
            _DeepSet(inputs, conditions, settings, classes)
            if sets
            else _DenseOfClouds(inputs + conditions, settings, classes)
        )
    train, validation = (torch.from_numpy(rows) for rows in parts)
    task = _Task(network, clouds, torch.from_numpy(target), train, validation)
    trained = run.train(task, settings, seed, state, sources, _ENTRY, options)
    network.load_state_dict(trained.weights)
    network.to("cpu").eval()
    pieces = []
    with torch.inference_mode():
        for rows in torch.from_numpy(scored).split(_CHUNK):
            values, packing, of_rows = clouds.take(rows)
            pieces.append(network(values, of_rows, packing).double().log_softmax(dim=1))
    return torch.cat(pieces).numpy()
