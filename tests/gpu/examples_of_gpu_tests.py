"""Small networks and data of every kind that is trained on a GPU."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber.classification.taggers import build_tagger
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.folded_particlenet import with_folded_norms
from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.networks.transformer import Transformer
from cloudchamber.settings.base import parse
from cloudchamber.settings.networks import EpicSettings, ParticleNetSettings, TransformerSettings
from cloudchamber.settings.taggers import TaggerNetworkSettings
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import ScoreSettings
from cloudchamber.studies.active_matter.system_settings import SystemSettings
from cloudchamber.studies.active_matter.systems.build import build_system
from cloudchamber.studies.showers.allshowers import CONDITIONS, AllShowers
from cloudchamber.studies.showers.model_settings import AllShowersNetwork

__all__ = [
    "CLASSES",
    "EPIC",
    "NETWORKS",
    "PARTICLENET",
    "Example",
    "classifier_jets",
    "generator",
    "jets",
    "moved",
    "score_states",
    "showers",
    "training",
]

CLASSES = 3
EPIC = EpicSettings(layers=2, hidden=32, latent=4, time_features=8)
PARTICLENET = ParticleNetSettings(neighbours=4, blocks=((16, 16, 16), (24, 20)), fusion=32, dense=16, dropout=0.0)
_TRANSFORMER = TransformerSettings(layers=2, heads=4, hidden=32, feed_forward=48, time_features=8)
_LAYERS = 9
_TAGGERS: dict[str, dict[str, Any]] = {
    "particle flow": {"kind": "particle_flow", "tower": (16, 16), "hidden": (16,)},
    "transformer tagger": {"kind": "transformer", "width": 16, "heads": 2, "feed_forward": 16, "dropout": 0.0},
    "particle dynamics": {"kind": "particle_dynamics", "width": 16, "heads": 2, "feed_forward": 16, "hidden": (16,)},
    "particle net tagger": {"kind": "particle_net", "network": PARTICLENET.model_dump()},
    "particle transformer": {
        "kind": "particle_transformer",
        "embedding": (16, 16),
        "pair_embedding": (8,),
        "heads": 2,
        "layers": 2,
        "dropout": 0.0,
    },
}
_DISKS = {"kind": "disks", "particles": 12, "strength": 2.5, "stiffness": 0.05, "rate": 0.1, "diffusion": 0.1}
_BOX = {"kind": "disks", "particles": 40, "strength": 1.0, "packing_fraction": 0.5, "rate": 0.01, "diffusion": 0.0}
_SCORES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "global score": (_DISKS, {"kind": "transformer", "width": 8, "feed_forward": 8}),
    "local score": (_BOX, {"kind": "transformer", "width": 8, "feed_forward": 8, "neighbours": 5}),
    "equivariant score": (_BOX, {"kind": "equivariant", "width": 8, "feed_forward": 8, "neighbours": 5}),
}


@final
@dataclass(frozen=True)
class Example:
    """A network on the CPU, and what it is called with."""

    network: nn.Module
    inputs: tuple[Any, ...]


def generator(seed: int) -> torch.Generator:
    """Return a seeded generator of the CPU."""
    return torch.Generator().manual_seed(seed)


def training(device: torch.device, **changes: Any) -> TrainingSettings:
    """Return settings of a short training on a device."""
    chosen = {"steps": 10, "batch_size": 16, "learning_rate": 1e-3, "accelerator": device.type, "validate_every": 5}
    return parse(TrainingSettings, {**chosen, "save_every": 5, "ema_decay": 0.5, **changes})


def jets(number: int, width: int, seed: int = 1) -> PackedClouds:
    """Return packed jets with from two to ``width`` particles that crowd along one direction, without conditions."""
    rng = np.random.default_rng(seed)
    mask = np.arange(width) < rng.integers(2, width + 1, (number, 1))
    points = rng.normal(0, 1, (number, width, 3)) * np.array([1.0, 0.3, 0.3]) + np.array([0.5, 0.0, 0.0])
    return PackedClouds.from_padded(points.astype(np.float32), mask, np.zeros((number, 0), np.float32))


def classifier_jets(number: int, width: int = 12) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return coordinates (N, P, 2), features (N, P, 5), mask (N, P) and classes (N,) that the features show."""
    random = generator(3)
    target = torch.arange(number) % CLASSES
    mask = torch.arange(width) < torch.randint(2, width + 1, (number, 1), generator=random)
    features = torch.randn(number, width, 5, generator=random) + target.view(-1, 1, 1)
    return torch.randn(number, width, 2, generator=random), features, mask, target


