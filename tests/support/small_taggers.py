"""Small networks of taggers, and jets for them."""

import torch
from torch import Tensor, nn

from cloudchamber.classification.taggers import CloudTagger, build_tagger
from cloudchamber.networks.cloud_rows import PaddedRows
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.taggers import (
    ParticleFlowTagger,
    ParticleNetTagger,
    ParticleTransformerTagger,
    TaggerNetworkSettings,
    TransformerTagger,
)

CLASSES, WIDTH = 3, 80
PARTICLE_FLOW = ParticleFlowTagger(kind="particle_flow", tower=(8, 6), hidden=(10, 9))
TRANSFORMER = TransformerTagger(kind="transformer", heads=4, width=16, feed_forward=12, hidden=(10,))
MACARON = TRANSFORMER.model_copy(update={"block": "macaron"})
PARTICLE_NET = ParticleNetTagger(
    kind="particle_net", network=ParticleNetSettings(neighbours=4, blocks=((8, 8), (12, 10)), fusion=0, dense=8)
)
PARTICLE_TRANSFORMER = ParticleTransformerTagger(
    kind="particle_transformer", embedding=(8, 16), pair_embedding=(6,), heads=4, layers=2, class_layers=2
)
Batch = tuple[Tensor, Tensor, Tensor]


def make_batch(counts: list[int], width: int = WIDTH, seed: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(width) < torch.tensor(counts)[:, None]
    share = torch.rand(len(counts), width, 1, generator=generator) * mask.unsqueeze(2)
    angles = 0.4 * torch.randn(len(counts), width, 2, generator=generator) * mask.unsqueeze(2)
    jet = torch.stack([torch.linspace(1000, 1200, len(counts)), torch.linspace(-1.5, 1.5, len(counts))], dim=1)
    return torch.cat([share / share.sum(dim=1, keepdim=True), angles], dim=2), jet, mask


def vary_statistics(network: nn.Module) -> None:
    """Give normalisations and scales values that are not what they start from."""
    with torch.no_grad():
        for name, value in [*network.named_parameters(), *network.named_buffers()]:
            if value.ndim == 1 or "scale" in name:
                value.add_(0.2 * torch.rand_like(value)) if value.is_floating_point() else None


def unequal_jets() -> Batch:
    """Jets on both sides of the multiplicity at which attention takes another way, two of them of equal size."""
    return make_batch([7, 70, 1, 3, 7, 66])


def with_tagger(settings: TaggerNetworkSettings, batch: Batch) -> CloudTagger:
    """A tagger in evaluation whose weights are not those it starts from."""
    torch.manual_seed(2)
    tagger = build_tagger(settings, CLASSES)
    tagger.fit(*batch)
    vary_statistics(tagger.network)
    assert isinstance(tagger, CloudTagger)
    return tagger.eval()


def rows_of(tagger: CloudTagger, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features and momenta of all slots, (B, P, F) and (B, P, 3)."""
    features, momenta = tagger.features(batch[0], batch[1], PaddedRows(batch[2]))
    return features.unflatten(0, batch[2].shape), momenta.unflatten(0, batch[2].shape)
