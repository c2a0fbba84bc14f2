"""Particle flow network: a deep set of particles (arXiv 1810.05165, section 2.2)."""

from typing import final

from torch import Tensor

from cloudchamber.networks.cloud_rows import CloudClassifier, CloudRows
from cloudchamber.networks.dense import Dense, hidden_layers
from cloudchamber.settings.taggers import ParticleFlowTagger

__all__ = ["ParticleFlow"]


@final
class ParticleFlow(CloudClassifier):
    """A network of each particle, the sum over particles, a network of the sum.

    With 3 inputs, 7 classes and the default widths it has the 1,205,895 parameters of the slides behind
    arXiv 2202.00723.

    Args:
        settings: widths.
        inputs: F, features of a particle.
        classes: K.

    Example:
        >>> import torch
        >>> from cloudchamber.networks.cloud_rows import PackedRows
        >>> settings = ParticleFlowTagger(kind="particle_flow", tower=(16, 8), hidden=(16,))
        >>> network = ParticleFlow(settings, inputs=3, classes=7)
        >>> particles, mask = torch.randn(5, 30, 3), torch.arange(30) < torch.tensor([[30], [12], [20], [7], [1]])
        >>> rows = PackedRows(mask)
        >>> network(rows.pack(particles), rows.pack(particles), rows).shape
        torch.Size([5, 7])
    """

    def __init__(self, settings: ParticleFlowTagger, inputs: int, classes: int) -> None:
        super().__init__()
        self.particle = hidden_layers((inputs, *settings.tower))
        self.cloud = Dense(settings.tower[-1], settings.hidden, classes, settings.dropout)

    def forward(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> Tensor:
        return self.cloud(rows.sum(self.particle(particles)))
