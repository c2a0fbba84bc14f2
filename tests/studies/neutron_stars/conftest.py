"""What several tests of the study read, made once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from star_files import write_stars


@pytest.fixture(scope="session")
def stars_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Curves, cells of the box and sets of stars."""
    return write_stars(tmp_path_factory.mktemp("stars"))
