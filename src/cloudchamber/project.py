"""A folder for an analysis: the pipeline in it, and where its jobs find the package."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from cloudchamber.errors import InputError, StorageError
from cloudchamber.project_parts import IGNORED, PARTS, WITHIN
from cloudchamber.sources import PACKAGE

__all__ = ["code_folder", "init_project"]


def init_project(folder: Path) -> None:
    """Put Snakefile, rules, settings, profiles, environments and examples into a new or empty folder, ready to run.

    They are those of the installed package, or of the checkout that the package is imported from.

    Args:
        folder: to be made; nothing is left of it after an error.

    Raises:
        InputError: the folder is not empty, or is none.
        StorageError: it cannot be written.
    """
    target = folder.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        what = "is not empty" if target.is_dir() else "is no folder"
        raise InputError(f"{folder}: {what}; name a new or an empty one")
    source = PACKAGE / WITHIN if (PACKAGE / WITHIN).is_dir() else PACKAGE.parents[1]
    missing = [part for part in PARTS if not (source / part).exists()]
    if missing:
        raise InputError(f"{source}: no {missing}: the package was not built with its pipeline; install it again")
    try:
        made = [path for path in (target, *target.parents) if not path.exists()]
        target.mkdir(parents=True, exist_ok=True)
        try:
            _copy(source, target)
        except BaseException:
            for path in made:
                path.rmdir()
            raise
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written: {error}") from error
    sys.stderr.write(f"{folder}: ready; in it 'snakemake --cores all' runs the analysis of config.yaml\n")


def _copy(source: Path, target: Path) -> None:
    """Copy the parts beside each other first, so that the folder has all of them or none."""
    aside = Path(mkdtemp(prefix=".init.", dir=target))
    try:
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, aside / part, ignore=shutil.ignore_patterns(*IGNORED))
            else:
                shutil.copy(source / part, aside / part)
        for part in PARTS:
            (aside / part).rename(target / part)
    except BaseException:
        for part in PARTS:
            path = target / part
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(aside)


def code_folder(root: Path) -> Path:
    """Return the folder from which the jobs of an analysis import the package, and nothing else.

    A conda environment holds the dependencies and not the package. Of a checkout the folder is ``src``; else it is one
    in .snakemake with a link to the installed package, since beside that lie packages of another environment.

    Args:
        root: of the analysis, where the Snakefile is.

    Raises:
        StorageError: the link cannot be made.
    """
    if (root / "src" / PACKAGE.name).is_dir():
        return root / "src"
    folder = Path.cwd() / ".snakemake" / PACKAGE.name
    link = folder / PACKAGE.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink() or link.resolve() != PACKAGE.resolve():
            # Jobs on other nodes look at the same moment.
            aside = folder / f".{os.getpid()}"
            aside.symlink_to(PACKAGE, target_is_directory=True)
            os.replace(aside, link)
    except OSError as error:
        with suppress(OSError):
            (folder / f".{os.getpid()}").unlink()
        raise StorageError(f"{link}: cannot be made: {error}") from error
    return folder
