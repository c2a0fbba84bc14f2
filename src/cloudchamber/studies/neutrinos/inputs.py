"""What networks see: the hits of events as padded batches, features of events and prongs, classes."""

from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber.studies.neutrinos.event_clouds import EventClouds
from cloudchamber.studies.neutrinos.high_level import event_features, prong_features
from cloudchamber.studies.neutrinos.names import PRONGS
from cloudchamber.studies.neutrinos.network_settings import NeutrinoNetworkSettings

__all__ = ["Batch", "EventSource", "Standardise", "visible_truth"]


class Batch(NamedTuple):
    """B events as networks take them.

    Attributes:
        hits: (B, H, 5) view, plane, cell, energy, prong; zero in padded slots.
        hit_mask: (B, H) bool.
        prong_mask: (B, P) bool.
        event_features: (B, E).
        prong_features: (B, P, F), zero where there is no prong.
    """

    hits: Tensor
    hit_mask: Tensor
    prong_mask: Tensor
    event_features: Tensor
    prong_features: Tensor


def visible_truth(events: EventClouds) -> tuple[np.ndarray, np.ndarray]:
    """Return what the ceiling sees: (N, 8) features of events and (N, P, 11) of prongs.

    Of a prong: its true class with electron and photon as one, logarithm of its visible energy, direction, logarithm of
    its length, whether it is contained. Of an event: logarithm of the visible energy of its prongs, their number, and
    whether all are contained.
    Beside that logarithms of the visible energies of particles without a prong in the cloud, by kind.
    """
    classes, mask, truth = events.prong_class, events.prong_mask, events.truth.astype(np.float64)
    names = list(PRONGS)
    light = np.isin(classes, [names.index("electron"), names.index("photon")])
    kinds = [classes == number for number, name in enumerate(names) if name not in ("electron", "photon")]
    visible, direction, length, contained = truth[..., 0], truth[..., 1:4], truth[..., 4], truth[..., 5]
    prongs = np.concatenate(
        [
            np.stack([light, *kinds], axis=2),
            np.log1p(visible)[..., None],
            direction,
            np.log1p(length)[..., None],
            contained[..., None],
        ],
        axis=2,
    )
    prongs[~mask] = 0.0
    whole = np.column_stack(
        [
            np.log1p(visible.sum(axis=1)),
            mask.sum(axis=1),
            ((contained > 0) | ~mask).all(axis=1),
            np.log1p(events.rest.astype(np.float64)),
        ]
    ).astype(np.float64)
    return whole, prongs


def _high_level(events: EventClouds) -> tuple[np.ndarray, np.ndarray]:
    # Numbers of hits and energies range over three decades.
    return np.log1p(np.maximum(event_features(events), 0)), np.log1p(np.maximum(prong_features(events), 0))


def _none(events: EventClouds) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((len(events), 0)), np.zeros((*events.prong_mask.shape, 0))


_FEATURES = {"high_level": _high_level, "visible_truth": visible_truth}


def _features(events: EventClouds, settings: NeutrinoNetworkSettings) -> tuple[np.ndarray, np.ndarray]:
    return _FEATURES.get(settings.kind, _none)(events)


@final
class EventSource:
    """Events on a device, from which batches are taken.

    Args:
        events: all events of a file.
        rows: (n,) which of them, in this order.
        settings: of the network, which says which features it takes.

    Attributes:
        interaction: (n,) int64 class.
        prong_class: (n, P) int64, -1 where there is no prong.
    """

    def __init__(self, events: EventClouds, rows: np.ndarray, settings: NeutrinoNetworkSettings) -> None:
        event, prong = _features(events, settings)
        self._points = torch.from_numpy(events.points)
        self._offsets = torch.from_numpy(events.offsets[:-1][rows])
        self._counts = torch.from_numpy(events.counts[rows])
        self._event = torch.from_numpy(event[rows].astype(np.float32))
        self._prong = torch.from_numpy(prong[rows].astype(np.float32))
        self._mask = torch.from_numpy(events.prong_mask[rows])
        self.interaction = torch.from_numpy(events.interaction[rows])
        self.prong_class = torch.from_numpy(events.prong_class[rows])

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def features(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features of events (n, E) and prongs (n, P, F), and the mask of the prongs."""
        return self._event, self._prong, self._mask

    def to(self, device: torch.device) -> "EventSource":
        """Move everything to a device and return it."""
        for name, value in vars(self).items():
            setattr(self, name, value.to(device))
        return self

    def take(self, rows: Tensor) -> Batch:
        """Return the events of (B,) rows; the longest decides the padding."""
        counts = self._counts[rows]
        slots = torch.arange(int(counts.max()) if len(counts) else 0, device=counts.device)
        mask = slots < counts.unsqueeze(1)
        place = torch.where(mask, self._offsets[rows].unsqueeze(1) + slots, 0)
        hits = torch.where(mask.unsqueeze(2), self._points[place], 0.0)
        return Batch(hits, mask, self._mask[rows], self._event[rows], self._prong[rows])


@final
class Standardise(nn.Module):
    """Features less their mean over their deviation, both of the training events.

    Args:
        width: F.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def fit(self, values: Tensor) -> None:
        """Take mean and deviation from (n, F) values; a feature that never changes keeps the deviation one."""
        if len(values) < 2:
            return
        deviation = values.std(dim=0)
        self.mean.copy_(values.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def forward(self, values: Tensor) -> Tensor:
        return (values - self.mean) / self.deviation
