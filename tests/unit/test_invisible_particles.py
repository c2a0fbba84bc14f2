"""What no detector sees: no constituent of a jet, and nothing in a calorimeter."""

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


def test_the_calorimeters_of_the_card_see_none() -> None:
    codes = np.array([*INVISIBLE, 13])
    for calorimeter in ATLAS.calorimeters:
        for pid in (codes, -codes):
            assert not calorimeter.fraction(pid).any()
