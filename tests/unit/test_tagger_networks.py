"""Networks of taggers: published sizes, plain padded implementations, the symmetries of clouds."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.classification.cost import flops
from cloudchamber.classification.taggers import CloudTagger, GraphTagger, Tagger, build_tagger
from cloudchamber.networks.cloud_rows import PackedRows, PaddedRows
from cloudchamber.networks.particle_flow import ParticleFlow
from cloudchamber.networks.particle_transformer import ParticleTransformer, pair_features
from cloudchamber.networks.transformer_encoder import TransformerEncoder
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.taggers import (
    DenseTagger,
    ParticleFlowTagger,
    ParticleNetTagger,
    ParticleTransformerTagger,
    TaggerNetworkSettings,
    TransformerTagger,
)
from cloudchamber.training.described_weights import parameters

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
TOWER_TAGGERS = {
    "particle_flow": PARTICLE_FLOW,
    "kinematic": PARTICLE_FLOW.model_copy(update={"inputs": "kinematic"}),
    "transformer": TRANSFORMER,
    "macaron": MACARON,
    "particle_net": PARTICLE_NET,
    "particle_transformer": PARTICLE_TRANSFORMER,
}
Batch = tuple[Tensor, Tensor, Tensor]


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


@pytest.fixture
def batch() -> Batch:
    """Jets on both sides of the multiplicity at which attention takes another way, two of them of equal size."""
    return make_batch([7, 70, 1, 3, 7, 66])


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


def rows_of(tagger: Tagger, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features and momenta of all slots, (B, P, F) and (B, P, 3)."""
    assert isinstance(tagger, CloudTagger)
    features, momenta = tagger.features(batch[0], batch[1], PaddedRows(batch[2]))
    return features.unflatten(0, batch[2].shape), momenta.unflatten(0, batch[2].shape)


def torch_encoder(network: TransformerEncoder) -> nn.TransformerEncoder:
    """The layers of torch with the weights of ``network``."""
    layer = nn.TransformerEncoderLayer(
        TRANSFORMER.width, TRANSFORMER.heads, TRANSFORMER.feed_forward, batch_first=True, dropout=0.0
    )
    encoder = nn.TransformerEncoder(layer, TRANSFORMER.layers, network.norm, enable_nested_tensor=False)
    for ours, theirs in zip(network.blocks, encoder.layers, strict=True):
        pairs = [
            (theirs.self_attn.out_proj, ours.attention.out),
            (theirs.linear1, ours.after[0].first),
            (theirs.linear2, ours.after[0].second),
            (theirs.norm1, ours.attention_norm),
            (theirs.norm2, ours.after[0].norm),
        ]
        for to, source in pairs:
            to.load_state_dict(source.state_dict())
        theirs.self_attn.in_proj_weight.data.copy_(ours.attention.queries_keys_values.weight)
        theirs.self_attn.in_proj_bias.data.copy_(ours.attention.queries_keys_values.bias)
    return encoder


def with_tagger(settings: TaggerNetworkSettings, batch: Batch) -> CloudTagger:
    torch.manual_seed(2)
    tagger = build_tagger(settings, CLASSES)
    tagger.fit(*batch)
    vary_statistics(tagger.network)
    assert isinstance(tagger, CloudTagger)
    return tagger.eval()


