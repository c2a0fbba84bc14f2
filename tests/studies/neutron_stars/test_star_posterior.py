"""The exact likelihood and posterior: against brute force, calibrated, and at the published Bayes limit."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest, norm
from star_files import REFERENCE, STARS

from cloudchamber.errors import InputError
from cloudchamber.studies.neutron_stars.curves import Curves, solve_curves
from cloudchamber.studies.neutron_stars.estimates import of_likelihoods, read_estimates
from cloudchamber.studies.neutron_stars.likelihood import log_likelihood
from cloudchamber.studies.neutron_stars.measures import inside
from cloudchamber.studies.neutron_stars.observe import observe
from cloudchamber.studies.neutron_stars.posterior import Cells, Posteriors, log_mean_exp
from cloudchamber.studies.neutron_stars.quantities import CENTRE, LOWER, QUANTITIES, UPPER
from cloudchamber.studies.neutron_stars.references import (
    constant_estimates,
    estimate_references,
    exact_log_likelihoods,
    ridge_estimates,
)
from cloudchamber.studies.neutron_stars.settings import (
    Condition,
    CurveSettings,
    EvaluationSettings,
    MeasurementSettings,
    Noise,
    StarSettings,
)
from cloudchamber.studies.neutron_stars.solve import cell_centres, solve
from cloudchamber.studies.neutron_stars.star_sets import read_sets, stars_at

SIGMA = np.array([0.1, 0.5])


def cells_of(curves: Curves, numbers: tuple[int, int]) -> Cells:
    return Cells(curves.quantities, numbers, curves.maximum_mass, curves.radius)


def observed(curves: Curves, stars: int, rng: np.random.Generator, sigma: np.ndarray = SIGMA) -> np.ndarray:
    """Return (E, stars, 4) observed stars, one set of each curve."""
    true = np.stack(stars_at(rng.random((len(curves.radius), stars)), curves.maximum_mass, curves.radius), axis=2)
    noisy = true + sigma * rng.standard_normal(true.shape)
    return np.concatenate([noisy, np.broadcast_to(sigma, true.shape)], axis=2)


def test_the_likelihood_is_the_average_over_stars_of_the_curve() -> None:
    """By brute force: two Gaussians around each of many stars of the curve."""
    curves = solve_curves(np.array([CENTRE, (4.9, -1.9)]), 64)
    stars = np.array([(1.4, 12.3, 0.1, 0.5), (1.9, 12.0, 0.05, 0.25), (2.5, 10.5, 0.1, 1.0)])
    uniform = (np.arange(200_000)[None] + 0.5) / 200_000
    mass, radius = stars_at(np.repeat(uniform, 2, axis=0), curves.maximum_mass, curves.radius)
    found = log_likelihood(stars[:, None], np.ones((3, 1), bool), curves.maximum_mass, curves.radius)
    for star, row in zip(stars, found, strict=True):
        density = norm.pdf(star[0], mass, star[2]) * norm.pdf(star[1], radius, star[3])
        np.testing.assert_allclose(row, np.log(density.mean(axis=1)), atol=3e-3)


def test_the_likelihood_is_a_density_of_what_is_observed() -> None:
    curves = solve_curves(np.array([CENTRE]), 64)
    masses, radii = np.linspace(0.6, 3.0, 121), np.linspace(7.0, 16.0, 151)
    points = np.stack(np.meshgrid(masses, radii, indexing="ij"), axis=-1).reshape(-1, 1, 2)
    stars = np.concatenate([points, np.broadcast_to(SIGMA, points.shape)], axis=2)
    density = np.exp(log_likelihood(stars, np.ones(stars.shape[:2], bool), curves.maximum_mass, curves.radius))
    total = density.sum() * (masses[1] - masses[0]) * (radii[1] - radii[0])
    assert total == pytest.approx(1.0, abs=2e-3)


def test_stars_of_a_set_add_up_and_empty_slots_count_for_nothing() -> None:
    curves = solve_curves(cell_centres((3, 3)), 32)
    stars = observed(curves, 3, np.random.default_rng(1))
    both = np.array([[True, True, False]] * 9)
    single = [
        log_likelihood(stars, both & (np.arange(3) == slot), curves.maximum_mass, curves.radius) for slot in (0, 1)
    ]
    whole = log_likelihood(stars, both, curves.maximum_mass, curves.radius)
    np.testing.assert_allclose(whole, single[0] + single[1])
    paired = log_likelihood(stars, both, curves.maximum_mass, curves.radius, paired=True)
    np.testing.assert_allclose(paired, np.diag(whole))


def test_a_star_far_from_a_curve_rules_it_out() -> None:
    curves = solve_curves(np.array([CENTRE]), 32)
    star = np.array([[[1.4, 40.0, 0.1, 0.5]]])
    assert log_likelihood(star, np.ones((1, 1), bool), curves.maximum_mass, curves.radius)[0, 0] == -np.inf


def test_more_points_of_a_curve_change_nothing() -> None:
    coarse, fine = (solve_curves(cell_centres((5, 5)), points) for points in (64, 256))
    stars = observed(fine, 3, np.random.default_rng(2), np.array([0.05, 0.25]))
    mask = np.ones(stars.shape[:2], bool)
    found = [log_likelihood(stars, mask, curves.maximum_mass, curves.radius, paired=True) for curves in (coarse, fine)]
    np.testing.assert_allclose(*found, atol=0.01)


def test_the_bayes_limit_of_three_stars() -> None:
    """Posterior averages of 500 sets with 0.1 solar masses and 0.5 km: an independent computation gave 0.041 and 0.051.

    Its 600 trials have a sampling error of 3 to 5 per cent, and a repetition on a finer mesh gave 0.044 and 0.054.
    """
    rng = np.random.default_rng(5)
    curves = solve_curves(rng.uniform(LOWER, UPPER, (500, 2)), 48, 48)
    cells = cells_of(solve_curves(cell_centres((32, 16)), 48, 48), (32, 16))
    stars = observed(curves, 3, rng)
    logarithm = exact_log_likelihoods(stars, np.ones(stars.shape[:2], bool), cells)
    means = Posteriors.of_log(cells, logarithm).means()
    errors = {name: np.sqrt(np.mean((means[name] - curves.quantities[name]) ** 2)) for name in QUANTITIES}
    assert errors["lambda_1"] == pytest.approx(0.0425, abs=0.005)
    assert errors["lambda_2"] == pytest.approx(0.052, abs=0.004)
    assert errors["radius_1.3"] == pytest.approx(0.26, abs=0.03)
    likeliest = logarithm.argmax(axis=1)
    # Without the average the second parameter is worse than guessing.
    by_maximum = np.sqrt(np.mean((cells.quantities["lambda_2"][likeliest] - curves.quantities["lambda_2"]) ** 2))
    assert by_maximum > 0.07 > curves.quantities["lambda_2"].std()


def test_the_exact_posterior_is_calibrated() -> None:
    rng = np.random.default_rng(6)
    curves = solve_curves(rng.uniform(LOWER, UPPER, (400, 2)), 48, 48)
    cells = cells_of(solve_curves(cell_centres((32, 16)), 48, 48), (32, 16))
    stars = observed(curves, 1, rng)
    logarithm = exact_log_likelihoods(stars, np.ones(stars.shape[:2], bool), cells)
    ranks = Posteriors.of_log(cells, logarithm).ranks(curves.quantities)
    for name, values in ranks.items():
        assert kstest(values, "uniform").pvalue > 1e-3, name
        assert inside(values, 0.6827).mean() == pytest.approx(0.6827, abs=0.08)
    narrow = Posteriors.of_log(cells, 4 * logarithm).ranks(curves.quantities)
    # Posteriors that are half as wide as they should be are seen.
    assert kstest(narrow["combination"], "uniform").pvalue < 1e-3


def test_averages_and_ranks_of_posteriors_that_are_known() -> None:
    cells = cells_of(solve_curves(cell_centres((8, 4)), 32, 24), (8, 4))
    flat = Posteriors.of_log(cells, np.zeros((2, 32)))
    np.testing.assert_allclose(flat.means()["lambda_1"], (LOWER + UPPER)[0] / 2)
    truth = {name: np.quantile(values, [0.0, 1.0]) for name, values in cells.quantities.items()}
    truth["lambda_1"] = LOWER[0] + np.array([0.3, 0.71]) * (UPPER - LOWER)[0]
    truth["lambda_2"] = LOWER[1] + np.array([0.0, 1.0]) * (UPPER - LOWER)[1]
    ranks = flat.ranks(truth)
    np.testing.assert_allclose(ranks["lambda_1"], [0.3, 0.71])
    np.testing.assert_allclose(ranks["lambda_2"], [0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(ranks["radius_1.4"], [0.5 / 32, 1 - 0.5 / 32])


def test_densities_are_over_that_of_the_prior() -> None:
    """With a likelihood that says nothing the density is that of the prior; log ratios are each star's own."""
    cells = cells_of(solve_curves(cell_centres((4, 4)), 32, 24), (4, 4))
    truth = {name: values[:3] for name, values in cells.quantities.items()}
    found = of_likelihoods(cells, np.full((3, 16), -7.0), np.full(3, -7.0), np.zeros(3), truth)
    assert found.log_density is not None
    np.testing.assert_allclose(found.log_density, 0.0, atol=1e-12)
    np.testing.assert_allclose(log_mean_exp(np.log(np.array([[1.0, 3.0], [0.0, 2.0]]) + 1e-300)), np.log([2.0, 1.0]))


