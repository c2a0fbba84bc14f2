"""Interactions against conservation laws, the detector against closed forms."""

import numpy as np
import pytest

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.neutrinos.cascades import electromagnetic, hadronic
from cloudchamber.studies.neutrinos.detector import detect
from cloudchamber.studies.neutrinos.energy_loss import IRON
from cloudchamber.studies.neutrinos.interactions import PROTON_MASS, Interactions, interact
from cloudchamber.studies.neutrinos.names import INTERACTIONS
from cloudchamber.studies.neutrinos.prongs import merged
from cloudchamber.studies.neutrinos.settings import BeamSettings, DetectorSettings
from cloudchamber.studies.neutrinos.simulate import events_of_shard
from cloudchamber.studies.neutrinos.tracks import MUON_MASS, Starts, track

BEAM = BeamSettings(events=10)
# Long and wide enough to hold everything.
DETECTOR = DetectorSettings(planes=2000, cells=2000, first_vertex=50, last_vertex=50)
MIP = IRON.minimum * DETECTOR.density * DETECTOR.plane_pitch


@pytest.fixture(scope="module", params=INTERACTIONS)
def interactions(request: pytest.FixtureRequest) -> Interactions:
    pytest.importorskip("pythia8mc", reason="Pythia is not installed")
    return next(interact(request.param, 30.0, BEAM, 300, 7))


def test_energy_momentum_and_charge_are_those_of_neutrino_and_proton(interactions: Interactions) -> None:
    particles = interactions.particles
    total = np.zeros((len(interactions), 3))
    np.add.at(total, particles.event, particles.momentum)
    np.testing.assert_allclose(total, np.tile([0, 0, 30.0], (len(interactions), 1)), atol=2e-3)
    energy = np.sqrt((particles.momentum**2).sum(axis=1) + particles.mass**2)
    sums = np.bincount(particles.event, energy)
    np.testing.assert_allclose(sums, 30.0 + PROTON_MASS, atol=2e-3)


def test_kinematics_are_those_of_deep_inelastic_scattering(interactions: Interactions) -> None:
    x, y, q2, w = interactions.x, interactions.y, interactions.q2, interactions.w
    assert ((x > 0) & (x < 1) & (y > 0) & (y < 1)).all()
    assert (q2 >= 0.99 * BEAM.q2_min).all()
    assert (w >= BEAM.w_min).all()
    # Q^2 = 2 M E x y and W^2 = M^2 + Q^2 (1 - x) / x.
    np.testing.assert_allclose(q2, 2 * PROTON_MASS * 30.0 * x * y, rtol=1e-9)
    np.testing.assert_allclose(w**2, PROTON_MASS**2 + q2 * (1 - x) / x, rtol=1e-9)


def test_a_mass_that_no_event_has_is_one_line() -> None:
    pytest.importorskip("pythia8mc", reason="Pythia is not installed")
    with pytest.raises(SettingsError, match=r"w_min: only 0 of 5000 events of nc at 30 GeV have so large a mass"):
        list(interact("nc", 30.0, BeamSettings(events=10, w_min=20.0), 10, 1))


def test_each_interaction_has_its_lepton(interactions: Interactions) -> None:
    name = list(INTERACTIONS)[interactions.interaction]
    code = {"numu_cc": 13, "nue_cc": 11, "nc": 14}[name]
    particles = interactions.particles
    found = np.unique(particles.event[particles.pdg == code])
    assert len(found) == len(interactions)


def test_energy_loss_has_the_minimum_of_iron() -> None:
    """1.451 MeV cm^2/g at beta gamma of about 3.4 (Review of Particle Physics, atomic and nuclear properties)."""
    assert 1e3 * IRON.minimum == pytest.approx(1.451, rel=0.01)
    grid = np.geomspace(1, 10, 400)
    assert grid[IRON(grid).argmin()] == pytest.approx(3.4, rel=0.1)


def _along(energy: list[float], mass: float, pdg: int) -> Starts:
    n = len(energy)
    return Starts(
        np.arange(n), np.full(n, pdg), np.tile([0.0, 0.0, 3.0], (n, 1)), np.tile([0.0, 0.0, 1.0], (n, 1)),
        np.array(energy), np.full(n, mass),
    )  # fmt: skip


