"""Convolutions on dense maps and a transformer over event and prongs (after TransformerCVN, arXiv 2303.06201).

The map of an event has all its hits, that of a prong its own, both in the window of the event. Convolutions embed each
view by itself, with one network for maps of events and one for maps of prongs; both views together become a token.
Token 0 is the event, the others are its prongs. The published network has sparse DenseNet blocks; this one is dense.
"""

from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.studies.neutrinos.event_clouds import Window
from cloudchamber.studies.neutrinos.inputs import Batch
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.network_settings import TransformerCvnSettings
from cloudchamber.studies.neutrinos.token_encoder import TokenEncoder

__all__ = ["TransformerCvn", "pixel_maps"]


def pixel_maps(hits: Tensor, hit_mask: Tensor, prong_mask: Tensor, window: Window, coarsen: int) -> Tensor:
    """Return (B + R, 2, h, w) dense maps: of the B events, then of their R prongs, event after event.

    A pixel is the energy [mip] of all hits in a square of ``coarsen`` planes by ``coarsen`` cells.

    Args:
        hits: (B, H, 5) view, plane, cell, energy, prong, as in ``Batch``. A hit names a prong whose slot is true in
            ``prong_mask``, or -1; readers of events refuse others, and nothing here would tell.
        hit_mask: (B, H) bool.
        prong_mask: (B, P) bool; R are true.
        window: planes and cells.
        coarsen: so many become one.
    """
    events, prongs = prong_mask.shape
    height, width = -(-window.planes // coarsen), -(-window.cells // coarsen)
    owner, slot = hit_mask.nonzero(as_tuple=True)
    view, plane, cell, energy, prong = hits[owner, slot].unbind(1)
    pixel = (view.long() * height + plane.long() // coarsen) * width + cell.long() // coarsen
    size = 2 * height * width
    # Number of the map of each prong, behind those of the events.
    number = events + prong_mask.flatten().long().cumsum(0) - 1
    of_prong = prong >= 0
    map_of = number[owner[of_prong] * prongs + prong[of_prong].long()]
    maps = energy.new_zeros((events + int(prong_mask.sum())) * size)
    maps = maps.index_add(0, owner * size + pixel, energy)
    maps = maps.index_add(0, map_of * size + pixel[of_prong], energy[of_prong])
    return maps.reshape(-1, 2, height, width)


@final
class _MapEncoder(nn.Module):
    """Stages of convolution and pooling, then a linear layer of all pixels that are left.

    There is no normalisation, which would take the energy of a map from it.

    Args:
        settings: channels.
        height, width: of a map.
    """

    def __init__(self, settings: TransformerCvnSettings, height: int, width: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        channels = 1
        for wanted in settings.stages:
            convolution = nn.Conv2d(channels, wanted, 3, padding=1)
            # Channels of a pixel side by side: pooling and convolutions of few channels are faster so.
            convolution.weight.data = convolution.weight.data.contiguous(memory_format=torch.channels_last)
            stages.append(convolution)
            if min(height, width) > 1:
                stages.append(nn.MaxPool2d(2, ceil_mode=True))
                height, width = -(-height // 2), -(-width // 2)
            # The largest of four activated is the largest of four, activated: at a quarter of the work.
            stages.append(nn.ReLU(inplace=True))
            channels = wanted
        self.stages = nn.Sequential(*stages)
        self.last = nn.Linear(2 * channels * height * width, settings.width)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, 2, h, w) maps of both views to (N, width)."""
        # Energies of pixels range over three decades.
        views = self.stages(torch.log1p(maps).flatten(0, 1).unsqueeze(1))
        return self.last(views.flatten(1).unflatten(0, (-1, 2)).flatten(1))


@final
class TransformerCvn(nn.Module):
    """The whole network.

    Args:
        settings: sizes, and whether there is context.
        window: planes and cells of the maps.
    """

    def __init__(self, settings: TransformerCvnSettings, window: Window) -> None:
        super().__init__()
        self.window, self.coarsen = window, settings.coarsen
        height, width = (-(-size // settings.coarsen) for size in (window.planes, window.cells))
        self.event_maps = _MapEncoder(settings, height, width)
        self.prong_maps = _MapEncoder(settings, height, width)
        self.encoder = TokenEncoder(settings, settings.context)
        self.event = nn.Linear(settings.width, len(INTERACTIONS))
        self.prong = nn.Linear(settings.width, len(PRONGS))

    def forward(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch to (B, 3) logits of the events and (B, P, 6) of the prongs."""
        given = Batch(*batch)
        tokens, mask = self._tokens(given)
        hidden = self.encoder(tokens, mask)
        return self.event(hidden[:, 0]), self.prong(hidden[:, 1:])

    def attention_weights(self, batch: Batch) -> Tensor:
        """Return the (layers, heads, T, T) attention in a batch of one event: token 0 is the event."""
        tokens, mask = self._tokens(batch)
        return self.encoder.attention_weights(tokens[0][mask[0]])

    def _tokens(self, batch: Batch) -> tuple[Tensor, Tensor]:
        maps = pixel_maps(batch.hits, batch.hit_mask, batch.prong_mask, self.window, self.coarsen)
        events = len(batch.prong_mask)
        event, prong = self.event_maps(maps[:events]), self.prong_maps(maps[events:])
        there = batch.prong_mask.flatten().nonzero().squeeze(1)
        prongs = prong.new_zeros(batch.prong_mask.numel(), prong.shape[1]).index_copy(0, there, prong)
        tokens = torch.cat([event.unsqueeze(1), prongs.unflatten(0, batch.prong_mask.shape)], dim=1)
        mask = torch.cat([torch.ones_like(batch.prong_mask[:, :1]), batch.prong_mask], dim=1)
        return tokens, mask
