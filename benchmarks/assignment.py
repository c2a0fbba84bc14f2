"""Assignment of jets: the compiled chi-square against a plain loop, the network against its plain padded form."""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import torch

from benchmarks.timing import Measurement, measure
from cloudchamber.studies.assignment.chi_square import best_assignments
from cloudchamber.studies.assignment.masses import four_momenta
from cloudchamber.studies.assignment.network import AssignmentNetwork
from cloudchamber.studies.assignment.network_settings import AssignmentNetworkSettings
from cloudchamber.studies.assignment.settings import ChiSquareSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

__all__ = ["measurements"]

_JETS, _EVENTS, _LOOPED = 8, 4000, 2
_BATCH, _SLOTS = 64, 10
_SETTINGS = ChiSquareSettings()
# Layers and widths of SPANet for all-hadronic top pairs, which has 2,542,476 parameters; here they are 2.5 million too.
_SPANET = {"embedding": (128,), "heads": 8, "feed_forward": 512, "encoder_layers": 6, "branch_layers": 3, "rank": 128}
# The shares of events with 6 to 10 jets in the file that comes with SPANet.
_COUNTS = (0.314, 0.343, 0.212, 0.096, 0.035)


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure an event of 8 jets without b-tags, and networks of the size of SPANet in float32."""
    yield _chi_square(rounds)
    for tensor, target in (("low_rank", 2.0), ("full", None)):
        own, peer = measure(*_networks(tensor), rounds)
        case = f"{tensor.replace('_', ' ')}, {_SLOTS} slots, batch {_BATCH}: packed against padded"
        yield Measurement("assignment network", case, own, peer, _BATCH, "events", target)


def _events(rng: np.random.Generator, counts: np.ndarray, slots: int) -> tuple[np.ndarray, np.ndarray]:
    mask = np.arange(slots) < counts[:, None]
    pt = rng.uniform(25, 200, mask.shape)
    angles = rng.uniform(-2, 2, (2, *mask.shape))
    jets = np.stack([pt, angles[0], angles[1], 0.1 * pt, rng.random(mask.shape) < 0.3], axis=2)
    return (jets * mask[:, :, None]).astype(np.float32), mask


def _chi_square(rounds: int) -> Measurement:
    jets, mask = _events(np.random.default_rng(1), np.full(_EVENTS, _JETS), _JETS)

    def own() -> np.ndarray:
        return best_assignments(jets, mask, _SETTINGS, "top_mass", b_tags=False)[1]

    def peer() -> list[float]:
        return [_lowest(event) for event in four_momenta(jets[:_LOOPED]).tolist()]

    if not np.allclose(own()[:_LOOPED], peer()):
        raise RuntimeError("the two chi-squares differ")
    ours, theirs = measure(own, peer, rounds)
    # The loop is too slow for as many events.
    scaled = tuple(seconds * _EVENTS / _LOOPED for seconds in theirs)
    case = f"{_JETS} jets, 2,520 assignments: compiled triplets against a plain Python loop"
    return Measurement("chi-square", case, ours, scaled, _EVENTS, "events", 3000.0)


def _mass(momenta: list[list[float]], jets: tuple[int, ...]) -> float:
    px, py, pz, energy = (sum(momenta[jet][axis] for jet in jets) for axis in range(4))
    return float(max(energy**2 - px**2 - py**2 - pz**2, 0.0) ** 0.5)


def _lowest(momenta: list[list[float]]) -> float:
    """Return the lowest chi-square of one event by a loop over all distinct assignments."""
    best = float("inf")
    w_mass, w_width, top_mass, top_width = (
        _SETTINGS.w_mass, _SETTINGS.w_width, _SETTINGS.top_mass, _SETTINGS.top_width,
    )  # fmt: skip
    for first in combinations(range(len(momenta)), 3):
        others = [jet for jet in range(len(momenta)) if jet not in first]
        for second in combinations(others, 3):
            if second < first:
                continue
            for b_1 in first:
                for b_2 in second:
                    value = 0.0
                    for triplet, b in ((first, b_1), (second, b_2)):
                        pair = tuple(jet for jet in triplet if jet != b)
                        value += ((_mass(momenta, pair) - w_mass) / w_width) ** 2
                        value += ((_mass(momenta, triplet) - top_mass) / top_width) ** 2
                    best = min(best, value)
    return best


def _networks(tensor: str) -> tuple[Callable[[], object], Callable[[], object]]:
    torch.manual_seed(3)
    settings = AssignmentNetworkSettings.model_validate({**_SPANET, "tensor": tensor})
    network = AssignmentNetwork(settings, ALL_HADRONIC_TOP_PAIR).eval()
    rng = np.random.default_rng(2)
    counts = rng.choice(np.arange(6, 11), _BATCH, p=_COUNTS)
    jets, mask = (torch.from_numpy(values) for values in _events(rng, counts, _SLOTS))

    @torch.inference_mode()
    def own() -> object:
        return network(jets, mask)

    @torch.inference_mode()
    def peer() -> object:
        return network.padded(jets, mask)

    return own, peer
