"""Networks of taggers: published sizes, widths, dropout."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from small_taggers import CLASSES, PARTICLE_TRANSFORMER, TRANSFORMER, unequal_jets
from torch import nn

from cloudchamber.classification.taggers import build_tagger
from cloudchamber.settings.taggers import (
    DenseTagger,
    ParticleFlowTagger,
    ParticleNetTagger,
    ParticleTransformerTagger,
    TaggerNetworkSettings,
    TransformerTagger,
)
from cloudchamber.training.described_weights import parameters


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # The three of the slides behind arXiv 2202.00723, and the published sizes of weaver-core with 7 inputs.
        (DenseTagger(kind="dense"), 3_270_119),
        (ParticleFlowTagger(kind="particle_flow"), 1_205_895),
        (TransformerTagger(kind="transformer"), 1_388_807),
        # One more layer norm and output bias in each of two blocks: 2 * 3 * 128.
        (TransformerTagger(kind="transformer", block="macaron"), 1_388_807 + 768),
        (ParticleNetTagger(kind="particle_net"), 367_445),
        (ParticleTransformerTagger(kind="particle_transformer"), 2_141_779),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_published_sizes(settings: TaggerNetworkSettings, expected: int) -> None:
    features = [f"feature_{number}" for number in range(17)] if settings.kind == "dense" else []
    assert parameters(build_tagger(settings, 7, features)) == expected


def test_widths_of_dense_layers() -> None:
    tagger = build_tagger(DenseTagger(kind="dense", hidden=(5, 4)), 2, ["a", "b", "c"])
    shapes = [tuple(module.weight.shape) for module in tagger.modules() if isinstance(module, nn.Linear)]
    assert shapes == [(outputs, inputs) for inputs, outputs in pairwise((3, 5, 4, 2))]


@pytest.mark.parametrize("settings", [TRANSFORMER, PARTICLE_TRANSFORMER], ids=lambda value: value.kind)
def test_dropout_is_in_the_training_only(settings: TaggerNetworkSettings) -> None:
    batch = unequal_jets()
    torch.manual_seed(4)
    tagger = build_tagger(settings, CLASSES)
    modes: dict[str, Callable[[], object]] = {"training": tagger.train, "evaluation": tagger.eval}
    for mode, change in modes.items():
        change()
        with torch.no_grad():
            first, second = tagger(*batch), tagger(*batch)
        assert torch.equal(first, second) == (mode == "evaluation")