@pytest.mark.parametrize("energy", [0.5, 2.0, 5.0])
def test_muons_stop_after_the_range_of_their_energy(energy: float) -> None:
    found = track(_along([energy] * 60, MUON_MASS, 13), DETECTOR, np.random.default_rng(1))
    last = np.zeros(60)
    np.maximum.at(last, found.deposits.particle, found.deposits.plane.astype(float))
    density = DETECTOR.density

    # The integral of the inverse loss, on a grid of its own.
    kinetic = np.geomspace(0.005, energy, 4000)
    inverse = 1 / (density * IRON.of_kinetic(kinetic, np.full(4000, MUON_MASS)))
    expected = np.trapezoid(inverse, kinetic) / DETECTOR.plane_pitch
    # Multiple scattering makes the way along z shorter, and a step is half a plane.
    assert 0.9 * expected - 1 < last.mean() <= expected + 1


def test_muons_cross_a_detector_of_any_length() -> None:
    """They were lost after 2,000 steps, a thousand planes, and did not count as leaving it."""
    long = DETECTOR.model_copy(update={"planes": 1500, "density": 0.1, "radiation_length": 1e6})
    found = track(_along([100.0] * 5, MUON_MASS, 13), long, np.random.default_rng(5))
    assert found.deposits.plane.max() == 1499
    assert len(found.left) == 5


def test_muons_leave_their_energy() -> None:
    """Each view sees the whole loss, in units of a minimum ionising particle in a plane."""
    found = track(_along([2.0] * 200, MUON_MASS, 13), DETECTOR, np.random.default_rng(2))
    seen = np.bincount(found.deposits.particle, found.deposits.energy) * MIP / 2
    assert seen.mean() == pytest.approx(2.0, rel=0.03)


def test_pions_interact_after_the_interaction_length() -> None:
    starts = _along([20.0] * 4000, 0.13957, 211)
    found = track(starts, DETECTOR, np.random.default_rng(3))
    way = found.cascades.position[:, 2] - 3.0
    assert len(way) > 3900
    # A step is half a plane, of which half is too much on average.
    assert way.mean() - 0.25 * DETECTOR.plane_pitch == pytest.approx(DETECTOR.interaction_length, rel=0.05)


def test_pions_decay_with_their_life_time() -> None:
    """Share that decays before it interacts: rates of decay over all rates."""
    energy = 1.0
    thin = DETECTOR.model_copy(update={"interaction_length": 1e6, "density": 1e-4, "radiation_length": 1e6})
    far = thin.model_copy(update={"planes": 100})
    found = track(_along([energy] * 4000, 0.13957, 211), far, np.random.default_rng(4))
    momentum = np.sqrt(energy * (energy + 2 * 0.13957))
    length = momentum / 0.13957 * 780.4
    expected = 1 - np.exp(-(far.planes * far.plane_pitch - 3.0) / length)
    error = np.sqrt(expected * (1 - expected) / 4000)
    # The muons that they become decay too, but a hundred times more slowly.
    assert len(found.decayed) / 4000 == pytest.approx(expected, abs=5 * error + 0.005)


@pytest.mark.parametrize("photons", [False, True])
def test_electrons_and_photons_leave_their_energy_with_its_resolution(photons: bool) -> None:
    n, energy = 800, 4.0
    starts = _along([energy] * n, 1e-6, 22 if photons else 11)
    starts = Starts(starts.particle, starts.pdg, starts.position + np.array([0, 0, 300]), *(
        getattr(starts, name) for name in ("direction", "energy", "mass")))  # fmt: skip
    found = electromagnetic(starts, np.full(n, photons), DETECTOR, np.random.default_rng(5))
    seen = np.bincount(found.particle[found.view == 0], minlength=n) * MIP
    assert seen.mean() == pytest.approx(energy, rel=0.01)
    # Poisson of energy over what one spot stands for.
    assert seen.std() / seen.mean() == pytest.approx(np.sqrt(MIP / energy), rel=0.1)


def test_photons_begin_later_than_electrons() -> None:
    n = 2000
    starts = _along([4.0] * n, 1e-6, 22)
    depths = []
    for photons in (False, True):
        found = electromagnetic(starts, np.full(n, photons), DETECTOR, np.random.default_rng(6))
        depths.append(found.plane.mean() * DETECTOR.plane_pitch)
    # 9/7 of a radiation length before; the mean depth is that of the peak and 2, and the peak of photons lies 1 deeper.
    assert depths[1] - depths[0] == pytest.approx((9 / 7 + 1.0) * DETECTOR.radiation_length, rel=0.15)


