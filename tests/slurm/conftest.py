"""A cluster for the tests of this folder, and Snakemake run on it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from driver import Driver
from local_cluster import LocalCluster, missing


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A running cluster of three nodes, where CLOUDCHAMBER_SLURM asks for one; otherwise the tests skip.

    Where none can be started, the tests fail if it is "required" and skip if it is "possible".
    """
    wish = os.environ.get("CLOUDCHAMBER_SLURM")
    if wish not in ("required", "possible"):
        pytest.skip("starts the services of a cluster on this machine: make test-slurm")
    reason = missing()
    if reason is not None:
        (pytest.fail if wish == "required" else pytest.skip)(f"no SLURM: {reason}")
    # Sockets have short paths, and munged wants a folder that every user can enter.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    cluster = LocalCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def drive(tmp_path: Path, cluster: LocalCluster) -> Iterator[Callable[..., Driver]]:
    """Make a Driver for the Snakefile of this folder, with the given jobs."""
    drivers = []

    def make(faults: Sequence[str], seconds: int = 600) -> Driver:
        (tmp_path / "attempts").mkdir()
        for name in ("Snakefile", "saves.py"):
            shutil.copy(Path(__file__).with_name(name), tmp_path)
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump({"faults": list(faults), "seconds": seconds}))
        driver = Driver(tmp_path, ["--configfile", str(config)])
        drivers.append(driver)
        return driver

    yield make
    for driver in drivers:
        driver.kill()
    subprocess.run(["scancel", "--user", "root"], check=False, capture_output=True)
