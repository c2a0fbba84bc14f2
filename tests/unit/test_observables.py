"""Jet kinematics, the table of observables, its files, and the comparison of samples."""

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from prepared_jets import write_prepared_jets
from random_jets import UNIT, make_clouds, random_clouds

from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.energy_flow import energy_flow_polynomials
from cloudchamber.jets.features import EXTRA_FEATURES, JET_FEATURES, LABELS, PARTICLE_FEATURES
from cloudchamber.jets.kinematics import has_momentum, jet_kinematics, momenta
from cloudchamber.jets.observable_file import read_observables, read_observables_of, write_observables
from cloudchamber.jets.observables import observe
from cloudchamber.jets.observe import observe_file
from cloudchamber.library.arrays import clouds_from_arrays
from cloudchamber.metrics.compare import compare_files
from cloudchamber.settings.metrics import MetricSettings


def test_mass_and_momentum_are_those_of_the_summed_four_vectors(rng):
    pt, eta, phi = momenta(random_clouds(rng, 200))
    vector = [
        component.sum(axis=1)
        for component in (pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta))
    ]
    jet_pt, jet_mass = jet_kinematics(pt, eta, phi)
    np.testing.assert_allclose(jet_pt, np.hypot(vector[1], vector[2]), rtol=1e-12)
    mass = np.sqrt(vector[0] ** 2 - vector[1] ** 2 - vector[2] ** 2 - vector[3] ** 2)
    np.testing.assert_allclose(jet_mass, mass, rtol=1e-9)


def test_jet_mass_and_momentum_are_in_gev(rng):
    clouds = random_clouds(rng, 50)
    table = observe(clouds)
    jet_pt, jet_mass = jet_kinematics(*momenta(clouds))
    np.testing.assert_array_equal(table["jet_pt_rel"], np.round(jet_pt, 6))
    np.testing.assert_allclose(table["jet_pt"], UNIT * jet_pt, rtol=1e-12)
    np.testing.assert_allclose(table["jet_mass"], UNIT * jet_mass, rtol=1e-12)
    np.testing.assert_allclose(table["jet_mass_rel"], jet_mass, rtol=1e-12)


def test_mass_of_two_particles_by_hand():
    pt, eta, phi = np.array([[2.0, 3.0]]), np.array([[0.1, -0.4]]), np.array([[0.2, 0.9]])
    mass = math.sqrt(2 * 2.0 * 3.0 * (math.cosh(0.5) - math.cos(0.7)))
    assert jet_kinematics(pt, eta, phi)[1] == pytest.approx(mass, rel=1e-12)


def test_mass_does_not_change_under_a_boost_along_the_beam(rng):
    pt, eta, phi = momenta(random_clouds(rng, 100))
    masses = [jet_kinematics(pt, np.where(pt > 0, eta + shift, 0.0), phi)[1] for shift in (0.0, 4.0, -6.0)]
    np.testing.assert_allclose(masses[1], masses[0], rtol=1e-9)
    np.testing.assert_allclose(masses[2], masses[0], rtol=1e-9)


def test_a_jet_of_one_particle_has_no_mass():
    jet_pt, jet_mass = jet_kinematics(np.array([[0.0, 0.7]]), np.array([[0.0, 1.3]]), np.array([[0.0, 2.0]]))
    assert jet_pt == pytest.approx(0.7)
    assert jet_mass == 0.0


@pytest.mark.parametrize("width", [1e-6, 0.01, 1.0, 5.0])
@pytest.mark.parametrize("particles", [1, 2, 3])
def test_what_lies_at_one_place_has_no_mass_wherever_that_is(particles, width, rng):
    """Some jets of one particle had the mass of rounding, and a divergence of 0.01 from those that had none."""
    eta, phi = (np.repeat(rng.normal(0, width, (5000, 1)), particles, axis=1) for _ in range(2))
    pt = rng.exponential(1.0, (5000, particles))
    assert not jet_kinematics(pt, eta, phi)[1].any()
    # Neighbouring numbers in single precision are still apart in mass.
    apart = np.array([[0.5, 0.5]]), np.array([[0.1, 0.1 + 1e-6]]), np.zeros((1, 2))
    assert jet_kinematics(*apart)[1] == pytest.approx(5e-7, rel=1e-3)


