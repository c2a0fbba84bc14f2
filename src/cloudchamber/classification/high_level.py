"""The high-level features of jets: mass and N-subjettiness variables."""

from pathlib import Path

import numpy as np

from cloudchamber.classification.feature_sets import SUBJETTINESS, feature_names
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import momenta
from cloudchamber.jets.n_subjettiness import subjettiness_basis
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.settings.tagging_sample import HighLevelSettings
from cloudchamber.storage import provenance

__all__ = ["high_level", "high_level_features"]


def high_level_features(clouds: Clouds, settings: HighLevelSettings) -> dict[str, np.ndarray]:
    """Return the high-level features of each jet, (N,) float64 each.

    ``jet_mass`` [GeV] is the feature of the clouds, of all towers before truncation. The N-subjettiness variables are
    those of :func:`cloudchamber.jets.n_subjettiness.subjettiness_basis`, of the stored towers taken as massless.

    Args:
        clouds: jets with the point columns ``pt_rel``, ``eta_rel`` and ``phi_rel`` and the feature ``jet_mass``.
        settings: which features, and the radius of the jets.

    Raises:
        InputError: the clouds lack a column, or a feature of some jet is not finite.
    """
    n_axes, betas = SUBJETTINESS[settings.features]
    tau = subjettiness_basis(*momenta(clouds), settings.radius, n_axes, betas)
    values = np.column_stack([clouds.feature("jet_mass").astype(np.float64), tau.reshape(len(tau), -1)])
    names = feature_names(settings.features)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if len(bad):
        raise InputError(f"feature '{names[bad[0]]}' is not finite in some of the {len(clouds)} jets")
    return dict(zip(names, np.ascontiguousarray(values.T), strict=True))


def high_level(jets: Path, settings: HighLevelSettings, output: Path) -> None:
    """Write the high-level features of each jet of a file as observables, in the order of the file.

    The meta data name the features in order, since a file of observables keeps none.

    Raises:
        InputError: the jets cannot be used; see :func:`high_level_features`.
        StorageError: the output cannot be written.
    """
    table = high_level_features(read_clouds(jets, weighted=True), settings)
    record = provenance("high-level", settings.model_dump(mode="json"), [jets])
    write_observables(output, table, {"features": list(table), "provenance": record})
