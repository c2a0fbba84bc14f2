"""Files appear whole or not at all, and are described by hashes that anyone can check."""

import hashlib
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloudchamber import __version__
from cloudchamber.errors import InputError, StorageError
from cloudchamber.metrics.tables import read_table
from cloudchamber.storage import (
    atomic_path,
    provenance,
    read_json,
    sha256,
    write_bytes,
    write_json,
    write_rows,
    write_text,
)


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Let the operating system refuse larger files, as it does on a full disk or beyond a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_content_appears_at_the_end_of_the_block_under_a_name_of_the_same_suffix(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "table.csv"
    with atomic_path(path) as aside:
        aside.write_text("a,b\n")
        assert aside.parent == path.parent
        assert aside.suffix == ".csv"
        assert not path.exists()
    assert path.read_text() == "a,b\n"
    assert list(path.parent.iterdir()) == [path]


def _write_half(path: Path, other: Path | None) -> None:
    with atomic_path(path) as aside:
        aside.write_text("a")
        if other:
            other.write_text("b")
        raise InputError("half way")


def test_after_an_error_no_new_folder_is_left(tmp_path: Path) -> None:
    for other in (None, tmp_path / "new" / "of_others.txt"):
        with pytest.raises(InputError):
            _write_half(tmp_path / "new" / "folder" / "table.csv", other)
        assert sorted(tmp_path.rglob("*")) == ([other.parent, other] if other else [])


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old, and longer")
    write_text(path, "new: é")
    assert path.read_text(encoding="utf-8") == "new: é"


@pytest.mark.parametrize("raised", [RuntimeError("no"), KeyboardInterrupt()])
def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path, raised: BaseException) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def interrupted() -> None:
        with atomic_path(path) as aside:
            aside.write_text("half")
            raise raised

    with pytest.raises(type(raised)):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with _largest_file(10_000), pytest.raises(StorageError, match="disk full after") as caught:
        write_bytes(path, bytes(100_000))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("below", ["x.txt", "further/x.txt"])
def test_a_file_where_the_folder_should_be_is_one_line(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(StorageError, match="file") as caught:
        write_text(tmp_path / "file" / below, "text")
    assert "\n" not in str(caught.value)


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"), atomic_path(tmp_path / "a.txt"):
        pass
    assert not list(tmp_path.iterdir())


def test_json_is_written_sorted_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {"b": [1, 2.5, None], "a": {"z": "ä", "y": True}}
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text().index('"a"') < path.read_text().index('"b"')
    assert path.read_text().endswith("}\n")


def test_unusable_json_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(InputError, match=r"a\.json: cannot be read"):
        read_json(path)
    path.write_text('{"a": 1')
    with pytest.raises(InputError, match=r"a\.json: not a JSON file"):
        read_json(path)
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match=r"a\.json: not a JSON file"):
        read_json(path)


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    content = bytes(range(256)) * 5000
    path.write_bytes(content)
    assert sha256(path) == hashlib.sha256(content).hexdigest()
    with pytest.raises(InputError, match=r"b\.bin: cannot be read"):
        sha256(tmp_path / "b.bin")


def test_provenance_is_the_same_each_time_and_names_inputs_by_content(tmp_path: Path) -> None:
    path = tmp_path / "input.h5"
    path.write_bytes(b"clouds")
    first, second = (provenance("prepare", {"scale": "log"}, [path], seed=3) for _ in range(2))
    assert first == second
    assert first == json.loads(json.dumps(first))
    assert first["inputs"] == {str(path): hashlib.sha256(b"clouds").hexdigest()}
    assert (first["step"], first["settings"], first["seed"]) == ("prepare", {"scale": "log"}, 3)
    assert first["cloudchamber"] == __version__
    assert first["packages"]["torch"].startswith("2.")


def test_what_is_not_a_number_is_missing_for_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_rows(path, [{"solver": "euler", "value": float("nan")}, {"solver": "heun", "value": 0.5, "more": 1}])
    assert path.read_text() == "solver,value,more\neuler,,\nheun,0.5,1\n"
    table = read_table(path)
    assert table["value"].isna().tolist() == [True, False]
    assert table["value"].dtype == float
