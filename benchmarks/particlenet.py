"""ParticleNet: folded for inference, and with compiled loops over edges in training, against torch's own operations.

Both sides take the first product of a block once per particle and compute no padding, so that the ratios say what the
folding of batch normalisations, the pieces and the compiled loops are worth. They do the same matrix products: where
these take most of the time, as on a CPU without AVX-512, little is left to gain.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.plain_particlenet import PlainParticleNet
from benchmarks.timing import Measurement, measure
from cloudchamber.networks.folded_particlenet import with_folded_norms
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.settings.networks import ParticleNetSettings

__all__ = ["measurements"]

_INPUTS, _CLASSES, _SLOTS = 5, 7, 30
# Jets that torch's operations are given together in inference.
_PEER_BATCH = 64
_SIZES = {
    "as in the default run": (ParticleNetSettings(), 128),
    "published size": (
        ParticleNetSettings(
            neighbours=16, blocks=((64, 64, 64), (128, 128, 128), (256, 256, 256)), fusion=384, dense=256
        ),
        64,
    ),
}
Sides = tuple[Callable[[], object], Callable[[], object]]


def _jets(number: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    counts = torch.randint(24, _SLOTS + 1, (number, 1), generator=generator)
    coordinates = torch.randn(number, _SLOTS, 2, generator=generator)
    features = torch.randn(number, _SLOTS, _INPUTS, generator=generator)
    return coordinates, features, torch.arange(_SLOTS) < counts


def _inference(network: ParticleNet, jets: tuple[Tensor, Tensor, Tensor], dtype: torch.dtype) -> Sides:
    """Return both forms in evaluation mode, own in ``dtype`` and the other in float32."""
    plain, folded = PlainParticleNet(network.eval()), with_folded_norms(network).to(dtype)
    coordinates, features, mask = jets

    @torch.inference_mode()
    def own() -> Tensor:
        return folded(coordinates, features.to(dtype), mask).float()

    @torch.inference_mode()
    def peer() -> Tensor:
        batches = zip(*(values.split(_PEER_BATCH) for values in jets), strict=True)
        return torch.cat([plain(*batch) for batch in batches])

    difference = (own() - peer()).abs().max()
    if difference > (1e-5 if dtype == torch.float32 else 0.1):
        raise RuntimeError(f"ParticleNet: the two forms differ by {difference}")
    return own, peer


def _training(network: ParticleNet, jets: tuple[Tensor, Tensor, Tensor]) -> Sides:
    """Return forward and backward pass of both forms."""
    other = deepcopy(network)
    plain = PlainParticleNet(other)
    target = torch.arange(len(jets[2])) % _CLASSES

    def own() -> None:
        network.zero_grad()
        cross_entropy(network(*jets), target).backward()

    def peer() -> None:
        other.zero_grad()
        cross_entropy(plain(*jets), target).backward()

    return own, peer


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure the classifier of the log posterior and the published size on jets of 24 to 30 particles."""
    for size, (settings, batch) in _SIZES.items():
        jets = _jets(batch)
        torch.manual_seed(3)
        network = ParticleNet(settings, _INPUTS, _CLASSES)
        text = f"{size}, N=30, batch {batch}"
        own, peer = measure(*_inference(network, jets, torch.float32), rounds)
        yield Measurement(
            "ParticleNet inference", f"{text}: folded float32 against torch", own, peer, batch, "jets", 1.8
        )
        if torch.cpu._is_amx_tile_supported():
            own, peer = measure(*_inference(network, jets, torch.bfloat16), rounds)
            case = f"{text}: folded bfloat16 against torch float32"
            yield Measurement("ParticleNet inference", case, own, peer, batch, "jets", 3.6)
        else:
            print(f"ParticleNet inference, {text}, bfloat16: skipped, this processor has no AMX", flush=True)
        own, peer = measure(*_training(network.train(), jets), rounds)
        case = f"{text}: compiled loops against torch, float32"
        yield Measurement("ParticleNet training step", case, own, peer, batch, "jets", 2.0)
