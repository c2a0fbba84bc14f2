"""The steps of the taggers: training, prediction, cost, relevance, and what they refuse."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import torch
from pronged_jets import tagging_clouds, write_features, write_tagging_jets
from torch import Tensor
from torch.nn.functional import cross_entropy

from cloudchamber.classification.cost import flops, measure_cost
from cloudchamber.classification.feature_sets import feature_names
from cloudchamber.classification.inputs import HighLevelInputs, TowerInputs
from cloudchamber.classification.jet_data import read_tagging_jets, towers_of, training_rows
from cloudchamber.classification.predict import predict_classes
from cloudchamber.classification.taggers import CloudTagger, build_tagger, load_tagger
from cloudchamber.classification.train import train_tagger
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.jets.observable_file import read_observables, write_observables
from cloudchamber.settings.base import parse
from cloudchamber.settings.taggers import TaggerCostSettings, TaggerSettings
from cloudchamber.storage import read_json
from cloudchamber.studies.tagging.relevance import attention_received, gradient_times_input
from cloudchamber.training.classification import ClassificationTask
from cloudchamber.training.described_weights import parameters

LOOP = {"batch_size": 32, "learning_rate": 3e-3, "accelerator": "cpu", "ema_decay": 0.9, "validate_every": 20}
NETWORKS: dict[str, dict[str, Any]] = {
    "dense": {"kind": "dense", "hidden": (16, 16)},
    "particle_flow": {"kind": "particle_flow", "tower": (16, 16), "hidden": (16,)},
    "transformer": {
        "kind": "transformer",
        "layers": 1,
        "heads": 2,
        "width": 16,
        "feed_forward": 16,
        "hidden": (16,),
        "dropout": 0.0,
    },
}


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@final
class Study:
    """Jets and features on disk, and trainings on them."""

    def __init__(self, folder: Path, clouds: Clouds) -> None:
        self.folder, self.clouds = folder, clouds
        self.jets = write_tagging_jets(folder / "jets.h5", clouds)
        self.features = write_features(folder / "high_level.h5", clouds)

    def files(self, name: str) -> tuple[Path, Path, Path]:
        return tuple(self.folder / f"{name}.{suffix}" for suffix in ("safetensors", "json", "csv"))

    def high_level(self, kind: str) -> Path | None:
        return self.features if kind == "dense" else None

    def train(self, kind: str, name: str, steps: int, jets_per_class: int | None = None, **more: Any) -> None:
        values = {"network": NETWORKS[kind], "training": {**LOOP, "steps": steps}, **more}
        settings = parse(TaggerSettings, values)
        state = self.folder / "state"
        train_tagger(self.jets, self.high_level(kind), settings, 3, jets_per_class, state, *self.files(name))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Trained taggers of two easy classes."""
    study = Study(tmp_path_factory.mktemp("study"), tagging_clouds())
    for kind in NETWORKS:
        study.train(kind, kind, 60)
    return study


@pytest.mark.parametrize("kind", NETWORKS)
def test_two_easy_classes_are_separated(study: Study, kind: str) -> None:
    weights, description, history = study.files(kind)
    output = study.folder / f"{kind}_scores.h5"
    predict_classes(study.jets, study.high_level(kind), weights, description, output)
    table, meta = read_observables(output)
    rows = table["row"].astype(int)
    assert sorted(table) == ["log_p_1", "log_p_3", "row"]
    assert rows.tolist() == sorted(study.clouds.indices["test"].tolist())
    scores = np.stack([table["log_p_1"], table["log_p_3"]], axis=1)
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, rtol=1e-12)
    assert (scores.argmax(axis=1) == study.clouds.label("class")[rows]).mean() > 0.9
    assert meta["classes"] == ["1", "3"]
    assert meta["jets_per_class"] is None
    # Each jet has the score that it gets alone.
    stored = load_tagger(weights, description)
    data = read_tagging_jets(study.jets, study.high_level(kind))
    for place in (0, 7):
        with torch.no_grad():
            alone = stored.tagger(*data.of(torch.tensor([rows[place]]))).log_softmax(dim=1)
        np.testing.assert_allclose(scores[place], alone[0].numpy(), atol=2e-6)
    losses = [float(row["validation_loss"]) for row in read_rows(history)]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_files_are_the_same_to_the_bit_and_say_what_they_are(study: Study) -> None:
    study.train("particle_flow", "first", 4, 20)
    study.train("particle_flow", "second", 4, 20)
    for first, second in zip(study.files("first"), study.files("second"), strict=True):
        assert first.read_bytes() == second.read_bytes()
    described = json.loads(study.files("first")[1].read_text())
    known = {"cut_at": None, "made_with": {}, "read_from": {}}
    assert described["training"] == {"jets": 40, "jets_per_class": 20, "seed": 3} | known
    assert described["classes"] == ["1", "3"]
    stored = load_tagger(*study.files("first")[:2])
    assert described["parameters"] == parameters(stored.tagger)
    assert not stored.tagger.training


