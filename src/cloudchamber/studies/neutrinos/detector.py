"""The toy detector: interactions become hits in two views and prongs, many events at once.

Muons and charged hadrons are tracks, electrons and photons electromagnetic cascades, hadrons that interact hadronic
ones. Neutrinos leave nothing, and neither do the neutrons that are lost. What lies outside of the detector is lost too.
"""

import numpy as np

from cloudchamber.particle_codes import NEUTRINOS
from cloudchamber.studies.neutrinos.cascades import electromagnetic, hadronic
from cloudchamber.studies.neutrinos.deposits import Deposits, joined
from cloudchamber.studies.neutrinos.energy_loss import IRON
from cloudchamber.studies.neutrinos.events import Events, Hits, Prongs
from cloudchamber.studies.neutrinos.interactions import Interactions, Particles
from cloudchamber.studies.neutrinos.prongs import merged
from cloudchamber.studies.neutrinos.settings import DetectorSettings
from cloudchamber.studies.neutrinos.tracks import Starts, track

__all__ = ["detect"]

_NEUTRAL_HADRONS = (2112, 130, 310, 3122, 3322)


def detect(interactions: Interactions, first: int, detector: DetectorSettings, rng: np.random.Generator) -> Events:
    """Return what the detector sees of interactions.

    Args:
        interactions: what happens.
        first: number of the first event.
        detector: its settings.
        rng: generator.
    """
    n = len(interactions)
    vertex = _vertices(n, detector, rng)
    smearing = detector.vertex_smearing * np.array([detector.cell_width, detector.cell_width, detector.plane_pitch])
    found = vertex + smearing * rng.normal(size=(n, 3))
    particles = interactions.particles
    deposits, kinetic, left = _deposits(particles, vertex, detector, rng)
    visible = np.bincount(deposits.particle, deposits.energy, minlength=len(particles))
    size = np.linalg.norm(particles.momentum, axis=1)
    direction = particles.momentum / np.maximum(size, 1e-12)[:, None]
    prong_of = merged(particles.event, visible, direction, detector.merge_angle)
    hits, owner = _hits(deposits, prong_of, particles.event, n, detector, rng)
    seen, kept = _seen(owner, len(particles), detector, rng)
    mip = IRON.minimum * detector.density * detector.plane_pitch
    hits, prongs = _prongs(
        hits, owner, seen, kept, prong_of, particles, visible, 0.5 * mip, direction, kinetic, left, detector
    )
    shape = np.ones(n, np.int64)
    return Events(
        number=first + np.arange(n),
        interaction=interactions.interaction * shape,
        pdg=interactions.pdg * shape,
        energy=interactions.energy * np.ones(n),
        q2=interactions.q2,
        x=interactions.x,
        y=interactions.y,
        w=interactions.w,
        vertex=vertex,
        found=found,
        hits=hits,
        prongs=prongs,
    )


def _vertices(n: int, detector: DetectorSettings, rng: np.random.Generator) -> np.ndarray:
    across = rng.uniform(-detector.vertex_reach, detector.vertex_reach, (n, 2))
    along = rng.uniform(detector.first_vertex, detector.last_vertex + 1, n) * detector.plane_pitch
    return np.column_stack([across, along])


def _deposits(
    particles: Particles, vertex: np.ndarray, detector: DetectorSettings, rng: np.random.Generator
) -> tuple[Deposits, np.ndarray, np.ndarray]:
    """Return deposits, the (M,) kinetic energies of the particles, and which of them left the detector as tracks."""
    size = np.linalg.norm(particles.momentum, axis=1)
    kinetic = np.sqrt(size**2 + particles.mass**2) - particles.mass
    code = np.abs(particles.pdg)
    every = Starts(
        particle=np.arange(len(particles)),
        pdg=code,
        position=vertex[particles.event] + particles.vertex,
        direction=particles.momentum / np.maximum(size, 1e-12)[:, None],
        energy=kinetic,
        mass=np.maximum(particles.mass, 1e-6),
    )
    light = (code == 11) | (code == 22)
    neutral = np.isin(code, _NEUTRAL_HADRONS)
    tracked = ~light & ~neutral & ~np.isin(code, NEUTRINOS)
    found = track(every[tracked], detector, rng)
    lost = (code == 2112) & (rng.random(len(code)) < detector.lost_neutrons)
    cascades = _interacting(every[neutral & ~lost], detector, rng)
    deposits = joined(
        [
            found.deposits,
            electromagnetic(every[light], code[light] == 22, detector, rng),
            hadronic(found.cascades, detector, rng),
            hadronic(cascades, detector, rng),
        ]
    )
    left = np.zeros(len(particles), bool)
    left[found.left] = True
    return deposits, kinetic, left


