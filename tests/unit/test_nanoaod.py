"""NanoAOD with candidates: names, links and PUPPI weights on own files, sums of constituents on a real one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from nanoaod_files import nano_branches, write_nanoaod

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.readers.nanoaod import NanoNames
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings

PUBLIC = Path(__file__).parents[3] / "shared/data/jets"
STORED = {"kind": "stored", "collection": "FatJet", "pt_window": [1, 5000]}


def settings(clouds: Mapping[str, Any], **changes: Any) -> IngestionSettings:
    return parse(IngestionSettings, {"layout": "nanoaod", "clouds": clouds, "max_particles": 20, **changes}, "settings")


@pytest.fixture
def file(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_nanoaod(tmp_path / "nano.root", nano_branches(rng))


def test_names_are_those_of_delphes_and_back() -> None:
    names = NanoNames(["nFatJet", "FatJet_pt", "nFatJetPFCands", "FatJetPFCands_jetIdx", "genWeight", "run"])
    assert names.aliases == {
        "FatJet_size", "FatJet.PT", "FatJetPFCands_size", "FatJetPFCands.jetIdx", "genWeight", "run"
    }  # fmt: skip
    for alias in names.aliases:
        assert NanoNames([names.stored(alias), "nFatJet", "nFatJetPFCands"]).stored(alias) == names.stored(alias)
    assert (names.stored("Jet.PT"), names.stored("Jet_size"), names.stored("other")) == ("Jet_pt", "nJet", "other")


def test_jets_are_the_sum_of_their_weighted_candidates(tmp_path: Path, rng: np.random.Generator) -> None:
    content = nano_branches(rng)
    chosen = {**STORED, "jet_labels": ["hadronFlavour"], "closure": [0.999, 1.001], "incomplete_share": 0.0}
    made = settings(chosen, extra_leaves=["charge"])
    ingest([write_nanoaod(tmp_path / "nano.root", content)], made, tmp_path / "clouds.h5")
    clouds = read_clouds(tmp_path / "clouds.h5")
    assert len(clouds) == 24
    stored = ak.to_numpy(ak.flatten(content["FatJet_pt"]))
    order = np.lexsort((clouds.label("jet"), clouds.label("event")))
    by_event = [np.sort(of_event)[::-1] for of_event in stored.reshape(12, 2)]
    np.testing.assert_allclose(clouds.feature("stored_pt")[order], np.concatenate(by_event), rtol=1e-5)
    np.testing.assert_allclose(clouds.feature("jet_pt"), 0.8 * clouds.feature("stored_pt"), rtol=1e-4)
    # Candidates that PUPPI takes out altogether are no particles.
    assert (clouds.points[clouds.mask][:, 0] > 0).all()
    kept = ak.sum(content["PFCands_puppiWeight"] > 0) - 12
    assert clouds.mask.sum() == kept
    assert clouds.meta["closure"]["of_jets"]["mean"] == pytest.approx(1.0, abs=1e-5)
    assert set(clouds.label("hadronFlavour")) <= {0, 4, 5}
    assert clouds.label("hadronFlavour").sum() == ak.sum(content["FatJet_hadronFlavour"])
    assert {column.name for column in clouds.point_columns} >= {"charge"}


def test_without_their_weights_the_candidates_are_not_the_jet(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"jets of 'FatJet' \d+ are not the sum of their constituents in PFCands"):
        ingest([file], settings({**STORED, "puppi": False, "closure": [0.98, 1.02]}), tmp_path / "clouds.h5")


def _renamed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return jets of another name, as those of Run 3 that are made of weighted candidates too."""
    return {
        name.replace("FatJetPFCands", "JetPFCands").replace("FatJet_", "Jet_"): values
        for name, values in content.items()
    }


