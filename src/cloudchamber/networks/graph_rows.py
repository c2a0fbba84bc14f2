"""Particles of padded clouds as nodes of a graph, and edges to their neighbours: the real ones only, or all slots."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from cloudchamber.networks.precision import single_precision

__all__ = ["Edges", "GraphRows", "PackedEdges", "PackedGraphRows", "PaddedGraphRows"]


class Edges(ABC):
    """Abstract set of directed edges from particles to their nearest neighbours.

    Attributes:
        centre: (E,) row of the particle that receives.
        neighbour: (E,) row of its neighbour.
    """

    centre: Tensor
    neighbour: Tensor

    @abstractmethod
    def mean(self, messages: Tensor) -> Tensor:
        """Return the (M, F) mean of (E, F) messages over the neighbours of each particle, zero without any."""


@final
@dataclass(frozen=True)
class PackedEdges(Edges):
    """Edges between real particles only, those of one particle next to each other, in the order of the particles.

    Attributes:
        degree: (M, 1) number of neighbours of each.
    """

    neighbour: Tensor
    degree: Tensor

    @cached_property
    def centre(self) -> Tensor:  # type: ignore[override]
        rows = torch.arange(len(self.degree), device=self.degree.device)
        return rows.repeat_interleave(self.degree.squeeze(1), output_size=len(self.neighbour))

    def mean(self, messages: Tensor) -> Tensor:
        terms = single_precision(messages)
        total = terms.new_zeros(len(self.degree), terms.shape[1]).index_add(0, self.centre, terms)
        return (total / self.degree.clamp(min=1)).to(messages.dtype)


@final
@dataclass(frozen=True)
class PaddedEdges(Edges):
    """As many edges from each slot, of which those where ``real`` (M, k) is true count."""

    centre: Tensor
    neighbour: Tensor
    real: Tensor

    def mean(self, messages: Tensor) -> Tensor:
        counted = torch.where(self.real.unsqueeze(2), messages.unflatten(0, self.real.shape), 0.0)
        return counted.sum(dim=1) / self.real.sum(dim=1, keepdim=True).clamp(min=1)


class GraphRows(ABC):
    """Abstract arrangement of a padded batch as rows; ``mask`` is (B, P) bool, true for real particles."""

    mask: Tensor

    @abstractmethod
    def pack(self, padded: Tensor) -> Tensor:
        """Return the (M, F) rows of (B, P, F)."""

    @abstractmethod
    def pad(self, rows: Tensor) -> Tensor:
        """Return (B, P, F); padded slots hold finite values."""

    @abstractmethod
    def mean(self, rows: Tensor) -> Tensor:
        """Return the (B, F) mean over the particles of each cloud, zero for a cloud without any."""

    @abstractmethod
    def edges(self, real: Tensor, slots: Tensor) -> Edges:
        """Return the edges of (B, P, k) neighbours, of which some are real, given their index into the slots."""


@final
@dataclass(frozen=True)
class PackedGraphRows(GraphRows):
    """The M real particles, in the order of their slots.

    Attributes:
        slots: (M,) index into the B x P slots.
        row_of_slot: (B * P,) the inverse; meaningless for padded slots.
    """

    slots: Tensor
    row_of_slot: Tensor
    mask: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> "PackedGraphRows":
        flat = mask.flatten()
        return cls(flat.nonzero().squeeze(1), flat.cumsum(0) - 1, mask)

    def pack(self, padded: Tensor) -> Tensor:
        return padded.flatten(0, 1).index_select(0, self.slots)

    def pad(self, rows: Tensor) -> Tensor:
        padded = rows.new_zeros(self.mask.numel(), rows.shape[1])
        return padded.index_copy(0, self.slots, rows).unflatten(0, self.mask.shape)

    def mean(self, rows: Tensor) -> Tensor:
        clouds = self.slots // self.mask.shape[1]
        terms = single_precision(rows)
        total = terms.new_zeros(len(self.mask), terms.shape[1]).index_add(0, clouds, terms)
        return (total / self.mask.sum(dim=1, keepdim=True).clamp(min=1)).to(rows.dtype)

    def edges(self, real: Tensor, slots: Tensor) -> Edges:
        real = self.pack(real)
        return PackedEdges(self.row_of_slot[self.pack(slots)[real]], real.sum(dim=1, keepdim=True))


@final
@dataclass(frozen=True)
class PaddedGraphRows(GraphRows):
    """All B x P slots: dense arrays of fixed shape, as other runtimes want them."""

    mask: Tensor

    def pack(self, padded: Tensor) -> Tensor:
        return torch.where(self.mask.unsqueeze(2), padded, 0.0).flatten(0, 1)

    def pad(self, rows: Tensor) -> Tensor:
        return rows.unflatten(0, self.mask.shape)

    def mean(self, rows: Tensor) -> Tensor:
        total = torch.where(self.mask.unsqueeze(2), self.pad(rows), 0.0).sum(dim=1)
        return total / self.mask.sum(dim=1, keepdim=True).clamp(min=1)

    def edges(self, real: Tensor, slots: Tensor) -> Edges:
        centre = torch.arange(self.mask.numel(), device=slots.device).unsqueeze(1).expand(-1, slots.shape[2])
        return PaddedEdges(centre.flatten(), slots.flatten(), real.flatten(0, 1))
