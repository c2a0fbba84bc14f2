"""The HDF5 layout of the JetNet data sets (Zenodo 6975118, arXiv 2106.11535), both ways.

``particle_features`` (N, P, 4) holds eta_rel, phi_rel, pt_rel and the mask, ``jet_features`` (N, 4) holds pT [GeV],
eta, mass [GeV] and the number of particles.
"""

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.jets.kinematics import jet_kinematics
from cloudchamber.jets.relative import (
    RELATIVE_COLUMNS,
    refuse_other_axes,
    refuse_other_masses,
    refuse_other_sums,
    refuse_other_units,
    within_a_turn,
)
from cloudchamber.records.record import verify_record
from cloudchamber.storage import provenance

__all__ = ["convert_from_jetnet", "convert_to_jetnet", "read_jetnet", "write_jetnet"]

# Told by medians, since single values of a generated jet may be anything.
_MOST_NEGATIVE = 0.25
_LARGEST_ETA = 10.0
# No jet of a collider has less [GeV].
_SMALLEST_PT = 1.0

_FEATURES = (Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_mass", "GeV"), Column("n_constituents"))


def read_jetnet(path: str | Path, max_particles: int | None = None) -> Clouds:
    """Read a file of the JetNet layout.

    Points have the columns eta_rel, phi_rel [rad] and pt_rel, features are jet_pt, jet_eta, jet_mass and
    n_constituents, all as they are in the file; differences of angles that were not brought back by a whole turn are,
    and counted. Particles keep their order; padded slots become zero, and where they
    are not the last ones real particles move forward. Under a limit the particles are sorted by falling pt_rel, and
    ``meta`` has what their truncation costs.

    Args:
        path: file to read.
        max_particles: largest number of particles of a jet, the hardest; by default all of the file.

    Raises:
        InputError: the file is missing or damaged, or a data set is missing, has another shape or holds values that
            are not finite, no mask, or not of particles relative to their jet.
    """
    with readable_as(path, "a JetNet file"), h5py.File(path, "r", locking=False) as file:
        particles = _dataset(path, file, "particle_features", 3)
        jets = _dataset(path, file, "jet_features", 2)
    if len(particles) != len(jets):
        raise InputError(f"{path}: {len(particles)} jets in 'particle_features', {len(jets)} in 'jet_features'")
    if not np.isin(particles[..., 3], (0, 1)).all():
        raise InputError(f"{path}: the mask, column 3 of 'particle_features', is not 0 or 1 everywhere")
    mask = particles[..., 3] == 1
    points = np.where(mask[..., None], particles[..., :3], np.float32(0))
    _say_padding(path, points, mask)
    points[..., 1] = within_a_turn(points[..., 1], mask, str(path))
    _refuse_other_coordinates(path, points, mask, jets)
    _say_unlikely(path, mask, jets)
    cost: dict[str, Any] = {}
    if max_particles is not None:
        mask, points = _in_order(mask, points, np.where(mask, -points[..., 2], np.inf))
        cost = {"truncation": _truncation(mask, points[..., 2], max_particles)}
        mask, points = mask[:, :max_particles], points[:, :max_particles]
    elif (mask[:, 1:] > mask[:, :-1]).any():
        mask, points = _in_order(mask, points, ~mask)
    return Clouds(
        points=points,
        mask=mask,
        features=jets,
        labels=np.zeros((len(jets), 0), np.int64),
        point_columns=RELATIVE_COLUMNS,
        feature_columns=_FEATURES,
        meta={**cost, "provenance": provenance("read_jetnet", {"max_particles": max_particles}, [path])},
    )


def _say_padding(path: str | Path, points: np.ndarray, mask: np.ndarray) -> None:
    """Say how many particles of jets (N, P, 3) are zeros alone, which padding is that the mask does not know."""
    zeros = int((mask & ~points.any(axis=2)).sum())
    if zeros:
        sys.stderr.write(
            f"{path}: WARNING: {zeros} of {int(mask.sum())} particles have mask 1 and zeros alone: if they are padding "
            "models are asked for too many particles\n"
        )


def _say_unlikely(path: str | Path, mask: np.ndarray, jets: np.ndarray) -> None:
    """Say that jets (N, 4) have a pT that is none in GeV, or fewer particles than are there."""
    filled = mask.any(axis=1)
    pt = float(np.median(jets[filled, 0])) if filled.any() else _SMALLEST_PT
    if pt < _SMALLEST_PT:
        sys.stderr.write(
            f"{path}: WARNING: column 0 of 'jet_features' is {pt:.3g} (median), which is taken as the pT in GeV: is "
            "that its unit?\n"
        )
    fewer = int((jets[:, 3] < mask.sum(axis=1)).sum())
    if fewer:
        sys.stderr.write(
            f"{path}: WARNING: column 3 of 'jet_features' is below the number of particles of {fewer} of {len(jets)} "
            "jets: expected that number\n"
        )


def _refuse_other_coordinates(path: str | Path, points: np.ndarray, mask: np.ndarray, jets: np.ndarray) -> None:
    """Refuse particles (N, P, 3) that are not relative to their jet, and jets (N, 4) that have no momentum."""
    filled = mask.any(axis=1)
    if not filled.any():
        return
    without = filled & ~(jets[:, 0] > 0)
    if without.any():
        jet = int(without.argmax())
        raise InputError(
            f"{path}: column 0 of 'jet_features' is {jets[jet, 0]:g} for jet {jet} with particles: expected its pT"
        )
    pt = points[filled, :, 2].astype(np.float64)
    total = pt.sum(axis=1)
    refuse_other_sums(total, str(path))
    weighted = {
        name: (pt * points[filled, :, column]).sum(axis=1) for column, name in enumerate(("eta_rel", "phi_rel"))
    }
    refuse_other_axes(total, weighted, str(path))
    negative = int((points[mask][:, 2] < 0).sum())
    if negative > _MOST_NEGATIVE * mask.sum():
        raise InputError(
            f"{path}: column 2 of 'particle_features' is negative for {negative} of {int(mask.sum())} particles: "
            "expected pt_rel"
        )
    _refuse_other_jet_features(path, points[filled], jets[filled].astype(np.float64))


def _refuse_other_jet_features(path: str | Path, points: np.ndarray, jets: np.ndarray) -> None:
    """Refuse jets (N, 4) with particles (N, P, 3) whose columns are others, as a type first, or in other units."""
    pt, eta, mass, _ = jets.T
    if (typical := float(np.median(np.abs(eta)))) > _LARGEST_ETA:
        raise InputError(f"{path}: column 1 of 'jet_features' is {typical:.3g} (median of its size): expected eta")
    refuse_other_units(pt, f"{path}: column 0 of 'jet_features'")
    eta_rel, phi_rel, pt_rel = points.astype(np.float64).transpose(2, 0, 1)
    own = pt * jet_kinematics(np.maximum(pt_rel, 0.0), eta_rel, phi_rel)[1]
    refuse_other_masses(mass, own, f"{path}: column 2 of 'jet_features'")


def _in_order(mask: np.ndarray, points: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mask and points with the particles of each jet by rising ``keys`` (N, P); equal ones keep their order."""
    order = np.argsort(keys, axis=1, kind="stable")
    return np.take_along_axis(mask, order, axis=1), np.take_along_axis(points, order[..., None], axis=1)


def _truncation(mask: np.ndarray, pt: np.ndarray, width: int) -> dict[str, Any]:
    """Return what is lost by keeping the first ``width`` of the stored particles, as the ingestion counts it."""
    lost = pt[:, width:].sum(axis=1, dtype=np.float64)
    total = pt.sum(axis=1, dtype=np.float64)
    fractions = np.divide(lost, total, out=np.zeros_like(total), where=total > 0)
    return {
        "clouds_truncated": int(mask[:, width:].any(axis=1).sum()),
        "particles_dropped": int(mask[:, width:].sum()),
        "mean_lost_pt_fraction": float(fractions.mean()) if len(fractions) else 0.0,
        "worst_lost_pt_fraction": float(fractions.max(initial=0.0)),
    }


def _dataset(path: str | Path, file: h5py.File, name: str, dimensions: int) -> np.ndarray:
    if not isinstance(file.get(name), h5py.Dataset):
        raise InputError(f"{path}: no data set '{name}'; there are {sorted(file)}")
    dataset = file[name]
    if dataset.dtype.kind not in "fiu" or dataset.ndim != dimensions or dataset.shape[-1] != 4:
        expected = "(N, P, 4)" if dimensions == 3 else "(N, 4)"
        raise InputError(f"{path}: '{name}' is {dataset.dtype} {dataset.shape}, expected numbers {expected}")
    with np.errstate(over="ignore"):
        values = dataset.astype(np.float32)[()]
    if not np.isfinite(values).all():
        raise InputError(f"{path}: '{name}' holds values that are not finite in float32")
    return values


def write_jetnet(path: str | Path, clouds: Clouds) -> None:
    """Write clouds in the JetNet layout, as float32.

    The number of particles is the feature n_constituents where there is one, but at most as many as the file has room
    for, as in the published files of 30 and 150 particles; else the number of real particles.

    Args:
        path: file to write.
        clouds: with points eta_rel, phi_rel, pt_rel and features jet_pt, jet_eta, jet_mass.

    Raises:
        InputError: the clouds lack one of these columns.
        StorageError: the file cannot be written.
    """
    points = [clouds.point(column.name) for column in RELATIVE_COLUMNS]
    jets = [clouds.feature(column.name) for column in _FEATURES[:3]]
    counted = any(column.name == _FEATURES[3].name for column in clouds.feature_columns)
    room = clouds.points.shape[1]
    number = np.minimum(clouds.feature(_FEATURES[3].name), room) if counted else clouds.multiplicity
    with create_hdf5(path) as output:
        particles = np.stack([*points, clouds.mask], axis=-1, dtype=np.float32, casting="unsafe")
        for name, values in (
            ("particle_features", particles),
            ("jet_features", np.stack([*jets, number], axis=-1, dtype=np.float32, casting="unsafe")),
        ):
            output.file.create_dataset(name, data=values, chunks=True, fletcher32=True)


def convert_to_jetnet(source: Path, output: Path) -> None:
    """Write the relative clouds of a file in the JetNet layout; errors as of :func:`write_jetnet`."""
    write_jetnet(output, read_clouds(source))


def convert_from_jetnet(source: Path, max_particles: int | None, output: Path) -> None:
    """Write the jets of a JetNet file as clouds; arguments and errors as of :func:`read_jetnet`.

    Raises:
        InputError: the file has a record, as a download has, and is another one by now.
    """
    # Its layout has no checksums.
    verify_record(source)
    write_clouds(output, read_jetnet(source, max_particles))
