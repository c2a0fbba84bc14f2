"""Jets that a file has: those that lack constituents, or are not the sum of theirs, become no clouds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from root_files import Lists, write_delphes

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.data_checks.truncation import draw_truncation
from cloudchamber.errors import InputError
from cloudchamber.preparation.clustering import four_vector_sums
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.readers.delphes import DelphesTree
from cloudchamber.settings.ingestion import IngestionSettings, RawLayout

Ingest = Callable[..., Clouds]
EVENTS = 100
AXES = ((0.5, 0.0), (-0.5, 3.0))
OBJECTS = ("Tower", "Jet")


@pytest.fixture
def run(tmp_path: Path) -> Ingest:
    def ingested(path: Path, **clouds: Any) -> Clouds:
        output = tmp_path / "clouds.h5"
        settings = {"kind": "stored", "jets_per_event": 1000, **clouds}
        ingest([path], IngestionSettings.model_validate({"clouds": settings, "max_particles": 100}), output)
        return read_clouds(output)

    return ingested


def collections(rng: np.random.Generator, scale: float = 1.0) -> dict[str, dict[str, Lists]]:
    """Two jets of five towers in each event, whose stored pT is ``scale`` times that of their sum."""
    towers: dict[str, Lists] = {name: [] for name in ("ET", "Eta", "Phi", "JetIndex")}
    jets: dict[str, Lists] = {name: [] for name in ("PT", "Eta", "Phi", "Mass")}
    for _ in range(EVENTS):
        et, shift = rng.exponential(20, 10), rng.normal(0, 0.1, (2, 10))
        eta, phi = (np.repeat(axis, 5) + shift[i] for i, axis in enumerate(np.transpose(AXES)))
        sums = four_vector_sums(et, eta, phi, np.array([0, 5, 10]))
        for leaf, values in zip(towers, (et, eta, phi, np.repeat([0, 1], 5)), strict=True):
            towers[leaf].append(values.tolist())
        for leaf, values in zip(jets, (scale * sums.pt, sums.eta, sums.phi, sums.mass), strict=True):
            jets[leaf].append(values.tolist())
    return {"Tower": towers, "Jet": jets}


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.2])
def test_closure_is_told(tmp_path: Path, run: Ingest, rng: np.random.Generator, scale: float) -> None:
    clouds = run(write_delphes(tmp_path / "a.root", collections(rng, scale)))
    assert len(clouds) == 2 * EVENTS
    assert clouds.meta["closure"]["jets_not_closing"] == 0
    assert list(clouds.meta["closure"]["of_jets"].values()) == pytest.approx([1 / scale] * 3, rel=1e-5)


def test_closure_is_drawn(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    run(write_delphes(tmp_path / "a.root", collections(rng, 1.25)))
    figure = draw_truncation({"datasets": [{"title": "mine", "clouds": str(tmp_path / "clouds.h5")}]})
    assert [axis.get_title() for axis in figure.axes] == ["", "", "closure of stored jets: median 0.800"]


def test_links_to_another_jet(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """The index counts the jets in another order: both have constituents, and the pT of neither tells."""
    content = collections(rng)
    content["Tower"]["JetIndex"] = [[1 - jet for jet in jets] for jets in content["Tower"]["JetIndex"]]
    path = write_delphes(tmp_path / "a.root", content)
    with pytest.raises(InputError, match=r"a\.root: of 200 jets of 'Jet' 200 are not the sum of their constituents"):
        run(path, closure=(0.001, 1000))
    assert not (tmp_path / "clouds.h5").exists()


@pytest.mark.parametrize(("least", "said"), [(200.0, True), (130.0, True), (124.0, False), (20.0, False)])
def test_files_without_the_soft_jets_of_the_window_are_said(
    tmp_path: Path, run: Ingest, rng: np.random.Generator, capsys: pytest.CaptureFixture[str], least: float, said: bool
) -> None:
    """As of a card that stores jets above 200 GeV beside one that stores them above 20 GeV."""
    parts = [collections(rng) for _ in range(6)]
    towers, jets = (
        {leaf: [row for part in parts for row in part[of][leaf]] for leaf in parts[0][of]} for of in OBJECTS
    )
    for event, stored in enumerate(jets["PT"]):
        wanted = least + rng.exponential(100, 2) * (event > 0)
        towers["ET"][event] = (np.array(towers["ET"][event]) * np.repeat(wanted / np.array(stored), 5)).tolist()
        jets["PT"][event] = wanted.tolist()
    path = write_delphes(tmp_path / "a.root", {"Tower": towers, "Jet": jets})
    run(path)
    run(path, pt_window=(300.0, 1e5))
    assert "WARNING" not in capsys.readouterr().err
    run(path, pt_window=(100.0, 1e5))
    line = (
        f"ingest: WARNING: {path}: none of 1200 jets of 'Jet' has less than {least:g} GeV, above clouds.pt_window "
        "(100 GeV): softer ones were not stored"
    )
    assert (line in capsys.readouterr().err.splitlines()) == said


@pytest.mark.parametrize("scale", [1000.0, 0.001])
def test_jets_in_other_units(tmp_path: Path, run: Ingest, rng: np.random.Generator, scale: float) -> None:
    path = write_delphes(tmp_path / "a.root", collections(rng, scale))
    with pytest.raises(InputError, match=r"pT of the sum over stored pT is outside of 0\.5 to 2, .*units"):
        run(path)
    assert len(run(path, closure=(1e-4, 1e4))) == 2 * EVENTS


def test_jets_of_whose_towers_few_are_left(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """A skim has kept the softest tower of each jet: all links lead somewhere, and most of the pT is gone."""
    content = collections(rng)
    for event in range(EVENTS):
        et = np.array(content["Tower"]["ET"][event]).reshape(2, 5)
        kept = [int(jet * 5 + row.argmin()) for jet, row in enumerate(et)]
        for leaf, values in content["Tower"].items():
            content["Tower"][leaf][event] = [values[event][at] for at in kept]  # type: ignore[assignment]
    path = write_delphes(tmp_path / "a.root", content)
    with pytest.raises(InputError, match=r"are not the sum of their constituents in Tower"):
        run(path)


@pytest.mark.parametrize(("empty", "allowed"), [(2, 0.01), (3, 0.01), (100, 0.5), (100, 0.49)])
def test_few_jets_without_constituents_are_left_out(
    tmp_path: Path, run: Ingest, rng: np.random.Generator, empty: int, allowed: float
) -> None:
    content = collections(rng)
    for event in range(empty):
        content["Tower"]["JetIndex"][event] = [-1] * 5 + [1] * 5
    path = write_delphes(tmp_path / "a.root", content)
    if empty > allowed * 2 * EVENTS:
        with pytest.raises(InputError, match=f"of 200 jets of 'Jet' {empty} lack constituents; incomplete_share"):
            run(path, incomplete_share=allowed)
    else:
        clouds = run(path, incomplete_share=allowed)
        assert len(clouds) == 2 * EVENTS - empty
        assert clouds.meta["references"]["jets_without_constituents"] == empty


@pytest.mark.delphes
@pytest.mark.parametrize(("jets", "count", "lost"), [("JetAK8", 22, (1102, 1118)), ("Jet", 76, (1634, 1648))])
def test_jets_whose_constituents_were_not_stored(
    delphes_samples: Path, run: Ingest, jets: str, count: int, lost: tuple[int, int]
) -> None:
    path = delphes_samples / "public/sophon_events_delphes_example.root"
    expected = (
        f"of {count} jets of '{jets}' {count} lack constituents: {lost[0]} of {lost[1]} references of "
        f"'{jets}.Constituents' lead to no object in ParticleFlowCandidate; not in the file: Tower, EFlowTrack"
    )
    with pytest.raises(InputError, match=expected):
        run(path, collection=jets)


@pytest.mark.delphes
def test_a_hidden_collection_of_energy_flow(
    delphes_samples: Path, run: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without neutral hadrons most jets lack momentum: they are refused, or only those that lack none are taken."""
    path = delphes_samples / "public/skhep_uproot-issue513.root"
    whole = run(path)
    original = DelphesTree.__init__

    def hiding(tree: DelphesTree, file: Path, content: Any, layout: RawLayout) -> None:
        original(tree, file, content, layout)
        tree._names = {name for name in tree._names if not name.startswith("EFlowNeutralHadron")}

    monkeypatch.setattr(DelphesTree, "__init__", hiding)
    with pytest.raises(InputError, match=r"of 60 jets of 'Jet' \d\d lack .* not in the file: .*EFlowNeutralHadron"):
        run(path)
    complete = run(path, incomplete_share=1)
    left_out = complete.meta["references"]
    assert 0 < len(complete) == len(whole) - left_out["jets_incomplete"] - left_out["jets_without_constituents"]
    order = [whole.feature("stored_pt").tolist().index(pt) for pt in complete.feature("stored_pt")]
    np.testing.assert_array_equal(complete.points, whole.points[order])
