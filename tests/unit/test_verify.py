"""``cloudchamber verify`` names what is damaged, missing or stale in a results folder, and nothing else."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import small_study
from small_study import FOLDER

from cloudchamber.cli import main
from cloudchamber.provenance import verification
from cloudchamber.records.record import record_path
from cloudchamber.storage import sha256

PREPARED = FOLDER / "prepared/a.h5"
# What was made from the prepared jets.
OF_PREPARED = {
    "prepared/a_observables.h5",
    *(f"models/seed{seed}/{name}" for seed in (1, 2) for name in ("weights.safetensors", "model.json", "history.csv")),
    "jets.h5",
}


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


def _found(capsys: pytest.CaptureFixture[str], folder: Path = FOLDER) -> dict[str, set[str]]:
    """Return the files of each fault, relative to the folder."""
    capsys.readouterr()
    status = main(["verify", str(folder), "--json"])
    captured = capsys.readouterr()
    findings = json.loads(captured.out)["findings"]
    assert (status == 3) == bool(findings), captured.err
    found: dict[str, set[str]] = {}
    for finding in findings:
        found.setdefault(finding["fault"], set()).add(str(Path(finding["file"]).relative_to(folder)))
    return found


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_sound_folder(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / "notes.xyz").write_text("not of the pipeline")
    assert main(["verify", str(study)]) == 0
    captured = capsys.readouterr()
    # The ROOT file and the clouds were made by the test itself.
    assert "no record: results/clouds/a.h5, results/notes.xyz, results/raw/a.root:" in captured.out
    assert captured.out.endswith("results: 15 files, nothing damaged, missing or stale\n")
    assert "verify: 15/15" in captured.err


def test_a_flipped_bit_and_what_was_made_from_it(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _flip(PREPARED)
    assert _found(capsys) == {"damaged": {"prepared/a.h5"}, "stale": OF_PREPARED}
    assert main(["verify", str(study)]) == 3
    captured = capsys.readouterr()
    assert "damaged: results/prepared/a.h5: not what 'prepare' wrote" in captured.out
    assert "stale: results/jets.h5: made from another results/prepared/a.h5 than is there now" in captured.out
    assert captured.err.splitlines()[-1] == "cloudchamber verify: results: 1 damaged, 8 stale, of 14 files"


@pytest.mark.parametrize("name", ["models/seed1/history.csv", "sample.h5", "models/seed2/model.json"])
def test_a_flipped_bit_where_nothing_follows(name: str, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _flip(study / name)
    assert _found(capsys) == {"damaged": {name}}


def test_an_input_made_anew(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study.run("prepare", study / "clouds/a.h5", "--settings", "{}", "--seed", "2", "--output", PREPARED)
    assert _found(capsys) == {"stale": OF_PREPARED}


def test_the_same_work_again_changes_nothing(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study.run("prepare", study / "clouds/a.h5", "--settings", "{}", "--seed", "1", "--output", PREPARED)
    assert _found(capsys) == {}


def test_a_changed_input_without_a_record(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(study / "raw/a.root", "ab") as file:
        file.write(b"\0")
    assert _found(capsys) == {"stale": {"clouds/events.h5"}}


def test_a_file_that_is_gone(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PREPARED.unlink()
    found = _found(capsys)
    assert found == {"missing": {"prepared/a.h5"}, "stale": OF_PREPARED}


def test_without_records_the_files_speak_for_themselves(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in list(study.rglob(".provenance")):
        shutil.rmtree(folder)
    assert _found(capsys) == {}
    content = bytearray(PREPARED.read_bytes())
    position = content.index(b"cloudchamber-clouds")
    content[position] ^= 1
    PREPARED.write_bytes(content)
    found = _found(capsys)
    assert found["damaged"] == {"prepared/a.h5"}
    # Tables say nothing of their inputs.
    assert found["stale"] == {name for name in OF_PREPARED if not name.endswith(".csv")}


def test_a_damaged_record(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_path(PREPARED).write_text("{")
    assert _found(capsys) == {"damaged": {"prepared/a.h5"}}


def test_from_elsewhere_and_under_another_name(
    study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _found(capsys, tmp_path / "study" / study) == {}
    (tmp_path / "study" / study).rename(tmp_path / "old")
    assert _found(capsys, Path("old")) == {}
    _flip(tmp_path / "old/clouds/a.h5")
    found = _found(capsys, Path("old"))
    assert "clouds/a.h5" in found["damaged"]
    assert "prepared/a.h5" in found["stale"]


def test_every_file_is_read_once(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()

    def counted(path: Path) -> str:
        counts[str(path.resolve())] += 1
        return sha256(path)

    monkeypatch.setattr(verification, "sha256", counted)
    assert _found(capsys) == {}
    assert len(counts) == 14
    assert set(counts.values()) == {1}


def test_a_folder_without_files_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        assert main(["verify", str(folder)]) == 3
        assert "no files to verify" in capsys.readouterr().err
