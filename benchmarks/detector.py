"""The detector simulation: events per second."""

from collections.abc import Iterator

import numpy as np

from benchmarks.timing import Measurement, measure
from cloudchamber.settings.processes import PythiaProcess
from cloudchamber.simulation.collisions import collide
from cloudchamber.simulation.detector import detect

__all__ = ["measurements"]

_EVENTS = 500
_BATCH = 250
_PROCESS = PythiaProcess(title="QCD jets", commands=("HardQCD:all = on",), pt_hat=(200.0, 1000.0), events=_EVENTS)
# Delphes 3.5 with its ATLAS card on such events, measured on another machine, file output included.
_DELPHES_RATE = 100.0
_AIM = 1500.0


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure propagation, calorimeters and muons on QCD events with jets above 200 GeV; collisions do not count."""
    batches = [collisions.particles for collisions in collide("qcd", _PROCESS, 11, _EVENTS, _BATCH)]
    events = sum(batch.n_events for batch in batches)

    def own() -> None:
        rng = np.random.default_rng(1)
        for particles in batches:
            detect(particles, rng)

    seconds, _ = measure(own, None, rounds)
    for name, rate, target in (
        (f"against the aim of {_AIM:.0f} events/s", _AIM, 1.0),
        (f"against {_DELPHES_RATE:.0f} events/s of Delphes 3, measured elsewhere", _DELPHES_RATE, _AIM / _DELPHES_RATE),
    ):
        text = f"QCD events with jets above 200 GeV, batches of {_BATCH}: {name}"
        yield Measurement("detector", text, seconds, (), events, "events", target, rate)
