"""Proton collisions with Pythia 8 (arXiv 2203.11601), default tune, multi-parton interactions included.

Kept of each event: its stable particles with status 1, and before them the incoming and outgoing particles of the hard
process and the decay products of its resonances, whose status is the absolute value of Pythia's code (21 incoming, 22
resonance, 23 and 24 outgoing or decay product). Those are the first copies, before recoil and radiation. Their mother
is the nearest kept ancestor along Pythia's first mothers; stable particles have none (-1), since a hadron comes from a
whole colour singlet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import awkward as ak
import numpy as np
import pythia8mc

from cloudchamber.errors import SettingsError
from cloudchamber.settings import ProcessSettings
from cloudchamber.simulation.particles import Particles

__all__ = ["Collisions", "collide"]

PYTHIA_SEED_MAX = 900_000_000
_FAILURES_ALLOWED = 10
_FAILURE_RATE_ALLOWED = 0.05
_SWITCH_VALUES = frozenset(("on", "yes", "true", "ok", "1", "off", "no", "false", "0"))
_PICOBARN_PER_MILLIBARN = 1e9


@final
@dataclass(frozen=True)
class Collisions:
    """A batch of events.

    Attributes:
        particles: hard process and stable particles of the events.
        weight: (n_events,) float64.
        pt_hat: (n_events,) float64, transverse momentum of the hard scattering [GeV].
        cross_section: estimate from all events so far [pb].
    """

    particles: Particles
    weight: np.ndarray
    pt_hat: np.ndarray
    cross_section: float


def collide(name: str, process: ProcessSettings, seed: int, events: int, batch: int) -> Iterator[Collisions]:
    """Yield ``events`` events of a process, at most ``batch`` at a time.

    Args:
        name: key of the process in the settings, for messages.
        process: the process.
        seed: 1 to 900,000,000.
        events: how many in total; an event that Pythia gives up is replaced by another.
        batch: largest number at a time; the events do not depend on it.

    Raises:
        SettingsError: Pythia refuses a command or the process, or gives up more than 5 % of the events.
    """
    pythia = _generator(name, process, seed)
    done = failed = 0
    while done < events:
        wanted = min(batch, events - done)
        made = pythia.nextBatch(wanted, "skip")
        done += len(made)
        failed += wanted - len(made)
        if failed > _FAILURES_ALLOWED + _FAILURE_RATE_ALLOWED * done:
            raise SettingsError(f"processes.{name}: Pythia gave up {failed} of {done + failed} events")
        if len(made):
            yield _collisions(pythia, made)


def _generator(name: str, process: ProcessSettings, seed: int) -> Any:
    """Return an initialised ``pythia8mc.Pythia``."""
    if not 0 < seed <= PYTHIA_SEED_MAX:
        raise ValueError(f"seed {seed} is not in 1 to {PYTHIA_SEED_MAX}")
    pythia = pythia8mc.Pythia("", False)
    for command in process.commands:
        _command(pythia, command, f"processes.{name}.commands")
    # After the commands of the user, which therefore cannot change what the other keys say.
    low, high = process.pt_hat
    for command in (
        "Print:quiet = on",
        f"Beams:eCM = {process.energy}",
        f"PhaseSpace:pTHatMin = {low}",
        f"PhaseSpace:pTHatMax = {high}",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
    ):
        _command(pythia, command, f"processes.{name}")
    if not pythia.init():
        raise SettingsError(
            f"processes.{name}: Pythia finds no process it can make with commands {list(process.commands)}, "
            f"pt_hat {list(process.pt_hat)}, energy {process.energy}"
        )
    return pythia


def _command(pythia: Any, command: str, key: str) -> None:
    if not pythia.readString(command, False) or not _understood_flag(pythia, command):
        raise SettingsError(f"{key}: Pythia does not understand '{command}'")


def _understood_flag(pythia: Any, command: str) -> bool:
    """Return whether a switch has a value that is one; Pythia takes any other word for "off" without a message."""
    name, value, *_ = [*command.replace("=", " ").lower().split(), "", ""]
    return not pythia.settings.isFlag(name) or value in _SWITCH_VALUES


def _collisions(pythia: Any, made: ak.Array) -> Collisions:
    record = made.prt
    counts = ak.to_numpy(ak.num(record))
    row = ak.flatten(record)
    status = ak.to_numpy(row.status)
    hard = (np.abs(status) >= 21) & (np.abs(status) <= 24)
    kept = np.flatnonzero((status > 0) | hard)
    event = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    vertex = ak.fill_none(row.vProd[kept], {"px": 0.0, "py": 0.0, "pz": 0.0, "e": 0.0}, axis=0)
    pid = ak.to_numpy(row.id)[kept]
    particles = Particles(
        n_events=len(counts),
        event=event[kept],
        pid=pid,
        status=np.where(status[kept] > 0, 1, -status[kept]),
        mother=_mothers(first + ak.to_numpy(row.mother1), first, event, kept, hard[kept]),
        charge=_charges(pythia, pid),
        mass=ak.to_numpy(row.m)[kept],
        energy=ak.to_numpy(row.p.e)[kept],
        px=ak.to_numpy(row.p.px)[kept],
        py=ak.to_numpy(row.p.py)[kept],
        pz=ak.to_numpy(row.p.pz)[kept],
        x=ak.to_numpy(vertex.px),
        y=ak.to_numpy(vertex.py),
        z=ak.to_numpy(vertex.pz),
        time=ak.to_numpy(vertex.e),
    )
    return Collisions(
        particles=particles,
        weight=ak.to_numpy(made.info.weights[:, 0]),
        pt_hat=np.sqrt(ak.to_numpy(made.info.pT2Hat)),
        cross_section=pythia.infoPython().sigmaGen() * _PICOBARN_PER_MILLIBARN,
    )


def _mothers(
    mother: np.ndarray, first: np.ndarray, event: np.ndarray, kept: np.ndarray, hard: np.ndarray
) -> np.ndarray:
    """Return for each kept row its nearest kept ancestor, counted from the event's first kept row, or -1.

    Args:
        mother: (R,) row of the first mother; the row ``first`` for none.
        first, event: (R,) first row of the event, number of the event.
        kept: (K,) rows that are kept.
        hard: (K,) whether a kept row belongs to the hard process; others get -1.
    """
    position = np.full(len(mother), -1)
    position[kept] = np.arange(len(kept)) - np.searchsorted(event[kept], event[kept])
    ancestor = np.where(hard, mother[kept], first[kept])
    while (climbs := (position[ancestor] < 0) & (ancestor != first[kept])).any():
        ancestor[climbs] = mother[ancestor[climbs]]
    return position[ancestor].astype(np.int32)


def _charges(pythia: Any, pid: np.ndarray) -> np.ndarray:
    """Return (N,) int32 charges [e], those of quarks cut to whole numbers as in Delphes files."""
    kinds, kind = np.unique(pid, return_inverse=True)
    thirds = [pythia.particleData.chargeType(int(number)) for number in kinds]
    return np.trunc(np.array(thirds) / 3).astype(np.int32)[kind]
