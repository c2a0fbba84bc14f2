"""The documentation site builds without a warning, with every public name."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from project_copy import REPOSITORY

import cloudchamber

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make site`` does."""
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed (make site installs it)")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_public_name_has_an_entry(site: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "interface").glob("*.html"))
    for name in set(cloudchamber.__all__) - {"__version__"}:
        assert f'.{name}"' in pages, name


def test_docstrings_are_shown_as_they_are_meant(site: Path) -> None:
    page = (site / "interface/metrics.html").read_text(encoding="utf-8")
    assert ":func:" not in page
    assert "Examples:" in page
    # Arguments that share a line of the docstring are told one by one.
    assert "<code>truth, generated" not in page
