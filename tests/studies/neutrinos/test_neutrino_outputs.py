"""Features, scores and what is made of them: numbers, figures, tables, answer and card; settings."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from model_cards import commands_of, section, write_card
from neutrino_files import NETWORK, SIMULATION, write_random_events

from cloudchamber.cli import main
from cloudchamber.drawings import figure_of
from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.metrics.tables import read_table
from cloudchamber.pipeline.drawing import caption_of
from cloudchamber.settings.base import parse
from cloudchamber.studies.neutrinos import tables
from cloudchamber.studies.neutrinos.answer import answers
from cloudchamber.studies.neutrinos.card_kind import NeutrinoCard
from cloudchamber.studies.neutrinos.classify import classify_events
from cloudchamber.studies.neutrinos.drawings import FIGURES, TABLES
from cloudchamber.studies.neutrinos.evaluate import COLUMNS, evaluate_classifiers
from cloudchamber.studies.neutrinos.event_clouds import read_event_clouds
from cloudchamber.studies.neutrinos.high_level import (
    EVENT_FEATURES,
    PRONG_FEATURES,
    event_features,
    muon_length,
    prong_features,
    shower_energy,
)
from cloudchamber.studies.neutrinos.names import INTERACTIONS
from cloudchamber.studies.neutrinos.network_settings import NeutrinoTrainingSettings
from cloudchamber.studies.neutrinos.score_file import ScoreFile, Scores, read_scores, write_scores
from cloudchamber.studies.neutrinos.settings import (
    EvaluationSettings,
    NeutrinosSettings,
)
from cloudchamber.studies.neutrinos.train import train_classifier

TRAINING = {"steps": 8, "batch_size": 16, "validate_every": 4, "record_every": 2, "accelerator": "cpu"}
TRUTH = {"kind": "visible_truth", "width": 4, "heads": 1, "layers": 1, "feed_forward": 4}


def test_features_are_those_of_a_loop(tmp_path: Path) -> None:
    events = read_event_clouds(write_random_events(tmp_path / "events.h5", 40))
    features, prongs = event_features(events), prong_features(events)
    assert features.shape == (40, len(EVENT_FEATURES))
    assert prongs.shape == (40, 3, len(PRONG_FEATURES))
    assert np.isfinite(features).all()
    names = list(PRONG_FEATURES)
    for row in range(40):
        hits = events.hits(row)
        lengths = [0.0]
        sums = [0.0]
        for number in range(3):
            own = hits[hits[:, 4] == number]
            if not len(own):
                assert not prongs[row, number].any()
                lengths.append(0.0)
                sums.append(0.0)
                continue
            lengths.append(own[:, 1].max() - own[:, 1].min() + 1)
            sums.append(own[:, 3].sum())
            assert prongs[row, number, names.index("hits")] == len(own)
            assert prongs[row, number, names.index("planes")] == lengths[-1]
            spread = 0.0
            for view, plane in {(hit[0], hit[1]) for hit in own}:
                strip = own[(own[:, 0] == view) & (own[:, 1] == plane)]
                mean = np.average(strip[:, 2], weights=strip[:, 3])
                spread += (strip[:, 3] * (strip[:, 2] - mean) ** 2).sum()
            width = np.sqrt(spread / own[:, 3].sum())
            assert prongs[row, number, names.index("width")] == pytest.approx(width, rel=1e-4, abs=1e-4)
        longest = int(np.argmax(lengths[1:]))
        assert muon_length(features)[row] == max(lengths)
        rest = hits[:, 3].sum() - sums[longest + 1]
        assert shower_energy(features)[row] == pytest.approx(rest, rel=1e-5)


def test_features_do_not_depend_on_how_many_planes_there_are(tmp_path: Path) -> None:
    """Planes beyond 1,023 were taken for those of the next view or prong."""
    events = read_event_clouds(write_random_events(tmp_path / "events.h5", 40))
    moved = events.points.copy()
    # Every second plane, far behind the others: features within planes are the same.
    moved[:, 1] = np.where(moved[:, 1] % 2 == 1, moved[:, 1] + 1023, moved[:, 1])
    width = list(PRONG_FEATURES).index("width")
    expected, found = (prong_features(item)[..., width] for item in (events, replace(events, points=moved)))
    assert found == pytest.approx(expected)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps write: two models with two trainings each, and the ceiling."""
    folder = tmp_path_factory.mktemp("outputs")
    events = write_random_events(folder / "events.h5")
    network = {**NETWORK, "coarsen": 4}
    kinds = {"joint": network, "alone": {**network, "context": False}, "ceiling": TRUTH}
    models, trainings = [], []
    for name, kind in kinds.items():
        settings = parse(NeutrinoTrainingSettings, {"network": kind, "training": TRAINING})
        for seed in (1, 2):
            made = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
            paths = {key: folder / name / f"seed{seed}/{file}" for key, file in made.items()}
            train_classifier(events, settings, seed, folder / "state", **paths)
            entry = {"name": name, "seed": seed, **{key: str(path) for key, path in paths.items()}}
            models.append(entry)
            trainings.append(entry)
    classify_events(events, {"models": models}, 3, folder / "scores.h5")
    written = {name: folder / f"{name}.csv" for name in ("metrics", "differences", "confusion", "curves")}
    given = {"scores": str(folder / "scores.h5"), "reference": "alone"}
    evaluate_classifiers(events, given, EvaluationSettings(bootstraps=8, histogram_bins=4), 1, **written)
    titles = {"joint": "with context", "alone": "without context", "histogram": "histogram", "ceiling": "ceiling"}
    histories = [{**entry, "title": titles[entry["name"]], "path": entry["history"]} for entry in trainings]
    return {
        "title": "made-up neutrinos",
        "source": "stand-in: made up",
        "models": [{"name": name, "title": title} for name, title in titles.items()],
        "reference": "alone",
        "events": str(events),
        "scores": given["scores"],
        "histories": histories,
        "trainings": [entry for entry in trainings if entry["name"] == "joint"],
        **{name: str(path) for name, path in written.items()},
    }


