"""Networks: maps against loops, context and its absence, order of hits and prongs, loss, training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from neutrino_files import write_random_events
from torch import Tensor, nn

from cloudchamber.settings.base import parse
from cloudchamber.studies.neutrinos.event_clouds import EventClouds, read_event_clouds
from cloudchamber.studies.neutrinos.inputs import Batch, EventSource, visible_truth
from cloudchamber.studies.neutrinos.names import PRONGS
from cloudchamber.studies.neutrinos.network_settings import LossSettings, NeutrinoTrainingSettings
from cloudchamber.studies.neutrinos.networks import build, load_network
from cloudchamber.studies.neutrinos.task import NeutrinoTask, focal_losses
from cloudchamber.studies.neutrinos.train import train_classifier
from cloudchamber.studies.neutrinos.transformer_cvn import TransformerCvn, pixel_maps

SIZES = {"width": 8, "heads": 2, "layers": 2, "feed_forward": 16}
NETWORKS: dict[str, dict[str, Any]] = {
    "joint": {"kind": "transformer_cvn", "coarsen": 2, "stages": [3, 5], **SIZES},
    "alone": {"kind": "transformer_cvn", "coarsen": 2, "stages": [3, 5], "context": False, **SIZES},
    "point_set": {"kind": "point_set", "hits": 12, **SIZES},
    "high_level": {"kind": "high_level", "hidden": [8]},
    "visible_truth": {"kind": "visible_truth", **SIZES},
}
TRAINING = {"steps": 160, "batch_size": 25, "learning_rate": 1e-2, "ema_decay": 0.9, "validate_every": 30}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> EventClouds:
    return read_event_clouds(write_random_events(tmp_path_factory.mktemp("events") / "events.h5"))


def _settings(name: str) -> NeutrinoTrainingSettings:
    return parse(NeutrinoTrainingSettings, {"network": NETWORKS[name], "training": {**TRAINING, "accelerator": "cpu"}})


def _made(name: str, events: EventClouds) -> tuple[nn.Module, EventSource]:
    settings = _settings(name).network
    source = EventSource(events, np.arange(len(events)), settings)
    event, prong, _ = source.features
    torch.manual_seed(5)
    network = build(settings, events.window, (event.shape[1], prong.shape[2]))
    return network.eval(), source


def test_maps_are_sums_of_hits(events: EventClouds) -> None:
    source = EventSource(events, np.arange(len(events)), _settings("joint").network)
    rows = torch.arange(9)
    batch = source.take(rows)
    maps = pixel_maps(batch.hits, batch.hit_mask, batch.prong_mask, events.window, 3)
    expected = np.zeros((9 + int(events.prong_mask[:9].sum()), 2, 7, 6))
    number = 9
    for row in range(9):
        for prong in [None, *np.flatnonzero(events.prong_mask[row])]:
            at = row if prong is None else number
            number += prong is not None
            for view, plane, cell, energy, owner in events.hits(row):
                if prong is None or owner == prong:
                    expected[at, int(view), int(plane) // 3, int(cell) // 3] += energy
    np.testing.assert_allclose(maps.numpy(), expected, rtol=1e-5)


def test_batches_hold_the_hits_of_their_events(events: EventClouds) -> None:
    source = EventSource(events, np.arange(len(events))[::-1].copy(), _settings("joint").network)
    batch = source.take(torch.tensor([3, 0]))
    for place, row in enumerate((len(events) - 4, len(events) - 1)):
        np.testing.assert_array_equal(batch.hits[place][batch.hit_mask[place]].numpy(), events.hits(row))
        assert not batch.hits[place][~batch.hit_mask[place]].any()


@pytest.mark.parametrize("name", NETWORKS)
def test_an_event_does_not_depend_on_its_batch(name: str, events: EventClouds) -> None:
    network, source = _made(name, events)
    with torch.no_grad():
        event, prong = network(*source.take(torch.arange(20)))
        for row in (0, 7, 19):
            alone = network(*source.take(torch.tensor([row])))
            there = source.take(torch.tensor([row])).prong_mask[0]
            torch.testing.assert_close(alone[0][0], event[row], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(alone[1][0][there], prong[row][there], rtol=1e-4, atol=1e-5)
    assert event.shape == (20, 3)
    assert prong.shape == (20, 3, 6)


@pytest.mark.parametrize("name", ["joint", "alone", "point_set"])
def test_the_order_of_hits_means_nothing(name: str, events: EventClouds) -> None:
    network, source = _made(name, events)
    batch = source.take(torch.tensor([4]))
    order = torch.randperm(batch.hits.shape[1], generator=torch.Generator().manual_seed(1))
    turned = batch._replace(hits=batch.hits[:, order], hit_mask=batch.hit_mask[:, order])
    with torch.no_grad():
        for first, second in zip(network(*batch), network(*turned), strict=True):
            torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)


def _with_other_energies(batch: Batch, chosen: Tensor) -> Batch:
    hits = batch.hits.clone()
    hits[..., 3] = torch.where(chosen, 3 * hits[..., 3], hits[..., 3])
    return batch._replace(hits=hits)


@pytest.mark.parametrize(("name", "sees"), [("joint", True), ("alone", False)])
def test_only_with_context_a_prong_depends_on_the_others(name: str, sees: bool, events: EventClouds) -> None:
    network, source = _made(name, events)
    row = int(np.flatnonzero(events.prong_mask.sum(axis=1) == 3)[0])
    batch = source.take(torch.tensor([row]))
    changed = _with_other_energies(batch, batch.hit_mask & (batch.hits[..., 4] != 0))
    with torch.no_grad():
        before, after = network(*batch)[1][0, 0], network(*changed)[1][0, 0]
    assert torch.equal(before, after) is not sees


def test_both_ways_have_the_same_parameters(events: EventClouds) -> None:
    sizes = [sum(p.numel() for p in _made(name, events)[0].parameters()) for name in ("joint", "alone")]
    assert sizes[0] == sizes[1]


def test_attention_adds_up_to_one(events: EventClouds) -> None:
    network, source = _made("joint", events)
    assert isinstance(network, TransformerCvn)
    row = int(np.flatnonzero(events.prong_mask.sum(axis=1) == 2)[0])
    with torch.no_grad():
        weights = network.attention_weights(source.take(torch.tensor([row])))
    assert weights.shape == (2, 2, 3, 3)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 2, 3))


def test_the_ceiling_does_not_know_electrons_from_photons(events: EventClouds) -> None:
    names = list(PRONGS)
    electron, photon = names.index("electron"), names.index("photon")
    swapped = events.prong_class.copy()
    swapped[events.prong_class == electron] = photon
    swapped[events.prong_class == photon] = electron
    other = EventClouds(
        **{**{name: getattr(events, name) for name in EventClouds.__annotations__}, "prong_class": swapped}
    )
    for first, second in zip(visible_truth(events), visible_truth(other), strict=True):
        np.testing.assert_array_equal(first, second)
    muons = events.prong_class == names.index("muon")
    assert visible_truth(events)[1][muons][:, :5].sum(axis=1) == pytest.approx(np.ones(muons.sum()))


def test_focal_loss_is_its_formula() -> None:
    logits, target = torch.randn(50, 4, generator=torch.Generator().manual_seed(2)), torch.arange(50) % 4
    p = logits.softmax(dim=1)[torch.arange(50), target]
    for exponent in (0.0, 1.0, 2.5):
        torch.testing.assert_close(focal_losses(logits, target, exponent), -((1 - p) ** exponent) * p.log())


def test_the_loss_mixes_event_and_prongs(events: EventClouds) -> None:
    network, source = _made("high_level", events)
    generator = torch.Generator().manual_seed(1)
    rows, share = torch.arange(30), slice(0, 30)
    losses = []
    for event_share in (1.0, 0.0, 0.9):
        task = NeutrinoTask(network, source, source, LossSettings(event_share=event_share, pixel_noise=0.0))
        losses.append(task.loss(network, rows, generator, share).item())
    assert losses[2] == pytest.approx(0.9 * losses[0] + 0.1 * losses[1], rel=1e-5)
    _, prong = network(*source.take(rows))
    there = source.prong_class[rows] >= 0
    expected = focal_losses(prong[there], source.prong_class[rows][there], 1.0).mean()
    assert losses[1] == pytest.approx(expected.item(), rel=1e-5)
    # Two processes with half of the batch each have the same mean.
    task = NeutrinoTask(network, source, source, LossSettings(pixel_noise=0.0))
    halves = [task.loss(network, rows, generator, part).item() for part in (slice(0, 15), slice(15, 30))]
    assert np.mean(halves) == pytest.approx(losses[2], rel=1e-5)


@pytest.mark.parametrize("name", ["joint", "point_set", "high_level"])
def test_networks_learn_what_hits_say(name: str, events: EventClouds, tmp_path: Path) -> None:
    """The interaction is in the number of hits: far more than a third of the test events must be right."""
    paths = [tmp_path / file for file in ("weights.safetensors", "model.json", "history.csv")]
    settings = _settings(name)
    if name == "joint":
        # Few pixels: with so few events a network of many learns them by heart.
        settings = settings.model_copy(update={"network": settings.network.model_copy(update={"coarsen": 10})})
    train_classifier(events.path, settings, 1, tmp_path / "state", *paths)
    stored = load_network(paths[0], paths[1])
    source = EventSource(events, events.parts["test"], stored.settings.network)
    with torch.no_grad():
        logits, _ = stored.network(*source.take(torch.arange(len(source))))
    assert float((logits.argmax(dim=1) == source.interaction).float().mean()) > 0.6
    assert stored.description["events"] == len(events.parts["train"])
