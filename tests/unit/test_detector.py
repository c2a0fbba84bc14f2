"""The detector against closed forms and an independent integration of the motion."""

from dataclasses import replace

import numpy as np
import pytest

from cloudchamber.simulation.atlas_card import ATLAS, jet_energy_scale
from cloudchamber.simulation.calorimeter import Calorimeter, Segmentation, log_normal
from cloudchamber.simulation.detector import detect
from cloudchamber.simulation.objects import generated_jets, tower_jets
from cloudchamber.simulation.particles import Particles
from cloudchamber.simulation.propagation import SPEED_OF_LIGHT, Cylinder, propagate

ECAL, HCAL = ATLAS.calorimeters


def make_particles(event, pid, momentum, *, charge=0, mass=0.0, start=(0.0, 0.0, 0.0), n_events=None) -> Particles:
    """Return stable particles with (3, N) momenta [GeV] born at ``start`` [mm]."""
    event = np.asarray(event)
    n = len(event)
    px, py, pz = np.asarray(momentum, float).reshape(3, n)
    x, y, z = np.broadcast_to(np.asarray(start, float).reshape(3, -1), (3, n))
    mass = np.broadcast_to(np.asarray(mass, float), n)
    return Particles(
        n_events=int(event.max()) + 1 if n_events is None else n_events,
        event=event,
        pid=np.broadcast_to(pid, n),
        status=np.ones(n, np.int32),
        mother=np.full(n, -1, np.int32),
        charge=np.broadcast_to(charge, n),
        mass=mass,
        energy=np.sqrt(px**2 + py**2 + pz**2 + mass**2),
        px=px,
        py=py,
        pz=pz,
        x=x,
        y=y,
        z=z,
        time=np.zeros(n),
    )


def directed(pt, eta, phi) -> np.ndarray:
    """Return (3, N) momenta."""
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])


def no_particles(n_events: int) -> Particles:
    return make_particles(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((3, 0)), n_events=n_events)


# --- motion ---------------------------------------------------------------------------------------------------------


