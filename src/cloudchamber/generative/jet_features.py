"""The jet level: what is given of each jet to generate, and the file that holds it.

One file of drawn jets gives every model of a study its conditions, its multiplicities, the unit of pt_rel and the sum
of the particles, so that models are compared on the same jets. It has the layout of files of observables
(:mod:`cloudchamber.jets.observable_file`) with ``jet_pt`` [GeV], ``jet_eta``, ``jet_mass`` [GeV], ``jet_pt_rel`` and
``multiplicity``, and says in its meta data how wide padded clouds are, where the jets come from and how many draws were
refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import CloudFile
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.observable_file import read_observables, write_observables

__all__ = ["CONTINUOUS", "JetFeatures", "read_jets", "write_jets"]

_STORED = ("jet_pt", "jet_eta", "jet_mass")
CONTINUOUS = (*_STORED, "jet_pt_rel")
_COLUMNS = (*CONTINUOUS, "multiplicity")


@final
@dataclass(frozen=True)
class JetFeatures:
    """Jets without their particles.

    Attributes:
        jet_pt, jet_mass: (N,) [GeV].
        jet_eta: (N,) pseudorapidity.
        jet_pt_rel: (N,) transverse momentum of the sum of the particles, in units of ``jet_pt``.
        multiplicity: (N,) int64 particles.
        width: P, length of padded clouds of such jets.
    """

    jet_pt: np.ndarray
    jet_eta: np.ndarray
    jet_mass: np.ndarray
    jet_pt_rel: np.ndarray
    multiplicity: np.ndarray
    width: int

    def __len__(self) -> int:
        return len(self.multiplicity)

    @classmethod
    def of_part(cls, clouds: Clouds | CloudFile, name: str, source: str | Path) -> "JetFeatures":
        """Return the jets of one part of prepared clouds: the features that they were stored with, and their sum.

        Raises:
            InputError: the part is missing or empty, or a column is missing; the message names ``source``.
        """
        if not len(clouds.indices.get(name, ())):
            raise InputError(
                f"{source}: not prepared: no {name} part is stored; run 'cloudchamber prepare' on it first"
            )
        part = clouds.part(name)
        try:
            columns = {feature: part.feature(feature) for feature in _STORED}
        except InputError as error:
            raise InputError(f"{source}: {error}") from error
        sums, multiplicity = np.empty(len(part)), np.empty(len(part), np.int64)
        for positions, piece in part.pieces():
            try:
                sums[positions] = relative_sum(piece)
            except InputError as error:
                raise InputError(f"{source}: {error}") from error
            multiplicity[positions] = piece.multiplicity
        return cls(**columns, jet_pt_rel=sums, multiplicity=multiplicity, width=clouds.width)

    def __getitem__(self, rows: np.ndarray | slice) -> "JetFeatures":
        """Return the jets of ``rows``."""
        return JetFeatures(**{name: column[rows] for name, column in self.columns.items()}, width=self.width)

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The (N,) columns by name."""
        return {name: getattr(self, name) for name in _COLUMNS}


def read_jets(path: str | Path) -> JetFeatures:
    """Read a file of drawn jets.

    Raises:
        InputError: the file cannot be read, a column or the width is missing, a value is not finite or impossible.
    """
    table, meta = read_observables(path)
    missing = [name for name in _COLUMNS if name not in table]
    if missing or not isinstance(meta.get("width"), int):
        raise InputError(
            f"{path}: not a file of drawn jets: no {missing or 'width'}; 'cloudchamber draw-jets' writes it"
        )
    for name in _COLUMNS:
        values = table[name]
        fine = np.isfinite(values)
        if name in ("jet_pt", "jet_pt_rel"):
            fine &= values > 0
        if name == "multiplicity":
            fine &= (values == np.floor(values)) & (values >= 1) & (values <= meta["width"])
        if not fine.all():
            raise InputError(f"{path}: '{name}' of {np.count_nonzero(~fine)} of {len(values)} jets is impossible")
    columns = {name: table[name] for name in CONTINUOUS}
    return JetFeatures(**columns, multiplicity=table["multiplicity"].astype(np.int64), width=meta["width"])


def write_jets(path: str | Path, jets: JetFeatures, meta: Mapping[str, Any]) -> None:
    """Write drawn jets at once or not at all.

    Args:
        path: where the file is to be.
        jets: what was drawn.
        meta: where they come from; anything that can be written as JSON.

    Raises:
        StorageError: the file cannot be written.
    """
    write_observables(path, jets.columns, {"width": jets.width, **meta})