def test_energies_of_a_spectrum_have_no_rows_of_their_own() -> None:
    """Each would have an event or two, of which shares say nothing, and there are as many as events."""
    from cloudchamber.studies.neutrinos.evaluate import _energies_of_beams

    assert _energies_of_beams(np.array([2.0, 1.0, 2.0, 3.5])).tolist() == [1.0, 2.0, 3.5]
    assert not len(_energies_of_beams(np.linspace(1, 4, 1000)))


def test_every_number_has_uncertainty_floor_ceiling_and_size(files: dict[str, Any]) -> None:
    table = read_table(files["metrics"], COLUMNS)
    assert set(table["study"]) == {"neutrinos"}
    assert set(table["model"]) == {"joint", "alone", "histogram", "ceiling"}
    assert set(table["metric"]) == {"accuracy", "auc", "efficiency", "purity", "prong_accuracy", "calibration_error"}
    whole = table[(table["dataset"] == "all") & table["low"].isna() & (table["metric"] != "purity")]
    assert whole[["value", "uncertainty", "n_reference", "n_training"]].notna().all().all()
    assert table.loc[table["metric"].isin(["accuracy", "auc"]), ["floor", "ceiling"]].notna().all().all()
    assert set(table.loc[table["metric"] == "accuracy", "dataset"]) == {"all", "30 GeV", "100 GeV"}