def test_hadrons_leave_less_than_electrons() -> None:
    starts = _along([20.0] * 1500, 0.13957, 211)
    starts = Starts(starts.particle, starts.pdg, starts.position + np.array([0, 0, 600]), *(
        getattr(starts, name) for name in ("direction", "energy", "mass")))  # fmt: skip
    found = hadronic(starts, DETECTOR, np.random.default_rng(7))
    seen = np.bincount(found.particle, minlength=1500) * MIP / 2
    assert 0.7 * 20 < seen.mean() < 0.95 * 20
    assert 0.06 < seen.std() / seen.mean() < 0.2


def test_prongs_are_merged_as_one_by_one() -> None:
    rng = np.random.default_rng(8)
    event = np.sort(rng.integers(0, 40, 300))
    visible = rng.exponential(1.0, 300) * (rng.random(300) > 0.2)
    direction = rng.normal(size=(300, 3)) * [0.2, 0.2, 0.1] + [0, 0, 1]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    found = merged(event, visible, direction, 10.0)
    for number in range(40):
        began: list[int] = []
        rows = np.flatnonzero(event == number)
        for row in rows[np.argsort(-visible[rows], kind="stable")]:
            if visible[row] == 0:
                assert found[row] == -1
                continue
            close = [other for other in began if direction[row] @ direction[other] > np.cos(np.radians(10.0))]
            if close:
                assert found[row] == close[0]
            else:
                assert found[row] == row
                began.append(int(row))


def test_the_detector_gives_hits_and_prongs_that_fit_each_other(interactions: Interactions) -> None:
    settings = DetectorSettings()
    events = detect(interactions, 5, settings, np.random.default_rng(9))
    hits, prongs = events.hits, events.prongs
    assert events.number[0] == 5
    assert (np.diff(hits.event) >= 0).all()
    assert (hits.energy > settings.threshold).all()
    assert ((hits.plane >= 0) & (hits.plane < settings.planes)).all()
    numbers = np.bincount(prongs.event[prongs.found], minlength=len(events))
    assert (hits.prong < numbers[hits.event]).all()
    every = np.bincount(prongs.event, minlength=len(events))
    first = np.cumsum(every) - every
    of_prong = hits.prong >= 0
    counts = np.bincount((first[hits.event] + hits.prong)[of_prong], minlength=len(prongs))
    assert (counts[prongs.found] >= settings.prong_hits).all()
    assert not counts[~prongs.found].any()
    assert 0.01 < (~prongs.found).mean() < 0.1
    falls = np.diff(prongs.visible) <= 1e-9
    assert (falls | (np.diff(prongs.event) > 0) | (np.diff(prongs.found.astype(int)) < 0)).all()
    # No more is seen than the neutrino brings.
    assert (np.bincount(prongs.event, prongs.visible, minlength=len(events)) < 2 * 30).all()
    strips = np.stack([hits.event, hits.view, hits.plane, hits.cell])
    assert np.unique(strips, axis=1).shape[1] == len(hits)


def test_a_muon_of_a_charged_current_is_a_prong() -> None:
    pytest.importorskip("pythia8mc", reason="Pythia is not installed")
    made = next(interact("numu_cc", 30.0, BEAM, 200, 3))
    events = detect(made, 0, DetectorSettings(lost_prongs=0.0), np.random.default_rng(10))
    with_muon = np.unique(events.prongs.event[np.abs(events.prongs.pdg) == 13])
    assert len(with_muon) > 0.75 * len(events)


def test_events_are_dealt_out_to_shards_interactions_and_energies() -> None:
    beam = parse(BeamSettings, {"energies": [20, 50], "events": 103, "shards": 4})
    shards = [events_of_shard(beam, shard) for shard in range(4)]
    assert sum(sum(shard.values()) for shard in shards) == 103
    assert {kind for shard in shards for kind in shard} == {(n, e) for n in INTERACTIONS for e in (20.0, 50.0)}
    sizes = [sum(shard[kind] for shard in shards) for kind in shards[0]]
    assert max(sizes) - min(sizes) <= 1
