"""Events of jets made of random numbers, and the files of an assignment study on them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.studies.assignment.collect import collect_events
from cloudchamber.studies.assignment.event_file import Events, write_events
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.studies.assignment.settings import PartSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

__all__ = ["TRAINING", "published_events", "random_events", "save_untrained", "write_collected"]

TRAINING: Mapping[str, Any] = {
    "network": {"embedding": [8], "heads": 2, "feed_forward": 8, "encoder_layers": 1, "rank": 4, "pairs": True},
    "training": {"steps": 4, "batch_size": 16, "validate_every": 2, "save_every": 2, "accelerator": "cpu"},
}
_PUBLISHED = "spanet_full_hadronic_ttbar_example.h5"


def random_events(rng: np.random.Generator, events: int, most: int = 9) -> Events:
    """Return events of 6 to ``most`` jets, whose partons have jets drawn at random; a third of the partons has none."""
    counts = rng.integers(6, most + 1, events)
    mask = np.arange(most) < counts[:, None]
    pt = np.sort(rng.uniform(25, 200, mask.shape), axis=1)[:, ::-1]
    angles = rng.uniform(-2.4, 2.4, (2, *mask.shape))
    tags = rng.random(mask.shape) < 0.45
    tags[:, :2] = True
    jets = np.stack([pt, angles[0], angles[1], 0.1 * pt, tags], axis=2) * mask[:, :, None]
    places = np.argsort(np.where(mask, rng.random(mask.shape), 2.0), axis=1)[:, :6]
    missing = (rng.random((events, 1)) < 0.5) & (rng.random(places.shape) < 0.3)
    return Events(jets.astype(np.float32), mask, np.where(missing, -1, places))


def write_collected(path: Path, events: int = 120, **settings: Any) -> Path:
    """Write random events with parts, as the step ``assignment collect`` does."""
    source = path.with_name(f"source_{path.name}")
    write_events(source, random_events(np.random.default_rng(events), events), ALL_HADRONIC_TOP_PAIR)
    collect_events(source, PartSettings(**{"train": 0.5, "validation": 0.1, **settings}), 1, path)
    return path


def save_untrained(folder: Path, seed: int = 1) -> dict[str, str]:
    """Write a network with random weights and return its files."""
    # Most tests of these files need no torch.
    import torch

    from cloudchamber.studies.assignment.network import AssignmentNetwork
    from cloudchamber.studies.assignment.stored_network import StoredNetwork, save_network

    settings = AssignmentTrainingSettings.model_validate(TRAINING)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = AssignmentNetwork(settings.network, settings.topology)
    weights, description = folder / f"network{seed}.safetensors", folder / f"network{seed}.json"
    stored = StoredNetwork(settings, network, {"events": 60, "complete_events": 30 + seed})
    save_network(weights, description, stored, network.state_dict(), {})
    return {"weights": str(weights), "description": str(description)}


def published_events() -> Path | None:
    """Return the events that come with SPANet, where they are beside the project; None elsewhere."""
    named = os.environ.get("CLOUDCHAMBER_SPANET_EVENTS")
    beside = Path(__file__).parents[3] / "shared/data/jets" / _PUBLISHED
    found = [path for path in (Path(named) if named else None, beside) if path is not None and path.is_file()]
    return found[0] if found else None
