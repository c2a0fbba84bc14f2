"""The metrics on plain arrays are the rows of the tables that the pipeline writes."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prepared_jets import prepared_jets, write_prepared_jets

import cloudchamber as cc
from cloudchamber.cli import main
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.jets.features import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.jets.kinematics import has_momentum

SETTINGS = {"bins": 10, "bootstraps": 50, "energy_mover_jets": 20, "energy_mover_batches": 3}
SEED = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with truth, a sample, and what 'observe', 'compare' and 'log-posterior' make of them."""
    made = tmp_path_factory.mktemp("library_metrics")
    write_prepared_jets(made / "truth.h5", jets=400, width=8)
    sample = prepared_jets(150, 8, seed=9)
    write_clouds(made / "sample.h5", Clouds(
        sample.points, sample.mask, sample.features, np.zeros((150, 0), np.int64), sample.point_columns,
        sample.feature_columns,
    ))  # fmt: skip
    for name in ("truth", "sample"):
        run("observe", made / f"{name}.h5", "--output", made / f"{name}_observables.h5")
    files = ["--truth", made / "truth.h5", "--truth-observables", made / "truth_observables.h5"]
    files += ["--sample", made / "sample.h5", "--sample-observables", made / "sample_observables.h5"]
    run("compare", *files, "--settings", json.dumps(SETTINGS), "--seed", SEED, "--output", made / "metrics.csv")
    return made


def read_exactly(path: Path) -> pd.DataFrame:
    """Return a table with the very numbers that were written: pandas reads some with another last bit."""
    texts = ("metric", "feature", "model")
    with open(path, encoding="utf-8", newline="") as file:
        rows = [
            {key: text if key in texts else float(text or "nan") for key, text in row.items()}
            for row in csv.DictReader(file)
        ]
    return pd.DataFrame(rows)


def run(*arguments: object) -> None:
    assert main([str(item) for item in arguments]) == 0


@pytest.fixture(scope="module")
def table(folder: Path) -> pd.DataFrame:
    return read_exactly(folder / "metrics.csv")


@pytest.fixture(scope="module")
def jets(folder: Path) -> tuple[Clouds, Clouds, Clouds]:
    """Return test part, sample and training part."""
    truth = cc.read_clouds(folder / "truth.h5")
    return truth.part("test"), cc.read_clouds(folder / "sample.h5"), truth.part("train")


def agrees(found: cc.Measurement, table: pd.DataFrame, metric: str, feature: str = "") -> None:
    (row,) = table[(table["metric"] == metric) & (table["feature"] == feature)].to_dict("records")
    for name in ("value", "uncertainty", "floor", "floor_uncertainty", "n_reference", "n_generated"):
        assert getattr(found, name) == row[name], (metric, feature, name)


@pytest.mark.parametrize("feature", JET_FEATURES)
def test_features_of_jets(jets: tuple[Clouds, ...], table: pd.DataFrame, feature: str) -> None:
    values = [cc.jet_observables(side)[feature] for side in jets]
    agrees(cc.kl(*values, bins=10, seed=SEED), table, "kl", feature)
    agrees(cc.w1(*values, seed=SEED), table, "w1", feature)


@pytest.mark.parametrize("feature", PARTICLE_FEATURES)
def test_features_of_particles(jets: tuple[Clouds, ...], table: pd.DataFrame, feature: str) -> None:
    values = [np.ma.MaskedArray(side.point(feature), ~has_momentum(side)) for side in jets]
    agrees(cc.kl(*values, bins=10, seed=SEED), table, "kl", feature)
    agrees(cc.w1(*values, seed=SEED), table, "w1", feature)


@pytest.mark.parametrize("metric", ["w1m", "w1p", "w1efp", "fpd", "kpd"])
def test_distances_of_jets(jets: tuple[Clouds, ...], table: pd.DataFrame, metric: str) -> None:
    agrees(getattr(cc, metric)(*jets, seed=SEED), table, metric)
    # Plain arrays of the same jets give the same numbers.
    agrees(getattr(cc, metric)(*(side.points for side in jets), seed=SEED), table, metric)


@pytest.mark.parametrize("metric", ["fpd", "kpd"])
def test_distances_of_given_features(jets: tuple[Clouds, ...], table: pd.DataFrame, metric: str) -> None:
    agrees(getattr(cc, metric)(*map(cc.energy_flow_polynomials, jets), seed=SEED), table, metric)
    with pytest.raises(cc.InputError, match=r"different numbers of features: \[2, 3\]"):
        getattr(cc, metric)(np.ones((20, 2)), np.ones((20, 3)))


@pytest.mark.parametrize("metric", ["fpd", "kpd"])
def test_the_sign_of_a_feature_does_not_matter(metric: str) -> None:
    # Logarithms of shares, of which the largest is as near to zero as there are many: divided by it, they have no end.
    truth, generated = np.log(np.random.default_rng(SEED).random((2, 500, 3)))
    found = getattr(cc, metric)(truth, generated, seed=SEED)
    assert found == getattr(cc, metric)(-truth, -generated, seed=SEED)
    assert abs(found.value) < 0.01


@pytest.mark.parametrize("metric", ["coverage", "mmd"])
def test_matched_jets(jets: tuple[Clouds, ...], table: pd.DataFrame, metric: str) -> None:
    agrees(getattr(cc, metric)(*jets, jets=20, batches=3, seed=SEED), table, metric)


