"""Synthetic jets for tests of everything behind the ingestion."""

from pathlib import Path

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.preparation.prepared_jets import prepared
from cloudchamber.settings.data import PreparationSettings

__all__ = ["prepared_jets", "raw_jets", "write_prepared_jets"]


def raw_jets(jets: int, width: int, rng: np.random.Generator) -> Clouds:
    """Return jets of 2 to ``width`` particles, two per event, in the layout that the ingestion writes."""
    counts = rng.integers(2, width + 1, jets)
    mask = np.arange(width) < counts[:, None]
    pt = -np.sort(-rng.exponential(20.0, (jets, width)) * mask, axis=1)
    jet_eta, jet_phi = rng.uniform(-2, 2, jets), rng.uniform(-np.pi, np.pi, jets)
    eta = jet_eta[:, None] + rng.normal(0, 0.2, (jets, width))
    phi = (jet_phi[:, None] + rng.normal(0, 0.2, (jets, width)) + np.pi) % (2 * np.pi) - np.pi
    points = np.stack([pt, eta, phi], axis=-1) * mask[:, :, None]
    jet_pt = pt.sum(axis=1)
    features = np.stack([jet_pt, jet_eta, jet_phi, 0.1 * jet_pt + rng.exponential(5.0, jets)], axis=1)
    labels = np.stack([np.zeros(jets, np.int64), np.arange(jets) // 2], axis=1)
    return Clouds(
        points=points.astype(np.float32),
        mask=mask,
        features=features.astype(np.float32),
        labels=labels,
        point_columns=(Column("pt", "GeV"), Column("eta"), Column("phi", "rad")),
        feature_columns=(
            Column("jet_pt", "GeV"),
            Column("jet_eta"),
            Column("jet_phi", "rad"),
            Column("jet_mass", "GeV"),
        ),
        label_columns=(Column("file"), Column("event")),
    )


def prepared_jets(jets: int = 200, width: int = 8, seed: int = 5) -> Clouds:
    """Return the prepared form of :func:`raw_jets`."""
    rng = np.random.default_rng(seed)
    return prepared(raw_jets(jets, width, rng), PreparationSettings(), rng)


def write_prepared_jets(path: Path, jets: int = 200, width: int = 8, seed: int = 5) -> Path:
    """Write :func:`prepared_jets` to ``path`` and return it."""
    write_clouds(path, prepared_jets(jets, width, seed))
    return path
