"""JetNet files through the real command, up to prepared jets: downloaded from a mirror, or the user's own."""

import csv
import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from project_copy import REPOSITORY, copy_project
from tiny_run import planned, run, snakemake

from cloudchamber.cloud_file import read_clouds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

JETS = 200


def write_jets(path: Path, width: int, seed: int) -> np.ndarray:
    """Write a file as the published ones are, with the same jets each time; return its particles (N, width, 4)."""
    rng, of_jets = np.random.default_rng(seed), np.random.default_rng(7)
    counts = rng.integers(2, width + 1, JETS)
    particles = rng.normal(0, 0.1, (JETS, width, 4))
    particles[..., 2] = -np.sort(-rng.exponential(1 / width, (JETS, width)), axis=1)
    particles[..., 3] = 1
    particles *= (np.arange(width) < counts[:, None])[..., None]
    jets = np.column_stack([*(of_jets.normal(*of, JETS) for of in ((1000, 50), (0, 1), (170, 20))), counts])
    with h5py.File(path, "w") as file:
        file["particle_features"] = particles.astype("f4")
        file["jet_features"] = jets.astype("f4")
    return particles.astype("f4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose table of external files asks for small files."""
    folder = copy_project(tmp_path_factory.mktemp("jetnet"))
    (folder / "mirror").mkdir()
    write_jets(folder / "mirror/t.hdf5", 30, 1)
    table = folder / "src/cloudchamber/external_data.csv"
    with open(table, encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        row |= {"bytes": "", "checksum": "", "record": "", "url": (folder / "nowhere").as_uri()}
        if row["file"] == "t.hdf5":
            content = (folder / "mirror/t.hdf5").read_bytes()
            row |= {"bytes": str(len(content)), "checksum": "md5:" + hashlib.md5(content).hexdigest()}
    with open(table, "w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_damaged_download_stops_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "damaged").mkdir()
    content = (folder / "mirror/t.hdf5").read_bytes()
    (folder / "damaged/t.hdf5").write_bytes(content[:-1] + b"x")
    monkeypatch.setenv("CLOUDCHAMBER_MIRRORS", str(folder / "damaged"))
    done = run(folder, "results_jetnet30/clouds/jetnet30_top.h5", configs=("configs/jetnet30.yaml",))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    found = hashlib.md5(content[:-1] + b"x").hexdigest()
    assert f"checksum md5:{found}, expected md5:{hashlib.md5(content).hexdigest()}" in done.stdout
    assert not list((folder / "data").glob("external/*"))


def test_downloaded_jets_are_split_and_standardised_as_published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDCHAMBER_MIRRORS", str(folder / "mirror"))
    target = "results_jetnet30/prepared/jetnet30_top.h5"
    snakemake(folder, target, configs=("configs/jetnet30.yaml",))
    assert (folder / "data/external/t.hdf5").read_bytes() == (folder / "mirror/t.hdf5").read_bytes()
    jets = read_clouds(folder / target)
    with h5py.File(folder / "mirror/t.hdf5") as file:
        np.testing.assert_array_equal(jets.points, file["particle_features"][..., :3])
    sizes = {name: len(rows) for name, rows in jets.indices.items()}
    assert sizes == {"train": 0.6 * JETS, "validation": 0.1 * JETS, "test": 0.3 * JETS}
    assert jets.meta["standardisation"]["points"]["scales"] == ["linear"] * 3


def test_own_file_with_the_split_of_another(folder: Path) -> None:
    particles = write_jets(folder / "my150.hdf5", 150, 2)
    indices = "results_jetnet30/prepared/jetnet30_top_split.h5"
    change = {
        "source": {"download": None, "file": "my150.hdf5", "max_particles": 40},
        "preparation": {"split": {"train": None, "validation": None, "indices": indices}},
    }
    (folder / "my.yaml").write_text(yaml.safe_dump({"datasets": {"jetnet150_top": change}}), encoding="utf-8")
    target = "results_jetnet150/prepared/jetnet150_top.h5"
    configs = ("configs/jetnet150.yaml", "my.yaml")
    snakemake(folder, target, configs=configs)
    jets, others = read_clouds(folder / target), read_clouds(folder / "results_jetnet30/prepared/jetnet30_top.h5")
    np.testing.assert_array_equal(jets.points, particles[:, :40, :3])
    assert all(np.array_equal(rows, others.indices[name]) for name, rows in jets.indices.items())
    with h5py.File(folder / indices, "a") as file:
        file["test"][0] = JETS
    done = run(folder, target, configs=configs)
    assert done.returncode != 0
    assert f"to {JETS}, outside the {JETS} clouds" in done.stdout


@pytest.mark.parametrize("scale", ["jetnet30", "jetnet150", "jetnet_classes"])
def test_scales_plan(scale: str) -> None:
    output = snakemake(REPOSITORY, "--dry-run", "--quiet", "rules", "--nolock", configs=(f"configs/{scale}.yaml",))
    jobs = planned(output)
    classes = scale == "jetnet_classes"
    assert jobs["prepare"] == (10 if classes else 1)
    assert jobs.get("ingest", 0) == (10 if classes else 0)
    assert jobs.get("from_jetnet", 0) == jobs.get(f"download_{scale}_top", 0) == (0 if classes else 1)
    assert "draw_detector_response" not in jobs
