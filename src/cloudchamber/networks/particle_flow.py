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
    """

    def __init__(self, settings: ParticleFlowTagger, inputs: int, classes: int) -> None:
        super().__init__()
        self.particle = hidden_layers((inputs, *settings.tower))
        self.cloud = Dense(settings.tower[-1], settings.hidden, classes, settings.dropout)

    def forward(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> Tensor:
        return self.cloud(rows.sum(self.particle(particles)))
