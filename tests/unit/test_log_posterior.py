"""Negative log posteriors of ideal classifiers, known in closed form, and the classifier's training set."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from prepared_jets import prepared_jets
from scipy.stats import norm

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.log_posterior import (
    INPUTS,
    PUBLISHED_INPUTS,
    TrainingSet,
    classifier_inputs,
    training_set,
)
from cloudchamber.metrics.posterior_scores import ideal_value, log_ratios, negative_log_posteriors, restrict
from cloudchamber.metrics.posterior_step import log_posterior
from cloudchamber.metrics.two_sample import area_under_curve
from cloudchamber.settings.metrics import LogPosteriorSettings
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.training import TrainingSettings


def ideal_log_posteriors(values: np.ndarray, means: list[float]) -> np.ndarray:
    """ln p(class | value) for equally likely unit Gaussians: (N, K)."""
    densities = norm.logpdf(values[:, None], means)
    return densities - np.logaddexp.reduce(densities, axis=1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_perfect_copies_of_truth_score_the_ideal_value(rng, n_classes):
    scores = negative_log_posteriors(ideal_log_posteriors(rng.normal(size=1000), [0.0] * n_classes))
    for value, uncertainty in scores:
        assert value == pytest.approx(ideal_value(n_classes), rel=1e-12)
        assert uncertainty == pytest.approx(0.0, abs=1e-12)


def test_scores_over_that_of_truth_are_divergences_from_truth(rng):
    means = [0.0, 0.5, -1.2]
    log_posteriors = ideal_log_posteriors(rng.normal(size=100_000), means)
    scores = negative_log_posteriors(log_posteriors)
    for column, mean in enumerate(means):
        differences = log_posteriors[:, 0] - log_posteriors[:, column]
        error = differences.std(ddof=1) / math.sqrt(len(differences))
        assert scores[column].value - scores[0].value == pytest.approx(mean**2 / 2, abs=4 * error + 1e-12)
    assert scores[0].value < ideal_value(3)


def test_uncertainty_is_the_spread_of_repeated_scores(rng):
    repeats = [negative_log_posteriors(ideal_log_posteriors(rng.normal(size=500), [0.0, 1.0])) for _ in range(300)]
    values = np.array([[score.value for score in scores] for scores in repeats])
    claimed = np.array([[score.uncertainty for score in scores] for scores in repeats]).mean(axis=0)
    np.testing.assert_allclose(values.std(axis=0, ddof=1), claimed, rtol=4 / math.sqrt(2 * 300))


def test_restriction_is_the_posterior_of_the_classifier_without_the_other_classes(rng):
    values = rng.normal(size=1000)
    every_class = ideal_log_posteriors(values, [0.0, 0.5, -1.2, 2.0])
    np.testing.assert_allclose(restrict(every_class, [1, 3]), ideal_log_posteriors(values, [0.5, 2.0]), atol=1e-12)
    np.testing.assert_allclose(restrict(every_class, range(4)), every_class, atol=1e-12)


def test_log_ratios_tell_two_classes_apart_as_well_as_can_be_whatever_others_there_are(rng):
    means = [0.0, 0.8, -3.0, 0.3]
    truth, model = (ideal_log_posteriors(rng.normal(mean, 1.0, 20_000), means) for mean in means[:2])
    area = area_under_curve(log_ratios(truth, 0, 1), log_ratios(model, 0, 1))
    assert area.value == pytest.approx(norm.cdf(0.8 / math.sqrt(2)), abs=4 * area.uncertainty)


def make_clouds(rng: np.random.Generator, n_jets: int, width: int = 10, shift: float = 0.0) -> Clouds:
    mask = np.arange(width) < rng.integers(3, width + 1, n_jets)[:, None]
    points = np.concatenate(
        [rng.normal(shift, 0.3, (n_jets, width, 2)), rng.exponential(0.1, (n_jets, width, 1)) + 1e-3], axis=2
    )
    return Clouds(
        points=(points * mask[:, :, None]).astype(np.float32),
        mask=mask,
        features=np.zeros((n_jets, 0), np.float32),
        labels=np.arange(n_jets)[:, None],
        point_columns=tuple(Column(name) for name in ("eta_rel", "phi_rel", "pt_rel")),
    )


@pytest.mark.parametrize("names", [INPUTS, PUBLISHED_INPUTS])
def test_a_training_set_has_equal_numbers_of_each_class_in_both_parts(rng, names):
    classes = {"truth": make_clouds(rng, 300), "model": make_clouds(rng, 200, shift=0.1)}
    made = training_set(classes, 150, 0.2, rng, names)
    assert made.classes == ("truth", "model")
    assert made.inputs.features.shape == (300, 10, len(names))
    assert torch.bincount(made.target[made.train]).tolist() == [120, 120]
    assert torch.bincount(made.target[made.validation]).tolist() == [30, 30]
    assert sorted(torch.cat([made.train, made.validation]).tolist()) == list(range(300))
    training = made.inputs.features[made.train][made.inputs.mask[made.train]].double()
    torch.testing.assert_close(training.mean(dim=0), torch.zeros(len(names), dtype=torch.float64), atol=1e-5, rtol=0)
    torch.testing.assert_close(training.std(dim=0, correction=0), torch.ones(len(names), dtype=torch.float64))
    assert not made.inputs.features[~made.inputs.mask].any()


def test_jets_keep_their_class_and_are_drawn_once(rng):
    classes = {"truth": make_clouds(rng, 60), "model": make_clouds(rng, 50)}
    made = training_set(classes, 50, 0.1, rng)
    for position, clouds in enumerate(classes.values()):
        drawn = made.inputs.coordinates[made.target == position].numpy().reshape(50, -1)
        available = clouds.points[:, :, :2].reshape(len(clouds), -1)
        found = [np.flatnonzero((available == row).all(axis=1)).tolist() for row in drawn]
        assert len({tuple(rows) for rows in found}) == 50
        assert all(len(rows) == 1 for rows in found)


def leaks(made: TrainingSet, position: int) -> int:
    """Return how many validation jets of a class have the bits of one of its training jets."""
    bits = [
        {made.inputs.coordinates[row].numpy().tobytes() for row in part[made.target[part] == position]}
        for part in (made.train, made.validation)
    ]
    return len(bits[0] & bits[1])


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("copies", [1, 2, 3])
def test_copies_of_a_jet_are_on_one_side(rng, copies, paired):
    classes = {"a": make_clouds(rng, 60)[np.arange(60).repeat(copies)], "b": make_clouds(rng, 60 * copies)}
    for jets in (45, 60 * copies):
        made = training_set(classes, jets, 0.2, rng, paired=paired)
        assert leaks(made, 0) == leaks(made, 1) == 0
        train, validation = (torch.bincount(made.target[part]).tolist() for part in (made.train, made.validation))
        assert train[0] == train[1]
        assert validation[0] == validation[1]
        assert 0 <= round(0.2 * jets) - validation[0] < copies
        assert train[0] + validation[0] == jets


def test_jets_of_one_event_are_on_one_side(rng):
    clouds = make_clouds(rng, 80)
    labels = np.column_stack([np.zeros(80, np.int64), np.arange(80) // 2])
    pairs = replace(clouds, labels=labels, label_columns=(Column("file"), Column("event")))
    made = training_set({"truth": pairs, "model": make_clouds(rng, 70)}, 61, 0.15, rng)
    rows = {clouds.points[row, :, :2].tobytes(): row for row in range(80)}
    events = [
        {rows[made.inputs.coordinates[row].numpy().tobytes()] // 2 for row in part[made.target[part] == 0]}
        for part in (made.train, made.validation)
    ]
    assert not events[0] & events[1]


def test_a_class_of_one_jet_cannot_be_split(rng):
    classes = {"model": make_clouds(rng, 40)[np.zeros(40, np.int64)], "truth": make_clouds(rng, 40)}
    with pytest.raises(InputError, match="class 'model': too many of its 40 jets are identical"):
        training_set(classes, 40, 0.2, rng)


def test_pairs_of_jets_are_in_the_same_part(rng):
    clouds = make_clouds(rng, 60)
    moved = Clouds(
        clouds.points + np.float32(7.0),
        *(getattr(clouds, name) for name in ("mask", "features", "labels", "point_columns")),
    )
    made = training_set({"a": clouds, "b": moved}, 45, 0.2, rng, paired=True)
    for part in (made.train, made.validation):
        one, other = (made.inputs.coordinates[part[made.target[part] == position]] for position in (0, 1))
        torch.testing.assert_close(one + 7.0, other, atol=1e-5, rtol=0)


def test_features_are_what_their_names_say(rng):
    clouds = make_clouds(rng, 40)
    names = (*INPUTS, "e_rel")
    made = training_set({"a": clouds, "b": clouds}, 40, 0.1, rng, names)
    inputs = classifier_inputs(clouds, made.standardisation)
    physical = made.standardisation.inverse(inputs.features[inputs.mask].numpy())
    eta, phi, pt = clouds.points[clouds.mask].astype(np.float64).T
    expected = {
        "eta_rel": eta,
        "phi_rel": phi,
        "radius": np.hypot(eta, phi),
        "log_pt_rel": np.log(pt),
        "pt_rel": pt,
        "e_rel": pt * np.cosh(eta),
    }
    for column, name in enumerate(names):
        np.testing.assert_allclose(physical[:, column], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(inputs.coordinates.numpy(), clouds.points[:, :, :2])


def test_particles_without_positive_momentum_are_left_out(rng):
    clouds = make_clouds(rng, 40)
    made = training_set({"a": clouds, "b": clouds}, 40, 0.1, rng)
    clouds.points[:, 1, 2] = -0.1
    inputs = classifier_inputs(clouds, made.standardisation)
    expected = clouds.mask.copy()
    expected[:, 1] = False
    np.testing.assert_array_equal(inputs.mask.numpy(), expected)
    assert inputs.features.isfinite().all()


def test_too_few_jets_or_another_padding_are_errors(rng):
    classes = {"truth": make_clouds(rng, 60), "model": make_clouds(rng, 50)}
    with pytest.raises(InputError, match="class 'model' has 50 jets, 55 are asked for"):
        training_set(classes, 55, 0.1, rng)
    with pytest.raises(InputError, match="padded lengths"):
        training_set(classes | {"model": make_clouds(rng, 50, width=12)}, 50, 0.1, rng)


def test_the_step_tells_a_wrong_model_from_truth_and_not_a_right_one(tmp_path):
    truth, right, wrong = (prepared_jets(jets=800, width=6, seed=seed) for seed in (1, 2, 3))
    wrong.points[:, :, :2] *= 0.3
    paths = {name: tmp_path / f"{name}.h5" for name in ("truth", "right", "wrong")}
    for path, clouds in zip(paths.values(), (truth, right, wrong), strict=True):
        write_clouds(path, clouds)
    settings = LogPosteriorSettings(
        jets_per_class=100,
        network=ParticleNetSettings(neighbours=3, blocks=((8, 8),), fusion=16, dense=16),
        training=TrainingSettings(
            steps=100,
            batch_size=64,
            learning_rate=1e-2,
            ema_decay=0.9,
            validate_every=100,
            save_every=100,
            accelerator="cpu",
        ),
    )
    outputs = [tmp_path / name for name in ("posterior.csv", "history.csv", "confusion.csv")]
    log_posterior(
        paths["truth"], {name: paths[name] for name in ("right", "wrong")}, settings, 1, tmp_path / "state", *outputs
    )
    table = pd.read_csv(outputs[0])
    n_scored = len(truth.part("test")) - len(truth.part("test")) // 2
    assert (table["n_reference"] == n_scored).all()
    assert list(table["model"].value_counts()) == [4, 4]
    areas = table[table["metric"] == "c2st_auc"].set_index("model")
    # 15 % of 100 jets, without the one whose partner in its event would be a training jet.
    assert (areas["n_generated"] == 14).all()
    assert (areas["floor"] == 0.5).all()
    assert areas["floor_uncertainty"].to_numpy() == pytest.approx(math.sqrt((n_scored + 15) / (12 * n_scored * 14)))
    assert areas.loc["wrong", "value"] > 0.9
    assert areas.loc["right", "value"] == pytest.approx(0.5, abs=4 * areas.loc["right", "floor_uncertainty"])
    scores = table[table["metric"] == "nlp"].set_index("model")
    assert (scores["n_generated"] == 100).all()
    assert scores.loc["wrong", "value"] > scores.loc["right", "value"]
    confusion = pd.read_csv(outputs[2]).set_index("class")
    assert list(confusion.index) == list(confusion.columns) == ["right", "wrong", "truth"]
    assert confusion.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert confusion.loc["wrong"].idxmax() == "wrong"


def test_one_sample_under_two_names_is_said(tmp_path, capsys):
    """Each has half of the posterior of the sample, and all others more of it than they should."""
    samples = {name: prepared_jets(jets=60, width=6, seed=seed) for name, seed in (("a", 3), ("b", 4), ("twin", 3))}
    for name, clouds in {"truth": prepared_jets(jets=100, width=6, seed=2), **samples}.items():
        write_clouds(tmp_path / f"{name}.h5", clouds)
    settings = LogPosteriorSettings(
        jets_per_class=10,
        network=ParticleNetSettings(neighbours=3, blocks=((8, 8),), fusion=16, dense=16),
        training=TrainingSettings(steps=1, batch_size=64, accelerator="cpu"),
    )
    outputs = [tmp_path / name for name in ("posterior.csv", "history.csv", "confusion.csv")]
    for names, expected in ((("a", "b"), []), (("a", "b", "twin"), ["60 of 60 jets of class 'twin'"])):
        classes = {name: tmp_path / f"{name}.h5" for name in names}
        log_posterior(tmp_path / "truth.h5", classes, settings, 1, tmp_path / "state", *outputs)
        said = [
            line for line in capsys.readouterr().err.splitlines() if "WARNING" in line and "are jets of class" in line
        ]
        assert [line.split("WARNING: ")[1].split(" are jets")[0] for line in said] == expected
        assert all(line.endswith("are jets of class 'a': such classes share the posterior of one") for line in said)


def test_a_small_sample_has_as_many_jets_of_each_class_as_its_smallest(tmp_path, capsys):
    clouds = {name: prepared_jets(jets=jets, width=6, seed=2) for name, jets in (("truth", 100), ("few", 15))}
    clouds["many"] = clouds["truth"]
    for name, of_name in clouds.items():
        write_clouds(tmp_path / f"{name}.h5", of_name)
    settings = LogPosteriorSettings(
        jets_per_class=2200,
        network=ParticleNetSettings(neighbours=3, blocks=((8, 8),), fusion=16, dense=16),
        training=TrainingSettings(steps=2, batch_size=64, accelerator="cpu"),
    )
    half = len(clouds["truth"].part("test")) // 2
    outputs = [tmp_path / name for name in ("posterior.csv", "history.csv", "confusion.csv")]
    for names, fewest, there in ((("many",), "'truth' (half of the test part)", half), (("many", "few"), "'few'", 15)):
        classes = {name: tmp_path / f"{name}.h5" for name in names}
        log_posterior(tmp_path / "truth.h5", classes, settings, 1, tmp_path / "state", *outputs)
        shown = capsys.readouterr().err
        assert f"log-posterior: {there} jets of each class and not 2200: as many has {fewest}\n" in shown
        # The class "many" is truth in place of a sample.
        tested = len(clouds["truth"].part("test"))
        assert f"log-posterior: WARNING: {tested} of 100 jets of {classes['many']} are jets of the test part" in shown
        assert f"log-posterior: nothing says whether the model of {classes['many']} was trained on" in shown
        table = pd.read_csv(outputs[0])
        assert (table.loc[table["metric"] == "nlp", "n_generated"] == there).all()
    write_clouds(tmp_path / "few.h5", clouds["few"][:9])
    with pytest.raises(InputError, match="class 'few' has 9 jets, 10 or more are needed"):
        log_posterior(tmp_path / "truth.h5", {"few": tmp_path / "few.h5"}, settings, 1, tmp_path / "state", *outputs)
