"""What an output says, without what differs from run to run: lengths of time, and the identity of a ROOT file."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import uproot

__all__ = ["content"]

_TIMES = ("seconds", "lowest", "highest")


def content(path: Path) -> Any:
    """Return something that is equal for two files exactly if their values are bitwise the same."""
    if path.suffix == ".root":
        with uproot.open(path) as file:
            tree = file["Delphes" if "Delphes" in file else "events"]
            # As text, in which a value that is not a number equals itself.
            return {name: repr(tree[name].array().to_list()) for name in tree.keys(full_paths=False)}
    if path.suffix == ".csv":
        table = pd.read_csv(path, dtype=str)
        if "metric" in table:
            table = table[~table["metric"].map(_is_time)]
        return table[[name for name in table if not _is_time(name)]].to_csv()
    if path.suffix == ".h5":
        return _of_hdf5(path)
    return path.read_bytes()


def _is_time(name: str) -> bool:
    return any(part in name for part in _TIMES)


def _of_hdf5(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            values = item[()]
            attributes = {key: np.asarray(value).tobytes() for key, value in item.attrs.items()}
            found[name] = (values.dtype.str, values.shape, values.tobytes(), attributes)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        if "meta" in file:
            found["meta"] = json.loads(file["meta"][()].tobytes())
            found["meta"].get("sampler", {}).pop("seconds_per_jet", None)
        found["/"] = {key: np.asarray(value).tobytes() for key, value in file.attrs.items()}
    return found