def test_a_guess_is_as_pure_as_the_bin(files: dict[str, Any], tmp_path: Path) -> None:
    """It had a third in each bin of the energy, in which the interactions are not alike."""
    events = read_event_clouds(files["events"])
    rows = read_scores(Path(files["scores"])).rows
    target, visible = events.interaction[rows], events.visible_energy[rows]
    weights = 1 / np.bincount(target)[target]
    edges = (0.0, *np.quantile(visible, [0.2, 0.5, 0.8]).tolist(), 1e3)
    written = {name: tmp_path / f"{name}.csv" for name in ("metrics", "differences", "confusion", "curves")}
    given = {"scores": files["scores"], "reference": "alone"}
    settings = EvaluationSettings(bootstraps=2, histogram_bins=4, energy_edges=edges)
    evaluate_classifiers(Path(files["events"]), given, settings, 1, **written)
    table = read_table(written["metrics"])
    purity = table[(table["metric"] == "purity") & (table["model"] == "joint")]
    assert purity.loc[purity["low"].isna(), "floor"].to_numpy() == pytest.approx(1 / 3)
    binned = purity[purity["low"].notna()]
    assert len(set(binned["floor"].round(6).dropna())) > 3
    for line in binned.to_dict("records"):
        inside = (visible >= line["low"]) & (visible < line["high"])
        own = inside & (target == list(INTERACTIONS).index(line["feature"]))
        if inside.any():
            assert line["floor"] == pytest.approx(weights[own].sum() / weights[inside].sum())
    assert table.loc[table["metric"] == "efficiency", "floor"].to_numpy() == pytest.approx(1 / 3)


def test_metrics_are_those_of_a_loop(files: dict[str, Any]) -> None:
    events = read_event_clouds(files["events"])
    scores = read_scores(Path(files["scores"]))
    table = read_table(files["metrics"]).fillna({"feature": ""})
    target = events.interaction[scores.rows]
    for item in scores.scores:
        rows = table[(table["model"] == item.model) & (table["seed"] == item.seed) & (table["dataset"] == "all")]
        rows = rows[rows["low"].isna()].set_index(["metric", "feature"])["value"]
        chosen = item.event.argmax(axis=1)
        shares = [float((chosen[target == kind] == kind).mean()) for kind in range(3)]
        assert rows["accuracy", ""] == pytest.approx(np.mean(shares))
        for kind, name in enumerate(INTERACTIONS):
            assert rows["efficiency", name] == pytest.approx(shares[kind])
            given = [float((chosen[target == true] == kind).mean()) for true in range(3)]
            if sum(given):
                assert rows["purity", name] == pytest.approx(given[kind] / sum(given))
            signal, background = item.event[target == kind, kind], item.event[target != kind, kind]
            others = target[target != kind]
            pairs = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
            area = np.mean([pairs[:, others == other].mean() for other in range(3) if other != kind])
            assert rows["auc", name] == pytest.approx(area)
        there = events.prong_mask[scores.rows]
        right = item.prong[there].argmax(axis=1) == events.prong_class[scores.rows][there]
        assert rows["prong_accuracy", ""] == pytest.approx(right.mean())


def test_differences_are_those_of_the_metrics(files: dict[str, Any]) -> None:
    table = read_table(files["metrics"]).fillna({"feature": ""})
    rows = table[(table["dataset"] == "all") & table["low"].isna()]
    means = rows.groupby(["model", "metric", "feature"])["value"].mean()
    found = read_table(files["differences"]).fillna({"feature": ""})
    assert set(found["model"]) == {"joint", "ceiling"}
    for line in found.to_dict("records"):
        key = line["metric"], line["feature"]
        expected = means[(line["model"], *key)] - means[("alone", *key)]
        assert line["difference"] == pytest.approx(expected, abs=1e-9)
        assert line["uncertainty"] == pytest.approx(np.hypot(line["of_events"], line["of_seeds"]))


