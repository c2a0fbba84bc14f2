"""Networks of stars: symmetric, equal to zuko's densities, and trained towards the exact likelihood."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from star_files import CURVES, STARS

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.library.star_model import load_stars
from cloudchamber.settings.base import parse
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.storage import sha256
from cloudchamber.studies.neutron_stars.curve_file import read_curves
from cloudchamber.studies.neutron_stars.estimate import estimate
from cloudchamber.studies.neutron_stars.estimates import read_estimates
from cloudchamber.studies.neutron_stars.likelihood import log_likelihood
from cloudchamber.studies.neutron_stars.mixtures import MixtureDensity, log_standard_normal, normal_scores
from cloudchamber.studies.neutron_stars.observe import observe
from cloudchamber.studies.neutron_stars.posterior import Cells, log_mean_exp
from cloudchamber.studies.neutron_stars.settings import StarModelSettings
from cloudchamber.studies.neutron_stars.solve import solve
from cloudchamber.studies.neutron_stars.star_drawer import StarDrawer
from cloudchamber.studies.neutron_stars.star_models import load_model
from cloudchamber.studies.neutron_stars.star_networks import (
    DensityNetwork,
    LikelihoodOfStars,
    PointNetwork,
    ScannedNetwork,
    build_network,
)
from cloudchamber.studies.neutron_stars.star_sets import read_sets
from cloudchamber.studies.neutron_stars.train import train

SMALL = {
    "sorted": {"hidden": [8]},
    "deep_set": {"star": [8], "hidden": [8]},
    "set_transformer": {"layers": 1, "heads": 2, "width": 8, "feed_forward": 8, "hidden": [8]},
    "likelihood": {"hidden": [8], "components": 3},
    "ratio": {"hidden": [8, 8]},
}
LOOP = {"batch_size": 64, "learning_rate": 5e-3, "gradient_clip": 1.0, "ema_decay": 0.98, "accelerator": "cpu"}


def settings_of(kind: str, steps: int, **changes: object) -> StarModelSettings:
    network = {"kind": kind, **SMALL[kind], **changes}
    loop = {"steps": steps, **LOOP, "validate_every": steps, "save_every": steps}
    return parse(StarModelSettings, {"network": network, "stars": STARS.model_dump(), "training": loop})


def trained(folder: Path, source: Path, settings: StarModelSettings) -> tuple[Path, Path]:
    paths = folder / "weights.safetensors", folder / "model.json"
    train(source, settings, 1, folder / "state", *paths, folder / "history.csv")
    return paths


def test_the_mixture_is_that_of_zuko() -> None:
    torch.manual_seed(1)
    density = MixtureDensity(5, 4, (8,))
    context, values = torch.randn(7, 5), torch.randn(7, 2)
    np.testing.assert_allclose(
        density(context).log_density(values).detach(), density.mixture(context).log_prob(values).detach(), atol=2e-5
    )
    grid = torch.randn(11, 2)
    whole = density(context.unsqueeze(1)).log_density(grid)
    for place in range(11):
        of_one = density.mixture(context).log_prob(grid[place].expand(7, 2))
        np.testing.assert_allclose(whole[:, place].detach(), of_one.detach(), atol=2e-5)


def test_the_prior_is_standard_normal_in_scores() -> None:
    fractions = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(1))
    scores = normal_scores(fractions)
    assert float(scores.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(scores.std()) == pytest.approx(1.0, abs=0.02)
    assert float(log_standard_normal(torch.zeros(2))) == pytest.approx(-np.log(2 * np.pi))
    assert torch.isfinite(normal_scores(torch.tensor([[0.0, 1.0]]))).all()


@pytest.mark.parametrize("kind", ["sorted", "deep_set", "set_transformer"])
@pytest.mark.parametrize("output", ["point", "density"])
def test_the_order_of_stars_and_empty_slots_have_no_influence(kind: str, output: str) -> None:
    torch.manual_seed(2)
    network = build_network(settings_of(kind, 1, output=output).network, (1, 3)).eval()
    stars = torch.rand(6, 3, 4) + 0.5
    mask = torch.tensor([[True, True, True]] * 3 + [[True, False, False]] * 3)
    given = (torch.rand(6, 2),) if output == "density" else ()
    first = network(stars, mask, *given)
    order = torch.tensor([2, 0, 1])
    np.testing.assert_allclose(network(stars[:, order], mask[:, order], *given).detach(), first.detach(), atol=1e-5)
    other = torch.where(mask.unsqueeze(2), stars, 77.0)
    np.testing.assert_allclose(network(other, mask, *given).detach(), first.detach(), atol=1e-5)
    moved = stars.clone()
    moved[:, 0, 1] += 0.5
    assert (network(moved, mask, *given) - first).abs().min() > 1e-6


def test_a_density_adds_up_to_one_over_the_box() -> None:
    torch.manual_seed(3)
    network = build_network(settings_of("deep_set", 1).network, (1, 3)).eval()
    assert isinstance(network, DensityNetwork)
    side = (torch.arange(400) + 0.5) / 400
    cells = torch.cartesian_prod(side, side)
    density = network(torch.rand(3, 3, 4) + 0.5, torch.ones(3, 3, dtype=torch.bool), cells[None]).exp()
    np.testing.assert_allclose(density.mean(dim=1).detach(), 1.0, atol=0.02)


@pytest.mark.parametrize("kind", ["likelihood", "ratio"])
def test_scanning_many_parameters_is_scanning_each(kind: str) -> None:
    torch.manual_seed(4)
    network = build_network(settings_of(kind, 1).network, (1,)).eval()
    assert isinstance(network, ScannedNetwork)
    stars, cells = torch.rand(5, 4) + 0.5, torch.rand(6, 2)
    stars[3, 2:] = stars[0, 2:]
    together = network(stars, cells[None])
    np.testing.assert_allclose(network(stars, cells.expand(5, 6, 2)).detach(), together.detach(), atol=1e-5)


def test_the_joint_ratio_averages_to_the_likelihood_ratio(stars_folder: Path) -> None:
    """Over true masses given the observed star: the average of the joint ratio is the ratio of the likelihoods."""
    curves = read_curves(stars_folder / "curves.h5")
    drawer = StarDrawer(curves, "train", STARS)
    rows = torch.zeros(40_000, dtype=torch.long)
    generator = torch.Generator().manual_seed(5)
    drawn = drawer.draw(rows, generator, (1,))
    radius = curves.point("radius").astype(np.float64)
    # No star of the second may be too heavy for the first, or the ratio of the joint densities would not exist there.
    lighter = np.flatnonzero(curves.feature("maximum_mass")[:400] < curves.feature("maximum_mass")[0])
    near = int(lighter[np.argsort(np.abs(radius[lighter] - radius[0]).mean(axis=1))[3]])
    joint = drawer.log_joint_densities(drawn, torch.tensor([[0, near]]).expand(40_000, 2))
    ratio = (joint[:, 1] - joint[:, 0]).exp().double()
    # E over stars of the first equation of any function times the ratio is that over stars of the second.
    assert float(ratio.mean()) == pytest.approx(1.0, abs=0.03)
    exact = log_likelihood(
        drawn.stars.double().numpy(),
        np.ones((40_000, 1), bool),
        curves.feature("maximum_mass")[[0, near]].astype(np.float64),
        radius[[0, near]],
    )
    observed = drawn.stars[:, 0, 1].double()
    by_joint = float((ratio * observed).mean())
    assert by_joint == pytest.approx(float((np.exp(exact[:, 1] - exact[:, 0]) * observed.numpy()).mean()), abs=0.1)


@pytest.mark.parametrize(("kind", "most"), [("likelihood", 0.45), ("ratio", 0.6)])
def test_a_short_training_comes_near_the_exact_ratio(
    kind: str, most: float, stars_folder: Path, tmp_path: Path
) -> None:
    width = {"hidden": [32, 32]}
    weights, description = trained(tmp_path, stars_folder / "curves.h5", settings_of(kind, 400, **width))
    test, cells = read_sets(stars_folder / "stars.h5").part("test"), Cells.read(stars_folder / "grid.h5")
    estimate(
        stars_folder / "stars.h5", stars_folder / "grid.h5", weights, description, tmp_path / "a.h5", tmp_path / "b.h5"
    )
    rows = np.flatnonzero(test.mask.sum(axis=1) == 1)
    curves = read_curves(stars_folder / "curves.h5")
    numbers = test.equation[rows]
    on_cells = log_likelihood(test.stars[rows], test.mask[rows], cells.maximum_mass, cells.radius)
    at_truth = log_likelihood(
        test.stars[rows],
        test.mask[rows],
        curves.feature("maximum_mass").astype(np.float64)[numbers],
        curves.point("radius").astype(np.float64)[numbers],
        paired=True,
    )
    exact = at_truth - log_mean_exp(on_cells)
    found = read_estimates(tmp_path / "a.h5", len(test)).log_ratio
    assert found is not None
    error = np.sqrt(np.mean((found[rows] - exact) ** 2))
    assert error < most < np.sqrt(np.mean(exact**2))


@pytest.mark.parametrize("kind", SMALL)
def test_trainings_are_reproducible_and_resume(kind: str, stars_folder: Path, tmp_path: Path) -> None:
    settings = settings_of(kind, 4)
    found = [sha256(trained(tmp_path / name, stars_folder / "curves.h5", settings)[0]) for name in ("a", "b")]
    assert found[0] == found[1]
    # The state is at the end: nothing is trained again.
    assert sha256(trained(tmp_path / "a", stars_folder / "curves.h5", settings)[0]) == found[0]
    stored = load_model(tmp_path / "a/weights.safetensors", tmp_path / "a/model.json")
    assert stored.settings == settings
    assert not stored.network.training


def test_a_point_network_estimates_in_units_of_the_quantities(
    stars_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, description = trained(
        tmp_path, stars_folder / "curves.h5", settings_of("deep_set", 150, output="point", star=[32], hidden=[32])
    )
    paths = stars_folder / "stars.h5", stars_folder / "grid.h5", weights, description
    estimate(*paths, tmp_path / "estimates.h5", tmp_path / "case.h5")
    test = read_sets(stars_folder / "stars.h5").part("test")
    found = read_estimates(tmp_path / "estimates.h5", len(test))
    assert not found.ranks
    assert found.log_density is None
    for name in ("combination", "radius_1.4", "maximum_mass"):
        error = np.sqrt(np.mean((found.means[name] - test.quantities[name]) ** 2))
        assert error < 0.6 * test.quantities[name].std(), name
    assert isinstance(load_model(weights, description).network, PointNetwork)
    # Equations of state of another split may be those of the training.
    assert "trained on other" not in capsys.readouterr().err
    solve(CURVES.model_copy(update={"train": 300}), 1, tmp_path / "curves.h5", tmp_path / "grid.h5")
    observe(tmp_path / "curves.h5", STARS, 1, tmp_path / "stars.h5")
    estimate(tmp_path / "stars.h5", *paths[1:], tmp_path / "estimates.h5", tmp_path / "case.h5")
    assert "was trained on other equations of state than" in capsys.readouterr().err


def test_sets_with_more_stars_than_in_training_are_refused(stars_folder: Path, tmp_path: Path) -> None:
    settings = settings_of("deep_set", 2)
    reference = STARS.reference.model_copy(update={"stars": 1})
    stars = STARS.model_copy(update={"numbers": (1,), "reference": reference})
    weights, description = trained(tmp_path, stars_folder / "curves.h5", settings.model_copy(update={"stars": stars}))
    paths = stars_folder / "stars.h5", stars_folder / "grid.h5", weights, description
    with pytest.raises(InputError, match=r"stars\.h5: sets of more than 1 stars"):
        estimate(*paths, tmp_path / "estimates.h5", tmp_path / "case.h5")


@pytest.mark.parametrize("kind", ["deep_set", "likelihood"])
def test_noise_and_numbers_of_stars_that_a_training_did_not_have_are_said(
    kind: str, stars_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(**changed: Any) -> list[str]:
        settings = settings_of(kind, 2)
        settings = settings.model_copy(update={"stars": STARS.model_copy(update=changed)})
        folder = tmp_path / "_".join(changed) if changed else tmp_path
        model = trained(folder, stars_folder / "curves.h5", settings)
        capsys.readouterr()
        sets, grid = stars_folder / "stars.h5", stars_folder / "grid.h5"
        estimate(sets, grid, *model, folder / "estimates.h5", folder / "case.h5")
        by_step = [line for line in capsys.readouterr().err.splitlines() if "WARNING" in line]
        test = read_sets(sets).part("test")
        library: Any = load_stars(*model)
        library.log_density(test.stars, [(library.lower + library.upper) / 2], test.mask)
        by_library = [line for line in capsys.readouterr().err.splitlines() if "WARNING" in line]
        assert [line.split(": WARNING: ")[0] for line in by_step] == ["neutron_stars estimate"] * len(by_step)
        assert [line.partition(f"{sets}: ")[2] for line in by_step] == [
            line[len("cloudchamber: WARNING: stars: ") :] for line in by_library
        ]
        return by_step

    assert not said()
    (line,) = said(noise=STARS.noise[:1], reference=STARS.reference)
    assert line.endswith(": the noise of the radius is 1 km in 150 of 450 sets, the model was trained with 0.5 km")
    fewer = said(numbers=(3,))
    assert len(fewer) == (kind == "deep_set")
    if fewer:
        assert fewer[0].endswith(": 150 of 450 sets have fewer stars than any of the training, which had 3 at least")


def test_stars_that_are_lighter_than_any_of_a_training_are_said(
    stars_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library: Any = load_stars(*trained(tmp_path, stars_folder / "curves.h5", settings_of("deep_set", 2)))
    stars = np.tile(np.array([1.4, 12.0, 0.1, 0.5]), (4, 3, 1))
    # Within the noise of a star of 1.2 solar masses.
    stars[0, 0, 0] = 0.65
    capsys.readouterr()
    library.log_density(stars, [(library.lower + library.upper) / 2])
    assert "WARNING" not in capsys.readouterr().err
    stars[1, 0, 0], stars[2, 1:, 0] = 0.4, 0.55
    library.log_density(stars, [(library.lower + library.upper) / 2])
    assert "stars: the mass is 0.4 to 0.55 solar masses in 2 of 4 sets, more than 6 standard" in capsys.readouterr().err
    # What slots without a star hold is none.
    library.log_density(stars, [(library.lower + library.upper) / 2], np.isin(stars[:, :, 0], (0.65, 1.4)))
    assert "the mass is" not in capsys.readouterr().err


def test_settings_of_networks() -> None:
    assert TrainingSettings(steps=1).batch_size == 256
    assert isinstance(build_network(settings_of("likelihood", 1).network, (1,)), LikelihoodOfStars)
    with pytest.raises(SettingsError, match="heads"):
        settings_of("set_transformer", 1, heads=3)
