"""From ROOT files to clouds: kinematics, selection, counts."""

import json
from itertools import pairwise

import numpy as np
import pytest
from ingested import ingested
from root_files import random_towers, write_delphes

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.clustering import cluster, four_vector_sums
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings

STORED = {"kind": "stored", "jets_per_event": 1000}
EVENTS = {"kind": "events"}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "clouds.h5"


# Two events: two jets of 2 and 1 towers and a tower outside, then an event with one tower and no jet.
TOWERS = {
    "ET": [[1.0, 30.0, 20.0, 7.0], [4.0]],
    "Eta": [[0.0, 0.1, -0.2, 1.0], [2.0]],
    "Phi": [[0.0, 1.0, -2.0, 1.0], [3.0]],
    "Eem": [[1.0, 0.0, 2.0, 0.0], [1.0]],
    "JetIndex": [[-1, 1, 0, 1], [-1]],
}
# Their jets after an energy scale of two for the first, and of one for the second.
JETS = {"PT": [[40.0, 37.0], []], "Eta": [[-0.2, 0.299], []], "Phi": [[-2.0, 1.0], []], "Mass": [[0.0, 13.0], []]}


def test_stored_jets_through_an_index(tmp_path, output):
    path = write_delphes(tmp_path / "a.root", {"Tower": TOWERS, "Jet": JETS})
    clouds = ingested(path, output, STORED, max_particles=3, extra_leaves=("Eem",))
    np.testing.assert_array_equal(clouds.point("pt"), [[20, 0, 0], [30, 7, 0]])
    np.testing.assert_array_equal(clouds.point("Eem"), [[2, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(clouds.labels, [[0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(clouds.feature("stored_pt"), [40, 37])
    np.testing.assert_array_equal(clouds.feature("n_constituents"), [1, 2])
    assert [column.unit for column in clouds.point_columns] == ["GeV", "1", "rad", "GeV"]
    assert clouds.meta["events"] == {"read": 2, "without_constituents": 0, "skipped_bad_values": 0, "not_accepted": 0}


def test_an_index_of_any_type_is_the_same(tmp_path, output):
    one, other = (
        ingested(write_delphes(tmp_path / "a.root", {"Tower": towers, "Jet": JETS}), output, STORED)
        for towers in (TOWERS, TOWERS | {"JetIndex": [[-1.0, 1.0, 0.0, 1.0], [-1.0]]})
    )
    np.testing.assert_array_equal(one.points, other.points)


def test_kinematics_are_of_all_constituents(tmp_path, output):
    """Two massless towers: m^2 = 2 pt1 pt2 (cosh(deta) - cos(dphi)), also where the second is truncated."""
    path = write_delphes(tmp_path / "a.root", {"Tower": TOWERS, "Jet": JETS})
    clouds = ingested(path, output, STORED, max_particles=1)
    mass = np.sqrt(2 * 30 * 7 * (np.cosh(0.9) - 1))
    np.testing.assert_allclose(clouds.feature("jet_mass"), [0, mass], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(clouds.feature("jet_pt"), [20, 37], rtol=1e-6)
    np.testing.assert_allclose(clouds.feature("jet_phi"), [-2, 1], rtol=1e-6)
    truncation = clouds.meta["truncation"]
    assert truncation["clouds_truncated"] == truncation["particles_dropped"] == 1
    assert truncation["worst_lost_pt_fraction"] == pytest.approx(7 / 37)
    assert truncation["mean_lost_pt_fraction"] == pytest.approx(7 / 37 / 2)


def test_whole_events_and_their_counts(tmp_path, output, rng, capsys):
    towers = random_towers(rng, 50)
    for leaf in towers.values():
        leaf[7] = []
    path = write_delphes(tmp_path / "a.root", {"Tower": towers})
    clouds = ingested(path, output, EVENTS, max_particles=20)
    assert clouds.label("event").tolist() == [event for event in range(50) if event != 7]
    assert clouds.meta["events"]["without_constituents"] == 1
    for i, event in enumerate(clouds.label("event")):
        expected = np.sort(np.float32(towers["ET"][event]))[::-1][:20]
        np.testing.assert_array_equal(clouds.point("pt")[i, clouds.mask[i]], expected)
    sums = [sum(towers["ET"][event]) for event in clouds.label("event")]
    np.testing.assert_allclose(clouds.feature("sum_pt"), sums, rtol=1e-6)
    message = capsys.readouterr().err.splitlines()[-1]
    assert f"{clouds.meta['truncation']['clouds_truncated']} clouds truncated by" in message
    assert "1 events without constituents" in message


def test_a_leaf_that_is_read_anyway_can_be_an_extra_leaf(tmp_path, output, rng):
    path = write_delphes(tmp_path / "a.root", {"Tower": random_towers(rng, 5)})
    clouds = ingested(path, output, EVENTS, extra_leaves=("ET",))
    np.testing.assert_array_equal(clouds.point("ET"), clouds.point("pt"))


def test_azimuths_in_degrees_are_refused(tmp_path, output, rng):
    """Cosines of any number are good numbers, and jets had been made of towers that are far apart."""
    towers = random_towers(rng, 3)
    towers["Phi"] = [np.degrees(of_event).tolist() for of_event in towers["Phi"]]
    path = write_delphes(tmp_path / "a.root", {"Tower": towers})
    with pytest.raises(InputError, match=r"a\.root: branch 'Tower\.Phi' is not finite or not physical in event 0"):
        ingested(path, output, {"kind": "reclustered"})


def test_an_extra_leaf_is_named_once():
    """Two columns of one name: nothing would tell them apart."""
    with pytest.raises(SettingsError, match="extra_leaves: 'Eem' stands there twice"):
        parse(IngestionSettings, {"clouds": EVENTS, "max_particles": 3, "extra_leaves": ["Eem", "T", "Eem"]})


def test_a_whole_number_that_single_precision_rounds_is_refused(tmp_path, output):
    """The code of helium 4 becomes that of nothing; the same number is no matter where it is not kept."""
    kinematics = {"PT": [[3.0], [2.0, 1.0]], "Eta": [[0.0], [0.1, 0.2]], "Phi": [[0.0], [0.1, 0.2]]}
    particles = kinematics | {"PID": [[16777217 - 1], [211, 1000020040]], "Status": [[1], [1, 1]]}
    path = write_delphes(tmp_path / "a.root", {"Particle": particles})
    events = {"kind": "events", "constituents": "particle"}
    with pytest.raises(InputError, match=r"a\.root: 'Particle.PID' is 1000020040 in event 1, .* makes 1000020032"):
        ingested(path, output, events, extra_leaves=("PID",))
    assert len(ingested(path, output, events, extra_leaves=("Status",))) == 2


def test_result_does_not_depend_on_the_step(tmp_path, rng):
    path = write_delphes(tmp_path / "a.root", {"Tower": random_towers(rng, 500)})
    clouds = {"kind": "reclustered", "jets_per_event": 3}
    whole = ingested(path, tmp_path / "whole.h5", clouds, step_size="100 MB")
    steps = ingested(path, tmp_path / "steps.h5", clouds, step_size="20 kB")
    np.testing.assert_array_equal(whole.points, steps.points)
    np.testing.assert_array_equal(whole.features, steps.features)
    np.testing.assert_array_equal(whole.labels, steps.labels)


def test_several_files_sorted(tmp_path, output, rng):
    for name, events in (("b", 5), ("a", 3)):
        write_delphes(tmp_path / f"{name}.root", {"Tower": random_towers(rng, events)})
    clouds = ingested([tmp_path / "*.root"], output, EVENTS)
    assert clouds.label("file").tolist() == [0] * 3 + [1] * 5
    assert [path.rpartition("/")[2] for path in clouds.meta["files"]] == ["a.root", "b.root"]
    assert sorted(clouds.meta["provenance"]["inputs"]) == clouds.meta["files"]


def test_same_input_gives_the_same_bytes(tmp_path, rng):
    path = write_delphes(tmp_path / "a.root", {"Tower": random_towers(rng, 20)})
    first, second = ingested(path, tmp_path / "1.h5", EVENTS), ingested(path, tmp_path / "2.h5", EVENTS)
    np.testing.assert_array_equal(first.points, second.points)
    assert json.dumps(first.meta, sort_keys=True) == json.dumps(second.meta, sort_keys=True)


def test_visible_particles(tmp_path, output):
    particles = {
        "PT": [[5.0, 6.0, 7.0, 8.0, 9.0]],
        "Eta": [[0.0, 0.0, 0.0, 999.9, 0.0]],
        "Phi": [[0.0, 0.0, 0.0, 0.0, 0.0]],
        "Status": [[1, 2, 1, 1, 1]],
        "PID": [[211, 211, -14, 2212, 22]],
    }
    path = write_delphes(tmp_path / "a.root", {"Particle": particles})
    clouds = ingested(path, output, {"kind": "events", "constituents": "particle"}, max_particles=4)
    np.testing.assert_array_equal(clouds.point("pt"), [[9, 5, 0, 0]])
    assert clouds.meta["constituents"]["without_direction"] == 1


def test_energy_flow_joins_three_collections(tmp_path, output):
    flow = {
        "EFlowTrack": {"PT": [[3.0]], "Eta": [[0.0]], "Phi": [[0.0]]},
        "EFlowPhoton": {"ET": [[5.0]], "Eta": [[1.0]], "Phi": [[0.0]]},
        "EFlowNeutralHadron": {"ET": [[4.0]], "Eta": [[2.0]], "Phi": [[0.0]]},
    }
    path = write_delphes(tmp_path / "a.root", flow)
    settings = {"kind": "events", "constituents": "energy_flow"}
    np.testing.assert_array_equal(
        ingested(path, output, settings, max_particles=3).points[0, :, :2], [[5, 1], [4, 2], [3, 0]]
    )
    candidates = {"ParticleFlowCandidate": {"PT": [[1.0]], "Eta": [[0.0]], "Phi": [[0.0]]}}
    path = write_delphes(tmp_path / "b.root", flow | candidates)
    np.testing.assert_array_equal(ingested(path, output, settings, max_particles=3).multiplicity, [1])


def test_selection_window_and_rank(tmp_path, output, rng):
    """The rank counts all jets, the limit only accepted ones."""
    path = write_delphes(tmp_path / "a.root", {"Tower": random_towers(rng, 200)})
    every = ingested(path, output, {"kind": "reclustered", "eta_max": 100, "jets_per_event": 1000})
    window = {"kind": "reclustered", "pt_window": (40, 90), "eta_max": 1.0, "jets_per_event": 2}
    some = ingested(path, output, window)
    pt, eta = every.feature("jet_pt"), np.abs(every.feature("jet_eta"))
    accepted = (pt >= 40) & (pt <= 90) & (eta <= 1)
    event = every.label("event")
    few = np.array([accepted[:i][event[:i] == event[i]].sum() < 2 for i in range(len(every))])
    assert (accepted & ~few).any()
    assert (some.label("jet") > 1).any()
    np.testing.assert_array_equal(some.labels, every.labels[accepted & few])
    np.testing.assert_array_equal(some.points, every.points[accepted & few])
    for number in np.unique(event):
        mine = event == number
        assert (np.diff(pt[mine]) <= 0).all()
        np.testing.assert_array_equal(every.label("jet")[mine], np.arange(mine.sum()))


def test_bad_events_are_skipped_and_counted(tmp_path, output, rng, capsys):
    towers = random_towers(rng, 30)
    towers["Phi"][3][0] = float("nan")
    towers["ET"][5][-1] = -1.0
    path = write_delphes(tmp_path / "a.root", {"Tower": towers})
    clouds = ingested(path, output, EVENTS, on_bad_event="skip")
    assert clouds.label("event").tolist() == [event for event in range(30) if event not in (3, 5)]
    assert clouds.meta["events"] == {"read": 30, "without_constituents": 0, "skipped_bad_values": 2, "not_accepted": 0}
    assert "2 skipped for bad values" in capsys.readouterr().err


def test_a_step_of_only_bad_events(tmp_path, output, rng):
    towers = random_towers(rng, 400)
    for event in range(300):
        towers["ET"][event][0] = float("inf")
    path = write_delphes(tmp_path / "a.root", {"Tower": towers})
    for clouds in (EVENTS, {"kind": "reclustered"}):
        read = ingested(path, output, clouds, on_bad_event="skip", step_size="20 kB")
        assert set(read.label("event")) == set(range(300, 400))


def test_four_vector_sums_against_components(rng):
    pt, eta, phi = rng.exponential(10, 90), rng.normal(0, 2, 90), rng.uniform(-4, 4, 90)
    pt[3], eta[3] = 0.0, 999.9
    sums = four_vector_sums(pt, eta, phi, np.array([0, 50, 50, 90]))
    eta[3] = 0.0
    p = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)])
    for i, (low, high) in enumerate(((0, 50), (50, 50), (50, 90))):
        px, py, pz, energy = p[:, low:high].sum(axis=1)
        np.testing.assert_allclose(sums.pt[i], np.hypot(px, py), rtol=1e-12)
        np.testing.assert_allclose(sums.mass[i] ** 2, energy**2 - px**2 - py**2 - pz**2, rtol=1e-10)
        np.testing.assert_allclose(sums.pt[i] * np.sinh(sums.eta[i]), pz, rtol=1e-12)
        np.testing.assert_allclose(sums.pt[i] * np.cos(sums.phi[i]), px, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(sums.sum_pt[i], pt[low:high].sum(), rtol=1e-12)


def test_a_cloud_of_one_particle_has_no_mass(rng):
    """42 % of the jets of one tower in a file of Delphes had the mass of rounding, up to 4e-5 GeV."""
    pt, eta, phi = rng.exponential(100, 5000), rng.uniform(-5, 5, 5000), rng.uniform(-np.pi, np.pi, 5000)
    assert not four_vector_sums(pt, eta, phi, np.arange(5001)).mass.any()


@pytest.mark.parametrize("algorithm", ["anti-kt", "kt", "cambridge-aachen"])
def test_clustering_against_the_definition(algorithm, rng):
    """FastJet's jets equal those of the pairwise recombination written out (arXiv 1111.6097, section 2)."""
    events = [25, 0, 40]
    pt, eta, phi = rng.exponential(10, 65), rng.normal(0, 1.5, 65), rng.uniform(-np.pi, np.pi, 65)
    offsets = np.cumsum([0, *events])
    jets = cluster(pt, eta, phi, offsets, algorithm=algorithm, radius=0.8, pt_min=0.0)
    found = {
        (event, *sorted(jets.members[low:high]))
        for event, low, high in zip(jets.event, jets.offsets[:-1], jets.offsets[1:], strict=True)
    }
    power = {"anti-kt": -1, "kt": 1, "cambridge-aachen": 0}[algorithm]
    expected = set()
    for event, (low, high) in enumerate(pairwise(offsets)):
        momenta = {
            (i,): pt[i] * np.array([np.cos(phi[i]), np.sin(phi[i]), np.sinh(eta[i]), np.cosh(eta[i])])
            for i in range(low, high)
        }
        expected |= {(event, *sorted(jet)) for jet in recombine(momenta, power, 0.8)}
    assert found == expected


def recombine(momenta, power, radius):
    """Yield the constituents of inclusive jets by brute force."""
    while momenta:
        names = list(momenta)
        p = np.array([momenta[name] for name in names])
        weight = np.hypot(p[:, 0], p[:, 1]) ** (2 * power)
        y = np.arctanh(p[:, 2] / p[:, 3])
        phi = np.arctan2(p[:, 1], p[:, 0])
        dphi = np.pi - np.abs(np.pi - np.abs(phi[:, None] - phi))
        distance = np.minimum(weight[:, None], weight) * ((y[:, None] - y) ** 2 + dphi**2) / radius**2
        np.fill_diagonal(distance, weight)
        i, j = np.unravel_index(distance.argmin(), distance.shape)
        if i == j:
            del momenta[names[i]]
            yield names[i]
        else:
            momenta[names[i] + names[j]] = momenta.pop(names[i]) + momenta.pop(names[j])


def test_nothing_in_the_window(tmp_path, output):
    path = write_delphes(tmp_path / "a.root", {"Tower": TOWERS})
    with pytest.raises(InputError, match=r"a\.root: nothing passes the selection: .*0 clouds of 2 events"):
        ingested(path, output, {"kind": "reclustered", "pt_window": (1000, 2000)})
    assert not output.exists()
