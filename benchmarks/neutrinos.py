"""Neutrinos: events of a batch in the detector at once, hits to dense maps, and convolutions that pool first."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.timing import Measurement, measure
from cloudchamber.studies.neutrinos.detector import detect
from cloudchamber.studies.neutrinos.event_clouds import Window
from cloudchamber.studies.neutrinos.interactions import Interactions, Particles, interact
from cloudchamber.studies.neutrinos.network_settings import TransformerCvnSettings
from cloudchamber.studies.neutrinos.settings import BeamSettings, DetectorSettings
from cloudchamber.studies.neutrinos.transformer_cvn import TransformerCvn, pixel_maps

__all__ = ["measurements"]

_EVENTS, _ENERGY = 200, 30.0
_BATCH, _HITS, _PRONGS = 64, 700, 6
_WINDOW = Window(planes=100, cells=80, upstream=10, prongs=_PRONGS, mip=1.0)
_SETTINGS = TransformerCvnSettings(coarsen=2, stages=(8, 16, 32), width=48, feed_forward=96)


def _alone(several: Interactions, event: int) -> Interactions:
    """Return one of the events."""
    of_all, own = several.particles, several.particles.event == event
    particles = Particles(
        event=np.zeros(int(own.sum()), np.int64),
        pdg=of_all.pdg[own],
        momentum=of_all.momentum[own],
        mass=of_all.mass[own],
        vertex=of_all.vertex[own],
    )
    row = [event]
    return replace(
        several, particles=particles, q2=several.q2[row], x=several.x[row], y=several.y[row], w=several.w[row]
    )


def _batch(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return (B, H, 5) hits, (B, H) and (B, P) masks, about as full as those of 30 GeV."""
    mask = torch.arange(_HITS) < torch.randint(100, _HITS + 1, (_BATCH, 1), generator=generator)
    prongs = torch.randint(1, _PRONGS + 1, (_BATCH, 1), generator=generator)
    columns = [torch.randint(0, size, mask.shape, generator=generator) for size in (2, _WINDOW.planes, _WINDOW.cells)]
    energy = torch.empty(mask.shape).exponential_(generator=generator)
    prong = torch.randint(0, _PRONGS, mask.shape, generator=generator) % prongs
    return torch.stack([*columns, energy, prong], dim=2).float(), mask, torch.arange(_PRONGS) < prongs


def _padded_maps(hits: Tensor, hit_mask: Tensor, coarsen: int) -> Tensor:
    """Return (B, 1 + P, 2, h, w) maps of events and of all slots of prongs, hit by hit."""
    maps = torch.zeros(len(hits), 1 + _PRONGS, 2, _WINDOW.planes // coarsen, _WINDOW.cells // coarsen)
    filled = maps.numpy()
    for event, (of_event, there) in enumerate(zip(hits.numpy(), hit_mask.numpy(), strict=True)):
        for view, plane, cell, energy, prong in of_event[there]:
            pixel = (int(view), int(plane) // coarsen, int(cell) // coarsen)
            for number in (0, 1 + int(prong)):
                filled[event, number][pixel] += energy
    return maps


def _usual(network: TransformerCvn, hits: Tensor, mask: Tensor, prongs: Tensor) -> Tensor:
    """Return the tokens (B, 1 + P, width) of maps of all slots, activated before they are pooled, channels outside."""
    maps = pixel_maps(hits, mask, torch.ones_like(prongs), _WINDOW, _SETTINGS.coarsen)
    tokens = []
    for encoder, of in ((network.event_maps, maps[:_BATCH]), (network.prong_maps, maps[_BATCH:])):
        views = torch.log1p(of).flatten(0, 1).unsqueeze(1)
        for layer in encoder.stages:
            if isinstance(layer, nn.Conv2d):
                views = functional.relu(functional.conv2d(views, layer.weight.contiguous(), layer.bias, padding=1))
            elif isinstance(layer, nn.MaxPool2d):
                views = layer(views)
        tokens.append(encoder.last(views.flatten(1).unflatten(0, (-1, 2)).flatten(1)))
    return torch.cat([tokens[0].unsqueeze(1), tokens[1].unflatten(0, (_BATCH, _PRONGS))], dim=1)


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure events per second on one core."""
    detector, rng = DetectorSettings(), np.random.default_rng(1)
    interactions = next(interact("numu_cc", _ENERGY, BeamSettings(events=_EVENTS), _EVENTS, 1))
    number = len(interactions)
    alone = [_alone(interactions, event) for event in range(number)]
    own, peer = measure(
        lambda: detect(interactions, 0, detector, rng),
        lambda: [detect(one, 0, detector, rng) for one in alone],
        rounds,
    )
    case = f"detector, {number} interactions of {_ENERGY:g} GeV at once, against one by one"
    yield Measurement("neutrinos", case, own, peer, number, "events")
    generator = torch.Generator().manual_seed(1)
    hits, mask, prongs = _batch(generator)
    own_maps = pixel_maps(hits, mask, prongs, _WINDOW, _SETTINGS.coarsen)
    peer_maps = _padded_maps(hits, mask, _SETTINGS.coarsen)
    torch.testing.assert_close(own_maps, torch.cat([peer_maps[:, 0], peer_maps[:, 1:][prongs]]))
    own, peer = measure(
        lambda: pixel_maps(hits, mask, prongs, _WINDOW, _SETTINGS.coarsen),
        lambda: _padded_maps(hits, mask, _SETTINGS.coarsen),
        rounds,
    )
    yield Measurement("neutrinos", "hits to maps of events and prongs, against a loop", own, peer, _BATCH, "events")
    network = TransformerCvn(_SETTINGS, _WINDOW)
    nothing = (torch.zeros(_BATCH, 0), torch.zeros(_BATCH, _PRONGS, 0))

    def step() -> tuple[Tensor, Tensor]:
        event, prong = network(hits, mask, prongs, *nothing)
        (event.square().mean() + prong.square().mean()).backward()
        return event, prong

    def usual_step() -> tuple[Tensor, Tensor]:
        hidden = network.encoder(_usual(network, hits, mask, prongs), functional.pad(prongs, (1, 0), value=True))
        event, prong = network.event(hidden[:, 0]), network.prong(hidden[:, 1:])
        (event.square().mean() + prong.square().mean()).backward()
        return event, prong

    for ours, usual in zip(step(), usual_step(), strict=True):
        there = prongs if ours.dim() == 3 else slice(None)
        torch.testing.assert_close(ours[there], usual[there])
    own, peer = measure(step, usual_step, rounds)
    case = "training step of TransformerCVN, against maps of all slots, activated before they are pooled"
    yield Measurement("neutrinos", case, own, peer, _BATCH, "events")
