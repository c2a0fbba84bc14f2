"""ROOT files in the layout of Delphes, written with uproot.

One TTree ``Delphes`` with a leaf per quantity, such as ``Tower.ET``, and one counter per collection, such as
``Tower_size``. ROOT reads the leaves as plain branches; there are no Delphes classes and no references in the file.

=================  =============================================================================================
Event              one entry per event: Number, Weight, CrossSection [pb] (estimate from the events so far: the last
                   is the best), Scale (transverse momentum of the hard scattering [GeV])
Particle           hard process and stable particles; see ``cloudchamber.simulation.collisions``
Tower              towers and, with Eem = Ehad = 0, muons
Jet, GenJet        jets of towers and of stable particles that are visible; with b-tags Jet has also Flavor (5, 4,
                   or 0 for all lighter partons) and BTag (1 or 0)
=================  =============================================================================================

Files without towers have neither Tower nor GenJet, and GenJet may be left out.

Where events were given up before they were complete, a TTree ``Generation`` of one entry says how many were generated
and how many of these were given up. CrossSection is then that of the events that are left.

Two things of ``Tower`` differ from Delphes. The edges are four leaves, EdgeEtaLow, EdgeEtaHigh, EdgePhiLow and
EdgePhiHigh, since uproot writes a jagged array of vectors corrupt and without an error. The constituents of jets are
told by JetIndex: the number of the tower's jet in ``Jet``, -1 for none. NTimeHits counts the particles of a tower.

Units: GeV, mm, s, rad. Compression is Zstandard, which ROOT reads since release 6.20: as small as ZLIB, and several
times as fast to write and to read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, final

import awkward as ak
import numpy as np
import uproot

from cloudchamber.simulation.calorimeter import Towers
from cloudchamber.simulation.collisions import Collisions
from cloudchamber.simulation.objects import Jets
from cloudchamber.simulation.propagation import SPEED_OF_LIGHT

__all__ = ["DelphesFile"]

_JET: Mapping[str, str] = {"PT": "float32", "Eta": "float32", "Phi": "float32", "Mass": "float32"}
_SCHEMA: Mapping[str, Mapping[str, str]] = {
    "Event": {"Number": "int64", "Weight": "float32", "CrossSection": "float32", "Scale": "float32"},
    "Particle": {
        **dict.fromkeys(("PID", "Status", "M1", "Charge"), "int32"),
        **dict.fromkeys(("Mass", "E", "Px", "Py", "Pz", "PT", "Eta", "Phi", "T", "X", "Y", "Z"), "float32"),
    },
    "Tower": {
        **dict.fromkeys(("ET", "Eta", "Phi", "E", "T"), "float32"),
        "NTimeHits": "int32",
        **dict.fromkeys(("Eem", "Ehad", "EdgeEtaLow", "EdgeEtaHigh", "EdgePhiLow", "EdgePhiHigh"), "float32"),
        "JetIndex": "int32",
    },
    "Jet": _JET,
    "GenJet": _JET,
}
_TAGS: Mapping[str, str] = {"Flavor": "uint32", "BTag": "uint32"}
_COMPRESSION_LEVEL = 3


@final
class DelphesFile:
    """Appends batches of events to a new ROOT file; a context manager.

    Args:
        path: the file.
        towers: whether it has towers.
        b_tags: whether jets have flavour and b-tag.
        generated_jets: whether it has jets of generated particles.
    """

    def __init__(
        self, path: str | Path, towers: bool = True, b_tags: bool = False, generated_jets: bool = True
    ) -> None:
        there = {"Tower": towers, "GenJet": generated_jets}
        self._schema = {
            name: {**leaves, **(_TAGS if name == "Jet" and b_tags else {})}
            for name, leaves in _SCHEMA.items()
            if there.get(name, True)
        }
        self._file = uproot.recreate(path, compression=uproot.ZSTD(_COMPRESSION_LEVEL))
        types = {
            collection: ak.types.from_datashape(
                "var * {" + ", ".join(f"{leaf}: {kind}" for leaf, kind in leaves.items()) + "}", highlevel=False
            )
            for collection, leaves in self._schema.items()
        }
        self._tree = self._file.mktree(
            "Delphes",
            types,
            title="Analysis tree",
            field_name=lambda outer, inner: f"{outer}.{inner}" if outer else inner,
            counter_name=lambda counted: f"{counted}_size",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def append(
        self,
        *,
        numbers: np.ndarray,
        collisions: Collisions,
        towers: Towers,
        jet_of: np.ndarray,
        jets: Jets,
        gen_jets: Jets | None,
        flavours: np.ndarray | None = None,
        tags: np.ndarray | None = None,
    ) -> None:
        """Append a batch of events.

        Args:
            numbers: (n_events,) int64 of the events.
            collisions: the events as they were generated.
            towers: their towers.
            jet_of: (towers,) int32, number of each tower's jet, -1 for none.
            jets, gen_jets: jets of towers and of particles; the latter are needed where the file has them.
            flavours, tags: (jets,) flavour and b-tag of the jets, needed with b-tags.
        """
        n_events = collisions.particles.n_events
        tables: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
            "Event": (np.arange(n_events), _event_columns(numbers, collisions)),
            "Particle": (collisions.particles.event, _particle_columns(collisions)),
            "Tower": (towers.event, _tower_columns(towers, jet_of)),
            "Jet": (jets.event, {**_jet_columns(jets), "Flavor": flavours, "BTag": tags}),
        }
        if gen_jets is not None:
            tables["GenJet"] = (gen_jets.event, _jet_columns(gen_jets))
        self._tree.extend(
            {
                collection: ak.unflatten(
                    ak.zip({leaf: columns[leaf].astype(kind) for leaf, kind in leaves.items()}),
                    np.bincount(tables[collection][0], minlength=n_events),
                )
                for collection, leaves in self._schema.items()
                for columns in (tables[collection][1],)
            }
        )

    def state_generation(self, generated: int, vetoed: int) -> None:
        """Write how many events were generated, and how many of these were given up, as the tree ``Generation``."""
        columns = {"Generated": np.array([generated], np.int64), "Vetoed": np.array([vetoed], np.int64)}
        tree = self._file.mktree("Generation", {name: column.dtype for name, column in columns.items()})
        tree.extend(columns)


def _event_columns(numbers: np.ndarray, collisions: Collisions) -> dict[str, np.ndarray]:
    n_events = collisions.particles.n_events
    return {
        "Number": numbers,
        "Weight": collisions.weight,
        "CrossSection": np.full(n_events, collisions.cross_section),
        "Scale": collisions.pt_hat,
    }


def _particle_columns(collisions: Collisions) -> dict[str, np.ndarray]:
    particles = collisions.particles
    return {
        "PID": particles.pid,
        "Status": particles.status,
        "M1": particles.mother,
        "Charge": particles.charge,
        "Mass": particles.mass,
        "E": particles.energy,
        "Px": particles.px,
        "Py": particles.py,
        "Pz": particles.pz,
        "PT": particles.pt,
        "Eta": particles.eta,
        "Phi": particles.phi,
        "T": particles.time * (1e-3 / SPEED_OF_LIGHT),
        "X": particles.x,
        "Y": particles.y,
        "Z": particles.z,
    }


def _tower_columns(towers: Towers, jet_of: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "ET": towers.et,
        "Eta": towers.eta,
        "Phi": towers.phi,
        "E": towers.energy,
        "T": towers.time,
        "NTimeHits": towers.time_hits,
        "Eem": towers.electromagnetic,
        "Ehad": towers.hadronic,
        "EdgeEtaLow": towers.edges[:, 0],
        "EdgeEtaHigh": towers.edges[:, 1],
        "EdgePhiLow": towers.edges[:, 2],
        "EdgePhiHigh": towers.edges[:, 3],
        "JetIndex": jet_of,
    }


def _jet_columns(jets: Jets) -> dict[str, np.ndarray]:
    return {"PT": jets.pt, "Eta": jets.eta, "Phi": jets.phi, "Mass": jets.mass}
