"""Towers, muons and jets of the detector are those of real Delphes for the same particles."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from cloudchamber.simulation.atlas_card import ATLAS
from cloudchamber.simulation.calorimeter import Calorimeter, Towers
from cloudchamber.simulation.detector import detect
from cloudchamber.simulation.objects import Jets, generated_jets, tower_jets
from cloudchamber.simulation.particles import Particles
from cloudchamber.simulation.propagation import SPEED_OF_LIGHT

ECAL, HCAL = ATLAS.calorimeters
TRUTH = "generated/delphes_atlas_qcd_pt200_truth_seed11.root"


def _columns(path: Path, branch: str, leaves: list[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the event of each entry of a branch and its leaves, flat."""
    arrays = uproot.open(path)["Delphes"].arrays([f"{branch}.{leaf}" for leaf in leaves])
    counts = ak.to_numpy(ak.num(arrays[f"{branch}.{leaves[0]}"]))
    flat = {leaf: ak.to_numpy(ak.flatten(arrays[f"{branch}.{leaf}"], axis=1)) for leaf in leaves}
    return np.repeat(np.arange(len(counts)), counts), flat


@pytest.fixture(scope="module")
def truth(delphes_samples: Path) -> Particles:
    """The stable generator particles that real Delphes had as its input."""
    leaves = ["PID", "Status", "Charge", "Mass", "E", "Px", "Py", "Pz", "X", "Y", "Z", "T"]
    event, columns = _columns(delphes_samples / TRUTH, "Particle", leaves)
    wide = {leaf.lower(): columns[leaf].astype(np.float64) for leaf in ("Mass", "Px", "Py", "Pz", "X", "Y", "Z")}
    particles = Particles(
        n_events=int(event.max()) + 1,
        event=event,
        pid=columns["PID"],
        status=columns["Status"],
        mother=np.full(len(event), -1, np.int32),
        charge=columns["Charge"],
        energy=columns["E"].astype(np.float64),
        time=columns["T"].astype(np.float64) * 1e3 * SPEED_OF_LIGHT,
        **wide,
    )
    return particles[particles.status == 1]


def _delphes_towers(path: Path) -> Towers:
    leaves = ["ET", "Eta", "Phi", "E", "T", "NTimeHits", "Eem", "Ehad", "Edges[4]"]
    event, columns = _columns(path, "Tower", leaves)
    et, eta, phi, energy, time, time_hits, electromagnetic, hadronic, edges = columns.values()
    return Towers(event, energy, et, eta, phi, time, time_hits, electromagnetic, hadronic, edges)


@pytest.fixture(scope="module")
def real(delphes_samples: Path) -> Towers:
    """The towers that real Delphes made."""
    return _delphes_towers(delphes_samples / TRUTH)


@pytest.fixture(scope="module")
def ours(truth: Particles) -> list[Towers]:
    """Our towers of the same particles, for several seeds of the detector."""
    return [detect(truth, np.random.default_rng(seed)) for seed in range(4)]


def _seen_by(towers: Towers, kind: str) -> Towers:
    return towers[getattr(towers, kind) > 0]


@pytest.mark.delphes
@pytest.mark.parametrize("kind", ["electromagnetic", "hadronic"])
def test_towers_agree_with_delphes(truth: Particles, real: Towers, ours: list[Towers], kind: str) -> None:
    expected = _seen_by(real, kind)
    counts = np.bincount(expected.event, minlength=truth.n_events)
    mine = [_seen_by(towers, kind) for towers in ours]
    assert np.mean([len(towers) for towers in mine]) == pytest.approx(len(expected), rel=0.02)
    assert np.mean([towers.et.sum() for towers in mine]) == pytest.approx(expected.et.sum(), rel=0.02)
    for towers in mine:
        assert np.corrcoef(np.bincount(towers.event, minlength=truth.n_events), counts)[0, 1] > 0.97
        assert towers.energy.min() == pytest.approx(expected.energy.min(), rel=0.01)


