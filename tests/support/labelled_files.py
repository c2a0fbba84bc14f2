"""Small files of labelled jets, written as the public layouts are."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

__all__ = [
    "JETCLASS",
    "Jets",
    "random_jets",
    "top_tagging_names",
    "write_jetclass",
    "write_jetclass2",
    "write_top_tagging",
    "write_top_tagging_columns",
]

# (constituents, 4) float32 of each jet: px, py, pz, energy.
Jets = Sequence[np.ndarray]

JETCLASS = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
_MOMENTA = ("part_px", "part_py", "part_pz", "part_energy")


def random_jets(rng: np.random.Generator, n: int, most: int = 60) -> list[np.ndarray]:
    """Return jets with 1 to ``most`` constituents, some of them with a mass, in no order."""
    jets = []
    for _ in range(n):
        axis = rng.normal(size=3)
        momenta = rng.exponential(10, (rng.integers(1, most + 1), 1)) * (axis + 0.2 * rng.normal(size=3))
        momenta += rng.normal(0, 0.5, momenta.shape)
        mass = rng.choice([0.0, 0.14, 0.94], (len(momenta), 1))
        energy = np.sqrt((momenta**2).sum(axis=1, keepdims=True) + mass**2)
        jets.append(np.concatenate([momenta, energy], axis=1).astype("f4"))
    return jets


def top_tagging_names() -> list[str]:
    """Return the columns of the first block: constituents one after the other, then the top quark."""
    particles = [f"{component}_{number}" for number in range(200) for component in ("E", "PX", "PY", "PZ")]
    return [*particles, "truthE", "truthPX", "truthPY", "truthPZ"]


def _frame(jets: Jets) -> np.ndarray:
    frame = np.zeros((len(jets), 804), "f4")
    for row, jet in zip(frame, jets, strict=True):
        row[: 4 * len(jet)] = jet[:, [3, 0, 1, 2]].ravel()
    frame[:, 800:] = 7.0
    return frame


def write_top_tagging(
    path: Path,
    jets: Jets,
    labels: Sequence[int],
    names: Sequence[Sequence[str]] | None = None,
    protocol: int = 0,
) -> Path:
    """Write the blocks of pandas; with ``names`` their columns are in that order, and pickled beside them."""
    blocks = {"values_block_0": _frame(jets), "values_block_1": np.column_stack([np.zeros_like(labels), labels])}
    if names is not None:
        published = (top_tagging_names(), ["ttv", "is_signal_new"])
        for (name, block), new, old in zip(blocks.items(), names, published, strict=True):
            blocks[name] = block[:, [old.index(column) for column in new]]
    dtype = [("index", "<i8"), *((name, block.dtype.str, block.shape[1:]) for name, block in blocks.items())]
    table = np.zeros(len(jets), dtype)
    for name, block in blocks.items():
        table[name] = block
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("table/table", data=table, chunks=True, compression="gzip")
        for name, columns in zip(blocks, names or (), strict=False):
            dataset.attrs[f"{name}_kind"] = np.bytes_(pickle.dumps(list(columns), protocol))
    return path


def write_top_tagging_columns(path: Path, jets: Jets, labels: Sequence[int]) -> Path:
    """Write each column as a data set."""
    with h5py.File(path, "w") as file:
        for name, values in zip(top_tagging_names(), _frame(jets).T, strict=True):
            file[name] = values
        file["is_signal_new"] = np.asarray(labels)
    return path


def _lists(jets: Jets) -> dict[str, list[np.ndarray]]:
    return {name: [jet[:, column] for jet in jets] for column, name in enumerate(_MOMENTA)}


def write_jetclass(path: Path, jets: Jets, marks: np.ndarray, **changes: Any) -> Path:
    """Write a tree as JetClass has it, ``marks`` (n, 10) being its labels; ``changes`` replace branches or drop."""
    columns: Mapping[str, Any] = {
        **{name: ak.Array(lists) for name, lists in _lists(jets).items()},
        "jet_nparticles": np.array([len(jet) for jet in jets], "f4"),
        **{f"label_{name}": column.astype("f4") for name, column in zip(JETCLASS, np.asarray(marks).T, strict=True)},
        **changes,
    }
    arrays = {name: values for name, values in columns.items() if values is not None}
    with uproot.recreate(path) as file:
        types = {name: values.type if isinstance(values, ak.Array) else values.dtype for name, values in arrays.items()}
        file.mktree("tree", types).extend(arrays)
    return path


def write_jetclass2(path: Path, jets: Jets, labels: Sequence[int], rows: int = 1000, **changes: Any) -> Path:
    """Write a table as JetClass-II has it, ``rows`` to a row group; ``changes`` replace columns or drop them."""
    columns: Mapping[str, Any] = {
        **{name: pa.array(lists, pa.list_(pa.float32())) for name, lists in _lists(jets).items()},
        "jet_nparticles": pa.array([len(jet) for jet in jets], pa.int32()),
        "jet_label": pa.array(labels, pa.int32()),
        **changes,
    }
    table = pa.table({name: values for name, values in columns.items() if values is not None})
    pq.write_table(table, path, row_group_size=rows)
    return path
