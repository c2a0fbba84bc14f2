"""Real Delphes files become clouds."""

import numpy as np
import pytest
from ingested import ingested

from cloudchamber.preparation.clustering import cluster
from cloudchamber.readers.constituents import gather
from cloudchamber.readers.delphes import open_tree
from cloudchamber.readers.references import resolve

STORED = {"kind": "stored", "jets_per_event": 1000}
EVENTS = {"kind": "events"}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "clouds.h5"


ATLAS = ("generated/delphes_atlas_qcd_pt200_truth_seed11.root", "generated/delphes_atlas_ttbar_seed12.root")


@pytest.mark.delphes
@pytest.mark.parametrize("file", ATLAS)
def test_stored_jets_are_the_scaled_sum_of_their_towers(delphes_samples, output, file):
    """Delphes ATLAS card: the energy scale is sqrt((3 - 0.2 |eta|)^2 / pT + 1).

    Left out are jets with a muon entry (Eem = Ehad = 0), which has a mass.
    """
    clouds = ingested(delphes_samples / file, output, STORED, extra_leaves=("Eem", "Ehad"))
    assert clouds.meta["references"]["dangling"] == 0
    muons = clouds.mask & (clouds.point("Eem") + clouds.point("Ehad") == 0)
    rows = ~muons.any(axis=1)
    pt, eta, phi, mass = (clouds.feature(f"jet_{name}")[rows].astype(float) for name in ("pt", "eta", "phi", "mass"))
    scale = np.sqrt((3.0 - 0.2 * np.abs(eta)) ** 2 / pt + 1)
    assert rows.sum() > 500
    np.testing.assert_allclose(clouds.feature("stored_pt")[rows], pt * scale, rtol=1e-6)
    np.testing.assert_allclose(clouds.feature("stored_mass")[rows], mass * scale, rtol=2e-5, atol=2e-3)
    np.testing.assert_allclose(clouds.feature("stored_eta")[rows], eta, atol=2e-6)
    np.testing.assert_allclose(clouds.feature("stored_phi")[rows], phi, atol=2e-6)


@pytest.mark.delphes
def test_own_clustering_finds_the_stored_jets(delphes_samples):
    """Anti-kt, R = 0.6, of all towers: each stored jet of Delphes is one of ours, tower by tower."""
    leaves = ["Tower.ET", "Tower.Eta", "Tower.Phi", "Tower.Eem", "Tower.Ehad", "Tower.fUniqueID"]
    with open_tree(delphes_samples / ATLAS[0], "Delphes") as tree:
        (step,) = tree.steps(leaves, "100 MB", ["Jet.Constituents"])
    table = gather(step, ("Tower",), ("Eem", "Ehad"))
    stored = resolve(step.references["Jet.Constituents"], step.leaves["Tower.fUniqueID"]).members
    pt, eta, phi, em, had = table.columns
    jets = cluster(pt, eta, phi, table.offsets, algorithm="anti-kt", radius=0.6, pt_min=15.0)
    ours = {frozenset(part) for part in np.split(jets.members, jets.offsets[1:-1])}
    theirs = [frozenset(part) for part in np.split(stored.values, stored.offsets[1:-1])]
    muons = set(np.flatnonzero(em + had == 0))
    calorimeter = [jet for jet in theirs if not jet & muons]
    assert len(calorimeter) > 500
    assert [sorted(jet) for jet in calorimeter if jet not in ours] == []


@pytest.mark.delphes
@pytest.mark.parametrize(
    ("collection", "constituents", "references"),
    [
        ("spectraljet_mini/Jet", ["EFlowNeutralHadron", "EFlowPhoton", "EFlowTrack"], (111, 0)),
        ("skhep_uproot-issue513/Jet", ["EFlowNeutralHadron", "EFlowPhoton", "EFlowTrack"], (636, 0)),
        ("skhep_uproot-issue513/GenJet", ["Particle"], (1535, 0)),
        ("sophon_events_delphes_example/JetPUPPI", ["ParticleFlowCandidate"], (1068, 0)),
    ],
)
def test_jets_of_the_cms_card(delphes_samples, output, collection, constituents, references):
    file, collection = collection.split("/")
    clouds = ingested(delphes_samples / f"public/{file}.root", output, STORED | {"collection": collection})
    assert clouds.meta["constituents"]["collections"] == constituents
    counts = clouds.meta["references"]
    assert (counts["resolved"], counts["dangling"]) == references
    scaled = 0 if collection != "Jet" else (2.5 - 0.15 * np.abs(clouds.feature("jet_eta"))) ** 2
    pt = clouds.feature("jet_pt")
    np.testing.assert_allclose(clouds.feature("stored_pt"), pt * np.sqrt(scaled / pt + 1), rtol=1e-4)


@pytest.mark.delphes
def test_energy_flow_objects_without_direction(delphes_samples, output):
    """Delphes sets PT = 0 and Eta = 999.9 for energy-flow tracks that lost their momentum to a tower."""
    clouds = ingested(
        delphes_samples / "public/skhep_uproot-issue513.root", output, EVENTS | {"constituents": "energy_flow"}, 300
    )
    assert clouds.meta["constituents"]["without_direction"] == 374
    assert np.abs(clouds.point("eta")).max() < 6


@pytest.mark.delphes
def test_candidates_that_puppi_took_out_are_no_particles(delphes_samples, output, capsys):
    """Another version writes them with PT = 0, the Eta of where they meet the calorimeter, and Phi = 0."""
    clouds = ingested(
        delphes_samples / "public/sophon_events_delphes_example.root", output, STORED | {"collection": "JetPUPPI"}, 300
    )
    assert clouds.mask.sum() == 1068 - 91
    assert (clouds.point("pt")[clouds.mask] > 0).all()
    np.testing.assert_array_equal(clouds.feature("n_constituents"), clouds.multiplicity)
    assert clouds.meta["closure"]["of_jets"]["mean"] == pytest.approx(1.0, abs=1e-4)
    assert "constituents without momentum or direction left out" in capsys.readouterr().err
