"""The metrics on plain arrays are the rows of the tables that the pipeline writes."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from library_arrays import arrays
from prepared_jets import prepared_jets, write_prepared_jets

import cloudchamber as cc
from cloudchamber.cli import main
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.jets.features import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.jets.kinematics import has_momentum
from cloudchamber.library.precision import BFLOAT16, rounded

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


@pytest.mark.parametrize("types", [("f4", "f8"), ("f8", "f4"), ("f2", "f8"), ("i8", "f4"), ("f8", "f8")])
def test_values_that_are_equal_in_the_precision_of_one_side_are_equal(
    types: tuple[str, str], rng: np.random.Generator
) -> None:
    """0.1 in single precision is another number in double precision: equal samples had a divergence of 5."""
    tenths = rng.integers(0, 3, 3000) / (1 if "i8" in types else 10)
    truth, generated = (tenths.astype(of) for of in types)
    assert cc.kl(truth, generated, bins=10).value == 0.0
    # Single precision would be a thousand million times as far.
    assert cc.w1(truth, generated).value == pytest.approx(0.0, abs=1e-16)
    particles = [np.ma.masked_less(values.reshape(-1, 3), 0) for values in (truth, generated)]
    assert cc.kl(*particles, bins=10).value == 0.0
    # What differs still does.
    assert cc.kl(truth, generated + generated.dtype.type(0.25), bins=10).value > 1


@pytest.mark.parametrize("other", [torch.float64, torch.float32, torch.float16, torch.int64])
def test_half_precision_of_networks_is_one_too(
    other: torch.dtype, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numpy has no bfloat16: its tensors had been taken for single precision, and equal samples had a KL above 5."""
    values = torch.from_numpy(rng.integers(0, 3, 3000))
    # Whole numbers beyond 256 are rounded too.
    values = 257 + 2 * values if other == torch.int64 else values / 10
    for sides in ((values.to(other), values.bfloat16()), (values.bfloat16(), values.to(other))):
        assert cc.kl(*sides, bins=10).value == 0.0
        assert cc.w1(*sides).value == pytest.approx(0.0, abs=1e-15)
    smooth = torch.from_numpy(rng.normal(500, 50, (2, 3000)))
    capsys.readouterr()
    assert cc.kl(smooth[0].bfloat16(), smooth[1]).value < 0.1
    assert capsys.readouterr().err == ""
    assert cc.kl(values.to(other), (values + values.max()).bfloat16(), bins=10).value > 1


@pytest.mark.parametrize("of", [np.int64, np.uint64])
def test_whole_numbers_that_double_precision_rounds_are_refused(of: type[np.integer[Any]]) -> None:
    """As the numbers of cells of 64 bits: half of truth on another one had a divergence of zero."""
    numbers = np.array([2**60, 2**60 + 1] * 50, of)
    with pytest.raises(cc.InputError, match=r"^generated: a whole number is beyond 2\^53, .*: number them anew"):
        cc.kl(numbers - of(2**60), numbers)
    assert cc.kl(numbers - of(2**60), np.zeros(100, of), bins=2).value > 0.5


def test_rounding_to_half_precision_is_that_of_torch(rng: np.random.Generator) -> None:
    values = rng.normal(size=10000) * 10.0 ** rng.integers(-30, 30, 10000)
    middles = np.array([1 + 2.0**-8, 1 + 3 * 2.0**-8, -0.0, 0.0, 3.3e38, -1e-40])
    for numbers in (values, middles):
        expected = torch.from_numpy(numbers).float().bfloat16().double().numpy()
        np.testing.assert_array_equal(rounded(numbers, BFLOAT16), expected)


