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
        train, validation: int64 indices of the jets of the two parts, each with the same number of every class.
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

    Args:
        classes: clouds of each class, all padded to the same length.
        jets_per_class: jets drawn from each class, for training and validation together.
        validation_fraction: part of them that is kept for validation.
        rng: generator of the draw.
        names: features of a particle, among ``INPUTS`` and ``PUBLISHED_INPUTS``.
        paired: draw the same rows of every class, so that jets of one row are in the same part.

    Raises:
        InputError: a class has too few jets, or the classes differ in padded length.
    """
    for name, clouds in classes.items():
        if len(clouds) < jets_per_class:
            raise InputError(f"class '{name}' has {len(clouds)} jets, {jets_per_class} are asked for")
    widths = {name: clouds.width for name, clouds in classes.items()}
    if len(set(widths.values())) > 1:
        raise InputError(f"classes of different padded lengths: {widths}")
    shared = rng.permutation(len(next(iter(classes.values())))) if paired else None
    drawn = [
        clouds[(rng.permutation(len(clouds)) if shared is None else shared)[:jets_per_class]]
        for clouds in classes.values()
    ]
    columns = [_columns(clouds, names) for clouds in drawn]
    values = np.concatenate([values for values, _ in columns])
    mask = np.concatenate([mask for _, mask in columns])
    n_validation = max(1, round(validation_fraction * jets_per_class))
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