def runge_kutta_exit(particles: Particles, cylinder: Cylinder, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the Lorentz force with fourth-order steps of ``step`` metres of light path; no helix anywhere.

    Returns (3, N) points on the surface [m] and the light path to them [m]; the last step is cut by bisection.
    """
    energy = particles.energy
    force = particles.charge * cylinder.field * SPEED_OF_LIGHT / (1e9 * energy)

    def derivative(state: np.ndarray, force: np.ndarray) -> np.ndarray:
        vx, vy, vz = state[3:]
        return np.stack([vx, vy, vz, force * vy, -force * vx, np.zeros_like(vx)])

    def advance(state: np.ndarray, force: np.ndarray, length: float | np.ndarray) -> np.ndarray:
        k1 = derivative(state, force)
        k2 = derivative(state + 0.5 * length * k1, force)
        k3 = derivative(state + 0.5 * length * k2, force)
        k4 = derivative(state + length * k3, force)
        return state + length / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def outside(state: np.ndarray) -> np.ndarray:
        return (np.hypot(state[0], state[1]) > cylinder.radius) | (np.abs(state[2]) > cylinder.half_length)

    position = 1e-3 * np.stack([particles.x, particles.y, particles.z])
    state = np.concatenate([position, np.stack([particles.px, particles.py, particles.pz]) / energy])
    path = np.zeros(len(particles))
    flying = np.arange(len(particles))
    while len(flying):
        ahead = advance(state[:, flying], force[flying], step)
        still = ~outside(ahead)
        state[:, flying[still]] = ahead[:, still]
        path[flying[still]] += step
        flying = flying[still]
    low, high = np.zeros(len(particles)), np.full(len(particles), step)
    for _ in range(50):
        middle = 0.5 * (low + high)
        beyond = outside(advance(state, force, middle))
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return advance(state, force, low)[:3], path + low


@pytest.mark.parametrize("field", [2.0, -3.8])
def test_propagation_agrees_with_an_integration_of_the_lorentz_force(rng: np.random.Generator, field: float) -> None:
    cylinder = Cylinder(radius=1.15, half_length=3.51, field=field)
    n = 400
    pt = np.exp(rng.uniform(np.log(0.15), np.log(50.0), n))
    # Below |eta| = 0.2 a particle that curls up inside turns too many times for an integration in small steps.
    eta = rng.choice([-1.0, 1.0], n) * rng.uniform(0.2, 4.0, n)
    radius, azimuth = 1100 * np.sqrt(rng.random(n)) * (rng.random(n) < 0.7), rng.uniform(-np.pi, np.pi, n)
    start = [radius * np.cos(azimuth), radius * np.sin(azimuth), rng.uniform(-3400, 3400, n)]
    momentum = directed(pt, eta, rng.uniform(-np.pi, np.pi, n))
    particles = make_particles(
        np.zeros(n, int), 211, momentum, charge=rng.integers(-1, 2, n), mass=0.13957, start=start
    )
    exits = propagate(particles, cylinder)
    np.testing.assert_array_equal(exits.row, np.arange(n))
    expected, path = runge_kutta_exit(particles, cylinder, step=0.01)
    np.testing.assert_allclose(1e-3 * np.stack([exits.x, exits.y, exits.z]), expected, atol=1e-5)
    np.testing.assert_allclose(1e-3 * exits.time, path, atol=1e-5)


def test_particles_born_outside_or_along_the_beam_are_dropped() -> None:
    momentum = directed(np.array([1.0, 1.0, 1e-6, 1.0]), 0.5, 0.0)
    start = [[0, 1200, 0, 0], [0, 0, 0, 0], [0, 0, 0, -3600]]
    particles = make_particles(np.zeros(4, int), 22, momentum, start=start)
    np.testing.assert_array_equal(propagate(particles, ATLAS.tracker).row, [0])


def test_without_momentum_along_the_beam_only_the_side_is_reached() -> None:
    particles = make_particles(
        [0, 0], 211, directed(np.array([5.0, 5.0]), 0.0, np.array([0.3, 2.0])), charge=[1, 0], mass=0.1
    )
    exits = propagate(particles, ATLAS.tracker)
    np.testing.assert_allclose(np.hypot(exits.x, exits.y), 1150.0)
    np.testing.assert_allclose(exits.z, 0.0)
    # Deflection of a charge on its way to radius R: sin(delta phi) = R / (2 r), r = pt / (0.3 B).
    bend = np.arcsin(1.15 * 0.299792458 * 2.0 / (2 * 5.0))
    np.testing.assert_allclose(exits.phi, [0.3 - bend, 2.0])


# --- calorimeters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relative", [0.05, 0.5])
def test_log_normal_has_the_mean_and_the_width_asked_for(rng: np.random.Generator, relative: float) -> None:
    n, mean = 400_000, 7.0
    values = log_normal(np.full(n, mean), np.full(n, relative * mean), rng)
    w = 1 + relative**2
    kurtosis = w**4 + 2 * w**3 + 3 * w**2 - 3
    assert abs(values.mean() - mean) < 4 * relative * mean / np.sqrt(n)
    assert abs(values.std() / (relative * mean) - 1) < 4 * np.sqrt((kurtosis - 1) / (4 * n))


def test_a_value_on_an_edge_belongs_to_the_lower_bin_and_outside_nothing_is_seen() -> None:
    segmentation = Segmentation(np.array([-1.0, 0.0, 2.0]), np.array([4, 2]))
    eta = np.array([-1.0, -0.5, 0.0, 1e-9, 2.0, 2.1])
    phi = np.array([0.0, -np.pi, 1e-9, 1e-9, np.pi, 0.0])
    inside, eta_bin, phi_bin = segmentation.bins(eta, phi)
    np.testing.assert_array_equal(inside, [False, True, True, True, True, False])
    np.testing.assert_array_equal(eta_bin, [0, 0, 1, 1])
    np.testing.assert_array_equal(phi_bin, [0, 2, 1, 1])
    half = np.pi / 2
    np.testing.assert_allclose(
        segmentation.edges(eta_bin, phi_bin),
        [[-1, 0, -np.pi, -half], [-1, 0, 0, half], [0, 2, 0, np.pi], [0, 2, 0, np.pi]],
    )


@pytest.mark.parametrize(
    ("calorimeter", "eta", "lowest"), [(HCAL, 1.0, 3.78), (HCAL, 2.5, 2.01), (HCAL, 4.0, 4.15), (ECAL, 0.5, 0.5)]
)
def test_lowest_energy_solves_the_thresholds(calorimeter: Calorimeter, eta: float, lowest: float) -> None:
    energy = np.linspace(0.1, 10, 100_000)
    seen = energy >= calorimeter.significance_min * calorimeter.resolution(energy, np.full_like(energy, eta))
    seen &= energy >= calorimeter.energy_min
    assert energy[seen].min() == pytest.approx(lowest, abs=0.006)


def test_fractions_follow_the_card() -> None:
    pid = np.array([22, -11, 111, 13, -14, 310, -3122, 211, 2112, 130, 321])
    np.testing.assert_allclose(ECAL.fraction(pid), [1, 1, 1, 0, 0, 0.3, 0.3, 0, 0, 0, 0])
    np.testing.assert_allclose(HCAL.fraction(pid), [0, 0, 0, 0, 0, 0.7, 0.7, 1, 1, 1, 1])


def _perfect(calorimeter: Calorimeter) -> Calorimeter:
    return replace(
        calorimeter, resolution=lambda energy, _: np.zeros_like(energy), energy_min=0.0, significance_min=0.0
    )


@pytest.mark.parametrize("calorimeter", [ECAL, HCAL])
def test_a_perfect_calorimeter_conserves_energy(rng: np.random.Generator, calorimeter: Calorimeter) -> None:
    n, n_events = 4000, 7
    event = np.sort(rng.integers(0, n_events, n))
    pid = rng.choice([22, 11, 211, 2112, 310, 12, 13], n)
    energy = rng.exponential(10.0, n)
    eta, phi = rng.uniform(-5.5, 5.5, n), rng.uniform(-np.pi, np.pi, n)
    towers = _perfect(calorimeter).measure(
        event=event, pid=pid, energy=energy, eta=eta, phi=phi, time=np.ones(n), rng=rng
    )
    edges = calorimeter.segmentation.eta_edges
    deposit = energy * calorimeter.fraction(pid) * ((eta > edges[0]) & (eta <= edges[-1]))
    np.testing.assert_allclose(
        np.bincount(towers.event, towers.energy, n_events), np.bincount(event, deposit, n_events), rtol=1e-6
    )
    np.testing.assert_allclose(towers.time, 1.0, rtol=1e-6)
    assert towers.time_hits.sum() == np.count_nonzero(deposit)
    assert len(np.unique(np.column_stack([towers.event, towers.edges]), axis=0)) == len(towers)


def test_single_photons_have_the_resolution_of_the_card(rng: np.random.Generator) -> None:
    n, energy = 20_000, 50.0
    momentum = directed(energy / np.cosh(0.7), np.full(n, 0.7), rng.uniform(-np.pi, np.pi, n))
    towers = detect(make_particles(np.arange(n), 22, momentum), rng)
    deviation = np.sqrt((0.0017 * energy) ** 2 + 0.101**2 * energy)
    assert len(towers) == n
    assert abs(towers.energy.mean() - energy) < 4 * deviation / np.sqrt(n)
    assert abs(towers.energy.std() / deviation - 1) < 4 / np.sqrt(2 * n)


def test_towers_keep_the_relations_of_delphes_files(rng: np.random.Generator) -> None:
    n = 3000
    pid = rng.choice([22, 211, -211, 130, 13], n)
    momentum = directed(rng.exponential(5.0, n), rng.uniform(-4.5, 4.5, n), rng.uniform(-np.pi, np.pi, n))
    charge = np.sign(pid) * (pid != 22) * (pid != 130)
    particles = make_particles(np.sort(rng.integers(0, 5, n)), pid, momentum, charge=charge, mass=0.1)
    towers = detect(particles, rng)
    muon = (towers.electromagnetic == 0) & (towers.hadronic == 0)
    assert 0 < muon.sum() < len(towers)
    assert not towers.edges[muon].any()
    seen = towers[~muon]
    np.testing.assert_array_equal(seen.electromagnetic + seen.hadronic, seen.energy)
    np.testing.assert_allclose(seen.et * np.cosh(seen.eta.astype(float)), seen.energy, rtol=1e-5)
    for value, (low, high) in ((seen.eta, seen.edges[:, :2].T), (seen.phi, seen.edges[:, 2:].T)):
        assert ((value >= low) & (value <= high)).all()
    kind = np.where(muon, 2, np.where(towers.hadronic > 0, 1, 0))
    order = np.column_stack([towers.event, kind, towers.edges[:, 0], towers.edges[:, 2]])
    np.testing.assert_array_equal(np.lexsort(order.T[::-1]), np.arange(len(towers)))


# --- muons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pt", "eta", "efficiency", "resolution"),
    [
        (0.05, 0.3, 0.0, np.hypot(0.01, 5e-6)),
        (0.5, 1.2, 0.75, np.hypot(0.015, 7.5e-5)),
        (0.5, -2.0, 0.70, np.hypot(0.025, 1.75e-4)),
        (100.0, -0.4, 0.99, np.hypot(0.01, 1e-2)),
        (100.0, 2.4, 0.98, np.hypot(0.025, 3.5e-2)),
        (100.0, 2.6, 0.0, np.hypot(0.025, 3.5e-2)),
    ],
)
def test_muon_numbers(pt: float, eta: float, efficiency: float, resolution: float) -> None:
    assert ATLAS.muon_efficiency(np.array([pt]), np.array([eta])) == pytest.approx(efficiency)
    assert ATLAS.muon_resolution(np.array([pt]), np.array([eta])) == pytest.approx(resolution)


def test_muons_are_found_and_smeared_by_the_card(rng: np.random.Generator) -> None:
    n, pt = 40_000, 40.0
    phi = rng.uniform(-np.pi, np.pi, n)
    momentum = directed(pt, np.full(n, 1.0), phi)
    muons = detect(make_particles(np.arange(n), 13, momentum, charge=-1, mass=0.10566), rng)
    assert abs(len(muons) / n - 0.99) < 4 * np.sqrt(0.99 * 0.01 / n)
    resolution = np.hypot(0.015, 1.5e-4 * pt)
    assert abs(muons.et.mean() / pt - 1) < 4 * resolution / np.sqrt(len(muons))
    assert abs(muons.et.std() / (pt * resolution) - 1) < 4 / np.sqrt(2 * len(muons))
    np.testing.assert_allclose(muons.eta, 1.0, rtol=1e-6)
    np.testing.assert_allclose(muons.phi, phi[muons.event], atol=1e-6)


# --- events with little in them -------------------------------------------------------------------------------------


def test_events_without_particles(rng: np.random.Generator) -> None:
    towers = detect(no_particles(3), rng)
    jets, jet_of = tower_jets(towers, 3)
    assert len(towers) == len(jet_of) == len(jets.pt) == len(generated_jets(no_particles(3)).pt) == 0


def test_events_without_charged_particles_beside_an_empty_one(rng: np.random.Generator) -> None:
    particles = make_particles([0, 2], 22, directed(50.0, np.array([0.1, -2.0]), np.array([1.0, -1.0])), n_events=4)
    towers = detect(particles, rng)
    np.testing.assert_array_equal(towers.event, [0, 2])
    jets, jet_of = tower_jets(towers, 4)
    np.testing.assert_array_equal(jets.event, [0, 2])
    np.testing.assert_array_equal(jet_of, [0, 0])


def test_neutrinos_and_unstable_particles_leave_nothing(rng: np.random.Generator) -> None:
    particles = make_particles([0, 0], np.array([14, 211]), directed(50.0, np.zeros(2), np.zeros(2)), n_events=1)
    assert len(detect(replace(particles, status=np.array([1, 2], np.int32)), rng)) == 0


def test_the_same_generator_gives_the_same_towers_and_another_gives_others() -> None:
    particles = make_particles(np.zeros(50, int), 22, directed(10.0, np.linspace(-4, 4, 50), np.linspace(-3, 3, 50)))
    first, again, other = (detect(particles, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.energy, again.energy)
    np.testing.assert_array_equal(first.eta, again.eta)
    assert not np.isin(first.energy, other.energy).any()


def test_jet_energy_scale() -> None:
    assert jet_energy_scale(np.array([36.0]), np.array([-1.5])) == pytest.approx(np.sqrt(2.7**2 / 36 + 1))
