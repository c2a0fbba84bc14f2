"""Pairs of heavy particles and their decays as Les Houches events (arXiv hep-ph/0609017), for Pythia to shower."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cloudchamber.errors import SettingsError
from cloudchamber.settings.processes import DecayChainProcess
from cloudchamber.simulation.decay_chains import CHAINS, Chain, draw_decays

__all__ = ["draw_pairs", "write_events"]

_PROTON, _GLUON, _TOP = 2212, 21, 6
_INCOMING, _INTERMEDIATE, _OUTGOING = -1, 2, 1  # status codes of the format
# Fraction of a proton's momentum beyond which there are next to no gluons, nor room for the remnant.
_FRACTION_MAX = 0.8
_BATCH = 1000  # events drawn at a time


def draw_pairs(process: DecayChainProcess, events: int, rng: np.random.Generator) -> tuple[Chain, Chain]:
    """Return the two parents of ``events`` events with their decays.

    Both have one transverse momentum, back to back, and masses and rapidities of their own. Each of these is uniform,
    but pairs that ask for more than 0.8 of a proton's momentum are drawn anew.

    Raises:
        SettingsError: the decays are impossible, or nearly none passes the cuts.
    """
    decay = CHAINS[process.prongs]
    pt, azimuth = rng.uniform(*process.pt, events), rng.uniform(-np.pi, np.pi, events)
    mass = rng.uniform(*process.mass, (events, 2))
    rapidity = _rapidities(process, np.hypot(pt[:, None], mass), rng)
    chains = []
    for side, (opposite, decays) in enumerate(((0.0, decay), (np.pi, decay.conjugate))):
        transverse = np.hypot(pt, mass[:, side])
        components = (
            pt * np.cos(azimuth + opposite),
            pt * np.sin(azimuth + opposite),
            transverse * np.sinh(rapidity[:, side]),
            transverse * np.cosh(rapidity[:, side]),
        )
        chains.append(draw_decays(decays, np.stack(components, axis=1), mass[:, side], process, rng))
    return chains[0], chains[1]


def _rapidities(process: DecayChainProcess, transverse: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return (n, 2) rapidities of parents with transverse masses ``transverse`` (n, 2) [GeV]."""
    allowed = _FRACTION_MAX * process.energy
    if (transverse.sum(axis=1) > allowed).any():
        raise SettingsError(f"energy: {process.energy:g} GeV are too little for pairs of {2 * process.pt[1]:g} GeV")
    rapidity = np.empty_like(transverse)
    waiting = np.arange(len(transverse))
    while len(waiting):
        rapidity[waiting] = rng.uniform(-process.rapidity_max, process.rapidity_max, (len(waiting), 2))
        forward, backward = (
            (transverse[waiting] * np.exp(sign * rapidity[waiting])).sum(axis=1) for sign in (1.0, -1.0)
        )
        waiting = waiting[np.maximum(forward, backward) > allowed]
    return rapidity


def write_events(path: Path, process: DecayChainProcess, events: int, rng: np.random.Generator) -> None:
    """Write ``events`` events g g -> X X with the decays of both X.

    The incoming gluons fly along the beams. The cross section in the file, 1 pb, has no meaning.

    Raises:
        SettingsError: the decays are impossible, or nearly none passes the cuts.
    """
    beam = f"{_PROTON} {_PROTON} {process.energy / 2:.10e} {process.energy / 2:.10e} 0 0 0 0 3 1"
    with open(path, "w", encoding="ascii") as file:
        file.write(f'<LesHouchesEvents version="1.0">\n<init>\n{beam}\n1.0 1.0 1.0 1\n</init>\n')
        for first in range(0, events, _BATCH):
            file.writelines(_texts(draw_pairs(process, min(_BATCH, events - first), rng)))
        file.write("</LesHouchesEvents>\n")


def _texts(pair: tuple[Chain, Chain]) -> Iterator[str]:
    """Yield the text of each event: gluons, both parents, products of the first, products of the second."""
    parents = [chain.momentum[:, :1] for chain in pair]
    gluons = _incoming(parents[0][:, 0] + parents[1][:, 0])
    particles = [
        np.concatenate([chain.pid[..., None], chain.momentum, chain.mass[..., None]], axis=2) for chain in pair
    ]
    rows = [gluons, *(values[:, :1] for values in particles), *(values[:, 1:] for values in particles)]
    values = np.concatenate(rows, axis=1)
    scale = np.hypot(*np.moveaxis(parents[0][:, 0, :2], -1, 0))
    template = _template(pair)
    for row, pt in zip(values.reshape(len(values), -1).tolist(), scale.tolist(), strict=True):
        yield template % (pt, *row)


def _incoming(total: np.ndarray) -> np.ndarray:
    """Return (n, 2, 6) rows of two gluons along the beams with the energy and pz of ``total`` (n, 4)."""
    rows = np.zeros((len(total), 2, 6))
    rows[..., 0] = _GLUON
    for side, sign in enumerate((1.0, -1.0)):
        energy = 0.5 * (total[:, 3] + sign * total[:, 2])
        rows[:, side, 3], rows[:, side, 4] = sign * energy, energy
    return rows


def _template(pair: tuple[Chain, Chain]) -> str:
    """Return an event of the format with places for its scale and for number, momentum and mass of each particle."""
    coloured_parents = abs(int(pair[0].pid[0, 0])) == _TOP
    lines = [(_INCOMING, 0, 0, 101, 102), (_INCOMING, 0, 0, 102, 103 if coloured_parents else 101)]
    parents, products, free = [], [], 104
    for number, chain in enumerate(pair):
        colours = _colours(chain, (101, 103)[number], free)
        free += len(colours)
        # Numbers count from 1; the products of the first parent follow both parents.
        shift = 5 + number * (len(pair[0].mother) - 1)
        for row, (mother, is_quark, colour) in enumerate(zip(chain.mother, chain.is_quark, colours, strict=True)):
            status = _OUTGOING if is_quark else _INTERMEDIATE
            if row == 0:
                parents.append((status, 1, 2, *colour))
            else:
                of_product = 3 + number if mother == 0 else shift + mother - 1
                products.append((status, of_product, of_product, *colour))
    lines += [*parents, *products]
    places = "%d {} {} {} {} {} %.10e %.10e %.10e %.10e %.10e 0.0 9.0\n"
    body = "".join(places.format(*line) for line in lines)
    return f"<event>\n{len(lines)} 1 1.0 %.10e -1.0 -1.0\n{body}</event>\n"


def _colours(chain: Chain, of_parent: int, free: int) -> list[tuple[int, int]]:
    """Return colour and anticolour of each particle; new ones count from ``free``."""
    tags = np.zeros(len(chain.mother), int)
    for row, (pid, mother) in enumerate(zip(chain.pid[0], chain.mother, strict=True)):
        if abs(pid) <= _TOP:
            inherited = of_parent if mother < 0 else tags[mother]
            tags[row] = inherited or free + mother
    return [(tag, 0) if pid > 0 else (0, tag) for tag, pid in zip(tags.tolist(), chain.pid[0], strict=True)]
