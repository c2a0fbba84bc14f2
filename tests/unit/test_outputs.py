"""Outputs that would take the place of each other, or of what a command reads, are refused."""

import json
from pathlib import Path

import pytest

from cloudchamber.cli.outputs import refuse_lost_files
from cloudchamber.errors import SettingsError


def test_one_file_for_two_outputs_is_refused(tmp_path: Path) -> None:
    given = {"weights": tmp_path / "a.csv", "history_table": tmp_path / "b" / ".." / "a.csv"}
    with pytest.raises(SettingsError, match=r"^--weights and --history-table: both are "):
        refuse_lost_files(given, tuple(given))


@pytest.mark.parametrize("kind", ["list", "json", "wildcard", "link"])
def test_an_output_that_is_read_is_refused(kind: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw.root"
    raw.write_bytes(b"raw")
    (tmp_path / "link.root").symlink_to(raw)
    sources = {
        "list": [raw],
        "json": json.dumps({"models": [{"weights": str(raw)}]}),
        "wildcard": [f"{tmp_path}/ra*.root"],
        "link": [tmp_path / "link.root"],
    }
    with pytest.raises(SettingsError, match=r"^--output: .*\.root is what the command reads$"):
        refuse_lost_files({"sources": sources[kind], "output": raw}, ("output",))


def test_an_output_that_is_there_already_is_written_again(tmp_path: Path) -> None:
    for name in ("raw.root", "events.h5"):
        (tmp_path / name).write_bytes(b"")
    given = {"sources": [tmp_path / "raw.root"], "output": tmp_path / "events.h5", "curves": None}
    refuse_lost_files(given, ("output", "curves"))
