"""The table of data and what shows that a file of the user was replaced."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from assignment_files import random_events
from prepared_jets import raw_jets, write_prepared_jets
from project_copy import REPOSITORY
from root_files import random_towers, write_delphes

from cloudchamber.analysis import plan
from cloudchamber.cli import main
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.readers.jetnet import convert_to_jetnet
from cloudchamber.records.record import record_path
from cloudchamber.studies.assignment.event_file import write_events
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

INGESTION = '{"clouds": {"kind": "events"}, "max_particles": 5}'


def _table(made: object, *files: str) -> int:
    content = {"files": [{"file": file, "source": "mine"} for file in files], "made": made}
    return main(["data-table", "--files", json.dumps(content), "--output", "data.csv"])


def test_a_file_that_is_not_the_one_that_clouds_were_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        write_delphes(Path(f"{name}.root"), {"Tower": random_towers(rng, 5)})
    assert main(["ingest", "a.root", "./b.root", "--settings", INGESTION, "--output", "clouds.h5"]) == 0
    files = ["a.root", str(tmp_path / "b.root")]
    assert _table(["clouds.h5"], *files) == 0
    before = Path("data.csv").read_bytes()
    write_delphes(Path("b.root"), {"Tower": random_towers(rng, 5)})
    capsys.readouterr()
    assert _table(["clouds.h5"], *files) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cloudchamber")]
    assert "b.root: clouds.h5 was made from another file of this name (SHA-256 differs)" in line
    assert line.endswith("snakemake --forcerun clouds.h5")
    assert Path("data.csv").read_bytes() == before
    assert main(["ingest", "a.root", "b.root", "--settings", INGESTION, "--output", "clouds.h5"]) == 0
    assert _table(["clouds.h5"], *files) == 0
    # Clouds that somebody wrote in Python say nothing of files.
    write_clouds("other.h5", raw_jets(4, 3, rng))
    assert _table(["clouds.h5", "other.h5"], *files) == 0
    assert _table(["none.h5"], *files) == 3
    assert _table([1], *files) == _table("clouds.h5", *files) == 2


def test_published_events_of_the_assignment_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    write_events(Path("mine.h5"), random_events(rng, 40), ALL_HADRONIC_TOP_PAIR)
    pipeline = _pipeline(studies=["assignment"], assignment={"published": {"title": "mine", "file": "mine.h5"}})
    sources, events = pipeline.sources, "results/assignment/published/events.h5"
    assert "mine.h5" in sources.all_own_files()
    assert {"file": "mine.h5", "source": "file of the user: events in the layout of SPANet"} in sources.all_files()
    assert events in sources.made()
    Path(events).parent.mkdir(parents=True)
    collected = ["assignment", "collect", "mine.h5", "--settings", "{}", "--seed", "1", "--output", events]
    assert main(collected) == 0
    assert _table([events], "mine.h5") == 0
    write_events(Path("mine.h5"), random_events(rng, 40), ALL_HADRONIC_TOP_PAIR)
    assert _table([events], "mine.h5") == 3
    assert f"mine.h5: {events} was made from another file of this name" in capsys.readouterr().err


def test_a_stamp_is_of_size_and_time(tmp_path: Path) -> None:
    first, second = (str(tmp_path / name) for name in ("a.root", "b.root"))
    for path in (first, second):
        Path(path).write_text("events")
        os.utime(path, (2e9, 2e9))
    before = stamp([first, second])
    assert stamp([first, second]) == before
    for when in (1e9, 2.1e9):
        os.utime(first, (when, when))
        assert stamp([first, second]) != before
    os.utime(first, (2e9, 2e9))
    Path(second).write_text("more events")
    os.utime(second, (2e9, 2e9))
    assert stamp([first, second]) != before
    # A link that leads to another file now is another file, whatever its own time.
    old = tmp_path / "old.root"
    old.write_text("events")
    os.utime(old, (1e9, 1e9))
    link = tmp_path / "current.root"
    link.symlink_to(first)
    before = stamp([str(link)])
    link.unlink()
    link.symlink_to(old)
    assert stamp([str(link)]) != before
    assert stamp([str(tmp_path / "none.root")]) == stamp([])


def _pipeline(**changes: Any) -> Pipeline:
    return plan({**yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8")), **changes}, REPOSITORY)


def test_files_of_the_user_and_what_is_made_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("real.root", "jets.hdf5", "jets_split.h5", "classes_split.h5"):
        Path(name).touch()
    dataset = {
        "title": "mine",
        "source": {"kind": "jetnet", "file": "jets.hdf5"},
        "preparation": {"split": {"indices": "jets_split.h5"}},
    }
    pipeline = _pipeline(
        studies=["jet_generation", "tagging"],
        datasets={"mine": dataset},
        jet_generation={"datasets": ["mine", "top"]},
        tagging={"sample": {"split": {"indices": "classes_split.h5", "train": 0.5, "validation": 0.1}}},
        detector_response={"real_files": {"top": "real.root", "qcd": None}},
    )
    sources = pipeline.sources
    assert sources.all_own_files() == ["jets.hdf5", "jets_split.h5", "classes_split.h5", "real.root"]
    assert {*sources.all_own_files()} < {entry["file"] for entry in sources.all_files()}
    assert {
        "results/clouds/mine.h5",
        "results/clouds/top.h5",
        "results/prepared/mine.h5",
        "results/tagging/jets.h5",
        "results/detector_response/top/real.h5",
    } < {*sources.made()}
    assert "results/prepared/top.h5" not in sources.made()
    assert not sources.own_files("top"), "simulated here"


def test_studies_without_data_sets_have_no_table_of_data() -> None:
    pipeline = _pipeline(studies=["gating", "neutrinos"], detector_response=None)
    assert not pipeline.sources.all_files()
    assert "results/data.csv" not in pipeline.all_results()
    assert "results/data.csv" in _pipeline(studies=["gating", "tagging"]).all_results()


def test_a_file_that_a_command_of_a_process_names_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "model.slha"
    path.write_text("BLOCK MASS\n")
    process = {"title": "mine", "events": 10, "pt_hat": [500, 1000]}
    command = f"SLHA:file={path}"
    processes = {
        "named": {**process, "commands": ["HardQCD:all = on", command]},
        "other": {**process, "commands": ["HardQCD:all = on"]},
    }

    def stamps() -> list[str]:
        made = _pipeline(processes=processes)
        return [made.simulation_stamp(made.code("simulate"))(SimpleNamespace(process=name)) for name in processes]

    named, other = stamps()
    path.write_text("BLOCK MASS\n 25 200.0\n")
    os.utime(path, (1e9, 1e9))
    changed, same = stamps()
    assert changed != named
    assert same == other


def test_a_file_in_place_of_a_download_is_said_and_one_of_a_record_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    source = {"kind": "jetnet", "download": "jetnet30_top"}
    pipeline = _pipeline(
        studies=["jet_generation"],
        detector_response=None,
        datasets={"top": {"title": "top", "source": source, "ingestion": None}},
        jet_generation={"datasets": ["top"]},
    )
    (listed,) = pipeline.sources.all_files()
    assert listed["download"] == "jetnet30_top"
    write_prepared_jets(Path("jets.h5"), jets=40, seed=1)
    file, table = Path(listed["file"]), Path("data.csv")
    assert main(["to-jetnet", "jets.h5", "--output", str(file)]) == 0
    command = ["data-table", "--files", json.dumps({"files": [listed]}), "--output", str(table)]
    assert main(command) == 0
    assert "not verified" not in table.read_text(encoding="utf-8")
    read = ["from-jetnet", str(file), "--output", "clouds.h5"]
    assert main(read) == 0
    write_prepared_jets(Path("jets.h5"), jets=40, seed=2)
    convert_to_jetnet(Path("jets.h5"), file)
    assert main(read) == 3
    assert f"{file}: not the file that 'to-jetnet' wrote" in capsys.readouterr().err
    record_path(file).unlink()
    assert main(read) == main(command) == 0
    assert "put there by hand and not verified, in place of JetNet30 top" in table.read_text(encoding="utf-8")
