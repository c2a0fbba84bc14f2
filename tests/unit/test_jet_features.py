"""The jet level: drawn jets come from the training part or its flow, are reproducible, and are compared with truth."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from descriptions import write_description
from prepared_jets import prepared_jets
from safetensors.torch import load_file, save_file
from scipy.stats import wasserstein_distance

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures import style
from cloudchamber.generative.compare_jets import REQUESTED, compare_jet_features
from cloudchamber.generative.draw_jets import draw_jets
from cloudchamber.generative.jet_features import CONTINUOUS, JetFeatures, read_jets
from cloudchamber.generative.train_jet_flow import train_jet_flow
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.observable_file import read_observables, write_observables
from cloudchamber.metrics.divergence import expected_floor
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.base import parse
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.settings.metrics import MetricSettings
from cloudchamber.storage import read_json, sha256
from cloudchamber.studies.jet_generation.figures.jet_level import JetLevel, enclosing_levels, jet_level, read_jet_level

WIDTH, JETS = 8, 150
TRAINING = {"steps": 6, "batch_size": 32, "accelerator": "cpu", "validate_every": 3}
FLOW = parse(JetFlowSettings, {"kind": "flow", "transforms": 2, "bins": 4, "hidden": (8,), "training": TRAINING})
METRICS = MetricSettings(bins=10, bootstraps=20)


class Study:
    """A folder with prepared jets and a flow trained on them for a moment."""

    def __init__(self, folder: Path, clouds: Clouds) -> None:
        self.folder, self.source = folder, folder / "prepared.h5"
        self.weights, self.description = folder / "weights.safetensors", folder / "model.json"
        self.history = folder / "history.csv"
        write_clouds(self.source, clouds)

    def train(self, seed: int = 3) -> None:
        train_jet_flow(self.source, FLOW, seed, self.folder / "state", self.weights, self.description, self.history)

    def draw(self, output: Path, seed: int = 1, jets: int = JETS) -> JetFeatures:
        draw_jets(self.source, (self.weights, self.description), jets, seed, output)
        return read_jets(output)


@pytest.fixture(scope="module")
def clouds() -> Clouds:
    return prepared_jets(600, WIDTH)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, clouds: Clouds) -> Study:
    study = Study(tmp_path_factory.mktemp("study"), clouds)
    study.train()
    return study


@pytest.fixture
def own_study(tmp_path: Path, study: Study, clouds: Clouds) -> Study:
    """A copy that a test may damage."""
    copy = Study(tmp_path, clouds)
    for name in ("weights", "description"):
        getattr(copy, name).write_bytes(getattr(study, name).read_bytes())
    return copy


def test_jets_of_the_training_part_are_those_of_its_rows(study: Study, clouds: Clouds, tmp_path: Path) -> None:
    draw_jets(study.source, None, JETS, 7, tmp_path / "jets.h5")
    drawn = read_jets(tmp_path / "jets.h5")
    rows = seeds.generator(7, "conditions").choice(clouds.indices["train"], size=JETS, replace=True)
    for name in ("jet_pt", "jet_eta", "jet_mass"):
        np.testing.assert_array_equal(drawn.columns[name], clouds.feature(name)[rows])
    np.testing.assert_array_equal(drawn.multiplicity, clouds.multiplicity[rows])
    np.testing.assert_array_equal(drawn.jet_pt_rel, relative_sum(clouds)[rows])
    assert drawn.width == WIDTH
    assert read_observables(tmp_path / "jets.h5")[1]["source"] == "training"


def test_jets_of_a_flow_are_possible_and_say_where_they_come_from(study: Study, clouds: Clouds, tmp_path: Path) -> None:
    jets = study.draw(tmp_path / "jets.h5")
    train = clouds.part("train")
    assert len(jets) == JETS
    assert jets.multiplicity.dtype == np.int64
    assert set(jets.multiplicity) <= set(train.multiplicity)
    for name in ("jet_pt", "jet_eta", "jet_mass"):
        assert train.feature(name).min() <= jets.columns[name].min()
        assert jets.columns[name].max() <= train.feature(name).max()
    meta = read_observables(tmp_path / "jets.h5")[1]
    assert (meta["width"], meta["source"]) == (WIDTH, "flow")
    assert meta["redrawn"] >= 0
    inputs = meta["provenance"]["inputs"].values()
    assert set(inputs) == {sha256(path) for path in (study.source, study.weights, study.description)}


@pytest.mark.parametrize("model", [False, True])
def test_at_most_as_many_jets_are_drawn_as_there_are_to_train_with(
    model: bool, study: Study, clouds: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = (study.weights, study.description) if model else None
    there = len(clouds.indices["train"])
    for asked, drawn in ((there - 1, there - 1), (there, there), (there + 1, there), (100 * there, there)):
        draw_jets(study.source, weights, asked, 1, tmp_path / "jets.h5", at_most_training_jets=True)
        assert len(read_jets(tmp_path / "jets.h5")) == drawn
        assert read_observables(tmp_path / "jets.h5")[1]["asked"] == asked
        line = f"draw-jets: {there} jets are drawn and not {asked}, as many as there are training jets\n"
        assert capsys.readouterr().err == (line if asked > there else "")
    # A comparison has then enough jets for its floor.
    compare_jet_features(study.source, tmp_path / "jets.h5", METRICS, 1, tmp_path / "comparison.csv")
    # Who asks for more by hand gets more.
    draw_jets(study.source, weights, there + 1, 1, tmp_path / "jets.h5")
    assert len(read_jets(tmp_path / "jets.h5")) == there + 1


def test_the_same_seed_gives_the_same_jets(study: Study, tmp_path: Path) -> None:
    first, second, other = (study.draw(tmp_path / f"{name}.h5", seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert all(np.array_equal(first.columns[name], second.columns[name]) for name in first.columns)
    assert not np.array_equal(first.jet_pt, other.jet_pt)


def test_trainings_of_one_seed_agree_and_of_two_differ(study: Study, own_study: Study) -> None:
    own_study.train(seed=3)
    assert sha256(own_study.weights) == sha256(study.weights)
    own_study.train(seed=4)
    assert sha256(own_study.weights) != sha256(study.weights)


def test_the_history_has_likelihood_and_distances(study: Study) -> None:
    history = pd.read_csv(study.history)
    assert list(history["step"]) == [3, 6]
    figures = history[["validation_loss", "w1_jet_pt", "w1_jet_mass", "w1_jet_pt_rel", "w1_multiplicity"]].to_numpy()
    assert np.isfinite(figures).all()


def test_nothing_of_the_test_part_is_read(study: Study, own_study: Study, clouds: Clouds, tmp_path: Path) -> None:
    features = clouds.features.copy()
    features[clouds.indices["test"]] = 1e6
    changed = Study(tmp_path / "changed", replace(clouds, features=features))
    changed.train()
    assert sha256(changed.weights) == sha256(study.weights)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _other_settings(study: Study) -> None:
    described = read_json(study.description)
    described["settings"]["bins"] = 5
    write_description(study.description, described)


def _other_network(study: Study) -> None:
    weights = load_file(study.weights)
    weights.pop(next(iter(weights)))
    save_file(weights, study.weights)
    write_description(study.description, read_json(study.description) | {"weights_sha256": sha256(study.weights)})


def _without_scales(study: Study) -> None:
    described = read_json(study.description)
    del described["scales"]
    write_description(study.description, described)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda study: _flip(study.weights), "not the weights that .* describes"),
        (lambda study: study.weights.unlink(), "weights.safetensors: cannot be read"),
        (lambda study: study.description.write_text("{"), "model.json: not a JSON file"),
        (lambda study: study.description.write_text("[]"), "model.json: not the description of a model"),
        (_without_scales, "model.json: not the description of a model: no \\['scales'\\]"),
        (_other_settings, "weights.safetensors: .*size mismatch"),
        (_other_network, "weights.safetensors: .*Missing key"),
        (lambda study: write_clouds(study.source, prepared_jets(300, WIDTH, 6)), "not trained on .*prepared.h5"),
    ],
)
def test_a_foreign_or_damaged_flow_is_refused(
    own_study: Study, damage: Callable[[Study], object], message: str
) -> None:
    damage(own_study)
    output = own_study.folder / "jets.h5"
    with pytest.raises(InputError, match=message):
        own_study.draw(output)
    assert not output.exists()


def test_jets_that_are_not_prepared_are_refused(clouds: Clouds, tmp_path: Path) -> None:
    raw = Study(tmp_path, replace(clouds, indices={}))
    with pytest.raises(InputError, match="not prepared: no train part"):
        raw.train()
    with pytest.raises(InputError, match="not prepared: no train part"):
        draw_jets(raw.source, None, JETS, 1, tmp_path / "jets.h5")


def test_what_is_wrong_with_a_feature_is_told_with_its_file(clouds: Clouds, tmp_path: Path) -> None:
    position = [column.name for column in clouds.feature_columns].index("jet_eta")
    kept = [number for number in range(clouds.features.shape[1]) if number != position]
    columns = tuple(clouds.feature_columns[number] for number in kept)
    lacking = Study(tmp_path, replace(clouds, features=clouds.features[:, kept], feature_columns=columns))
    with pytest.raises(InputError, match=r"prepared\.h5: no feature 'jet_eta'"):
        draw_jets(lacking.source, None, JETS, 1, tmp_path / "jets.h5")
    features = clouds.features.copy()
    features[:, position] = 0.5
    constant = Study(tmp_path, replace(clouds, features=features))
    with pytest.raises(InputError, match=r"prepared\.h5: column 'jet_eta' is constant in the training part"):
        constant.train()


@pytest.mark.parametrize(
    ("changes", "meta", "message"),
    [
        ({"jet_pt": None}, {"width": WIDTH}, "no \\['jet_pt'\\]"),
        ({}, {}, "no width"),
        ({"jet_pt": -1.0}, {"width": WIDTH}, "'jet_pt' of 1 of 4 jets is impossible"),
        ({"jet_pt_rel": None}, {"width": WIDTH}, "no \\['jet_pt_rel'\\]"),
        ({"jet_pt_rel": 0.0}, {"width": WIDTH}, "'jet_pt_rel' of 1 of 4 jets is impossible"),
        ({"jet_mass": np.nan}, {"width": WIDTH}, "'jet_mass' of 1 of 4"),
        ({"multiplicity": 2.5}, {"width": WIDTH}, "'multiplicity' of 1 of 4"),
        ({"multiplicity": 0.0}, {"width": WIDTH}, "'multiplicity' of 1 of 4"),
        ({"multiplicity": 9.0}, {"width": WIDTH}, "'multiplicity' of 1 of 4"),
    ],
)
def test_impossible_jets_are_refused(
    changes: dict[str, float | None], meta: dict[str, int], message: str, tmp_path: Path
) -> None:
    table = {name: np.full(4, 5.0) for name in (*CONTINUOUS, "multiplicity")}
    for name, value in changes.items():
        if value is None:
            del table[name]
        else:
            table[name][2] = value
    write_observables(tmp_path / "jets.h5", table, meta)
    with pytest.raises(InputError, match=f"jets.h5: .*{message}"):
        read_jets(tmp_path / "jets.h5")


def test_truth_against_truth_is_at_the_floor(tmp_path: Path) -> None:
    study = Study(tmp_path, prepared_jets(6000, WIDTH))
    draw_jets(study.source, None, 1500, 2, tmp_path / "jets.h5")
    compare_jet_features(study.source, tmp_path / "jets.h5", METRICS, 1, tmp_path / "comparison.csv")
    table = pd.read_csv(tmp_path / "comparison.csv").set_index(["metric", "feature"])
    assert set(table.index) == {(metric, feature) for metric in ("kl", "w1") for feature in REQUESTED}
    clouds, jets = read_clouds(study.source), read_jets(tmp_path / "jets.h5")
    test, train = (JetFeatures.of_part(clouds, part, study.source).columns for part in ("test", "train"))
    for feature, name in REQUESTED.items():
        truth, floor = test[name], train[name][:1500]
        row = table.loc[("w1", feature)]
        assert row["value"] == pytest.approx(wasserstein_distance(truth, jets.columns[name]), rel=1e-6)
        assert row["floor"] == pytest.approx(wasserstein_distance(truth, floor), rel=1e-6)
        assert (row["n_reference"], row["n_generated"]) == (len(truth), 1500)
        for column in ("value", "floor"):
            assert table.loc[("kl", feature), column] < 4 * expected_floor(METRICS.bins, len(truth), 1500)


def test_other_jets_are_far_above_the_floor(study: Study, clouds: Clouds, tmp_path: Path) -> None:
    jets = JetFeatures.of_part(clouds, "train", "jets")[:JETS]
    shifted = {name: column + (10 if name == "jet_pt" else 0) for name, column in jets.columns.items()}
    write_observables(tmp_path / "jets.h5", shifted, {"width": WIDTH})
    compare_jet_features(study.source, tmp_path / "jets.h5", METRICS, 1, tmp_path / "comparison.csv")
    table = pd.read_csv(tmp_path / "comparison.csv").set_index(["metric", "feature"])
    same = table.loc[("w1", "requested_mass")]
    assert same["value"] == same["floor"]
    moved = table.loc[("w1", "requested_pt")]
    assert moved["value"] == pytest.approx(10, abs=moved["floor"] + 1e-6)


def test_a_floor_of_sorted_training_jets_is_said(
    clouds: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = clouds.indices["train"]
    by_pt = train[np.argsort(clouds.feature("jet_pt")[train])]
    jets = JetFeatures.of_part(clouds, "train", "jets")[:100]
    write_observables(tmp_path / "jets.h5", jets.columns, {"width": WIDTH})
    for rows, unlike in ((train, False), (by_pt, True)):
        write_clouds(tmp_path / "truth.h5", replace(clouds, indices={**clouds.indices, "train": rows}))
        compare_jet_features(tmp_path / "truth.h5", tmp_path / "jets.h5", METRICS, 1, tmp_path / "comparison.csv")
        said = "test jets and the training jets of the floor are not alike: mean " in capsys.readouterr().err
        assert said == unlike


def test_more_drawn_than_training_jets_have_no_floor(study: Study, tmp_path: Path) -> None:
    study.draw(tmp_path / "jets.h5", jets=500)
    with pytest.raises(InputError, match="training jets, 500 drawn"):
        compare_jet_features(study.source, tmp_path / "jets.h5", METRICS, 1, tmp_path / "comparison.csv")


def test_the_figure_shows_distances_and_every_pair(study: Study, tmp_path: Path) -> None:
    files = {"title": "some jets", "truth": str(study.source), "jets": [], "comparisons": []}
    for seed in (1, 2):
        jets, comparison = tmp_path / f"{seed}.h5", tmp_path / f"{seed}.csv"
        study.draw(jets, seed)
        compare_jet_features(study.source, jets, METRICS, 1, comparison)
        files["jets"].append({"seed": seed, "path": str(jets)})
        files["comparisons"].append({"seed": seed, "path": str(comparison)})
    with style.applied():
        data = read_jet_level(files)
        assert data.drawn["jet_pt"].n_jets == 2 * JETS
        figure = jet_level(data)
        figure.draw_without_rendering()
    shown = [axis for axis in figure.axes if axis.axison]
    assert len(shown) == 10
    value = np.mean([pd.read_csv(entry["path"])["value"][0] for entry in files["comparisons"]])
    assert float(re.match(r"KL: \((\S+) ±", shown[0].get_title())[1]) == pytest.approx(value, abs=0.006)
    assert "300 jets drawn" in figure.get_suptitle()


def test_the_figure_can_have_jets_of_one_multiplicity(rng: np.random.Generator) -> None:
    def side() -> dict[str, Sample]:
        columns = {
            "jet_pt": rng.normal(1000, 50, 40),
            "jet_mass": rng.normal(170, 20, 40),
            "jet_pt_rel": np.ones(40),
            "multiplicity": np.full(40, 30),
        }
        return {name: Sample.of_jets(values) for name, values in columns.items()}

    index = pd.MultiIndex.from_product([("kl", "w1"), REQUESTED])
    distances = pd.DataFrame(0.0, index, ["value", "uncertainty", "floor"])
    with style.applied():
        jet_level(JetLevel("some jets", side(), side(), distances)).draw_without_rendering()


def test_levels_enclose_their_fractions(rng: np.random.Generator) -> None:
    density = rng.gamma(2.0, size=(20, 30))
    for fraction, level in zip((0.9, 0.5), enclosing_levels(density, (0.9, 0.5)), strict=True):
        assert density[density >= level].sum() >= fraction * density.sum() > density[density > level].sum()
