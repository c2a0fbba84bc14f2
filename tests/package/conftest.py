"""The package, built and installed once for all tests of it."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv

import pytest
from installed import Installed, built
from project_copy import REPOSITORY

from cloudchamber.project_parts import PARTS

# What of a checkout a build needs: not what was made in it.
_NEEDED = ("src", "setup.py", "pyproject.toml", "MANIFEST.in", "requirements.lock", "README.md", "LICENSE", "Makefile")
_NEEDED += ("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "containers", *PARTS)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the sdist, the wheel from the sdist, and install the wheel in a new environment.

    The environment takes the dependencies from the one that the tests run in, by a .pth file, and of the project only
    what the wheel holds: files .pth of a folder that a file .pth names, such as that of an editable installation, are
    not read. Nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("package")
    (folder / "checkout").mkdir()
    for name in _NEEDED:
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(REPOSITORY / name, folder / "checkout" / name, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / name, folder / "checkout" / name)
    sdist = built(folder / "checkout", "sdist", folder / "dist")
    with tarfile.open(sdist) as archive:
        # Python 3.11.0 to 3.11.3 have no filters.
        archive.extractall(folder / "unpacked", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (source,) = (folder / "unpacked").iterdir()
    # Of an earlier build, which must not come along.
    (source / "build/lib/cloudchamber").mkdir(parents=True)
    (source / "build/lib/cloudchamber/gone.py").write_text("")
    wheel = built(source, "wheel", folder / "dist")
    venv.create(folder / "environment", symlinks=True, with_pip=False)
    python = folder / "environment/bin/python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    (packages,) = (folder / "environment/lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(sdist, wheel, python)