def _interacting(neutral: Starts, detector: DetectorSettings, rng: np.random.Generator) -> Starts:
    """Return neutral hadrons where they interact."""
    way = rng.exponential(detector.interaction_length, len(neutral))
    position = neutral.position + way[:, None] * neutral.direction
    return Starts(neutral.particle, neutral.pdg, position, neutral.direction, neutral.energy, neutral.mass)


def _hits(
    deposits: Deposits,
    prong_of: np.ndarray,
    event: np.ndarray,
    n: int,
    detector: DetectorSettings,
    rng: np.random.Generator,
) -> tuple[Hits, np.ndarray]:
    """Return the hits above threshold, with noise, and the (M,) particle that began the prong with most energy in each.

    The prongs of the hits are not set yet; that particle is -1 for noise.
    """
    shape = (n, 2, detector.planes, detector.cells)
    strip = np.ravel_multi_index((event[deposits.particle], deposits.view, deposits.plane, deposits.cell), shape)
    began = prong_of[deposits.particle]
    noise = rng.poisson(detector.noise_hits, (n, 2))
    events, views = (np.repeat(values.ravel(), noise.ravel()) for values in np.indices((n, 2)))
    random = np.ravel_multi_index(
        (
            events,
            views,
            rng.integers(detector.planes, size=len(events)),
            rng.integers(detector.cells, size=len(events)),
        ),
        shape,
    )
    strip = np.concatenate([strip, random])
    began = np.concatenate([began, np.full(len(random), -1)])
    # Noise lies just above threshold.
    energy = np.concatenate([deposits.energy, detector.threshold + rng.exponential(0.5, len(random))])
    # First the sum of each prong in a strip, then the strips.
    order = np.lexsort((began, strip))
    strip, began, energy = strip[order], began[order], energy[order]
    if not len(strip):
        empty = np.zeros(0, np.int64)
        return Hits(empty, empty, empty, empty, np.zeros(0), empty), empty
    starts = np.flatnonzero(np.diff(strip, prepend=-1) | (np.diff(began, prepend=-2) != 0))
    sums = np.add.reduceat(energy, starts)
    strip, began = strip[starts], began[starts]
    brightest = np.lexsort((-sums, strip))
    strip, began, sums = strip[brightest], began[brightest], sums[brightest]
    firsts = np.flatnonzero(np.diff(strip, prepend=-1))
    total = np.add.reduceat(sums, firsts)
    seen = rng.poisson(detector.photoelectrons * total) / detector.photoelectrons
    kept = seen > detector.threshold
    event_of, view, plane, cell = np.unravel_index(strip[firsts][kept], shape)
    hits = Hits(event_of, view, plane, cell, seen[kept], np.full(int(kept.sum()), -1))
    return hits, began[firsts][kept]


def _seen(
    owner: np.ndarray, particles: int, detector: DetectorSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the particles whose prongs have hits enough, and which of these are not lost by chance."""
    hits = np.bincount(owner[owner >= 0], minlength=particles)
    seen = np.flatnonzero(hits >= detector.prong_hits)
    return seen, rng.random(len(seen)) >= detector.lost_prongs


def _prongs(
    hits: Hits,
    owner: np.ndarray,
    seen: np.ndarray,
    kept: np.ndarray,
    prong_of: np.ndarray,
    particles: Particles,
    visible: np.ndarray,
    unit: float,
    direction: np.ndarray,
    kinetic: np.ndarray,
    left: np.ndarray,
    detector: DetectorSettings,
) -> tuple[Hits, Prongs]:
    """Return the hits with their prongs, and the prongs: those that are found first, by falling energy."""
    number = len(particles)
    inside = prong_of >= 0
    energy = np.bincount(prong_of[inside], visible[inside], minlength=number)
    members = np.bincount(prong_of[inside], minlength=number)
    leaving = np.bincount(prong_of[inside], left[inside], minlength=number) > 0
    last, first = np.full(number, -1), np.full(number, detector.planes)
    owned = owner >= 0
    np.maximum.at(last, owner[owned], hits.plane[owned])
    np.minimum.at(first, owner[owned], hits.plane[owned])
    ordered = np.lexsort((-energy[seen], ~kept, particles.event[seen]))
    order, found = seen[ordered], kept[ordered]
    event = particles.event[order]
    counts = np.bincount(event, minlength=int(event.max(initial=-1)) + 1)
    slot = np.arange(len(order)) - (np.cumsum(counts) - counts)[event]
    position = np.full(number + 1, -1)
    position[order] = np.where(found, slot, -1)
    prongs = Prongs(
        event=event,
        pdg=particles.pdg[order],
        particles=members[order],
        energy=kinetic[order],
        visible=unit * energy[order],
        direction=direction[order],
        length=(last - first + 1)[order] * detector.plane_pitch,
        contained=~leaving[order],
        found=found,
    )
    return Hits(hits.event, hits.view, hits.plane, hits.cell, hits.energy, position[owner]), prongs
