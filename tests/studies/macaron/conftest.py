"""What several tests of the study read, made once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from macaron_files import SPLITTING, write_splitting

from cloudchamber.studies.macaron.settings import SplittingSettings


@pytest.fixture(scope="session")
def splitting() -> SplittingSettings:
    """Settings of the measurement of orders."""
    return SPLITTING


@pytest.fixture(scope="session")
def splitting_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """errors.csv, orders.csv and paths.csv of both systems."""
    return write_splitting(tmp_path_factory.mktemp("splitting"))
