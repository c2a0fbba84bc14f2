"""Truth match of jets, the mass window, and what a file must have for it."""

from pathlib import Path

import numpy as np
import pytest
import uproot
from root_files import Lists, write_delphes

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.preparation.truth import TRUTH_LEAVES, Prongs, matched, read_prongs
from cloudchamber.readers.delphes import open_tree
from cloudchamber.settings.ingestion import IngestionSettings

WIDE = {"kind": "reclustered", "radius": 1.2, "pt_window": (1, 1e6)}

# Event 0: X (row 2) -> q q, once radiating; Y (row 3) -> q q far away. Event 1: a gluon and a quark straight from the
# incoming partons. Event 2: X -> q q of which one is beyond 1.2.
PARTICLES = {
    "PID": [[21, 21, 25, 25, 25, 3, -3, 4, -4, 3, 211], [1, 2, 21, 1], [21, 21, 25, 5, -5]],
    "Status": [[21, 21, 22, 22, 44, 23, 23, 23, 23, 51, 1], [21, 21, 23, 23], [21, 21, 22, 23, 23]],
    "M1": [[-1, -1, 0, 0, 2, 4, 4, 3, 3, 5, 9], [-1, -1, 0, 0], [-1, -1, 0, 2, 2]],
    "Eta": [
        [999.9, -999.9, 0, 0, 0, 0.2, -0.3, 0.5, -0.5, 0.2, 0.2],
        [999.9, -999.9, 0, 0],
        [999.9, -999.9, 0, 0, 1.3],
    ],
    "Phi": [[0, 0, 0, 3, 0, 0, 0.5, 3, -3, 0, 0], [0, 0, 0, 3], [0, 0, 0, 0, 0]],
}
TOWERS = {
    "ET": [[500.0, 400.0, 450.0, 350.0], [500.0, 500.0], [600.0, 10.0]],
    "Eta": [[0.2, -0.3, 0.5, -0.5], [0.0, 0.0], [0.0, 1.3]],
    "Phi": [[0.0, 0.5, 3.0, -3.0], [0.0, 3.0], [0.0, 0.0]],
}


def run(path: Path, output: Path, **clouds) -> Clouds:
    ingest([path], IngestionSettings(clouds=WIDE | clouds, max_particles=10), output)
    return read_clouds(output)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    towers = TOWERS | {"JetIndex": [[-1] * len(event) for event in TOWERS["ET"]]}
    particles = {
        name: [[float(v) for v in event] if name in ("Eta", "Phi") else event for event in lists]
        for name, lists in PARTICLES.items()
    }
    return write_delphes(tmp_path / "a.root", {"Tower": towers, "Particle": particles})


def test_jets_with_all_prongs_of_one_particle_are_kept(path: Path, tmp_path: Path, capsys) -> None:
    every = run(path, tmp_path / "every.h5")
    assert len(every) == 5 + 1
    assert every.meta["truth"] == {"jets_unmatched": 0}
    pairs = run(path, tmp_path / "pairs.h5", truth_match={"prongs": 2})
    np.testing.assert_array_equal(pairs.label("event"), [0, 0])
    assert pairs.meta["truth"] == {"jets_unmatched": 4}
    assert "4 jets left out by the truth match" in capsys.readouterr().err
    single = run(path, tmp_path / "single.h5", truth_match={"prongs": 1})
    np.testing.assert_array_equal(single.label("event"), [1, 1])
    wider = run(path, tmp_path / "wider.h5", truth_match={"prongs": 2, "radius": 1.4})
    np.testing.assert_array_equal(wider.label("event"), [0, 0, 2, 2])


def test_a_file_with_other_status_codes_is_said(path: Path, tmp_path: Path, capsys) -> None:
    """As of another generator; beside a file of Pythia 8 its jets would be missing without a word."""
    others = PARTICLES | {
        "Status": [[2 if code == 23 else code for code in event] for event in PARTICLES["Status"]],
        **{name: [[float(value) for value in event] for event in PARTICLES[name]] for name in ("Eta", "Phi")},
    }
    towers = TOWERS | {"JetIndex": [[-1] * len(event) for event in TOWERS["ET"]]}
    other = write_delphes(tmp_path / "b.root", {"Tower": towers, "Particle": others})
    chosen = IngestionSettings(clouds=WIDE | {"truth_match": {"prongs": 2}}, max_particles=10)
    ingest([path, other], chosen, tmp_path / "clouds.h5")
    assert set(read_clouds(tmp_path / "clouds.h5").label("file").tolist()) == {0}
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ingest: WARNING")]
    said = (
        "no particle decays to 2 quarks or gluons of status 23, the code of Pythia 8: none of 6 accepted jets is left"
    )
    assert warnings == [f"ingest: WARNING: {other}: {said} by the truth match"]


