"""What shows that a file of the user was replaced: Snakemake reruns a job when one of its parameters has changed.

By itself it reruns what is older than an input, and so does not see a file that was replaced by an older one.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["content_stamp", "stamp"]


def content_stamp(files: Iterable[str]) -> str:
    """Return a text that is another one when the content of a file has changed, of few small files."""
    contents = b"".join(Path(path).read_bytes() for path in files)
    return hashlib.sha256(contents).hexdigest()[:16]


def stamp(files: Iterable[str]) -> str:
    """Return a text that is another one when the size of a file or its time, in seconds, has changed.

    Args:
        files: that no rule makes; what rules make has new times whenever it is made again. Those that are not there do
            not count: Snakemake misses them.
    """
    found = [path.stat() for path in map(Path, files) if path.is_file()]
    text = " ".join(f"{status.st_size} {int(status.st_mtime)}" for status in found)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
