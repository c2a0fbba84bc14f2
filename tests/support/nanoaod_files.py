"""NanoAOD files with candidates, as PFNano writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

__all__ = ["nano_branches", "write_nanoaod"]


def nano_branches(rng: np.random.Generator, events: int = 12) -> dict[str, Any]:
    """Return events with two FatJets of three or four candidates with PUPPI weights, and one candidate of no jet."""
    candidates, jets, links, weights = [], [], [], []
    for _ in range(events):
        of_event, of_jets, of_links = [], [], []
        for jet in range(2):
            number = int(rng.integers(3, 5))
            axis = rng.uniform(-1, 1), rng.uniform(-3, 3)
            own = [
                {
                    "pt": float(rng.uniform(10, 60)),
                    "eta": axis[0] + float(rng.normal(0, 0.05)),
                    "phi": axis[1] + float(rng.normal(0, 0.05)),
                    "puppiWeight": float(rng.choice([0.0, 0.5, 1.0], p=[0.1, 0.3, 0.6])),
                    "charge": int(rng.integers(-1, 2)),
                }
                for _ in range(number)
            ]
            own[0]["puppiWeight"] = 1.0
            of_links += [{"jetIdx": jet, "pFCandsIdx": len(of_event) + place} for place in range(number)]
            of_event += own
            pt, eta, phi, weight = (np.array([c[k] for c in own]) for k in ("pt", "eta", "phi", "puppiWeight"))
            px, py, pz = (pt * weight * f for f in (np.cos(phi), np.sin(phi), np.sinh(eta)))
            total = np.hypot(px.sum(), py.sum())
            of_jets.append(
                {
                    # Corrected by a quarter, which rawFactor takes back.
                    "pt": 1.25 * total,
                    "rawFactor": 0.2,
                    "eta": float(np.arcsinh(pz.sum() / total)),
                    "phi": float(np.arctan2(py.sum(), px.sum())),
                    "mass": 10.0,
                    "hadronFlavour": int(rng.choice([0, 4, 5])),
                }
            )
        candidates.append([*of_event, {"pt": 5.0, "eta": 0.0, "phi": 0.0, "puppiWeight": 1.0, "charge": 0}])
        jets.append(of_jets)
        links.append([of_links[place] for place in rng.permutation(len(of_links))])
        weights.append(1.0)
    tables = {"PFCands": candidates, "FatJet": jets, "FatJetPFCands": links}
    found: dict[str, Any] = {"genWeight": np.array(weights, np.float32)}
    for name, rows in tables.items():
        array = ak.Array(rows)
        found |= {f"{name}_{field}": _narrow(array[field]) for field in array.fields}
    return found


def _narrow(array: ak.Array) -> ak.Array:
    integer = ak.to_numpy(ak.flatten(array)).dtype.kind == "i"
    return ak.values_astype(array, np.int32 if integer else np.float32)


def write_nanoaod(path: Path, content: Mapping[str, Any]) -> Path:
    """Write branches with their counters as NanoAOD has them: nX beside X_*."""
    tables: dict[str, dict[str, Any]] = {}
    flat: dict[str, Any] = {}
    for name, values in content.items():
        collection, _, leaf = name.partition("_")
        if leaf:
            tables.setdefault(collection, {})[leaf] = values
        else:
            flat[name] = values
    arrays = {**flat, **{name: ak.zip(leaves) for name, leaves in tables.items()}}
    with uproot.recreate(path) as file:
        file.mktree(
            "Events",
            {
                name: ak.type(array).content if isinstance(array, ak.Array) else array.dtype
                for name, array in arrays.items()
            },
        )
        file["Events"].extend(arrays)
    return path