@pytest.mark.parametrize(("radius", "within", "within_wide"), [(0.5, 0, 4), (0.75, 1, 3), (1.2, 2, 2)])
def test_prongs_are_in_the_jet_where_nobody_says_how_near(
    path: Path, tmp_path: Path, radius: float, within: int, within_wide: int
) -> None:
    """The two prongs of X are 0.71 apart, those of Y 1.04: a narrower jet has one of them alone."""
    wide = run(path, tmp_path / "wide.h5", radius=radius, jets_per_event=9, truth_match={"prongs": 2, "radius": 1.2})
    assert len(wide) == within_wide
    both = {"prongs": 2}
    if within:
        assert len(run(path, tmp_path / "a.h5", radius=radius, jets_per_event=9, truth_match=both)) == within
        return
    with pytest.raises(InputError, match=r"nothing passes the selection.* left out by the truth match"):
        run(path, tmp_path / "a.h5", radius=radius, jets_per_event=9, truth_match=both)


def test_prongs_of_two_particles_are_not_mixed() -> None:
    """Two prongs of each of two particles: a jet with one of each, with both of one, with all four."""
    prongs = Prongs(
        event=np.zeros(4, int),
        parent=np.array([0, 0, 1, 1]),
        eta=np.array([0.0, 1.0, 0.2, 3.0]),
        phi=np.zeros(4),
        sizes=np.array([2, 2]),
    )
    eta = np.array([0.1, 0.6, 1.5, 9.0])
    for radius, expected in ((0.3, [0, 0, 0, 0]), (0.55, [0, 0, 0, 0]), (0.65, [0, 0, 0, 0]), (2.0, [0, 0, 0, 0])):
        found = matched(np.zeros(4, int), eta, np.zeros(4), prongs, 2, radius)
        np.testing.assert_array_equal(found, expected)
    apart = Prongs(prongs.event, prongs.parent, np.array([0.0, 1.0, 2.8, 3.0]), prongs.phi, prongs.sizes)
    found = matched(np.zeros(4, int), eta, np.zeros(4), apart, 2, 1.05)
    np.testing.assert_array_equal(found, [True, True, False, False])


def test_matching_against_loops(rng) -> None:
    events, per_event = 40, 6
    event = np.repeat(np.arange(events), per_event)
    parent = np.repeat(np.arange(2 * events), 3)
    eta, phi = rng.uniform(-1, 1, len(event)), rng.uniform(-np.pi, np.pi, len(event))
    sizes = np.full(2 * events, 3)
    prongs = Prongs(event, parent, eta, phi, sizes)
    jet_event = np.sort(rng.integers(0, events, 300))
    jet_eta, jet_phi = rng.uniform(-1, 1, 300), rng.uniform(-np.pi, np.pi, 300)
    found = matched(jet_event, jet_eta, jet_phi, prongs, 3, 1.7)
    expected = []
    for number, j_eta, j_phi in zip(jet_event, jet_eta, jet_phi, strict=True):
        inside = {}
        for row in np.flatnonzero(event == number):
            turn = abs(phi[row] - j_phi) % (2 * np.pi)
            inside.setdefault(parent[row], []).append(np.hypot(eta[row] - j_eta, min(turn, 2 * np.pi - turn)) < 1.7)
        expected.append(sorted(sum(prong) for prong in inside.values()) == [0, 3])
    assert 5 < sum(expected) < 200
    np.testing.assert_array_equal(found, expected)


def test_no_prongs_and_no_jets() -> None:
    nothing = np.zeros(0, int)
    prongs = Prongs(nothing, nothing, np.zeros(0), np.zeros(0), nothing)
    assert not matched(np.array([0, 3]), np.zeros(2), np.zeros(2), prongs, 2, 1.2).any()
    assert len(matched(nothing, np.zeros(0), np.zeros(0), prongs, 2, 1.2)) == 0


def test_mass_window(path: Path, tmp_path: Path) -> None:
    every = run(path, tmp_path / "every.h5")
    mass = every.feature("jet_mass")
    low, high = 100.0, float(np.sort(mass)[-1]) - 1
    some = run(path, tmp_path / "some.h5", mass_window=(low, high))
    np.testing.assert_array_equal(some.features, every.features[(mass >= low) & (mass <= high)])
    assert 0 < len(some) < len(every)


