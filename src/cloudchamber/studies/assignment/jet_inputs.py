"""What the assignment network sees of a jet."""

from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.errors import InputError

__all__ = ["JetInputs"]

_SMALLEST_DEVIATION = 1e-6


@final
class JetInputs(nn.Module):
    """Features of jets, standardised by those of the training events.

    Args:
        kind: "published" or "turned" (:class:`AssignmentNetworkSettings`).
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.width = 5 if kind == "published" else 6
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))

    def features(self, jets: Tensor, mask: Tensor) -> Tensor:
        """Return (B, J, width) features of (B, J, 5) jets: pt, eta, phi, mass, b-tag."""
        pt, eta, phi, mass, tag = jets.unbind(2)
        ends = [torch.log1p(mass.clamp(min=0.0)), tag]
        if self.kind == "published":
            return torch.stack([torch.log1p(pt), eta, phi, *ends], dim=2)
        hardest = pt.masked_fill(~mask, -1.0).argmax(dim=1, keepdim=True)
        azimuth = phi - phi.gather(1, hardest)
        return torch.stack([torch.log1p(pt), eta, torch.sin(azimuth), torch.cos(azimuth), *ends], dim=2)

    @torch.no_grad()
    def fit(self, jets: Tensor, mask: Tensor) -> None:
        """Standardise by these events.

        Raises:
            InputError: there is none, or a feature is the same for all jets.
        """
        values = self.features(jets, mask)[mask]
        if len(values) < 2:
            raise InputError("no jets to standardise the inputs by")
        deviation = values.std(dim=0)
        if not bool((deviation > _SMALLEST_DEVIATION).all()):
            raise InputError("a feature of the jets is the same for all of them")
        self.mean.copy_(values.mean(dim=0))
        self.deviation.copy_(deviation)

    def forward(self, jets: Tensor, mask: Tensor) -> Tensor:
        """Return standardised (B, J, width) features."""
        return (self.features(jets, mask) - self.mean) / self.deviation
