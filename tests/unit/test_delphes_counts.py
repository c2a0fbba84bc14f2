"""Counts of jets after real Delphes: made from its files, equal to them, and compared with nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from figure_files import some_clouds
from matplotlib.figure import Figure
from project_copy import REPOSITORY

from cloudchamber.analysis import plan, settings_of
from cloudchamber.cli import main
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.data_checks.delphes_counts import stored_counts
from cloudchamber.data_checks.detector_response import detector_response, read_responses
from cloudchamber.data_checks.tower_jets import FEATURES
from cloudchamber.errors import InputError
from cloudchamber.figures import style
from cloudchamber.figures.histograms import Histogram, histogram
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.shared import SharedSettings

FILES = {
    "top": "generated/delphes_atlas_tt_boosted_seed31.root",
    "qcd": "generated/delphes_atlas_qcd_boosted_seed32.root",
}


@pytest.fixture(scope="module")
def settings() -> SharedSettings:
    """Those of the default analysis."""
    return settings_of(yaml.safe_load((REPOSITORY / "config.yaml").read_text()), REPOSITORY)


@pytest.fixture
def own(rng: np.random.Generator, tmp_path: Path) -> dict[str, str]:
    """Jets and their observables."""
    write_clouds(tmp_path / "own.h5", some_clouds(rng, 80, absolute=True))
    observables = {name: rng.uniform(0.2, 0.8, 80) for name in ("tau21", "tau32")}
    write_observables(tmp_path / "own_observables.h5", observables, {})
    return {"clouds": str(tmp_path / "own.h5"), "observables": str(tmp_path / "own_observables.h5")}


def entry(name: str, own: Mapping[str, str], settings: SharedSettings) -> dict[str, Any]:
    """Return what the figure is drawn from for one process whose real file is not there."""
    assert settings.detector_response is not None
    compared = {"physics": settings.processes[name].physics, "selection": settings.detector_response.selection}
    return {"name": name, "title": name, "own": own, "real": None, **compared}


def drawn(process: dict[str, Any]) -> Figure:
    with style.applied():
        return detector_response(read_responses({"processes": [process]}))


def notes(figure: Figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


@pytest.mark.parametrize("name", FILES)
def test_the_default_analysis_is_compared_with_the_stored_counts(
    name: str, own: dict[str, str], settings: SharedSettings
) -> None:
    figure = drawn(entry(name, own, settings))
    assert not notes(figure)
    assert sum("dof" in axis.get_title() for axis in figure.axes) == len(FEATURES)
    stored = stored_counts(name)
    assert stored is not None
    heading = f"{name}: 80 jets after our detector, {stored['jets']:,} after Delphes (stored counts)"
    assert figure.subfigs[0].get_suptitle() == heading
    assert list(stored["files"]) == [FILES[name].rpartition("/")[2]]
    assert "0ee14ba" in stored["delphes"]
    for feature in FEATURES:
        of_feature = stored["histograms"][feature]
        assert sum(of_feature["counts"]) == stored["jets"] > 2000
        assert len(of_feature["edges"]) == len(of_feature["counts"]) + 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selection": {"clouds": {}, "max_particles": 3}}, "are of other jets"),
        ({"physics": {"pt_hat": [1, 2]}}, "are of another process"),
        ({"name": "higgs"}, "and no stored counts"),
    ],
)
def test_counts_of_anything_else_are_not_compared(
    change: dict[str, Any], message: str, own: dict[str, str], settings: SharedSettings
) -> None:
    figure = drawn(entry("top", own, settings) | change)
    assert len(notes(figure)) == len(FEATURES)
    assert all(note.startswith("no file of Delphes") and note.endswith(message) for note in notes(figure))
    assert figure.subfigs[0].get_suptitle() == "top: 80 jets after our detector, none after Delphes"


def test_counts_have_the_uncertainty_of_the_jets_that_were_counted(rng: np.random.Generator) -> None:
    edges = np.linspace(0, 1, 8)
    jets = histogram(Sample.of_jets(rng.uniform(-0.1, 1.1, 300)), edges)
    counted = Histogram.of_counts(edges, jets.counts)
    np.testing.assert_allclose(counted.fractions, jets.fractions, rtol=1e-12)
    np.testing.assert_allclose(counted.errors, jets.errors, rtol=1e-12)
    # The square root of the counts, but for the total, which is not left to chance.
    np.testing.assert_allclose(counted.errors * 300, np.sqrt(jets.counts), rtol=0.2)


@pytest.mark.parametrize("name", FILES)
def test_the_stored_counts_are_those_of_the_files(
    name: str, delphes_samples: Path, own: dict[str, str], settings: SharedSettings, tmp_path: Path
) -> None:
    """The commands that made them make them again, and the figure draws the same from counts and from files."""
    response = settings.detector_response
    assert response is not None
    clouds, observables, counts = (tmp_path / f for f in ("real.h5", "real_observables.h5", "counts.json"))
    ingestion, process = json.dumps(response.selection), settings.processes[name].model_dump_json()
    words = ["--delphes", response.delphes, "--output", counts]
    for command in (
        ["ingest", delphes_samples / FILES[name], "--settings", ingestion, "--output", clouds],
        ["observe", clouds, "--output", observables],
        ["delphes-counts", clouds, "--observables", observables, "--settings", process, *words],
    ):
        assert main([str(argument) for argument in command]) == 0
    assert json.loads(counts.read_text()) == stored_counts(name)
    files = entry(name, own, settings)
    real = {"clouds": str(clouds), "observables": str(observables)}
    (of_counts,), (of_files,) = (read_responses({"processes": [item]}) for item in (files, {**files, "real": real}))
    assert not isinstance(of_counts.real, str)
    assert not isinstance(of_files.real, str)
    assert of_counts.real.jets == of_files.real.jets
    for feature in FEATURES:
        stored, read = of_counts.real.histograms[feature], of_files.real.histograms[feature]
        np.testing.assert_array_equal(stored.edges, read.edges)
        np.testing.assert_array_equal(stored.counts, read.counts)
        np.testing.assert_allclose(stored.errors, read.errors, rtol=1e-12)


def test_clouds_that_do_not_say_what_they_are_of_are_not_counted(
    own: dict[str, str], settings: SharedSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "provenance" not in read_clouds(own["clouds"]).meta
    process = settings.processes["top"].model_dump_json()
    command = ["delphes-counts", own["clouds"], "--observables", own["observables"], "--settings", process]
    assert main([*command, "--delphes", "some", "--output", str(tmp_path / "counts.json")]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not say what it was ingested from" in line
    assert not (tmp_path / "counts.json").exists()


def test_damaged_counts_are_one_line_errors(tmp_path: Path) -> None:
    assert stored_counts("top", tmp_path) is None
    (tmp_path / "delphes_top.json").write_text('{"histograms": {"jet_pt": {}}}')
    with pytest.raises(InputError, match=r"delphes_top\.json: no counts of jet_pt"):
        stored_counts("top", tmp_path)


def test_the_pipeline_says_what_the_counts_have_to_be_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDCHAMBER_DELPHES_SAMPLES", raising=False)
    made = plan(yaml.safe_load((REPOSITORY / "config.yaml").read_text()), REPOSITORY)
    (figure,) = [figure for figure in made.figures() if figure.key == "detector_response"]
    for process in json.loads(figure.arguments(SimpleNamespace()))["processes"]:
        stored = stored_counts(process["name"])
        assert stored is not None
        assert process["real"] is None
        assert (process["physics"], process["selection"]) == (stored["physics"], stored["selection"])


def test_no_figure_is_made_where_no_process_is_compared() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    none = {"real_files": {"top": None, "qcd": None}}
    made = plan({**config, "detector_response": none}, REPOSITORY)
    assert not [figure for figure in made.figures() if figure.key == "detector_response"]