def test_posteriors_that_the_cells_do_not_resolve_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On 12 x 6 cells ten stars with little noise have an error that is 60 % too large, and 0.8 nats too few."""
    precise = Condition(stars=10, noise=Noise(mass=0.05, radius=0.1))
    rough = Condition(stars=1, noise=Noise(mass=0.1, radius=1.0))
    stars = StarSettings(numbers=(1, 10), noise=(precise.noise, rough.noise), reference=precise, every_pair=True)
    settings = MeasurementSettings(stars=stars, evaluation=EvaluationSettings())
    outputs = [tmp_path / f"{name}.h5" for name in ("constant", "ridge", "exact", "case")]
    for grid, coarse in (((12, 6), True), ((64, 32), False)):
        curves = CurveSettings(train=30, validation=2, test=20, grid=grid)
        solve(curves, 1, tmp_path / "curves.h5", tmp_path / "grid.h5")
        observe(tmp_path / "curves.h5", stars, 1, tmp_path / "stars.h5")
        capsys.readouterr()
        files = [tmp_path / f"{name}.h5" for name in ("curves", "stars", "grid")]
        estimate_references(files[0], files[1], files[2], settings, *outputs)
        said = [line for line in capsys.readouterr().err.splitlines() if "WARNING" in line]
        assert any(precise.key in line for line in said) == coarse
        # One of few stars with much noise is always resolved.
        assert not any("1 star 0.1 Msun 1 km" in line for line in said)


def test_references_of_the_test_sets(stars_folder: Path, tmp_path: Path) -> None:
    settings = MeasurementSettings(stars=STARS, evaluation=EvaluationSettings(bootstraps=5))
    paths = {name: tmp_path / f"{name}.h5" for name in ("constant", "ridge", "exact", "case")}
    estimate_references(*(stars_folder / f"{name}.h5" for name in ("curves", "stars", "grid")), settings, **paths)
    data, cells = read_sets(stars_folder / "stars.h5"), Cells.read(stars_folder / "grid.h5")
    test = data.part("test")
    read = {name: read_estimates(paths[name], len(test)) for name in ("constant", "ridge", "exact")}
    np.testing.assert_array_equal(read["constant"].means["lambda_1"], constant_estimates(data, cells).means["lambda_1"])
    np.testing.assert_array_equal(read["ridge"].ranks["lambda_1"], ridge_estimates(data, cells, 1.0).ranks["lambda_1"])
    rows = test.condition == test.conditions.index(REFERENCE.key)

    def error(name: str, quantity: str) -> float:
        return float(np.sqrt(np.mean((read[name].means[quantity] - test.quantities[quantity])[rows] ** 2)))

    for quantity in QUANTITIES:
        assert error("exact", quantity) < error("ridge", quantity) < error("constant", quantity), quantity
    densities = {name: item.log_density[rows].mean() for name, item in read.items() if item.log_density is not None}
    assert densities["exact"] > densities["ridge"] > densities["constant"] == 0
    assert read["exact"].log_ratio is not None
    assert read["ridge"].log_ratio is None
    # The training part alone: the truth of the test has no influence.
    constant = data.quantities["lambda_2"][data.parts["train"]].mean()
    assert read["constant"].means["lambda_2"][0] == pytest.approx(constant)


def test_stars_that_no_curve_can_give_are_one_line() -> None:
    cells = cells_of(solve_curves(cell_centres((4, 4)), 32, 24), (4, 4))
    star = np.array([[[1.4, 60.0, 0.1, 0.5]]])
    with pytest.raises(InputError, match="1 sets of stars are ten standard deviations or more from all curves"):
        Posteriors.of_log(cells, exact_log_likelihoods(star, np.ones((1, 1), bool), cells))
