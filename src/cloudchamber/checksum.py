"""Checksums of files whose format has none: ``FILE.sha256`` beside the file, as sha256sum writes and checks it.

ROOT files need one: Zstandard and uncompressed baskets carry no sum, so that a flipped bit there reads as a wrong
number.
"""

from pathlib import Path

from cloudchamber.errors import InputError
from cloudchamber.storage import sha256, write_text

__all__ = ["verify_checksum", "write_checksum"]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def write_checksum(path: Path, content: Path) -> None:
    """Write the checksum of ``path``, which is about to get the content of the file ``content``.

    Raises:
        StorageError: it cannot be written.
    """
    write_text(_beside(path), f"{sha256(content)}  {path.name}\n")


def verify_checksum(path: Path) -> None:
    """Compare a file with the checksum beside it, where there is one.

    Raises:
        InputError: they differ, or one of them cannot be read.
    """
    beside = _beside(path)
    if not beside.exists():
        return
    try:
        expected = beside.read_text(encoding="ascii").split()[0]
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{beside}: cannot be read as a checksum: {error}") from error
    if sha256(path) != expected:
        raise InputError(
            f"{path}: damaged, or another file than the one that {beside.name} describes (SHA-256 differs); "
            "make it again, or remove the checksum if the file was replaced on purpose"
        )
