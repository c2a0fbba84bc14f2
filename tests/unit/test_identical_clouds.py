"""Events that are there twice: counted, said, and never on both sides of a split."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from prepared_jets import prepared_jets, raw_jets
from root_files import one_jet, random_towers, write_delphes
from tagging_files import MASS, PT, ingested_jets

from cloudchamber.cli import main
from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.memorisation import memorisation
from cloudchamber.preparation.identical import fingerprints, joined, repeats
from cloudchamber.preparation.prepared_jets import prepared
from cloudchamber.preparation.splits import PARTS, halves
from cloudchamber.readers.jetnet import write_jetnet
from cloudchamber.settings.data import PreparationSettings, SplitSettings

INGESTION = {
    "clouds": {"kind": "reclustered", "pt_window": [200, 1e6], "jets_per_event": 2},
    "max_particles": 20,
}


def two_jets(rng: np.random.Generator, events: int) -> dict[str, list[list[float]]]:
    """Towers of two jets back to back in each event."""
    counts = rng.integers(5, 9, (events, 2))
    angles = [(rng.normal(0, 0.1, (2, n)), phi) for row in counts for n, phi in zip(row, (0.0, 3.0), strict=True)]
    pairs = list(zip(angles[::2], angles[1::2], strict=True))
    return {
        "ET": [rng.uniform(60, 100, row.sum()).tolist() for row in counts],
        "Eta": [[*first[0][0], *second[0][0]] for first, second in pairs],
        "Phi": [[*(first[0][1] + first[1]), *(second[0][1] + second[1])] for first, second in pairs],
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_jets_that_are_calibrated_anew_are_the_same_jets(folder: Path, rng: np.random.Generator) -> None:
    """As files of one sample whose jets have another energy scale: constituents are the same, the stored pT is not."""
    settings = json.dumps({"clouds": {"kind": "stored"}, "max_particles": 80})
    towers = random_towers(rng, 40)
    jets = one_jet(towers)
    towers["JetIndex"] = [[0] * len(of_event) for of_event in towers["ET"]]
    scaled = {**jets, "PT": [[1.05 * pt for pt in of_event] for of_event in jets["PT"]]}
    for name, of_file in (("a", jets), ("b", scaled)):
        write_delphes(folder / f"{name}.root", {"Tower": towers, "Jet": of_file})
    assert main(["ingest", "a.root", "b.root", "--settings", settings, "--output", "clouds.h5"]) == 0
    clouds = read_clouds("clouds.h5")
    assert clouds.meta["identical_clouds"] == len(clouds) // 2
    assert len(clouds) > 70
    assert main(["prepare", "clouds.h5", "--settings", "{}", "--seed", "1", "--output", "prepared.h5"]) == 0
    found = read_clouds("prepared.h5")
    events = {name: set(clouds.label("event")[rows].tolist()) for name, rows in found.indices.items()}
    assert not events["train"] & events["test"]


def run(*files: str, **split: Any) -> tuple[Clouds, Clouds]:
    """Ingest and prepare files, and return clouds and prepared clouds."""
    settings = json.dumps(INGESTION)
    assert main(["ingest", *files, "--settings", settings, "--output", "clouds.h5"]) == 0
    command = ["prepare", "clouds.h5", "--settings", json.dumps({"split": split}), "--seed", "1"]
    assert main([*command, "--output", "prepared.h5"]) == 0
    return read_clouds("clouds.h5"), read_clouds("prepared.h5")


def shared_with_training(clouds: Clouds) -> int:
    """Return how many test and validation jets have the bits of a training jet."""
    jets = [row.tobytes() for row in clouds.points]
    trained = {jets[row] for row in clouds.indices["train"]}
    return sum(jets[row] in trained for name in PARTS[1:] for row in clouds.indices[name])


def test_the_same_events_under_another_name(
    folder: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    towers = two_jets(rng, 80)
    write_delphes(folder / "a.root", {"Tower": towers})
    Path("link.root").symlink_to("a.root")
    alone, _ = run("a.root")
    once, _ = run("*.root")
    assert len(once) == len(alone) == 160
    assert once.meta["identical_clouds"] == 0
    assert "identical" not in capsys.readouterr().err
    shutil.copy("a.root", "b.root")
    clouds, made = run("*.root")
    assert len(clouds) == 320
    assert clouds.meta["identical_clouds"] == made.meta["identical_clouds"] == 160
    lines = capsys.readouterr().err
    assert "ingest: " in lines
    assert "WARNING: 160 clouds are identical to an earlier one, the first in a.root and in b.root" in lines
    assert "prepare: WARNING: 160 of 320 jets are identical to an earlier one" in lines
    assert shared_with_training(made) == 0
    assert len(made.indices["train"]) == 160, "half of the different events"


def test_the_same_events_twice_in_one_file_and_in_stored_order(
    folder: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """As hadd leaves them where a file is named twice."""
    towers = two_jets(rng, 40)
    write_delphes(folder / "a.root", {"Tower": {leaf: [*values, *values[:10]] for leaf, values in towers.items()}})
    _, made = run("a.root", order="stored", train=0.5, validation=0.25)
    assert "20 clouds are identical to an earlier one, the first twice in a.root" in capsys.readouterr().err
    assert shared_with_training(made) == 0
    events = {name: sorted({*made.label("event")[made.indices[name]].tolist()}) for name in PARTS}
    assert events["train"] == [*range(20), *range(40, 50)]
    assert events["test"] == [*range(30, 40)]


def test_an_event_with_one_jet_in_common_goes_along(rng: np.random.Generator) -> None:
    """The same event after another selection has only some of its jets; events follow each other in a chain."""
    clouds = raw_jets(200, 6, rng)
    points, mask, features = (values.copy() for values in (clouds.points, clouds.mask, clouds.features))
    for jet, of_other in ((3, 0), (5, 2), (7, 4), (199, 6)):  # of events 1, 2, 3, 99 and 0, 1, 2, 3
        for values in (points, mask, features):
            values[jet] = values[of_other]
    made = prepared(replace(clouds, points=points, mask=mask, features=features), PreparationSettings(), rng)
    parts = {name for name in PARTS for row in made.indices[name] if row in {*range(8), 198, 199}}
    assert len(parts) == 1
    assert made.meta["identical_clouds"] == 4


def test_without_copies_the_split_is_what_it_was(rng: np.random.Generator) -> None:
    """Rows of a split of before copies were looked for."""
    clouds = raw_jets(40, 6, np.random.default_rng(5))
    parts = prepared(clouds, PreparationSettings(), np.random.default_rng(5)).indices
    owner = np.arange(40) // 2
    old = np.random.default_rng(5)
    place = old.permutation(20)[owner]
    expected = [np.flatnonzero(place < 10), np.flatnonzero((place >= 10) & (place < 12)), np.flatnonzero(place >= 12)]
    for name, rows in zip(PARTS, expected, strict=True):
        assert parts[name].tolist() == old.permutation(rows).tolist()


def test_a_file_of_indices_with_a_jet_in_one_part_and_its_copy_in_another(folder: Path) -> None:
    clouds = raw_jets(20, 6, np.random.default_rng(2))
    rows = np.array([*range(20), 4])
    twice = replace(clouds[rows], labels=np.stack([np.zeros(21), np.arange(21)], axis=1).astype("i8"))
    for name, test in (("bad", [18, 20]), ("good", [18, 19])):
        with h5py.File(f"{name}.h5", "w") as file:
            for part, chosen in {"train": [*range(10)], "validation": [10, 11], "test": test}.items():
                file[part] = chosen
    good = PreparationSettings(split=SplitSettings(indices="good.h5"))
    assert prepared(twice, good, np.random.default_rng(1)).indices["test"].tolist() == [18, 19]
    bad = PreparationSettings(split=SplitSettings(indices="bad.h5"))
    with pytest.raises(InputError, match=r"bad\.h5: 1 events have clouds in more than one part .* rows 4 and 20"):
        prepared(twice, bad, np.random.default_rng(1))


def _combine(*files: str) -> int:
    classes = [{"name": f"class{i}", "title": "", "file": file} for i, file in enumerate(files)]
    sample = {"pt_window": PT, "mass_window": MASS, "max_particles": 8, "flat": False, "classes": classes}
    return main(["combine-classes", "--settings", json.dumps(sample), "--seed", "1", "--output", "jets.h5"])


def test_one_jet_in_two_classes(folder: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = ingested_jets(rng, 300), ingested_jets(rng, 300, width=16)
    write_clouds("first.h5", first)
    # The same events in another data set, which keeps fewer or more particles, are the same.
    mixed = replace(
        second,
        points=np.concatenate([second.points, np.pad(first.points, ((0, 0), (0, 4), (0, 0)))]),
        mask=np.concatenate([second.mask, np.pad(first.mask, ((0, 0), (0, 4)))]),
        features=np.concatenate([second.features, first.features]),
        labels=np.concatenate([second.labels, first.labels + 1000]),
    )
    write_clouds("second.h5", mixed)
    assert _combine("first.h5", "second.h5") == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert "second.h5: class 'class1': " in error
    assert "jets are in another class too, as in class 'class0' of first.h5" in error
    assert not Path("jets.h5").exists()
    # Within a class they are counted, and stay together.
    rows = np.array([*range(300), *range(100)])
    labels = np.stack([np.zeros(400), np.arange(400), np.zeros(400)], axis=1).astype("i8")
    write_clouds("second.h5", replace(second[rows], labels=labels))
    assert _combine("first.h5", "second.h5") == 0
    jets = read_clouds("jets.h5")
    assert jets.meta["identical_clouds"] > 20
    assert f"WARNING: {jets.meta['identical_clouds']} of {len(jets)} jets" in capsys.readouterr().err
    assert shared_with_training(jets) == 0


def test_classes_made_from_one_raw_file_share_no_event_between_parts(folder: Path, rng: np.random.Generator) -> None:
    for name in ("events", "others"):
        write_delphes(Path(f"{name}.root"), {"Tower": two_jets(rng, 100)})
    # Soft jets of two files, and the hard jets of one of them.
    for name, files, window in (("soft", ["events", "others"], [200, 500]), ("hard", ["events"], [500, 1e6])):
        settings = json.dumps({**INGESTION, "clouds": {**INGESTION["clouds"], "pt_window": window}})
        paths = [f"{file}.root" for file in files]
        assert main(["ingest", *paths, "--settings", settings, "--output", f"{name}.h5"]) == 0
    classes = [{"name": name, "title": "", "file": f"{name}.h5"} for name in ("hard", "soft")]
    # Windows are the classes here.
    sample = json.dumps({"max_particles": 8, "classes": classes, "mixed_classes": "accept"})
    assert main(["combine-classes", "--settings", sample, "--seed", "1", "--output", "jets.h5"]) == 0
    jets = read_clouds("jets.h5")
    # The hard jets are of the first file, and so of the first one of the soft jets.
    events = np.stack([jets.label("file"), jets.label("event")], axis=1)
    of_part = {name: {*map(tuple, events[rows].tolist())} for name, rows in jets.indices.items()}
    of_class = [{*map(tuple, events[jets.label("class") == position].tolist())} for position in (0, 1)]
    assert len(of_class[0] & of_class[1]) > 30, "events with a jet in each class"
    assert not of_part["train"] & of_part["test"]
    assert not of_part["train"] & of_part["validation"]


def test_halves_share_neither_an_event_nor_a_copy(rng: np.random.Generator) -> None:
    clouds = raw_jets(60, 6, rng)
    order = rng.permutation(60)
    shuffled = clouds[np.concatenate([order, order[:20]])]
    first, second = halves(shuffled)
    assert len(first) + len(second) == 80
    assert 40 <= len(first) <= 46
    events = [{*half.label("event").tolist()} for half in (first, second)]
    assert not events[0] & events[1]
    alone = replace(clouds, labels=np.stack([np.zeros(60), np.arange(60)], axis=1).astype("i8"))
    assert [half.label("event").tolist() for half in halves(alone)] == [[*range(30)], [*range(30, 60)]]
    with pytest.raises(InputError, match="2 clouds of 1 events cannot be halved"):
        halves(clouds[:2])


def test_training_jets_that_are_there_twice_are_no_more_training_jets() -> None:
    """Each counts once among the jets that a generated one may be nearest to."""
    train, test, generated = (prepared_jets(n, 6, seed=n) for n in (120, 60, 80))
    again = train[np.array([*range(120), *range(120)])]
    assert memorisation(again, test, generated) == memorisation(train, test, generated)


def test_fingerprints_are_of_what_a_cloud_holds(rng: np.random.Generator) -> None:
    points = rng.normal(size=(500, 20, 3)).astype("f4")
    points[:, :, 0] = np.abs(points[:, :, 0])
    features = rng.normal(size=(500, 4)).astype("f4")
    content = fingerprints(points, features, 0)
    assert len(np.unique(content)) == 500
    hardest = np.take_along_axis(points, np.argsort(-points[:, :, :1], axis=1), axis=1)
    assert np.array_equal(content, fingerprints(hardest[:, :16], features, 0)), "the hardest are enough"
    assert np.array_equal(content, fingerprints(np.pad(hardest, ((0, 0), (0, 4), (0, 3))), features, 0))
    few = np.where(np.arange(20)[:, None] < 5, points, np.float32(0))
    assert np.array_equal(fingerprints(few, features, 2), fingerprints(few[:, :5], features, 2))
    for changed in ((3, 2, 1), (3, 0, 2)):
        other = points.copy()
        other[changed] = np.nextafter(other[changed], np.float32(9))
        assert np.flatnonzero(fingerprints(other, features, 0) != content).tolist() == [3]
    # Jets of one particle are alike in relative coordinates; their momenta tell them apart.
    one = np.zeros((500, 1, 3), np.float32)
    one[:, 0, 2] = 1
    assert not len(repeats(fingerprints(one, features, 2))[0])
    # Zero has two signs.
    negative = np.where(one == 0, np.float32(-0.0), one)
    assert np.array_equal(fingerprints(one, features, 2), fingerprints(negative, features, 2))


def test_fingerprints_are_of_any_order_of_particles(rng: np.random.Generator) -> None:
    """Also where more particles are there than count, and some are equally hard."""
    features = rng.normal(size=(300, 4)).astype("f4")
    for width in (6, 16, 40):
        for momentum in (0, 2):
            points = rng.normal(size=(300, width, 3)).astype("f4")
            points[:, :, momentum] = rng.integers(0, 12, (300, width))
            shuffled = rng.permuted(np.arange(width * 300).reshape(300, width), axis=1)
            again = points.reshape(-1, 3)[shuffled]
            content = fingerprints(points, features, momentum)
            assert len(np.unique(content)) == 300
            assert np.array_equal(content, fingerprints(again, features, momentum))
            # Two values that change places make another cloud.
            exchanged = points.copy()
            exchanged[:, :2, momentum] = points[:, :2, momentum] = 20
            exchanged[:, [0, 1], 1] = points[:, [1, 0], 1]
            content = fingerprints(points, features, momentum)
            assert not np.intersect1d(content, fingerprints(exchanged, features, momentum)).size


def test_a_copy_with_its_particles_in_another_order(
    folder: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """JetNet files keep the order of their particles, which is that of whoever wrote them."""
    clouds = prepared_jets(60, 20, seed=3)
    write_jetnet("t.hdf5", clouds)
    with h5py.File("t.hdf5", "r+") as file:
        particles, jets = (file[name][()] for name in ("particle_features", "jet_features"))
        other = rng.permuted(np.arange(60 * 20).reshape(60, 20), axis=1)
        again = particles.reshape(-1, 4)[other]
        for name, values in (("particle_features", [particles, again]), ("jet_features", [jets, jets])):
            del file[name]
            file[name] = np.concatenate(values)
    assert main(["from-jetnet", "t.hdf5", "--output", "clouds.h5"]) == 0
    assert main(["prepare", "clouds.h5", "--settings", "{}", "--seed", "1", "--output", "prepared.h5"]) == 0
    assert "prepare: WARNING: 60 of 120 jets are identical to an earlier one" in capsys.readouterr().err
    made = read_clouds("prepared.h5")
    for rows in made.indices.values():
        assert sorted({*(rows % 60).tolist()}) == sorted((rows[rows < 60]).tolist())


def test_copies_with_another_column_beside_their_particles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As two versions of own jets, whose tagger or pile-up weights are newer in one."""
    made = prepared_jets(60, 20, seed=3)
    twice = made[np.array([*range(60), *range(60)])]
    score = np.arange(120, dtype=np.float32)[:, None]
    columns = (*twice.feature_columns, Column("score"))
    scored = replace(twice, features=np.hstack([twice.features, score]), feature_columns=columns, indices={}, meta={})
    write_clouds("clouds.h5", scored)
    assert main(["prepare", "clouds.h5", "--settings", "{}", "--seed", "1", "--output", "prepared.h5"]) == 0
    assert "prepare: WARNING: 60 of 120 jets are identical to an earlier one" in capsys.readouterr().err
    for rows in read_clouds("prepared.h5").indices.values():
        assert sorted({*(rows % 60).tolist()}) == sorted((rows[rows < 60]).tolist())


def test_a_long_chain_is_one_event() -> None:
    """Event i shares a jet with event i + 1."""
    events = np.repeat(np.arange(1000), 2)[:, None]
    content = (np.arange(2000, dtype=np.uint64) + np.uint64(1)) // np.uint64(2)
    assert not joined(events, content).any()
    assert len(np.unique(joined(events, np.arange(2000, dtype=np.uint64)))) == 1000


def test_clouds_without_events_and_features(rng: np.random.Generator) -> None:
    """Jets of the JetNet layout are known by themselves."""
    points = rng.normal(size=(40, 3, 3)).astype("f4")
    twice = np.concatenate([points, points])
    nothing = np.zeros((80, 0))
    columns = tuple(Column(name) for name in ("eta_rel", "phi_rel", "pt_rel"))
    clouds = Clouds(twice, np.ones((80, 3), bool), nothing.astype("f4"), nothing.astype("i8"), columns)
    first, second = halves(clouds)
    assert len(first) == len(second) == 40
    assert np.array_equal(first.points[:20], first.points[20:])