def test_events_that_a_network_was_not_trained_on_are_said(
    files: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {"models": files["trainings"][:1]}
    twice = {"models": [files["trainings"][0], {**files["trainings"][0], "seed": 2}]}
    with pytest.raises(InputError, match=r"another training of 'joint' is that of .*seed1"):
        classify_events(Path(files["events"]), twice, 0, tmp_path / "scores.h5")
    classify_events(Path(files["events"]), models, 0, tmp_path / "scores.h5")
    assert "was trained on other events" not in capsys.readouterr().err
    classify_events(write_random_events(tmp_path / "others.h5", seed=2), models, 0, tmp_path / "others_scores.h5")
    assert "model.json was trained on other events than" in capsys.readouterr().err


def test_scores_of_other_events_are_refused(files: dict[str, Any], tmp_path: Path) -> None:
    other = write_random_events(tmp_path / "other.h5", seed=2)
    with pytest.raises(InputError, match="other"):
        read_scores(Path(files["scores"]), other)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"seed": "one"}, "seed of 'joint': expected a whole number, not 'one'"),
        ({"seed": 1.7}, "seed of 'joint': expected a whole number, not 1.7"),
        ({"seed": True}, "seed of 'joint': expected a whole number, not True"),
        ({"name": 3}, "name: expected text, not 3"),
        ({"name": "histogram"}, "'histogram' is the classifier"),
        ({"seed": 2}, "'joint' with seed 2 stands there twice"),
    ],
)
def test_trainings_that_cannot_be_told_apart_are_refused(
    changed: dict[str, Any], fault: str, files: dict[str, Any], tmp_path: Path
) -> None:
    first, second = (entry for entry in files["trainings"] if entry["name"] == "joint")
    output = tmp_path / "scores.h5"
    with pytest.raises(SettingsError, match=re.escape(fault)):
        classify_events(Path(files["events"]), {"models": [{**first, **changed}, second]}, 0, output)
    assert not output.exists()


def test_a_perfect_classifier_is_perfect_and_calibrated(files: dict[str, Any], tmp_path: Path) -> None:
    events = read_event_clouds(files["events"])
    rows = np.sort(events.parts["test"])
    event = np.full((len(rows), 3), -50.0)
    event[np.arange(len(rows)), events.interaction[rows]] = 0.0
    prong = np.full((len(rows), 3, 6), -50.0)
    where = np.nonzero(events.prong_mask[rows])
    prong[(*where, events.prong_class[rows][where])] = 0.0
    scores = [Scores(name, 1, 1, event, prong) for name in ("perfect", "ceiling")]
    with h5py.File(files["scores"]) as file:
        meta = json.loads(file["meta"][()].tobytes())
    write_scores(tmp_path / "scores.h5", ScoreFile(rows, scores, [], ("", 0)), {"provenance": meta["provenance"]})
    written = {name: tmp_path / f"{name}.csv" for name in ("metrics", "differences", "confusion", "curves")}
    given = {"scores": str(tmp_path / "scores.h5"), "reference": None}
    evaluate_classifiers(Path(files["events"]), given, EvaluationSettings(bootstraps=4), 1, **written)
    table = pd.read_csv(written["metrics"])
    perfect = table[(table["model"] == "perfect") & table["value"].notna()]
    best = perfect[perfect["metric"] != "calibration_error"]
    np.testing.assert_allclose(best["value"], 1.0, atol=1e-9)
    assert (perfect.loc[perfect["metric"] == "calibration_error", "value"] < 1e-9).all()


@pytest.mark.parametrize("name", FIGURES)
def test_figures_can_be_read(name: str, files: dict[str, Any]) -> None:
    with style.applied():
        figure = figure_of(f"neutrinos/{name}")(files)
        assert text_faults(figure) == []
    assert all(axis.get_legend() is None for axis in figure.axes)
    caption = caption_of(FIGURES[name], name)
    assert 3 <= len(re.findall(r"\.(?= |$)", caption)) <= 8
    assert "stand-in" in caption
    assert any("stand-in" in text.get_text() for text in figure.texts)


def test_tables_have_floor_and_ceiling(files: dict[str, Any]) -> None:
    made = {name: getattr(tables, name)(files) for name in TABLES}
    assert [row[0] for row in made["classifiers"].rows] == ["with context", "without context", "histogram"]
    assert [row[0] for row in made["classifiers"].references] == ["ceiling", "floor"]
    assert [row[0] for row in made["prongs"].rows] == ["with context", "without context"]
    for name, table in made.items():
        assert any("stand-in" in note for note in table.notes)
        assert "stand-in" in tables.CAPTIONS[name]
        assert as_html(table)
        assert as_latex(table)


