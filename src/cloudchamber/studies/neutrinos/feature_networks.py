"""Networks on features: high-level ones of event and prongs apart, and the ceiling on true visible prongs."""

from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks.dense import Dense
from cloudchamber.studies.neutrinos.inputs import Batch, Standardise
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.network_settings import HighLevelSettings, VisibleTruthSettings
from cloudchamber.studies.neutrinos.token_encoder import TokenEncoder

__all__ = ["HighLevelNetwork", "VisibleTruthNetwork"]


@final
class HighLevelNetwork(nn.Module):
    """One dense network of the features of the event, one of those of each prong by itself.

    Args:
        settings: widths.
        event, prong: numbers of features.
    """

    def __init__(self, settings: HighLevelSettings, event: int, prong: int) -> None:
        super().__init__()
        self.event_inputs, self.prong_inputs = Standardise(event), Standardise(prong)
        self.event = Dense(event, settings.hidden, len(INTERACTIONS), settings.dropout)
        self.prong = Dense(prong, settings.hidden, len(PRONGS), settings.dropout)

    def forward(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch to (B, 3) logits of the events and (B, P, 6) of the prongs."""
        given = Batch(*batch)
        return (
            self.event(self.event_inputs(given.event_features)),
            self.prong(self.prong_inputs(given.prong_features)),
        )


@final
class VisibleTruthNetwork(nn.Module):
    """A transformer over tokens of event and prongs, which are embedded truth.

    Args:
        settings: sizes.
        event, prong: numbers of features.
    """

    def __init__(self, settings: VisibleTruthSettings, event: int, prong: int) -> None:
        super().__init__()
        self.event_inputs, self.prong_inputs = Standardise(event), Standardise(prong)
        self.event_token = nn.Linear(event, settings.width)
        self.prong_token = nn.Linear(prong, settings.width)
        self.encoder = TokenEncoder(settings)
        self.event = nn.Linear(settings.width, len(INTERACTIONS))
        self.prong = nn.Linear(settings.width, len(PRONGS))

    def forward(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch to (B, 3) logits of the events and (B, P, 6) of the prongs."""
        given = Batch(*batch)
        event = self.event_token(self.event_inputs(given.event_features)).unsqueeze(1)
        prongs = self.prong_token(self.prong_inputs(given.prong_features))
        mask = torch.cat([torch.ones_like(given.prong_mask[:, :1]), given.prong_mask], dim=1)
        hidden = self.encoder(torch.cat([event, prongs], dim=1), mask)
        return self.event(hidden[:, 0]), self.prong(hidden[:, 1:])
