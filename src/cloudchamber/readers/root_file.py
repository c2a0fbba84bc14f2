"""ROOT files: whether a file is one and whole, and which tree is in it, with one clear line where not."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uproot

from cloudchamber.errors import InputError
from cloudchamber.records.record import verify_record

__all__ = ["one_line", "open_root_tree", "trees_of"]

_LFS_POINTER = b"version https://git-lfs"
_LARGE_FILE_VERSION = 1_000_000  # from this version number on the header holds 64-bit positions


@contextmanager
def open_root_tree(path: Path, name: str, recorded: bool = True) -> Iterator[Any]:
    """Open the tree ``name`` of a ROOT file, its highest cycle, as a tree of uproot.

    Args and errors are those of :func:`cloudchamber.readers.delphes.open_tree`.
    """
    with _opened(path, recorded) as file:
        yield _find_tree(path, file, name)


@contextmanager
def _opened(path: Path, recorded: bool = False) -> Iterator[Any]:
    _check_header(path)
    # Zstandard and uncompressed baskets carry no sum: a flipped bit there reads as a wrong number.
    if recorded:
        verify_record(path)
    try:
        # A mapping keeps uproot from taking a colon in the path as the start of an object's name.
        file = uproot.open({str(path): None})
    except Exception as error:
        raise InputError(f"{path}: cannot be opened: {one_line(error)}") from error
    with file:
        yield file


def trees_of(path: Path) -> dict[str, int]:
    """Return the entries of each tree of a file, of its highest cycle.

    Raises:
        InputError: the file is missing, truncated, not a ROOT file or only a Git LFS pointer, or a tree is damaged.
    """
    with _opened(path) as file:
        try:
            names = [name for name, kind in file.classnames(cycle=False).items() if kind == "TTree"]
            return {name: int(file[name].num_entries) for name in dict.fromkeys(names)}
        except Exception as error:
            raise InputError(f"{path}: its trees cannot be read: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """Return kind and message of an error of uproot, which may have many lines, in one."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _check_header(path: Path) -> None:
    """Check magic bytes and length before uproot, whose errors for the same faults are hard to understand."""
    try:
        with open(path, "rb") as opened:
            head = opened.read(64)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if head.startswith(_LFS_POINTER):
        raise InputError(f"{path}: a Git LFS pointer, not the file itself (git lfs pull fetches it)")
    if not head.startswith(b"root"):
        raise InputError(f"{path}: not a ROOT file")
    if len(head) < 64:
        raise InputError(f"{path}: truncated: {size} bytes are not even a header")
    (version,) = struct.unpack(">i", head[4:8])
    (end,) = struct.unpack(">q", head[12:20]) if version >= _LARGE_FILE_VERSION else struct.unpack(">i", head[12:16])
    if size < end:
        raise InputError(f"{path}: truncated: {size} of {end} bytes are there")


def _find_tree(path: Path, file: Any, name: str) -> Any:
    try:
        classes = file.classnames(cycle=False)
        tree = file[name] if name in classes else None
        entries = tree.num_entries if isinstance(tree, uproot.TTree) else None
    except Exception as error:
        raise InputError(f"{path}: tree '{name}' cannot be read: {one_line(error)}") from error
    if entries is None:
        if tree is not None:
            raise InputError(f"{path}: '{name}' is a {classes[name]}, expected a TTree")
        trees = sorted(key for key, kind in classes.items() if kind == "TTree")
        raise InputError(f"{path}: no tree '{name}'; trees there are {trees}")
    if entries == 0:
        raise InputError(f"{path}: tree '{name}' has no events")
    return tree
