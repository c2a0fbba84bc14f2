"""Transformer over the hits of both views: the clouds themselves, without maps (in the manner of arXiv 2510.09659)."""

from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.studies.neutrinos.event_clouds import Window
from cloudchamber.studies.neutrinos.inputs import Batch
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.network_settings import PointSetSettings
from cloudchamber.studies.neutrinos.token_encoder import TokenEncoder

__all__ = ["PointSet"]

# Of a hit: both views, plane, cell, energy. Of an event: energy and number of all hits.
_INPUTS, _OF_EVENT = 5, 2


@final
class PointSet(nn.Module):
    """Token 0 is the event, at first its energy and number of hits; a prong is the mean of its hits beside that token.

    Args:
        settings: sizes.
        window: planes, cells and prongs.
    """

    def __init__(self, settings: PointSetSettings, window: Window) -> None:
        super().__init__()
        self.window, self.most = window, settings.hits
        self.hit = nn.Linear(_INPUTS, settings.width)
        self.of_prong = nn.Embedding(window.prongs + 1, settings.width)
        self.whole = nn.Linear(_OF_EVENT, settings.width)
        self.encoder = TokenEncoder(settings)
        self.event = nn.Linear(2 * settings.width, len(INTERACTIONS))
        self.prong = nn.Linear(2 * settings.width, len(PRONGS))

    def forward(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch to (B, 3) logits of the events and (B, P, 6) of the prongs."""
        given = Batch(*batch)
        hits, mask = self._brightest(given.hits, given.hit_mask)
        view, plane, cell, energy, prong = hits.unbind(2)
        inputs = torch.stack(
            [
                view,
                1 - view,
                2 * plane / self.window.planes - 1,
                2 * cell / self.window.cells - 1,
                torch.log1p(energy),
            ],
            dim=2,
        )
        owner = torch.where(mask, prong.long(), -1)
        tokens = self.hit(inputs) + self.of_prong(owner + 1)
        sums = torch.stack([given.hits[..., 3].sum(dim=1), given.hit_mask.sum(dim=1)], dim=1)
        start = self.whole(torch.log1p(sums)).unsqueeze(1)
        everything = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
        hidden = self.encoder(torch.cat([start, tokens], dim=1), everything)
        event, hidden = hidden[:, 0], hidden[:, 1:]
        # (B, P, H), zero for hits of other prongs.
        numbers = torch.arange(self.window.prongs, device=owner.device)
        member = (owner.unsqueeze(1) == numbers.unsqueeze(1)).to(hidden.dtype)
        means = member @ hidden / member.sum(dim=2, keepdim=True).clamp(min=1)
        beside = event.unsqueeze(1).expand(-1, self.window.prongs, -1)
        mean = hidden.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return self.event(torch.cat([event, mean], dim=1)), self.prong(torch.cat([means, beside], dim=2))

    def _brightest(self, hits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hits with most energy and their mask, real ones first."""
        if hits.shape[1] <= self.most:
            return hits, mask
        # Padded slots have the energy zero, real hits more.
        chosen = hits[..., 3].topk(self.most, dim=1).indices
        return hits.gather(1, chosen.unsqueeze(2).expand(-1, -1, hits.shape[2])), mask.gather(1, chosen)
