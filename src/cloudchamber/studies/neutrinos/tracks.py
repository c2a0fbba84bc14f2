"""Charged particles on their way through the detector, all of a batch at once.

They lose energy, scatter, decay and interact. A step is half a plane. Mean losses are those of iron (``energy_loss``);
what a strip sees of them fluctuates by a gamma distribution. Multiple scattering is Highland's Gaussian. A hadron that
interacts ends, and its kinetic energy becomes a cascade. A pion or kaon that decays goes on as a muon with a share of
its energy that is uniform between both limits of a two-body decay.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.neutrinos.deposits import Deposits, joined, place
from cloudchamber.studies.neutrinos.energy_loss import IRON
from cloudchamber.studies.neutrinos.settings import DetectorSettings

__all__ = ["MUON_MASS", "Starts", "Tracked", "track"]

MUON_MASS = 0.1056583755
# Mass over c tau [GeV / cm] of what decays in flight.
_DECAY = {211: 0.13957 / 780.4, 321: 0.49368 / 371.1, 13: MUON_MASS / 65864.0}
# Below this kinetic energy a particle has stopped [GeV].
_STOPPED = 0.005
# Of the fluctuation of what a strip sees of a step: shape of a gamma distribution.
_SHAPE = 3.0
# Longer than any way through the detector, in steps; and in its sides.
_STEPS, _SIDES = 2000, 4


@final
@dataclass(frozen=True)
class Starts:
    """Where and how N particles or cascades start.

    Attributes:
        particle: (N,) int64, to which particle of the event what they leave belongs.
        pdg: (N,) int64, absolute value.
        position: (N, 3) [cm].
        direction: (N, 3) unit vectors.
        energy: (N,) kinetic energy [GeV].
        mass: (N,) [GeV].
    """

    particle: np.ndarray
    pdg: np.ndarray
    position: np.ndarray
    direction: np.ndarray
    energy: np.ndarray
    mass: np.ndarray

    def __len__(self) -> int:
        return len(self.particle)

    def __getitem__(self, rows: np.ndarray) -> "Starts":
        return Starts(**{name: getattr(self, name)[rows] for name in Starts.__annotations__})


@final
@dataclass(frozen=True)
class Tracked:
    """What came of tracks.

    Attributes:
        deposits: of all tracks.
        cascades: what interacted, where, and with which energy.
        left: (K,) particles that left the detector.
        decayed: (K,) particles that decayed in flight.
    """

    deposits: Deposits
    cascades: Starts
    left: np.ndarray
    decayed: np.ndarray


def track(starts: Starts, detector: DetectorSettings, rng: np.random.Generator) -> Tracked:
    """Follow charged particles until they stop, interact or leave.

    Args:
        starts: muons, hadrons; electrons are cascades and no tracks.
        detector: size and material.
        rng: generator.
    """
    step = 0.5 * detector.plane_pitch
    mip = IRON.minimum * detector.density * detector.plane_pitch
    half = 0.5 * detector.cells * detector.cell_width
    depth = detector.planes * detector.plane_pitch
    pieces: list[Deposits] = []
    cascades: list[Starts] = []
    left: list[np.ndarray] = []
    decayed: list[np.ndarray] = []
    now = starts
    rest = np.where(now.pdg == 13, np.inf, rng.exponential(detector.interaction_length, len(now)))
    for _ in range(max(_STEPS, int(_SIDES * (depth + 2 * half) / step))):
        if not len(now):
            break
        loss = np.minimum(IRON.of_kinetic(now.energy, now.mass) * detector.density * step, now.energy)
        middle = now.position + 0.5 * step * now.direction
        for view in (0, 1):
            seen = loss / mip * rng.gamma(_SHAPE, 1 / _SHAPE, len(now))
            pieces.append(place(now.particle, middle, np.full(len(now), view), seen, detector))
        energy = now.energy - loss
        momentum = np.sqrt(energy * (energy + 2 * now.mass))
        position = now.position + step * now.direction
        direction = _scattered(now, momentum, step / detector.radiation_length, rng)
        now = Starts(now.particle, now.pdg, position, direction, energy, now.mass)
        rest = rest - step
        interacts = (rest <= 0) & (energy > _STOPPED)
        cascades.append(now[interacts])
        decays = ~interacts & (rng.random(len(now)) < _decay_probability(now.pdg, momentum, step))
        # A muon that decays ends: its electron is not worth a hit.
        muons = decays & (now.pdg == 13)
        decayed.append(now.particle[decays])
        now, rest = _as_muons(now, rest, decays & ~muons, rng)
        outside = (np.abs(now.position[:, :2]) >= half).any(axis=1)
        outside |= (now.position[:, 2] < 0) | (now.position[:, 2] >= depth)
        left.append(now.particle[outside & ~interacts])
        goes_on = (now.energy > _STOPPED) & ~interacts & ~muons & ~outside
        now, rest = now[goes_on], rest[goes_on]
    empty = np.zeros(0, np.int64)
    return Tracked(
        joined(pieces) if pieces else Deposits(empty, empty, empty, empty, np.zeros(0)),
        _all(cascades, starts),
        np.unique(np.concatenate(left)) if left else empty,
        np.unique(np.concatenate(decayed)) if decayed else empty,
    )


def _all(parts: list[Starts], like: Starts) -> Starts:
    if not parts:
        return like[np.zeros(0, np.int64)]
    return Starts(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Starts.__annotations__})


def _decay_probability(pdg: np.ndarray, momentum: np.ndarray, step: float) -> np.ndarray:
    rate = np.zeros(len(pdg))
    for code, value in _DECAY.items():
        rate[pdg == code] = value
    return 1 - np.exp(-step * rate / np.maximum(momentum, 1e-6))


def _as_muons(now: Starts, rest: np.ndarray, decays: np.ndarray, rng: np.random.Generator) -> tuple[Starts, np.ndarray]:
    """Return the particles with muons in place of those that decay, and how far they are from an interaction."""
    if not decays.any():
        return now, rest
    total = now.energy + now.mass
    lowest = (MUON_MASS / now.mass) ** 2
    share = lowest + (1 - lowest) * rng.random(len(now))
    energy = np.where(decays, np.maximum(share * total - MUON_MASS, 0.0), now.energy)
    mass = np.where(decays, MUON_MASS, now.mass)
    pdg = np.where(decays, 13, now.pdg)
    return Starts(now.particle, pdg, now.position, now.direction, energy, mass), np.where(decays, np.inf, rest)


def _scattered(now: Starts, momentum: np.ndarray, lengths: float, rng: np.random.Generator) -> np.ndarray:
    """Return the directions after so many radiation lengths, by Highland's width without its logarithm."""
    total = np.sqrt(momentum**2 + now.mass**2)
    width = 13.6e-3 * total / np.maximum(momentum, 1e-3) ** 2 * np.sqrt(lengths)
    # A particle about to stop would turn by more than the small angle that the width is for.
    kicks = np.minimum(width, 0.5)[:, None] * rng.normal(size=(len(now), 3))
    turned = now.direction + kicks - now.direction * (kicks * now.direction).sum(axis=1, keepdims=True)
    return turned / np.linalg.norm(turned, axis=1, keepdims=True)
