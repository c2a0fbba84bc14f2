"""Each network of a tagger against a plain implementation of one cloud."""

import math

import pytest
import torch
from small_taggers import (
    CLASSES,
    PARTICLE_FLOW,
    PARTICLE_NET,
    PARTICLE_TRANSFORMER,
    TRANSFORMER,
    Batch,
    rows_of,
    unequal_jets,
    vary_statistics,
    with_tagger,
)
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.classification.cost import flops
from cloudchamber.classification.taggers import GraphTagger, build_tagger
from cloudchamber.networks.particle_flow import ParticleFlow
from cloudchamber.networks.particle_transformer import ParticleTransformer, pair_features
from cloudchamber.networks.transformer_encoder import TransformerEncoder
from cloudchamber.training.described_weights import parameters


@pytest.fixture
def batch() -> Batch:
    return unequal_jets()


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
