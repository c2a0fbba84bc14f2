"""Mixtures of Gaussians in two dimensions whose parameters are the outputs of a network (zuko)."""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from zuko.mixtures import GMM
from zuko.utils import unpack

__all__ = ["Gaussians", "MixtureDensity", "log_standard_normal", "normal_scores"]


@final
class Gaussians:
    """Mixtures of K Gaussians in two dimensions, (..., K) of them.

    Args:
        logits: (..., K) of the shares.
        centres: (..., K, 2).
        scales: (..., K, 2) diagonal of the Cholesky factor.
        slants: (..., K) its element below the diagonal.
    """

    def __init__(self, logits: Tensor, centres: Tensor, scales: Tensor, slants: Tensor) -> None:
        self.log_shares = logits.log_softmax(dim=-1)
        self.centres, self.scales, self.slants = centres, scales, slants

    def log_density(self, values: Tensor) -> Tensor:
        """Return the logarithm of the density; (..., 2) values are broadcast against the mixtures."""
        x = values[..., None, :] - self.centres
        first = x[..., 0] / self.scales[..., 0]
        second = (x[..., 1] - self.slants * first) / self.scales[..., 1]
        volume = self.scales.log().sum(dim=-1) + math.log(2 * math.pi)
        return (self.log_shares - volume - 0.5 * (first**2 + second**2)).logsumexp(dim=-1)


@final
class MixtureDensity(nn.Module):
    """zuko's mixture of Gaussians with full covariances, conditional on a context.

    Its parameters are those of ``zuko.mixtures.GMM``. The density is written out here for two dimensions: zuko's goes
    through triangular solutions of many small matrices, which take most of the time of a training step.

    Args:
        context: width of the context.
        components: K.
        hidden: widths of the network from the context to the mixture.
    """

    def __init__(self, context: int, components: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.mixture = GMM(2, context, components, hidden_features=tuple(hidden))

    def forward(self, context: Tensor) -> Gaussians:
        """Return the mixtures of (..., C) contexts."""
        logits, centres, logarithms, slants = unpack(self.mixture.hyper(context), self.mixture.shapes)
        return Gaussians(logits, centres, logarithms.exp() + self.mixture.epsilon, slants[..., 0])


def normal_scores(fractions: Tensor) -> Tensor:
    """Return what makes uniform (..., 2) fractions of the box standard normal, so that densities need no edges."""
    return torch.special.ndtri(fractions.double().clamp(1e-7, 1 - 1e-7)).float()


def log_standard_normal(values: Tensor) -> Tensor:
    """Return the logarithm of the density of (..., 2) standard normal values: that of the prior."""
    return -0.5 * (values**2).sum(dim=-1) - math.log(2 * math.pi)
