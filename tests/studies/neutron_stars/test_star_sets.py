"""Sets of stars: drawn from their curves, split by equation of state and never by star."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from star_files import CURVES, REFERENCE, STARS

from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.neutron_stars.curve_file import grid_of, read_curves
from cloudchamber.studies.neutron_stars.observe import observe
from cloudchamber.studies.neutron_stars.quantities import LOWER, MASSIVE, SMALLEST_MASS, UPPER, from_box, to_box
from cloudchamber.studies.neutron_stars.settings import StarSettings
from cloudchamber.studies.neutron_stars.solve import solve
from cloudchamber.studies.neutron_stars.star_drawer import StarDrawer, radius_on_curves
from cloudchamber.studies.neutron_stars.star_sets import read_sets, stars_at


def test_no_equation_of_state_is_in_two_parts(stars_folder: Path) -> None:
    sets = read_sets(stars_folder / "stars.h5")
    of_part = {part: set(sets.equation[rows].tolist()) for part, rows in sets.parts.items()}
    assert [len(of_part[part]) for part in ("train", "validation", "test")] == [400, 20, 150]
    assert not of_part["train"] & of_part["test"]
    assert not of_part["validation"] & (of_part["train"] | of_part["test"])
    truth = {part: {tuple(values) for values in sets.parameters[rows]} for part, rows in sets.parts.items()}
    assert not truth["train"] & truth["test"]


def test_a_split_by_star_is_refused(stars_folder: Path, tmp_path: Path) -> None:
    """Sets of one equation of state with other noise are on both sides: the truth of the test is in the training."""
    clouds = read_clouds(stars_folder / "stars.h5")
    rows = np.random.default_rng(1).permutation(len(clouds))
    parts = {"train": rows[300:], "validation": rows[200:300], "test": rows[:200]}
    write_clouds(tmp_path / "stars.h5", replace(clouds, indices=parts))
    with pytest.raises(InputError, match=r"stars.h5: \d+ rows of 'train' .* in 'validation' too: split by equation"):
        read_sets(tmp_path / "stars.h5")


@pytest.mark.parametrize("copied", ["number", "parameters"])
def test_one_equation_of_state_on_both_sides_is_found(copied: str, stars_folder: Path, tmp_path: Path) -> None:
    clouds = read_clouds(stars_folder / "curves.h5")
    train, test = clouds.indices["train"][0], clouds.indices["test"][0]
    labels, features = clouds.labels.copy(), clouds.features.copy()
    if copied == "number":
        labels[test, 0] = labels[train, 0]
    else:
        features[test] = features[train]
    write_clouds(tmp_path / "curves.h5", replace(clouds, labels=labels, features=features))
    with pytest.raises(InputError, match="1 rows of 'train' are of equations of state that are in 'test' too"):
        read_curves(tmp_path / "curves.h5")


def test_curves_are_clouds_of_the_box(stars_folder: Path) -> None:
    curves = read_curves(stars_folder / "curves.h5")
    parameters = curves.features[:, :2]
    assert (parameters >= LOWER.astype(np.float32)).all()
    assert (parameters <= UPPER.astype(np.float32)).all()
    below = curves.feature("maximum_mass") < MASSIVE
    # Flagged and not cut.
    assert np.array_equal(curves.label("below_two") == 1, below)
    assert 0.15 < below.mean() < 0.4
    assert curves.meta["below_two"] == below.sum()
    cells, numbers = grid_of(stars_folder / "grid.h5")
    assert numbers == CURVES.grid
    fractions = to_box(cells.features[:, :2].astype(float)).reshape(*numbers, 2)
    np.testing.assert_allclose(fractions[:, 0, 0], (np.arange(24) + 0.5) / 24, atol=1e-5)
    np.testing.assert_allclose(fractions[0, :, 1], (np.arange(12) + 0.5) / 12, atol=1e-5)
    np.testing.assert_allclose(from_box(to_box(parameters)), parameters)


def test_stars_are_uniform_in_mass_and_lie_on_their_curve() -> None:
    radius = np.linspace(9.0, 12.0, 41)[None]
    uniform = (np.arange(1000)[None] + 0.5) / 1000
    mass, found = stars_at(uniform, np.array([2.2]), radius)
    np.testing.assert_allclose(mass[0], SMALLEST_MASS + uniform[0], atol=1e-12)
    # The radius is linear in s here.
    np.testing.assert_allclose(found[0], 9.0 + 3.0 * np.sqrt(1 - uniform[0]))


def test_noise_is_what_the_settings_say(stars_folder: Path) -> None:
    sets = read_sets(stars_folder / "stars.h5")
    curves = read_curves(stars_folder / "curves.h5")
    for number, condition in enumerate(STARS.conditions):
        rows = np.flatnonzero(sets.condition == number)
        assert (sets.mask[rows].sum(axis=1) == condition.stars).all()
        stars = sets.stars[rows][sets.mask[rows]]
        np.testing.assert_allclose(stars[:, 2], condition.noise.mass, rtol=1e-6)
        np.testing.assert_allclose(stars[:, 3], condition.noise.radius, rtol=1e-6)
        # Radii scatter about their curve at the observed mass by more than the noise of the radius, not by much more.
        of_set = sets.equation[rows].repeat(condition.stars)
        nearest = np.array(
            [
                np.interp(mass, curves.point("mass")[row][::-1], curves.point("radius")[row][::-1])
                for mass, row in zip(stars[:, 0], of_set, strict=True)
            ]
        )
        scatter = np.median(np.abs(stars[:, 1] - nearest)) / 0.6745
        assert condition.noise.radius * 0.9 < scatter < condition.noise.radius * 1.3


def test_trainings_draw_from_the_same_distribution(stars_folder: Path) -> None:
    """numpy draws the test, torch the training."""
    curves = read_curves(stars_folder / "curves.h5")
    radius = curves.point("radius")[:5].astype(np.float64)
    s = np.random.default_rng(2).random((5, 7))
    _, expected = stars_at(1 - s**2, np.full(5, 2.0), radius)
    np.testing.assert_allclose(radius_on_curves(torch.from_numpy(s), torch.from_numpy(radius)), expected)
    drawer = StarDrawer(curves, "train", STARS)
    drawn = drawer.draw(torch.arange(400).repeat(10), torch.Generator().manual_seed(1))
    assert sorted(set(drawn.mask.sum(dim=1).tolist())) == [1, 3]
    assert sorted({round(value, 3) for value in drawn.stars[:, 0, 3].tolist()}) == [0.5, 1.0]
    maximum = torch.from_numpy(curves.feature("maximum_mass")[curves.indices["train"]]).repeat(10)
    uniform = (drawn.mass - SMALLEST_MASS) / (maximum - SMALLEST_MASS)[:, None]
    assert float(uniform.min()) >= -1e-5
    assert float(uniform.max()) <= 1 + 1e-5
    assert float(uniform.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(uniform.var()) == pytest.approx(1 / 12, abs=0.003)
    pulls = (drawn.stars[:, :, 0] - drawn.mass) / drawn.stars[:, :, 2]
    assert float(pulls.std()) == pytest.approx(1.0, abs=0.02)


def test_steps_are_reproducible(stars_folder: Path, tmp_path: Path) -> None:
    small = CURVES.model_copy(update={"train": 10, "validation": 2, "test": 3, "grid": (4, 4)})
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        solve(small, seed, tmp_path / f"{name}.h5", tmp_path / f"{name}_grid.h5")
    contents = {name: (tmp_path / f"{name}.h5").read_bytes() for name in "abc"}
    assert contents["a"] == contents["b"] != contents["c"]
    for name, seed in (("d", 1), ("e", 1), ("f", 2)):
        observe(stars_folder / "curves.h5", STARS, seed, tmp_path / f"{name}.h5")
    contents = {name: (tmp_path / f"{name}.h5").read_bytes() for name in "def"}
    assert contents["d"] == contents["e"] != contents["f"]


def test_conditions_are_two_scans_or_every_pair() -> None:
    assert [condition.key for condition in STARS.conditions] == [
        "1 star 0.1 Msun 0.5 km",
        "3 stars 0.1 Msun 0.5 km",
        "3 stars 0.1 Msun 1 km",
    ]
    assert len(STARS.model_copy(update={"every_pair": True}).conditions) == 4
    assert REFERENCE.words == "3 stars with noise of 0.1 solar masses and 0.5 km"


def test_a_reference_that_is_not_tested_is_refused() -> None:
    values = STARS.model_dump(mode="json") | {"reference": {"stars": 2, "noise": {"mass": 0.1, "radius": 0.5}}}
    with pytest.raises(SettingsError, match="reference"):
        parse(StarSettings, values)


@pytest.mark.parametrize("name", ["curves.h5", "stars.h5", "grid.h5"])
def test_files_of_another_kind_are_one_line(name: str, stars_folder: Path) -> None:
    for read in (read_curves, read_sets, grid_of):
        if (read, name) in ((read_curves, "curves.h5"), (read_sets, "stars.h5"), (grid_of, "grid.h5")):
            continue
        with pytest.raises(InputError) as error:
            read(stars_folder / name)
        assert str(stars_folder / name) in str(error.value)
        assert "\n" not in str(error.value)
