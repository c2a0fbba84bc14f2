"""Small ROOT files with the leaves of Delphes, written by uproot."""

from collections.abc import Mapping
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from cloudchamber.preparation.clustering import four_vector_sums

Lists = list[list[float]] | list[list[int]]
Collections = Mapping[str, Mapping[str, Lists]]

__all__ = ["Collections", "Lists", "one_jet", "random_towers", "write_delphes"]


def write_delphes(
    path: Path,
    collections: Collections,
    tree: str = "Delphes",
    compression: uproot.compression.Compression | None = None,
    mode: str = "recreate",
) -> Path:
    """Write one list per event and leaf, floats as float32 and integers as int32; return the path.

    Collections of the same tree have as many events; ``mode`` "update" adds a tree, or a cycle of one that is there.
    """
    arrays = {
        name: ak.zip({leaf: _jagged(lists) for leaf, lists in leaves.items()}) for name, leaves in collections.items()
    }
    options = {} if mode == "update" else {"compression": compression}
    with getattr(uproot, mode)(path, **options) as file:
        file.mktree(
            tree,
            {name: array.type for name, array in arrays.items()},
            field_name=lambda outer, inner: inner if outer == "" else f"{outer}.{inner}",
            counter_name=lambda counted: f"{counted}_size",
        )
        if len(next(iter(arrays.values()))):
            file[tree].extend(arrays)
    return path


def _jagged(lists: Lists) -> ak.Array:
    flat = [value for values in lists for value in values]
    dtype = np.int32 if flat and isinstance(flat[0], int) else np.float32
    return ak.unflatten(np.array(flat, dtype), np.array([len(values) for values in lists], np.int64))


def random_towers(rng: np.random.Generator, events: int, most: int = 80) -> dict[str, Lists]:
    """Return towers of ``events`` events with 1 to ``most`` entries each."""
    counts = rng.integers(1, most + 1, events)
    return {
        "ET": [rng.exponential(10, n).tolist() for n in counts],
        "Eta": [rng.normal(0, 1.5, n).tolist() for n in counts],
        "Phi": [rng.uniform(-np.pi, np.pi, n).tolist() for n in counts],
    }


def one_jet(towers: Mapping[str, Lists]) -> dict[str, Lists]:
    """Return one jet for each event, which has all its towers."""
    jets: dict[str, Lists] = {leaf: [] for leaf in ("PT", "Eta", "Phi", "Mass")}
    for et, eta, phi in zip(towers["ET"], towers["Eta"], towers["Phi"], strict=True):
        sums = four_vector_sums(np.array(et), np.array(eta), np.array(phi), np.array([0, len(et)]))
        for leaf, value in zip(jets, (sums.pt, sums.eta, sums.phi, sums.mass), strict=True):
            jets[leaf].append(value.tolist())
    return jets
