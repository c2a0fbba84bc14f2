"""The network: symmetries, normalisation, masks, parameters, gradients, and its loss."""

import numpy as np
import pytest
import torch
from assignment_files import random_events

from cloudchamber.networks.cloud_rows import PackedRows
from cloudchamber.studies.assignment.event_file import Events
from cloudchamber.studies.assignment.loss import assignment_losses, event_weights
from cloudchamber.studies.assignment.network import AssignmentNetwork, Scores
from cloudchamber.studies.assignment.network_settings import AssignmentNetworkSettings
from cloudchamber.studies.assignment.task import mirrored
from cloudchamber.studies.assignment.tensor_attention import TensorAttention
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR, EventTopology, ParticleTopology

SMALL = {"embedding": (8,), "heads": 2, "feed_forward": 8, "encoder_layers": 1, "rank": 4}
KINDS = [
    {"tensor": "low_rank"},
    {"tensor": "full"},
    {"tensor": "low_rank", "pairs": True},
    {"tensor": "full", "inputs": "published", "normalisation": "batch", "branch_dense": 1},
]
HIGGS = EventTopology(
    particles={
        "t1": ParticleTopology(daughters=("b", "q1", "q2"), exchangeable=(("q1", "q2"),)),
        "t2": ParticleTopology(daughters=("b", "q1", "q2"), exchangeable=(("q1", "q2"),)),
        "h": ParticleTopology(daughters=("b1", "b2"), exchangeable=(("b1", "b2"),)),
    },
    exchangeable=(("t1", "t2"),),
)


def network(topology: EventTopology = ALL_HADRONIC_TOP_PAIR, **settings: object) -> AssignmentNetwork:
    """A small network with random weights, in evaluation mode and double precision."""
    torch.manual_seed(1)
    chosen = AssignmentNetworkSettings.model_validate(SMALL | settings)
    return AssignmentNetwork(chosen, topology).double().eval()


def tensors(events: Events) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.from_numpy(events.jets).double(), torch.from_numpy(events.mask), torch.from_numpy(events.targets)


@pytest.fixture
def events() -> Events:
    return random_events(np.random.default_rng(2), 24, most=8)


