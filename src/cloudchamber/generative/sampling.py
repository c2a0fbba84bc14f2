"""Drawing clouds from a trained network."""

import time
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber import seeds
from cloudchamber.generative.objectives import Objective
from cloudchamber.generative.solvers import Field, solve
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing
from cloudchamber.settings.generators import SamplerSettings

__all__ = ["Sampler", "chunk_size"]

# Clouds evaluated together: on a CPU so few that the activations stay in its cache, on a GPU so many that it is full.
_CHUNK = {"cpu": 64, "cuda": 4096}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def chunk_size(device: torch.device) -> int:
    """Return how many clouds have a random stream in common on ``device``."""
    return _CHUNK[device.type]


@final
class Sampler:
    """Draws packed clouds in chunks, each with a random stream of its own.

    Args:
        network: maps (particles, time, conditions, packing) to the prediction; a frozen copy is used.
        objective: what the prediction means.
        settings: solver, evaluations and precision of the network; the state is float32 in any case.
        features: F, coordinates of a particle.
        cloud_noise: width of the noise of each cloud that the network takes behind its conditions.

    Example:
        >>> from cloudchamber.generative.objectives import FlowMatching
        >>> from cloudchamber.networks.epic import Epic
        >>> from cloudchamber.settings.networks import EpicSettings
        >>> from cloudchamber.settings.objectives import FlowMatchingSettings
        >>> network = Epic(3, 0, EpicSettings(layers=1, hidden=8, latent=2))
        >>> objective = FlowMatching(FlowMatchingSettings(kind="flow_matching"))
        >>> sampler = Sampler(network, objective, SamplerSettings(solver="heun", evaluations=10), features=3)
        >>> sampler.draw(torch.tensor([30, 12]), torch.empty(2, 0), seed=1).shape
        torch.Size([42, 3])
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        settings: SamplerSettings,
        features: int,
        cloud_noise: int = 0,
    ) -> None:
        self._dtype = _DTYPES[settings.precision]
        self._network = for_inference(network, self._dtype)
        self._device = next(network.parameters()).device
        self._objective = objective
        self._settings = settings
        self._features, self._cloud_noise = features, cloud_noise
        self.evaluations = 0
        self.seconds = 0.0

    @torch.inference_mode()
    def draw(
        self,
        counts: Tensor,
        conditions: Tensor,
        seed: int,
        on_chunk: Callable[[int], None] | None = None,
        first_chunk: int = 0,
    ) -> Tensor:
        """Return (M, F) float32 particles on the CPU, cloud after cloud, M the sum of ``counts``.

        After the call, ``evaluations`` holds the network evaluations spent on each cloud and ``seconds`` the elapsed
        time of the draw.

        Args:
            counts: (N,) particles of each cloud.
            conditions: (N, C) standardised conditions.
            seed: the same seed on the same kind of device gives the same clouds.
            on_chunk: called with the number of clouds of each finished chunk.
            first_chunk: number of the first chunk, where these clouds are the end or the middle of more.
        """
        start = time.perf_counter()
        size = chunk_size(self._device)
        chunks = []
        parts = zip(counts.split(size), conditions.split(size), strict=True)
        for number, (some_counts, some_conditions) in enumerate(parts, start=first_chunk):
            chunks.append(self._chunk(some_counts, some_conditions, seeds.integer_seed(seed, "sample", number)).cpu())
            if on_chunk is not None:
                on_chunk(len(some_counts))
        self.seconds = time.perf_counter() - start
        return torch.cat(chunks)

    def _chunk(self, counts: Tensor, conditions: Tensor, seed: int) -> Tensor:
        packing = Packing(counts.to(self._device))
        generator = torch.Generator(device=self._device).manual_seed(seed)
        start = torch.randn(packing.rows, self._features, generator=generator, device=self._device)
        of_clouds = torch.randn(len(counts), self._cloud_noise, generator=generator, device=self._device)
        conditions = torch.cat([conditions.to(self._device), of_clouds], dim=1).to(self._dtype)

        def network(state: Tensor, now: Tensor) -> Tensor:
            return self._network(state.to(self._dtype), now, conditions, packing).float()

        field = Field(network, self._objective)
        drawn = solve(field, start, self._settings, generator)
        self.evaluations = field.evaluations
        return drawn
