"""The particles that a model of showers was trained with, and what is asked of it beyond them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.shower_file import particles_of

__all__ = ["SeenParticles", "refuse_unseen"]

# Energies are uniform up to an edge, which the largest of a small sample does not reach.
_ROOM = 1.1


@final
@dataclass(frozen=True)
class SeenParticles:
    """What began the showers of a training.

    Attributes:
        pdg: codes of the species.
        energy: lowest and highest total energy [GeV].
    """

    pdg: tuple[int, ...]
    energy: tuple[float, float]

    @classmethod
    def of(cls, showers: PackedCloudFile, rows: np.ndarray) -> Self:
        """Return the particles of some rows of a file, one at least."""
        particles = particles_of(showers, rows)
        energy = float(particles.energy.min()), float(particles.energy.max())
        return cls(tuple(np.unique(particles.pdg).tolist()), energy)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` described."""
        low, high = value["energy"]
        return cls(tuple(map(int, value["pdg"])), (float(low), float(high)))

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {"pdg": list(self.pdg), "energy": list(self.energy)}


def refuse_unseen(seen: SeenParticles | None, particles: Particles, source: str) -> None:
    """Refuse species that a model never saw, of which it has learned nothing, and say other energies.

    Args:
        seen: particles of the training; None where an older description does not tell.
        particles: what the model is asked for.
        source: model or file, for the line and the error.

    Raises:
        InputError: a species is not among those of the training.
    """
    if seen is None:
        return
    unseen = sorted(set(particles.pdg.tolist()) - set(seen.pdg))
    if unseen:
        raise InputError(f"{source}: PDG codes {unseen}, the model was trained with {list(seen.pdg)}")
    low, high = seen.energy
    outside = int(((particles.energy < low / _ROOM) | (particles.energy > high * _ROOM)).sum())
    if outside:
        sys.stderr.write(
            f"{source}: WARNING: the energy of {outside} of {len(particles)} particles is outside of {low:.3g} to "
            f"{high:.3g} GeV, with which the model was trained\n"
        )
