"""Showers that are there twice, as those of a copied file, and parts that hold all copies of one or none."""

import sys
from collections.abc import Mapping

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.preparation.identical import copies, fingerprints, repeats, warning
from cloudchamber.readers.jagged import Jagged, offsets_of
from cloudchamber.studies.showers.source_settings import IngestionSettings

__all__ = ["PARTS", "fingerprints_of", "refuse_few", "say_true_showers", "shower_fingerprints", "split"]

PARTS = ("train", "validation", "test", "asked")
# So many energies, and the particle, tell two showers apart.
_POINTS = 16
# Of the showers of a sample, the share that may be alike by chance, as those of a single point.
_FEW_COPIES = 0.01


def shower_fingerprints(part: PackedPart) -> np.ndarray:
    """Return (n,) uint64, equal for showers of one particle whose hardest points have the same energies and layers.

    Places within a layer do not count: within voxels they are drawn, for each copy anew.
    """
    values, owners = part.points[:, 2:], part.owners
    order = np.lexsort((values[:, 0], -values[:, 1], owners))
    rank = np.arange(len(owners)) - offsets_of(part.counts)[owners]
    hardest = rank < _POINTS
    kept = np.zeros((len(part), _POINTS, 2), np.float32)
    kept[owners[hardest], rank[hardest]] = values[order][hardest]
    particle = np.column_stack([part.features[:, :4], part.labels[:, 0], part.counts])
    found = fingerprints(kept, particle, 1)
    # Showers without points are copies of nothing; their numbers tell them apart.
    empty = part.counts == 0
    found[empty] = part.labels[empty, 1].astype(np.uint64)
    return found


def fingerprints_of(showers: PackedCloudFile, rows: np.ndarray) -> np.ndarray:
    """Return those of the showers of (n,) rows that have points, which tell them from others."""
    found = [shower_fingerprints(part)[part.counts > 0] for _, part in showers.pieces(rows)]
    return np.concatenate([np.zeros(0, np.uint64), *found])


def say_true_showers(step: str, sample: PackedCloudFile, true: np.ndarray, source: str) -> None:
    """Say on standard error how many showers of a sample are those that it is compared with.

    Args:
        step: what says it.
        sample: generated showers.
        true: (n,) fingerprints of the true ones.
        source: where these are, in words.
    """
    same = int(np.isin(fingerprints_of(sample, np.arange(len(sample))), true).sum())
    if same > _FEW_COPIES * len(sample):
        sys.stderr.write(
            f"{step}: WARNING: {same} of {len(sample)} showers of {sample.path} are showers of {source}, with which "
            "they are compared\n"
        )


def split(
    showers: int, settings: IngestionSettings, seed: int, source: str, content: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Return the rows of the parts, in random order, each shower an event of its own; its copies are in its part.

    "asked" is as large as "test": models are asked for its particles, and its showers, which are as independent of the
    test as those of a perfect model, give the floor of every metric.

    Args:
        showers: how many there are.
        settings: shares of the parts.
        seed: of the order.
        source: what errors name.
        content: (N,) fingerprints; by default no shower is there twice.

    Raises:
        InputError: a part would be empty.
    """
    groups = _groups(np.arange(showers, dtype=np.uint64) if content is None else content)
    order = seeds.generator(seed, "showers", "parts").permutation(len(groups))
    train, validation = (round(share * len(groups)) for share in (settings.train, settings.validation))
    rest = (len(groups) - train - validation) // 2
    ends = np.cumsum([train, validation, rest])
    # A shower more would have no partner in the test.
    chosen = dict(zip(PARTS, np.split(order[: ends[-1] + rest], ends), strict=True))
    parts = {name: groups.take(numbers).values for name, numbers in chosen.items()}
    for name, rows in parts.items():
        if not len(rows):
            raise InputError(f"{source}: the part '{name}' of {showers} showers is empty")
    pairs = min(len(parts["test"]), len(parts["asked"]))
    return {name: rows[:pairs] if name in ("test", "asked") else rows for name, rows in parts.items()}


def refuse_few(parts: Mapping[str, np.ndarray], pdg: np.ndarray, fewest: int, source: str) -> None:
    """Say before anything is trained that models cannot be judged with so few showers.

    Args:
        parts: rows of the parts.
        pdg: (N,) what began each shower.
        fewest: showers that the parts "test" and "asked" need each, and half as many of each species.
        source: what errors name.

    Raises:
        InputError: there are fewer.
    """
    for name in ("test", "asked"):
        there = pdg[parts[name]]
        if len(there) < fewest:
            raise InputError(f"{source}: the part '{name}' has {len(there)} of {len(pdg)} showers, {fewest} are needed")
        for code in np.unique(pdg).tolist():
            if (of_species := int((there == code).sum())) < fewest / 2:
                raise InputError(
                    f"{source}: the part '{name}' has {of_species} showers of the PDG code {code}, "
                    f"{-(-fewest // 2)} are needed"
                )


def _groups(content: np.ndarray) -> Jagged:
    """Return the rows of each different shower, and say how many are identical to an earlier one."""
    identical = len(repeats(content)[0])
    if identical:
        sys.stderr.write(f"showers: {warning(identical, len(content), 'showers')}\n")
    return copies(content)
