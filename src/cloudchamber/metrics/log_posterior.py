"""What the classifier behind the log posterior sees of jets, and the jets that it is trained with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import AnyClouds
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import has_momentum, momenta
from cloudchamber.preparation.identical import joined
from cloudchamber.preparation.splits import joined_events
from cloudchamber.preparation.standardisation import Standardisation

__all__ = [
    "INPUTS",
    "PUBLISHED_INPUTS",
    "ClassifierInputs",
    "TrainingSet",
    "classifier_inputs",
    "training_set",
]

_COLUMNS: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "pt_rel": lambda pt, eta, phi: pt,
    "e_rel": lambda pt, eta, phi: pt * np.cosh(eta),
    "radius": lambda pt, eta, phi: np.hypot(eta, phi),
    "log_pt_rel": lambda pt, eta, phi: np.log(pt),
    "eta_rel": lambda pt, eta, phi: eta,
    "phi_rel": lambda pt, eta, phi: phi,
}

# The inputs of the classifier of arXiv 2310.00049.
PUBLISHED_INPUTS = ("pt_rel", "e_rel", "radius")
# With the coordinates among the features an edge sees the direction and distance of its neighbour, as in arXiv
# 1902.08570, table 1; the logarithm resolves soft particles and the linear pT weighs hard ones.
INPUTS = ("eta_rel", "phi_rel", "radius", "pt_rel", "log_pt_rel")


@final
@dataclass(frozen=True)
class ClassifierInputs:
    """What the classifier sees of N clouds.

    Attributes:
        coordinates: (N, P, 2) float32, eta_rel and phi_rel.
        features: (N, P, F) float32, standardised, zero where ``mask`` is false.
        mask: (N, P) bool; particles without a positive transverse momentum are left out.
    """

    coordinates: Tensor
    features: Tensor
    mask: Tensor

    def __getitem__(self, rows: Tensor) -> "ClassifierInputs":
        """Return the inputs of ``rows``."""
        return ClassifierInputs(self.coordinates[rows], self.features[rows], self.mask[rows])


@final
@dataclass(frozen=True)
class TrainingSet:
    """Jets of all classes, in equal numbers, to train a classifier with.

    Attributes:
        inputs: of all N jets.
        target: (N,) int64, position in ``classes``.
        train, validation: int64 indices of the jets of the two parts, each with the same number of every class. They
            share neither an event nor a copy of a jet.
        classes: names of the classes.
        standardisation: of the features, fitted to the training part of all classes together.
    """

    inputs: ClassifierInputs
    target: Tensor
    train: Tensor
    validation: Tensor
    classes: tuple[str, ...]
    standardisation: Standardisation


def training_set(
    classes: Mapping[str, AnyClouds],
    jets_per_class: int,
    validation_fraction: float,
    rng: np.random.Generator,
    names: Sequence[str] = INPUTS,
    paired: bool = False,
) -> TrainingSet:
    """Draw jets of each class and make the classifier's inputs of them.

    Jets of one event, and identical ones of one class, are in the same part. Where events of several jets leave no
    other way, all classes have a few validation jets less.

    Args:
        classes: clouds of each class, all padded to the same length.
        jets_per_class: jets drawn from each class, for training and validation together.
        validation_fraction: part of them that is kept for validation.
        rng: generator of the draw.
        names: features of a particle, among ``INPUTS`` and ``PUBLISHED_INPUTS``.
        paired: draw the same rows of every class, so that jets of one row are in the same part.

    Raises:
        InputError: a class has too few jets, or all of them are of one event or alike; or the classes differ in padded
            length.
    """
    for name, clouds in classes.items():
        if len(clouds) < jets_per_class:
            raise InputError(f"class '{name}' has {len(clouds)} jets, {jets_per_class} are asked for")
    widths = {name: clouds.width for name, clouds in classes.items()}
    if len(set(widths.values())) > 1:
        raise InputError(f"classes of different padded lengths: {widths}")
    n_validation = max(1, round(validation_fraction * jets_per_class))
    rows, n_validation = _drawn(classes, jets_per_class, n_validation, rng, paired)
    drawn = [clouds[of_class] for clouds, of_class in zip(classes.values(), rows, strict=True)]
    columns = [_columns(clouds, names) for clouds in drawn]
    values = np.concatenate([values for values, _ in columns])
    mask = np.concatenate([mask for _, mask in columns])
    order = np.arange(len(mask)).reshape(len(classes), jets_per_class)
    train, validation = order[:, n_validation:].ravel(), order[:, :n_validation].ravel()
    standardisation = Standardisation.fit(values[train][mask[train]], names)
    coordinates = np.concatenate([_coordinates(clouds) for clouds in drawn])
    return TrainingSet(
        inputs=_inputs(coordinates, values, mask, standardisation),
        target=torch.arange(len(classes)).repeat_interleave(jets_per_class),
        train=torch.from_numpy(train),
        validation=torch.from_numpy(validation),
        classes=tuple(classes),
        standardisation=standardisation,
    )


def _drawn(
    classes: Mapping[str, AnyClouds], jets: int, validation: int, rng: np.random.Generator, paired: bool
) -> tuple[list[np.ndarray], int]:
    """Return the (jets,) rows of each class, those of the validation part first, and how many these are."""
    groups = [joined_events(clouds)[:, 0] for clouds in classes.values()]
    if paired:
        groups = [_of_pairs(groups)] * len(groups)
        orders = [rng.permutation(len(groups[0]))] * len(groups)
    else:
        orders = [rng.permutation(len(group)) for group in groups]
    ordered = [group[order] for group, order in zip(groups, orders, strict=True)]
    # All classes have as many, where the groups of one do not come out even.
    while (attained := min(len(_whole_groups(group, validation)) for group in ordered)) < validation:
        validation = attained
    drawn = []
    for name, order, group in zip(classes, orders, ordered, strict=True):
        chosen = _whole_groups(group, validation)
        others = np.flatnonzero(~np.isin(group, group[chosen]))[: jets - validation]
        if not len(chosen) or len(others) < jets - validation:
            raise InputError(f"class '{name}': too many of its {len(group)} jets are identical, or of one event")
        drawn.append(order[np.concatenate([chosen, others])])
    return drawn, validation


def _of_pairs(groups: Sequence[np.ndarray]) -> np.ndarray:
    """Return (N,) int64, equal for rows whose jets are of one of the ``groups``, each (N,), in any class."""
    rows = np.tile(np.arange(len(groups[0])), len(groups))[:, None]
    apart = np.concatenate([group + place * len(group) for place, group in enumerate(groups)])
    return joined(rows, apart.astype(np.uint64))[: len(groups[0]), 0]


def _whole_groups(groups: np.ndarray, most: int) -> np.ndarray:
    """Return the positions of all members of the first groups of (N,), at most so many members in all."""
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    chosen, left = np.zeros(len(sizes), bool), most
    for group in number:
        if not left:
            break
        if not chosen[group] and sizes[group] <= left:
            chosen[group] = True
            left -= sizes[group]
    return np.flatnonzero(chosen[number])


def classifier_inputs(clouds: Clouds, standardisation: Standardisation) -> ClassifierInputs:
    """Return the inputs of jets to score, standardised as those of the training were."""
    values, mask = _columns(clouds, standardisation.names)
    return _inputs(_coordinates(clouds), values, mask, standardisation)


def _columns(clouds: Clouds, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return features (N, P, F), not standardised and zero in left out slots, and the mask (N, P)."""
    mask = has_momentum(clouds)
    pt, eta, phi = (values[mask] for values in momenta(clouds))
    values = np.zeros((*mask.shape, len(names)))
    values[mask] = np.stack([_COLUMNS[name](pt, eta, phi) for name in names], axis=1)
    return values, mask


def _coordinates(clouds: Clouds) -> np.ndarray:
    return np.stack([clouds.point("eta_rel"), clouds.point("phi_rel")], axis=2).astype(np.float32)


def _inputs(
    coordinates: np.ndarray, values: np.ndarray, mask: np.ndarray, standardisation: Standardisation
) -> ClassifierInputs:
    features = np.zeros(values.shape, np.float32)
    features[mask] = standardisation.forward(values[mask])
    return ClassifierInputs(torch.from_numpy(coordinates), torch.from_numpy(features), torch.from_numpy(mask))
