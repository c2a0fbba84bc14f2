"""Weights that make the spectra of a class flat."""

import numpy as np
import pytest
from tagging_files import MASS, PT, class_settings

from cloudchamber.classification.flat_weights import flat_weights
from cloudchamber.classification.jets import combine_classes
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.unweighting import effective_size
from cloudchamber.settings.tagging_sample import (
    FlatWeightSettings,
)

NAMES = ("1", "2", "4b")


def test_weights_make_both_spectra_flat(rng):
    mass = 300 + 400 * rng.beta(0.8, 1.8, 5000)
    pt = 1000 + 200 * rng.beta(0.9, 2.0, 5000) ** (mass / 500)
    made = flat_weights(mass, pt, MASS, PT, FlatWeightSettings(mass_bins=8, pt_bins=4, cap=100.0, effective_share=0.01))
    for values, window, bins in ((mass, MASS, 8), (pt, PT, 4)):
        spectrum, _ = np.histogram(values, np.linspace(*window, bins + 1), weights=made.values)
        np.testing.assert_allclose(spectrum, 5000 / bins, rtol=1e-8)
    assert made.values.mean() == pytest.approx(1.0, rel=1e-12)
    assert made.capped == 0
    assert made.deviation < 1e-8
    assert made.effective_size == pytest.approx(made.values.sum() ** 2 / (made.values**2).sum())


def test_weights_of_independent_spectra_are_one_over_their_density(rng):
    """Mass with density 2 (1 - u) on the window, pT flat: the weight of a bin is the inverse of its content."""
    u = 1 - np.sqrt(rng.random(200_000))
    pt = rng.uniform(*PT, 200_000)
    made = flat_weights(300 + 400 * u, pt, MASS, PT, FlatWeightSettings(mass_bins=4, pt_bins=2))
    for number, content in enumerate((7 / 16, 5 / 16, 3 / 16, 1 / 16)):
        in_bin = (u * 4).astype(int) == number
        np.testing.assert_allclose(made.values[in_bin], 0.25 / content, rtol=0.05)
    expected = 200_000 / (0.0625 * (16 / 7 + 16 / 5 + 16 / 3 + 16))
    assert made.effective_size == pytest.approx(expected, rel=0.03)
    assert abs(made.correlation) < 0.01


def test_equal_weights_have_the_full_effective_size():
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7.0)
    assert effective_size(np.array([1.0, 0.0, 0.0])) == pytest.approx(1.0)


def test_weights_are_cut_and_say_so(rng):
    mass = np.concatenate([rng.uniform(300, 500, 990), rng.uniform(500, 700, 10)])
    pt = rng.uniform(*PT, 1000)
    settings = FlatWeightSettings(mass_bins=2, pt_bins=1, cap=5.0, effective_share=0.01)
    made = flat_weights(mass, pt, MASS, PT, settings)
    assert made.capped == 10
    assert made.values.max() / made.values.min() == pytest.approx(5.0 / (0.5 / 0.99), rel=1e-9)
    assert made.values.mean() == pytest.approx(1.0, rel=1e-12)
    # Ten jets at 5 and 990 at 0.5 / 0.99: 50 and 500 where there should be 275 each.
    assert made.deviation == pytest.approx(500 / 275 - 1, rel=1e-9)


def test_cut_weights_of_a_class_are_in_the_log(rng, tmp_path, capsys):
    settings = class_settings(tmp_path, rng, NAMES[:2], 900)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    assert "WARNING" not in capsys.readouterr().err
    cut = settings.model_copy(update={"weights": FlatWeightSettings(cap=1.5)})
    combine_classes(cut, 1, tmp_path / "jets.h5")
    said = capsys.readouterr().err
    for item in read_clouds(tmp_path / "jets.h5").meta["classes"]:
        line = (
            f"WARNING: class '{item['name']}': {item['capped']} of {item['jets']} weights are cut to 1.5 times the mean"
        )
        assert item["capped"] > 0
        assert line in said


def test_unusable_spectra_are_one_line_errors(rng):
    mass, pt = rng.uniform(300, 640, 100), rng.uniform(*PT, 100)
    with pytest.raises(InputError, match="no jet among 100 with a mass of 650 to 700 GeV, which no weight makes flat"):
        flat_weights(mass, pt, MASS, PT, FlatWeightSettings())
    mass = np.concatenate([rng.uniform(300, 500, 990), rng.uniform(500, 700, 10)])
    strict = FlatWeightSettings(mass_bins=2, pt_bins=1, cap=100.0, effective_share=0.1)
    with pytest.raises(InputError, match=r"leave 1000 jets the statistical power of 40, less than the share of 0\.1"):
        flat_weights(mass, rng.uniform(*PT, 1000), MASS, PT, strict)
    diagonal = np.array([350.0, 650.0, 650.0]), np.array([1050.0, 1150.0, 1150.0])
    made = flat_weights(*diagonal, MASS, PT, FlatWeightSettings(mass_bins=2, pt_bins=2))
    np.testing.assert_allclose(made.values, [1.5, 0.75, 0.75])
    triangle = np.array([350.0, 650.0, 650.0, 650.0]), np.array([1050.0, 1050.0, 1050.0, 1150.0])
    assert flat_weights(*triangle, MASS, PT, FlatWeightSettings(mass_bins=1, pt_bins=2)).deviation < 1e-9
    with pytest.raises(InputError, match="no weights make both mass and pT flat"):
        flat_weights(*triangle, MASS, PT, FlatWeightSettings(mass_bins=2, pt_bins=2))
