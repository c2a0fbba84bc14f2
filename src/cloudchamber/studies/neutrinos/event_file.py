"""ROOT files of events: hits of each view and plane, true prongs, through uproot.

A TTree ``events``. One number an event: ``Event.number``, ``.interaction`` (0 numu CC, 1 nue CC, 2 NC),
``.neutrino_pdg``, ``.neutrino_energy`` [GeV], ``.q2`` [GeV^2], ``.x``, ``.y``, ``.w`` [GeV], ``Vertex.x``, ``.y``,
``.z`` and ``Reconstructed.x``, ``.y``, ``.z`` [cm]. Jagged: ``HitXZ.plane``, ``.cell``, ``.energy`` [minimum ionising
particles], ``.prong`` (-1 for none), the same of ``HitYZ``, and ``Prong.pdg``, ``.particles``, ``.energy`` [GeV],
``.visible`` [GeV], ``.direction_x``, ``_y``, ``_z``, ``.length`` [cm], ``.contained``, ``.found``. The
object ``about`` is JSON.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, final

import awkward as ak
import numpy as np
import uproot

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.studies.neutrinos.events import Events, Hits, Prongs
from cloudchamber.studies.neutrinos.names import INTERACTIONS, VIEWS

__all__ = ["TREE", "WEIGHT", "EventWriter", "read_about", "read_events"]

# Files of this layout have no weights; events of other generators often do.
TREE, WEIGHT = "events", "Event.weight"

_KIND = "a ROOT file of neutrino events"
_EVENT: Mapping[str, str] = {
    "Event.number": "int64",
    "Event.interaction": "int32",
    "Event.neutrino_pdg": "int32",
    **{f"Event.{name}": "float64" for name in ("neutrino_energy", "q2", "x", "y", "w")},
    **{f"{name}.{axis}": "float64" for name in ("Vertex", "Reconstructed") for axis in "xyz"},
}
_HIT: Mapping[str, str] = {"plane": "int32", "cell": "int32", "energy": "float32", "prong": "int32"}
_PRONG: Mapping[str, str] = {
    "pdg": "int32",
    "particles": "int32",
    **dict.fromkeys(("energy", "visible", "direction_x", "direction_y", "direction_z", "length"), "float32"),
    "contained": "int32",
    "found": "int32",
}


@final
class EventWriter:
    """Appends events to a new file; a context manager.

    Args:
        path: the file.
        about: what made it, as far as JSON can hold it.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self._file = uproot.recreate(path, compression=uproot.ZSTD(3))
        self._file["about"] = json.dumps(about, sort_keys=True)
        types: dict[str, Any] = dict(_EVENT)
        types |= {f"Hit{view}": _jagged(_HIT) for view in VIEWS} | {"Prong": _jagged(_PRONG)}
        self._tree = self._file.mktree(
            TREE, types, field_name=lambda outer, inner: f"{outer}.{inner}" if outer else inner
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def append(self, events: Events) -> None:
        """Append events."""
        n, hits, prongs = len(events), events.hits, events.prongs
        names = ("number", "interaction", "pdg", "energy", "q2", "x", "y", "w")
        columns = [getattr(events, name) for name in names] + [*events.vertex.T, *events.found.T]
        content: dict[str, Any] = {
            name: values.astype(kind) for (name, kind), values in zip(_EVENT.items(), columns, strict=True)
        }
        for number, view in enumerate(VIEWS):
            some = hits[hits.view == number]
            record = ak.zip({leaf: getattr(some, leaf).astype(kind) for leaf, kind in _HIT.items()})
            content[f"Hit{view}"] = ak.unflatten(record, np.bincount(some.event, minlength=n))
        leaves = {name: getattr(prongs, name) for name in _PRONG if not name.startswith("direction")}
        leaves |= {f"direction_{axis}": prongs.direction[:, number] for number, axis in enumerate("xyz")}
        record = ak.zip({leaf: leaves[leaf].astype(kind) for leaf, kind in _PRONG.items()})
        content["Prong"] = ak.unflatten(record, np.bincount(prongs.event, minlength=n))
        self._tree.extend(content)


def _jagged(leaves: Mapping[str, str]) -> Any:
    inner = ", ".join(f'"{leaf}": {kind}' for leaf, kind in leaves.items())
    return ak.types.from_datashape("var * {" + inner + "}", highlevel=False)


def read_about(path: Path) -> dict[str, Any]:
    """Return what the file says made it; of a file of others nothing.

    Raises:
        InputError: it cannot be read.
    """
    with readable_as(path, _KIND), uproot.open(path) as file:
        found = json.loads(str(file["about"])) if "about" in file else {}
    if not isinstance(found, dict):
        raise InputError(f"{path}: object 'about' holds no keys and values")
    return found


def read_events(path: Path, step_size: str = "20 MB") -> Iterator[Events]:
    """Yield the events of a file, some at a time.

    Args:
        path: the file.
        step_size: of what is read at once.

    Raises:
        InputError: the file cannot be read, lacks a branch or has no events, a value is not finite or is none that an
            event has, or a hit names a prong that is not there; the message names the branch.
    """
    hits = [f"Hit{view}.{leaf}" for view in VIEWS for leaf in _HIT]
    names = [*_EVENT, *hits, *(f"Prong.{leaf}" for leaf in _PRONG)]
    with readable_as(path, _KIND), uproot.open(path) as file:
        if TREE not in file:
            raise InputError(f"{path}: no TTree '{TREE}' among {sorted(file.keys(cycle=False))}")
        tree = file[TREE]
        there = set(tree.keys())
        for name in names:
            if name not in there:
                raise InputError(f"{path}: no branch '{name}'")
        if not tree.num_entries:
            raise InputError(f"{path}: no events")
        for arrays in tree.iterate(names, step_size=step_size, library="ak"):
            yield _events(arrays, path)


def _events(arrays: Any, path: Path) -> Events:
    numbers = {name: ak.to_numpy(arrays[name]) for name in _EVENT}
    _refuse_bad_numbers(numbers, path)
    prong_of, prong = _jagged_columns(arrays, "Prong", _PRONG, path)
    for leaf, values in prong.items():
        if not np.isfinite(values).all():
            at = int(numbers["Event.number"][prong_of[(~np.isfinite(values)).argmax()]])
            raise InputError(f"{path}: branch 'Prong.{leaf}': event {at} has a prong with a value that is not finite")
    found = prong["found"] != 0
    # Hits name a prong by its place among those that are found.
    late = found[1:] & ~found[:-1] & (prong_of[1:] == prong_of[:-1])
    if late.any():
        at = int(numbers["Event.number"][prong_of[1:][late.argmax()]])
        raise InputError(f"{path}: branch 'Prong.found': event {at} has a found prong behind one that is not found")
    counts = np.bincount(prong_of[found], minlength=len(arrays))
    parts = []
    for number, view in enumerate(VIEWS):
        event, hit = _jagged_columns(arrays, f"Hit{view}", _HIT, path)
        bad = (hit["prong"] < -1) | (hit["prong"] >= counts[event])
        if bad.any():
            at = int(numbers["Event.number"][event[bad.argmax()]])
            raise InputError(f"{path}: branch 'Hit{view}.prong': event {at} has no prong {hit['prong'][bad.argmax()]}")
        wrong = (hit["energy"] <= 0) | ~np.isfinite(hit["energy"])
        if wrong.any():
            at = int(numbers["Event.number"][event[wrong.argmax()]])
            raise InputError(f"{path}: branch 'Hit{view}.energy': event {at} has a hit without energy")
        whole = {name: hit[name].astype(np.int64) for name in ("plane", "cell", "prong")}
        parts.append(Hits(event, np.full(len(event), number), energy=hit["energy"].astype(np.float64), **whole))
    both = Hits(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Hits.__annotations__})
    direction = np.stack([prong[f"direction_{axis}"] for axis in "xyz"], axis=1).astype(np.float64)
    whole = {name: prong[name].astype(np.int64) for name in ("pdg", "particles")}
    real = {name: prong[name].astype(np.float64) for name in ("energy", "visible", "length")}
    marks = {name: prong[name] != 0 for name in ("contained", "found")}
    return Events(
        **{name: numbers[f"Event.{name}"].astype(np.int64) for name in ("number", "interaction")},
        pdg=numbers["Event.neutrino_pdg"].astype(np.int64),
        energy=numbers["Event.neutrino_energy"],
        **{name: numbers[f"Event.{name}"] for name in ("q2", "x", "y", "w")},
        vertex=np.stack([numbers[f"Vertex.{axis}"] for axis in "xyz"], axis=1),
        found=np.stack([numbers[f"Reconstructed.{axis}"] for axis in "xyz"], axis=1),
        hits=both[np.argsort(both.event, kind="stable")],
        prongs=Prongs(prong_of, direction=direction, **marks, **whole, **real),
    )


