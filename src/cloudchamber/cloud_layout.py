"""How clouds lie on disk: names, types and blocks that writing and reading share.

``docs/formats.md`` describes the layout. A file is complete only if its attribute ``complete`` is 1, which is written
last. Every byte that is read lies under a checksum, so that a flipped bit is an error and never a wrong number:
datasets carry a Fletcher-32 sum, headers with their attributes one of the file format.
"""

from collections.abc import Mapping

__all__ = ["ARRAYS", "BLOCK", "FORMAT", "GROUP_FORMAT", "VERSION"]

FORMAT = "cloudchamber-clouds"
# Clouds of some files of a data set, which are no data set before they are joined (preparation.groups).
GROUP_FORMAT = "cloudchamber-cloud-group"
VERSION = 1
# Type and number of dimensions of each dataset.
ARRAYS: Mapping[str, tuple[str, int]] = {
    "points": ("float32", 3),
    "mask": ("bool", 2),
    "features": ("float32", 2),
    "labels": ("int64", 2),
}
# Clouds are written in blocks of so many rows, so that the bytes of a file do not depend on how many were appended at
# a time.
BLOCK = 4096
