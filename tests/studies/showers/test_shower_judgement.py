"""Samples of showers that are judged: their order does not matter, and what is not alike is said."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shower_files import TRAINING

from cloudchamber.errors import InputError
from cloudchamber.settings.base import parse
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.judge import judge
from cloudchamber.studies.showers.settings import JudgeSettings
from cloudchamber.studies.showers.shower_file import create_showers, open_showers, particles_of, shower_part


def test_the_order_in_which_a_sample_was_written_does_not_matter(showers_folder: Path, tmp_path: Path) -> None:
    """One species after another, as marginals and samples of several models are, the first half was one species."""
    with open_showers(showers_folder / "parametrised.h5") as showers:
        rows = np.argsort(showers.label("pdg"), kind="stable")
        with create_showers(tmp_path / "sorted.h5", geometry_of("ild_like"), showers.meta) as writer:
            writer.append(showers.take(rows))
    quick = parse(JudgeSettings, {"features": {"hidden": [16], "training": {**TRAINING, "steps": 40}}, "points": None})
    found = []
    for path in (showers_folder / "parametrised.h5", tmp_path / "sorted.h5"):
        sample = {"name": "model", "sampler": "none", "seed": 1, "path": str(path)}
        given = {"showers": str(showers_folder / "showers.h5"), "samples": [sample]}
        judge(given, quick, 1, tmp_path / path.stem, tmp_path / "judgements.csv")
        found.append(pd.read_csv(tmp_path / "judgements.csv"))
    assert "nlp" in set(found[0]["metric"])
    pd.testing.assert_frame_equal(*found)


def test_truth_in_place_of_a_sample_is_said(
    showers_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = parse(JudgeSettings, {"features": {"hidden": [4], "training": {**TRAINING, "steps": 2}}, "points": None})
    samples = [
        {"name": name, "sampler": "none", "seed": 1, "path": str(showers_folder / f"{file}.h5")}
        for name, file in (("truth", "showers"), ("marginals", "marginals"), ("parametrised", "parametrised"))
    ]
    judge({"showers": samples[0]["path"], "samples": samples}, few, 1, tmp_path / "state", tmp_path / "judged.csv")
    said = [line for line in capsys.readouterr().err.splitlines() if "with which they are compared" in line]
    assert len(said) == 1
    assert re.search(r"showers judge: WARNING: \d+ of \d+ showers of .*showers\.h5 are showers of the parts", said[0])


def test_samples_of_other_particles_or_another_geometry_are_told(
    showers_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = parse(JudgeSettings, {"features": {"hidden": [4], "training": {**TRAINING, "steps": 2}}, "points": None})
    source = showers_folder / "showers.h5"

    def said_of(name: str, scale: float, straight: bool, geometry: str = "ild_like") -> list[str]:
        path = tmp_path / f"{name}.h5"
        with open_showers(source) as showers:
            rows = showers.part("train")[:150]
            part, particles = showers.take(rows), particles_of(showers, rows)
        directions = np.tile([0.0, 0.0, 1.0], (len(rows), 1)) if straight else particles.direction
        particles = replace(particles, energy=scale * particles.energy, direction=directions)
        with create_showers(path, geometry_of(geometry), {}) as writer:
            writer.append(shower_part(particles, np.arange(len(rows)), part.points, part.counts))
        capsys.readouterr()
        samples = [{"name": name, "sampler": "none", "seed": 1, "path": str(path)}]
        given = {"showers": str(source), "samples": samples}
        judge(given, few, 1, tmp_path / f"state_{name}", tmp_path / "judged.csv")
        return [line for line in capsys.readouterr().err.splitlines() if "not alike" in line]

    assert not said_of("same", 1.0, False)
    found = said_of("energies", 1.8, False)
    assert len(found) == 2
    assert found[0].startswith(f"showers judge: WARNING: photon of {tmp_path / 'energies.h5'} and photon of the part ")
    assert "mean energy [GeV] " in found[0]
    assert all("mean angle [degrees] 0 and " in line for line in said_of("directions", 1.0, True))
    with pytest.raises(InputError, match=r"of the geometry 'calo_challenge', those of .* are of 'ild_like'"):
        said_of("geometry", 1.0, False, "calo_challenge")
