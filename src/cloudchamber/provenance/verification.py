"""The step ``verify``: which files of a results folder are damaged, missing or made from something that has changed."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, final

from cloudchamber.errors import InputError
from cloudchamber.progress import progress
from cloudchamber.provenance.contents import read_contents
from cloudchamber.provenance.found_contents import UnknownKindError
from cloudchamber.records.record import FOLDER, read_record, record_path
from cloudchamber.storage import sha256

__all__ = ["Finding", "findings", "verify"]


@final
@dataclass(frozen=True)
class Finding:
    """What is wrong with a file.

    Attributes:
        file: which.
        fault: "damaged": not what was written, or not readable; "missing": written, and no longer there; "stale": an
            input is not what the file was made from.
        reason: in words.
    """

    file: str
    fault: Literal["damaged", "missing", "stale"]
    reason: str


def verify(folder: Path, as_json: bool) -> None:
    """Check a results folder and print what is wrong with it.

    Args:
        folder: everything below it is checked.
        as_json: whether for machines.

    Raises:
        InputError: something is wrong, or the folder holds no file.
    """
    checked, unrecorded, found = findings(folder)
    if as_json:
        content = {"checked": checked, "unrecorded": unrecorded, "findings": [asdict(finding) for finding in found]}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{finding.fault}: {finding.file}: {finding.reason}\n" for finding in found)
        if unrecorded:
            sys.stdout.write(f"no record: {_some(unrecorded)}: checked as far as the format of each allows\n")
        if not found:
            sys.stdout.write(f"{folder}: {checked} files, nothing damaged, missing or stale\n")
    if found:
        counts = {fault: sum(finding.fault == fault for finding in found) for fault in ("damaged", "missing", "stale")}
        summary = ", ".join(f"{number} {fault}" for fault, number in counts.items() if number)
        raise InputError(f"{folder}: {summary}, of {checked} files")


def _some(names: Sequence[str], shown: int = 3) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def findings(folder: Path) -> tuple[int, list[str], list[Finding]]:
    """Return the number of files below a folder, which of them have no record, and what is wrong with any.

    Every file and every input is read once. A file with a record is verified by its hash. One without is read by the
    rules of its format where that has any; it can be stale by what it says itself.

    Raises:
        InputError: there is no such folder, or no file in it.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path.relative_to(folder))]
    if not files:
        raise InputError(f"{folder}: no files to verify")
    hashes = _Hashes()
    examined: list[_Examined] = []
    found: list[Finding] = []
    with progress("verify", len(files), "files") as report:
        for path in files:
            report.note(path.name)
            examined.append(_examine(path, hashes))
            report.update()
        for place in sorted(folder.rglob(f"{FOLDER}/*.json")):
            path = place.parent.parent / place.name.removesuffix(".json")
            if not path.exists():
                found.append(Finding(str(path), "missing", f"was written, as {place} says"))
        report.note("their inputs")
        for file in examined:
            found += [Finding(str(file.path), "damaged", file.fault)] if file.fault else []
            reasons = [_changed(name, expected, file.root, hashes) for name, expected in file.inputs.items()]
            found += [Finding(str(file.path), "stale", reason) for reason in reasons if reason]
    unrecorded = [str(path) for path in files if not record_path(path).exists()]
    return len(files), unrecorded, sorted(found, key=lambda finding: (finding.fault, finding.file))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


@final
class _Hashes:
    """SHA-256 of files, each computed once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, path: Path) -> str:
        key = os.path.realpath(path)
        if key not in self._known:
            self._known[key] = sha256(path)
        return self._known[key]

    def __contains__(self, digest: str) -> bool:
        return digest in self._known.values()


@final
@dataclass(frozen=True)
class _Examined:
    """A file by itself: what is wrong with it, what it was made from, and what the paths of that are relative to."""

    path: Path
    fault: str | None
    inputs: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None


def _examine(path: Path, hashes: _Hashes) -> _Examined:
    try:
        record = read_record(path)
        digest = hashes.of(path)
    except InputError as error:
        return _Examined(path, str(error))
    if record is not None:
        fault = None if digest == record["sha256"] else f"not what '{record['step']}' wrote (SHA-256 differs)"
        return _Examined(path, fault, record["inputs"], _root(path, Path(record["file"])))
    try:
        return _Examined(path, None, read_contents(path).provenance.get("inputs", {}))
    except (ModuleNotFoundError, UnknownKindError):
        return _Examined(path, None)
    except InputError as error:
        return _Examined(path, str(error).removeprefix(f"{path}: "))


def _root(path: Path, written: Path) -> Path | None:
    """Return the folder that a step ran in, by where its output lies now, or None where that has another name."""
    here = path.absolute()
    if written.is_absolute() or here.parts[-len(written.parts) :] != written.parts:
        return None
    return Path(*here.parts[: -len(written.parts)])


def _changed(name: str, expected: str, root: Path | None, hashes: _Hashes) -> str | None:
    """Return how an input differs from what was used, or None where it does not."""
    if root is None and expected in hashes:
        # In a folder that was renamed, files are known by what they are; at their old place may be newer ones.
        return None
    path = Path(name) if root is None else root / name
    if not path.is_file():
        return f"its input {name} is no longer there"
    try:
        return None if hashes.of(path) == expected else f"made from another {name} than is there now"
    except InputError as error:
        return str(error)
