"""Events with jets and the jets of their partons, in the HDF5 layout of SPANet (its documentation, dataset).

``INPUTS/<source>/MASK`` (N, J) bool and one (N, J) array for each feature of a jet; ``TARGETS/<particle>/<daughter>``
(N,) whole numbers, the position of the jet of that parton, -1 where there is none. Inputs that are (N,) belong to the
event as a whole; they are kept. What the layout has beside that (REGRESSIONS, CLASSIFICATIONS) is not read. Files of
the pipeline have two groups more, which SPANet does not look at: ``PARTS/<part>/<train|validation|test>``, rows of the
events, and ``META``, bytes of JSON text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.jets.relative import wrap
from cloudchamber.studies.assignment.event_checks import (
    check_jets,
    check_masses,
    check_targets,
    jet_mask,
    whole_targets,
)
from cloudchamber.studies.assignment.topology import EventTopology

__all__ = ["JET_FEATURES", "Events", "jets_of", "read_events", "read_part", "write_events"]

# What every method here needs of a jet; pt and mass in GeV, phi in rad, btag 1 or 0.
JET_FEATURES = ("pt", "eta", "phi", "mass", "btag")
_SOURCE = "Source"
_KIND = "a file of events in the layout of SPANet"


@final
@dataclass(frozen=True)
class Events:
    """Events with at most J jets.

    Attributes:
        jets: (N, J, 5) float32, the columns :data:`JET_FEATURES`; zero where ``mask`` is false.
        mask: (N, J) bool, true for jets, which come first.
        targets: (N, T) int64, position of the jet of each parton in the order of ``EventTopology.targets``, or -1.
        globals: (N,) arrays of the whole event by "source/name".
    """

    jets: np.ndarray
    mask: np.ndarray
    targets: np.ndarray
    globals: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.jets)

    def __getitem__(self, rows: np.ndarray) -> "Events":
        return replace(
            self,
            jets=self.jets[rows],
            mask=self.mask[rows],
            targets=self.targets[rows],
            globals={name: values[rows] for name, values in self.globals.items()},
        )

    @property
    def n_jets(self) -> np.ndarray:
        """(N,) jets of each event."""
        return self.mask.sum(axis=1)

    def found(self, topology: EventTopology) -> np.ndarray:
        """Return (N, P) bool: whether all partons of each particle have a jet (the particle is identifiable)."""
        columns, found = 0, []
        for particle in topology.particles.values():
            stop = columns + len(particle.daughters)
            found.append((self.targets[:, columns:stop] >= 0).all(axis=1))
            columns = stop
        return np.stack(found, axis=1)


def read_events(path: Path, topology: EventTopology, source: str = _SOURCE) -> Events:
    """Read events.

    Args:
        path: HDF5 file in the layout of SPANet.
        topology: which targets there are.
        source: name of the group of jets in INPUTS. Their phi is brought between minus pi and pi.

    Raises:
        InputError: the file cannot be read, lacks a key, or holds what no event can be; the message names the key.
    """
    with readable_as(path, _KIND), h5py.File(path, "r") as file:
        inputs = f"INPUTS/{source}"
        mask = jet_mask(_array(file, path, f"{inputs}/MASK", 2), path, f"{inputs}/MASK")
        columns = [_array(file, path, f"{inputs}/{name}", 2, mask.shape) for name in JET_FEATURES]
        targets = [
            whole_targets(_array(file, path, key, 1, mask.shape[:1]), path, key)
            for key in (f"TARGETS/{particle}/{daughter}" for particle, daughter in topology.targets)
        ]
        whole = _globals(file, len(mask))
    if not len(mask):
        raise InputError(f"{path}: no events")
    jets = jets_of(columns, mask, {name: f"{path}: key '{inputs}/{name}'" for name in JET_FEATURES})
    events = Events(jets, mask, np.stack(targets, axis=1), whole)
    check_targets(events.targets, events.n_jets, topology, path)
    return events


def jets_of(columns: Sequence[np.ndarray], mask: np.ndarray, sources: Mapping[str, str]) -> np.ndarray:
    """Return (N, J, 5) float32 jets, with phi between minus pi and pi, and zeros in empty slots.

    Args:
        columns: (N, J) of each of :data:`JET_FEATURES`.
        mask: (N, J) bool, true for jets.
        sources: file and key, or argument, of each feature, for errors.

    Raises:
        InputError: a feature holds what no jet has, or is in another unit.
    """
    for name, values in zip(JET_FEATURES, columns, strict=True):
        check_jets(values, mask, sources[name], name)
    stacked = np.stack(columns, axis=2)
    # Some programs count from 0 to a whole turn, and a network may have learned from others.
    phi = stacked[:, :, JET_FEATURES.index("phi")]
    stacked[:, :, JET_FEATURES.index("phi")] = np.where(np.abs(phi) > np.pi, wrap(phi), phi)
    check_masses(stacked, mask, sources["mass"])
    return np.where(mask[:, :, None], stacked, 0.0).astype(np.float32)


def _array(file: h5py.File, path: Path, key: str, dimensions: int, shape: tuple[int, ...] | None = None) -> np.ndarray:
    if key not in file or not isinstance(file[key], h5py.Dataset):
        raise InputError(f"{path}: no key '{key}'")
    data = file[key]
    if data.ndim != dimensions or (shape is not None and data.shape != shape):
        raise InputError(f"{path}: key '{key}' has the shape {data.shape}, expected {shape or f'{dimensions} axes'}")
    if data.dtype.kind not in "biuf":
        raise InputError(f"{path}: key '{key}' holds {data.dtype}, expected numbers")
    return np.asarray(data[()])


def _globals(file: h5py.File, events: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, group in file["INPUTS"].items():
        if isinstance(group, h5py.Group):
            found |= {
                f"{name}/{key}": data[()]
                for key, data in group.items()
                if isinstance(data, h5py.Dataset) and data.shape == (events,) and key != "MASK"
            }
    return found


def read_part(path: Path, part: str, events: int) -> np.ndarray:
    """Return the rows of a part, such as "all/test", of a file of ``events`` events.

    Raises:
        InputError: the file has no such part, or it holds rows that are not there.
    """
    with readable_as(path, _KIND), h5py.File(path, "r") as file:
        rows = _array(file, path, f"PARTS/{part}", 1)
    if rows.dtype.kind not in "iu" or (len(rows) and not (rows.min() >= 0 and rows.max() < events)):
        raise InputError(f"{path}: key 'PARTS/{part}' holds what are no rows of {events} events")
    return rows.astype(np.int64)


def write_events(
    path: Path,
    events: Events,
    topology: EventTopology,
    source: str = _SOURCE,
    meta: str = "",
    parts: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write events so that :func:`read_events` and SPANet read them.

    Args:
        path: the file.
        events: what to write.
        topology: names of the targets.
        source: name of the group of jets.
        meta: JSON text that says where they are from.
        parts: rows by the name of a part, kept beside what SPANet reads.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_hdf5(path) as output:
        file = output.file
        _dataset(file, f"INPUTS/{source}/MASK", events.mask)
        for number, name in enumerate(JET_FEATURES):
            _dataset(file, f"INPUTS/{source}/{name}", events.jets[:, :, number])
        for key, values in events.globals.items():
            _dataset(file, f"INPUTS/{key}", values)
        for column, (particle, daughter) in enumerate(topology.targets):
            _dataset(file, f"TARGETS/{particle}/{daughter}", events.targets[:, column])
        for name, rows in (parts or {}).items():
            _dataset(file, f"PARTS/{name}", rows.astype(np.int64))
        if meta:
            _dataset(file, "META", np.frombuffer(meta.encode(), "u1"))
        output.check()


def _dataset(file: h5py.File, key: str, values: np.ndarray) -> None:
    file.create_dataset(key, data=values, chunks=True, compression="gzip", compression_opts=1, fletcher32=True)
