"""A copy of the project in which an analysis can run without touching this one."""

import shutil
from pathlib import Path

from cloudchamber.project_parts import PARTS

__all__ = ["REPOSITORY", "copy_project"]

REPOSITORY = Path(__file__).parents[2]
_PARTS = ("src", *PARTS)


def copy_project(folder: Path) -> Path:
    """Copy what a run needs into ``folder``, which is made where it is not there, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / part)
    return folder
