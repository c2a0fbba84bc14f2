"""``cloudchamber inspect`` says of every kind of file what made it, and finds what is wrong with it."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_study
import torch
from small_study import FOLDER

from cloudchamber import __version__
from cloudchamber.cli import main
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.records.record import record_path
from cloudchamber.training.state import save_state

KINDS = {
    "clouds/events.h5": ("clouds", "ingest"),
    "prepared/a.h5": ("clouds", "prepare"),
    "prepared/a_split.h5": ("split", "prepare"),
    "prepared/a_observables.h5": ("observables", "observe"),
    "models/seed1/weights.safetensors": ("weights", "train"),
    "models/seed1/model.json": ("description of a model", "train"),
    "models/seed1/history.csv": ("table", "train"),
    "jets.h5": ("drawn jets", "draw-jets"),
    "sample.h5": ("clouds", "sample"),
}
# Files whose own format finds a flipped bit wherever it is.
CHECKED = [name for name in KINDS if name.endswith((".h5", ".safetensors"))]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        small_study.build()
    return folder


@pytest.fixture
def study(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(built, tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    return FOLDER


def _inspect(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["inspect", str(path), "--json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def _refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["inspect", str(path)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert str(path) in captured.err
    return captured.err


def _hash(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_says_what_made_it(name: str, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = study / name
    found = _inspect(path, capsys)
    kind, step = KINDS[name]
    assert (found["kind"], found["sha256"], found["bytes"]) == (kind, _hash(path), path.stat().st_size)
    record = found["record"]
    assert record["step"] == step
    assert record["inputs"] == {source: _hash(source) for source in record["inputs"]}
    assert record["inputs"]
    assert record["code"]["version"] == __version__
    assert {"platform", "processor", "cores", "memory_gib"} < set(record["machine"])
    assert record["run"]["elapsed_seconds"] > 0
    assert record["packages"]["torch"] == torch.__version__
    assert found["checks"][0] == "SHA-256 of the record"


def test_the_facts_are_those_of_the_file(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = _inspect(study / "models/seed2/weights.safetensors", capsys)
    assert trained["record"]["arguments"]["seed"] == 2
    assert trained["record"]["arguments"]["settings"] == small_study.SETTINGS
    assert trained["facts"]["parameters"] == json.loads((study / "models/seed2/model.json").read_text())["parameters"]
    parts = _inspect(study / "prepared/a_split.h5", capsys)["facts"]["parts"]
    assert parts == _inspect(study / "prepared/a.h5", capsys)["facts"]["parts"]
    assert sum(parts.values()) == 80
    raw = _inspect(study / "raw/a.root", capsys)
    assert (raw["facts"], raw["record"]) == (
        {"events": 30, "collections": ["Tower"], "clouds": {"reclustered": ["tower"], "events": ["tower"]}},
        None,
    )


def test_people_read_the_same(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = study / "sample.h5"
    found = _inspect(path, capsys)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    for word in (
        *(str(path), found["sha256"], "step: sample", "seed: 1", "solver: euler", "evaluations: 2"),
        *(found["record"]["machine"]["processor"], f"numpy: {np.__version__}", f"cloudchamber {__version__}"),
        *(f"{source}: {digest}" for source, digest in found["record"]["inputs"].items()),
    ):
        assert word in text, word


@pytest.mark.parametrize("name", KINDS)
def test_a_flipped_bit_is_found_by_the_record(name: str, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = study / name
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    assert "not the file that" in _refused(path, capsys)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_without_a_record_says_what_it_can(name: str, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = study / name
    record_path(path).unlink()
    found = _inspect(path, capsys)
    assert found["record"] is None
    assert found["checks"]
    if "history" not in name and "split" not in name:
        assert found["provenance"]["step"] == KINDS[name][1]
        assert found["provenance"]["inputs"]


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("where", [0.05, 0.4, 0.7, 0.95])
def test_formats_with_checksums_need_no_record(
    name: str, where: float, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study / name
    record_path(path).unlink()
    facts = _inspect(path, capsys)["facts"]
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 16
    path.write_bytes(content)
    if main(["inspect", str(path), "--json"]) == 0:
        # HDF5 has bytes that carry nothing: gaps, and free places in its trees.
        assert path.suffix == ".h5"
        assert _inspect(path, capsys)["facts"] == facts
    else:
        _refused(path, capsys)


def test_weights_and_description_belong_together(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("weights.safetensors", "model.json"):
        record_path(study / "models/seed1" / name).unlink()
    shutil.copy(study / "models/seed2/weights.safetensors", study / "models/seed1/weights.safetensors")
    assert "SHA-256 differs" in _refused(study / "models/seed1/weights.safetensors", capsys)
    assert main(["inspect", str(study / "models/seed1/model.json")]) == 3
    assert "SHA-256 differs" in capsys.readouterr().err
    (study / "models/seed1/model.json").unlink()
    assert "no description" in _refused(study / "models/seed1/weights.safetensors", capsys)


def test_training_states(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(Path("state").glob("*/step_000000004.pt"))
    found = _inspect(path, capsys)
    assert (found["kind"], found["facts"]["step"]) == ("training state", 4)
    assert found["provenance"]["settings"]["training"]["steps"] == 4
    assert found["provenance"]["inputs"] == {"prepared": _hash(study / "prepared/a.h5")}
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    content = bytearray(path.read_bytes())
    # Behind the local header, its name and its padding, which nothing reads, stands the content to the end.
    name_and_extra = content[largest.header_offset + 26 : largest.header_offset + 30]
    lengths = int.from_bytes(name_and_extra[:2], "little") + int.from_bytes(name_and_extra[2:], "little")
    content[largest.header_offset + 30 + lengths + largest.file_size // 2] ^= 1
    path.write_bytes(content)
    assert "damaged" in _refused(path, capsys)
    save_state(Path("other"), 1, {"weights": torch.zeros(3)})
    assert "not a training state" in _refused(Path("other/step_000000001.pt"), capsys)


def test_jetnet_files_and_pages(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study.run("to-jetnet", study / "prepared/a.h5", "--output", study / "a.hdf5")
    assert _inspect(study / "a.hdf5", capsys)["facts"]["clouds"] == 80
    page = study / "card.md"
    page.write_text("# A page\n")
    assert _inspect(page, capsys)["checks"] == []
    assert main(["inspect", str(page)]) == 0
    assert "verified: nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", b"a,b\n1,2\n3\n", "line 3 has 1 columns, the first has 2"),
        ("a.csv", b"a,b\n", "no rows"),
        ("a.csv", b"\xff\xfe\n1\n", "cannot be read as a table"),
        ("a.json", b"{", "not a JSON file"),
        ("a.root", b"root" + bytes(100), ""),
        ("a.h5", b"nothing", "cannot be read as HDF5"),
        ("a.safetensors", b"nothing", "cannot be read as weights"),
        ("a.pt", b"nothing", "not a training state"),
        ("a.xyz", b"nothing", "not a kind of file"),
    ],
)
def test_unusable_files_are_one_line(
    name: str, content: bytes, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert fault in _refused(tmp_path / name, capsys)
    (tmp_path / name).unlink()
    assert "no such file" in _refused(tmp_path / name, capsys)


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It had been called missing, and clouds a damaged file."""
    assert f"{tmp_path}: a folder, and not a file" in _refused(tmp_path, capsys)
    with pytest.raises(InputError, match="a folder, and not a file"):
        read_clouds(tmp_path)
