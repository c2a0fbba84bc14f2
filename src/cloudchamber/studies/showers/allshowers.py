"""The networks of arXiv 2601.11716: a transformer for the points of a shower, a dense one for their numbers per layer.

Sizes are those of the published code; no number of the paper was available. Three things differ from that code: the
window of layers is symmetric, as its documentation says; rows are packed and not padded; and the energy in the
conditions of the counts is standardised in its logarithm.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.packing import Packing
from cloudchamber.studies.showers.layer_windows import LayerWindows
from cloudchamber.studies.showers.model_settings import AllShowersNetwork
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CONDITIONS", "AllShowers", "PointCountFlow", "time_features"]

# Logarithm of the energy, direction, species; behind them the points of each layer.
CONDITIONS = 5
FEATURES = 3
_FREQUENCIES = (1, 2, 3)


def time_features(time: Tensor) -> Tensor:
    """Return (B, 6) cos and sin of pi k t, k = 1, 2, 3, of (B, 1) times."""
    phase = torch.pi * time.float() * torch.tensor(_FREQUENCIES, device=time.device)
    return torch.cat([phase.cos(), phase.sin()], dim=1)


@final
class _Block(nn.Module):
    """Attention and feed-forward part, each added to its input and normalised behind it."""

    def __init__(self, settings: AllShowersNetwork) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width) if settings.output_projection else nn.Identity()
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, settings.feed_forward), nn.Linear(settings.feed_forward, width)

    def forward(self, rows: Tensor, windows: LayerWindows) -> Tensor:
        attended = self.out(windows.attend(self.queries_keys_values(rows), self.heads))
        rows = self.first_norm(rows + attended)
        return self.second_norm(rows + self.second(functional.gelu(self.first(rows))))


@final
class AllShowers(nn.Module):
    """Velocity of the points of showers of all species; 263,491 parameters by default, 280,131 with output projections.

    Args:
        settings: sizes.
        layers: L, of the calorimeter.
        intervals: whether times come with intervals, as in a flow map.
    """

    def __init__(self, settings: AllShowersNetwork, layers: int, intervals: bool = False) -> None:
        super().__init__()
        width = settings.width
        self.window = settings.window
        self.point = nn.Linear(FEATURES, width)
        self.layer = nn.Embedding(layers, width) if settings.layer_embedding else None
        self.condition = nn.Linear(2 * len(_FREQUENCIES) + CONDITIONS - 1, width)
        self.counts = nn.Sequential(
            nn.Linear(layers, settings.counts_hidden), nn.GELU(), nn.Linear(settings.counts_hidden, width)
        )
        self.species = nn.Embedding(len(SPECIES), width)
        # Zero at first, so that a flow map begins as its teacher.
        self.interval = nn.Linear(2 * len(_FREQUENCIES), width, bias=False) if intervals else None
        if self.interval is not None:
            nn.init.zeros_(self.interval.weight)
        self.blocks = nn.ModuleList(_Block(settings) for _ in range(settings.layers))
        self.last = nn.Linear(width, FEATURES)
        self._seen: tuple[Packing, LayerWindows] | None = None

    def forward(self, particles: Tensor, time: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return the (M, 3) velocity.

        Args:
            particles: (M, 3) standardised x, y and logarithm of the energy, ordered by shower and layer.
            time: (B, 1) in [0, 1], or (1, 1) for all showers, with the interval behind it where there are some.
            conditions: (B, 5 + L): :data:`CONDITIONS`, then the points of each layer.
            packing: which point belongs to which shower.
        """
        counts = conditions[:, CONDITIONS:]
        windows = self._windows(counts, packing)
        waves = time_features(time[:, :1]).to(particles.dtype).expand(len(conditions), -1)
        context = self.condition(torch.cat([waves, conditions[:, : CONDITIONS - 1]], dim=1))
        context = context + self.counts(counts) + self.species(conditions[:, CONDITIONS - 1].long())
        if self.interval is not None:
            context = context + self.interval(time_features(time[:, 1:]).to(particles.dtype))
        rows = self.point(particles) + packing.spread(context)
        if self.layer is not None:
            rows = rows + self.layer(windows.layers)
        for block in self.blocks:
            rows = block(rows, windows)
        return self.last(rows)

    def _windows(self, counts: Tensor, packing: Packing) -> LayerWindows:
        """Return the windows of the showers: those of the last call, where it was on the same ones."""
        if self._seen is None or self._seen[0] is not packing:
            # Tensors made in inference mode could not serve a training step later.
            with torch.inference_mode(False), torch.no_grad():
                self._seen = packing, LayerWindows(counts.detach().clone().round().long(), self.window)
        return self._seen[1]


@final
class PointCountFlow(nn.Module):
    """Velocity of the numbers of points in all layers; 351,822 parameters by default.

    Args:
        hidden: widths.
        layers: L, of the calorimeter.
    """

    def __init__(self, hidden: Sequence[int], layers: int) -> None:
        super().__init__()
        conditions = CONDITIONS - 1 + len(SPECIES)
        widths = (layers + 2 * len(_FREQUENCIES) + conditions, *hidden)
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            modules += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*modules, nn.Linear(widths[-1], layers))

    def forward(self, particles: Tensor, time: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        """Return the (B, L) velocity of showers, each a cloud of one row.

        Args:
            particles: (B, L) standardised numbers.
            time: (B, 1) or (1, 1).
            conditions: (B, 5), as of :class:`AllShowers`.
            packing: of one row for each shower.
        """
        waves = time_features(time).to(particles.dtype).expand(len(particles), -1)
        species = functional.one_hot(conditions[:, CONDITIONS - 1].long(), len(SPECIES)).to(particles.dtype)
        return self.layers(torch.cat([particles, waves, conditions[:, : CONDITIONS - 1], species], dim=1))
