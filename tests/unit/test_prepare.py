"""The preparation of jets with particles of no momentum, of jets with no particle: the same for each seed, counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prepared_jets import raw_jets
from root_files import random_towers, write_delphes

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.metrics.cloud_comparison import compare_clouds
from cloudchamber.metrics.comparison import compare
from cloudchamber.metrics.posterior_step import log_posterior
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.preparation.prepare import prepare
from cloudchamber.preparation.splits import PARTS, read_split, write_split
from cloudchamber.settings.base import parse
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.settings.metrics import LogPosteriorSettings, MetricSettings

JETS = 120


@pytest.fixture
def jets(rng: np.random.Generator) -> Clouds:
    return raw_jets(JETS, 6, rng)


def sizes(clouds: Clouds) -> str:
    return f"prepare: jets of each part: {', '.join(f'{len(clouds.indices[name])} {name}' for name in PARTS)}\n"


def run(folder: Path, clouds: Clouds, seed: int = 1, **settings: object) -> Clouds:
    write_clouds(folder / "clouds.h5", clouds)
    parsed = parse(PreparationSettings, settings)
    prepare(folder / "clouds.h5", parsed, seed, folder / "prepared.h5", folder / "split.h5")
    return read_clouds(folder / "prepared.h5")


def with_momenta(clouds: Clouds, row: int, momenta: list[float]) -> Clouds:
    """Return the clouds with other momenta of the first particles of one jet."""
    points = clouds.points.copy()
    points[row, : len(momenta), 0] = momenta
    return replace(clouds, points=points)


def emptied(clouds: Clouds, rows: list[int]) -> Clouds:
    """Return the clouds without the particles of some jets, as their features are then."""
    mask, points, features = clouds.mask.copy(), clouds.points.copy(), clouds.features.copy()
    mask[rows], points[rows], features[rows] = False, 0.0, 0.0
    return replace(clouds, mask=mask, points=points, features=features)


@pytest.mark.parametrize("seed", range(8))
def test_a_particle_without_momentum_is_a_value_of_the_root(seed: int, jets: Clouds, tmp_path: Path) -> None:
    made = run(tmp_path, with_momenta(jets, 7, [3.0, 0.0]), seed)
    assert made.point("pt_rel")[7, 1] == 0.0
    assert made.meta["without_particles"] == 0
    assert sum(len(made.indices[name]) for name in PARTS) == JETS


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("scale", "momenta", "reason"),
    [("log", [0.0, 0.0], "2 of {n} values are not positive"), ("sqrt", [-1.0, 3.0], "1 of {n} values are negative")],
)
def test_what_a_scale_does_not_have_is_refused_in_each_part(
    scale: str, momenta: list[float], reason: str, seed: int, jets: Clouds, tmp_path: Path
) -> None:
    expected = reason.format(n=int(jets.mask.sum()))
    with pytest.raises(InputError, match=rf"clouds\.h5: column 'pt_rel': {expected}, outside of the {scale} scale$"):
        run(tmp_path, with_momenta(jets, 7, momenta), seed, pt_scale=scale)
    assert not (tmp_path / "prepared.h5").exists()
    assert not (tmp_path / "split.h5").exists()


def test_negative_momenta_on_a_linear_scale_are_counted(
    jets: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = run(tmp_path, with_momenta(jets, 7, [-1.0, 3.0]), pt_scale="linear")
    assert made.meta["negative_momenta"] == 1
    assert f"prepare: 1 of {int(jets.mask.sum())} particles have a negative pt_rel" in capsys.readouterr().err


def _own_jets(rng: np.random.Generator) -> dict[str, np.ndarray]:
    share = rng.exponential(1, (JETS, 20))
    return {
        "pt_rel": share / share.sum(axis=1, keepdims=True),
        "eta_rel": rng.normal(0, 0.2, (JETS, 20)),
        "phi_rel": rng.normal(0, 0.2, (JETS, 20)),
        "jet_pt": rng.uniform(500, 600, JETS),
        "jet_mass": rng.uniform(50, 150, JETS),
    }


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize(
    ("column", "factor", "shift", "said"),
    [
        ("pt_rel", 1, 0, None),
        ("pt_rel", 500, 0, "particles: pt_rel of a jet adds up to .* .median.: expected units of the pT of the jet"),
        ("eta_rel", 1, 1, r"particles: the particles of a jet lie .* from its axis in eta_rel .median."),
        ("jet_pt", 1000, 0, "feature 'jet_pt' is 5.* .median.: expected the pT in GeV"),
        ("jet_mass", 1000, 0, "feature 'jet_mass' is .* times the mass of the particles .median."),
        ("jet_mass", 0, 0, "feature 'jet_mass' is not positive for .* of .* jets whose particles have a mass"),
        ("jet_mass", 0, -999, "feature 'jet_mass' is not positive for .* of .* jets whose particles have a mass"),
        ("phi_rel", 180 / np.pi, 0, "phi.* of .* particles is beyond a turn: expected rad"),
    ],
)
def test_own_arrays_in_other_coordinates_or_units_are_refused(
    column: str, factor: float, shift: float, said: str | None, absolute: bool, rng: np.random.Generator, tmp_path: Path
) -> None:
    """Nothing has looked at them when they were read. Of absolute coordinates all is in the same unit."""
    jets = _own_jets(rng)
    jets[column] = factor * jets[column] + shift
    axis = {"jet_eta": np.full(JETS, 1.2), "jet_phi": np.full(JETS, 2.8 * (factor if column == "phi_rel" else 1))}
    points = [jets[name] for name in ("eta_rel", "phi_rel", "pt_rel")]
    columns: tuple[Column, ...] = RELATIVE_COLUMNS
    if absolute:
        points = [points[0] + 1.2, points[1] + axis["jet_phi"][:, None], points[2] * jets["jet_pt"][:, None]]
        columns = (Column("eta"), Column("phi", "rad"), Column("pt", "GeV"))
    features = {"jet_pt": jets["jet_pt"], "jet_mass": jets["jet_mass"], **axis}
    stacked = np.stack(points, axis=2)
    clouds = Clouds(
        stacked.astype(np.float32),
        np.ones((JETS, 20), bool),
        np.stack(list(features.values()), axis=1).astype(np.float32),
        np.zeros((JETS, 0), np.int64),
        columns,
        tuple(Column(name) for name in features),
    )
    if said is None:
        assert len(run(tmp_path, clouds)) == JETS
        return
    if column == "phi_rel" and not absolute:
        said = "phi_rel of .* particles is beyond a turn"
    with pytest.raises(InputError, match=rf"clouds\.h5: {said}"):
        run(tmp_path, clouds)
    assert not (tmp_path / "prepared.h5").exists()


@pytest.mark.parametrize("labels", [{}, {"event": 1}, {"file": 0, "event": 1}])
def test_own_jets_are_split_by_their_events(labels: dict[str, int], jets: Clouds, tmp_path: Path) -> None:
    """As clouds of arrays have them: with the label event, with or without that of a file, or with none."""
    events = np.stack([np.zeros(JETS), np.arange(JETS) // 3], axis=1).astype(np.int64)
    columns = tuple(Column(name) for name in labels)
    made = run(tmp_path, replace(jets, labels=events[:, list(labels.values())], label_columns=columns))
    parts = [{row // 3 for row in made.indices[name]} for name in PARTS]
    shared = parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert bool(shared) == (not labels)


def test_jets_of_several_classes_are_said_to_be_one_sample(
    jets: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a file that holds signal and background, where a generator is to be trained."""
    for classes, said in (([7], False), ([7, 3], True)):
        labels = np.column_stack([jets.labels, np.resize(classes, JETS)])
        run(tmp_path, replace(jets, labels=labels, label_columns=(*jets.label_columns, Column("class"))))
        line = "prepare: the jets of 2 classes are one sample: 60 of 3, 60 of 7 (label 'class')"
        assert (line in capsys.readouterr().err) == said