def test_the_transformer_is_that_of_torch(batch: Batch) -> None:
    tagger = with_tagger(TRANSFORMER, batch)
    network, mask = tagger.network, batch[2]
    assert isinstance(network, TransformerEncoder)
    encoder = torch_encoder(network).train()  # in evaluation torch takes a fused way of its own
    features, _ = rows_of(tagger, batch)
    hidden = encoder(network.first(features), src_key_padding_mask=~mask)
    mean = torch.where(mask.unsqueeze(2), hidden, 0.0).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    expected = network.cloud(mean)
    torch.testing.assert_close(tagger(*batch), expected, rtol=1e-5, atol=1e-6)
    ours, theirs = (
        torch.autograd.grad(logits.square().sum(), list(network.first.parameters()))
        for logits in (tagger(*batch), expected)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


# Of two layers: "a" for attention, a number for a feed-forward part with this step; parts of half the width are marked.
ARRANGEMENTS = {
    "standard": ["a", 1, "a", 1],
    "feed_forward_first": [1, "a", 1, "a"],
    "macaron": [0.5, "a", 0.5, 0.5, "a", 0.5],
    "macaron_full_step": [1, "a", 1, 1, "a", 1],
    "halves_after": ["a", 0.5, 0.5, "a", 0.5, 0.5],
    "half_ends": [0.5, "a", 1, "a", 0.5],
}


@torch.no_grad()
@pytest.mark.parametrize("block", ARRANGEMENTS)
def test_a_stack_is_the_sequence_of_its_parts(block: str, batch: Batch) -> None:
    settings = TRANSFORMER.model_copy(update={"block": block})
    tagger = with_tagger(settings, batch)
    network = tagger.network
    features, _ = rows_of(tagger, batch)
    for row in (0, 2):
        x = network.first(features[row, : int(batch[2][row].sum())])
        attentions = iter([(item.attention, item.attention_norm) for item in network.blocks])
        feeds = iter([part for item in network.blocks for part in (*item.before, *item.after)])
        for part in ARRANGEMENTS[block]:
            if part == "a":
                attention, norm = next(attentions)
                queries, keys, values = attention.queries_keys_values(x).chunk(3, dim=1)
                heads = []
                for head in range(settings.heads):
                    own = slice(4 * head, 4 * head + 4)
                    heads.append((queries[:, own] @ keys[:, own].T / 2).softmax(dim=1) @ values[:, own])
                x = norm(x + attention.out(torch.cat(heads, dim=1)))
            else:
                feed = next(feeds)
                x = feed.norm(x + part * feed.second(torch.relu(feed.first(x))))
        assert [*attentions, *feeds] == []
        expected = network.cloud(network.norm(x).mean(dim=0, keepdim=True))
        torch.testing.assert_close(tagger(*batch)[row : row + 1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("block", ARRANGEMENTS)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_all_arrangements_have_the_same_products_and_nearly_the_same_parameters(
    block: str, layers: int, batch: Batch
) -> None:
    settings = TRANSFORMER.model_copy(update={"layers": layers})
    standard, other = (build_tagger(item, CLASSES) for item in (settings, settings.model_copy(update={"block": block})))
    # Each feed-forward part more than one in a block has one more layer norm and one more output bias.
    parts = {"standard": 0, "feed_forward_first": 0, "half_ends": 1}.get(block, layers)
    assert parameters(other) - parameters(standard) == parts * 3 * settings.width
    assert flops(other, batch) == flops(standard, batch) > 0


@torch.no_grad()
def test_the_particle_flow_network_is_a_sum_over_towers(batch: Batch) -> None:
    tagger = with_tagger(PARTICLE_FLOW, batch)
    network = tagger.network
    assert isinstance(network, ParticleFlow)
    features, _ = rows_of(tagger, batch)
    weights = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for row, count in enumerate(batch[2].sum(dim=1).tolist()):
        x = features[row, :count]
        for layer in weights[:2]:
            x = (x @ layer.weight.T + layer.bias).clamp(min=0)
        x = x.sum(dim=0)
        for layer in weights[2:4]:
            x = (x @ layer.weight.T + layer.bias).clamp(min=0)
        expected = x @ weights[4].weight.T + weights[4].bias
        torch.testing.assert_close(tagger(*batch)[row], expected, rtol=1e-4, atol=1e-5)


def test_pair_features_are_those_of_four_momenta() -> None:
    first = torch.tensor([[10.0, 0.3, 3.1], [2.0, -1.0, 0.2]], dtype=torch.float64)
    second = torch.tensor([[4.0, 0.1, -3.1], [7.0, -1.2, 0.7]], dtype=torch.float64)
    found = pair_features(first, second)
    torch.testing.assert_close(found, pair_features(second, first))
    for row, ((pt_1, eta_1, phi_1), (pt_2, eta_2, phi_2)) in enumerate(
        zip(first.tolist(), second.tolist(), strict=True)
    ):
        turn = math.atan2(math.sin(phi_1 - phi_2), math.cos(phi_1 - phi_2))
        distance = math.hypot(eta_1 - eta_2, turn)
        momenta = [
            (pt * math.cosh(eta), pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta))
            for pt, eta, phi in ((pt_1, eta_1, phi_1), (pt_2, eta_2, phi_2))
        ]
        energy, *momentum = (a + b for a, b in zip(*momenta, strict=True))
        mass_squared = energy**2 - sum(value**2 for value in momentum)
        smaller = min(pt_1, pt_2)
        expected = [distance, smaller * distance, smaller / (pt_1 + pt_2), mass_squared]
        assert found[row].tolist() == pytest.approx([math.log(value) for value in expected], rel=1e-9)
    alone = pair_features(first, first)
    assert alone[0].tolist() == pytest.approx([math.log(value) for value in (1e-8, 1e-8, 0.5, 1e-8)])


def plain_particle_transformer(network: ParticleTransformer, features: Tensor, momenta: Tensor) -> Tensor:
    """The network of one cloud by the attention of torch, with the pairs of all ordered particles."""
    x = network.embedding(features)
    n, heads = len(x), PARTICLE_TRANSFORMER.heads
    pairs = pair_features(momenta[:, None].expand(n, n, 3), momenta[None].expand(n, n, 3))
    bias = network.pairs.layers(pairs.flatten(0, 1)).unflatten(0, (n, n)).permute(2, 0, 1)
    attention = nn.MultiheadAttention(x.shape[1], heads, batch_first=True)

    def finish(update: nn.Module, residual: Tensor, attended: Tensor) -> Tensor:
        scale = update.head_scale.repeat_interleave(attended.shape[1] // heads, dim=0).flatten()
        hidden = residual + update.attended_norm(attended * scale)
        inner = update.inner_norm(functional.gelu(update.first(update.norm(hidden))))
        return update.residual_scale * hidden + update.second(inner)

    for block in network.blocks:
        ours = block.attention
        attention.in_proj_weight.data.copy_(ours.queries_keys_values.weight)
        attention.in_proj_bias.data.copy_(ours.queries_keys_values.bias)
        attention.out_proj.load_state_dict(ours.out.state_dict())
        seen = block.norm(x)[None]
        x = finish(block.update, x, attention(seen, seen, seen, attn_mask=bias)[0][0])
    token = network.token
    for block in network.class_blocks:
        attention.in_proj_weight.data.copy_(torch.cat([block.queries.weight, block.keys_values.weight]))
        attention.in_proj_bias.data.copy_(torch.cat([block.queries.bias, block.keys_values.bias]))
        attention.out_proj.load_state_dict(block.out.state_dict())
        seen = block.norm(torch.cat([token, x]))[None]
        token = finish(block.update, token, attention(token[None], seen, seen)[0][0])
    return network.last(network.norm(token))[0]


@torch.no_grad()
def test_the_particle_transformer_is_a_plain_one(batch: Batch) -> None:
    tagger = with_tagger(PARTICLE_TRANSFORMER, batch)
    network = tagger.network
    assert isinstance(network, ParticleTransformer)
    features, momenta = rows_of(tagger, batch)
    for row, count in enumerate(batch[2].sum(dim=1).tolist()):
        expected = plain_particle_transformer(network, features[row, :count], momenta[row, :count])
        torch.testing.assert_close(tagger(*batch)[row], expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("fusion", [0, 6])
def test_particle_net_by_dense_operations_is_the_packed_one(batch: Batch, fusion: int) -> None:
    network = PARTICLE_NET.network.model_copy(update={"fusion": fusion})
    tagger = build_tagger(PARTICLE_NET.model_copy(update={"network": network}), CLASSES)
    assert isinstance(tagger, GraphTagger)
    tagger.fit(*batch)
    vary_statistics(tagger)
    torch.testing.assert_close(tagger.eval().padded(*batch), tagger(*batch), rtol=1e-4, atol=2e-6)


def test_rows_go_there_and_back(batch: Batch) -> None:
    towers, jet, mask = batch
    for rows in (PackedRows(mask), PaddedRows(mask)):
        packed = rows.pack(towers)
        assert torch.equal(rows.pad(packed), towers)
        torch.testing.assert_close(rows.sum(packed), towers.sum(dim=1))
        torch.testing.assert_close(rows.mean(packed), towers.sum(dim=1) / mask.sum(dim=1, keepdim=True))
        assert torch.equal(rows.pad(rows.spread(jet)), jet.unsqueeze(1) * mask.unsqueeze(2))
        blocks = [block[:, 0] for block in rows.split(rows.spread(jet))]
        assert torch.equal(rows.join_clouds(blocks), jet)
    assert len(PackedRows(mask).pack(towers)) == int(mask.sum())


def test_sums_of_half_precision_keep_their_digits() -> None:
    mask = torch.ones(1, 300, dtype=torch.bool)
    rows = torch.full((300, 1), 1.0, dtype=torch.bfloat16)
    # In bfloat16 the sum would stand still at 256.
    assert float(PackedRows(mask).sum(rows)) == 300


@pytest.mark.parametrize("settings", [TRANSFORMER, PARTICLE_TRANSFORMER], ids=lambda value: value.kind)
def test_dropout_is_in_the_training_only(settings: TaggerNetworkSettings, batch: Batch) -> None:
    torch.manual_seed(4)
    tagger = build_tagger(settings, CLASSES)
    modes: dict[str, Callable[[], object]] = {"training": tagger.train, "evaluation": tagger.eval}
    for mode, change in modes.items():
        change()
        with torch.no_grad():
            first, second = tagger(*batch), tagger(*batch)
        assert torch.equal(first, second) == (mode == "evaluation")


def test_dropout_of_attention_keeps_its_mean() -> None:
    from cloudchamber.networks.attention import attend

    torch.manual_seed(5)
    for particles in (6, 70):
        block = torch.randn(1, particles, 24)
        mean = torch.stack([attend(block, 2, dropout=0.3) for _ in range(2000)]).mean(dim=0)
        assert (mean - attend(block, 2)).abs().max() < 0.12
        assert len({round(float(attend(block, 2, dropout=0.3).sum()), 4) for _ in range(3)}) == 3


def test_widths_of_dense_layers() -> None:
    tagger = build_tagger(DenseTagger(kind="dense", hidden=(5, 4)), 2, ["a", "b", "c"])
    shapes = [tuple(module.weight.shape) for module in tagger.modules() if isinstance(module, nn.Linear)]
    assert shapes == [(outputs, inputs) for inputs, outputs in pairwise((3, 5, 4, 2))]
