"""The set transformer, packed and attending among clouds of equal size, against its plain padded form."""

from collections.abc import Callable, Iterator
from typing import final

import numpy as np
import torch
from torch import Tensor

from benchmarks.padded_transformer import PaddedTransformer
from benchmarks.timing import Measurement, measure
from cloudchamber.networks.linear import for_inference
from cloudchamber.networks.packing import Packing
from cloudchamber.networks.transformer import Transformer
from cloudchamber.settings.networks import TransformerSettings

__all__ = ["measurements"]

_FEATURES = 3
_BATCH = 64
_SETTINGS = TransformerSettings()


@final
class _Sides:
    """Both forms with the same weights and the same clouds.

    Args:
        counts: (B,) particles of each cloud.
        width: padded length.
    """

    def __init__(self, counts: Tensor, width: int) -> None:
        torch.manual_seed(3)
        self.network = Transformer(_FEATURES, 0, _SETTINGS)
        self.plain = PaddedTransformer(_FEATURES, 0, _SETTINGS)
        self.plain.load_state_dict(self.network.state_dict())
        self.counts = counts
        self.mask = torch.arange(width) < counts[:, None]
        self.points = torch.randn(*self.mask.shape, _FEATURES) * self.mask[:, :, None]
        self.rows = self.points[self.mask]
        self.nothing = torch.zeros(len(counts), 0)

    def evaluations(self) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
        """Return one evaluation at one time for all clouds, as sampling does it."""
        inference, packing, time = for_inference(self.network), Packing(self.counts), torch.tensor([[0.4]])

        @torch.inference_mode()
        def own() -> Tensor:
            return inference(self.rows, time, self.nothing, packing)

        @torch.inference_mode()
        def peer() -> Tensor:
            return self.plain(self.points, self.mask, time.expand(len(self.counts), 1), self.nothing)

        difference = (own() - peer()[self.mask]).abs().max()
        if difference > 1e-5:
            raise RuntimeError(f"the two forms differ by {difference}")
        return own, peer

    def training_steps(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return forward and backward pass at a time for each cloud."""
        time = torch.rand(len(self.counts), 1, generator=torch.Generator().manual_seed(4))

        def own() -> None:
            self.network.zero_grad()
            field = self.network(self.rows, time, self.nothing, Packing(self.counts))
            (field - self.rows).square().sum().backward()

        def peer() -> None:
            self.plain.zero_grad()
            field = self.plain(self.points, self.mask, time, self.nothing)
            (field - self.points).square().sum().backward()

        return own, peer

    def mixed_precision(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return the same step of own in bfloat16 autocast, and in float32."""
        single = self.training_steps()[0]

        def mixed() -> None:
            with torch.autocast("cpu", torch.bfloat16):
                single()

        return mixed, single


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure 4 layers with 8 heads of a network 128 wide."""
    # Multiplicities as of towers in boosted top jets.
    towers = torch.from_numpy(np.random.default_rng(1).normal(70, 20, _BATCH).round().clip(5, 150)).long()
    full, boosted = _Sides(torch.full((_BATCH,), 30), 30), _Sides(towers, 150)
    filled, crowded = (
        f"{clouds}, batch {_BATCH}: packed against padded"
        for clouds in ("N=30, all slots full", "N=150, 70 +- 20 particles")
    )
    for name, case, sides, target in (
        ("transformer evaluation", filled, full.evaluations, None),
        ("transformer evaluation", crowded, boosted.evaluations, 5.0),
        ("transformer training step", filled, full.training_steps, None),
        ("transformer training step", crowded, boosted.training_steps, None),
    ):
        ours, theirs = sides()
        own, peer = measure(ours, theirs, rounds)
        yield Measurement(name, case, own, peer, _BATCH, "jets", target)
    if not torch.cpu._is_amx_tile_supported():
        print("transformer training step, bfloat16: skipped, this processor has no AMX", flush=True)
        return
    mixed, single = full.mixed_precision()
    own, peer = measure(mixed, single, rounds)
    case = f"N=30, all slots full, batch {_BATCH}: bfloat16 autocast against float32"
    yield Measurement("transformer training step", case, own, peer, _BATCH, "jets", 1.3)
