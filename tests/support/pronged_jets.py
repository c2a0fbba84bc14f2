"""Synthetic jets of the tagging study: towers around one prong or several, and features that count them."""

from pathlib import Path

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.jets.observable_file import write_observables

__all__ = ["tagging_clouds", "write_features", "write_tagging_jets"]


def tagging_clouds(
    jets: int = 240, width: int = 16, prongs: tuple[int, ...] = (1, 3), fewest: int = 3, seed: int = 5
) -> Clouds:
    """Return jets of as many classes as there are numbers of ``prongs``, with ``fewest`` to ``width`` towers."""
    rng = np.random.default_rng(seed)
    target = np.arange(jets) % len(prongs)
    counts = rng.integers(fewest, width + 1, jets)
    mask = np.arange(width) < counts[:, None]
    prong = rng.integers(0, np.asarray(prongs)[target][:, None], (jets, width))
    turn = rng.uniform(0, 2 * np.pi, (jets, 1))
    angle = turn + 2 * np.pi * prong / np.asarray(prongs)[target][:, None]
    radius = np.where(np.asarray(prongs)[target] == 1, 0.0, 0.5)[:, None]
    eta, phi = (radius * f(angle) + rng.normal(0, 0.05, (jets, width)) for f in (np.cos, np.sin))
    pt = -np.sort(-rng.exponential(1.0, (jets, width)) * mask, axis=1)
    pt /= np.maximum(pt.sum(axis=1, keepdims=True), 1e-9)
    points = np.stack([eta, phi, pt], axis=2) * mask[:, :, None]
    jet_pt, jet_eta = rng.uniform(1000, 1200, jets), rng.uniform(-2, 2, jets)
    features = np.stack([jet_pt, jet_eta, rng.uniform(300, 700, jets), rng.uniform(0.5, 1.5, jets)], axis=1)
    order = rng.permutation(jets)
    cuts = [round(0.7 * jets), round(0.8 * jets)]
    return Clouds(
        points=points.astype(np.float32),
        mask=mask,
        features=features.astype(np.float32),
        labels=np.stack([target, np.arange(jets)], axis=1),
        point_columns=(Column("eta_rel"), Column("phi_rel", "rad"), Column("pt_rel")),
        feature_columns=(Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_mass", "GeV"), Column("weight")),
        label_columns=(Column("class"), Column("event")),
        indices=dict(zip(("train", "validation", "test"), np.split(order, cuts), strict=True)),
        meta={
            "classes": [{"name": str(number), "title": f"N = {number}"} for number in prongs],
            "windows": {"jet_mass": [300.0, 700.0], "jet_pt": [1000.0, 1200.0], "jet_eta": [-2.0, 2.0]},
        },
    )


def write_tagging_jets(path: Path, clouds: Clouds) -> Path:
    """Write ``clouds`` to ``path`` and return it."""
    write_clouds(path, clouds)
    return path


def write_features(path: Path, clouds: Clouds, seed: int = 6) -> Path:
    """Write the mass and two noisy measures of the spread of the towers, and return ``path``."""
    rng = np.random.default_rng(seed)
    spread = (clouds.point("pt_rel") * np.hypot(clouds.point("eta_rel"), clouds.point("phi_rel"))).sum(axis=1)
    table = {
        "jet_mass": clouds.feature("jet_mass"),
        "tau1": spread * rng.uniform(0.8, 1.2, len(clouds)),
        "tau2": np.zeros(len(clouds)) + rng.exponential(0.1, len(clouds)) * (rng.random(len(clouds)) > 0.1),
    }
    write_observables(path, table, {})
    return path