def test_standardisation_is_that_of_the_training_towers(study: Study) -> None:
    tagger = load_tagger(*study.files("particle_flow")[:2]).tagger
    part = study.clouds.part("train")
    towers = np.stack([part.point(name)[part.mask] for name in ("pt_rel", "eta_rel", "phi_rel")], axis=1)
    np.testing.assert_allclose(tagger.inputs.mean, towers.mean(axis=0, dtype=float), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(tagger.inputs.deviation, towers.std(axis=0, dtype=float), rtol=1e-5)


def test_kinematic_features_are_those_of_massless_towers() -> None:
    towers, jets = torch.tensor([[0.2, 0.3, -0.4], [0.01, -0.1, 0.2]]), torch.tensor([[1100.0, 1.2], [1000.0, -0.7]])
    features = TowerInputs("kinematic")(towers, jets)
    for row, ((share, eta, phi), (jet_pt, jet_eta)) in enumerate(zip(towers.tolist(), jets.tolist(), strict=True)):
        pt = share * jet_pt
        energy, jet_energy = pt * np.cosh(eta + jet_eta), jet_pt * np.cosh(jet_eta)
        logarithms = [np.log(value) for value in (pt, energy, share, energy / jet_energy)]
        np.testing.assert_allclose(features[row], [eta, phi, *logarithms, np.hypot(eta, phi)], rtol=1e-5)


def test_vanishing_high_level_features_are_finite() -> None:
    inputs = HighLevelInputs(["a", "b"])
    values = torch.tensor([[1.0, 0.0], [2.0, 0.1], [4.0, 0.3]])
    inputs.fit(values)
    found = inputs(values)
    assert found.isfinite().all()
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(found[:, 0], torch.tensor([-1.0, 0.0, 1.0]) * 1.5**0.5, rtol=1e-5, atol=1e-6)


def test_fewer_training_jets_are_a_subset_of_more(study: Study) -> None:
    data = read_tagging_jets(study.jets)
    few, more = (training_rows(data, number, seed=1) for number in (5, 30))
    assert set(few.tolist()) < set(more.tolist()) < set(data.parts["train"].tolist())
    assert torch.bincount(data.target[more]).tolist() == [30, 30]
    assert set(training_rows(data, 5, seed=2).tolist()) != set(few.tolist())
    assert training_rows(data, None, seed=1) is data.parts["train"]
    with pytest.raises(InputError, match=r"class '1' has 8. training jets, 200 are asked for"):
        training_rows(data, 200, seed=1)


def test_weights_give_each_class_the_same_total(study: Study) -> None:
    data = read_tagging_jets(study.jets)
    rows = torch.cat([data.parts["train"][data.target[data.parts["train"]] == number][:size] for number, size in
                      ((0, 10), (1, 30))])  # fmt: skip
    weights = data.balanced_weights(rows, weighted=False)
    assert weights is not None
    np.testing.assert_allclose([weights[rows][:10].sum(), weights[rows][10:].sum()], [20, 20])
    weighted = data.balanced_weights(rows, weighted=True)
    torch.testing.assert_close(weighted, weights * data.weight)
    assert data.balanced_weights(training_rows(data, 7, 1), weighted=False) is None


@final
class _Logits(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(3))

    def forward(self, values: Tensor) -> Tensor:
        return values + self.bias


def test_weights_and_smoothing_in_the_loss() -> None:
    generator = torch.Generator().manual_seed(1)
    logits, target = torch.randn(6, 3, generator=generator), torch.tensor([0, 1, 2, 2, 1, 0])
    weights, rows = torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0, 0.1]), torch.arange(6)
    log_p = logits.log_softmax(dim=1)
    expected, right = 0.0, 0.0
    for row in range(4):
        own = -log_p[row, target[row]]
        expected += float(weights[row] * (0.8 * own - 0.2 * log_p[row].mean()))
        right += float(weights[row]) * bool(logits[row].argmax() == target[row])
    task = ClassificationTask(_Logits(), (logits,), target, rows[:4], rows[:4], weights, label_smoothing=0.2)
    whole = slice(0, 4)
    loss = task.loss(task.network, rows[:4], generator, whole)
    assert loss.item() == pytest.approx(expected / 4, rel=1e-6)
    figures = task.validate(task.network)
    assert figures["accuracy"] == pytest.approx(right / 4.5)
    plain = float((weights[:4] * cross_entropy(logits[:4], target[:4], reduction="none")).sum()) / 4.5
    assert figures["validation_loss"] == pytest.approx(plain, rel=1e-6)


