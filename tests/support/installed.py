"""The distributions of the project, and an environment that holds what the wheel does."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import final

__all__ = ["Installed", "built"]


@final
@dataclass(frozen=True)
class Installed:
    """The package in an environment of its own.

    Attributes:
        sdist, wheel: the distributions.
        python: of the environment.
    """

    sdist: Path
    wheel: Path
    python: Path

    def run(self, folder: Path, *arguments: object, status: int = 0) -> str:
        """Run the environment's Python in a folder and return what it printed; fail at another status."""
        # Neither the checkout nor a run of make around the tests is seen.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE"))}
        done = subprocess.run(
            [str(self.python), *map(str, arguments)],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout[-4000:]
        return done.stdout


def built(source: Path, kind: str, target: Path) -> Path:
    """Return the "wheel" or "sdist" of a source tree, built into a folder without a network."""
    program = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(target)!r}))"
    target.mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", program], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return target / done.stdout.splitlines()[-1]
