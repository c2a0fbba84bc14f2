"""Flipped bits, cut files and foreign content: an error, or the very values that were written."""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import uproot
from command_server import CommandServer
from contents import content
from root_files import random_towers, write_delphes
from stages import INGESTION, PROCESS, STAGES

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import CloudchamberError, StateError
from cloudchamber.generative.artifact import Artifact, load_artifact
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.readers.jetnet import read_jetnet
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.training.state import load_state

FLIPS, CUTS = 60, 20


def flipped(whole: bytes, seed: int) -> Iterator[bytes]:
    """Yield ``FLIPS`` copies, each with one other bit."""
    chance = random.Random(seed)
    for position in chance.sample(range(8 * len(whole)), FLIPS):
        damaged = bytearray(whole)
        damaged[position // 8] ^= 1 << position % 8
        yield bytes(damaged)


def flat(value: Any) -> Any:
    """Return a value as something that is equal exactly if it is bitwise the same."""
    if isinstance(value, np.ndarray | torch.Tensor):
        array = np.asarray(value)
        return (array.dtype.str, array.shape, array.tobytes())
    if isinstance(value, dict):
        return {key: flat(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [flat(item) for item in value]
    return value


def of_clouds(path: Path) -> Any:
    return flat(vars(read_clouds(path)))


def of_artifact(artifact: Artifact) -> Any:
    return flat([artifact.network.state_dict(), artifact.settings.model_dump(), vars(artifact.points)])


def refusals(path: Path, read: Callable[[], Any], seed: int) -> int:
    """Flip bits of ``path`` one at a time; return how many are refused, and fail where a value has changed."""
    whole, expected = path.read_bytes(), read()
    refused = 0
    for damaged in flipped(whole, seed):
        path.write_bytes(damaged)
        try:
            found = read()
        except CloudchamberError:
            refused += 1
        else:
            assert found == expected
    path.write_bytes(whole)
    assert read() == expected
    return refused


def _ingested(path: Path) -> Callable[[], Any]:
    def read() -> Any:
        output = path.with_suffix(".h5")
        ingest([path], IngestionSettings.model_validate(INGESTION), output)
        return {key: item for key, item in of_clouds(output).items() if key != "meta"}

    return read


def test_flips_of_simulated_root_files(server: CommandServer, tmp_path: Path) -> None:
    """The file has a record, without which some of these flips would give wrong numbers."""
    path = tmp_path / "a.root"
    options = ["--name", "top", "--settings", json.dumps(PROCESS), "--seed", "3", "--output", path]
    server.succeed(["simulate", *options])
    assert refusals(path, _ingested(path), 1) == FLIPS
    path.write_bytes(next(flipped(path.read_bytes(), 2)))
    done = server.run(["ingest", path, "--settings", json.dumps(INGESTION), "--output", tmp_path / "b.h5"])
    assert done.status == 3
    assert f"{path}: not the file that 'simulate' wrote (SHA-256 differs): damaged, or changed since" in done.line
    assert not (tmp_path / "b.h5").exists()


def test_flips_of_root_files_without_a_record(tmp_path: Path, rng: np.random.Generator) -> None:
    """zlib, the compression of ROOT itself, has sums: what it holds cannot change unnoticed."""
    path = tmp_path / "a.root"
    write_delphes(path, {"Tower": random_towers(rng, 300)}, compression=uproot.ZLIB(1))
    assert refusals(path, _ingested(path), 2) > FLIPS / 2


@pytest.fixture
def copies(inputs: Path, tmp_path: Path) -> Path:
    """The inputs of the stages, to be damaged."""
    for name in ("prepared.h5", "jets.h5", "observables.h5", "weights.safetensors", "description.json", "jetnet.hdf5"):
        shutil.copy(inputs / name, tmp_path)
    return tmp_path


def test_flips_of_clouds(copies: Path) -> None:
    path = copies / "prepared.h5"
    assert refusals(path, lambda: of_clouds(path), 3) > FLIPS / 2


@pytest.mark.parametrize("name", ["jets.h5", "observables.h5"])
def test_flips_of_observables(copies: Path, name: str) -> None:
    path = copies / name
    assert refusals(path, lambda: flat(read_observables(path)), 4) > FLIPS / 4


def test_flips_of_weights(copies: Path) -> None:
    files = copies / "weights.safetensors", copies / "description.json"
    assert refusals(files[0], lambda: of_artifact(load_artifact(*files)), 5) == FLIPS


def test_flips_of_descriptions(copies: Path) -> None:
    """Only a flip of white space changes nothing that is read."""
    files = copies / "weights.safetensors", copies / "description.json"
    assert refusals(files[1], lambda: of_artifact(load_artifact(*files)), 6) > FLIPS / 2


@pytest.fixture
def trained(server: CommandServer, inputs: Path, tmp_path: Path) -> Path:
    """The folder of a training that ended after 20 steps, with two states."""
    server.succeed(STAGES["train"].command(inputs, tmp_path))
    return tmp_path


def _identity(folder: Path) -> dict[str, Any]:
    state = torch.load(next(folder.glob("*.pt")), weights_only=True)
    return json.loads(state["identity"])


def test_flips_of_training_states(trained: Path) -> None:
    """A damaged state is passed over with a warning: here there is no other."""
    last = max(trained.glob("state/*/*.pt"))
    identity = _identity(last.parent)
    alone = trained / "alone"
    alone.mkdir()
    shutil.copy(last, alone)
    path = alone / last.name
    assert refusals(path, lambda: flat(load_state(alone, identity, lambda line: None)), 7) > FLIPS / 2


def test_a_training_with_a_damaged_state_ends_in_the_same_bits(
    server: CommandServer, inputs: Path, trained: Path
) -> None:
    stage = STAGES["train"]
    before = {option: content(path) for option, path in stage.paths(trained).items()}
    last = max(trained.glob("state/*/*.pt"))
    last.write_bytes(last.read_bytes()[:-100])
    done = server.run(stage.command(inputs, trained))
    assert done.status == 0
    assert f"warning: {last}: damaged, trying the state before it" in done.text
    assert {option: content(path) for option, path in stage.paths(trained).items()} == before


def cuts(whole: bytes, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for length in (0, *chance.sample(range(1, len(whole)), CUTS - 2), len(whole) - 1):
        yield whole[:length]


_READERS: dict[str, Callable[[Path], Any]] = {
    "prepared.h5": read_clouds,
    "jets.h5": read_jets,
    "observables.h5": read_observables,
    "jetnet.hdf5": read_jetnet,
    "weights.safetensors": lambda path: load_artifact(path, path.with_name("description.json")),
    "description.json": lambda path: load_artifact(path.with_name("weights.safetensors"), path),
}


@pytest.mark.parametrize("name", _READERS)
def test_cut_files_are_refused(copies: Path, name: str) -> None:
    """The line break at the end of a description is all that can be missed."""
    path = copies / name
    whole = path.read_bytes().rstrip(b"\n") if name.endswith("json") else path.read_bytes()
    for short in cuts(whole, 8):
        path.write_bytes(short)
        with pytest.raises(CloudchamberError, match=path.stem) as caught:
            _READERS[name](path)
        assert "\n" not in str(caught.value)


def test_cut_states_are_refused(trained: Path) -> None:
    last = max(trained.glob("state/*/*.pt"))
    identity, whole = _identity(last.parent), last.read_bytes()
    for path in trained.glob("state/*/*.pt"):
        if path != last:
            path.unlink()
    for short in cuts(whole, 9):
        last.write_bytes(short)
        with pytest.raises(StateError, match="none of 1 saved states can be read"):
            load_state(last.parent, identity, lambda line: None)


class _Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._folder),)


def test_a_payload_in_a_state_is_refused(server: CommandServer, inputs: Path, trained: Path) -> None:
    target = trained / "executed"
    for path in trained.glob("state/*/*.pt"):
        torch.save({"identity": _Payload(target)}, path)
    done = server.run(STAGES["train"].command(inputs, trained))
    assert done.status == 6, done.text
    assert "none of 2 saved states can be read; remove the folder to start again" in done.line
    assert not target.exists()


def test_a_payload_in_weights_is_refused(server: CommandServer, inputs: Path, copies: Path) -> None:
    target = copies / "executed"
    torch.save({"weights": _Payload(target)}, copies / "weights.safetensors")
    command = STAGES["sample"].command(inputs, copies)
    command[command.index(str(inputs / "weights.safetensors"))] = str(copies / "weights.safetensors")
    done = server.run(command)
    assert done.status == 3, done.text
    assert "weights.safetensors: not the weights that" in done.line
    assert not target.exists()
