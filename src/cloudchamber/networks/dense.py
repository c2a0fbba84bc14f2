"""Dense networks: linear layers with ReLU between them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import final

from torch import Tensor, nn

__all__ = ["Dense", "hidden_layers"]


def hidden_layers(widths: Sequence[int], dropout: float = 0.0) -> nn.Sequential:
    """Return linear layers from each of ``widths`` to the next, each followed by ReLU and dropout."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


@final
class Dense(nn.Module):
    """Dense network.

    With 17 inputs, hidden widths 6 x 800 and 64 and 7 outputs it has 3,270,119 parameters, as the network on mass and
    16 high-level features in the slides behind arXiv 2202.00723.

    Args:
        inputs: number of inputs.
        hidden: widths of the hidden layers.
        outputs: number of outputs.
        dropout: after each hidden layer.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden = hidden_layers((inputs, *hidden), dropout)
        self.last = nn.Linear(hidden[-1], outputs)

    def forward(self, values: Tensor) -> Tensor:
        """Map (B, inputs) to (B, outputs)."""
        return self.last(self.hidden(values))
