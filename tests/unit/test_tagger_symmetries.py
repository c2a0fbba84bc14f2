"""What holds of every tagger of clouds: the order of towers, padding and other jets change nothing."""

import pytest
import torch
from small_taggers import (
    CLASSES,
    MACARON,
    PARTICLE_FLOW,
    PARTICLE_NET,
    PARTICLE_TRANSFORMER,
    TRANSFORMER,
    Batch,
    make_batch,
    unequal_jets,
    vary_statistics,
)
from torch.nn import functional

from cloudchamber.classification.taggers import Tagger, build_tagger

TOWER_TAGGERS = {
    "particle_flow": PARTICLE_FLOW,
    "kinematic": PARTICLE_FLOW.model_copy(update={"inputs": "kinematic"}),
    "transformer": TRANSFORMER,
    "macaron": MACARON,
    "particle_net": PARTICLE_NET,
    "particle_transformer": PARTICLE_TRANSFORMER,
}


@pytest.fixture
def batch() -> Batch:
    return unequal_jets()


@pytest.fixture(params=TOWER_TAGGERS, ids=str)
def tagger(request: pytest.FixtureRequest, batch: Batch) -> Tagger:
    torch.manual_seed(1)
    tagger = build_tagger(TOWER_TAGGERS[request.param], CLASSES)
    tagger.fit(*batch)
    vary_statistics(tagger.network)
    return tagger.eval()


@torch.no_grad()
def test_the_order_of_towers_changes_nothing_beyond_rounding(tagger: Tagger, batch: Batch) -> None:
    towers, jet, mask = batch
    generator = torch.Generator().manual_seed(8)
    shuffled = towers.clone()
    for row, count in enumerate(mask.sum(dim=1).tolist()):
        shuffled[row, :count] = towers[row, torch.randperm(count, generator=generator)]
    assert not torch.equal(shuffled, towers)
    logits = tagger(towers, jet, mask)
    assert logits.std() > 1e-3
    torch.testing.assert_close(tagger(shuffled, jet, mask), logits, rtol=1e-4, atol=2e-6)


@torch.no_grad()
@pytest.mark.parametrize("value", [3.0, torch.nan])
def test_padding_changes_nothing(tagger: Tagger, batch: Batch, value: float) -> None:
    towers, jet, mask = batch
    filled = functional.pad(towers.masked_fill(~mask.unsqueeze(2), value), (0, 0, 0, 5), value=value)
    wide = functional.pad(mask, (0, 5))
    logits = tagger(towers, jet, mask)
    torch.testing.assert_close(tagger(filled, jet, wide), logits, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(tagger.padded(filled, jet, wide), logits, rtol=1e-4, atol=2e-6)


@torch.no_grad()
def test_jets_do_not_see_each_other(tagger: Tagger, batch: Batch) -> None:
    logits = tagger(*batch)
    for row in range(len(logits)):
        alone = tagger(*(values[row : row + 1] for values in batch))
        torch.testing.assert_close(alone[0], logits[row], rtol=1e-4, atol=2e-6)


@torch.no_grad()
def test_a_jet_without_towers_is_finite(tagger: Tagger) -> None:
    inputs = make_batch([4, 0, 2])
    inputs[0].nan_to_num_(0.0)
    assert tagger(*inputs).isfinite().all()
    torch.testing.assert_close(tagger.padded(*inputs), tagger(*inputs), rtol=1e-4, atol=2e-6)


def test_the_gradient_reaches_every_parameter(tagger: Tagger, batch: Batch) -> None:
    tagger.train()
    functional.cross_entropy(tagger(*batch), torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    for name, parameter in tagger.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert (parameter.grad != 0).any(), name


@torch.no_grad()
def test_only_the_hardest_towers_are_looked_at(batch: Batch) -> None:
    torch.manual_seed(1)
    tagger = build_tagger(PARTICLE_FLOW.model_copy(update={"towers": 5}), CLASSES).eval()
    towers, jet, mask = batch
    torch.testing.assert_close(tagger(*batch), tagger(towers[:, :5], jet, mask[:, :5]))
    torch.testing.assert_close(tagger.padded(*batch), tagger(*batch))
    towers[:, 4] += 0.1
    assert not torch.allclose(tagger(*batch)[0], tagger(towers * 0.9, jet, mask)[0])
