"""One event of a generator as ``pyhepmc`` reads it: its stable particles, weights and cross section."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

__all__ = ["GeneratedEvent", "generated_event", "particle_columns"]

_ALONG_BEAM = 999.9
_SPEED_OF_LIGHT = 2.99792458e11  # [mm/s]


@final
@dataclass(frozen=True)
class GeneratedEvent:
    """The particles of one event that are stable (status 1).

    Attributes:
        number: as the file has it.
        weights: all of them, by name.
        cross_section: [pb], None where the file has none.
        pid: (n,) int32.
        momenta: (5, n) float64: px, py, pz, energy and mass [GeV].
        places: (4, n) float64: x, y, z and time times the speed of light of the vertex of each [mm].
    """

    number: int
    weights: dict[str, float]
    cross_section: float | None
    pid: np.ndarray
    momenta: np.ndarray
    places: np.ndarray


def generated_event(event: Any, units: Any) -> GeneratedEvent:
    """Return the stable particles of an event as ``pyhepmc`` has it.

    Args:
        event: a ``GenEvent``, whose units are changed to GeV and mm.
        units: the enumeration ``Units`` of the package.
    """
    event.set_units(units.GEV, units.MM)
    names = _names_of_weights(event)
    found = event.numpy.particles
    rows = np.flatnonzero(found.status == 1)
    momenta = np.stack([found.px, found.py, found.pz, found.e, found.generated_mass])[:, rows]
    section = event.cross_section
    return GeneratedEvent(
        int(event.event_number),
        dict(zip(names, map(float, event.weights), strict=True)),
        None if section is None else float(section.xsec()),
        found.pid[rows].astype(np.int32),
        momenta.astype(np.float64),
        _places(event, rows),
    )


def _names_of_weights(event: Any) -> list[str]:
    """Return what an event calls its weights, or their numbers where it does not name all of them."""
    numbers = [str(number) for number in range(len(event.weights))]
    try:
        names = list(event.weight_names) if numbers else []
    except RuntimeError:  # of files without any names, as older programs write them
        return numbers
    return names if len(names) == len(numbers) else numbers


def _places(event: Any, rows: np.ndarray) -> np.ndarray:
    """Return (4, n) the vertices at which particles were produced; HepMC looks further up where one has none."""
    places: dict[int, tuple[float, ...]] = {}
    particles = event.particles
    found = np.zeros((4, len(rows)))
    for column, row in enumerate(rows.tolist()):
        vertex = particles[row].production_vertex
        if vertex is None:
            continue
        if vertex.id not in places:
            at = vertex.position
            places[vertex.id] = (at.x, at.y, at.z, at.t)
        found[:, column] = places[vertex.id]
    return found


def particle_columns(events: Sequence[GeneratedEvent]) -> dict[str, np.ndarray]:
    """Return the particles of all events one after the other, (n,) each, by the names of Delphes."""
    px, py, pz, energy, mass = np.concatenate([event.momenta for event in events], axis=1)
    x, y, z, time = np.concatenate([event.places for event in events], axis=1)
    pid = np.concatenate([event.pid for event in events])
    pt = np.hypot(px, py)
    along = pt == 0
    eta = np.where(along, np.copysign(_ALONG_BEAM, pz), np.arcsinh(pz / np.where(along, 1.0, pt)))
    return {
        "PID": pid,
        "Status": np.ones(len(pid), np.int32),
        "E": energy,
        "Px": px,
        "Py": py,
        "Pz": pz,
        "PT": pt,
        "Eta": eta.astype(np.float32),
        "Phi": np.arctan2(py, px),
        "Mass": mass,
        "X": x,
        "Y": y,
        "Z": z,
        "T": time / _SPEED_OF_LIGHT,
    }
