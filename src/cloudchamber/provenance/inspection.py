"""The step ``inspect``: what made a file, what is in it, and whether it is still what was written."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cloudchamber.damage import refuse_no_file
from cloudchamber.errors import InputError
from cloudchamber.provenance.contents import read_contents
from cloudchamber.provenance.found_contents import Contents
from cloudchamber.records.record import read_record
from cloudchamber.storage import sha256

__all__ = ["inspect", "inspected"]


def inspected(path: Path) -> dict[str, Any]:
    """Return everything that is known of a file after it has verified.

    Returns:
        "file", "bytes", "sha256"; "kind", "checks", "facts" and "provenance" as in
        :class:`cloudchamber.provenance.found_contents.Contents`; "record", what the step wrote beside the file, or
        None.

    Raises:
        InputError: the file is missing or damaged, or not the one that its record is about.
    """
    refuse_no_file(path)
    record = read_record(path)
    digest, size = sha256(path), path.stat().st_size
    if record is not None and digest != record["sha256"]:
        raise InputError(
            f"{path}: not the file that '{record['step']}' wrote: {size} bytes with SHA-256 {digest[:12]}..., written "
            f"were {record['bytes']} with {record['sha256'][:12]}...: damaged, or changed since"
        )
    contents = _contents(path, recorded=record is not None)
    checks = ("SHA-256 of the record", *contents.checks) if record else contents.checks
    facts = {**asdict(contents), "checks": checks}
    return {"file": str(path), "bytes": size, "sha256": digest, **facts, "record": record}


def _contents(path: Path, recorded: bool) -> Contents:
    try:
        return read_contents(path)
    except ModuleNotFoundError as error:
        # The record holds on a machine that has not the packages to read the file.
        if recorded:
            return Contents(f"file ({error.name} is not installed to look into it)")
        raise InputError(f"{path}: cannot be read here: {error.name} is not installed") from error


def inspect(path: Path, as_json: bool) -> None:
    """Print what is known of a file.

    Args:
        path: any file that the pipeline writes.
        as_json: whether for machines.

    Raises:
        InputError: see :func:`inspected`.
    """
    found = inspected(path)
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if as_json else _text(found))


def _text(found: Mapping[str, Any]) -> str:
    """Return the same for people: the record where there is one, else what the file says of itself."""
    record = found["record"] or {}
    stored = found["provenance"]
    made = {
        "step": record.get("step", stored.get("step")),
        "seed": record.get("arguments", {}).get("seed", stored.get("seed")),
        "code": _code(record.get("code", {}), stored),
        "machine": _machine(record),
        "time": _time(record.get("run", {})),
    }
    settings = record.get("arguments", {}).get("settings") or stored.get("settings")
    arguments = {key: value for key, value in record.get("arguments", {}).items() if key not in ("settings", "seed")}
    sections = {
        "made by": {key: value for key, value in made.items() if value is not None},
        "inputs": record.get("inputs") or stored.get("inputs"),
        "settings": settings,
        "other arguments": arguments,
        "packages": record.get("packages") or stored.get("packages"),
        "contents": found["facts"],
    }
    verified = ", ".join(found["checks"]) or "nothing: no record beside it, and its format has no checksum"
    lines = [
        found["file"],
        f"  kind: {found['kind']}",
        f"  size: {found['bytes']:,} bytes",
        f"  SHA-256: {found['sha256']}",
        f"  verified: {verified}",
    ]
    for title, content in sections.items():
        if content:
            lines += [f"{title}:", *_lines(content)]
    return "\n".join(lines) + "\n"


def _lines(content: Mapping[str, Any], indentation: str = "  ") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield f"{indentation}{key}:"
            yield from _lines(value, f"{indentation}  ")
        else:
            yield f"{indentation}{key}: {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple) and not any(isinstance(item, Mapping) for item in value):
        return ", ".join(_value(item) for item in value) or "none"
    return json.dumps(value) if isinstance(value, list | Mapping) else "none" if value is None else str(value)


def _code(code: Mapping[str, Any], stored: Mapping[str, Any]) -> str | None:
    if not code:
        version = stored.get("cloudchamber")
        digest = stored.get("code")
        return f"cloudchamber {version}" if version else f"sources {digest}" if digest else None
    commit = f", commit {code['commit']}{' with changes' if code['modified'] else ''}" if code["commit"] else ""
    return f"cloudchamber {code['version']}{commit}, sources {code['sources'][:16]}"


def _machine(record: Mapping[str, Any]) -> str | None:
    if "machine" not in record:
        return None
    machine = record["machine"]
    parts = [machine["processor"], f"{machine['cores']} cores", f"{machine['memory_gib']} GiB", machine["platform"]]
    return ", ".join([*parts, *machine["accelerators"]])


def _time(run: Mapping[str, Any]) -> str | None:
    if not run:
        return None
    threads = f"{run['threads']} thread{'s' if run['threads'] > 1 else ''}"
    return f"{run['elapsed_seconds']:g} s on {threads}, finished {run['finished']}"