def _refuse_bad_numbers(numbers: Mapping[str, np.ndarray], path: Path) -> None:
    for name, values in numbers.items():
        good, expected = np.isfinite(values), "a finite number"
        if name == "Event.neutrino_energy":
            good, expected = good & (values > 0), "a positive number"
        if name == "Event.interaction":
            good = np.isin(values, range(len(INTERACTIONS)))
            expected = " or ".join(f"{number} ({kind})" for number, kind in enumerate(INTERACTIONS))
        if not good.all():
            at = int((~good).argmax())
            event = int(numbers["Event.number"][at])
            raise InputError(f"{path}: branch '{name}' of event {event} is {values[at]:g}, expected {expected}")


def _jagged_columns(
    arrays: Any, group: str, leaves: Mapping[str, str], path: Path
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the (M,) events and the columns of a jagged group.

    Raises:
        InputError: its branches have different lengths.
    """
    counts = ak.to_numpy(ak.num(arrays[f"{group}.{next(iter(leaves))}"]))
    columns = {}
    for leaf in leaves:
        values = arrays[f"{group}.{leaf}"]
        if (ak.to_numpy(ak.num(values)) != counts).any():
            raise InputError(f"{path}: branch '{group}.{leaf}' has other lengths than the others of {group}")
        columns[leaf] = ak.to_numpy(ak.flatten(values))
    return np.repeat(np.arange(len(counts)), counts), columns
