"""What is read piece by piece is what is read at once, to the bit or to a stated tolerance."""

import errno
import io
import json
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from prepared_jets import raw_jets
from project_copy import REPOSITORY

from cloudchamber import cloud_file
from cloudchamber.analysis import plan
from cloudchamber.cli import main
from cloudchamber.cloud_file import open_clouds, read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError, StorageError
from cloudchamber.generative.jet_features import JetFeatures
from cloudchamber.jets import observe
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.metrics import comparison, memorisation, piecewise
from cloudchamber.metrics.compare import compare_files
from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.probable_bins import bin_edges, edges_of_truth
from cloudchamber.metrics.resampling import Sample
from cloudchamber.preparation.prepare import prepare
from cloudchamber.preparation.splits import halved, halves
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.settings.metrics import MetricSettings

JETS = 600
METRICS = MetricSettings(bins=8, bootstraps=4, energy_mover_jets=5, energy_mover_batches=2)


@pytest.fixture
def clouds(tmp_path: Path, rng: np.random.Generator) -> Path:
    write_clouds(tmp_path / "clouds.h5", raw_jets(JETS, 8, rng))
    return tmp_path / "clouds.h5"


def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file one of many pieces, and every feature one of many ranges."""
    monkeypatch.setattr(cloud_file, "_PIECE_BYTES", 1)
    monkeypatch.setattr(cloud_file, "_PIECE_ROWS", 64)
    monkeypatch.setattr(observe, "_JETS", 50)
    monkeypatch.setattr(piecewise, "_PIECE", 64)
    monkeypatch.setattr(comparison, "OrderedEntries", lambda samples: OrderedEntries(samples, 100, 70))


def made(folder: Path, clouds: Path, **settings: Any) -> None:
    folder.mkdir()
    prepare(clouds, PreparationSettings(**settings), 3, folder / "prepared.h5", folder / "split.h5")
    prepare(clouds, PreparationSettings(**settings), 4, folder / "generated.h5")
    for name in ("prepared", "generated"):
        observe.observe_file(folder / f"{name}.h5", folder / f"{name}_observables.h5")
    sample = read_clouds(folder / "generated.h5").part("test")
    write_clouds(folder / "sample.h5", sample)
    observe.observe_file(folder / "sample.h5", folder / "sample_observables.h5")
    files = [folder / f"{name}.h5" for name in ("prepared", "prepared_observables", "sample", "sample_observables")]
    compare_files(*files, METRICS, 5, folder / "metrics.csv")


def test_prepared_jets_observables_and_distances(tmp_path: Path, clouds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "whole", clouds)
    small_pieces(monkeypatch)
    with open_clouds(clouds) as file:
        assert len(list(file.pieces())) > 9
    made(tmp_path / "pieces", clouds)
    whole, pieces = (read_clouds(tmp_path / name / "prepared.h5") for name in ("whole", "pieces"))
    for name in ("points", "mask", "features", "labels"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(pieces, name))
    for name, rows in whole.indices.items():
        np.testing.assert_array_equal(rows, pieces.indices[name])
    for of in ("points", "conditions"):
        for value in ("mean", "deviation"):
            expected, found = (made.meta["standardisation"][of][value] for made in (whole, pieces))
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    tables = [read_observables(tmp_path / name / "prepared_observables.h5")[0] for name in ("whole", "pieces")]
    for name, values in tables[0].items():
        np.testing.assert_array_equal(values, tables[1][name])
    expected, found = (pd.read_csv(tmp_path / name / "metrics.csv") for name in ("whole", "pieces"))
    assert set(expected["metric"]) >= {"kl", "w1", "w1p", "w1efp", "fpd", "kpd", "coverage", "memorisation"}
    roots = expected["metric"] == "fpd"
    for rows, tolerance in ((~roots, 1e-9), (roots, 1e-5)):
        pd.testing.assert_frame_equal(expected[rows], found[rows], rtol=tolerance, atol=1e-14)


def test_counts_of_a_preparation_are_of_all_pieces(
    tmp_path: Path, clouds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jets = read_clouds(clouds)
    jets.points[[3, 590], 0, 0] *= -1
    # Two jets without particles are no copies of each other; two equal ones in different pieces are.
    for row in (5, 400):
        jets.points[row], jets.mask[row] = 0, False
    jets.points[599], jets.mask[599], jets.features[599] = jets.points[1], jets.mask[1], jets.features[1]
    write_clouds(clouds, jets)
    small_pieces(monkeypatch)
    with pytest.raises(InputError, match=r"clouds\.h5: column 'pt_rel': 2 of \d+ values are negative"):
        prepare(clouds, PreparationSettings(), 3, tmp_path / "out.h5")
    prepare(clouds, PreparationSettings(pt_scale="linear"), 3, tmp_path / "out.h5")
    meta = read_clouds(tmp_path / "out.h5").meta
    assert [meta[name] for name in ("negative_momenta", "without_particles", "identical_clouds")] == [2, 2, 1]
    assert "2 of 600 jets have no momentum" in capsys.readouterr().err


def test_parts_of_a_file_are_those_in_memory(tmp_path: Path, clouds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(clouds, PreparationSettings(), 3, tmp_path / "prepared.h5")
    whole = read_clouds(tmp_path / "prepared.h5")
    features = JetFeatures.of_part(whole, "test", "here")
    small_pieces(monkeypatch)
    with open_clouds(tmp_path / "prepared.h5") as file:
        part = file.part("test")
        np.testing.assert_array_equal(part[np.array([5, 0, 5, 70])].points, whole.part("test")[[5, 0, 5, 70]].points)
        seen = np.concatenate([positions for positions, _ in part.pieces()])
        points = np.concatenate([piece.points for _, piece in part.pieces()])
        np.testing.assert_array_equal(np.sort(seen), np.arange(len(part)))
        np.testing.assert_array_equal(points[np.argsort(seen)], whole.part("test").points)
        for mine, its in zip(halved(part), halves(whole.part("test")), strict=True):
            np.testing.assert_array_equal(part[mine].points, its.points)
        found = JetFeatures.of_part(file, "test", "here")
        assert part.select(slice(0))[:].points.shape == (0, 8, 3)
    for name, values in features.columns.items():
        np.testing.assert_array_equal(values, found.columns[name])


def test_what_is_damaged_in_any_piece_is_refused(tmp_path: Path, clouds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jets = read_clouds(clouds)
    jets.points[580, 0, 1] = np.inf
    write_clouds(clouds, jets)
    small_pieces(monkeypatch)
    for step in (
        lambda: prepare(clouds, PreparationSettings(), 3, tmp_path / "out.h5"),
        lambda: observe.observe_file(clouds, tmp_path / "out.h5"),
    ):
        with pytest.raises(InputError, match=r"clouds\.h5: dataset 'points' holds values that are not finite"):
            step()
        assert not (tmp_path / "out.h5").exists()


# Entries in their order.


def samples(rng: np.random.Generator, weighted: bool) -> Iterator[Sample]:
    """Yield values with many ties, several for each jet."""
    for jets in (150, 90):
        values = np.where(rng.random(3 * jets) < 0.3, 0.5, rng.integers(0, 40, 3 * jets) / 40)
        weights = rng.random(jets) if weighted else None
        yield Sample(values, np.repeat(np.arange(jets), 3), jets, weights)


@pytest.mark.parametrize("of_range", [30, 200])
def test_ranges_hold_all_entries_in_their_order(rng: np.random.Generator, of_range: int) -> None:
    sides = list(samples(rng, False))
    with OrderedEntries(sides) as at_once, OrderedEntries(sides, 10, of_range) as ordered:
        [whole], ranges = list(at_once), list(ordered)
    assert len(ranges) > 2
    for part in ("values", "jets"):
        np.testing.assert_array_equal(getattr(whole, part), np.concatenate([getattr(of, part) for of in ranges]))
    assert all(before.values[-1] < after.values[0] for before, after in pairwise(ranges))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bins", [3, 20, 60])
def test_edges_of_ranges_are_those_of_all_entries(rng: np.random.Generator, weighted: bool, bins: int) -> None:
    sides = list(samples(rng, weighted))
    expected = bin_edges(sides[0].values, bins, sides[0].entry_weights)
    with OrderedEntries(sides, 10, 50) as ordered:
        np.testing.assert_array_equal(edges_of_truth(ordered, sides[0], bins), expected)


def test_no_room_for_ranges_is_one_line(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(StorageError, match=r"no room for 720 entries of a feature.*TMPDIR names another folder"):
        OrderedEntries(list(samples(rng, False)), 10, 50)


def test_the_search_for_copies_looks_at_so_many(tmp_path: Path, clouds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(clouds, PreparationSettings(), 3, tmp_path / "prepared.h5")
    jets = read_clouds(tmp_path / "prepared.h5")
    train, test = jets.part("train"), jets.part("test")
    monkeypatch.setattr(memorisation, "MOST_TRAINING", 100)
    # Of copies of all training jets those of the first hundred are found.
    found = memorisation.memorisation(train, test, train)["duplicates"][0]
    assert found.value == pytest.approx(100 / len(train))


# Many files.


def test_groups_of_files_are_at_most_so_many_jobs() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())

    def groups(shards: int, of_job: int = 50) -> list[list[str]]:
        changed = {"processes": {"top": {"shards": shards}}, "datasets": {"top": {"files_per_job": of_job}}}
        sources = plan({**config, **changed}, REPOSITORY).sources
        made = sources.groups("top")
        assert sorted(path for group in made for path in group) == sorted(sources.files("top"))
        return made

    assert [len(group) for group in groups(50)] == [50]
    assert [len(group) for group in groups(51)] == [25, 26]
    assert {len(group) for group in groups(100, 1)} == {1}
    assert {len(group) for group in groups(10_000)} == {50}
    assert len(groups(20_000)) == 200


def test_jobs_of_groups_have_the_files_of_the_group() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    made = plan({**config, "processes": {"top": {"shards": 120}}}, REPOSITORY)
    assert made.clouds.grouped() == ["top"]
    assert "top" not in made.clouds.ingested()
    parts = made.clouds.parts(SimpleNamespace(dataset="top"))
    assert parts == [f"{made.paths.results}/clouds/top_{number}-of-3.h5" for number in (1, 2, 3)]
    assert set(parts) <= set(made.sources.made())
    files = [made.clouds.group_files(SimpleNamespace(dataset="top", group=f"{i}-of-3")) for i in (1, 2, 3)]
    assert [path for group in files for path in group] == [
        str(path) for path in sorted(map(Path, made.sources.files("top")))
    ]
    assert made.clouds.group_files(SimpleNamespace(dataset="top", group="1-of-2")) == []


def test_a_long_list_of_files_comes_through_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One argument of a command has 128 kB at most."""
    file = tmp_path / "a.root"
    file.write_bytes(b"content")
    given = json.dumps({"files": [{"file": str(file), "source": "x" * 200_000}]})
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert main(["data-table", "--files", "-", "--output", str(tmp_path / "data.csv")]) == 0
    assert str(file) in (tmp_path / "data.csv").read_text()
