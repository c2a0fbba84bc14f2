"""What several tests of the study read, made once."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from macaron_files import ARMS, SPLITTING, write_arms, write_splitting, write_study

from cloudchamber.studies.macaron.settings import SplittingSettings


@pytest.fixture(scope="session")
def splitting() -> SplittingSettings:
    """Settings of the measurement of orders."""
    return SPLITTING


@pytest.fixture(scope="session")
def splitting_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """errors.csv, orders.csv and paths.csv of both systems."""
    return write_splitting(tmp_path_factory.mktemp("splitting"))


@pytest.fixture(scope="session")
def arms_folder(splitting_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of jets, scores and histories of three arms with three seeds."""
    return tmp_path_factory.mktemp("arms")


@pytest.fixture(scope="session")
def evaluated(splitting_folder: Path, arms_folder: Path) -> dict[str, Any]:
    """The files that the evaluation reads."""
    return write_arms(arms_folder, splitting_folder, ARMS, 3, 900)


@pytest.fixture(scope="session")
def study_files(arms_folder: Path, evaluated: dict[str, Any]) -> dict[str, Any]:
    """What figures, tables and the answer are made from."""
    return write_study(arms_folder, evaluated, ARMS)
