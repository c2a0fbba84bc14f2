"""Active disks: compiled forces in cells against all pairs as arrays, and steps per second against the number of
disks."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.timing import Measurement, measure
from cloudchamber.studies.active_matter.dynamics import Dynamics, Walkers
from cloudchamber.studies.active_matter.system_settings import DisksSettings
from cloudchamber.studies.active_matter.systems.disks import Disks

__all__ = ["measurements"]

_NUMBERS = (1024, 4096, 32_768)
# Of particles and steps, on one core of the faster of two machines.
_AIM = 2e6
_STEPS = 50


def _disks(number: int) -> tuple[Disks, np.ndarray]:
    """Return disks of the published box, moved until none lie upon each other."""
    settings = DisksSettings(
        kind="disks", particles=number, strength=1.0, rate=1e-4, diffusion=0.0, packing_fraction=0.5
    )
    system, rng = Disks(settings), np.random.default_rng(1)
    assert system.length is not None
    state = system.initial(rng, 1)
    state[..., :2] = rng.uniform(-system.length / 2, system.length / 2, (1, number, 2))
    dynamics = Dynamics(system, np.array([0.025]), 0.1)
    return system, dynamics.advance(Walkers(state, np.zeros(1)), 300, rng).state


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure the forces on 4,096 disks against all pairs, whole steps against the aim, and forces against fewer
    disks."""
    system, state = _disks(4096)
    positions = state[0, :, :2].copy()
    difference = np.abs(system.force(positions) - system.pairs.all_pairs(positions)).max()
    if difference > 20 * np.exp(-7.5) / 7.5:
        raise RuntimeError(f"the two forces differ by {difference}")
    own, peer = measure(lambda: system.force(positions), lambda: system.pairs.all_pairs(positions), rounds)
    yield Measurement("forces of disks", "N=4096: cells against all pairs in numpy", own, peer, 4096, "particles", 50.0)

    small, state = _disks(_NUMBERS[0])
    few = state[..., :2].copy()
    for number in _NUMBERS:
        large, many = _disks(number)
        # As many particles on both sides: the ratio is that of the times for each.
        repeats = number // _NUMBERS[0]

        def of_few(repeats: int = repeats) -> None:
            for _ in range(repeats):
                small.force(few)

        own, peer = measure(partial(large.force, many[..., :2].copy()), of_few, rounds)
        case = f"N={number} against {_NUMBERS[0]}: time per particle"
        yield Measurement("forces of disks", case, own, peer, number, "particles", 1 / 1.5)

        dynamics = Dynamics(large, np.array([0.025]), 0.1)

        def steps(dynamics: Dynamics = dynamics, many: np.ndarray = many) -> None:
            dynamics.advance(Walkers(many, np.zeros(1)), _STEPS, np.random.default_rng(2))

        seconds, _ = measure(steps, None, rounds)
        case = f"N={number}, step with noise, against the aim of {_AIM:.0f} particle steps/s"
        yield Measurement("dynamics of disks", case, seconds, (), number * _STEPS, "particle steps", 1.0, _AIM)
