"""The particles that a model of showers was trained with, what is asked of it beyond them, and what samples are of."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.metrics.unlike import say_unlike
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.shower_file import particles_of
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["SeenParticles", "refuse_unseen", "say_other_particles"]

# Energies are uniform up to an edge, which the largest of a small sample does not reach.
_ROOM = 1.1
_ROOM_OF_ANGLES = 3.0


@final
@dataclass(frozen=True)
class SeenParticles:
    """What began the showers of a training.

    Attributes:
        pdg: codes of the species.
        energy: lowest and highest total energy [GeV].
        angle: largest one to the normal of the stack [degrees]; not known of older trainings.
    """

    pdg: tuple[int, ...]
    energy: tuple[float, float]
    angle: float | None = None

    @classmethod
    def of(cls, showers: PackedCloudFile, rows: np.ndarray) -> Self:
        """Return the particles of some rows of a file, one at least."""
        particles = particles_of(showers, rows)
        energy = float(particles.energy.min()), float(particles.energy.max())
        return cls(tuple(np.unique(particles.pdg).tolist()), energy, float(_angles(particles).max()))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` described."""
        low, high = value["energy"]
        angle = value.get("angle")
        return cls(tuple(map(int, value["pdg"])), (float(low), float(high)), None if angle is None else float(angle))

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        angle = {} if self.angle is None else {"angle": self.angle}
        return {"pdg": list(self.pdg), "energy": list(self.energy), **angle}


def _angles(particles: Particles) -> np.ndarray:
    """Return (N,) angles to the normal of the stack [degrees]."""
    return np.degrees(np.arccos(np.clip(particles.direction[:, 2], -1.0, 1.0)))


def refuse_unseen(seen: SeenParticles | None, particles: Particles, source: str) -> None:
    """Refuse species that a model never saw, of which it has learned nothing, and say other energies and angles.

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
    wide = 0 if seen.angle is None else int((_angles(particles) > seen.angle + _ROOM_OF_ANGLES).sum())
    if wide:
        sys.stderr.write(
            f"{source}: WARNING: the direction of {wide} of {len(particles)} particles is more than {seen.angle:.3g} "
            "degrees from the normal, up to which the model was trained\n"
        )


def say_other_particles(step: str, sample: PackedCloudFile, asked: Particles, source: str) -> None:
    """Say on standard error that a sample is not of the particles that it is compared with, species by species.

    Args:
        step: what says it.
        sample: generated showers.
        asked: particles of true ones.
        source: where these are, in words.
    """
    particles = particles_of(sample, np.arange(len(sample)))
    for name, species in SPECIES.items():
        mine, its = (_kinematics(side, species.pdg) for side in (particles, asked))
        why = "differences of their showers are then not of the model alone"
        say_unlike(step, f"{name} of {sample.path}", mine, f"{name} of {source}", its, why)


def _kinematics(particles: Particles, pdg: int) -> dict[str, np.ndarray]:
    """Return (n,) energies and angles to the normal of the stack of the particles of one species."""
    chosen = particles.pdg == pdg
    return {"energy [GeV]": particles.energy[chosen], "angle [degrees]": _angles(particles)[chosen]}
