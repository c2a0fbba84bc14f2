"""Flow maps: networks that go from one time of a trajectory to another in one evaluation, learned from a teacher.

The teacher's probability-flow equation takes each noise to one cloud, along a trajectory x(t). A flow map is a network
F(x, t, t - s) whose step of DDIM from t to s, which is an Euler step on a straight path, ends at x(s): the map X_(t,s)
of arXiv 2406.07507. It is learned by regression on stored trajectories of the teacher, from the teacher's weights: the
trajectories are deterministic, so that the regression has no noise to average over.
"""

import math
from collections.abc import Callable
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber import seeds
from cloudchamber.generative.jet_task import JetTask
from cloudchamber.generative.objectives import PathObjective
from cloudchamber.generative.paths import GaussianPath
from cloudchamber.generative.sampling import Sampler
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.settings.generators import SamplerSettings

__all__ = ["FlowMapTask", "Segments", "implied_ends"]

_VALIDATION_SAMPLER = SamplerSettings(solver="flow_map", evaluations=1)


def implied_ends(
    path: GaussianPath, state: Tensor, end_state: Tensor, time: Tensor, end: Tensor, spread: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the clean data and the noise, both (M, F), that a step of DDIM takes from one state to the other.

    With them x_t = signal(t) data + noise(t) z holds at both times. They are what a flow map predicts: the clean data
    and the noise of the trajectory itself only where the trajectory is straight.

    Args:
        path: of the teacher.
        state, end_state: (M, F) at ``time`` and at ``end``.
        time, end: (B, 1), one per cloud.
        spread: maps (B, 1) to (M, 1).
    """
    signal, noise = spread(path.signal(time)), spread(path.noise(time))
    end_signal, end_noise = spread(path.signal(end)), spread(path.noise(end))
    determinant = signal * end_noise - end_signal * noise
    clean = (end_noise * state - noise * end_state) / determinant
    return clean, (signal * end_state - end_signal * state) / determinant


@final
class Segments:
    """The parts of trajectories that a flow map is trained on.

    Args:
        objective: of the teacher: its path, and what a prediction means.
        segments: K, a power of two; trajectories hold the states at the K + 1 times of the grid, noise first.
        features: F, coordinates of a particle.
    """

    def __init__(self, objective: PathObjective, segments: int, features: int) -> None:
        self._objective, self._segments, self._features = objective, segments, features
        self._times = objective.path.grid(segments).float()[:, None]

    def to(self, device: torch.device) -> None:
        """Move to ``device``."""
        self._times = self._times.to(device)

    def draw(self, clouds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return (clouds,) indices of the times where a segment starts and ends; each length is drawn as often."""
        device = self._times.device
        levels = int(math.log2(self._segments)) + 1
        number = 2 ** torch.randint(levels, (clouds,), generator=generator, device=device)
        place = (torch.rand(clouds, generator=generator, device=device) * number).long()
        length = self._segments // number
        return place * length, (place + 1) * length

    def predict(
        self,
        network: Callable[..., Tensor],
        values: Tensor,
        first: Tensor,
        last: Tensor,
        conditions: Tensor,
        packing: Packing,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what the network predicts (M, F), the ends (M, F) that it is to imply, and the times (B, 1).

        Args:
            network: the flow map.
            values: (M, (K + 1) F) packed trajectories.
            first, last: (B,) from :meth:`draw`.
            conditions: (B, C).
            packing: which particle belongs to which cloud.
        """
        states = values.reshape(len(values), self._segments + 1, self._features)
        time, end = self._times[first], self._times[last]
        rows = torch.arange(len(values), device=values.device)
        state, end_state = (states[rows, packing.spread(place[:, None])[:, 0]] for place in (first, last))
        clean, noise = implied_ends(self._objective.path, state, end_state, time, end, packing.spread)
        seen, network_time = self._objective.inputs(state, time, packing.spread)
        network_end = self._objective.inputs(state, end, packing.spread)[1]
        prediction = network(seen, torch.cat([network_time, network_time - network_end], dim=1), conditions, packing)
        return prediction.float(), clean, noise, time


@final
class FlowMapTask(JetTask):
    """Regression on trajectories: each step takes one segment of each, of a length drawn from 1, 2, 4, ... of all.

    Args:
        network: the flow map, with the weights of its teacher.
        objective: of the teacher: its path, and what a prediction means.
        train, validation: trajectories as packed clouds, whose values (M, (K + 1) F) are the states at the K + 1 times
            of the grid of K segments, noise first.
        segments: K, a power of two.
        to_physical: maps packed particles (M, 3) back to (eta_rel, phi_rel, pt_rel).
        true: packed jets that the mass and the momentum of drawn ones are compared with.
        seed: of the random numbers of validation, which are the same at each call.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: PathObjective,
        train: PackedClouds,
        validation: PackedClouds,
        segments: int,
        to_physical: Callable[[np.ndarray], np.ndarray],
        true: PackedClouds,
        seed: int,
    ) -> None:
        super().__init__(network, train, true, to_physical, seed)
        self._trajectories_to_validate = validation
        self._objective = objective
        self._features = true.values.shape[1]
        self._segments = Segments(objective, segments, self._features)

    def to(self, device: torch.device) -> None:
        super().to(device)
        self._trajectories_to_validate = self._trajectories_to_validate.to(device)
        self._segments.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        values, packing, conditions = self._train.take(rows)
        first, last = self._segments.draw(len(rows), generator)
        particles, part = packing.part(share)
        total = self._sum(network, values[particles], first[share], last[share], conditions[share], part)
        # Processes average their gradients, so that each share counts as often as there are processes.
        return total * (len(rows) / (share.stop - share.start)) / packing.rows

    def _sum(
        self,
        network: Callable[..., Tensor],
        values: Tensor,
        first: Tensor,
        last: Tensor,
        conditions: Tensor,
        packing: Packing,
    ) -> Tensor:
        """Return the sum of the loss over the particles of packed trajectories."""
        prediction, clean, noise, time = self._segments.predict(network, values, first, last, conditions, packing)
        return self._objective.loss(prediction, clean, noise, time, packing)

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the validation loss and the Wasserstein-1 distances of jet mass and jet pT (relative to the jet)."""
        held_out = self._trajectories_to_validate
        generator = torch.Generator(device=held_out.values.device)
        generator.manual_seed(seeds.integer_seed(self._seed, "validation"))
        total, particles = 0.0, 0
        for some in torch.arange(len(held_out), device=held_out.values.device).split(512):
            values, packing, conditions = held_out.take(some)
            segments = self._segments.draw(len(some), generator)
            total += float(self._sum(network, values, *segments, conditions, packing))
            particles += packing.rows
        sampler = Sampler(network, self._objective, _VALIDATION_SAMPLER, self._features)
        return {"validation_loss": total / particles, **self._check.distances(sampler)}