def test_particles_without_positive_momentum_count_for_nothing(rng):
    clouds = random_clouds(rng, 50)
    points = clouds.points.copy()
    points[:, 1, 2] = -0.05
    points[:, 2, 2] = 0.0
    mask = clouds.mask.copy()
    mask[:, [1, 2]] = False
    without = make_clouds(points[:, :, 2], points[:, :, 0], points[:, :, 1], mask)
    broken = make_clouds(points[:, :, 2], points[:, :, 0], points[:, :, 1], clouds.mask)
    assert np.array_equal(has_momentum(broken), mask)
    for name, values in observe(broken).items():
        np.testing.assert_array_equal(values, observe(without)[name])


def test_every_feature_has_values_and_a_label(rng):
    clouds = random_clouds(rng, 30)
    table = observe(clouds)
    assert tuple(table) == JET_FEATURES + EXTRA_FEATURES
    assert set(LABELS) == set(JET_FEATURES + PARTICLE_FEATURES)
    np.testing.assert_array_equal(table["multiplicity"], clouds.multiplicity)
    for name, values in table.items():
        assert values.shape == (30,), name
        assert values.dtype == np.float64
        assert np.ptp(values) > 0


def test_energy_flow_polynomials_stand_in_their_order(rng):
    clouds = random_clouds(rng, 20)
    table = observe(clouds)
    values = energy_flow_polynomials(*momenta(clouds))
    for number in range(36):
        np.testing.assert_array_equal(table[f"efp_{number}"], values[:, number])


def test_a_particle_beyond_any_jet_is_an_error():
    # At 400 the mass of a jet is a number while the rapidity of a sum is none.
    for eta in ([800.0, 0.0], [400.0, 400.0], [-351.0, 0.0]):
        clouds = make_clouds(*np.array([[[0.5, 0.5]], [eta], [[0.0, 0.1]]]), np.ones((1, 2), bool))
        with pytest.raises(InputError, match=r"^1 of 1 jets have a particle beyond \|eta_rel\| = 350: far outside"):
            observe(clouds)
    within = observe(make_clouds(*np.array([[[0.5, 0.5]], [[-349.0, 349.0]], [[0.0, 0.1]]]), np.ones((1, 2), bool)))
    assert all(np.isfinite(values).all() for values in within.values())


@pytest.fixture
def table(rng) -> dict[str, np.ndarray]:
    return observe(random_clouds(rng, 500))


def test_files_hold_what_was_written(tmp_path, table):
    path = tmp_path / "observables.h5"
    write_observables(path, table, {"seed": 3})
    read, meta = read_observables(path)
    assert meta == {"seed": 3}
    assert set(read) == set(table)
    for name, values in table.items():
        np.testing.assert_array_equal(read[name], values)
    assert [file.name for file in tmp_path.iterdir()] == ["observables.h5"]


def test_a_flipped_bit_in_the_numbers_is_an_error(tmp_path, table):
    path = tmp_path / "observables.h5"
    write_observables(path, table, {})
    content = bytearray(path.read_bytes())
    place = bytes(content).index(table["tau21"].astype("<f8").tobytes()[:64])
    content[place + 17] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"observables\.h5"):
        read_observables(path)