def test_jets_that_a_tagger_was_not_trained_on_are_said(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    weights, description, _ = study.files("transformer")
    other = study.folder / "split_otherwise.h5"
    write_clouds(other, replace(study.clouds, meta={**study.clouds.meta, "split": "another"}))
    for jets, said in ((study.jets, False), (other, True)):
        predict_classes(jets, None, weights, description, study.folder / "scores_of.h5")
        line = f"{description} was trained on other jets than {jets}: jets of its test part may be among them"
        assert (line in capsys.readouterr().err) == said


def test_jets_that_were_made_otherwise_than_those_of_the_training_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the same classes and with as many particles, but of another radius."""

    def made(radius: str) -> Clouds:
        of_class = {"kind": "reclustered", "radius": radius, "max_particles": radius}
        clouds = tagging_clouds()
        return replace(clouds, meta={**clouds.meta, "made_with": {"1": of_class, "3": of_class}})

    study = Study(tmp_path, made("0.8"))
    study.train("particle_flow", "wide", 1)
    weights, description, _ = study.files("wide")
    for radius, said in (("0.8", False), ("0.4", True)):
        write_clouds(tmp_path / "others.h5", made(radius))
        predict_classes(tmp_path / "others.h5", None, weights, description, tmp_path / "scores.h5")
        line = f"others.h5: made otherwise than what {description} knows: 'radius' is 0.4, of the jets of the training"
        assert (line in capsys.readouterr().err) == said


def test_jets_of_another_detector_than_those_of_the_training_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the same settings, and of the same classes."""

    def read(kept: int, size: str) -> Clouds:
        of_class = {
            "constituents": {"collections": ["Tower"]},
            "cells": {"Tower": {size: 400}},
            "pile_up": {"constituents": kept, "left_out": 0, "told_by": ["Tower.IsPU"]},
            "events": {"read": 1500},
        }
        clouds = tagging_clouds()
        return replace(clouds, meta={**clouds.meta, "read_from": {"1": of_class, "3": of_class}})

    study = Study(tmp_path, read(0, "0.1 x 0.1"))
    study.train("particle_flow", "wide", 1)
    weights, description, _ = study.files("wide")
    for kept, size, said in (
        (0, "0.1 x 0.1", None),
        (400_000, "0.1 x 0.1", "267 constituents of an event come from pile-up, of the jets of the training it is 0"),
        (0, "0.017 x 0.017", "cells of Tower have the size 0.017 x 0.017 in eta and phi, of the jets of the training"),
    ):
        write_clouds(tmp_path / "others.h5", read(kept, size))
        predict_classes(tmp_path / "others.h5", None, weights, description, tmp_path / "scores.h5")
        lines = capsys.readouterr().err
        assert said in lines if said else "WARNING" not in lines


def test_jets_that_were_cut_to_fewer_particles_than_those_of_the_training_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tagging_clouds()
    cut = {number: replace(whole, points=whole.points[:, :number], mask=whole.mask[:, :number]) for number in (10, 12)}
    study = Study(tmp_path, cut[12])
    study.train("particle_flow", "cut", 1)
    weights, description, _ = study.files("cut")
    for jets, said in ((whole, False), (cut[12], False), (cut[10], True)):
        write_clouds(tmp_path / "others.h5", jets)
        predict_classes(tmp_path / "others.h5", None, weights, description, tmp_path / "scores.h5")
        line = (
            "others.h5: the most particles of a jet are 10, and many jets have as many, as where they were cut to the"
        )
        assert (line in capsys.readouterr().err) == said


def test_jets_are_cut_as_those_of_the_training_were(tmp_path: Path) -> None:
    whole = tagging_clouds()
    cut = replace(whole, points=whole.points[:, :10], mask=whole.mask[:, :10])
    study = Study(tmp_path, cut)
    study.train("particle_flow", "cut", 20)
    weights, description, _ = study.files("cut")
    assert read_json(description)["training"]["cut_at"] == 10
    tagger = load_tagger(weights, description).tagger
    longer, shorter = (towers_of(clouds, "jets") for clouds in (whole, cut))
    with torch.no_grad():
        assert torch.equal(tagger(*longer), tagger(*shorter))
    # Jets that were not cut are no limit.
    study = Study(tmp_path, whole)
    study.train("particle_flow", "whole", 1)
    weights, description, _ = study.files("whole")
    assert read_json(description)["training"]["cut_at"] is None
    assert load_tagger(weights, description).tagger.towers == 230


def test_a_network_and_files_that_do_not_go_together(study: Study) -> None:
    settings = parse(TaggerSettings, {"network": NETWORKS["dense"], "training": {**LOOP, "steps": 1}})
    with pytest.raises(SettingsError, match=r"network.kind: 'dense' and a file"):
        train_tagger(study.jets, None, settings, 1, None, study.folder / "state", *study.files("refused"))
    weights, description, _ = study.files("transformer")
    with pytest.raises(InputError, match=r"the tagger takes .'towers', 'jet', 'mask'., which the files given are not"):
        predict_classes(study.jets, study.features, weights, description, study.folder / "refused.h5")
    other = Study(study.folder / "other", tagging_clouds(prongs=(1, 4)))
    with pytest.raises(InputError, match=r"classes \['1', '4'\], the tagger .* has \['1', '3'\]"):
        predict_classes(other.jets, None, weights, description, study.folder / "refused.h5")
    shorter = write_features(study.folder / "shorter.h5", study.clouds[:100])
    with pytest.raises(InputError, match=r"shorter.h5: observables of 100 jets, .* has 240"):
        read_tagging_jets(study.jets, shorter)
    empty = tagging_clouds(fewest=0)
    with pytest.raises(InputError, match=r"empty.h5: \d+ jets have no tower"):
        read_tagging_jets(write_tagging_jets(study.folder / "empty.h5", empty))
    assert not (study.folder / "refused.h5").exists()


def test_a_dense_tagger_takes_the_set_of_features_that_it_names(study: Study) -> None:
    """Of a file with all 136 it takes 17, in the order of their names, and predicts from those alone."""
    rng = np.random.default_rng(5)
    names = feature_names("basis")
    table = {name: rng.random(len(study.clouds)) for name in names}
    table["tau2_beta1"] = 1.0 + study.clouds.label("class") + 0.1 * rng.random(len(study.clouds))
    basis = study.folder / "basis.h5"
    write_observables(basis, table, {"features": list(names)})
    network = {**NETWORKS["dense"], "features": "standard"}
    settings = parse(TaggerSettings, {"network": network, "training": {**LOOP, "steps": 40}})
    files = study.files("chosen")
    train_tagger(study.jets, basis, settings, 3, None, study.folder / "state", *files)
    assert load_tagger(*files[:2]).features == feature_names("standard")
    scores = []
    for name, values in (("same", {}), ("other", {"tau45_beta0.5": rng.random(len(study.clouds))})):
        write_observables(study.folder / f"{name}.h5", table | values, {"features": list(names)})
        predict_classes(study.jets, study.folder / f"{name}.h5", *files[:2], study.folder / f"{name}_scores.h5")
        scores.append(read_observables(study.folder / f"{name}_scores.h5")[0]["log_p_1"])
    np.testing.assert_array_equal(*scores)
    lacking = {name: values for name, values in table.items() if name != "tau3_beta2"}
    write_observables(study.folder / "lacking.h5", lacking, {"features": list(lacking)})
    with pytest.raises(InputError, match=r"lacking.h5: no feature \['tau3_beta2'\]"):
        predict_classes(study.jets, study.folder / "lacking.h5", *files[:2], study.folder / "refused.h5")


def test_cost_of_each_tagger(study: Study) -> None:
    models = {
        kind: dict(zip(("weights", "description"), map(str, study.files(kind)[:2]), strict=True)) for kind in NETWORKS
    }
    output = study.folder / "cost.csv"
    measure_cost(study.jets, study.features, models, TaggerCostSettings(batch_size=8, rounds=2), output)
    rows = {row["model"]: row for row in read_rows(output)}
    assert list(rows) == list(NETWORKS)
    for kind, row in rows.items():
        assert int(row["parameters"]) == parameters(load_tagger(*study.files(kind)[:2]).tagger)
        assert 0 < float(row["inference_lowest"]) <= float(row["inference_seconds_per_jet"])
        assert float(row["training_seconds_per_jet"]) <= float(row["training_highest"])
        assert (row["batch_size"], row["rounds"], row["clock"]) == ("8", "2", "CPU")
    assert int(rows["dense"]["flops_per_jet"]) == 2 * (3 * 16 + 16 * 16 + 16 * 2)
    with pytest.raises(SettingsError, match=r"broken: no key .'description', 'weights'."):
        measure_cost(study.jets, None, {"broken": {}}, TaggerCostSettings(), output)


@pytest.mark.parametrize("towers", [9, 70])
def test_operations_of_the_transformer(towers: int) -> None:
    tagger = build_tagger(
        parse(TaggerSettings, {"network": NETWORKS["transformer"], "training": {"steps": 1}}).network, 2
    )
    inputs = torch.rand(1, towers, 3), torch.tensor([[1000.0, 0.1]]), torch.ones(1, towers, dtype=torch.bool)
    of_tower = 3 * 16 + 4 * 16 * 16 + 2 * 16 * 16
    of_jet = 16 * 16 + 16 * 2
    assert flops(tagger, inputs) == 2 * (towers * of_tower + 2 * towers * towers * 16 + of_jet)


def test_relevance_of_towers(study: Study) -> None:
    data = read_tagging_jets(study.jets)
    inputs = data.of(data.parts["test"][:9])
    towers, jet, mask = inputs
    tagger = load_tagger(*study.files("transformer")[:2]).tagger
    assert isinstance(tagger, CloudTagger)
    attention = attention_received(tagger, *inputs)
    assert attention.shape == mask.shape
    assert not attention[~mask].any()
    assert (attention[mask] > 0).all()
    torch.testing.assert_close(attention.sum(dim=1), torch.ones(9))
    # By hand for one jet, one layer, two heads.
    one = int(mask[4].sum())
    network, block = tagger.network, tagger.network.blocks[0]
    with torch.no_grad():
        rows = network.first(tagger.inputs(towers[4, :one], jet[4].expand(one, 2)))
        queries, keys, _ = block.attention.queries_keys_values(rows).chunk(3, dim=1)
        heads = [(queries[:, part] @ keys[:, part].T / 8**0.5).softmax(dim=1) for part in (slice(8), slice(8, 16))]
    torch.testing.assert_close(attention[4, :one], torch.stack(heads).mean(dim=(0, 1)))
    for kind in ("transformer", "particle_flow"):
        network = load_tagger(*study.files(kind)[:2]).tagger
        relevance = gradient_times_input(network, *inputs)
        assert not relevance[~mask].any()
        # Along the line from no towers to these, the logit changes as the sum says.
        with torch.no_grad():
            winner = network(*inputs).argmax(dim=1, keepdim=True)
            step = 1e-3
            up, down = (network(towers * (1 + sign * step), jet, mask).gather(1, winner) for sign in (1, -1))
        slope = ((up - down) / (2 * step)).squeeze(1)
        torch.testing.assert_close(relevance.sum(dim=1), slope, rtol=0.02, atol=5e-3)
    with pytest.raises(TypeError, match="ParticleFlow has no attention"):
        attention_received(load_tagger(*study.files("particle_flow")[:2]).tagger, *inputs)
