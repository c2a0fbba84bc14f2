"""Networks of sets of observed stars: estimates, posterior densities, likelihoods and likelihood ratios."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.networks.cloud_rows import CloudClassifier, PackedRows
from cloudchamber.networks.dense import Dense, hidden_layers
from cloudchamber.networks.particle_flow import ParticleFlow
from cloudchamber.networks.transformer_encoder import TransformerEncoder
from cloudchamber.settings.taggers import ParticleFlowTagger, TransformerTagger
from cloudchamber.studies.neutron_stars.mixtures import MixtureDensity, log_standard_normal, normal_scores
from cloudchamber.studies.neutron_stars.network_settings import (
    DeepSetNetwork,
    LikelihoodNetwork,
    RatioNetwork,
    SetNetwork,
    SetTransformerNetwork,
    SortedNetwork,
    StarNetwork,
)
from cloudchamber.studies.neutron_stars.quantities import PREDICTED

__all__ = [
    "DensityNetwork",
    "LikelihoodOfStars",
    "PointNetwork",
    "RatioOfStars",
    "ScannedNetwork",
    "StarSetNetwork",
    "build_network",
]

_FEATURES = 4


class StarSetNetwork(nn.Module, ABC):
    """Abstract network that standardises what is observed of a star by that of the training part."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(_FEATURES))
        self.register_buffer("deviation", torch.ones(_FEATURES))

    def fit(self, stars: Tensor) -> None:
        """Take mean and deviation from (M, 4) observed stars; standard deviations of one value stay as they are."""
        features = _logarithmic(stars)
        self.mean.copy_(features.mean(dim=0))
        deviation = features.std(dim=0)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def features(self, stars: Tensor) -> Tensor:
        """Return the (..., 4) standardised features of (..., 4) observed mass, radius and their deviations."""
        return (_logarithmic(stars) - self.mean) / self.deviation


def _logarithmic(stars: Tensor) -> Tensor:
    """Return stars with the logarithms of their standard deviations; those of empty slots are not used."""
    return torch.cat([stars[..., :2], stars[..., 2:].clamp(min=1e-6).log()], dim=-1)


@final
class _Sorted(nn.Module):
    """Dense network of the stars behind each other, sorted by mass, with a mark for each that is there."""

    def __init__(self, settings: SortedNetwork, width: int, outputs: int) -> None:
        super().__init__()
        self.dense = Dense(width * (_FEATURES + 1), settings.hidden, outputs)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        # Empty slots go last.
        order = torch.where(mask, features[..., 0], torch.inf).argsort(dim=1)
        there = mask.gather(1, order).unsqueeze(2)
        ordered = features.gather(1, order.unsqueeze(2).expand_as(features))
        return self.dense(torch.cat([torch.where(there, ordered, 0.0), there], dim=2).flatten(1))


