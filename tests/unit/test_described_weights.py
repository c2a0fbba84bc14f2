"""Trained networks on disk: what is written is what is read, and the layout stays what it was."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import pytest
import torch
from descriptions import write_description
from torch import nn

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.settings.base import PositiveInt, Settings
from cloudchamber.storage import read_json
from cloudchamber.training.described_weights import load_stored, parameters, save_described


@final
class _Settings(Settings):
    width: PositiveInt


def _build(settings: _Settings, described: Mapping[str, Any]) -> nn.Sequential:
    return nn.Sequential(nn.Linear(described["inputs"], settings.width), nn.BatchNorm1d(settings.width), nn.Dropout())


@pytest.fixture
def network() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = _build(_Settings(width=2), {"inputs": 3})
        made(torch.randn(5, 3))
    return made


@pytest.fixture
def files(network: nn.Sequential, tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "weights.safetensors", tmp_path / "model.json"
    number = parameters(network)
    save_described(*paths, network.state_dict(), _Settings(width=2), number, {"step": "train", "seed": 7}, inputs=3)
    return paths


def test_a_network_comes_back_to_the_bit_and_in_evaluation_mode(
    network: nn.Sequential, files: tuple[Path, Path]
) -> None:
    stored = load_stored(*files, _Settings, _build, ("inputs",))
    assert stored.settings == _Settings(width=2)
    assert not stored.network.training
    found = stored.network.state_dict()
    assert set(found) == set(network.state_dict())
    assert all(torch.equal(found[name], value) for name, value in network.state_dict().items())


def test_statistics_are_no_parameters(network: nn.Sequential) -> None:
    assert parameters(network) == 3 * 2 + 2 + 2 * 2
    assert parameters(network) < sum(value.numel() for value in network.state_dict().values())


def test_the_layout_of_the_description(files: tuple[Path, Path]) -> None:
    described = read_json(files[1])
    own = described.pop("description_sha256")
    assert described == {
        "settings": {"width": 2},
        "parameters": 12,
        "provenance": {"step": "train", "seed": 7},
        "inputs": 3,
        "weights_sha256": sha256(files[0].read_bytes()).hexdigest(),
    }
    assert own == sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def test_the_layout_of_the_weights(network: nn.Sequential, files: tuple[Path, Path]) -> None:
    """As safetensors defines it: eight bytes for the length of a JSON header, the header, the values one by one."""
    content = files[0].read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, values = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert set(header) == set(network.state_dict())
    for name, value in network.state_dict().items():
        begin, end = header[name]["data_offsets"]
        assert header[name]["shape"] == list(value.shape)
        assert values[begin:end] == value.numpy().tobytes()
    assert len(values) == max(item["data_offsets"][1] for item in header.values())


def test_weights_that_are_no_rows_in_memory_are_written_as_they_are_read(tmp_path: Path) -> None:
    weights = {"weight": torch.arange(6.0).reshape(2, 3).T, "bias": torch.zeros(3)}
    paths = tmp_path / "weights.safetensors", tmp_path / "model.json"
    save_described(*paths, weights, _Settings(width=3), 9, {})
    stored = load_stored(*paths, _Settings, lambda settings, described: nn.Linear(2, settings.width))
    assert torch.equal(stored.network.weight, weights["weight"])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"inputs": 4}, InputError, r"weights\.safetensors: .*size mismatch"),
        ({"inputs": None}, InputError, r"model\.json: not the description of a model: no \['inputs'\]"),
        ({"settings": {"width": 0}}, SettingsError, r"model\.json: width: "),
        ({"settings": {"width": 2, "depth": 1}}, SettingsError, r"model\.json: depth: "),
    ],
)
def test_a_description_of_something_else_is_refused_in_one_line(
    files: tuple[Path, Path], changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    described = read_json(files[1]) | changes
    write_description(files[1], {key: value for key, value in described.items() if value is not None})
    with pytest.raises(error, match=message) as caught:
        load_stored(*files, _Settings, _build, ("inputs",))
    assert "\n" not in str(caught.value)
