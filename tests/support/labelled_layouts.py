"""All layouts of labelled jets with their writers, and the clouds that become of a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from labelled_files import (
    Jets,
    top_tagging_names,
    write_jetclass,
    write_jetclass2,
    write_top_tagging,
    write_top_tagging_columns,
)

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.preparation.labelled_jets import read_labelled_jets
from cloudchamber.settings.data import LabelledJetSettings


def one_hot(labels: Sequence[int]) -> np.ndarray:
    return np.eye(10)[np.asarray(labels)]


def write_one_hot(path: Path, jets: Jets, labels: Sequence[int]) -> Path:
    return write_jetclass(path, jets, one_hot(labels))


def write_reordered(protocol: int) -> Callable[[Path, Jets, Sequence[int]], Path]:
    """Return a writer of blocks whose columns have another order, which only their names tell."""
    names = (sorted(top_tagging_names()), ["is_signal_new", "ttv"])
    return lambda path, jets, labels: write_top_tagging(path, jets, labels, names, protocol)


# Layout, writer and number of classes.
LAYOUTS: dict[str, tuple[Any, Callable[[Path, Jets, Sequence[int]], Path], int]] = {
    "top_tagging": ("top_tagging", write_top_tagging, 2),
    "named blocks": ("top_tagging", write_reordered(0), 2),
    "named blocks, new pickles": ("top_tagging", write_reordered(4), 2),
    "columns": ("top_tagging", write_top_tagging_columns, 2),
    "jetclass": ("jetclass", write_one_hot, 10),
    "jetclass2": ("jetclass2", write_jetclass2, 188),
}


def clouds_of(path: Path | list[Path], layout: Any, max_particles: int = 25, **settings: Any) -> Clouds:
    """Return the clouds of files, which are written beside the first."""
    files = path if isinstance(path, list) else [path]
    output = files[0].with_name("clouds.h5")
    chosen = {"eta_max": 50.0, "max_particles": max_particles, **settings}
    read_labelled_jets(files, layout, LabelledJetSettings.model_validate(chosen), output)
    return read_clouds(output)
