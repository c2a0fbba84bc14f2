"""No stage ignores event weights: it takes them into account, or refuses clouds that have them in one line."""

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_server import CommandServer
from stages import STAGES

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.jets.observable_file import read_observables, write_observables

# What these make of event weights has tests of its own. All others have no clouds as input, or refuse; "compare" takes
# those of truth and refuses those of a sample.
TAKE = {"observe", "high-level", "train-tagger", "predict-classes", "tagger-cost", "evaluate-taggers"}
TAKE_OF_STUDIES = {"tagging relevance", "macaron evaluate"}
# Reads the meta data of clouds alone.
HEADERS = {"evaluate"}


@pytest.fixture(scope="session")
def weighted_inputs(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs of all stages, where clouds have event weights."""
    folder = tmp_path_factory.mktemp("weighted") / "inputs"
    shutil.copytree(inputs, folder)
    for path in folder.glob("*.h5"):
        with h5py.File(path) as file:
            clouds = file.attrs.get("format") == b"cloudchamber-clouds"
            scores = any(name.startswith("log_p_") for name in file.get("observables", ()))
        if clouds:
            write_clouds(path, with_weights(read_clouds(path)))
        if scores:
            # They say that they are of the jets without weights.
            write_observables(path, read_observables(path)[0], {})
    return folder


def with_weights(clouds: Clouds) -> Clouds:
    weights = 0.5 + np.random.default_rng(1).random((len(clouds), 1), np.float32)
    return replace(
        clouds,
        features=np.concatenate([clouds.features, weights], axis=1),
        feature_columns=(*clouds.feature_columns, Column("event_weight")),
    )


def reads_clouds(command: list[str], folder: Path) -> bool:
    text = " ".join(command)
    return any(str(path) in text and has_weights(path) for path in folder.glob("*.h5"))


def has_weights(path: Path) -> bool:
    with h5py.File(path) as file:
        return "features" in file and b"event_weight" in file["features"].attrs["names"]


@pytest.mark.parametrize("name", STAGES)
def test_weights_are_taken_or_refused(server: CommandServer, weighted_inputs: Path, tmp_path: Path, name: str) -> None:
    command = STAGES[name].command(weighted_inputs, tmp_path)
    if not reads_clouds(command, weighted_inputs) or name in TAKE | TAKE_OF_STUDIES | HEADERS:
        server.succeed(command)
        return
    done = server.run(command)
    assert done.status == 3, done.text
    assert "event weights" in done.line
    assert "event_weights: unweight" in done.line
    assert not any(path.exists() for path in STAGES[name].paths(tmp_path).values())
