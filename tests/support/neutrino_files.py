"""Small settings and files of the neutrino study."""

from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.neutrinos.event_clouds import Window, create_event_clouds

__all__ = ["MAPS", "NETWORK", "SIMULATION", "write_random_events"]

SIMULATION: dict[str, Any] = {"beam": {"energies": [30, 100], "events": 60}}
MAPS: dict[str, Any] = {"train": 0.5, "validation": 0.1}
NETWORK: dict[str, Any] = {
    "kind": "transformer_cvn", "coarsen": 20, "stages": [2], "width": 4, "heads": 1, "layers": 1, "feed_forward": 4,
}  # fmt: skip


def write_random_events(path: Path, events: int = 150, seed: int = 1) -> Path:
    """Write events whose hits say which interaction they are: made up, without Pythia.

    The number of hits grows with the interaction, and prongs of higher class have more energy.
    """
    rng = np.random.default_rng(seed)
    window = Window(planes=20, cells=16, upstream=2, prongs=3, mip=0.03)
    interaction = rng.integers(0, 3, events)
    prongs = rng.integers(0, 4, events)
    classes = np.where(np.arange(3) < prongs[:, None], rng.integers(0, 6, (events, 3)), -1)
    points, counts = [], []
    for kind, number, of_prongs in zip(interaction, prongs, classes, strict=True):
        n = int(4 + 6 * kind + rng.integers(0, 4))
        owner = rng.integers(-1, number, n) if number else np.full(n, -1)
        energy = rng.exponential(1.0, n) + 0.3 + 3 * np.where(owner < 0, 0, of_prongs[owner])
        hits = [rng.integers(0, 2, n), rng.integers(0, 20, n), rng.integers(0, 16, n), energy, owner]
        points.append(np.column_stack(hits))
        counts.append(n)
    truth = np.zeros((events, 3, 6))
    there = classes >= 0
    truth[there] = np.column_stack(
        [
            rng.exponential(5.0, there.sum()),
            np.tile([0.0, 0.0, 1.0], (there.sum(), 1)),
            rng.exponential(50, there.sum()),
            np.ones(there.sum()),
        ]
    )
    event = np.column_stack([rng.choice([30.0, 100.0], events), *(np.ones((4, events)))])
    labels = np.column_stack([np.arange(events), interaction, np.full(events, 14), prongs, classes])
    rest = rng.exponential(1.0, (events, 5))
    features = np.concatenate([event, rest, truth.reshape(events, -1)], axis=1).astype(np.float32)
    part = PackedPart(np.concatenate(points).astype(np.float32), np.array(counts), features, labels.astype(np.int64))
    with create_event_clouds(path, window) as writer:
        writer.append(part)
        order = rng.permutation(events)
        ends = [int(0.5 * events), int(0.6 * events)]
        for name, rows in zip(("train", "validation", "test"), np.split(order, ends), strict=True):
            writer.add_indices(name, rows)
        writer.add_meta({"window": window.__dict__, "source": "made up"})
    return path