def test_jets_that_are_the_sums_of_the_other_candidates_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    file = write_nanoaod(tmp_path / "nano.root", _renamed(nano_branches(rng)))
    jets = {**STORED, "collection": "Jet", "incomplete_share": 1.0}
    with pytest.raises(
        InputError, match=r"candidates with PUPPI weights and 0\.\d+ without them: say clouds.puppi: true"
    ):
        ingest([file], settings(jets), tmp_path / "clouds.h5")
    assert not (tmp_path / "clouds.h5").exists()
    ingest([file], settings({**jets, "puppi": True}), tmp_path / "clouds.h5")
    assert read_clouds(tmp_path / "clouds.h5").meta["closure"]["of_jets"]["mean"] == pytest.approx(1.0, abs=1e-5)
    # Who says it has it so.
    ingest([file], settings({**jets, "puppi": False}), tmp_path / "clouds.h5")
    assert read_clouds(tmp_path / "clouds.h5").meta["closure"]["of_jets"]["mean"] > 1.05


def test_a_file_whose_jets_are_the_sums_of_the_other_candidates_is_said_where_puppi_is_said(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of Run 2 beside Run 3 in one data set: what is right for Jet of the one is wrong for that of the other."""
    run_3 = _renamed(nano_branches(rng))
    # Jets that PUPPI has little to do with, so that all of them close.
    momenta = run_3["PFCands_pt"] * run_3["PFCands_puppiWeight"]
    weights = rng.choice(np.array([0.7, 0.9], np.float32), len(ak.flatten(momenta)))
    run_2 = {**run_3, "PFCands_pt": momenta, "PFCands_puppiWeight": ak.unflatten(weights, ak.num(momenta))}
    files = [write_nanoaod(tmp_path / f"{name}.root", content) for name, content in (("2", run_2), ("3", run_3))]
    said = settings({**STORED, "collection": "Jet", "puppi": True})
    ingest(files, said, tmp_path / "clouds.h5")
    warnings = [line for line in capsys.readouterr().err.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert f"{files[0]}: jets of 'Jet' are" in warnings[0]
    assert "off the sums of their candidates without PUPPI weights and 0." in warnings[0]


def test_momenta_that_have_their_weights_already_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    content = nano_branches(rng)
    content["PFCands_pt"] = content["PFCands_pt"] * content["PFCands_puppiWeight"]
    file = write_nanoaod(tmp_path / "nano.root", content)
    with pytest.raises(InputError, match=r"candidates without PUPPI weights and .* say clouds\.puppi: false"):
        ingest([file], settings({**STORED, "incomplete_share": 1.0}), tmp_path / "clouds.h5")


def _with_runs(path: Path, content: Mapping[str, Any], **sums: float) -> Path:
    """Write events, and the tree Runs of two runs that count those that were generated."""
    write_nanoaod(path, content)
    with uproot.update(path) as file:
        file.mktree("Runs", dict.fromkeys(sums, np.float64))
        file["Runs"].extend({name: np.array([0.25, 0.75]) * value for name, value in sums.items()})
    return path


def test_cross_sections_are_of_all_generated_events_and_not_of_those_of_a_skim(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    skim = _with_runs(tmp_path / "skim.root", nano_branches(rng), genEventCount=1200, genEventSumw=2400.0)
    whole = _with_runs(tmp_path / "whole.root", nano_branches(rng), genEventCount=12, genEventSumw_=12.0)
    sections = {str(skim): 48.0, str(whole): 24.0}
    ingest([skim, whole], settings(STORED, cross_sections=sections), tmp_path / "clouds.h5")
    clouds = read_clouds(tmp_path / "clouds.h5", weighted=True)
    assert clouds.event_weight is not None
    for file, weight in enumerate((48.0 / 2400, 24.0 / 12)):
        np.testing.assert_allclose(clouds.event_weight[clouds.label("file") == file], weight, rtol=1e-6)
    assert (clouds.meta["event_weights"]["generated"], clouds.meta["event_weights"]["stored"]) == (2412.0, 24.0)
    assert "2412 generated for 24 stored" in capsys.readouterr().err
    # Events count where their weights are not read.
    unread = settings(STORED, cross_sections=sections, weight_branch=None)
    ingest([skim, whole], unread, tmp_path / "clouds.h5")
    weights = read_clouds(tmp_path / "clouds.h5", weighted=True).event_weight
    assert weights is not None
    assert weights.min() == pytest.approx(48.0 / 1200)


def test_runs_that_count_fewer_events_than_there_are_and_damaged_ones(tmp_path: Path, rng: np.random.Generator) -> None:
    file = _with_runs(tmp_path / "nano.root", nano_branches(rng), genEventCount=6, genEventSumw=np.nan)
    sections = {str(file): 48.0}
    with pytest.raises(InputError, match="has 12 events, its tree Runs says that 6 were generated"):
        ingest([file], settings(STORED, cross_sections=sections, weight_branch=None), tmp_path / "clouds.h5")
    with pytest.raises(InputError, match="'Runs/genEventSumw' adds up to nan"):
        ingest([file], settings(STORED, cross_sections=sections), tmp_path / "clouds.h5")
    # Their weights too add up to less than those of the events that are there.
    part = _with_runs(tmp_path / "part.root", nano_branches(rng), genEventCount=6, genEventSumw=6.0)
    with pytest.raises(InputError, match=r"part\.root: has 12 events, its tree Runs says that 6 were generated"):
        ingest([part], settings(STORED, cross_sections={str(part): 48.0}), tmp_path / "clouds.h5")


@pytest.mark.parametrize("slices", [1, 2])
def test_files_of_which_only_some_count_the_generated_events_are_refused(
    slices: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    counted = _with_runs(tmp_path / "counted.root", nano_branches(rng), genEventCount=1200, genEventSumw=1200.0)
    other = write_nanoaod(tmp_path / "other.root", nano_branches(rng))
    sections = {str(counted): 48.0, str(other): 24.0} if slices == 2 else {str(tmp_path / "*.root"): 48.0}
    for branch in ({}, {"weight_branch": None}):
        with pytest.raises(InputError, match=r"other\.root: its tree Runs does not count .*counted\.root does"):
            ingest([counted, other], settings(STORED, cross_sections=sections, **branch), tmp_path / "clouds.h5")
    # Without a cross section nothing is divided by them.
    ingest([counted, other], settings(STORED), tmp_path / "clouds.h5")


def test_the_sum_of_another_weight_is_not_known_of_a_skim(tmp_path: Path, rng: np.random.Generator) -> None:
    content = {**nano_branches(rng), "LHEWeight_originalXWGTUP": np.linspace(1.0, 2.0, 12, dtype=np.float32)}
    own = {"weight_branch": "LHEWeight_originalXWGTUP"}
    skim = _with_runs(tmp_path / "skim.root", content, genEventCount=1200, genEventSumw=2400.0)
    with pytest.raises(InputError, match=r"has 12 of the 1200 events .* 'LHEWeight_originalXWGTUP' .* not known"):
        ingest([skim], settings(STORED, cross_sections={str(skim): 48.0}, **own), tmp_path / "clouds.h5")
    whole = _with_runs(tmp_path / "whole.root", content, genEventCount=12, genEventSumw=12.0)
    ingest([whole], settings(STORED, cross_sections={str(whole): 48.0}, **own), tmp_path / "clouds.h5")
    weights = read_clouds(tmp_path / "clouds.h5", weighted=True).event_weight
    assert weights is not None
    assert weights.sum() == pytest.approx(2 * 48.0)


def test_candidates_are_clustered_anew(file: Path, tmp_path: Path) -> None:
    made = settings({"kind": "reclustered", "constituents": "candidate", "pt_window": [20, 5000]})
    ingest([file], made, tmp_path / "clouds.h5")
    assert len(read_clouds(tmp_path / "clouds.h5")) >= 12


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("FatJetPFCands_jetIdx", 7, r"branch 'FatJetPFCands_jetIdx' is 7 in event 0, which has 2 jets"),
        (
            "FatJetPFCands_pFCandsIdx",
            99,
            r"branch 'FatJetPFCands_pFCandsIdx' is 99 in event 0, which has \d+ candidates",
        ),
        ("PFCands_pt", np.float32("nan"), r"branch 'PFCands_pt' is not finite or not physical in event 0"),
        ("PFCands_puppiWeight", None, r"no branch 'PFCands_puppiWeight'; 'PFCands' has \['PFCands_charge', "),
        ("PFCands", None, r"no branches 'PFCands_\*': NanoAOD without the candidates"),
    ],
)
def test_damage_is_one_line_with_the_name_in_the_file(
    name: str, change: Any, reason: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    content = nano_branches(rng)
    if change is None:
        content = {key: values for key, values in content.items() if not key.startswith(name)}
    else:
        flat = ak.to_numpy(ak.flatten(content[name])).copy()
        flat[0] = change
        content[name] = ak.unflatten(flat, ak.num(content[name]))
    with pytest.raises(InputError, match=reason):
        ingest([write_nanoaod(tmp_path / "nano.root", content)], settings(STORED), tmp_path / "clouds.h5")
    assert not (tmp_path / "clouds.h5").exists()


def test_weights_of_the_generator_are_carried(tmp_path: Path, rng: np.random.Generator) -> None:
    content = nano_branches(rng)
    content["genWeight"] = np.array([2.0, -1.0] * 6, np.float32)
    ingest([write_nanoaod(tmp_path / "nano.root", content)], settings(STORED), tmp_path / "clouds.h5")
    weights = read_clouds(tmp_path / "clouds.h5", weighted=True).event_weight
    assert weights is not None
    assert sorted(set(weights.tolist())) == [-1.0, 2.0]
    asked = settings(STORED, weight_branch="Event.Weight")
    with pytest.raises(InputError, match="no branch 'Event_Weight'"):
        ingest([tmp_path / "nano.root"], asked, tmp_path / "other.h5")


@pytest.mark.parametrize(
    ("clouds", "layout", "reason"),
    [
        ({"kind": "reclustered"}, "nanoaod", "candidate is of nanoaod, and nanoaod has no other"),
        ({"kind": "events", "constituents": "candidate"}, "delphes", "candidate is of nanoaod"),
        ({"kind": "jet_events"}, "nanoaod", "jet_events are read from Delphes files alone"),
        ({**STORED, "puppi": True}, "delphes", "only candidates of nanoaod have PUPPI weights"),
    ],
)
def test_what_a_layout_does_not_have_is_refused(clouds: Mapping[str, Any], layout: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        parse(IngestionSettings, {"layout": layout, "clouds": clouds, "max_particles": 20}, "settings")


@pytest.mark.parametrize(("collection", "pt_min", "jets"), [("FatJet", 200, 20), ("Jet", 30, 20)])
def test_jets_of_cms_are_the_sum_of_their_candidates(collection: str, pt_min: float, jets: int, tmp_path: Path) -> None:
    """Ten simulated events in PFNano: AK8 jets of weighted candidates, AK4 jets of unweighted ones."""
    path = PUBLIC / "coffea_pfnano.root"
    if not path.exists():
        pytest.skip("the public PFNano file is not there")
    clouds = {"kind": "stored", "collection": collection, "pt_window": [pt_min, 5000], "closure": [0.99, 1.01]}
    ingest([path], settings({**clouds, "jet_labels": ["hadronFlavour"]}), tmp_path / "clouds.h5")
    made = read_clouds(tmp_path / "clouds.h5")
    assert len(made) == jets
    assert made.meta["closure"]["of_jets"]["mean"] == pytest.approx(1.0, abs=2e-3)


def test_nanoaod_without_candidates_says_what_is_missing(tmp_path: Path) -> None:
    path = PUBLIC / "nanoAOD_2015_CMS_Open_Data_ttbar.root"
    if not path.exists():
        pytest.skip("the public NanoAOD file is not there")
    with pytest.raises(InputError, match=r"no branches 'PFCands_\*'.*PFNano has them"):
        ingest([path], settings({**STORED, "collection": "Jet"}), tmp_path / "clouds.h5")
