"""What no detector sees: no constituent of a jet, and nothing in a calorimeter; particles that a card left out."""

from pathlib import Path

import numpy as np
import pytest
from root_files import write_delphes

from cloudchamber.cloud_file import read_clouds
from cloudchamber.particle_codes import INVISIBLE
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.simulation.atlas_card import ATLAS


@pytest.mark.parametrize("pid", [12, -16, 52, 1000022, 1000039, -1000012])
def test_an_invisible_particle_makes_no_jet(pid: int, tmp_path: Path) -> None:
    particles = {
        "PT": [[300.0, 250.0, 20.0]],
        "Eta": [[0.0, 0.1, 0.2]],
        "Phi": [[0.0, 3.0, 3.1]],
        "PID": [[pid, 211, -211]],
        "Status": [[1, 1, 1]],
    }
    path = write_delphes(tmp_path / "a.root", {"Particle": particles})
    clouds = {"kind": "reclustered", "constituents": "particle", "pt_window": [30, 1000]}
    ingest([path], IngestionSettings.model_validate({"clouds": clouds, "max_particles": 5}), tmp_path / "clouds.h5")
    assert read_clouds(tmp_path / "clouds.h5").feature("n_constituents").tolist() == [2]


@pytest.mark.parametrize(
    ("kind", "codes", "hadrons"),
    [
        ("reclustered", [11, 13, 22, -13], 0),
        ("events", [11, 22, 13, *[22] * 19, 211], 5),
        ("reclustered", [22, 211, -211, 11], None),
        ("events", [21, 1, -5, 13], None),
    ],
    ids=["leptons and photons", "few hadrons", "whole", "partons"],
)
def test_particles_that_a_card_has_filtered_are_said(
    kind: str, codes: list[int], hadrons: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As those for Phase II of CMS do."""
    number, events = 23, 5
    one = {
        "PT": np.linspace(20, 40, number).tolist(),
        "Eta": np.linspace(-2, 2, number).tolist(),
        "Phi": np.linspace(-3, 3, number).tolist(),
        "PID": (codes * number)[:number],
        "Status": [1] * number,
    }
    path = write_delphes(tmp_path / "a.root", {"Particle": {leaf: [values] * events for leaf, values in one.items()}})
    clouds = {"kind": kind, "constituents": "particle"}
    ingest([path], IngestionSettings.model_validate({"clouds": clouds, "max_particles": 30}), tmp_path / "clouds.h5")
    said = f"ingest: WARNING: {path}: {hadrons} of {events * number} visible particles of status 1 are hadrons"
    assert (said in capsys.readouterr().err) == (hadrons is not None)


@pytest.mark.parametrize(("softest", "said"), [(0.05, False), (0.5, True)])
def test_particles_that_a_card_has_cut_in_pt_are_said(
    softest: float, said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, events = 50, 20
    one = {
        "PT": np.geomspace(softest, 40, number).tolist(),
        "Eta": np.linspace(-2, 2, number).tolist(),
        "Phi": np.linspace(-3, 3, number).tolist(),
        "PID": [211] * number,
        "Status": [1] * number,
    }
    path = write_delphes(tmp_path / "a.root", {"Particle": {leaf: [values] * events for leaf, values in one.items()}})
    clouds = {"kind": "reclustered", "constituents": "particle"}
    ingest([path], IngestionSettings.model_validate({"clouds": clouds, "max_particles": 60}), tmp_path / "clouds.h5")
    line = f"WARNING: {path}: none of 1000 visible particles of status 1 has less than 0.5 GeV of pT"
    assert (line in capsys.readouterr().err) == said


@pytest.mark.parametrize(
    ("code", "said"),
    [(-4900211, True), (9000007, True), (39, True), (211, False), (1000020040, False), (1000022, False)],
)
def test_particles_that_may_be_invisible_are_said(
    code: int, said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As stable pions of a hidden valley, which no list of codes can tell from those that are seen."""
    leaves = {"PT": [30.0, 20.0], "Eta": [0.0, 0.1], "Phi": [0.0, 0.1], "PID": [code, 211], "Status": [1, 1]}
    path = write_delphes(tmp_path / "a.root", {"Particle": {leaf: [values] * 2 for leaf, values in leaves.items()}})
    clouds = {"kind": "events", "constituents": "particle"}
    ingest([path], IngestionSettings.model_validate({"clouds": clouds, "max_particles": 2}), tmp_path / "clouds.h5")
    line = (
        f"WARNING: {path}: 2 of 4 visible particles of status 1 are of codes beyond the Standard Model, such as {code}"
    )
    assert (line in capsys.readouterr().err) == said


def test_the_calorimeters_of_the_card_see_none() -> None:
    codes = np.array([*INVISIBLE, 13])
    for calorimeter in ATLAS.calorimeters:
        for pid in (codes, -codes):
            assert not calorimeter.fraction(pid).any()
