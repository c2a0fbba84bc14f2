"""The observables of jets that samples are compared in, and the files that hold them.

A file is HDF5: one dataset of (N,) numbers per observable in the group ``observables``, each with a Fletcher-32
checksum, and the attribute ``complete``, which is written last.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.evaluation.kinematics import jet_kinematics, momenta
from cloudchamber.evaluation.substructure import d2, energy_correlations, subjettiness, subjettiness_ratio
from cloudchamber.hdf5 import create_hdf5

__all__ = [
    "JET_FEATURES",
    "LABELS",
    "PARTICLE_FEATURES",
    "Label",
    "observe",
    "read_observables",
    "write_observables",
]

FORMAT = "cloudchamber-observables"
VERSION = 1

JET_FEATURES = ("jet_mass", "jet_pt", "jet_pt_rel", "multiplicity", "tau21", "tau32", "d2")
PARTICLE_FEATURES = ("pt_rel", "eta_rel", "phi_rel")


@final
@dataclass(frozen=True)
class Label:
    """How a feature is written on an axis: LaTeX symbol and unit, "" for a number without one."""

    symbol: str
    unit: str = ""


LABELS: Mapping[str, Label] = {
    "jet_mass": Label(r"$m_\mathrm{jet}$", "GeV"),
    "jet_pt": Label(r"$p_\mathrm{T}^\mathrm{jet}$", "GeV"),
    "jet_pt_rel": Label(r"$|\sum \vec{p}_\mathrm{T}^\mathrm{\,rel}|$"),
    "multiplicity": Label(r"$N_\mathrm{particles}$"),
    "tau21": Label(r"$\tau_{21}$"),
    "tau32": Label(r"$\tau_{32}$"),
    "d2": Label(r"$D_2$"),
    "pt_rel": Label(r"$p_\mathrm{T}^\mathrm{rel}$"),
    "eta_rel": Label(r"$\eta^\mathrm{rel}$"),
    "phi_rel": Label(r"$\phi^\mathrm{rel}$", "rad"),
}


def observe(clouds: Clouds) -> dict[str, np.ndarray]:
    """Return the observables of each jet, (N,) float64 each, under the names of ``JET_FEATURES``.

    ``jet_pt_rel`` is the transverse momentum of the sum of the particles in units of the jet pT that ``pt_rel`` refers
    to; it is one where no particle is missing and a model knows that all of them make up the jet. ``jet_pt`` and
    ``jet_mass`` are of the same sum in GeV, with the feature ``jet_pt`` of the cloud as the unit. ``multiplicity``
    counts the particles with a positive ``pt_rel``; the others count for nothing anywhere.
    ``tau21``, ``tau32`` and ``d2`` are defined in :mod:`cloudchamber.evaluation.substructure`.

    Args:
        clouds: jets with the point columns ``pt_rel``, ``eta_rel`` and ``phi_rel`` and the feature ``jet_pt`` [GeV].

    Raises:
        InputError: the clouds lack a column, or an observable of some jet is not finite.
    """
    pt, eta, phi = momenta(clouds)
    jet_pt_rel, jet_mass_rel = jet_kinematics(pt, eta, phi)
    unit = clouds.feature("jet_pt").astype(np.float64)
    tau = subjettiness(pt, eta, phi)
    table = {
        "jet_mass": jet_mass_rel * unit,
        "jet_pt": jet_pt_rel * unit,
        "jet_pt_rel": jet_pt_rel,
        "multiplicity": (pt > 0).sum(axis=1).astype(np.float64),
        "tau21": subjettiness_ratio(tau, 2),
        "tau32": subjettiness_ratio(tau, 3),
        "d2": d2(*energy_correlations(pt, eta, phi)),
    }
    for name, values in table.items():
        bad = np.count_nonzero(~np.isfinite(values))
        if bad:
            raise InputError(f"{name} of {bad} of {len(clouds)} jets is not finite: particles far outside of any jet")
    return table


def write_observables(path: str | Path, table: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write observables to ``path`` at once or not at all.

    Args:
        path: where the file is to be.
        table: arrays of equal length, (N,) each.
        meta: what describes them; anything that can be written as JSON.

    Raises:
        StorageError: the file cannot be written.
    """
    lengths = {len(values) for values in table.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths {sorted(lengths)}")
    with create_hdf5(path) as output:
        file = output.file
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["version"] = VERSION
        file.attrs["n_jets"] = lengths.pop()
        text = np.frombuffer(json.dumps(dict(meta), sort_keys=True).encode(), "u1")
        file.create_dataset("meta", data=text, chunks=True, fletcher32=True)
        observables = file.create_group("observables")
        for name, values in table.items():
            observables.create_dataset(name, data=np.asarray(values, "f8"), chunks=True, fletcher32=True)


def read_observables(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the observables of a file and what describes them.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != np.bytes_(FORMAT) or file.attrs.get("version") != VERSION:
                raise InputError(f"{path}: not a file of observables ('{FORMAT}', version {VERSION})")
            if file.attrs.get("complete") != 1:
                raise InputError(f"{path}: the file was not written to its end")
            table = {name: values[()] for name, values in file["observables"].items()}
            meta = json.loads(file["meta"][()].tobytes())
            expected = int(file.attrs["n_jets"])
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a file of observables: {error}") from error
    for name, values in table.items():
        if values.shape != (expected,):
            raise InputError(f"{path}: dataset '{name}' has shape {values.shape}, the header says {expected} jets")
    return table, meta