def test_mass_window_of_stored_jets(tmp_path: Path) -> None:
    jets = {"PT": [[50.0, 40.0]], "Eta": [[0.0, 0.0]], "Phi": [[0.0, 3.0]], "Mass": [[5.0, 9.0]]}
    towers = {"ET": [[50.0, 40.0]], "Eta": [[0.0, 0.0]], "Phi": [[0.0, 3.0]], "JetIndex": [[0, 1]]}
    path = write_delphes(tmp_path / "a.root", {"Tower": towers, "Jet": jets})
    clouds = {"kind": "stored", "mass_window": (6, 10)}
    ingest([path], IngestionSettings(clouds=clouds, max_particles=3), tmp_path / "a.h5")
    np.testing.assert_array_equal(read_clouds(tmp_path / "a.h5").feature("stored_mass"), [9.0])


def test_a_file_without_particles(tmp_path: Path) -> None:
    path = write_delphes(tmp_path / "a.root", {"Tower": TOWERS})
    with pytest.raises(InputError, match=r"a\.root: no branch 'Particle', which the truth match needs$"):
        run(path, tmp_path / "a.h5", truth_match={"prongs": 2})
    assert not (tmp_path / "a.h5").exists()


@pytest.mark.parametrize(
    ("mothers", "message"),
    [
        ([[-1, -1, 5]], "points outside the particles of event 0"),
        ([[-1, -1, -2]], "points outside the particles of event 0"),
        ([[1, 0, 1]], "makes a particle its own ancestor"),
        ([[-1.0, -1.0, 0.5]], "is 0.5 in event 0, expected a whole number"),
    ],
)
def test_mothers_that_cannot_be(mothers: Lists, message: str, tmp_path: Path) -> None:
    particles = {
        "PID": [[25, 25, 5]],
        "Status": [[22, 22, 23]],
        "M1": mothers,
        "Eta": [[0.0, 0.0, 0.0]],
        "Phi": [[0.0, 0.0, 0.0]],
    }
    towers = {leaf: lists[:1] for leaf, lists in TOWERS.items()}
    path = write_delphes(tmp_path / "a.root", {"Tower": towers, "Particle": particles})
    with pytest.raises(InputError, match=rf"a\.root: branch 'Particle\.M1' {message}"):
        run(path, tmp_path / "a.h5", truth_match={"prongs": 2})


# --- real files -----------------------------------------------------------------------------------------------------

REAL = {"public/sophon_events_delphes_example": 25, "public/skhep_uproot-issue513": 6}


@pytest.mark.delphes
@pytest.mark.parametrize("file", REAL)
def test_prongs_of_real_files_against_loops(delphes_samples: Path, file: str) -> None:
    """Higgs bosons and top quarks: files with the whole record of Pythia, radiation of the resonances included."""
    path = delphes_samples / f"{file}.root"
    with open_tree(path, "Delphes") as tree:
        (step,) = tree.steps(TRUTH_LEAVES, "100 MB")
    prongs = read_prongs(step, path)
    arrays = uproot.open(path)["Delphes"].arrays(["Particle.PID", "Particle.Status", "Particle.M1", "Particle.Eta"])
    expected = []
    for event, row in enumerate(arrays):
        pid, status, mother = (row[f"Particle.{name}"].tolist() for name in ("PID", "Status", "M1"))
        for particle in range(len(pid)):
            if status[particle] == 23 and abs(pid[particle]) in (1, 2, 3, 4, 5, 21):
                chain = [particle]
                while mother[chain[-1]] >= 0 and status[mother[chain[-1]]] != 21:
                    chain.append(mother[chain[-1]])
                assert abs(pid[chain[-1]]) == REAL[file]
                expected.append((event, chain[-1], row["Particle.Eta"][particle]))
    found = sorted(zip(prongs.event.tolist(), prongs.parent.tolist(), prongs.eta.tolist(), strict=True))
    numbers = {pair: number for number, pair in enumerate(sorted({pair[:2] for pair in expected}))}
    assert found == sorted((event, numbers[event, ancestor], eta) for event, ancestor, eta in expected)
    assert len(expected) > 20


@pytest.mark.delphes
def test_boosted_higgs_bosons_of_real_delphes_match(delphes_samples: Path, tmp_path: Path) -> None:
    """Decays to two quarks: all that lie in one wide jet are found, and no jet has three prongs."""
    path = delphes_samples / "public/sophon_events_delphes_example.root"
    clouds = {"constituents": "energy_flow", "pt_window": (400, 1e4), "eta_max": 3.0}
    every, pairs = (
        run(path, tmp_path / "e.h5", **clouds),
        run(path, tmp_path / "p.h5", **clouds, truth_match={"prongs": 2}),
    )
    assert 5 <= len(pairs) < len(every)
    assert pairs.meta["truth"]["jets_unmatched"] == len(every) - len(pairs)
    assert 100 < np.median(pairs.feature("jet_mass")) < 150
    with pytest.raises(InputError, match=r"nothing passes the selection: .*jets left out by the truth match"):
        run(path, tmp_path / "t.h5", **clouds, truth_match={"prongs": 3})
