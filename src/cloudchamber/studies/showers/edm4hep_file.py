"""ROOT files with the branches of EDM4hep that showers need (key4hep, EDM4hep's edm4hep.yaml), through uproot.

A TTree ``events`` with jagged branches. For each collection of calorimeter contributions, one entry per step of a
particle: ``<Collection>Contributions.energy`` [GeV], ``.time`` [ns], ``.PDG``, ``.stepPosition.x``, ``.y``, ``.z``
[mm]; of all particles ``MCParticles.PDG``, ``.generatorStatus``, ``.mass`` [GeV], ``.momentum.x``, ``.y``, ``.z``
[GeV] and ``.vertex.x``, ``.y``, ``.z`` [mm]. In files of DD4hep the branches lie below one of the name of the
collection; here they are plain. What made a file of this project stands in the object ``about``, as JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, final

import awkward as ak
import numpy as np
import uproot

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.steps import Steps

__all__ = ["COLLECTIONS", "TREE", "WEIGHT", "Edm4hepWriter", "read_about", "read_steps", "section_of_layers"]

# Collection of each section of the stack.
COLLECTIONS = {"ECAL": "EcalBarrelCollection", "HCAL": "HcalBarrelCollection"}

TREE, WEIGHT = "events", "EventHeader.weight"

_KIND = "a ROOT file in the layout of EDM4hep"
_CONTRIBUTION = {"energy": "float32", "time": "float32", "PDG": "int32"}
_POSITION = {f"stepPosition.{axis}": "float32" for axis in "xyz"}
_PARTICLE: Mapping[str, str] = {
    "PDG": "int32",
    "generatorStatus": "int32",
    "mass": "float64",
    **{f"momentum.{axis}": "float64" for axis in "xyz"},
    **{f"vertex.{axis}": "float64" for axis in "xyz"},
}
# Status of a particle that the generator hands over to the detector.
_PRIMARY = 1


@final
class Edm4hepWriter:
    """Appends events to a new file; a context manager.

    Args:
        path: the file.
        collections: names of the collections.
        about: what made it, as far as JSON can hold it.
        truth: names of numbers of each event, branches ``Parametrisation.<name>``.
    """

    def __init__(
        self, path: Path, collections: Sequence[str], about: Mapping[str, Any], truth: Sequence[str] = ()
    ) -> None:
        self._file = uproot.recreate(path, compression=uproot.ZSTD(3))
        self._file["about"] = json.dumps(about, sort_keys=True)
        self._collections, self._truth = tuple(collections), tuple(truth)
        steps = {**_CONTRIBUTION, **_POSITION}
        types: dict[str, Any] = {f"{name}Contributions": _jagged(steps) for name in collections}
        types |= {"MCParticles": _jagged(_PARTICLE)} | {f"Parametrisation.{name}": "float32" for name in truth}
        self._tree = self._file.mktree(
            TREE, types, field_name=lambda outer, inner: f"{outer}.{inner}" if outer else inner
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def append(self, steps: Steps, collection: np.ndarray, time: np.ndarray, step_pdg: np.ndarray) -> None:
        """Append events.

        Args:
            steps: their steps.
            collection: (M,) which of the collections each step is of.
            time: (M,) [ns].
            step_pdg: (M,) code of the particle that made the step.
        """
        n = len(steps)
        columns = {"energy": steps.energy, "time": time, "PDG": step_pdg}
        columns |= {f"stepPosition.{axis}": steps.position[:, number] for number, axis in enumerate("xyz")}
        content: dict[str, Any] = {}
        for number, name in enumerate(self._collections):
            chosen = collection == number
            kinds = {**_CONTRIBUTION, **_POSITION}
            record = ak.zip({key: columns[key][chosen].astype(kind) for key, kind in kinds.items()})
            content[f"{name}Contributions"] = ak.unflatten(record, np.bincount(steps.event[chosen], minlength=n))
        particles = {"PDG": steps.pdg, "generatorStatus": np.full(n, _PRIMARY), "mass": steps.mass}
        for name, values in (("momentum", steps.momentum), ("vertex", steps.vertex)):
            particles |= {f"{name}.{axis}": values[:, number] for number, axis in enumerate("xyz")}
        record = ak.zip({key: particles[key].astype(kind) for key, kind in _PARTICLE.items()})
        content["MCParticles"] = ak.unflatten(record, np.ones(n, np.int64))
        for number, name in enumerate(self._truth):
            content[f"Parametrisation.{name}"] = steps.truth[:, number].astype(np.float32)
        self._tree.extend(content)


def _jagged(leaves: Mapping[str, str]) -> Any:
    inner = ", ".join(f'"{leaf}": {kind}' for leaf, kind in leaves.items())
    return ak.types.from_datashape("var * {" + inner + "}", highlevel=False)


def section_of_layers(geometry: Geometry) -> np.ndarray:
    """Return (L,) the number of the section of each layer."""
    sections = np.zeros(geometry.layers, np.int64)
    for number, (first, last) in enumerate(geometry.sections.values()):
        sections[first:last] = number
    return sections


def read_about(path: Path) -> dict[str, Any]:
    """Return what the file says made it; of a file of others nothing.

    Raises:
        InputError: it cannot be read.
    """
    with readable_as(path, _KIND), uproot.open(path) as file:
        if "about" not in file:
            return {}
        found = json.loads(str(file["about"]))
    if not isinstance(found, dict):
        raise InputError(f"{path}: object 'about' holds no keys and values")
    return found


def read_steps(path: Path, collections: Sequence[str], step_size: str = "30 MB") -> Iterator[Steps]:
    """Yield the steps of a file, some events at a time.

    Args:
        path: the file.
        collections: names of the collections of contributions, without "Contributions".
        step_size: of what is read at once.

    Raises:
        InputError: the file cannot be read, lacks a branch, or an event has not one particle to begin with; the message
            names the branch.
    """
    with readable_as(path, _KIND), uproot.open(path) as file:
        if TREE not in file:
            raise InputError(f"{path}: no TTree '{TREE}' among {sorted(file.keys(cycle=False))}")
        tree = file[TREE]
        there = {name.rpartition("/")[2]: name for name in tree.keys(recursive=True)}
        names = [
            *(f"{name}Contributions.{leaf}" for name in collections for leaf in ("energy", *_POSITION)),
            *(f"MCParticles.{leaf}" for leaf in _PARTICLE),
        ]
        for name in names:
            if name not in there:
                raise InputError(f"{path}: no branch '{name}'")
        truth = [name for name in there if name.startswith("Parametrisation.")]
        if not tree.num_entries:
            raise InputError(f"{path}: no events")
        # Branches one after the other: several at once would have names of some taken for expressions.
        start = 0
        for arrays in tree.iterate([there[name] for name in (*names, *truth)], step_size=step_size, library="ak"):
            yield _steps({name: arrays[there[name]] for name in (*names, *truth)}, collections, truth, path, start)
            start += len(arrays)


def _steps(
    arrays: Mapping[str, Any], collections: Sequence[str], truth: Sequence[str], path: Path, first: int
) -> Steps:
    columns: dict[str, list[np.ndarray]] = {"event": [], "energy": [], **{leaf: [] for leaf in _POSITION}}
    for name in collections:
        energy = arrays[f"{name}Contributions.energy"]
        counts = ak.to_numpy(ak.num(energy))
        columns["event"].append(np.repeat(np.arange(len(counts)), counts))
        for leaf in ("energy", *_POSITION):
            values = arrays[f"{name}Contributions.{leaf}"]
            if (ak.to_numpy(ak.num(values)) != counts).any():
                raise InputError(f"{path}: branch '{name}Contributions.{leaf}' has other lengths than the energies")
            columns[leaf].append(ak.to_numpy(ak.flatten(values)).astype(np.float64))
    status = arrays["MCParticles.generatorStatus"]
    primary = status == _PRIMARY
    numbers = ak.to_numpy(ak.sum(primary, axis=1))
    if (numbers != 1).any():
        event = int((numbers != 1).argmax())
        raise InputError(
            f"{path}: branch 'MCParticles.generatorStatus': event {first + event} has {numbers[event]} particles to "
            "begin with, expected one"
        )
    particle = {
        leaf: ak.to_numpy(ak.flatten(arrays[f"MCParticles.{leaf}"][primary])).astype(np.float64) for leaf in _PARTICLE
    }
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    n = len(numbers)
    return Steps(
        event=joined["event"],
        position=np.stack([joined[leaf] for leaf in _POSITION], axis=1),
        energy=joined["energy"],
        pdg=particle["PDG"].astype(np.int64),
        mass=particle["mass"],
        momentum=np.stack([particle[f"momentum.{axis}"] for axis in "xyz"], axis=1),
        vertex=np.stack([particle[f"vertex.{axis}"] for axis in "xyz"], axis=1),
        truth=np.stack([ak.to_numpy(arrays[name]) for name in truth], axis=1) if truth else np.zeros((n, 0)),
    )
