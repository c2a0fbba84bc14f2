"""Proton collisions with Pythia 8 (arXiv 2203.11601), default tune, multi-parton interactions included.

Kept of each event: its stable particles with status 1, and before them the incoming and outgoing particles of the hard
process and the decay products of its resonances, whose status is the absolute value of Pythia's code (21 incoming, 22
resonance, 23 and 24 outgoing or decay product). Those are the first copies, before recoil and radiation. Their mother
is the nearest kept ancestor along Pythia's first mothers; stable particles have none (-1), since a hadron comes from a
whole colour singlet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, final

import awkward as ak
import numpy as np

from cloudchamber.errors import SettingsError
from cloudchamber.settings.processes import ProcessSettings, PythiaProcess
from cloudchamber.simulation.generators import FAILURE_RATE_ALLOWED, FAILURES_ALLOWED, generator
from cloudchamber.simulation.particles import Particles

__all__ = ["Collisions", "HeavyQuarks", "collide"]

_PICOBARN_PER_MILLIBARN = 1e9
_CHARM, _BOTTOM = 4, 5
_TRIED_PER_BATCH_MAX = 20
# Pythia's number of what it reads from a file.
_OF_FILE = 9999
# The window is compared with the root of a square.
_ROUNDING = 1e-6
# Of a parton that can give a jet its flavour: PartonPTMin of the ATLAS card of Delphes.
_FLAVOUR_PT_MIN = 1.0


@final
@dataclass(frozen=True)
class HeavyQuarks:
    """All c and b quarks of the record with pT > 1 GeV, every copy in the shower, ordered by event.

    Attributes:
        event: (N,) int64.
        flavour: (N,) 4 or 5.
        eta, phi: (N,) direction.
    """

    event: np.ndarray
    flavour: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


@final
@dataclass(frozen=True)
class Collisions:
    """A batch of events.

    Attributes:
        particles: hard process and stable particles of the events.
        weight: (n_events,) float64.
        pt_hat: (n_events,) float64, transverse momentum of the hard scattering [GeV].
        cross_section: estimate from all events so far [pb], of those that are not given up; without a meaning for decay
            chains.
        heavy_quarks: what gives jets their flavour.
        generated: how many events were generated for these, those that were given up included.
    """

    particles: Particles
    weight: np.ndarray
    pt_hat: np.ndarray
    cross_section: float
    heavy_quarks: HeavyQuarks
    generated: int

    @property
    def hard_process(self) -> "Collisions":
        """The same events with the particles of the hard process alone."""
        return replace(self, particles=self.particles[self.particles.status != 1])


def collide(name: str, process: ProcessSettings, seed: int, events: int, batch: int) -> Iterator[Collisions]:
    """Yield ``events`` events of a process, less those that ``process.keep`` gives up, at most ``batch`` at a time.

    Args:
        name: key of the process in the settings, for messages.
        process: the process.
        seed: 1 to 900,000,000.
        events: how many in total; an event that fails in Pythia is replaced by another.
        batch: largest number at a time, or thereabouts where events are given up; the events do not depend on it.

    Raises:
        SettingsError: Pythia refuses a command or the process, does not keep to the window of ``pt_hat``, or fails in
            more than 5 % of the events.
    """
    with generator(name, process, seed, events) as source:
        done = failed = kept = waiting = 0
        while done < events:
            # Where most events are given up, more are tried for a batch of as many.
            tried = min(batch * _TRIED_PER_BATCH_MAX, batch * done // kept) if kept else batch
            wanted, before = min(tried, events - done), source.vetoed
            made = source.pythia.nextBatch(wanted, "skip")
            generated = len(made) + source.vetoed - before
            done += generated
            kept += len(made)
            waiting += generated
            failed += wanted - generated
            if failed > FAILURES_ALLOWED + FAILURE_RATE_ALLOWED * done:
                raise SettingsError(f"processes.{name}: Pythia gave up {failed} of {done + failed} events")
            if len(made):
                collisions = _collisions(source.pythia, made, waiting)
                _check_window(name, process, collisions)
                _check_origin(name, process, source.pythia)
                yield collisions
                waiting = 0


def _check_origin(name: str, process: ProcessSettings, pythia: Any) -> None:
    """Refuse events of processes of Pythia among those of decay chains, which it reads from a file."""
    information = pythia.infoPython()
    others = [code for code in information.codesHard() if code != _OF_FILE]
    if others and not isinstance(process, PythiaProcess):
        raise SettingsError(
            f"processes.{name}.commands: they switch on processes of Pythia beside the decay chains, such as "
            f"{information.nameProc(others[0])}"
        )


def _check_window(name: str, process: ProcessSettings, collisions: Collisions) -> None:
    """Refuse a scattering outside of the window, which Pythia does not apply to all processes."""
    if not isinstance(process, PythiaProcess):
        return
    (low, high), pt_hat = process.pt_hat, collisions.pt_hat
    outside = (pt_hat < low * (1 - _ROUNDING)) | (pt_hat > high * (1 + _ROUNDING))
    if outside.any():
        raise SettingsError(
            f"processes.{name}.pt_hat: the scattering of {int(outside.sum())} of {len(pt_hat)} events is outside of "
            f"{low:g} to {high:g} GeV, such as at {pt_hat[np.argmax(outside)]:.4g} GeV: Pythia limits pT of two "
            "outgoing particles of a hard process alone, not of one or three of them and not of soft processes; "
            f"[0, {process.energy / 2:g}] asks for no limits"
        )


def _collisions(pythia: Any, made: ak.Array, generated: int) -> Collisions:
    record = made.prt
    counts = ak.to_numpy(ak.num(record))
    row = ak.flatten(record)
    status = ak.to_numpy(row.status)
    hard = (np.abs(status) >= 21) & (np.abs(status) <= 24)
    kept = np.flatnonzero((status > 0) | hard)
    event = np.repeat(np.arange(len(counts)), counts)
    # Photons of early radiation stand before later decays in the record.
    kept = kept[np.lexsort((status[kept] > 0, event[kept]))]
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
        heavy_quarks=_heavy_quarks(row, event),
        generated=generated,
    )


def _heavy_quarks(row: ak.Array, event: np.ndarray) -> HeavyQuarks:
    kind = np.abs(ak.to_numpy(row.id))
    rows = np.flatnonzero((kind == _CHARM) | (kind == _BOTTOM))
    px, py, pz = (ak.to_numpy(row.p[name][rows]) for name in ("px", "py", "pz"))
    pt = np.hypot(px, py)
    hard = pt > _FLAVOUR_PT_MIN
    rows, px, py, pz, pt = rows[hard], px[hard], py[hard], pz[hard], pt[hard]
    return HeavyQuarks(event[rows], kind[rows], np.arcsinh(pz / pt), np.arctan2(py, px))


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