@final
class _Cloud(nn.Module):
    """A network that the project has for the particles of clouds, on stars."""

    def __init__(self, network: CloudClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        rows = PackedRows(mask)
        packed = rows.pack(features)
        return self.network(packed, packed, rows)


def _encoder(settings: SetNetwork, width: int, outputs: int) -> nn.Module:
    """Return a network from (B, P, 4) features and a (B, P) mask to (B, outputs)."""
    match settings:
        case SortedNetwork():
            return _Sorted(settings, width, outputs)
        case DeepSetNetwork():
            sizes = ParticleFlowTagger(kind="particle_flow", tower=settings.star, hidden=settings.hidden)
            return _Cloud(ParticleFlow(sizes, _FEATURES, outputs))
        case SetTransformerNetwork():
            shared = {name: getattr(settings, name) for name in ("layers", "heads", "width", "feed_forward", "hidden")}
            return _Cloud(
                TransformerEncoder(TransformerTagger(kind="transformer", dropout=0.0, **shared), _FEATURES, outputs)
            )
    raise AssertionError(f"no encoder of {settings}")


@final
class PointNetwork(StarSetNetwork):
    """Point estimates of the quantities, in units of their deviation in training."""

    centre: Tensor
    scale: Tensor

    def __init__(self, settings: SetNetwork, width: int) -> None:
        super().__init__()
        self.encoder = _encoder(settings, width, len(PREDICTED))
        self.register_buffer("centre", torch.zeros(len(PREDICTED)))
        self.register_buffer("scale", torch.ones(len(PREDICTED)))

    def fit_targets(self, quantities: Tensor) -> None:
        """Take mean and deviation from (E, Q) quantities of the training part."""
        self.centre.copy_(quantities.mean(dim=0))
        self.scale.copy_(quantities.std(dim=0))

    def forward(self, stars: Tensor, mask: Tensor) -> Tensor:
        """Return (B, Q) standardised estimates of (B, P, 4) stars and (B, P) mask."""
        return self.encoder(self.features(stars), mask)

    def quantities(self, stars: Tensor, mask: Tensor) -> Tensor:
        """Return (B, Q) estimates."""
        return self(stars, mask) * self.scale + self.centre


@final
class DensityNetwork(StarSetNetwork):
    """Neural posterior: a mixture of Gaussians of the parameters, in scores in which the prior is standard normal."""

    def __init__(self, settings: SetNetwork, width: int) -> None:
        super().__init__()
        context = settings.hidden[-1]
        self.encoder = _encoder(settings, width, context)
        self.density = MixtureDensity(context, settings.components, (context,))

    def forward(self, stars: Tensor, mask: Tensor, fractions: Tensor) -> Tensor:
        """Return the logarithm of the posterior density over that of the prior.

        Args:
            stars, mask: (B, P, 4) and (B, P).
            fractions: (B, 2) of the box, or (B or 1, G, 2).

        Returns:
            (B,) or (B, G).
        """
        context = self.encoder(self.features(stars), mask)
        scores = normal_scores(fractions)
        gaussians = self.density(context if fractions.dim() == 2 else context.unsqueeze(1))
        return gaussians.log_density(scores) - log_standard_normal(scores)


class ScannedNetwork(StarSetNetwork, ABC):
    """Abstract network of one star and the parameters, to be summed over stars and scanned over the box."""

    @abstractmethod
    def forward(self, stars: Tensor, fractions: Tensor) -> Tensor:
        """Return (B, G): the logarithm of the likelihood of (B, 4) stars at (B or 1, G, 2) fractions of the box.

        It may lack what does not depend on the parameters.
        """


@final
class LikelihoodOfStars(ScannedNetwork):
    """Neural likelihood: a mixture of Gaussians of observed mass and radius, given parameters and noise."""

    def __init__(self, settings: LikelihoodNetwork) -> None:
        super().__init__()
        self.density = MixtureDensity(_FEATURES, settings.components, settings.hidden)

    def forward(self, stars: Tensor, fractions: Tensor) -> Tensor:
        features = self.features(stars)
        observed, noise = features[:, None, :2], features[:, None, 2:]
        if len(fractions) > 1:
            noise = noise.expand(-1, fractions.shape[1], -1)
            return self.density(torch.cat([_centred(fractions), noise], dim=2)).log_density(observed)
        # Mixtures at the same parameters are shared by all stars of the same noise.
        levels, members = noise[:, 0].unique(dim=0, return_inverse=True)
        found = observed.new_empty(len(stars), fractions.shape[1])
        for number, level in enumerate(levels):
            context = torch.cat([_centred(fractions), level.expand(1, fractions.shape[1], -1)], dim=2)
            rows = members == number
            found[rows] = self.density(context).log_density(observed[rows])
        return found


@final
class RatioOfStars(ScannedNetwork):
    """Machine-learned likelihood ratio: of two parameters it is the difference of the outputs at both."""

    def __init__(self, settings: RatioNetwork) -> None:
        super().__init__()
        first, *others = settings.hidden
        # The first layer, taken apart: what is of the star is computed once for all parameters.
        self.of_star, self.of_parameters = nn.Linear(_FEATURES, first), nn.Linear(2, first, bias=False)
        self.hidden = hidden_layers((first, *others))
        self.last = nn.Linear(settings.hidden[-1], 1)

    def forward(self, stars: Tensor, fractions: Tensor) -> Tensor:
        hidden = self.of_star(self.features(stars)).unsqueeze(1) + self.of_parameters(_centred(fractions))
        return self.last(self.hidden(hidden.relu())).squeeze(2)


def _centred(fractions: Tensor) -> Tensor:
    """Return fractions of the box from -1.7 to 1.7, with a deviation of one."""
    return (fractions - 0.5) * 12**0.5


def build_network(settings: StarNetwork, numbers: Sequence[int]) -> StarSetNetwork:
    """Return the untrained network that the settings describe.

    Args:
        settings: kind and sizes.
        numbers: how many stars sets may have.
    """
    match settings:
        case LikelihoodNetwork():
            return LikelihoodOfStars(settings)
        case RatioNetwork():
            return RatioOfStars(settings)
    of_output = PointNetwork if settings.output == "point" else DensityNetwork
    return of_output(settings, max(numbers))