def test_values_of_a_grid_with_other_digits_are_said(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Centres of cells in single precision, computed in two ways: equal samples have a divergence of 0.8."""
    cells, others = rng.integers(-25, 25, (2, 3000))
    truth, rounded = ((places * np.float32(0.1)).astype(np.float32) for places in (cells, others))
    generated = (others * 0.1).astype(np.float32)
    assert cc.kl(truth, rounded).value < 0.1
    assert cc.kl(rng.normal(size=3000).astype("f4"), generated).value > 0
    assert cc.kl(cells, others).value < 0.1
    for size in (1000, 20000):
        halves = [scale * rng.normal(size=size).astype("f2") for scale in (1, 1.1)]
        assert cc.kl(*halves, bins=10).value > 0
        assert cc.kl(*map(np.exp, halves), bins=10).value > 0
    assert "last digits" not in capsys.readouterr().err
    number = np.count_nonzero(rounded != generated)
    line = f"{number} of 3000 values of '{{}}' are values that many of 'truth' have but for the last digits"
    assert cc.kl(truth, generated).value > 0.5
    assert line.format("generated") in capsys.readouterr().err
    cc.kl(truth, rounded, generated)
    assert line.format("floor") in capsys.readouterr().err
    particles = [np.ma.masked_less(values.reshape(-1, 3), 0) for values in (truth, generated)]
    cc.kl(*particles)
    assert "last digits" in capsys.readouterr().err


def test_a_value_beyond_the_precision_of_another_side_is_told() -> None:
    with pytest.raises(cc.InputError, match="generated: a value is too large for float32, which another sample has"):
        cc.kl(np.ones(3, "f4"), [1.0, 2.0, 1e300])


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


@pytest.mark.parametrize("metric", ["w1m", "w1p", "w1efp", "coverage", "mmd"])
def test_a_floor_of_the_truth_itself_is_said(
    jets: tuple[Clouds, ...], metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, sample, more = jets
    options = {"jets": 20, "batches": 2} if metric in {"coverage", "mmd"} else {}
    getattr(cc, metric)(truth, sample, more, **options)
    assert "not independent" not in capsys.readouterr().err
    # In another order, and as another program may hold them.
    getattr(cc, metric)(truth, sample[:100], truth.points[::-1], **options)
    assert "cloudchamber: WARNING: " in (said := capsys.readouterr().err)
    assert " jets of 'floor' are jets of 'truth': they are not independent" in said


@pytest.mark.parametrize("metric", ["kl", "w1", "fpd", "kpd"])
def test_numbers_of_the_truth_itself_are_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = (200,) if metric in {"kl", "w1"} else (200, 3)
    truth, generated, more = rng.normal(size=(3, *size))
    getattr(cc, metric)(truth, generated, more)
    # Numbers that few values are taken of are alike by chance.
    getattr(cc, metric)(*rng.integers(0, 40, (3, *size)) if truth.ndim == 1 else (truth, generated))
    assert capsys.readouterr().err == ""
    getattr(cc, metric)(truth, generated, truth[::-1])
    said = "cloudchamber: WARNING: 200 of 200 rows of 'floor' are rows of 'truth': they are not independent\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("function", ["memorisation", "duplicates", "compare"])
def test_training_jets_that_are_test_jets_are_said(
    jets: tuple[Clouds, ...], function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, sample, train = jets
    options = {"settings": SETTINGS} if function == "compare" else {}
    for known, name in ((train, ""), (truth, "train")):
        given = (truth, sample[:100], known) if function == "compare" else (known, truth, sample)
        getattr(cc, function)(*given, **options)
        assert (
            f" jets of '{name}' are jets of '{'truth' if function == 'compare' else 'test'}'" in capsys.readouterr().err
        ) == bool(name)


@pytest.mark.parametrize("metric", ["kl", "w1"])
def test_zeros_of_empty_slots_that_count_are_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of jets with other numbers of particles, the divergence of pt_rel is that of these numbers."""
    mask = [np.arange(10) < numbers[:, None] for numbers in rng.integers([[2], [6]], [[5], [9]], (2, 60))]
    values = [rng.exponential(size=(60, 10)) * of_side for of_side in mask]
    getattr(cc, metric)(*values)
    said = capsys.readouterr().err
    for of_side, name in zip(mask, ("truth", "generated"), strict=True):
        zeros = 600 - np.count_nonzero(of_side)
        assert f"cloudchamber: WARNING: {zeros} of 600 numbers of '{name}' are zeros at the ends of jets" in said
    getattr(cc, metric)(*(np.ma.array(side, mask=~of_side) for side, of_side in zip(values, mask, strict=True)))
    assert "zeros" not in capsys.readouterr().err
    # A mask that is true for particles, as elsewhere, leaves the particles out.
    getattr(cc, metric)(*(np.ma.array(side, mask=of_side) for side, of_side in zip(values, mask, strict=True)))
    assert capsys.readouterr().err.count("zeros at the ends of jets") == 2
    getattr(cc, metric)(*(rng.integers(-1, 2, (60, 10)) + 0.5 for _ in range(2)))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("metric", ["fpd", "kpd"])
def test_columns_of_tables_have_one_order(rng: np.random.Generator, metric: str) -> None:
    """Columns would be compared by their places, whatever they are called."""
    tables = [pd.DataFrame(rng.normal([1, 5], 1, (40, 2)), columns=["mass", "width"]) for _ in range(2)]
    assert getattr(cc, metric)(*tables).value < 0.1
    with pytest.raises(cc.InputError, match=r"^generated: columns \['width', 'mass'\], those of truth are \['mass', "):
        getattr(cc, metric)(tables[0], tables[1][["width", "mass"]])


@pytest.mark.parametrize("metric", ["w1m", "mmd"])
def test_samples_of_which_one_was_cut_are_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jets of 30 hardest particles beside whole ones, as of JetNet30 and JetNet150."""
    whole = rng.exponential(size=(2, 200, 60, 3)) * (np.arange(60) < rng.integers(10, 60, (2, 200, 1)))[..., None] / 60
    getattr(cc, metric)(*whole)
    assert "were cut" not in capsys.readouterr().err
    truth = np.take_along_axis(whole[0], np.argsort(-whole[0, :, :, 2:], axis=1), axis=1)[:, :30]
    getattr(cc, metric)(truth, whole[1])
    assert " jets of 'truth' have 30 particles and none has more, those of another" in capsys.readouterr().err
    getattr(cc, metric)(truth, truth[:100] * 0.99)
    assert "were cut" not in capsys.readouterr().err


@pytest.mark.parametrize("metric", ["w1m", "fpd"])
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("its", "said"),
    [
        ({"pile_up": 9000}, "60 constituents of an event come from pile-up, of 'truth' it is 0"),
        ({"size": "0.087 x 0.087"}, "cells of Tower have the size 0.087 x 0.087 in eta and phi, of 'truth' 0.1"),
        ({"leaf": "IsPU"}, "has Tower.IsPU and lacks Tower.T, unlike 'truth', as of files that two programs wrote"),
        ({"collection": "ParticleFlowCandidate"}, "constituents are in ParticleFlowCandidate, of 'truth' in Tower"),
        ({}, None),
    ],
)
def test_jets_of_files_of_another_detector_are_said(
    jets: tuple[Clouds, ...],
    metric: str,
    prepared: bool,
    its: dict[str, Any],
    said: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The settings are the same: what differs is the pile-up, card or version of Delphes of the files."""

    def made(
        clouds: Clouds, pile_up: int = 0, size: str = "0.1 x 0.1", leaf: str = "T", collection: str = "Tower"
    ) -> Clouds:
        record = {"step": "ingest", "settings": {"clouds": {}}, "inputs": {"/data/a.root": "a"}, "seed": None}
        of_files = {
            "provenance": record,
            "constituents": {"collections": [collection]},
            "leaves": {collection: ["ET", leaf]},
            "cells": {collection: {size: 100}},
            "pile_up": {"constituents": pile_up, "left_out": 0, "told_by": ["Tower.IsPU"]},
            "events": {"read": 150},
        }
        after = {"step": "prepare", "settings": {}, "inputs": {"/data/clouds.h5": "b"}, "seed": 1}
        meta = {"provenance": after, "source": of_files} if prepared else of_files
        return replace(clouds, meta={**clouds.meta, **meta})

    truth, sample, more = jets
    getattr(cc, metric)(made(truth), made(sample, **its), more)
    lines = [line for line in capsys.readouterr().err.splitlines() if "'generated': " in line]
    assert len(lines) == (said is not None)
    assert said is None or lines[0].startswith(f"cloudchamber: WARNING: 'generated': {said}")


@pytest.mark.parametrize("metric", ["w1m", "fpd"])
@pytest.mark.parametrize("prepared", [False, True])
def test_jets_that_were_made_with_other_settings_are_said(
    jets: tuple[Clouds, ...], metric: str, prepared: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the command 'compare' says it: of clouds as they were ingested, and of prepared ones."""

    def made(clouds: Clouds, radius: float) -> Clouds:
        settings = {"layout": "delphes", "clouds": {"kind": "reclustered", "radius": radius}, "max_particles": 8}
        record = {"step": "ingest", "settings": settings, "inputs": {"/data/a.root": "a"}, "seed": None}
        after = {"step": "prepare", "settings": {}, "inputs": {"/data/clouds.h5": "b"}, "seed": 1}
        meta = {"provenance": after, "source": {"provenance": record}} if prepared else {"provenance": record}
        return replace(clouds, meta={**clouds.meta, **meta})

    truth, sample, more = jets
    getattr(cc, metric)(made(truth, 0.8), made(sample, 0.8), more)
    assert "other settings" not in capsys.readouterr().err
    getattr(cc, metric)(made(truth, 0.8), made(sample, 0.4), more)
    assert (
        "cloudchamber: WARNING: 'generated': jets made with other settings than those of 'truth': clouds.radius is 0.4,"
        " and not 0.8\n"
    ) in capsys.readouterr().err


def test_jets_of_a_sample_that_are_there_again_are_said(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a loop that draws with one seed: the floor is of as many jets as there are different ones, and more."""
    truth, sample = arrays(rng, jets=60), arrays(rng, jets=30)
    several = int(((sample != 0).any(axis=2).sum(axis=1) > 1).sum())
    cc.w1m(truth, sample)
    assert capsys.readouterr().err == ""
    cc.w1m(truth, np.concatenate([sample, sample]))
    said = f"WARNING: {several} of 60 jets of 'generated' are earlier ones of it again, and count as others\n"
    assert capsys.readouterr().err == f"cloudchamber: {said}"
    cc.w1m(np.concatenate([sample, sample]), truth)
    assert f"{several} of 60 jets of 'truth' are earlier ones of it again" in capsys.readouterr().err
