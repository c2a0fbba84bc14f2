"""How the particles of padded clouds become rows: the real ones only, or all slots.

A network written against :class:`CloudRows` is trained and used on :class:`PackedRows`, where padding costs nothing,
and exported on :class:`PaddedRows`, which knows only operations on dense arrays of fixed shape.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks.buckets import Buckets
from cloudchamber.networks.precision import single_precision

__all__ = ["AttentiveClassifier", "CloudClassifier", "CloudRows", "PackedRows", "PaddedRows"]


class CloudRows(ABC):
    """Abstract arrangement of B clouds of at most P particles as R rows, and as dense blocks of clouds.

    Attributes:
        biases: for each block what attention adds to its scores, (b, 1, 1, n), or None where all particles are real.
    """

    biases: Sequence[Tensor | None]

    @abstractmethod
    def pack(self, padded: Tensor) -> Tensor:
        """Return the (R, F) rows of (B, P, F), without what lies in padded slots."""

    @abstractmethod
    def pad(self, particles: Tensor) -> Tensor:
        """Return (R, F) rows as (B, P, F), zero in padded slots."""

    @abstractmethod
    def spread(self, clouds: Tensor) -> Tensor:
        """Return (B, F) values of clouds for each particle: (R, F)."""

    @abstractmethod
    def sum(self, particles: Tensor) -> Tensor:
        """Return the (B, F) sum of (R, F) rows over the real particles of each cloud."""

    @abstractmethod
    def mean(self, particles: Tensor) -> Tensor:
        """Return the (B, F) mean of (R, F) rows, zero for a cloud without particles."""

    @abstractmethod
    def split(self, particles: Tensor) -> tuple[Tensor, ...]:
        """Return (R, F) rows as blocks (b, n, F)."""

    @abstractmethod
    def join_clouds(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return (b, F) values of the clouds of each block as (B, F), in the order of the clouds."""


@final
class PackedRows(CloudRows):
    """Rows of the real particles only; a block for each multiplicity.

    Args:
        mask: (B, P) bool, true for real particles.
    """

    def __init__(self, mask: Tensor) -> None:
        self._shape = mask.shape
        self._counts = mask.sum(dim=1)
        self._buckets = Buckets(self._counts)
        self._slots = self._buckets.sort(mask.flatten().nonzero().squeeze(1))
        self.biases = (None,) * len(self._buckets.shapes)

    def pack(self, padded: Tensor) -> Tensor:
        return padded.flatten(0, 1).index_select(0, self._slots)

    def pad(self, particles: Tensor) -> Tensor:
        padded = particles.new_zeros(self._shape.numel(), particles.shape[1])
        return padded.index_copy(0, self._slots, particles).unflatten(0, self._shape)

    def spread(self, clouds: Tensor) -> Tensor:
        return clouds.index_select(0, self._buckets.owners)

    def sum(self, particles: Tensor) -> Tensor:
        terms = single_precision(particles)
        return terms.new_zeros(self._shape[0], terms.shape[1]).index_add(0, self._buckets.owners, terms)

    def mean(self, particles: Tensor) -> Tensor:
        return self.sum(particles) / self._counts.clamp(min=1).unsqueeze(1)

    def split(self, particles: Tensor) -> tuple[Tensor, ...]:
        return self._buckets.split(particles)

    def join_clouds(self, blocks: Sequence[Tensor]) -> Tensor:
        values = torch.cat(list(blocks))
        return torch.zeros_like(values).index_copy(0, self._buckets.clouds, values)


@final
class PaddedRows(CloudRows):
    """Rows of all slots, real or not, in one block; zeros lie in padded ones at first.

    Args:
        mask: (B, P) bool, true for real particles.
    """

    def __init__(self, mask: Tensor) -> None:
        self._mask = mask
        bias = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, torch.finfo(torch.float32).min)
        self.biases = (bias[:, None, None],)

    def pack(self, padded: Tensor) -> Tensor:
        return torch.where(self._mask.unsqueeze(2), padded, 0.0).flatten(0, 1)

    def pad(self, particles: Tensor) -> Tensor:
        return torch.where(self._mask.unsqueeze(2), particles.unflatten(0, self._mask.shape), 0.0)

    def spread(self, clouds: Tensor) -> Tensor:
        return clouds.unsqueeze(1).expand(-1, self._mask.shape[1], -1).flatten(0, 1)

    def sum(self, particles: Tensor) -> Tensor:
        return self.pad(particles).sum(dim=1)

    def mean(self, particles: Tensor) -> Tensor:
        return self.sum(particles) / self._mask.sum(dim=1, keepdim=True).clamp(min=1)

    def split(self, particles: Tensor) -> tuple[Tensor, ...]:
        return (particles.unflatten(0, self._mask.shape),)

    def join_clouds(self, blocks: Sequence[Tensor]) -> Tensor:
        return blocks[0]


class CloudClassifier(nn.Module, ABC):
    """Abstract network from the particles of clouds to logits of K classes."""

    @abstractmethod
    def forward(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> Tensor:
        """Return (B, K) logits.

        Args:
            particles: (R, F) features.
            momenta: (R, 3) transverse momentum [GeV], eta and phi of each particle.
            rows: which row belongs to which cloud.
        """


class AttentiveClassifier(CloudClassifier, ABC):
    """Abstract network whose particles look at each other."""

    @abstractmethod
    def attention_weights(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> list[tuple[Tensor, ...]]:
        """Return, layer by layer, the (b, heads, n, n) attention of each block of clouds; each row of it sums to 1.

        The arguments are those of ``forward``.
        """
