"""A transformer as a motion of particles, dx/dt = F(x) + G(x), with one F and one G for all layers (arXiv 1906.02762).

Here the number of layers is a number of steps: the same weights can be evaluated with shorter steps, by other schemes
and sub-steps. F is attention and G a feed-forward part, each of the layer norm of its input. A norm after the sum, as
in the standard block, would not become the identity with short steps. GELU has the derivatives that a second-order
method asks for.
"""

from collections.abc import Mapping
from typing import final

from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.attention import SelfAttention
from cloudchamber.networks.cloud_rows import CloudClassifier, CloudRows
from cloudchamber.networks.dense import Dense
from cloudchamber.networks.splitting import Field, Part, euler, evolve
from cloudchamber.settings.taggers import ParticleDynamicsTagger

__all__ = ["ParticleDynamics"]


@final
class ParticleDynamics(CloudClassifier):
    """Linear embedding, motion, layer norm, mean over particles, dense network.

    Args:
        settings: sizes, scheme, number of steps.
        inputs: F, features of a particle.
        classes: K.
    """

    def __init__(self, settings: ParticleDynamicsTagger, inputs: int, classes: int) -> None:
        super().__init__()
        self.scheme, self.duration, self.steps = settings.scheme, settings.duration, settings.steps
        self.first = nn.Linear(inputs, settings.width)
        self.attention = SelfAttention(settings.width, settings.heads, dropout=0.0)
        self.attention_norm = nn.LayerNorm(settings.width)
        self.inner = nn.Linear(settings.width, settings.feed_forward)
        self.outer = nn.Linear(settings.feed_forward, settings.width)
        self.drift_norm = nn.LayerNorm(settings.width)
        self.norm = nn.LayerNorm(settings.width)
        self.cloud = Dense(settings.width, settings.hidden, classes)

    def forward(self, particles: Tensor, momenta: Tensor, rows: CloudRows) -> Tensor:
        flows = {part: euler(field) for part, field in self.fields(rows).items()}
        return self.read_out(evolve(self.first(particles), flows, self.scheme, self.duration, self.steps), rows)

    def fields(self, rows: CloudRows) -> Mapping[Part, Field]:
        """Return F, G and their sum, which map (R, width) rows to their rates of change."""
        return {
            "interaction": lambda state: self._interaction(state, rows),
            "drift": self._drift,
            "both": lambda state: self._interaction(state, rows) + self._drift(state),
        }

    def read_out(self, state: Tensor, rows: CloudRows) -> Tensor:
        """Return (B, K) logits of the (R, width) particles at the end of the motion."""
        return self.cloud(rows.mean(self.norm(state)))

    def _interaction(self, state: Tensor, rows: CloudRows) -> Tensor:
        attended: Tensor = self.attention(self.attention_norm(state), rows, rows.biases)
        return attended

    def _drift(self, state: Tensor) -> Tensor:
        moved: Tensor = self.outer(functional.gelu(self.inner(self.drift_norm(state))))
        return moved
