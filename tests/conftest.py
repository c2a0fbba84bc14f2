"""Shared fixtures."""

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from project_copy import REPOSITORY

# The same examples in every run, and no limit of time that a busy machine would break.
hypothesis.settings.register_profile("cloudchamber", derandomize=True, deadline=None)
hypothesis.settings.load_profile("cloudchamber")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the runs of whole studies first: a file stays in one process, and the longest must not come last."""
    items.sort(key=lambda item: not item.path.name.endswith("_pipeline.py"))


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator, new for each test."""
    return np.random.default_rng(20231)


@pytest.fixture(scope="session")
def delphes_samples() -> Path:
    """Folder of the real Delphes files; tests that need them skip where it is absent."""
    folder = Path(os.environ.get("CLOUDCHAMBER_DELPHES_SAMPLES", REPOSITORY.parent / "shared/data/delphes"))
    if not (folder / "generated").is_dir():
        pytest.skip(f"no real Delphes files at {folder} (set CLOUDCHAMBER_DELPHES_SAMPLES)")
    return folder
