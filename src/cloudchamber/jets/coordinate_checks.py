"""Whether clouds of arrays that nobody has looked at are jets in the coordinates and units that they are taken for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.jets.kinematics import jet_kinematics
from cloudchamber.jets.relative import (
    RELATIVE_COLUMNS,
    refuse_degrees,
    refuse_other_axes,
    refuse_other_masses,
    refuse_other_sums,
    refuse_other_units,
    relative_points,
)

__all__ = ["CoordinateChecks", "refuse_other_coordinates"]


@final
class CoordinateChecks:
    """What is counted of jets that come in pieces. Files of jets were looked at when they were read.

    Args:
        meta: what the clouds say of themselves.

    Attributes:
        needed: whether nothing says what the jets were made from.
    """

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self.needed = "provenance" not in meta
        self._sums: list[np.ndarray] = []
        self._jets: list[np.ndarray] = []

    def add(self, clouds: Clouds, relative: Clouds) -> None:
        """Count jets as they are given and in relative coordinates.

        Raises:
            InputError: azimuths are in degrees.
        """
        if not self.needed:
            return
        for name in ("phi", "phi_rel"):
            if name in (column.name for column in clouds.point_columns):
                refuse_degrees(clouds.point(name), clouds.mask, name)
        pt, eta, phi = (
            np.where(relative.mask, relative.point(name).astype(np.float64), 0.0)
            for name in ("pt_rel", "eta_rel", "phi_rel")
        )
        self._sums.append(np.stack([pt.sum(axis=1), (pt * eta).sum(axis=1), (pt * phi).sum(axis=1)], axis=1))
        jet_pt = relative.feature("jet_pt").astype(np.float64)
        own = jet_pt * jet_kinematics(np.maximum(pt, 0.0), eta, phi)[1]
        known = "jet_mass" in (column.name for column in relative.feature_columns)
        mass = relative.feature("jet_mass").astype(np.float64) if known else own
        self._jets.append(np.stack([jet_pt, mass, own], axis=1))

    def check(self) -> None:
        """Refuse jets whose particles are not relative to them, or that are in other units, by medians.

        Raises:
            InputError: the message names the column or feature.
        """
        if not self.needed:
            return
        sums = np.concatenate([np.zeros((0, 3)), *self._sums])
        filled = sums[:, 0] > 0
        if not filled.any():
            return
        total, eta, phi = sums[filled].T
        jet_pt, mass, own = np.concatenate(self._jets)[filled].T
        refuse_other_sums(total, "particles")
        refuse_other_axes(total, {"eta_rel": eta, "phi_rel": phi}, "particles")
        refuse_other_units(jet_pt, "feature 'jet_pt'")
        refuse_other_masses(mass, own, "feature 'jet_mass'")


def refuse_other_coordinates(jets: Clouds) -> None:
    """Do what :class:`CoordinateChecks` does, of jets with momenta that are all there.

    Raises:
        InputError: the message names the column or feature.
    """
    checks = CoordinateChecks(jets.meta)
    if checks.needed:
        checks.add(jets, replace(jets, points=relative_points(jets), point_columns=RELATIVE_COLUMNS))
        checks.check()
