"""Samples: asked for what training jets have, reproducible, described, and blind to the test part."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from descriptions import write_description
from prepared_jets import prepared_jets

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.generative.artifact import load_artifact
from cloudchamber.generative.draw_jets import draw_jets
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.generative.objectives import build_objective
from cloudchamber.generative.sample import sample_marginals, sample_model
from cloudchamber.generative.sampling import Sampler
from cloudchamber.generative.shards import Shard, gather_sample
from cloudchamber.generative.train import train
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.networks.packing import Packing
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.readers.jetnet import read_jetnet, write_jetnet
from cloudchamber.settings.base import parse
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, GeneratorSettings, SamplerSettings
from cloudchamber.storage import read_json, sha256, write_json

JETS = 150
SAMPLER = SamplerSettings(solver="midpoint", evaluations=4)
CONDITIONS = ("jet_pt", "jet_mass")


def _settings(**changes: Any) -> GeneratorSettings:
    values = {
        "network": {"kind": "epic", "layers": 1, "hidden": 16, "latent": 4, "time_features": 8},
        "objective": {"kind": "flow_matching"},
        "conditions": CONDITIONS,
        "training": {"steps": 5, "batch_size": 16, "accelerator": "cpu"},
    }
    return parse(GeneratorSettings, values | changes)


class Study:
    """A folder with prepared jets and a model trained on them for a moment."""

    def __init__(self, folder: Path, clouds: Clouds, settings: GeneratorSettings) -> None:
        self.folder = folder
        self.source = folder / "prepared.h5"
        self.weights, self.description = folder / "weights.safetensors", folder / "description.json"
        write_clouds(self.source, clouds)
        history = folder / "history.csv"
        train(self.source, settings, 3, folder / "state", self.weights, self.description, history)

    def jets(self, seed: int = 1, source: Path | None = None) -> Path:
        """Return a file of drawn training jets."""
        output = self.folder / "jets.h5"
        draw_jets(source or self.source, None, JETS, seed, output)
        return output

    def sample(self, seed: int = 1, settings: SamplerSettings = SAMPLER, jets: Path | None = None) -> Clouds:
        output = self.folder / "sample.h5"
        sample_model(self.weights, self.description, jets or self.jets(seed), settings, seed, output)
        return read_clouds(output)


@pytest.fixture(scope="module")
def clouds() -> Clouds:
    return prepared_jets(200, 8)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, clouds: Clouds) -> Study:
    return Study(tmp_path_factory.mktemp("study"), clouds, _settings())


@pytest.fixture(scope="module")
def sample(study: Study) -> Clouds:
    return study.sample()


def _jets(clouds: Clouds) -> list[tuple[float, ...]]:
    """Return multiplicity, pT and mass of each jet."""
    features = [clouds.feature(name).tolist() for name in CONDITIONS]
    return list(zip(clouds.multiplicity.tolist(), *features, strict=True))


def test_samples_have_the_layout_of_prepared_jets(sample: Clouds, clouds: Clouds) -> None:
    assert sample.points.shape == (JETS, *clouds.points.shape[1:])
    assert sample.point_columns == clouds.point_columns
    assert np.isfinite(sample.points).all()
    units = {column.name: column.unit for column in clouds.feature_columns}
    expected = {name: units[name] for name in (*CONDITIONS, "jet_eta")}
    assert {column.name: column.unit for column in sample.feature_columns} == expected


def test_samples_can_be_written_in_the_layout_of_jetnet(sample: Clouds, tmp_path: Path) -> None:
    write_jetnet(tmp_path / "sample.hdf5", sample)
    back = read_jetnet(tmp_path / "sample.hdf5")
    assert np.array_equal(back.points, sample.points)
    assert np.array_equal(back.feature("jet_mass"), sample.feature("jet_mass"))


def test_multiplicity_pt_and_mass_are_those_of_training_jets_together(sample: Clouds, clouds: Clouds) -> None:
    jets = _jets(sample)
    assert set(jets) <= set(_jets(clouds.part("train")))
    others = np.concatenate([clouds.indices["validation"], clouds.indices["test"]])
    assert not set(jets) & set(_jets(clouds[others]))
    # 150 draws with replacement from 100 jets: no jet is drawn as often as ten times (probability 1e-4).
    assert max(Counter(jets).values()) < 10
    assert len(set(jets)) > 60


def test_particles_that_a_diffusion_model_never_draws_are_said(
    tmp_path: Path, clouds: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    training = {"steps": 1, "batch_size": 16, "accelerator": "cpu"}
    train_part = clouds.part("train")
    points = Standardisation.from_json(clouds.meta["standardisation"]["points"])
    values = np.abs(points.forward(train_part.points[train_part.mask]))
    for number, (scale, clip) in enumerate(((1.0, 25.0), (5.0, 10.0))):
        folder = tmp_path / str(number)
        folder.mkdir()
        objective = {"kind": "diffusion", "data_scale": scale, "clip": clip}
        Study(folder, clouds, _settings(objective=objective, training=training))
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: WARNING: ")]
        beyond = np.count_nonzero(values > clip / scale, axis=0)
        assert len(said) == np.count_nonzero(beyond)
        for name, clipped in zip(points.names, beyond, strict=True):
            line = f"{name} of {clipped} of {len(values)} training particles is beyond objective.clip, {clip / scale:g}"
            assert any(line in text for text in said) == (clipped > 0)
    assert beyond.any()


def test_the_seed_decides(study: Study, sample: Clouds) -> None:
    again, other = study.sample(), study.sample(seed=2)
    assert np.array_equal(again.points, sample.points)
    assert not np.array_equal(other.points, sample.points)
    assert _jets(other) != _jets(sample)


def test_the_sample_says_how_it_was_drawn(study: Study, sample: Clouds) -> None:
    meta = sample.meta
    assert meta["sampler"]["solver"] == "midpoint"
    assert meta["sampler"]["evaluations"] == meta["sampler"]["evaluations_counted"] == 4
    assert meta["sampler"]["precision"] == "float32"
    assert meta["sampler"]["seconds_per_jet"] > 0
    assert meta["provenance"]["seed"] == 1
    inputs = (study.weights, study.description, study.jets())
    assert meta["provenance"]["inputs"] == {str(path): sha256(path) for path in inputs}


def test_the_test_part_has_no_influence(study: Study, sample: Clouds, clouds: Clouds) -> None:
    """Scrambled test and validation jets leave every bit of the sample as it was."""
    others = np.concatenate([clouds.indices["validation"], clouds.indices["test"]])
    points, mask, features = clouds.points.copy(), clouds.mask.copy(), clouds.features.copy()
    points[others] = 0.01
    mask[others] = True
    features[others] *= 7
    scrambled = study.folder / "scrambled.h5"
    write_clouds(scrambled, replace(clouds, points=points, mask=mask, features=features))
    drawn = study.sample(jets=study.jets(source=scrambled))
    for name in ("points", "mask", "features"):
        assert np.array_equal(getattr(drawn, name), getattr(sample, name))


@pytest.mark.parametrize("solver", [solver for solver in EVALUATIONS_PER_STEP if solver != "flow_map"])
@pytest.mark.parametrize("kind", ["flow_matching", "diffusion", "edm"])
def test_every_solver_draws_from_every_objective(tmp_path: Path, clouds: Clouds, kind: str, solver: str) -> None:
    study = Study(tmp_path, clouds, _settings(objective={"kind": kind}, conditions=()))
    evaluations = 1 if solver == "one_step" else 8
    drawn = study.sample(settings=SamplerSettings.model_validate({"solver": solver, "evaluations": evaluations}))
    assert drawn.meta["sampler"]["evaluations_counted"] == evaluations
    assert np.isfinite(drawn.points).all()


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        ({"kind": "transformer", "layers": 1, "heads": 2, "hidden": 8, "feed_forward": 8}, "flow_matching"),
        ({"kind": "transformer", "layers": 1, "heads": 2, "hidden": 8, "block": "macaron"}, "edm"),
        ({"kind": "epic_gan", "layers": 1, "hidden": 8, "latent": 4}, "adversarial"),
    ],
    ids=["transformer", "macaron", "epic_gan"],
)
@pytest.mark.parametrize("conditions", [(), CONDITIONS], ids=["unconditional", "conditional"])
def test_every_network_is_trained_stored_and_drawn_from(
    tmp_path: Path, clouds: Clouds, network: dict[str, Any], kind: str, conditions: tuple[str, ...]
) -> None:
    study = Study(tmp_path, clouds, _settings(network=network, objective={"kind": kind}, conditions=conditions))
    solver = "one_step" if kind == "adversarial" else "dpm_solver"
    evaluations = 1 if kind == "adversarial" else 4
    drawn = study.sample(settings=SamplerSettings.model_validate({"solver": solver, "evaluations": evaluations}))
    assert np.isfinite(drawn.points).all()
    assert drawn.points[drawn.mask].std(axis=0).min() > 0
    assert load_artifact(study.weights, study.description).settings.network.kind == network["kind"]


def test_conditions_matter_to_conditional_models_only(tmp_path: Path, study: Study, clouds: Clouds) -> None:
    (tmp_path / "free").mkdir()
    unconditional = Study(tmp_path / "free", clouds, _settings(conditions=()))
    features = clouds.features.copy()
    features[:, 3] *= 1.5
    changed = tmp_path / "heavier.h5"
    write_clouds(changed, replace(clouds, features=features))
    (tmp_path / "jets").mkdir()
    heavier = tmp_path / "jets/heavier.h5"
    draw_jets(changed, None, JETS, 1, heavier)
    assert not np.array_equal(study.sample(jets=heavier).points, study.sample().points)
    assert np.array_equal(unconditional.sample(jets=heavier).points, unconditional.sample().points)


def test_bfloat16_draws_nearly_the_same(study: Study, sample: Clouds) -> None:
    rounded = study.sample(settings=SAMPLER.model_copy(update={"precision": "bfloat16"}))
    assert np.array_equal(rounded.mask, sample.mask)
    assert not np.array_equal(rounded.points, sample.points)
    spread = sample.points[sample.mask].std(axis=0)
    assert (np.abs(rounded.points - sample.points)[sample.mask].mean(axis=0) < 0.02 * spread).all()


def test_the_first_jets_do_not_depend_on_how_many_follow(study: Study) -> None:
    artifact = load_artifact(study.weights, study.description)
    counts, conditions = torch.arange(1, 101) % 8 + 1, torch.randn(100, 2)
    objective = build_objective(artifact.settings.objective)
    few, many = (
        Sampler(artifact.network, objective, SAMPLER, 3).draw(counts[:jets], conditions[:jets], 5) for jets in (64, 100)
    )
    assert torch.equal(many[: len(few)], few)
    assert len(many) == Packing(counts).rows


def test_marginals_are_whole_training_particles(study: Study, clouds: Clouds) -> None:
    sample_marginals(study.source, study.jets(), 1, study.folder / "marginals.h5", momentum_sum="free")
    drawn = read_clouds(study.folder / "marginals.h5")
    assert drawn.meta["sampler"]["solver"] == "none"
    assert drawn.meta["sampler"]["evaluations_counted"] == 0
    train_part = clouds.part("train")
    known = {tuple(particle) for particle in train_part.points[train_part.mask].tolist()}
    particles = [tuple(particle) for particle in drawn.points[drawn.mask].tolist()]
    assert set(particles) <= known
    assert set(drawn.multiplicity) <= set(train_part.multiplicity)
    # Independent: the hardest particles of a jet are no harder than those of any other, so that jet pT is not one.
    assert drawn.point("pt_rel").sum(axis=1).std() > 0.2
    sample_marginals(study.source, study.jets(), 2, study.folder / "other.h5", momentum_sum="free")
    assert not np.array_equal(read_clouds(study.folder / "other.h5").points, drawn.points)


def test_the_sum_of_the_particles_is_imposed_unless_it_is_left_free(study: Study, sample: Clouds) -> None:
    jets = read_jets(study.jets())
    free = study.sample(settings=SAMPLER.model_copy(update={"momentum_sum": "free"}))
    assert (np.abs(relative_sum(free) - jets.jet_pt_rel) > 0.01).mean() > 0.9
    assert (free.meta["sampler"]["momentum_sum"], sample.meta["sampler"]["momentum_sum"]) == ("free", "imposed")
    np.testing.assert_array_equal(sample.points[:, :, :2], free.points[:, :, :2])
    sample_marginals(study.source, study.jets(), 1, study.folder / "marginals.h5")
    marginals = read_clouds(study.folder / "marginals.h5")
    assert marginals.meta["sampler"]["momentum_sum"] == "imposed"
    for imposed in (sample, marginals):
        # A jet without any particle of positive pT cannot be rescaled.
        has_sum = (imposed.point("pt_rel") > 0).any(axis=1)
        np.testing.assert_allclose(relative_sum(imposed)[has_sum], jets.jet_pt_rel[has_sum], atol=2e-6)


def test_jets_that_are_not_prepared_are_refused(study: Study, clouds: Clouds) -> None:
    bare = study.folder / "bare.h5"
    write_clouds(bare, replace(clouds, indices={}, meta={}))
    with pytest.raises(InputError, match=r"bare\.h5: not prepared"):
        study.jets(source=bare)
    with pytest.raises(InputError, match=r"bare\.h5: not prepared"):
        sample_marginals(bare, study.jets(), 1, study.folder / "never.h5")
    with pytest.raises(InputError, match=r"bare\.h5: not prepared"):
        train(bare, _settings(), 1, study.folder / "s", *(study.folder / f"never.{n}" for n in range(3)))
    assert not list(study.folder.glob("never*"))


def test_a_model_that_is_not_what_was_saved_is_refused(study: Study, tmp_path: Path) -> None:
    weights, description = tmp_path / "weights.safetensors", tmp_path / "description.json"
    saved = read_json(study.description)
    content = bytearray(study.weights.read_bytes())
    write_json(description, saved)
    content[-3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.safetensors: not the weights that .* describes"):
        load_artifact(weights, description)
    weights.write_bytes(b"nothing")
    write_description(description, saved | {"weights_sha256": sha256(weights)})
    with pytest.raises(InputError, match=r"weights\.safetensors: "):
        load_artifact(weights, description)
    weights.write_bytes(study.weights.read_bytes())
    wider = saved["settings"] | {"network": saved["settings"]["network"] | {"hidden": 32}}
    write_description(description, saved | {"settings": wider})
    with pytest.raises(InputError, match=r"weights\.safetensors: .*size mismatch") as caught:
        load_artifact(weights, description)
    assert "\n" not in str(caught.value)
    for wrong in ({}, [1, 2], "text"):
        write_json(description, wrong)
        with pytest.raises(InputError, match=r"description\.json: not the description of a model"):
            load_artifact(weights, description)


def test_values_that_are_not_finite_are_an_error_and_no_file(study: Study, tmp_path: Path) -> None:
    broken = tmp_path / "description.json"
    saved = read_json(study.description)
    saved["standardisation"]["points"]["deviation"] = [1e300] * 3
    write_description(broken, saved)
    with pytest.raises(InputError, match="values that are not finite with midpoint"):
        sample_model(study.weights, broken, study.jets(), SAMPLER, 1, tmp_path / "never.h5")
    assert not (tmp_path / "never.h5").exists()


def test_shards_put_together_are_the_sample_to_the_bit(study: Study, tmp_path: Path) -> None:
    whole = study.sample()
    jets = study.jets()
    parts = [tmp_path / f"{number}.h5" for number in (3, 1, 2)]
    for path in parts:
        shard = Shard(int(path.stem), 3)
        sample_model(study.weights, study.description, jets, SAMPLER, 1, path, shard)
    gather_sample(parts, tmp_path / "gathered.h5")
    gathered = read_clouds(tmp_path / "gathered.h5")
    assert sum(len(read_clouds(path)) for path in parts) == len(whole) == JETS
    for name in ("points", "mask", "features", "labels"):
        assert np.array_equal(getattr(gathered, name), getattr(whole, name))
    same = {name: value for name, value in gathered.meta.items() if name != "sampler"}
    assert same == {name: value for name, value in whole.meta.items() if name != "sampler"}
    times = [read_clouds(path).meta["sampler"]["seconds_per_jet"] for path in parts]
    assert min(times) <= gathered.meta["sampler"]["seconds_per_jet"] <= max(times)


def test_a_sample_does_not_depend_on_how_much_is_held_in_memory(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudchamber.generative.sample._CHUNKS_IN_MEMORY", 1)
    sample_model(study.weights, study.description, study.jets(), SAMPLER, 1, tmp_path / "pieces.h5")
    pieces, whole = read_clouds(tmp_path / "pieces.h5"), study.sample()
    for name in ("points", "mask", "features", "labels"):
        assert np.array_equal(getattr(pieces, name), getattr(whole, name))
    assert pieces.meta["sampler"]["evaluations_counted"] == whole.meta["sampler"]["evaluations_counted"]


def test_shards_that_are_no_whole_are_refused(study: Study, tmp_path: Path) -> None:
    jets = study.jets()
    one, two, other = tmp_path / "one.h5", tmp_path / "two.h5", tmp_path / "other.h5"
    for path, shard, seed in ((one, Shard(1, 2), 1), (two, Shard(2, 2), 1), (other, Shard(2, 2), 2)):
        sample_model(study.weights, study.description, jets, SAMPLER, seed, path, shard)
    output = tmp_path / "gathered.h5"
    for parts, culprit in (([one], one), ([one, one], one), ([one, two, two], one), ([one, other], other)):
        with pytest.raises(InputError, match=str(culprit)):
            gather_sample(parts, output)
    with pytest.raises(InputError, match="3 chunks of 64; they cannot be shared by 4"):
        sample_model(study.weights, study.description, jets, SAMPLER, 1, output, Shard(1, 4))
    assert not output.exists()


def test_shards_of_a_gpu_and_a_cpu_are_refused(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jets = study.jets()
    one, two = tmp_path / "one.h5", tmp_path / "two.h5"
    sample_model(study.weights, study.description, jets, SAMPLER, 1, one, Shard(1, 2))
    # Chunks are larger on a GPU, so that its second half of 150 jets begins elsewhere.
    monkeypatch.setattr("cloudchamber.generative.sample.chunk_size", lambda device: 75)
    sample_model(study.weights, study.description, jets, SAMPLER, 1, two, Shard(2, 2))
    assert len(read_clouds(one)) + len(read_clouds(two)) != JETS
    message = r"two\.h5: has the jets from 75 to 150 of 150, and the shards before it those to 64, as where some were"
    with pytest.raises(InputError, match=message):
        gather_sample([one, two], tmp_path / "gathered.h5")
    assert not (tmp_path / "gathered.h5").exists()


@pytest.mark.parametrize("text", ["", "1", "0-of-2", "3-of-2", "a-of-b", "1-of-2 "])
def test_a_wrong_shard_is_one_line(text: str) -> None:
    with pytest.raises(SettingsError, match="--shard: "):
        Shard.parse(text)


@pytest.mark.parametrize(("jets", "size", "of"), [(150, 64, 3), (150, 64, 1), (1000, 7, 13), (64, 64, 1)])
def test_shards_cover_all_jets_once_and_begin_with_a_chunk(jets: int, size: int, of: int) -> None:
    rows = [Shard(number, of).rows(jets, size) for number in range(1, of + 1)]
    assert [row for part in rows for row in range(jets)[part]] == list(range(jets))
    assert all(part.start % size == 0 and part.stop > part.start for part in rows)
