"""Jets in relative coordinates of which all particles are random."""

import numpy as np

from cloudchamber.cloud import Clouds, Column

COLUMNS = ("eta_rel", "phi_rel", "pt_rel")
UNIT = 800.0  # GeV, the jet pT that pt_rel refers to


def make_clouds(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, mask: np.ndarray) -> Clouds:
    points = np.stack([eta, phi, pt], axis=2) * mask[:, :, None]
    return Clouds(
        points=points.astype(np.float32),
        mask=mask,
        features=np.full((len(mask), 1), UNIT, np.float32),
        labels=np.zeros((len(mask), 0), np.int64),
        point_columns=tuple(Column(name) for name in COLUMNS),
        feature_columns=(Column("jet_pt", "GeV"),),
    )


def random_clouds(rng: np.random.Generator, n_jets: int, width: int = 12, slope: float = 1.0) -> Clouds:
    mask = np.arange(width) < rng.integers(3, width + 1, n_jets)[:, None]
    pt = rng.exponential(slope, (n_jets, width)) + 1e-3
    pt /= (pt * mask).sum(axis=1, keepdims=True)
    return make_clouds(pt, *rng.normal(0.0, 0.2 * slope, (2, n_jets, width)), mask)