def test_weights_of_another_name_of_own_arrays_are_said(
    jets: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights of the name that is known are refused where nobody says what becomes of them."""
    weights = np.linspace(0.5, 2, JETS, dtype=np.float32)
    for name in ("n_constituents_cut", "weight", "mc_weight"):
        features = np.column_stack([jets.features, weights])
        run(tmp_path, replace(jets, features=features, feature_columns=(*jets.feature_columns, Column(name))))
        line = f"prepare: WARNING: feature '{name}' is not taken for weights of events"
        assert (line in capsys.readouterr().err) == name.endswith("weight")


@pytest.mark.parametrize("seed", range(4))
def test_jets_without_particles_keep_their_rows_and_are_in_no_part(
    seed: int, jets: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run(tmp_path, jets, seed)
    capsys.readouterr()
    made = run(tmp_path, emptied(jets, [3, 50]), seed)
    expected = f"prepare: 2 of {JETS} jets have no momentum in their particles and are in no part\n"
    said = capsys.readouterr().err.splitlines(keepends=True)
    assert "".join(line for line in said if line.startswith("prepare: ")) == sizes(made) + expected
    assert made.meta["without_particles"] == 2
    assert len(made) == JETS
    # The others are split as they would be without them.
    for name in PARTS:
        expected = whole.indices[name][~np.isin(whole.indices[name], [3, 50])]
        np.testing.assert_array_equal(made.indices[name], expected)
        np.testing.assert_array_equal(read_split(tmp_path / "split.h5", JETS)[name], expected)
    assert all(np.isfinite(values).all() for values in observe(made).values())


def test_a_jet_whose_particles_have_no_momentum_is_one_without_particles(jets: Clouds, tmp_path: Path) -> None:
    made = run(tmp_path, with_momenta(jets, 7, [0.0] * 6))
    assert made.meta["without_particles"] == 1
    assert not any((made.indices[name] == 7).any() for name in PARTS)


def test_a_jet_whose_particles_add_up_to_nothing_is_one_without_particles(jets: Clouds, tmp_path: Path) -> None:
    back_to_back = with_momenta(jets, 7, [5.0, 5.0])
    back_to_back.points[7, :2, 2] = [1.0, 1.0 - np.pi]
    back_to_back.points[7, 2:] = 0.0
    back_to_back.mask[7, 2:] = False
    made = run(tmp_path, back_to_back)
    assert made.meta["without_particles"] == 1
    assert not any((made.indices[name] == 7).any() for name in PARTS)


def test_towers_without_energy_are_no_constituents(tmp_path: Path, rng: np.random.Generator) -> None:
    """Two events have no other towers, all others some of these; jets of the file that are made of them are none."""
    towers = random_towers(rng, JETS, 20)
    zeros = 0
    for event, values in enumerate(towers["ET"]):
        chosen = slice(None) if event in (3, 50) else slice(0, len(values) // 4)
        zeros += len(values[chosen])
        towers["ET"][event] = np.where(np.isin(np.arange(len(values)), np.arange(len(values))[chosen]), 0.0, values)
    towers["ET"] = [list(map(float, values)) for values in towers["ET"]]
    path = write_delphes(tmp_path / "zero.root", {"Tower": towers})
    settings = {"clouds": {"kind": "events"}, "max_particles": 20}
    ingest([path], parse(IngestionSettings, settings), tmp_path / "events.h5")
    events = read_clouds(tmp_path / "events.h5")
    assert len(events) == JETS - 2
    assert (events.point("pt")[events.mask] > 0).all()
    assert events.meta["events"]["without_constituents"] == 2
    assert events.meta["constituents"]["without_direction"] == zeros


def test_a_list_of_rows_may_name_jets_without_particles(jets: Clouds, tmp_path: Path) -> None:
    rows = {"train": np.arange(60), "validation": np.arange(60, 80), "test": np.arange(80, JETS)}
    some, part = emptied(jets, [0, 70]), emptied(jets, list(range(60, 80)))
    write_split(tmp_path / "own.h5", rows, some.feature("jet_pt"))
    made = run(tmp_path, some, split={"indices": str(tmp_path / "own.h5")})
    assert [len(made.indices[name]) for name in PARTS] == [59, 19, 40]
    write_split(tmp_path / "own.h5", rows, part.feature("jet_pt"))
    with pytest.raises(InputError, match=r"none of the 20 jets of the validation part has a particle"):
        run(tmp_path, part, split={"indices": str(tmp_path / "own.h5")})


def test_a_split_of_other_jets_as_many_is_refused(jets: Clouds, rng: np.random.Generator, tmp_path: Path) -> None:
    """Also where they are the same in another order, which a list of rows does not say."""
    made = run(tmp_path, jets)
    split = {"indices": str((tmp_path / "split.h5").rename(tmp_path / "own.h5"))}
    # Their sum rounded elsewhere, and cut to fewer particles.
    features = jets.features.copy()
    features[:, 0] *= np.float32(1 - 1e-6)
    again = run(
        tmp_path, replace(jets, features=features, points=jets.points[:, :5], mask=jets.mask[:, :5]), split=split
    )
    assert all(np.array_equal(again.indices[name], made.indices[name]) for name in PARTS)
    (tmp_path / "prepared.h5").unlink()
    for other in (raw_jets(JETS, 6, np.random.default_rng(77)), jets[np.r_[2:JETS, 0:2]]):
        with pytest.raises(
            InputError, match=rf"own\.h5: is for other clouds: the jet pT of 1\d\d of {JETS} differs, as"
        ):
            run(tmp_path, other, split=split)
        assert not (tmp_path / "prepared.h5").exists()


def test_a_jet_with_particles_and_no_momentum_of_its_own_is_refused(jets: Clouds, tmp_path: Path) -> None:
    features = jets.features.copy()
    features[[4, 9], 0] = 0.0
    with pytest.raises(InputError, match=rf"clouds\.h5: 2 of {JETS} jets have a transverse momentum that is not pos"):
        run(tmp_path, replace(jets, features=features))


@pytest.mark.parametrize(
    ("train", "validation", "reason"),
    [(9, 11, "the train part has 9 of 120 jets, 10"), (90, 11, "the test part has 19 of 120 jets, 20")],
)
def test_parts_that_are_too_small_for_what_comes_are_refused_before_it(
    train: int, validation: int, reason: str, jets: Clouds, tmp_path: Path
) -> None:
    parts = np.split(np.arange(JETS), [train, train + validation])
    write_split(tmp_path / "own.h5", dict(zip(PARTS, parts, strict=True)), jets.feature("jet_pt"))
    own = replace(jets, labels=np.stack([np.zeros(JETS, np.int64), np.arange(JETS)], axis=1))
    with pytest.raises(InputError, match=rf"clouds\.h5: {reason} or more are needed$"):
        run(tmp_path, own, split={"indices": str(tmp_path / "own.h5")})
    assert not (tmp_path / "prepared.h5").exists()


def test_the_smallest_sample_that_is_prepared_can_be_compared(rng: np.random.Generator, tmp_path: Path) -> None:
    """The numbers that the preparation asks for are those that metrics and their trainings ask for."""
    own = raw_jets(31, 6, rng)
    own = replace(own, labels=np.stack([np.zeros(31, np.int64), np.arange(31)], axis=1))
    parts = {"train": np.arange(10), "validation": np.arange(10, 11), "test": np.arange(11, 31)}
    write_split(tmp_path / "own.h5", parts, own.feature("jet_pt"))
    made = run(tmp_path, own, split={"indices": str(tmp_path / "own.h5")})
    test, train = made.part("test"), made.part("train")
    tables = [observe(clouds) for clouds in (test, train)]
    settings = MetricSettings()
    found = compare(test, tables[0], train, tables[1], train, tables[1], settings, rng)
    found = pd.concat([found, compare_clouds(test, train, train, settings, rng)])
    assert np.isfinite(found[["value", "uncertainty", "floor", "floor_uncertainty"]]).all(axis=None)
    write_clouds(tmp_path / "sample.h5", train)
    training = {"steps": 2, "batch_size": 256, "accelerator": "cpu"}
    network = {"neighbours": 3, "blocks": [[8, 8]], "fusion": 16, "dense": 16}
    posterior = parse(LogPosteriorSettings, {"training": training, "network": network, "jets_per_class": 2200})
    outputs = [tmp_path / f"{name}.csv" for name in ("posterior", "history", "confusion")]
    classes = {"model": tmp_path / "sample.h5"}
    log_posterior(tmp_path / "prepared.h5", classes, posterior, 1, tmp_path / "state", *outputs)
    table = pd.read_csv(outputs[0])
    assert np.isfinite(table[["value", "uncertainty"]]).all(axis=None)
