"""Distances and histograms of weighted jets: closed forms, repeated jets in place of whole weights, spreads."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prepared_jets import prepared_jets
from scipy import stats

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.histograms import bin_edges as figure_edges
from cloudchamber.figures.histograms import histogram
from cloudchamber.figures.inputs import read_distributions, read_truth
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.jets.observables import observe
from cloudchamber.metrics.cloud_comparison import compare_clouds
from cloudchamber.metrics.compare import METRICS, compare_files
from cloudchamber.metrics.comparison import compare
from cloudchamber.metrics.divergence import expected_floor, kl_divergence
from cloudchamber.metrics.frechet import frechet_physics_distance
from cloudchamber.metrics.kernel_distance import kernel_physics_distance
from cloudchamber.metrics.probable_bins import bin_counts, bin_edges
from cloudchamber.metrics.resampling import Estimate, Sample, bootstrap_weights
from cloudchamber.metrics.wasserstein import wasserstein_distance
from cloudchamber.preparation.unweighting import effective_size
from cloudchamber.settings.metrics import MetricSettings

LOW, HIGH, SLOPE = 200.0, 2000.0, 300.0
SETTINGS = MetricSettings(bins=10, bootstraps=20, energy_mover_jets=10, energy_mover_batches=2)


def biased(n: int, rng: np.random.Generator) -> Sample:
    """Return pT drawn flat, with weights that make it fall as exp(-pT / SLOPE)."""
    pt = rng.uniform(LOW, HIGH, n)
    return Sample.of_jets(pt, 1e-7 * np.exp(-pt / SLOPE))


def falling(n: int, rng: np.random.Generator, slope: float = SLOPE) -> Sample:
    """Return pT drawn from exp(-pT / slope)."""
    return Sample.of_jets(LOW - slope * np.log(1 - rng.random(n) * (1 - np.exp(-(HIGH - LOW) / slope))))


def resampled(*samples: Sample, bootstraps: int, rng: np.random.Generator) -> list[np.ndarray]:
    return [bootstrap_weights(sample.n_jets, bootstraps, rng) for sample in samples]


def kl(truth: Sample, generated: Sample, rng: np.random.Generator, bins: int = 50, bootstraps: int = 20) -> Estimate:
    return kl_divergence(truth, generated, bins, *resampled(truth, generated, bootstraps=bootstraps, rng=rng))


def w1(truth: Sample, generated: Sample, rng: np.random.Generator, bootstraps: int = 20) -> Estimate:
    return wasserstein_distance(truth, generated, *resampled(truth, generated, bootstraps=bootstraps, rng=rng))


def test_weights_are_scaled_to_the_effective_number(rng: np.random.Generator) -> None:
    pt = rng.uniform(LOW, HIGH, 200_000)
    sample = Sample.of_jets(pt, np.exp(-pt / SLOPE))
    width = (HIGH - LOW) / SLOPE
    # <w>^2 / <w^2> of a flat pT.
    expected = 2 * (1 - np.exp(-width)) ** 2 / (width * (1 - np.exp(-2 * width)))
    assert sample.size / sample.n_jets == pytest.approx(expected, rel=0.01)
    assert (sample.weights**2).sum() == pytest.approx(sample.size)
    for weights in (np.zeros(3), np.array([1.0, -2.0, 0.5])):
        with pytest.raises(InputError, match="event weights of 3 jets add up to"):
            Sample.of_jets(np.zeros(3), weights)


def test_bins_hold_equal_weights(rng: np.random.Generator) -> None:
    sample = biased(100_000, rng)
    edges = bin_edges(sample.values, 40, sample.entry_weights)
    counts = bin_counts(sample.values, edges, sample.entry_weights)
    np.testing.assert_allclose(counts, sample.size / 40, rtol=2e-3)
    quantiles = LOW - SLOPE * np.log(1 - np.arange(1, 40) / 40 * (1 - np.exp(-(HIGH - LOW) / SLOPE)))
    np.testing.assert_allclose(edges, quantiles, rtol=0.02)


@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-9])
@pytest.mark.parametrize("bins", [7, 10, 100])
def test_bins_of_equal_weights_are_those_without(rng: np.random.Generator, bins: int, scale: float) -> None:
    for values in (rng.normal(size=1000), rng.poisson(5, 1000).astype(float)):
        edges = bin_edges(values, bins)
        np.testing.assert_array_equal(bin_edges(values, bins, np.full(1000, scale)), edges)


def test_atoms_of_weighted_truth_have_bins_of_their_own(rng: np.random.Generator) -> None:
    """Nearly all of the weight is at 30; a third of the jets is."""
    values = np.concatenate([np.full(500, 30.0), rng.uniform(20, 40, 1000)])
    truth = Sample.of_jets(values, np.where(values == 30, 1.0, 1e-3))
    found = kl(truth, Sample.of_jets(np.full(400, 29.9)), rng, 20)
    assert found.value > 3
    assert kl(truth, Sample.of_jets(np.full(400, 30.0)), rng, 20).value < 0.01


def test_the_divergence_of_weighted_truth_is_its_floor(rng: np.random.Generator) -> None:
    """Both weigh the same spectrum; the floor knows the effective number. Without weights it is far off."""
    n, m, bins, runs = 20_000, 4_000, 50, 30
    found = []
    for _ in range(runs):
        truth, generated = biased(n, rng), falling(m, rng)
        found.append(kl(truth, generated, rng, bins, 2).value)
    expected = expected_floor(bins, truth.size, m)
    # Twice the divergence times the size is chi squared with bins - 1 degrees of freedom.
    spread = expected * np.sqrt(2 / (bins - 1))
    # Weights vary within a bin and between bins, so that they fluctuate like counts only roughly.
    assert np.mean(found) == pytest.approx(expected, abs=4 * spread / np.sqrt(runs) + 0.1 * expected)
    assert kl(replace(truth, weights=None), generated, rng).value > 20 * expected


def test_the_divergence_of_exponentials_agrees_with_the_closed_form(rng: np.random.Generator) -> None:
    slope = 240.0
    truth, generated = biased(400_000, rng), falling(200_000, rng, slope)
    width = HIGH - LOW
    norms = [s * (1 - np.exp(-width / s)) for s in (SLOPE, slope)]
    mean = slope - width * np.exp(-width / slope) / (1 - np.exp(-width / slope))
    expected = np.log(norms[0] / norms[1]) + mean * (1 / SLOPE - 1 / slope)
    found = kl(truth, generated, rng, 100)
    # Bins lose a little, finite samples add a little.
    assert found.value == pytest.approx(expected, abs=4 * found.uncertainty + 1e-3)
    assert found.value > 30 * expected_floor(100, truth.size, 200_000) > 0


def test_the_uncertainty_of_a_divergence_is_the_spread_of_repetitions(rng: np.random.Generator) -> None:
    runs = 120
    found = [kl(biased(2000, rng), falling(20_000, rng, 150.0), rng, 8, 40) for _ in range(runs)]
    spread = np.std([value for value, _ in found], ddof=1)
    # The spread is known to 1 / (2 runs)^(1/2).
    assert np.mean([error for _, error in found]) == pytest.approx(spread, rel=4 / np.sqrt(2 * runs))


def test_whole_weights_are_repeated_jets(rng: np.random.Generator) -> None:
    values, weights = rng.normal(size=500), rng.integers(0, 5, 500)
    mask = rng.random((500, 3)) < 0.7
    particles = rng.normal(size=(500, 3))
    generated = Sample.of_jets(rng.normal(0.3, 1.2, 400))
    of_particles = Sample.of_particles(rng.normal(0.3, 1, (400, 3)), rng.random((400, 3)) < 0.6)
    for weighted, repeated, other in (
        (Sample.of_jets(values, weights), Sample.of_jets(np.repeat(values, weights)), generated),
        (
            Sample.of_particles(particles, mask, weights),
            Sample.of_particles(np.repeat(particles, weights, axis=0), np.repeat(mask, weights, axis=0)),
            of_particles,
        ),
    ):
        assert kl(weighted, other, rng, 20).value == pytest.approx(kl(repeated, other, rng, 20).value, rel=1e-9)
        assert w1(weighted, other, rng).value == pytest.approx(w1(repeated, other, rng).value, rel=1e-9)


def test_scipy_finds_the_same_distance(rng: np.random.Generator) -> None:
    values, weights, other = rng.normal(size=300), rng.exponential(size=300), rng.normal(0.2, 1, 200)
    expected = stats.wasserstein_distance(values, other, weights)
    assert w1(Sample.of_jets(values, weights), Sample.of_jets(other), rng).value == pytest.approx(expected, rel=1e-9)
    reverse = w1(Sample.of_jets(other), Sample.of_jets(values, weights), rng).value
    assert reverse == pytest.approx(expected, rel=1e-9)


def test_the_uncertainty_is_that_of_a_weighted_mean(rng: np.random.Generator) -> None:
    """Far from each other the distance is the difference of means: the variance of a ratio of sums, in closed form."""
    n, m, bootstraps = 4000, 2000, 400
    values, weights = rng.normal(size=n), rng.exponential(size=n)
    found = w1(Sample.of_jets(values, weights), Sample.of_jets(rng.normal(9.0, 1.0, m)), rng, bootstraps)
    mean = np.average(values, weights=weights)
    variance = (weights**2 * (values - mean) ** 2).sum() / weights.sum() ** 2
    assert variance == pytest.approx(1 / effective_size(weights), rel=0.2)
    assert found.uncertainty == pytest.approx(np.sqrt(variance + 1 / m), rel=4 / np.sqrt(2 * bootstraps))


def test_jets_of_an_event_are_resampled_together(rng: np.random.Generator) -> None:
    events = np.repeat(np.arange(300), 2)
    weights = bootstrap_weights(600, 50, rng, events)
    np.testing.assert_array_equal(weights[:, ::2], weights[:, 1::2])
    assert (weights.sum(axis=1) == 600).all()


def test_negative_weights_take_away(rng: np.random.Generator) -> None:
    """A jet of weight -1 on top of another takes it out of every sum."""
    values = rng.normal(size=2000)
    taken = rng.choice(values, 200, replace=False)
    signed = Sample.of_jets(np.concatenate([values, taken]), np.repeat([1.0, -1.0], [2000, 200]))
    left = Sample.of_jets(values[~np.isin(values, taken)])
    other = Sample.of_jets(rng.normal(0.2, 1, 2000))
    assert signed.size == pytest.approx(1800**2 / 2200)
    assert w1(signed, other, rng).value == pytest.approx(w1(left, other, rng).value, rel=1e-9)
    edges = np.linspace(-2, 2, 11)
    np.testing.assert_allclose(histogram(signed, edges).fractions, histogram(left, edges).fractions, atol=1e-12)
    found = kl(signed, other, rng, 10)
    assert found.value == pytest.approx(kl(left, other, rng, 10).value, rel=0.1)
    assert np.isfinite(found).all()


def test_bins_of_a_negative_sum_are_refused(rng: np.random.Generator) -> None:
    values = np.concatenate([rng.normal(size=500), rng.uniform(3, 4, 50)])
    signed = Sample.of_jets(values, np.where(values > 3, -1.0, 1.0))
    other = Sample.of_jets(rng.normal(size=500))
    with pytest.raises(InputError, match=r"negative event weights: those of a bin add up to -.* fewer bins"):
        kl(signed, other, rng, 30)
    with pytest.raises(InputError, match="negative event weights"):
        kl(Sample.of_jets(np.linspace(-3, 4, 500)), signed, rng, 30)


@pytest.mark.parametrize("distance", [frechet_physics_distance, kernel_physics_distance])
def test_distances_of_batches_draw_by_weights(distance, rng: np.random.Generator) -> None:
    """Features that the weights move to where the others are: no distance with them, a large one without."""
    x, y = rng.normal(size=(6000, 3)), rng.normal(size=(3000, 3)) + np.array([1.0, 0.0, 0.0])
    # Gaussians of unit width: the ratio of densities.
    weights = np.exp(x[:, 0] - 0.5)
    with_, without = distance(x, y, rng, weights), distance(x, y, rng)
    swapped = distance(y, x, rng, None, weights)
    for found in (with_, swapped):
        assert abs(found.value) < 0.05 * without.value
    assert without.value > 0.3


def test_batches_are_not_larger_than_the_effective_number(rng: np.random.Generator) -> None:
    weights = np.where(np.arange(100) < 9, 1.0, 1e-6)
    with pytest.raises(InputError, match="10 jets or more of each sample, not 9"):
        frechet_physics_distance(rng.normal(size=(100, 3)), rng.normal(size=(100, 3)), rng, weights)


# Whole tables.


def weighted(clouds: Clouds, weights: np.ndarray) -> Clouds:
    return replace(
        clouds,
        features=np.column_stack([clouds.features, weights]).astype(np.float32),
        feature_columns=(*clouds.feature_columns, Column("event_weight", "pb")),
    )


@pytest.fixture(scope="module")
def jets() -> Clouds:
    return prepared_jets(1200)


@pytest.fixture(scope="module")
def sample() -> Clouds:
    return prepared_jets(300, seed=8)


def compared(truth: Clouds, sample: Clouds) -> pd.DataFrame:
    test, train = (truth.part(name) for name in ("test", "train"))
    arguments = [item for clouds in (test, sample, train) for item in (clouds, observe(clouds))]
    return compare(*arguments, SETTINGS, np.random.default_rng(1)).set_index(["metric", "feature"])


def test_equal_weights_give_the_same_distances(jets: Clouds, sample: Clouds) -> None:
    plain, same = compared(jets, sample), compared(weighted(jets, np.full(len(jets), 0.25)), sample)
    exact = [row for row in plain.index if row[0] not in ("fpd", "kpd")]
    for column in ("value", "floor", "n_reference", "n_generated"):
        np.testing.assert_allclose(same.loc[exact, column], plain.loc[exact, column], rtol=1e-6)


def test_the_floor_is_of_as_many_effective_jets(jets: Clouds, sample: Clouds) -> None:
    weights = np.random.default_rng(3).exponential(size=len(jets) // 2).repeat(2)
    truth = weighted(jets, weights)
    table = compared(truth, sample)
    effective = effective_size(truth.part("test").event_weight)
    assert (table["n_reference"] == round(effective)).all()
    assert effective < 0.7 * len(jets.indices["test"])
    assert (table["n_generated"] == len(sample)).all()
    # Half of the training part counts like fewer jets than were generated.
    with pytest.raises(InputError, match=r"600 true jets that count like \d+ equal ones, 400 generated"):
        compared(truth, prepared_jets(400, seed=8))


def test_weights_reach_every_distance(jets: Clouds, sample: Clouds) -> None:
    """Truth of more particles is farther from the sample in all that hang on their number; its floor is not."""
    few = sample[:200]
    plain, moved = compared(jets, few), compared(weighted(jets, jets.multiplicity**3.0), few)
    of_features = [("kl", "jet_pt"), ("w1", "jet_pt"), ("kl", "multiplicity"), ("w1", "pt_rel")]
    for row in (*of_features, ("w1m", ""), ("w1p", ""), ("w1efp", "")):
        assert moved.loc[row, "value"] > 1.5 * plain.loc[row, "value"], row
        assert moved.loc[row, "floor"] < 0.7 * moved.loc[row, "value"], row
    # What they make of weights is tested above.
    for row in (("fpd", ""), ("kpd", "")):
        assert moved.loc[row, "value"] != plain.loc[row, "value"]
        assert moved.loc[row, "floor"] != plain.loc[row, "floor"]


def test_what_cannot_take_weights_is_left_out(
    tmp_path: Path, jets: Clouds, sample: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = 0.5 + np.random.default_rng(3).random(len(jets))
    clouds = {"truth": weighted(jets, weights), "signed": weighted(jets, np.sign(weights - 0.55)), "sample": sample}
    for name, item in clouds.items():
        write_clouds(tmp_path / f"{name}.h5", item)
        write_observables(tmp_path / f"{name}_observables.h5", observe(item), {})
    left_out = {"truth": METRICS[-2:], "signed": METRICS[-6:]}
    for name, missing in left_out.items():
        of = [tmp_path / f"{side}{end}.h5" for side in (name, "sample") for end in ("", "_observables")]
        compare_files(*of, SETTINGS, 1, tmp_path / "table.csv")
        table = pd.read_csv(tmp_path / "table.csv")
        assert set(table["metric"]) == set(METRICS) - set(missing)
        said = f"compare: {tmp_path / name}.h5 has event weights, which these cannot take: {', '.join(missing)}\n"
        assert said in capsys.readouterr().err
    assert np.isfinite(table["value"]).all()


def test_coverage_is_of_unweighted_jets(jets: Clouds, sample: Clouds) -> None:
    """Jets of weight zero are never a true jet of a batch: the same as without them."""
    kept = np.arange(len(jets)) // 2 % 2 == 0
    truth = weighted(jets, kept.astype(float))
    few = replace(jets, indices={name: rows[kept[rows]] for name, rows in jets.indices.items()})
    settings = MetricSettings(energy_mover_jets=100, energy_mover_batches=3)
    tables = [
        compare_clouds(clouds.part("test"), clouds.part("train"), sample, settings, np.random.default_rng(2))
        for clouds in (truth, few)
    ]
    for _, (one, other) in zip(range(2), zip(*(table.itertuples() for table in tables), strict=False), strict=False):
        assert one.metric == other.metric
        assert one.value == pytest.approx(other.value, abs=5 * np.hypot(one.uncertainty, other.uncertainty))


# Figures.


def test_histograms_of_weights(rng: np.random.Generator) -> None:
    """Fractions and errors against resamplings, and the closed form of a flat pT."""
    sample = biased(4000, rng)
    edges = np.linspace(LOW, HIGH, 7)
    found = histogram(sample, edges)
    cumulative = (1 - np.exp(-(edges - LOW) / SLOPE)) / (1 - np.exp(-(HIGH - LOW) / SLOPE))
    np.testing.assert_allclose(found.fractions, np.diff(cumulative), atol=4 * found.errors.max())
    cells = np.digitize(sample.values, edges) - 1
    of_bins = np.stack([(cells == k) * sample.weights for k in range(6)], axis=1)
    drawn = bootstrap_weights(4000, 2000, rng).astype(float) @ of_bins
    spread = (drawn / drawn.sum(axis=1, keepdims=True)).std(axis=0)
    np.testing.assert_allclose(found.errors, spread, rtol=0.08)
    assert found.counts.sum() == pytest.approx(sample.size)


def test_axes_hold_the_weighted_bulk(rng: np.random.Generator) -> None:
    sample = biased(100_000, rng)
    edges = figure_edges(sample, [])
    expected = LOW - SLOPE * np.log(1 - 0.999 * (1 - np.exp(-(HIGH - LOW) / SLOPE)))
    assert edges[-1] == pytest.approx(expected, rel=0.02)
    widths = [high - low for low, high in pairwise(edges)]
    np.testing.assert_allclose(widths, widths[0])


def test_distributions_are_of_weighted_truth(tmp_path: Path, jets: Clouds, sample: Clouds) -> None:
    truth = weighted(jets, jets.feature("jet_pt") ** 2)
    files = {"title": "jets", "models": [{"name": "model", "title": "model", "seed": 1}]}
    for name, item, entry in (("truth", truth, files), ("sample", sample, files["models"][0])):
        write_clouds(tmp_path / f"{name}.h5", item)
        write_observables(tmp_path / f"{name}_o.h5", observe(item), {})
        keys = ("truth", "truth_observables") if name == "truth" else ("clouds", "observables")
        entry |= dict(zip(keys, (str(tmp_path / f"{name}.h5"), str(tmp_path / f"{name}_o.h5")), strict=True))
    weights = truth.part("test").event_weight
    for features in (("jet_pt",), ("pt_rel",)):
        found = read_distributions(files, features).truth
        np.testing.assert_allclose(found.values[features[0]].weights / weights, effective_size(weights) / weights.sum())
        expected = f"{len(weights):,} true jets (weighted, like {effective_size(weights):,.0f} equal ones)"
        assert found.size == expected
    with pytest.raises(InputError, match="event weights"):
        read_truth(files)
