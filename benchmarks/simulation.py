"""Simulated jets in a window: with events given up at the level of partons, against all simulated to the end."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.timing import Measurement, measure
from cloudchamber.preparation.clustering import cluster, four_vector_sums
from cloudchamber.settings.processes import KeptEvents, PythiaProcess
from cloudchamber.simulation.collisions import collide
from cloudchamber.simulation.detector import detect

__all__ = ["accepted_jets", "measurements"]

_EVENTS = 250
_RADIUS, _ETA_MAX = 1.2, 2.0
_PT, _MASS = (1000.0, 1200.0), (300.0, 700.0)
# The process of configs/tagging/default.yaml.
_KEEP = KeptEvents(pt=(970.0, 1400.0), mass=(240.0, 950.0), eta_max=2.2)
_ALL = PythiaProcess(title="QCD jets", commands=("HardQCD:all = on",), pt_hat=(1000.0, 1300.0), events=_EVENTS)
_KEPT = _ALL.model_copy(update={"keep": _KEEP})


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure QCD jets of the tagging study per CPU second, each round with a seed of its own.

    Seconds are those of a jet: of a round, over the mean number of jets of all rounds, since one has some forty only.
    """
    of_kept: list[int] = []
    of_all: list[int] = []
    own, peer = measure(partial(_round, _KEPT, of_kept), partial(_round, _ALL, of_all), rounds)
    per_jet = [
        tuple(seconds * len(jets) / sum(jets) for seconds in taken) for taken, jets in ((own, of_kept), (peer, of_all))
    ]
    case = "jets of 1.0 to 1.2 TeV and 300 to 700 GeV: events given up at 10 GeV against all simulated to the end"
    yield Measurement("simulated QCD jets", case, per_jet[0], per_jet[1], 1, "jets", 1.5)


def accepted_jets(process: PythiaProcess, seed: int) -> int:
    """Simulate the events of a process and return how many jets of towers lie in the windows of the tagging study."""
    rng, found = np.random.default_rng(seed), 0
    for batch in collide("qcd", process, seed, process.events, process.events):
        towers = detect(batch.particles, rng)
        offsets = np.concatenate([[0], np.cumsum(np.bincount(towers.event, minlength=batch.particles.n_events))])
        pt, eta, phi = (values.astype(np.float64) for values in (towers.et, towers.eta, towers.phi))
        jets = cluster(pt, eta, phi, offsets, algorithm="anti-kt", radius=_RADIUS, pt_min=_PT[0])
        of_jets = jets.members
        sums = four_vector_sums(pt[of_jets], eta[of_jets], phi[of_jets], jets.offsets)
        inside = (sums.pt >= _PT[0]) & (sums.pt <= _PT[1]) & (np.abs(sums.eta) <= _ETA_MAX)
        found += int((inside & (sums.mass >= _MASS[0]) & (sums.mass <= _MASS[1])).sum())
    return found


def _round(process: PythiaProcess, found: list[int]) -> None:
    found.append(accepted_jets(process, 100 + len(found)))
