"""What a step ran under: the version of the code, of the packages, and the machine."""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from cloudchamber import __version__
from cloudchamber.hardware import processor
from cloudchamber.sources import PACKAGE
from cloudchamber.storage import package_versions

__all__ = ["code_version", "installed_packages", "machine"]

_PACKAGES = (
    *("awkward", "fastjet", "geant4-pybind", "h5py", "lightning-fabric", "matplotlib", "numba", "numpy", "pandas"),
    *("pydantic", "pythia8mc", "safetensors", "scipy", "snakemake", "torch", "uproot", "zuko"),
)
_PATIENCE = 10  # seconds for an answer of git; a file system that is slower than that has no answer


def code_version(package: Path = PACKAGE) -> dict[str, Any]:
    """Return the version of the package, the hash of its sources and, where git keeps them, their commit.

    Args:
        package: folder of the package.

    Returns:
        "version"; "sources", SHA-256 over names and contents of all modules; "commit", or None where the package is no
        part of a git repository; "modified", whether the modules differ from that commit.
    """
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        content = source.read_bytes()
        digest.update(f"{source.relative_to(package).as_posix()} {len(content)}\n".encode() + content)
    # A package that merely lies below a repository, such as an environment in it, is not of its commits.
    tracked = _git(package, "ls-files", "--error-unmatch", "__init__.py") is not None
    commit = _git(package, "rev-parse", "HEAD") if tracked else None
    changes = _git(package, "status", "--porcelain", "--", ".") if commit else None
    return {
        "version": __version__,
        "sources": digest.hexdigest(),
        "commit": commit,
        "modified": None if changes is None else bool(changes),
    }


def _git(folder: Path, *arguments: str) -> str | None:
    # Many jobs ask at once: none may take the lock of the index.
    command = ["git", "-C", str(folder), "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def installed_packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that results can depend on, where they are installed."""
    return {"python": platform.python_version(), **package_versions(_PACKAGES)}


def machine() -> dict[str, Any]:
    """Return what kind of machine this is: no name of it, which says nothing to anybody else."""
    return {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": _cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "accelerators": _accelerators(),
    }


def _cores() -> int:
    """Return the cores that this process may use; where the system does not tell (macOS), all of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _accelerators() -> list[str]:
    """Return the GPUs that this process has used; one that loaded no torch has used none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
