"""Identities of attention: each holds, and each comparison fails where it should."""

from typing import Any

import pandas as pd
import pytest
import torch
from torch.nn import functional

from cloudchamber.studies.gating import identities
from cloudchamber.studies.gating.attention import (
    additive_activation_attention,
    gated_dot_product_attention,
    multiplexer,
    output_gating,
    pooled_attention,
    sufficient_strength,
    synaptic_gating,
    xor_as_gated_or,
)
from cloudchamber.studies.gating.identities import IDENTITIES, evaluate_identities
from cloudchamber.studies.gating.threshold_functions import (
    coordinates,
    monomials,
    separating_weights,
    threshold_functions,
    truth_tables,
    truth_values,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=generator(), dtype=torch.float64)


def test_all_identities_hold_and_all_broken_variants_do_not() -> None:
    table = pd.DataFrame(evaluate_identities(generator(), 50))
    assert len(table) == len(IDENTITIES) == 5
    assert table["holds"].all()
    assert (table["control_deviation"] > 0.05).all()
    assert table["identity"].is_unique
    assert all(text.endswith(".") and text.count(".") == 1 for text in table["statement"])
    assert table.equals(pd.DataFrame(evaluate_identities(generator(), 50)))


BROKEN: dict[str, tuple[str, Any]] = {
    "softmax attention": ("gated_dot_product_attention", lambda queries, keys, values: values.mean(dim=-2)[:, None]),
    "one outgoing edge": ("synaptic_gating", lambda output, gate, weights: (output + gate)[:, None] * weights),
    "multiplexing": ("sufficient_strength", lambda weights, thresholds: 0.1),
    "XOR": ("xor_as_gated_or", lambda false: {"or": 0b1110, "product": 0b1000}),
    "pooled attention": ("pooled_attention", lambda points, *maps: points[:, 0]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_mechanism_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, *BROKEN[name])
    table = pd.DataFrame(evaluate_identities(generator(), 50)).set_index("identity")
    assert table.index[~table["holds"]].tolist() == [name]


def test_softmax_attention_is_that_of_torch() -> None:
    queries, keys, values = normal(3, 2, 5, 4), normal(3, 2, 7, 4), normal(3, 2, 7, 6)
    expected = functional.scaled_dot_product_attention(queries, keys, values)
    torch.testing.assert_close(gated_dot_product_attention(queries, keys, values), expected, rtol=0, atol=1e-13)


def test_gating_of_one_edge_and_of_several() -> None:
    output, gate, weights = torch.tensor([2.0]), torch.tensor([3.0]), torch.tensor([5.0, 7.0])
    assert output_gating(output, gate, weights).tolist() == [[30.0, 42.0]]
    assert synaptic_gating(output, gate, weights).tolist() == [[30.0, 14.0]]
    assert synaptic_gating(output, gate, weights, edge=1).tolist() == [[10.0, 42.0]]
    assert synaptic_gating(output, gate, weights[:1]).tolist() == output_gating(output, gate, weights[:1]).tolist()


def test_attention_leaves_one_unit_active() -> None:
    activations = torch.tensor([1.0, 2.0, 3.0, 4.0])
    selectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    attended = additive_activation_attention(activations.expand(4, 4), selectors, 10.0)
    assert attended.diagonal().tolist() == activations.tolist()
    assert (attended > 0).tolist() == torch.eye(4, dtype=torch.bool).tolist()


def test_attention_is_linear_in_the_selectors() -> None:
    zero, first, second = torch.zeros(8), normal(3).float(), normal(2, 3)[1].float()
    values = [additive_activation_attention(zero, item, 2.0) for item in (first, second, (first + second) / 2)]
    torch.testing.assert_close(values[2], (values[0] + values[1]) / 2)


def test_one_network_holds_any_four_threshold_functions() -> None:
    """All 104 functions of three inputs in groups of four: each comes out when it is selected."""
    points = torch.from_numpy(coordinates(3)).double()
    tables = threshold_functions(3)
    for start in range(0, len(tables), 4):
        group = [separating_weights(truth_values(table, 3), monomials(3, 1)) for table in tables[start : start + 4]]
        gates = torch.stack([torch.from_numpy(weights) for weights in group if weights is not None]).double()
        weights, thresholds = gates[:, 1:], -gates[:, 0]
        strength = sufficient_strength(weights, thresholds)
        outputs = [
            multiplexer(points, torch.tensor([[unit & 1, unit >> 1]]).expand(8, 2), weights, thresholds, strength)
            for unit in range(4)
        ]
        assert truth_tables(torch.stack(outputs).numpy()).tolist() == tables[start : start + 4].tolist()


def test_weak_attention_lets_other_units_through() -> None:
    points, selectors = torch.tensor([[1.0]]), torch.tensor([[0.0]])
    weights, thresholds = torch.tensor([[-1.0], [1.0]]), torch.tensor([0.0, -1.0])
    assert 2.0 < sufficient_strength(weights, thresholds) == pytest.approx(2.0)
    assert not multiplexer(points, selectors, weights, thresholds, 2.0)
    assert multiplexer(points, selectors, weights, thresholds, 1.9)


@pytest.mark.parametrize("false", [-1, 0])
def test_xor_is_or_gated_by_nand(false: Any) -> None:
    assert xor_as_gated_or(false) == {"or": 0b1110, "nand": 0b0111, "product": 0b0110}
    linear = set(threshold_functions(2).tolist())
    assert {0b1110, 0b0111} <= linear
    assert 0b0110 not in linear


def test_pooled_attention_does_not_depend_on_the_order() -> None:
    points, maps = normal(4, 6, 3), [normal(3, 3), normal(3, 3).T, normal(3, 2)]
    moved = points[:, [3, 0, 5, 1, 4, 2]]
    torch.testing.assert_close(pooled_attention(moved, *maps), pooled_attention(points, *maps), rtol=0, atol=1e-13)
    assert pooled_attention(points, *maps).shape == (4, 2)
    # It is no constant: another point changes it.
    points[:, 0] += 1.0
    assert (pooled_attention(moved, *maps) - pooled_attention(points, *maps)).abs().max() > 1e-3


@pytest.mark.parametrize("seed", range(60))
def test_a_selected_gate_is_alone_whatever_the_rounding(seed: int) -> None:
    """With a strength equal to the largest activation, other gates were active by a rounding of one sum in millions."""
    found = {item["identity"]: item for item in evaluate_identities(torch.Generator().manual_seed(seed), 2000)}
    assert found["multiplexing"]["deviation"] == 0.0