def test_the_layout_of_the_release_has_its_parameters() -> None:
    settings = AssignmentNetworkSettings(
        inputs="published",
        embedding=(8, 16, 32, 64, 128),
        normalisation="batch",
        heads=4,
        feed_forward=128,
        encoder_layers=6,
        branch_dense=4,
        branch_layers=4,
        tensor="full",
        detection=False,
    )
    made = AssignmentNetwork(settings, ALL_HADRONIC_TOP_PAIR)
    assert sum(parameter.numel() for parameter in made.parameters()) == 5_735_560
    tensors_ = [branch.attention.tensor.numel() for branch in made.branches]  # type: ignore[union-attr]
    assert sum(tensors_) == 4_194_304


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_permutation_of_the_jets_permutes_the_scores(kind: dict[str, object], events: Events) -> None:
    made = network(**kind)
    jets, mask, _ = tensors(events)
    jets, mask = jets[:, :6], mask[:, :6]
    order = torch.randperm(6, generator=torch.Generator().manual_seed(3))
    one, other = made(jets, mask), made(jets[:, order], mask)
    for first, second in zip(one.blocks, other.blocks, strict=True):
        permuted = first[0][:, order][:, :, order][:, :, :, order]
        torch.testing.assert_close(permuted, second[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(one.detection, other.detection)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_light_quarks_can_be_exchanged_and_probabilities_add_up_to_one(kind: dict[str, object], events: Events) -> None:
    scores = network(**kind)(*tensors(events)[:2])
    for blocks in scores.blocks:
        for block in blocks:
            assert torch.equal(block, block.transpose(2, 3))
            # Each assignment stands there twice.
            torch.testing.assert_close(block.exp().flatten(1).sum(dim=1) / 2, torch.ones(len(block)))
            n = block.shape[1]
            for jet in range(n):
                assert (block[:, jet, jet] <= -1e9).all()
                assert (block[:, :, jet, jet] <= -1e9).all()
                assert (block[:, jet, :, jet] <= -1e9).all()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_padded_and_packed_agree_and_padding_has_no_influence(kind: dict[str, object], events: Events) -> None:
    made = network(**kind)
    jets, mask, _ = tensors(events)
    packed = made(jets, mask)
    noise = torch.where(mask.unsqueeze(2), jets, 77.0)
    padded = made.padded(noise, mask)
    torch.testing.assert_close(packed.detection, padded.detection)
    every = torch.arange(len(jets)).unsqueeze(1)
    owners = [block[:, 0, 0] for block in packed.rows.split(packed.rows.spread(every))]
    for blocks, (dense,) in zip(packed.blocks, padded.blocks, strict=True):
        for block, rows in zip(blocks, owners, strict=True):
            n = block.shape[1]
            torch.testing.assert_close(block, dense[rows][:, :n, :n, :n], rtol=1e-5, atol=1e-5)
            assert (dense[rows][:, n:] <= -1e9).all()
            assert (dense[rows][:, :, n:] <= -1e9).all()
            assert (dense[rows][:, :, :, n:] <= -1e9).all()


def test_the_low_rank_form_is_a_full_tensor_of_that_rank() -> None:
    torch.manual_seed(4)
    particle = ALL_HADRONIC_TOP_PAIR.particles["t1"]
    low = TensorAttention(particle, 5, 3).double()
    assert low.maps is not None
    for layer in low.maps:
        torch.nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    full = TensorAttention(particle, 5, None).double()
    weights = [layer.weight for layer in low.maps]
    with torch.no_grad():
        full.tensor.copy_(torch.einsum("ra,rb,rc->abc", *weights) / 3**0.5)  # type: ignore[arg-type]
    jets = torch.randn(2, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(low([jets]), full([jets]))


def test_the_full_tensor_is_what_the_slides_write() -> None:
    torch.manual_seed(5)
    full = TensorAttention(ALL_HADRONIC_TOP_PAIR.particles["t1"], 4, None).double()
    blocks = [torch.randn(events, jets, 4, dtype=torch.float64) for events, jets in ((2, 6), (3, 7))]
    for jets, found in zip(blocks, full(blocks), strict=True):
        theta = torch.einsum("abc,nia,njb,nkc->nijk", full.tensor, jets, jets, jets)
        torch.testing.assert_close(found, (theta + theta.transpose(2, 3)) / 2)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_weight_has_a_gradient(kind: dict[str, object], events: Events) -> None:
    made = network(**kind).train()
    jets, mask, targets = tensors(events)
    assignment_losses(made(jets, mask), targets, ALL_HADRONIC_TOP_PAIR, 0.1, 0.2).mean().backward()
    # A number added to all scores of a particle, and a bias that softmax cannot see, change nothing.
    without = [
        name
        for name, value in made.named_parameters()
        if (value.grad is None or not value.grad.abs().sum() > 0) and not name.endswith("last.bias")
    ]
    assert without == []
    assert all(value.grad.isfinite().all() for value in made.parameters() if value.grad is not None)


def test_the_loss_does_not_know_the_order_of_tops_and_light_quarks(events: Events) -> None:
    made = network()
    jets, mask, targets = tensors(events)
    scores = made(jets, mask)
    loss = assignment_losses(scores, targets, ALL_HADRONIC_TOP_PAIR, 0.1, 0.2)
    for order in ([3, 4, 5, 0, 1, 2], [0, 2, 1, 3, 4, 5], [3, 5, 4, 0, 2, 1]):
        torch.testing.assert_close(assignment_losses(scores, targets[:, order], ALL_HADRONIC_TOP_PAIR, 0.1, 0.2), loss)
    wrong = assignment_losses(scores, targets[:, [1, 0, 2, 3, 4, 5]], ALL_HADRONIC_TOP_PAIR, 0.1, 0.2)
    assert not torch.allclose(wrong, loss)


def by_hand(tops: tuple[tuple[int, int, int], ...]) -> tuple[Scores, torch.Tensor]:
    """Scores of one event in which both branches give the top (0, 1, 2) the probability 0.7, and the targets."""
    log_p = torch.full((1, 6, 6, 6), -1e9)
    for entry, probability in (((0, 1, 2), 0.7), ((3, 4, 5), 0.2), ((1, 0, 2), 0.1)):
        b, q, r = entry
        log_p[0, b, q, r] = log_p[0, b, r, q] = float(np.log(probability))
    rows = PackedRows(torch.ones(1, 6, dtype=torch.bool))
    return Scores(((log_p,), (log_p,)), torch.zeros(1, 2), rows), torch.tensor([[jet for top in tops for jet in top]])


def test_the_loss_of_partial_events_is_that_of_the_top_that_is_there() -> None:
    scores, targets = by_hand(((0, 1, 2), (3, 4, 5)))
    topology = ALL_HADRONIC_TOP_PAIR
    assert float(assignment_losses(scores, targets, topology)) == pytest.approx(-np.log(0.7) - np.log(0.2))
    partial = torch.tensor([[0, 1, 2, 3, -1, 5]])
    assert float(assignment_losses(scores, partial, topology)) == pytest.approx(-np.log(0.7))
    # Half a bit for each of the two outputs.
    detected = float(assignment_losses(scores, partial, topology, detection=1.0))
    assert detected == pytest.approx(-np.log(0.7) + 2 * np.log(2))


def test_repulsion_is_the_symmetric_cross_entropy() -> None:
    scores, targets = by_hand(((0, 1, 2), (3, 4, 5)))
    p = np.array([0.7, 0.2, 0.1])
    entropy = float(-(p * np.log(p)).sum())
    without, with_it = (float(assignment_losses(scores, targets, ALL_HADRONIC_TOP_PAIR, 0.0, r)) for r in (0.0, 0.2))
    assert without - with_it == pytest.approx(0.2 * 2 * entropy, rel=1e-5)


def test_balanced_weights_count_each_number_of_tops_alike() -> None:
    found = torch.tensor([[True, True]] + [[True, False]] * 3 + [[False, True]] * 2)
    weights = event_weights(found, balanced=True)
    assert float(weights[0]) == pytest.approx(float(weights[1:].sum()))
    assert float(weights.mean()) == pytest.approx(1)
    assert event_weights(found, balanced=False).tolist() == [1.0] * 6


def test_other_topologies_have_a_branch_for_each_particle() -> None:
    events = random_events(np.random.default_rng(8), 6, most=10)
    jets, mask, _ = tensors(events[np.flatnonzero(events.n_jets >= 8)])
    made = network(HIGGS)
    scores = made(jets, mask)
    assert [blocks[0].dim() for blocks in scores.blocks] == [4, 4, 3]
    assert scores.detection.shape == (len(jets), 3)
    torch.testing.assert_close(
        scores.blocks[2][0].exp().flatten(1).sum(dim=1) / 2, torch.ones(len(scores.blocks[2][0]))
    )
    targets = torch.arange(8).expand(len(jets), 8)
    loss = assignment_losses(scores, targets, HIGGS)
    exchanged = targets[:, [3, 4, 5, 0, 1, 2, 7, 6]]
    torch.testing.assert_close(assignment_losses(scores, exchanged, HIGGS), loss)


def test_turned_inputs_do_not_know_where_the_azimuth_begins(events: Events) -> None:
    made = network(pairs=True)
    jets, mask, _ = tensors(events)
    turned = jets.clone()
    turned[:, :, 2] = torch.remainder(turned[:, :, 2] + 1.1 + torch.pi, 2 * torch.pi) - torch.pi
    for one, other in zip(made(jets, mask).blocks[0], made(turned, mask).blocks[0], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_mirrored_events_have_eta_and_phi_reversed(events: Events) -> None:
    jets, _, _ = tensors(events)
    flips = torch.tensor([[1, 0], [0, 1]] * 12)
    made = mirrored(jets, flips)
    assert torch.equal(made[0, :, 1], -jets[0, :, 1])
    assert torch.equal(made[1, :, 2], -jets[1, :, 2])
    assert torch.equal(made[0, :, 2], jets[0, :, 2])
    assert torch.equal(made[:, :, [0, 3, 4]], jets[:, :, [0, 3, 4]])