@pytest.mark.delphes
@pytest.mark.parametrize("kind", ["electromagnetic", "hadronic"])
def test_towers_are_hit_at_the_time_that_delphes_says(real: Towers, ours: list[Towers], kind: str) -> None:
    expected, mine = _seen_by(real, kind), _seen_by(ours[0], kind)
    keys = [list(map(tuple, np.column_stack([towers.event, towers.edges]))) for towers in (expected, mine)]
    times = dict(zip(keys[0], expected.time, strict=True))
    both = np.array([(times[key], time) for key, time in zip(keys[1], mine.time, strict=True) if key in times])
    assert len(both) > 0.8 * len(expected)
    np.testing.assert_allclose(both[:, 1], both[:, 0], rtol=1e-6)


@pytest.mark.delphes
@pytest.mark.parametrize("name", [TRUTH, "generated/delphes_atlas_ttbar_seed12.root"])
@pytest.mark.parametrize(("calorimeter", "kind"), [(ECAL, "electromagnetic"), (HCAL, "hadronic")])
def test_tower_edges_are_exactly_those_of_delphes(
    delphes_samples: Path, name: str, calorimeter: Calorimeter, kind: str
) -> None:
    expected = _seen_by(_delphes_towers(delphes_samples / name), kind).edges
    inside, *cell = calorimeter.segmentation.bins(expected[:, :2].mean(axis=1), expected[:, 2:].mean(axis=1))
    assert inside.all()
    np.testing.assert_array_equal(calorimeter.segmentation.edges(*cell).astype(np.float32), expected)


@pytest.mark.delphes
def test_muon_entries_agree_with_delphes(truth: Particles, real: Towers) -> None:
    expected = real[(real.electromagnetic == 0) & (real.hadronic == 0)]
    muons = truth[np.abs(truth.pid) == 13]
    seeds = 200
    found = np.mean([len(detect(muons, np.random.default_rng(seed))) for seed in range(seeds)])
    assert abs(len(expected) - found) < 3 * np.sqrt(found)
    for i in range(len(expected)):
        distance = np.hypot(muons.eta - expected.eta[i], muons.phi - expected.phi[i])
        near = np.flatnonzero((muons.event == expected.event[i]) & (distance < 0.01))
        assert len(near) == 1
        pt, eta = muons.pt[near], muons.eta[near]
        assert abs(expected.et[i] / pt - 1) < 4 * ATLAS.muon_resolution(pt, eta)
        assert expected.energy[i] == pytest.approx(np.hypot(expected.et[i] * np.cosh(eta), 0.10566), rel=1e-4)


def _assert_jets_equal(jets: Jets, path: Path, branch: str) -> None:
    event, expected = _columns(path, branch, ["PT", "Eta", "Phi", "Mass"])
    np.testing.assert_array_equal(jets.event, event)
    np.testing.assert_allclose(jets.pt, expected["PT"], rtol=1e-5)
    np.testing.assert_allclose(jets.eta, expected["Eta"], atol=1e-5)
    np.testing.assert_allclose(jets.phi, expected["Phi"], atol=1e-5)
    # The file has momenta in single precision, which bounds E^2 - p^2 in units of E^2.
    energy2 = (expected["PT"] * np.cosh(expected["Eta"])) ** 2 + expected["Mass"] ** 2
    assert (np.abs(jets.mass**2 - expected["Mass"] ** 2) < 1e-6 * energy2).all()


@pytest.mark.delphes
def test_jets_of_the_same_towers_are_those_of_delphes(delphes_samples: Path, real: Towers) -> None:
    jets, _ = tower_jets(real, int(real.event.max()) + 1)
    _assert_jets_equal(jets, delphes_samples / TRUTH, "Jet")


@pytest.mark.delphes
def test_generated_jets_of_the_same_particles_are_those_of_delphes(delphes_samples: Path, truth: Particles) -> None:
    _assert_jets_equal(generated_jets(truth), delphes_samples / TRUTH, "GenJet")
