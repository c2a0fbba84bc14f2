"""What several tests of the study read, made once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from shower_files import write_shower_files


@pytest.fixture(scope="session")
def showers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw files, showers and samples of what is not trained."""
    return write_shower_files(tmp_path_factory.mktemp("showers"))