def showers(number: int) -> PackedClouds:
    """Return packed showers of nine layers with up to six points in each."""
    random = generator(4)
    counts = torch.randint(0, 7, (number, _LAYERS), generator=random)
    counts[:, 0] += 1
    offsets = torch.cat([torch.zeros(1, dtype=torch.long), counts.sum(dim=1).cumsum(0)])
    values = torch.randn(int(offsets[-1]), 3, generator=random)
    conditions = torch.randn(number, CONDITIONS, generator=random)
    conditions[:, CONDITIONS - 1] = torch.arange(number) % 2
    return PackedClouds(values, offsets, torch.cat([conditions, counts], dim=1))


def score_states(name: str, number: int) -> tuple[ScoreModel, Tensor]:
    """Return a score with states (number, N, C) of its system."""
    values, network = _SCORES[name]
    system = build_system(parse(SystemSettings, values))
    settings = parse(ScoreSettings, {"network": network, "training": {"steps": 1}})
    states = torch.from_numpy(system.initial(np.random.default_rng(5), number)).float()
    torch.manual_seed(6)
    score = ScoreModel(settings, system, [1.0] * system.channels, (1.0,))
    for parameter in score.parameters():
        if not parameter.any():  # a last layer begins with zeros
            nn.init.normal_(parameter, std=0.3)
    return score, states


def _field(build: Callable[[], nn.Module]) -> Callable[[], Example]:
    def example() -> Example:
        torch.manual_seed(7)
        values, packing, conditions = jets(40, 12).take(torch.arange(40))
        return Example(build(), (values, torch.rand(40, 1, generator=generator(8)), conditions, packing))

    return example


def _particlenet(folded: bool) -> Example:
    torch.manual_seed(9)
    network = ParticleNet(PARTICLENET, 5, CLASSES)
    inputs = classifier_jets(40)[:3]
    if not folded:
        return Example(network, inputs)
    network(*inputs)
    return Example(with_folded_norms(network), inputs)


def _allshowers() -> Example:
    torch.manual_seed(10)
    network = AllShowers(AllShowersNetwork(kind="allshowers", width=16, heads=2, feed_forward=16, counts_hidden=8), 9)
    values, packing, conditions = showers(12).take(torch.arange(12))
    return Example(network, (values, torch.rand(12, 1, generator=generator(11)), conditions, packing))


def _tagger(name: str) -> Example:
    torch.manual_seed(12)
    coordinates, _, mask, _ = classifier_jets(40)
    random = generator(13)
    pt = torch.rand(*mask.shape, 1, generator=random) / 10 + 0.01
    jet = torch.stack([900 + 200 * torch.rand(40, generator=random), torch.randn(40, generator=random)], dim=1)
    inputs = (torch.cat([pt, coordinates / 5], dim=2) * mask.unsqueeze(2), jet, mask)
    tagger = build_tagger(parse(TaggerNetworkSettings, {"towers": 10, **_TAGGERS[name]}), CLASSES)
    tagger.fit(*inputs)
    return Example(tagger, inputs)


def _score(name: str) -> Example:
    score, states = score_states(name, 6)
    return Example(score, (states, torch.ones(6, 1, 1)))


NETWORKS: dict[str, Callable[[], Example]] = {
    "EPiC": _field(lambda: Epic(3, 0, EPIC)),
    "transformer": _field(lambda: Transformer(3, 0, _TRANSFORMER)),
    "Macaron": _field(lambda: Transformer(3, 0, _TRANSFORMER.model_copy(update={"block": "macaron"}))),
    "ParticleNet": lambda: _particlenet(folded=False),
    "ParticleNet, folded": lambda: _particlenet(folded=True),
    "AllShowers": _allshowers,
    **{name: lambda name=name: _tagger(name) for name in _TAGGERS},
    **{name: lambda name=name: _score(name) for name in _SCORES},
}


def moved(value: Any, device: torch.device) -> Any:
    """Return an input of a network on ``device``."""
    return Packing(value.counts.to(device)) if isinstance(value, Packing) else value.to(device)
