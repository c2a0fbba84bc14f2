"""Downloads: a file that is not what the table, the lock or the record says never gets its name."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.cli import main
from cloudchamber.download import download
from cloudchamber.errors import InputError, SettingsError, StorageError
from cloudchamber.settings.external import ExternalFile, external_files

CONTENT = bytes(range(256)) * 5000  # more than one block
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder that plays the archive: the file and its record."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "t.hdf5").write_bytes(CONTENT)
    record(folder, {"key": "t.hdf5", "size": len(CONTENT), "checksum": MD5})
    return folder


def record(folder: Path, *entries: dict[str, Any]) -> None:
    (folder / "record.json").write_text(json.dumps({"id": 1, "files": [{"key": "other", "checksum": "x"}, *entries]}))


def row(archive: Path, **changes: Any) -> ExternalFile:
    values = {
        "name": "jets",
        "file": "t.hdf5",
        "version": "1",
        "url": (archive / "t.hdf5").as_uri(),
        "record": (archive / "record.json").as_uri(),
        "description": "jets",
    }
    return ExternalFile.model_validate(values | changes)


def refused(file: ExternalFile, tmp_path: Path, mirrors: tuple[str, ...] = ()) -> str:
    """Download and return the one line of the refusal; nothing may be left."""
    output = tmp_path / "data/external/t.hdf5"
    with pytest.raises(InputError) as caught:
        download(file, output, tmp_path / "data/external.lock", mirrors)
    assert not output.exists()
    assert not (tmp_path / "data/external.lock").exists()
    assert not output.parent.exists() or not list(output.parent.iterdir())
    message = str(caught.value)
    assert "\n" not in message
    assert "t.hdf5" in message
    return message


@pytest.mark.parametrize("checksum", [MD5, SHA256])
def test_a_file_that_the_table_knows(archive: Path, tmp_path: Path, checksum: str) -> None:
    output, lock = tmp_path / "new/folder/t.hdf5", tmp_path / "lock"
    (archive / "record.json").unlink()
    download(row(archive, bytes=len(CONTENT), checksum=checksum), output, lock)
    assert output.read_bytes() == CONTENT
    assert list(output.parent.iterdir()) == [output]
    assert not lock.exists(), "what the table knows needs no lock"


@pytest.mark.parametrize(
    "entry",
    [
        {"key": "t.hdf5", "size": len(CONTENT), "checksum": MD5},
        {"filename": "t.hdf5", "filesize": len(CONTENT), "checksum": MD5.removeprefix("md5:")},
        {"key": "t.hdf5", "checksum": MD5},
    ],
    ids=["new form", "old form", "no size"],
)
def test_the_record_is_asked_once_and_pinned(archive: Path, tmp_path: Path, entry: dict[str, Any]) -> None:
    output, lock = tmp_path / "t.hdf5", tmp_path / "data/external.lock"
    record(archive, entry)
    download(row(archive), output, lock)
    assert json.loads(lock.read_text()) == {"jets": {"bytes": len(CONTENT), "checksum": MD5}}
    # Archive and record now agree on other content; the lock does not.
    other = CONTENT[::-1]
    (archive / "t.hdf5").write_bytes(other)
    record(archive, {"key": "t.hdf5", "size": len(other), "checksum": "md5:" + hashlib.md5(other).hexdigest()})
    output.unlink()
    with pytest.raises(InputError, match=f"expected {MD5}"):
        download(row(archive), output, lock)
    assert not output.exists()
    assert json.loads(lock.read_text())["jets"]["checksum"] == MD5


def test_pins_of_other_files_stay(archive: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({"others": {"bytes": 3, "checksum": "md5:" + "0" * 32}}))
    download(row(archive), tmp_path / "t.hdf5", lock)
    assert set(json.loads(lock.read_text())) == {"others", "jets"}


def test_a_mirror_is_tried_first_and_the_archive_after_it(archive: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    file = row(archive, checksum=MD5)
    download(file, tmp_path / "a.hdf5", tmp_path / "lock", [str(mirror)])
    assert (tmp_path / "a.hdf5").read_bytes() == CONTENT
    (archive / "t.hdf5").rename(mirror / "t.hdf5")
    for number, name in enumerate((str(mirror), mirror.as_uri(), mirror.as_uri() + "/")):
        download(file, tmp_path / f"{number}.hdf5", tmp_path / "lock", [name])
        assert (tmp_path / f"{number}.hdf5").read_bytes() == CONTENT


def test_a_file_that_is_there_is_verified_and_not_fetched_again(archive: Path, tmp_path: Path) -> None:
    output = tmp_path / "t.hdf5"
    output.write_bytes(CONTENT)
    (archive / "t.hdf5").unlink()
    download(row(archive, checksum=MD5), output, tmp_path / "lock")
    assert output.read_bytes() == CONTENT


def test_a_damaged_file_that_is_there_is_replaced_only_by_the_right_one(archive: Path, tmp_path: Path) -> None:
    output = tmp_path / "t.hdf5"
    output.write_bytes(CONTENT[:-1] + b"x")
    download(row(archive, checksum=MD5), output, tmp_path / "lock")
    assert output.read_bytes() == CONTENT


def test_a_wrong_checksum(archive: Path, tmp_path: Path) -> None:
    damaged = CONTENT[:-1] + b"x"
    (archive / "t.hdf5").write_bytes(damaged)
    message = refused(row(archive), tmp_path)
    assert f"md5:{hashlib.md5(damaged).hexdigest()}, expected {MD5}" in message


def test_half_a_file(archive: Path, tmp_path: Path) -> None:
    (archive / "t.hdf5").write_bytes(CONTENT[:1000])
    assert f"1000 bytes, expected {len(CONTENT)}" in refused(row(archive), tmp_path)


def test_a_file_that_does_not_end(archive: Path, tmp_path: Path) -> None:
    (archive / "t.hdf5").write_bytes(CONTENT * 3)
    assert f"more than the expected {len(CONTENT)} bytes" in refused(row(archive), tmp_path)


def test_a_missing_address_and_a_wrong_mirror_are_both_named(archive: Path, tmp_path: Path) -> None:
    (archive / "t.hdf5").unlink()
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "t.hdf5").write_bytes(b"not found")
    message = refused(row(archive), tmp_path, (str(mirror),))
    assert f"{(mirror / 't.hdf5').as_uri()}: 9 bytes, expected {len(CONTENT)}" in message
    assert f"{(archive / 't.hdf5').as_uri()}: cannot be read" in message


def test_an_address_of_no_kind(archive: Path, tmp_path: Path) -> None:
    assert "cannot be read" in refused(row(archive, url="t.hdf5"), tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": [{"key": "t.hdf5"}]}', '{"files": [1]}'])
def test_a_record_that_says_nothing(archive: Path, tmp_path: Path, content: str) -> None:
    (archive / "record.json").write_text(content)
    assert "does not state it" in refused(row(archive), tmp_path)


def test_no_checksum_known(archive: Path, tmp_path: Path) -> None:
    assert "has no record to ask" in refused(row(archive, record=None), tmp_path)
    (archive / "record.json").unlink()
    assert "record cannot be asked" in refused(row(archive), tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"jets": 3}', '{"jets": {"md5": "a"}}', '{"jets": {"checksum": "a"}}'])
def test_a_broken_lock_is_named(archive: Path, tmp_path: Path, content: str) -> None:
    lock = tmp_path / "external.lock"
    lock.write_text(content)
    with pytest.raises((InputError, SettingsError), match=r"external\.lock") as caught:
        download(row(archive), tmp_path / "t.hdf5", lock)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "t.hdf5").exists()


def test_a_lock_that_cannot_be_written_leaves_no_file(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match=r"external\.lock"):
        download(row(archive), tmp_path / "t.hdf5", tmp_path / "data/external.lock")
    assert not (tmp_path / "t.hdf5").exists()


def test_the_command_takes_the_mirrors_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.hdf5").write_bytes(b"short")
    monkeypatch.setenv("CLOUDCHAMBER_MIRRORS", f"{tmp_path / 'nowhere'} {tmp_path}")
    # The table is asked for its size and the lock for the checksum, so that nothing is asked of the record.
    lock = tmp_path / "external.lock"
    lock.write_text(json.dumps({"jetnet30_top": {"checksum": MD5}}))
    monkeypatch.setattr("cloudchamber.download.urlopen", local_only)
    output = tmp_path / "out/t.hdf5"
    assert main(["download", "jetnet30_top", "--lock", str(lock), "--output", str(output)]) == InputError.exit_status
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1].startswith("cloudchamber download: t.hdf5: ")
    assert "5 bytes, expected 88262768" in errors[-1]
    assert not output.parent.exists()
    command = ["download", "nothing", "--lock", str(lock), "--output", str(output)]
    assert main(command) == SettingsError.exit_status
    assert "no external file 'nothing' among" in capsys.readouterr().err


def local_only(request: Any, timeout: float) -> Any:
    from urllib.request import urlopen

    if not request.full_url.startswith("file:"):
        raise OSError("no network in tests")
    return urlopen(request, timeout=timeout)


# Jets of each file, as its record describes them (Zenodo 6975118).
JETS = {"gluon": 177252, "top": 177945, "quark": 170679, "w": 177172, "z": 176952}


def test_the_table_of_the_package() -> None:
    files = external_files()
    assert set(files) == {f"jetnet{particles}_{kind}" for particles in (30, 150) for kind in JETS}
    for kind, jets in JETS.items():
        file = files[f"jetnet30_{kind}"]
        # Float32 values of 30 particles and of the jet, four each, and the headers of HDF5.
        assert file.bytes == jets * (30 + 1) * 4 * 4 + 2048
        assert file.record == "https://zenodo.org/api/records/6975118"
        assert file.url == f"https://zenodo.org/records/6975118/files/{file.file}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Jets,a,1,u,,,,d", "row 2: name: "),
        ("b,../a,1,u,,,,d", "row 2: file: "),
        ("b,a,1,u,,many,,d", "row 2: bytes: "),
        ("b,a,1,u,,3,md5:12,d", "row 2: checksum: "),
        ("b,,1,u,,,,d", "row 2: file: "),
        ("first,a,1,u,,,,d", "two rows have the name 'first'"),
        ("b,first.h5,1,u,,,,d", "two rows have the file 'first.h5'"),
    ],
)
def test_a_wrong_row_is_one_line(tmp_path: Path, line: str, message: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"name,file,version,url,record,bytes,checksum,description\nfirst,first.h5,1,u,,,,d\n{line}\n")
    with pytest.raises(SettingsError, match=message) as caught:
        external_files(table)
    assert str(table) in str(caught.value)
    assert "\n" not in str(caught.value)
