"""The step that classifies: the test events by every network, and the attention of the first that has some."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cloudchamber.devices import present_device
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.preparation.origin import say_other_training
from cloudchamber.progress import Progress, progress
from cloudchamber.settings.entries import entries
from cloudchamber.storage import provenance
from cloudchamber.studies.neutrinos.event_clouds import EventClouds, read_event_clouds
from cloudchamber.studies.neutrinos.inputs import EventSource
from cloudchamber.studies.neutrinos.names import HISTOGRAM, INTERACTIONS
from cloudchamber.studies.neutrinos.network_settings import NeutrinoNetworkSettings
from cloudchamber.studies.neutrinos.networks import load_network
from cloudchamber.studies.neutrinos.score_file import Attention, ScoreFile, Scores, write_scores
from cloudchamber.studies.neutrinos.transformer_cvn import TransformerCvn

__all__ = ["classify_events", "log_probabilities"]

_KEYS = ("name", "seed", "weights", "description")
# Events of one call.
_CHUNK = 64


def classify_events(events: Path, files: Mapping[str, Any], display_events: int, output: Path) -> None:
    """Classify the test events by all networks.

    Args:
        events: clouds of ``neutrinos ingest``.
        files: "models", a list with "name", "seed", "weights" and "description".
        display_events: of so many test events, of each interaction in turn, the attention of the first network with
            context is kept; 0 for none.
        output: the scores.

    Raises:
        InputError: a file cannot be used, a network is of other maps, or one training stands under two seeds.
        SettingsError: a key is missing, or name and seed do not tell the trainings apart.
    """
    clouds = read_event_clouds(events)
    rows = np.sort(clouds.parts["test"])
    # In the order of the part, which is random: the file has one energy after the other.
    shown = _shown(clouds, clouds.parts["test"], display_events)
    device = present_device()
    found: list[Scores] = []
    attention: list[Attention] = []
    attentive = ("", 0)
    sources = [events]
    models = entries(files, "models", _KEYS)
    _refuse_names(models)
    refuse_one_training(models, "weights")
    with progress("classification", len(models) * len(rows), "events") as bar:
        for entry in models:
            stored = load_network(Path(entry["weights"]), Path(entry["description"]))
            if stored.description["window"] != asdict(clouds.window):
                raise InputError(f"{entry['description']}: the network is of other maps than {events} has")
            say_other_training("neutrinos classify", Path(entry["description"]), stored.description, events, "events")
            sources.append(Path(entry["weights"]))
            network = stored.network.to(device)
            source = EventSource(clouds, rows, stored.settings.network).to(device)
            event, prong = log_probabilities(network, source, bar)
            found.append(Scores(entry["name"], entry["seed"], int(stored.description["events"]), event, prong))
            if not attentive[0] and isinstance(network, TransformerCvn) and network.encoder.context:
                attention = _attention(network, clouds, shown, stored.settings.network, device)
                attentive = (entry["name"], entry["seed"])
    record = provenance("neutrinos classify", {"display_events": display_events}, sources)
    write_scores(output, ScoreFile(rows, found, attention, attentive), {"provenance": record})


def _refuse_names(models: Sequence[Mapping[str, Any]]) -> None:
    for entry in models:
        name = entry["name"]
        if not isinstance(name, str):
            raise SettingsError(f"--files: models: name: expected text, not {name!r}")
        if name == HISTOGRAM:
            raise SettingsError(f"--files: models: name: '{name}' is the classifier that `neutrinos evaluate` adds")


@torch.inference_mode()
def log_probabilities(network: nn.Module, source: EventSource, bar: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Return the log probabilities of the interaction (n, 3) and of the class of each prong (n, P, 6) of events."""
    device = source.interaction.device
    events, prongs = [], []
    for rows in torch.arange(len(source), device=device).split(_CHUNK):
        event, prong = network(*source.take(rows))
        events.append(event.double().log_softmax(dim=-1).cpu().numpy())
        prongs.append(prong.double().log_softmax(dim=-1).cpu().numpy())
        bar.update(len(rows))
    return np.concatenate(events), np.concatenate(prongs)


def _shown(clouds: EventClouds, rows: np.ndarray, number: int) -> np.ndarray:
    """Return events with at least two prongs where there are some, of each interaction in turn."""
    several = clouds.prong_mask[rows].sum(axis=1) >= min(2, clouds.window.prongs)
    order = np.argsort(~several, kind="stable")
    kinds = [rows[order][clouds.interaction[rows[order]] == kind] for kind in range(len(INTERACTIONS))]
    chosen = [of_kind[turn] for turn in range(number) for of_kind in kinds if turn < len(of_kind)]
    return np.array(chosen[:number], np.int64)


@torch.inference_mode()
def _attention(
    network: TransformerCvn,
    clouds: EventClouds,
    rows: np.ndarray,
    settings: NeutrinoNetworkSettings,
    device: torch.device,
) -> list[Attention]:
    source = EventSource(clouds, rows, settings).to(device)
    seen = []
    for number, row in enumerate(rows):
        batch = source.take(torch.tensor([number], device=device))
        seen.append(Attention(int(row), network.attention_weights(batch).cpu().numpy()))
    return seen