@pytest.mark.parametrize(
    ("jets", "seed", "reason"),
    [
        (100, 6, "was made from other jets than those of .* make it again"),
        (90, 5, "observables of 90 jets, .* has 100"),
    ],
)
def test_observables_of_other_clouds_are_refused(jets: int, seed: int, reason: str, tmp_path: Path) -> None:
    paths = {"own": write_prepared_jets(tmp_path / "own.h5", 100), "other": tmp_path / "other.h5"}
    write_prepared_jets(paths["other"], jets, seed=seed)
    own, other = (tmp_path / f"{name}_observables.h5" for name in paths)
    observe_file(paths["own"], own)
    observe_file(paths["other"], other)
    read_observables_of(paths["own"], 100, own)
    with pytest.raises(InputError, match=rf"other_observables\.h5: {reason}"):
        compare_files(paths["own"], other, paths["own"], own, MetricSettings(), 1, tmp_path / "table.csv")
    # Those that do not say what they were made from are taken if there are as many.
    write_observables(own, read_observables(own)[0], {})
    assert len(read_observables_of(paths["own"], 100, own)[0]["d2"]) == 100


@pytest.mark.parametrize("attribute", ["complete", "format", "n_jets"])
def test_a_file_without_one_of_its_attributes_is_an_error(tmp_path, table, attribute):
    path = tmp_path / "observables.h5"
    write_observables(path, table, {})
    with h5py.File(path, "r+") as file:
        del file.attrs[attribute]
    with pytest.raises(InputError, match=r"observables\.h5"):
        read_observables(path)


def test_a_short_dataset_is_an_error(tmp_path, table):
    path = tmp_path / "observables.h5"
    write_observables(path, table, {})
    with h5py.File(path, "r+") as file:
        del file["observables/d2"]
        file["observables/d2"] = np.zeros(3)
    with pytest.raises(InputError, match="'d2'"):
        read_observables(path)


@pytest.mark.parametrize("content", [None, b"", b"no HDF5"])
def test_a_file_of_another_kind_is_an_error(tmp_path, content):
    path = tmp_path / "observables.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"observables\.h5"):
        read_observables(path)


@pytest.mark.parametrize("missing", [0.0, -999.0])
def test_a_jet_pt_that_was_not_filled_is_refused(missing: float) -> None:
    """All masses would be zero, or negative, and those of two samples alike."""
    jets = np.array([[[0.5, 0.0, 0.5], [-0.5, 0.0, 0.5]], [[0.1, 0.0, 1.0], [0.0, 0.0, 0.0]], [[0.0] * 3] * 2])
    filled = clouds_from_arrays(jets, features={"jet_pt": [500.0, 400.0, missing]})
    assert observe(filled)["jet_mass"][0] > 100
    with pytest.raises(InputError, match="jet_pt of 1 of 3 jets with particles is not positive"):
        observe(clouds_from_arrays(jets, features={"jet_pt": [missing, 400.0, missing]}))


@pytest.mark.parametrize(
    ("shift", "unit", "said"),
    [
        (0.0, 1.0, None),
        (1.4, 1.0, "particles: the particles of a jet lie 1.4 from its axis in phi_rel (median)"),
        (0.0, 1000.0, "feature 'jet_pt' is 6e+05 (median): expected the pT in GeV"),
    ],
)
def test_arrays_in_other_coordinates_or_units_are_said(
    shift: float, unit: float, said: str | None, rng: np.random.Generator, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """A sample of another program has its observables from this step, and nobody has looked at it."""
    shares = rng.dirichlet(np.ones(10), 40)
    angles = rng.normal(0, 0.1, (2, 40, 10))
    points = np.stack([angles[0], angles[1] + shift, shares], axis=2)
    path = tmp_path / "sample.h5"
    write_clouds(path, clouds_from_arrays(points, features={"jet_pt": np.full(40, 600 * unit)}))
    capsys.readouterr()
    observe_file(path, tmp_path / "observables.h5")
    warnings = [line for line in capsys.readouterr().err.splitlines() if "WARNING" in line]
    assert [line.startswith(f"observe: WARNING: {path}: {said}") for line in warnings] == [True] * (said is not None)
