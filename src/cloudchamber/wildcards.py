"""Files by paths and wildcards: settings, commands and records all mean the same files by the same text."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from cloudchamber.errors import InputError

__all__ = ["existing_files", "expand", "hint"]


def expand(patterns: Iterable[str | Path]) -> list[Path]:
    """Return the files that paths and wildcards name, sorted, each once under whatever names it is found.

    A text that is the path of something is that path, whatever characters are in it, and so is a part of it that is the
    name of something: "data[1]/*.root" are files in the folder "data[1]" where there is one. ``**`` stands for folders
    at any depth, linked ones too; as part of a name, as in "data/**.root", it matches nothing, and nor does ``[^`` in
    place of ``[!``. Wildcards match no folder and nothing hidden. A text that nothing matches stays as it is,
    for who asks for the file to miss it.

    Args:
        patterns: such as "data/*.root" and "data/**/*.root".

    Raises:
        InputError: a folder on the way cannot be read, so that files in it would be left out.
    """
    found: set[Path] = set()
    for path in map(Path, patterns):
        literal = os.path.lexists(path) or not has_magic(str(path))
        root, parts = (path.anchor, path.parts[1:]) if path.anchor else ("", path.parts)
        # A link that leads nowhere is kept: a file that is lost must not go unnoticed.
        matches = () if literal else _matches(root, parts)
        found |= {Path(match) for match in matches if not os.path.isdir(match)} or {path}
    names: dict[str, Path] = {}
    for path in sorted(found):
        names.setdefault(os.path.realpath(path), path)
    return list(names.values())


def existing_files(patterns: Iterable[str | Path]) -> list[Path]:
    """Return what :func:`expand` does.

    Raises:
        InputError: a path or pattern leads to no file, or see :func:`expand`.
    """
    files = expand(patterns)
    for path in files:
        if path.is_dir():
            raise InputError(f"{path}: a folder; its files are {path / '*'}, those at any depth {path / '**' / '*'}")
        if not path.exists():
            raise InputError(f"{path}: {'no file matches' if has_magic(str(path)) else 'no such file'}{hint(path)}")
    return files


def hint(pattern: str | Path) -> str:
    """Return what to say of a path that leads nowhere: of an address, of ``[^``, and of ``**`` as part of a name."""
    # Path has made one slash of two.
    if re.match(r"[a-z]+:/", str(pattern)):
        return "; only local files are read: copy it first (xrdcp, wget), or mount what it lies on"
    if "[^" in str(pattern):
        return "; all characters but some are [!...], as in part_[!0].root"
    misplaced = any("**" in part and part != "**" for part in Path(pattern).parts)
    return "; ** stands for folders alone, as in data/**/*.root" if misplaced else ""


def _matches(folder: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield what lies below a folder and matches the parts of a pattern, one for each level."""
    if not parts:
        yield folder
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        for below in _folders(folder, set()):
            yield from _matches(below, rest or ["*"])
    elif "**" in part:
        # To other programs it is one folder, or all below: who writes it means more files than those in one folder.
        return
    elif os.path.lexists(path := os.path.join(folder, part)):
        yield from _matches(path, rest)
    elif "[^" in part:
        # To most shells all other characters, to Python these: one would read the files that the other leaves out.
        return
    elif has_magic(part):
        for name in _names(folder):
            if fnmatchcase(name, part):
                yield from _matches(os.path.join(folder, name), rest)


def _folders(folder: str, seen: set[str]) -> Iterator[str]:
    """Yield a folder and those in it at any depth, each once: links may lead round in a circle."""
    real = os.path.realpath(folder)
    if real not in seen:
        seen.add(real)
        yield folder
        for name in _names(folder):
            if os.path.isdir(path := os.path.join(folder, name)):
                yield from _folders(path, seen)


def _names(folder: str) -> list[str]:
    """Return the names in a folder, sorted, without hidden ones; none where it is a file or not there."""
    try:
        return sorted(name for name in os.listdir(folder or os.curdir) if not name.startswith("."))
    except (NotADirectoryError, FileNotFoundError):
        return []
    except OSError as error:
        raise InputError(f"{folder}: files in it are asked for, and it cannot be read: {error.strerror}") from error
