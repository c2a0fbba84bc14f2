"""What is compared has to come from the same jets: the same files, chosen and split alike."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from prepared_jets import raw_jets, write_prepared_jets

import cloudchamber as cc
from cloudchamber.cloud import EVENT_WEIGHT, Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.compare_jets import compare_jet_features
from cloudchamber.generative.draw_jets import draw_jets
from cloudchamber.generative.sample import sample_marginals, sample_model
from cloudchamber.generative.train import train
from cloudchamber.jets.observe import observe_file
from cloudchamber.metrics.compare import compare_files
from cloudchamber.metrics.posterior_step import log_posterior
from cloudchamber.preparation.origin import ORIGIN, origin_of
from cloudchamber.preparation.prepare import prepare
from cloudchamber.readers.jetnet import convert_from_jetnet, convert_to_jetnet
from cloudchamber.settings.base import parse
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.settings.generators import GeneratorSettings, SamplerSettings
from cloudchamber.settings.metrics import LogPosteriorSettings, MetricSettings

JETS, WIDTH = 200, 6
METRICS = MetricSettings(bins=5, bootstraps=2, energy_mover_jets=4, energy_mover_batches=2)
INGESTION: Mapping[str, Any] = {
    "clouds": {"kind": "reclustered", "radius": 0.8},
    "max_particles": WIDTH,
    "step_size": 8,
}
NETWORK = {"kind": "epic", "layers": 1, "hidden": 8, "latent": 4, "time_features": 4}
TRAINING = {"steps": 2, "batch_size": 16, "warmup_steps": 1, "validate_every": 2, "save_every": 2, "accelerator": "cpu"}


def write_raw(path: Path, file: str = "a", weights: bool = False, **settings: Any) -> Path:
    """Write clouds as the ingestion of a file does: their meta data say of which, and with which settings."""
    clouds = raw_jets(JETS, WIDTH, np.random.default_rng(3))
    if weights:
        values = np.repeat(0.5 + np.random.default_rng(4).random(JETS // 2), 2)[:, None]
        columns = (*clouds.feature_columns, Column(EVENT_WEIGHT))
        features = np.concatenate([clouds.features, values], axis=1, dtype=np.float32)
        clouds = replace(clouds, features=features, feature_columns=columns)
    made = {"step": "ingest", "settings": {**INGESTION, **settings}, "inputs": {"/data/x.root": file}, "seed": None}
    write_clouds(path, replace(clouds, meta={"provenance": made}))
    return path


def write_prepared(
    folder: Path, name: str, raw: Mapping[str, Any] | None = None, seed: int = 1, **settings: Any
) -> Path:
    """Write prepared jets and their observables."""
    path = folder / f"{name}.h5"
    prepare(write_raw(folder / f"{name}_raw.h5", **(raw or {})), parse(PreparationSettings, settings), seed, path)
    observe_file(path, folder / f"{name}_observables.h5")
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Jets of the baseline, drawn from the prepared jets own.h5."""
    own = write_prepared(tmp_path, "own")
    draw_jets(own, None, 60, 1, tmp_path / "jets.h5")
    sample_marginals(own, tmp_path / "jets.h5", 1, tmp_path / "sample.h5")
    observe_file(tmp_path / "sample.h5", tmp_path / "sample_observables.h5")
    return tmp_path / "sample.h5"


def compared(truth: Path, sample: Path) -> None:
    of = [path.with_name(f"{path.stem}{end}.h5") for path in (truth, sample) for end in ("", "_observables")]
    compare_files(*of, METRICS, 1, sample.with_name("table.csv"))


DIFFERENT = [
    ({"raw": {"file": "b"}}, "jets of other files than those of"),
    ({"raw": {"max_particles": 9}}, "jets made with other settings than those of .*: max_particles is 6, and not 9"),
    ({"raw": {"clouds": {"kind": "reclustered", "radius": 0.4}}}, "clouds.radius is 0.8, and not 0.4"),
    ({"seed": 2}, "jets split otherwise than those of .*: seed is 1, and not 2"),
    ({"split": {"train": 0.3}}, "jets split otherwise than those of .*: train is 0.5, and not 0.3"),
]


