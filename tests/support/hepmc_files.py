"""Small files of HepMC, written by pyhepmc."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

__all__ = ["random_events", "write_hepmc"]

Event = Mapping[str, np.ndarray]


def random_events(rng: np.random.Generator, events: int) -> list[dict[str, np.ndarray]]:
    """Return stable pions, photons and neutrinos [GeV, mm] of some events."""
    made = []
    for _ in range(events):
        n = int(rng.integers(5, 30))
        pt, eta, phi = rng.exponential(10, n), rng.normal(0, 1, n), rng.uniform(-np.pi, np.pi, n)
        pid = rng.choice([211, -211, 22, 12], n)
        mass = np.where(np.abs(pid) == 211, 0.13957, 0.0)
        px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        energy = np.sqrt(px**2 + py**2 + pz**2 + mass**2)
        momenta = np.stack([px, py, pz, energy], axis=1)
        made.append({"pid": pid, "momenta": momenta, "mass": mass, "vertex": rng.normal(0, 1, 4)})
    return made


def write_hepmc(
    path: Path,
    events: Sequence[Event],
    weights: Mapping[str, Sequence[float]] | None = None,
    cross_section: float | None = None,
    units: tuple[str, str] = ("GEV", "MM"),
    version: int = 3,
) -> Path:
    """Write events whose particles come from one vertex; momenta [GeV] and vertex [mm] are converted to the units."""
    hepmc = pytest.importorskip("pyhepmc", reason="needs pyhepmc: pip install 'cloudchamber[hepmc]'")
    momentum, length = getattr(hepmc.Units, units[0]), getattr(hepmc.Units, units[1])
    run = hepmc.GenRunInfo()
    run.weight_names = list(weights or {})
    with hepmc.io.WriterAscii(str(path), run) if version == 3 else hepmc.io.WriterAsciiHepMC2(str(path), run) as file:
        for number, content in enumerate(events):
            event = hepmc.GenEvent(hepmc.Units.GEV, hepmc.Units.MM)
            event.run_info = run
            event.event_number = number
            beam = hepmc.GenParticle((0.0, 0.0, 6500.0, 6500.0), 2212, 4)
            vertex = hepmc.GenVertex(tuple(map(float, content["vertex"])))
            vertex.add_particle_in(beam)
            for pid, momenta, mass in zip(content["pid"], content["momenta"], content["mass"], strict=True):
                particle = hepmc.GenParticle(tuple(map(float, momenta)), int(pid), 1)
                particle.generated_mass = float(mass)
                vertex.add_particle_out(particle)
            event.add_vertex(vertex)
            event.weights = [float(values[number]) for values in (weights or {}).values()]
            if cross_section is not None:
                section = hepmc.GenCrossSection()
                event.cross_section = section
                section.set_cross_section(cross_section, 0.1)
            event.set_units(momentum, length)
            file.write(event)
    return path