def test_the_answer_has_ceiling_histogram_and_context(files: dict[str, Any]) -> None:
    (answer,) = answers(files)
    assert answer.best_model in ("with context", "without context")
    assert "On a stand-in, not on NOvA" in answer.text
    assert "a classifier of the true visible prongs" in answer.text
    assert "histogram" in answer.text
    assert "On prongs with context" in answer.text or "On prongs without context" in answer.text
    assert 0 <= answer.value <= 1
    assert answer.floor == pytest.approx(1 / 3)
    (of_others,) = answers({**files, "source": "files of others"})
    assert "stand-in" not in of_others.text + of_others.facts["events"]
    (without,) = answers({**files, "reference": None})
    assert "On prongs" not in without.text


@pytest.mark.parametrize("show", [answers, *(figure_of(f"neutrinos/{name}") for name in FIGURES)])
def test_missing_files_are_one_line(show: Any, files: dict[str, Any], tmp_path: Path) -> None:
    none = str(tmp_path / "none.csv")
    names = ("metrics", "differences", "confusion", "curves", "events", "scores")
    entries = [{**entry, "path": none} for entry in files["histories"]]
    for given in ({}, {**files, **dict.fromkeys(names, none), "histories": entries}):
        with pytest.raises(CloudchamberError) as error:
            show(given)
        assert "\n" not in str(error.value)


def test_the_card_says_what_the_files_say_and_its_command_works(
    files: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "study": "neutrinos",
        "dataset": "all",
        "dataset_title": "made-up neutrinos",
        "origin": "nowhere",
        "simulated": True,
        "name": "joint",
        "title": "TransformerCVN",
        "events": files["events"],
        "metrics": files["metrics"],
        "trainings": files["trainings"],
    }
    card = write_card("neutrinos/classifier", given, tmp_path / "card.md")
    assert card.startswith("# TransformerCVN, trained on made-up neutrinos\n")
    for text in (*NeutrinoCard.uses, *NeutrinoCard.limits, NeutrinoCard.stand_in):
        assert text in card
    assert "| events | 150: 75 train, 15 validation, 60 test |" in card
    assert "nan" not in section(card, "Metrics")
    monkeypatch.chdir(tmp_path)
    (command,) = commands_of(card)
    assert main(command) == 0
    (found,) = read_scores(tmp_path / "scores.h5").scores
    expected = next(item for item in read_scores(Path(files["scores"])).scores if item.model == "joint")
    np.testing.assert_array_equal(found.event, expected.event)


MODEL = {"title": "a", "network": NETWORK, "training": {"steps": 1}}
GIVEN = {
    "simulation": SIMULATION,
    "seeds": [1],
    "models": {"a": MODEL},
    "ceiling": {"network": TRUTH, "training": {"steps": 1}},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": "b"}, "reference: no model 'b'"),
        ({"models": {"ceiling": MODEL}}, "models.ceiling: the name is taken"),
        ({"models": {"a": {**MODEL, "network": TRUTH}}}, "true prongs are what the ceiling sees"),
        ({"models": {"a": {**MODEL, "network": {**NETWORK, "heads": 3}}}}, "width must be a multiple of the 3 heads"),
        ({"maps": {"train": 0.9, "validation": 0.2}}, "train \\+ validation must be below 1"),
        ({"simulation": {"beam": {"energies": [5, 30], "events": 3}}}, "energies"),
        ({"simulation": {"beam": {"energies": [30], "events": 3}}}, "energies"),
        ({"evaluation": {"energy_edges": [3, 2]}}, "energy_edges must rise"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, Any], message: str) -> None:
    assert parse(NeutrinosSettings, GIVEN).seeds_of("ceiling") == (1,)
    with pytest.raises(SettingsError, match=message):
        parse(NeutrinosSettings, GIVEN | change)
