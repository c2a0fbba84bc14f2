"""Whoever has installed the wheel judges a sample of their own with the first code of the start page."""

from pathlib import Path

import pytest
from installed import Installed
from pages import blocks
from project_copy import REPOSITORY

pytestmark = [pytest.mark.slow]


def test_the_start_page_judges_jets_with_the_installed_package(installed: Installed, tmp_path: Path) -> None:
    code = next(block.text for block in blocks(REPOSITORY / "docs/index.md") if block.language == "python")
    printed = [line for line in installed.run(tmp_path, "-c", code).splitlines() if " +- " in line]
    assert len(printed) == 2
    assert all("(floor " in line and line.endswith("1000 true and 1000 generated") for line in printed)