@pytest.mark.parametrize(("change", "said"), DIFFERENT)
def test_truth_of_other_jets_is_refused(change: dict[str, Any], said: str, sample: Path, tmp_path: Path) -> None:
    other = write_prepared(tmp_path, "other", **change)
    with pytest.raises(InputError, match=rf"sample\.h5: is of a model of .*{said}"):
        compared(other, sample)
    with pytest.raises(InputError, match=rf"jets\.h5: was drawn from .*{said}"):
        compare_jet_features(other, tmp_path / "jets.h5", METRICS, 1, tmp_path / "table.csv")
    outputs = [tmp_path / name for name in ("state", "posterior.csv", "history.csv", "confusion.csv")]
    with pytest.raises(InputError, match=rf"sample\.h5: is of a model of .*{said}"):
        log_posterior(other, {"model": sample}, LogPosteriorSettings.model_construct(), 1, *outputs)
    assert not (tmp_path / "table.csv").exists()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_jets_prepared_otherwise_are_compared(
    weighted: bool, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As truth that keeps its event weights, which no training takes."""
    raw = {"weights": weighted, "step_size": 100}
    truth = write_prepared(tmp_path, "truth", raw, pt_scale="linear", event_weights="keep")
    compared(truth, sample)
    assert "nothing says" not in capsys.readouterr().err
    compare_jet_features(tmp_path / "own.h5", tmp_path / "jets.h5", METRICS, 1, tmp_path / "jets.csv")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, None),
        ({"clouds": {"kind": "reclustered", "radius": 0.8, "pile_up": "keep"}}, "clouds.pile_up is keep, and not None"),
        ({"clouds": {"kind": "reclustered", "radius": 0.4}}, "clouds.radius is 0.4, and not 0.8"),
        ({"max_particles": 9}, "max_particles is 9, and not 6"),
        ({"weight_branch": None, "cross_sections": {"/data/x.root": 3.0}}, None),
    ],
)
def test_two_data_sets_whose_jets_were_made_differently_are_said(
    raw: dict[str, Any], said: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As jets of another generator in place of a sample: nothing is refused, since no model was trained."""
    truth = write_prepared(tmp_path, "truth", split={"train": 0.6, "validation": 0.1})
    other = write_prepared(tmp_path, "other", raw={"file": "b", **raw})
    capsys.readouterr()
    with pytest.raises(InputError, match="floor needs"):
        compared(truth, other)
    warnings = [line for line in capsys.readouterr().err.splitlines() if "jets made with other settings" in line]
    assert [line.endswith(f"truth.h5: {said}") for line in warnings] == ([] if said is None else [True])


def test_the_log_posterior_says_how_jets_of_another_data_set_were_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = write_prepared(tmp_path, "truth")
    other = write_prepared(tmp_path, "other", raw={"file": "b", "clouds": {"kind": "reclustered", "radius": 0.4}})
    few = LogPosteriorSettings.model_construct(jets_per_class=10_000)
    outputs = [tmp_path / name for name in ("state", "posterior.csv", "history.csv", "confusion.csv")]
    with pytest.raises(InputError, match="10 or more are needed"):
        log_posterior(truth, {"other": other, "few": _few_jets(other)}, few, 1, *outputs)
    said = f"log-posterior: WARNING: {other}: jets made with other settings than those of {truth}: clouds.radius is 0.4"
    assert said in capsys.readouterr().err


def _few_jets(path: Path) -> Path:
    """Write too few jets for the classifier, so that none is trained."""
    write_clouds(path.with_name("few.h5"), read_clouds(path)[:5])
    return path.with_name("few.h5")


def test_parts_of_a_file_of_rows_are_told_by_what_is_in_it(sample: Path, tmp_path: Path) -> None:
    rows = np.arange(JETS)
    parts = {"train": rows[:100], "validation": rows[100:120], "test": rows[120:]}
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        for name, chosen in parts.items():
            file[name] = chosen
    split = {"indices": str(tmp_path / "rows.h5")}
    first, second = (write_prepared(tmp_path, f"split_{seed}", seed=seed, split=split) for seed in (1, 2))
    assert origin_of(read_clouds(first).meta) == origin_of(read_clouds(second).meta)
    with pytest.raises(InputError, match="split otherwise"):
        compared(first, sample)


def test_a_sample_that_says_nothing_is_compared_and_its_numbers_of_particles_are_checked(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert_to_jetnet(sample, tmp_path / "foreign.hdf5")
    for most in (None, 4):
        convert_from_jetnet(tmp_path / "foreign.hdf5", most, tmp_path / "foreign.h5")
        observe_file(tmp_path / "foreign.h5", tmp_path / "foreign_observables.h5")
        if most is None:
            compared(tmp_path / "own.h5", tmp_path / "foreign.h5")
            assert "compare: nothing says whether the model of" in capsys.readouterr().err
        else:
            with pytest.raises(InputError, match=r"own\.h5: has jets of 6 particles, .*foreign\.h5 keeps 4 at most"):
                compared(tmp_path / "own.h5", tmp_path / "foreign.h5")


def test_a_sample_that_was_cut_is_said_however_many_slots_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the 12 hardest particles of another program, in an array as wide as that of the truth."""
    truth = write_prepared_jets(tmp_path / "truth.h5", 200, 30, 3)
    own, whole = (read_clouds(path) for path in (truth, write_prepared_jets(tmp_path / "other.h5", 200, 30, 4)))
    assert own.part("test").multiplicity.max() > 20
    cut = replace(whole, mask=whole.mask & (np.arange(30) < 12))
    cut = replace(cut, points=np.where(cut.mask[..., None], cut.points, 0))
    observe_file(truth, tmp_path / "truth_observables.h5")
    for name, jets in (("whole", whole), ("cut", cut)):
        path = tmp_path / f"{name}.h5"
        bare = replace(jets, labels=np.zeros((len(jets), 0), np.int64), label_columns=(), meta={}, indices={})
        write_clouds(path, bare[:100])
        observe_file(path, tmp_path / f"{name}_observables.h5")
        compared(truth, path)
        of_compare = capsys.readouterr().err
        few = LogPosteriorSettings.model_construct(jets_per_class=10_000)
        outputs = [tmp_path / end for end in ("state", "posterior.csv", "history.csv", "confusion.csv")]
        with pytest.raises(InputError, match="10 or more are needed"):
            log_posterior(truth, {"a": path, "few": _few_jets(path)}, few, 1, *outputs)
        for step, said in (("compare", of_compare), ("log-posterior", capsys.readouterr().err)):
            expected = rf"{step}: WARNING: \d\d of 100 jets of .*cut\.h5 have 12 particles and none has more"
            assert bool(re.search(expected, said)) == (name == "cut")
            assert ("were cut to" in said) == (name == "cut")


def test_jets_are_drawn_from_what_a_model_was_trained_on(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = parse(
        GeneratorSettings, {"network": NETWORK, "objective": {"kind": "flow_matching"}, "training": TRAINING}
    )
    sampler = SamplerSettings(solver="euler", evaluations=2)
    model = tmp_path / "weights.safetensors", tmp_path / "model.json"
    train(tmp_path / "own.h5", settings, 1, tmp_path / "state", *model, tmp_path / "history.csv")
    sample_model(*model, tmp_path / "jets.h5", sampler, 1, tmp_path / "drawn.h5")
    own: Clouds = read_clouds(tmp_path / "own.h5")
    assert read_clouds(tmp_path / "drawn.h5").meta[ORIGIN] == origin_of(own.meta)
    draw_jets(write_prepared(tmp_path, "other", seed=2), None, 60, 1, tmp_path / "others.h5")
    capsys.readouterr()
    # Other jets can be asked for, and the answer is compared with the truth of neither.
    for draw in (
        lambda mixed: sample_model(*model, tmp_path / "others.h5", sampler, 1, mixed),
        lambda mixed: sample_marginals(tmp_path / "own.h5", tmp_path / "others.h5", 1, mixed),
    ):
        draw(tmp_path / "mixed.h5")
        assert "others.h5: was made from other jets than" in capsys.readouterr().err
        observe_file(tmp_path / "mixed.h5", tmp_path / "mixed_observables.h5")
        for truth in ("own", "other"):
            with pytest.raises(InputError, match=r"mixed\.h5: is of a model of jets of other files than"):
                compared(tmp_path / f"{truth}.h5", tmp_path / "mixed.h5")


def test_truth_in_place_of_a_sample_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also after the particles were written in another order."""
    truth, other = (write_prepared_jets(tmp_path / f"{name}.h5", 200, 12, seed) for name, seed in (("a", 3), ("b", 4)))
    for name, source, part in (("same", truth, "test"), ("others", other, "test"), ("trained", truth, "train")):
        jets = read_clouds(source).part(part)
        reverse = np.argsort(np.where(jets.mask, -np.arange(jets.width), 1), axis=1)
        jets = replace(jets, points=np.take_along_axis(jets.points, reverse[:, :, None], axis=1))
        sample = tmp_path / f"{name}.h5"
        write_clouds(sample, replace(jets, labels=np.zeros((len(jets), 0), np.int64), label_columns=(), meta={}))
        for path in (truth, sample):
            observe_file(path, path.with_suffix(".observables.h5"))
        files = [file for path in (truth, sample) for file in (path, path.with_suffix(".observables.h5"))]
        compare_files(*files, METRICS, 1, tmp_path / "table.csv")
        said = capsys.readouterr().err
        assert (f"80 of 80 jets of {sample} are jets of the test part" in said) == (name == "same")
        assert ("are jets of the test part" in said) == (name == "same")


def test_a_sample_whose_jets_are_there_twice_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As two files of one seed of another program."""
    truth, other = (write_prepared_jets(tmp_path / f"{name}.h5", 200, 12, seed) for name, seed in (("a", 3), ("b", 4)))
    jets = read_clouds(other).part("test")
    observe_file(truth, tmp_path / "a.observables.h5")
    for times in (1, 2):
        sample = tmp_path / f"sample{times}.h5"
        rows = np.tile(np.arange(40), times)
        repeated = replace(jets[rows], labels=np.zeros((len(rows), 0), np.int64), label_columns=(), meta={})
        write_clouds(sample, repeated)
        observe_file(sample, tmp_path / "observables.h5")
        capsys.readouterr()
        files = (truth, tmp_path / "a.observables.h5", sample, tmp_path / "observables.h5")
        compare_files(*files, METRICS, 1, tmp_path / "table.csv")
        said = f"compare: WARNING: 40 of 80 jets of {sample} are earlier ones of it again, and count as others"
        assert (said in capsys.readouterr().err) == (times == 2)


def test_a_sample_of_the_library_knows_the_jets_of_its_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_prepared(tmp_path, "own")
    settings = parse(
        GeneratorSettings, {"network": NETWORK, "objective": {"kind": "flow_matching"}, "training": TRAINING}
    )
    files = [tmp_path / name for name in ("weights.safetensors", "model.json", "history.csv")]
    train(own, settings, 1, tmp_path / "state", *files)
    model: Any = cc.load_model(files[0])
    truth = read_clouds(own)
    sample = model.sample(truth[:50], solver="euler", evaluations=1)
    assert sample.meta[ORIGIN] == origin_of(truth.meta)
    other = read_clouds(write_prepared(tmp_path, "other", raw={"clouds": {"kind": "reclustered", "radius": 0.4}}))
    for true, said in ((truth, False), (other, True)):
        capsys.readouterr()
        cc.w1m(true, sample)
        line = "'generated': jets made with other settings than those of 'truth': clouds.radius is 0.8, and not 0.4"
        assert (line in capsys.readouterr().err) == said
