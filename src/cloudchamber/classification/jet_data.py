"""Jets of the tagging study in memory, as taggers take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from cloudchamber import seeds
from cloudchamber.classification.made_with import MADE_WITH, READ_FROM
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import read_observables_of
from cloudchamber.preparation.alike import cut_at

__all__ = ["TaggingJets", "class_names", "read_tagging_jets", "towers_of", "training_rows"]

_PARTS = ("train", "validation", "test")
_TOWERS = ("pt_rel", "eta_rel", "phi_rel")


@final
@dataclass(frozen=True)
class TaggingJets:
    """N jets of K classes.

    Attributes:
        inputs: what the tagger takes, N rows each: towers (N, P, 3), jet (N, 2) and mask (N, P), or features (N, H).
        target: (N,) int64, the class.
        weight: (N,) float32, flat in mass and transverse momentum, with mean 1 within each class.
        event_weight: (N,) float32, of the events, with mean 1 within each class; None where all weigh the same.
        classes: names of the classes.
        features: names of the high-level features; empty for towers.
        parts: rows of the training, validation and test part.
        made_with: of each class, with which settings the jets were ingested, as far as the file says it.
        read_from: of each class, what the file says of the card, pile-up and version of Delphes of its files.
    """

    inputs: tuple[Tensor, ...]
    target: Tensor
    weight: Tensor
    event_weight: Tensor | None
    classes: tuple[str, ...]
    features: tuple[str, ...]
    parts: Mapping[str, Tensor]
    made_with: Mapping[str, Mapping[str, str]]
    read_from: Mapping[str, Mapping[str, Any]]

    def of(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Return the inputs of ``rows``."""
        return tuple(values[rows] for values in self.inputs)

    @property
    def cut_at(self) -> int | None:
        """Number of towers that jets were cut to before they came here; None where nothing tells, or for features."""
        return None if self.features else cut_at(np.bincount(self.inputs[-1].sum(dim=1).numpy()))

    def balanced_weights(self, rows: Tensor, weighted: bool) -> Tensor | None:
        """Return (N,) weights with which each class counts equally among ``rows``; None where all are 1.

        Event weights, where there are any, always count. Their mean among some jets of a class may be far from one.

        Args:
            rows: of the training.
            weighted: whether the weights are also flat in mass and transverse momentum.
        """
        counts = torch.bincount(self.target[rows], minlength=len(self.classes))
        of_class = len(rows) / (len(self.classes) * counts.clamp(min=1))
        of_jets = self.weight if weighted else self.event_weight
        if self.event_weight is not None and of_jets is not None:
            totals = torch.bincount(self.target[rows], of_jets[rows].double(), minlength=len(self.classes))
            # A class that is not among the rows has no weight to divide by.
            of_class = torch.where(totals > 0, len(rows) / (len(self.classes) * totals), of_class)
        if of_jets is not None:
            return of_jets * of_class[self.target].float()
        return None if len(counts.unique()) == 1 else of_class[self.target].float()


def read_tagging_jets(path: Path, high_level: Path | None = None, features: Sequence[str] | None = None) -> TaggingJets:
    """Read jets with labels, weights and parts.

    Args:
        path: the cloud file of all classes.
        high_level: file of high-level features of the same jets; the inputs are then those instead of the towers.
        features: names of those of the file that are wanted; None for all.

    Raises:
        InputError: a file cannot be used, lacks something, or the two differ in their number of jets; a jet has no
            tower; a class is outside those that are named.
    """
    clouds = read_clouds(path, weighted=True)
    weights = clouds.event_weight
    classes = class_names(clouds, path)
    target = clouds.label("class")
    if len(target) and not 0 <= target.min() <= target.max() < len(classes):
        raise InputError(f"{path}: label 'class' goes from {target.min()} to {target.max()}, there are {len(classes)}")
    missing = [name for name in _PARTS if name not in clouds.indices]
    if missing:
        raise InputError(f"{path}: no part {missing} is stored")
    names: tuple[str, ...] = ()
    if high_level is None:
        inputs = towers_of(clouds, path)
    else:
        inputs, names = _features(clouds, path, high_level, features)
    return TaggingJets(
        inputs=inputs,
        target=torch.from_numpy(target),
        weight=torch.from_numpy(clouds.feature("weight")),
        event_weight=None if weights is None else torch.from_numpy(weights.astype(np.float32)),
        classes=classes,
        features=names,
        parts={name: torch.from_numpy(clouds.indices[name].astype(np.int64)) for name in _PARTS},
        made_with=clouds.meta.get(MADE_WITH, {}),
        read_from=clouds.meta.get(READ_FROM, {}),
    )


def class_names(clouds: Clouds, path: Path) -> tuple[str, ...]:
    """Return the names of the classes that ``clouds`` carry.

    Raises:
        InputError: there are none.
    """
    try:
        return tuple(entry["name"] for entry in clouds.meta["classes"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: its meta data name no classes") from error


def training_rows(jets: TaggingJets, jets_per_class: int | None, seed: int) -> Tensor:
    """Return rows of the training part: all, or as many of each class as asked for.

    Drawn with the same seed, fewer jets are a subset of more.

    Args:
        jets: the jets.
        jets_per_class: how many; None for all.
        seed: of the draw.

    Raises:
        InputError: a class has fewer.
    """
    rows = jets.parts["train"]
    if jets_per_class is None:
        return rows
    chosen = []
    for number, name in enumerate(jets.classes):
        of_class = rows[jets.target[rows] == number]
        if len(of_class) < jets_per_class:
            raise InputError(f"class '{name}' has {len(of_class)} training jets, {jets_per_class} are asked for")
        order = seeds.generator(seed, "training_jets", name).permutation(len(of_class))
        chosen.append(of_class[torch.from_numpy(order[:jets_per_class])])
    return torch.cat(chosen)


def towers_of(clouds: Clouds, path: str | Path) -> tuple[Tensor, ...]:
    """Return towers (N, P, 3), jet (N, 2) and mask (N, P) of jets, as taggers of towers take them.

    Args:
        clouds: jets in relative coordinates with the features jet_pt [GeV] and jet_eta.
        path: where they are from, for errors.

    Raises:
        InputError: a column is missing, or a jet has no tower.
    """
    empty = int((clouds.multiplicity == 0).sum())
    if empty:
        raise InputError(f"{path}: {empty} jets have no tower")
    points = np.stack([clouds.point(name) for name in _TOWERS], axis=2)
    jet = np.stack([clouds.feature(name) for name in ("jet_pt", "jet_eta")], axis=1)
    return tuple(torch.from_numpy(array) for array in (points, jet, clouds.mask))


def _features(
    clouds: Clouds, path: Path, high_level: Path, wanted: Sequence[str] | None
) -> tuple[tuple[Tensor, ...], tuple[str, ...]]:
    table, meta = read_observables_of(path, len(clouds), high_level)
    names = tuple(meta.get("features", sorted(table)) if wanted is None else wanted)
    missing = [name for name in names if name not in table]
    if missing:
        raise InputError(f"{high_level}: no feature {missing}")
    values = np.stack([table[name] for name in names], axis=1, dtype=np.float32)
    if not np.isfinite(values).all():
        raise InputError(f"{high_level}: features hold values that are not finite")
    return (torch.from_numpy(values),), names