@pytest.mark.parametrize("metric", ["memorisation", "duplicates"])
def test_copies(jets: tuple[Clouds, ...], table: pd.DataFrame, metric: str) -> None:
    test, sample, train = jets
    agrees(getattr(cc, metric)(train, test, sample), table, metric)


def test_the_whole_table(jets: tuple[Clouds, ...], folder: Path) -> None:
    found = cc.compare(*jets, settings=SETTINGS, seed=SEED)
    assert found.to_csv(index=False, lineterminator="\n") == (folder / "metrics.csv").read_text()


def test_jets_in_gev_are_not_compared_with_jets_in_units_of_their_pt(jets: tuple[Clouds, ...]) -> None:
    test, sample, train = jets
    with pytest.raises(cc.InputError, match=r"^generated: no feature jet_pt, by which the masses of the others"):
        cc.compare(test, sample.points, train, settings=SETTINGS)
    with pytest.raises(cc.InputError, match=r"^truth and train: no feature jet_pt"):
        cc.compare(test.points, sample, train.points, settings=SETTINGS)


@pytest.mark.parametrize("name", ["fpd", "kpd"])
def test_features_of_any_sign_are_divided_by_what_is_largest_of_them(name: str) -> None:
    """The distance of features does not change where all change their sign, or their unit."""
    rng = np.random.default_rng(2)
    truth, generated = rng.normal([0, 3], 1, (400, 2)), rng.normal([0.3, 3], 1, (400, 2))
    found = getattr(cc, name)(truth, generated)
    for factor in (-1.0, -8.0):
        changed = getattr(cc, name)(factor * truth, factor * generated)
        assert (changed.value, changed.uncertainty) == pytest.approx((found.value, found.uncertainty), rel=1e-6)


def test_without_a_floor_there_is_none(jets: tuple[Clouds, ...]) -> None:
    test, sample, train = jets
    with_floor, without = cc.w1m(test, sample, train), cc.w1m(test, sample)
    assert (without.value, without.uncertainty) == (with_floor.value, with_floor.uncertainty)
    assert np.isnan(without.floor)
    assert "floor" not in str(without)
    assert "floor" in str(with_floor)


def test_energy_movers_distance_of_two_particles_is_known() -> None:
    """Of one particle each, work is the distance times what is moved, and what is missing counts as it is."""
    one = np.array([[[0.0, 0.0, 0.7], [0.0, 0.0, 0.0]]])
    other = np.array([[[0.3, 0.4, 1.0], [0.0, 0.0, 0.0]]])
    np.testing.assert_allclose(cc.energy_mover(one, other), [[0.7 * 0.5 + 0.3]], rtol=1e-6)
    np.testing.assert_allclose(cc.energy_mover(one, other, radius=2.0), [[0.7 * 0.25 + 0.3]], rtol=1e-6)


def test_log_posteriors(folder: Path, tmp_path: Path) -> None:
    network = {"neighbours": 2, "blocks": [[4], [4]], "fusion": 4, "dense": 4}
    training = {"steps": 20, "batch_size": 16, "validate_every": 10, "save_every": 10, "accelerator": "cpu"}
    training |= {"learning_rate": 2e-3, "weight_decay": 0.0, "gradient_clip": 5.0, "ema_decay": 0.9}
    settings = {"network": network, "training": training, "jets_per_class": 40}
    truth = cc.read_clouds(folder / "truth.h5").part("test")
    write_clouds(tmp_path / "test.h5", Clouds(
        truth.points, truth.mask, truth.features, truth.labels, truth.point_columns, truth.feature_columns,
        truth.label_columns, {"test": np.arange(len(truth))},
    ))  # fmt: skip
    sample = prepared_jets(150, 6, seed=9)
    wide = cc.clouds_from_arrays(
        np.pad(sample.points, ((0, 0), (0, 2), (0, 0))),
        features={column.name: sample.feature(column.name) for column in sample.feature_columns},
        labels={column.name: sample.label(column.name) for column in sample.label_columns},
    )
    write_clouds(tmp_path / "sample.h5", wide)
    outputs = [item for name in ("output", "history", "confusion") for item in (f"--{name}", tmp_path / f"{name}.csv")]
    run(
        "log-posterior", "--truth", tmp_path / "test.h5", "--classes", f"model={tmp_path / 'sample.h5'}", "--settings",
        json.dumps(settings), "--seed", SEED, "--state", tmp_path / "state", *outputs,
    )  # fmt: skip
    table = read_exactly(tmp_path / "output.csv").assign(feature="")
    # Samples are padded to the length of the truth.
    # A name may be a number.
    found = {"model": cc.nlp(truth, {"01": sample}, settings=settings, seed=SEED)["01"]}
    assert set(found) == {"model"}
    for metric in ("nlp", "nlp_generated_only", "c2st_auc"):
        agrees(getattr(found["model"], metric), table, metric)


@pytest.mark.parametrize("metric", ["fpd", "kpd"])
def test_columns_of_tables_have_one_order(rng: np.random.Generator, metric: str) -> None:
    """Columns would be compared by their places, whatever they are called."""
    tables = [pd.DataFrame(rng.normal([1, 5], 1, (40, 2)), columns=["mass", "width"]) for _ in range(2)]
    assert getattr(cc, metric)(*tables).value < 0.1
    with pytest.raises(cc.InputError, match=r"^generated: columns \['width', 'mass'\], those of truth are \['mass', "):
        getattr(cc, metric)(tables[0], tables[1][["width", "mass"]])
