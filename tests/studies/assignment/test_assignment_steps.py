"""The steps from events to tables, figures and the answer, on random events."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from assignment_files import TRAINING, random_events, save_untrained, write_collected
from figure_texts import text_faults
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES, plan
from cloudchamber.drawings import figure_of, table_of
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.pipeline.drawing import caption_of
from cloudchamber.settings.base import parse
from cloudchamber.studies.assignment.answer import answers
from cloudchamber.studies.assignment.assign import assign_events
from cloudchamber.studies.assignment.assignment_file import Assignments, read_attention
from cloudchamber.studies.assignment.calibration import calibration_error, reliability, separation
from cloudchamber.studies.assignment.cost import measure_cost
from cloudchamber.studies.assignment.decoding import best_choices
from cloudchamber.studies.assignment.evaluate import evaluate_assignments, significances
from cloudchamber.studies.assignment.event_file import Events
from cloudchamber.studies.assignment.export import export_assignment
from cloudchamber.studies.assignment.figures.masses import draw_sculpting
from cloudchamber.studies.assignment.figures.panels import heading
from cloudchamber.studies.assignment.measures import COLUMNS, Judged, judge, window_row
from cloudchamber.studies.assignment.network_assignments import assign
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.studies.assignment.settings import (
    ChiSquareSettings,
    CostSettings,
    EvaluationSettings,
    PublishedEventsSettings,
)
from cloudchamber.studies.assignment.stored_network import load_network
from cloudchamber.studies.assignment.train import train_assignment

STUDY = STUDIES["assignment"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all figures and tables need: two networks, own and published events, multijets."""
    folder = tmp_path_factory.mktemp("assignment")
    networks = {seed: save_untrained(folder, seed) for seed in (1, 2, 3)}
    entry = {"name": "spatter", "trained_on": "own", "training_events": None, "part": None}
    samples = []
    for name, events in (("own", 130), ("published", 90), ("background", 60)):
        path = write_collected(folder / f"{name}.h5", events)
        models = [{**entry, "seed": seed, **networks[seed]} for seed in (1, 2)]
        if name == "own":
            models.append({**entry, "seed": 1, "training_events": 10, **networks[3]})
        if name == "published":
            models.append({**entry, "seed": 1, "trained_on": "published", **networks[3]})
        output = folder / f"{name}_assignments.h5"
        assign_events(path, {"part": None, "models": models}, ChiSquareSettings(), 2 if name == "own" else 0, output)
        samples.append({"name": name, "events": str(path), "assignments": str(output)})
    cost = folder / "times.csv"
    cost_models = {"models": [{"name": "spatter", **networks[1]}]}
    measure_cost(Path(samples[0]["events"]), cost_models, CostSettings(batch_sizes=(1, 4), rounds=1), cost)
    tables = {name: folder / f"{name}.csv" for name in ("metrics", "significance", "masses", "calibration")}
    given = {"samples": samples[:2], "background": samples[2], "cost": str(cost)}
    evaluate_assignments(given, EvaluationSettings(), 1, **tables)
    history = folder / "history.csv"
    history.write_text("step,learning_rate,training_loss,validation_loss\n1,0.1,3,3\n2,0.1,2,2.5\n", encoding="utf-8")
    return {
        "title": "all-hadronic top pairs",
        "models": [{"name": "spatter", "title": "SPAtter, low rank"}],
        "samples": [{"name": "own", "title": "own events"}, {"name": "published", "title": "published events"}],
        **{name: str(path) for name, path in tables.items()},
        "cost": str(cost),
        "events": samples[0]["events"],
        "assignments": samples[0]["assignments"],
        "histories": [{"name": "spatter", "title": "SPAtter", "seed": 1, "path": str(history)}],
    }


@pytest.mark.parametrize("name", STUDY.figure_functions)
def test_figures_can_be_read(name: str, files: dict[str, Any]) -> None:
    with style.applied():
        figure = figure_of(f"assignment/{name}")(files)
        assert text_faults(figure) == []
    assert all(axis.get_legend() is None for axis in figure.axes)
    assert len(caption_of(STUDY.figure_functions[name], name)) > 100


@pytest.mark.parametrize("name", STUDY.table_functions)
def test_tables_can_be_written(name: str, files: dict[str, Any]) -> None:
    table = table_of(f"assignment/{name}")(files)
    assert table.rows
    assert all(len(row) == len(table.header) for row in (*table.rows, *table.references))
    assert "SPAtter, low rank" in as_html(table)
    assert "nan" not in as_latex(table)


def test_published_numbers_stand_apart_as_those_of_another_sample(files: dict[str, Any]) -> None:
    table = table_of("assignment/efficiencies")(files)
    assert "another sample" in table.header[-1]
    cells = {(row[1], row[2]): row[-1] for row in table.rows if row[0] == "own events"}
    assert cells["χ², equal masses", "6 jets"] == "61.8 / 65.0 / 24.2"
    assert cells["χ², top mass", "6 jets"] == ""
    network = next(value for (method, jets), value in cells.items() if "SPAtter" in method and jets == "all")
    assert network == "63.7 / 73.5 / 55.2"


def test_the_table_of_metrics_is_that_of_all_studies(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["metrics"])
    assert list(table.columns) == list(COLUMNS)
    assert set(table["study"]) == {"assignment"}
    rows = table[table["metric"] == "event_efficiency"]
    assert rows[["value", "uncertainty", "floor", "n_reference"]].notna().all(axis=None)
    assert ((rows["value"] >= 0) & (rows["value"] <= 1)).all()
    tagged = rows["model"].isin(["chi_square_equal_masses", "chi_square_top_mass"])
    assert (rows.loc[tagged, "value"] <= rows.loc[tagged, "ceiling"] + 1e-9).all()
    # Random weights are a random assignment: not above its floor by much.
    network = rows[(rows["model"] == "spatter") & (rows["feature"] == "all")]
    assert (network["value"] < network["floor"] + 5 * network["uncertainty"].clip(lower=0.02)).all()


def test_a_random_assignment_has_the_stated_floor(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["metrics"])
    row = table[(table["metric"] == "event_efficiency") & (table["feature"] == "7 jets")].iloc[0]
    # 7 jets: 7 ways to leave one out, 90 assignments of the others.
    assert row["floor"] == pytest.approx(1 / 630)
    row = table[(table["metric"] == "eps_2_top") & (table["feature"] == "6 jets")].iloc[0]
    # 90 assignments of six jets have 2 tops each, of 60 possible ones.
    assert row["floor"] == pytest.approx(2 / 60)


def test_the_learning_curve_knows_on_how_many_events(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["metrics"])
    rows = table[(table["metric"] == "learning_curve") & (table["trained_on"] == "own") & (table["feature"] == "all")]
    assert set(rows.loc[rows["dataset"] == "own", "n_training"]) == {31, 32, 33}
    # Its smaller points are in no other metric.
    others = table[(table["metric"] == "event_efficiency") & (table["trained_on"] == "own")]
    assert set(others["n_training"]) == {31, 32}


def test_differences_are_taken_on_the_same_events(files: dict[str, Any]) -> None:
    metrics, differences = pd.read_csv(files["metrics"]), pd.read_csv(files["significance"])
    rows = metrics[(metrics["metric"] == "event_efficiency") & (metrics["dataset"] == "own")]
    rows = rows[rows["feature"] == "all"]
    network = rows.loc[rows["model"] == "spatter", "value"].mean()
    other = rows.loc[rows["model"] == "chi_square_top_mass", "value"].iloc[0]
    line = differences[(differences["dataset"] == "own") & (differences["other"] == "chi_square_top_mass")]
    line = line[line["feature"] == "all"].iloc[0]
    assert line["difference"] == pytest.approx(network - other)


def test_assignments_of_other_events_are_refused(files: dict[str, Any], tmp_path: Path) -> None:
    # As many events, from another seed.
    events = write_collected(tmp_path / "own.h5", 130, train=0.4)
    assignments = files["assignments"]
    given = {"samples": [{"name": "own", "events": str(events), "assignments": assignments}]}
    outputs = {name: tmp_path / f"{name}.csv" for name in ("metrics", "significance", "masses", "calibration")}
    with pytest.raises(InputError, match=r"was made from other events than those of .*own\.h5"):
        evaluate_assignments({**given, "background": None, "cost": None}, EvaluationSettings(), 1, **outputs)


def test_the_answer_says_who_is_better_and_of_which_sample(files: dict[str, Any]) -> None:
    found = answers(files)
    assert [item.dataset for item in found] == ["own events", "published events"]
    assert "not the sample of arXiv 2010.09206" in found[0].facts["events"]
    assert "own simulation" in found[0].facts["events"]
    assert "At no number of jets" in found[0].text
    (alone,) = answers({**files, "samples": files["samples"][:1]})
    assert alone.dataset == ""
    assert 0 <= alone.value <= 1


def better(files: dict[str, Any], folder: Path, deviations: dict[str, float]) -> str:
    """The answer where the differences have other standard deviations."""
    table = pd.read_csv(files["significance"])
    table["standard_deviations"] = table["feature"].map(deviations)
    table.to_csv(folder / "significance.csv", index=False)
    return answers({**files, "significance": str(folder / "significance.csv")})[0].text


def test_the_sentences_follow_the_numbers(files: dict[str, Any], tmp_path: Path) -> None:
    three = {"6 jets": 4.0, "7 jets": 4.0, "8 and more jets": 4.0, "all": 6.0}
    assert "Attention is better" in better(files, tmp_path, three)
    assert "At every number of jets" in better(files, tmp_path, three)
    assert "with 6 jets only" in better(files, tmp_path, three | {"7 jets": 2.0, "8 and more jets": 0.0, "all": 1.0})
    assert "cannot be told apart" in better(files, tmp_path, three | {"all": 1.0})
    worse = better(files, tmp_path, three | {"all": -3.0})
    # Why it is worse no number here says.
    assert "Attention is worse by" in worse
    assert "too few" not in worse


def test_bins_without_events_are_named(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["significance"])
    table["standard_deviations"] = 4.0
    table[table["feature"] != "7 jets"].to_csv(tmp_path / "significance.csv", index=False)
    text = answers({**files, "significance": str(tmp_path / "significance.csv")})[0].text
    assert text.endswith("by more than three standard deviations. Of 7 jets there is no event.")


def test_own_files_are_not_called_a_simulation(files: dict[str, Any]) -> None:
    """Figures of events of the user had "own simulation" above them."""
    given = {**files, "origin": "files of the user: mine", "background": "W and jets"}
    assert heading(given) == f"{files['title']} (files of the user: mine)"
    assert "files of the user: mine" in answers(given)[0].facts["events"]
    assert "own simulation" in heading(files)
    title = draw_sculpting(given).get_suptitle()
    assert title.endswith("events without tops: W and jets")


def test_differences_of_seeds_are_of_the_events_that_all_have() -> None:
    """Of a seed that assigned other events than the first, other events were compared."""
    sample = random_events(np.random.default_rng(1), 60)
    rng = np.random.default_rng(2)
    right = rng.random(60) < 0.5
    jets = np.where(right[:, None], sample.targets, -1)

    def made(method: str, trained_on: str, seed: int, rows: np.ndarray) -> Judged:
        numbers = np.zeros((len(rows), 2))
        return judge(Assignments(method, trained_on, None, 9, seed, rows, jets[rows], numbers, numbers), sample)

    every = np.arange(60)
    other = made("chi_square_top_mass", "", 0, every)
    judged = [made("spatter", "own", 1, every), made("spatter", "own", 2, every[20:]), other]
    assert {row["difference"] for row in significances("own", judged)} == {0.0}


def test_a_random_choice_needs_six_jets() -> None:
    """Slots without a jet, which have no momentum, were taken for jets."""
    rng = np.random.default_rng(3)
    values = np.stack([rng.uniform(60, 120, (40, 8)), *rng.uniform(-1, 1, (2, 40, 8)), *np.ones((2, 40, 8))], axis=2)
    mask = np.arange(8) < np.where(np.arange(40) < 20, 5, 8)[:, None]
    events = Events(np.where(mask[:, :, None], values, 0).astype(np.float32), mask, np.full((40, 6), -1))
    made = Assignments("a", "", None, 0, 0, np.arange(40), np.full((40, 6), -1), np.zeros((40, 2)), np.zeros((40, 2)))
    settings = EvaluationSettings(signal_window=(1.0, 1e4))
    row = window_row("background", made, events, settings, np.random.default_rng(1))
    assert row["value"] == 0
    assert row["floor"] == pytest.approx(0.5)


def test_attention_is_kept_of_complete_events(files: dict[str, Any]) -> None:
    seen = read_attention(Path(files["assignments"]))
    assert len(seen) == 2
    for item in seen:
        np.testing.assert_allclose(item.weights.sum(axis=-1), 1.0, rtol=1e-5)


def test_a_training_goes_on_as_if_it_was_not_ended(tmp_path: Path) -> None:
    events = write_collected(tmp_path / "events.h5")
    settings = AssignmentTrainingSettings.model_validate(TRAINING)

    def train(folder: Path, size: int | None = None) -> bytes:
        outputs = [folder / name for name in ("weights", "description", "history")]
        train_assignment(events, settings, 1, "all", size, folder / "state", *outputs)
        return outputs[0].read_bytes()

    first = train(tmp_path / "one")
    assert train(tmp_path / "one") == first
    assert train(tmp_path / "two") == first
    assert train(tmp_path / "few", 10) != first
    assert json.loads((tmp_path / "few/description").read_text())["training"]["complete_events"] == 10
    with pytest.raises(InputError, match="training events have all particles identifiable, asked for 5000"):
        train(tmp_path / "many", 5000)


def test_an_exported_network_takes_any_number_of_events(tmp_path: Path) -> None:
    """The step itself compares the file with the network on six events; here are others, of another number."""
    runtime = pytest.importorskip("onnxruntime")
    stored = save_untrained(tmp_path)
    export_assignment(Path(stored["weights"]), Path(stored["description"]), 9, tmp_path / "network.onnx")
    session = runtime.InferenceSession(str(tmp_path / "network.onnx"), providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_outputs()] == ["log_p_t1", "log_p_t2", "detection"]
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["particles"]) == {"t1": ["b", "q1", "q2"], "t2": ["b", "q1", "q2"]}
    events = random_events(np.random.default_rng(1), 11, most=9)
    *scores, _ = session.run(None, {"jets": events.jets, "mask": events.mask})
    network = load_network(Path(stored["weights"]), Path(stored["description"])).network
    # Decoding is outside of the file, and finds what it finds without it.
    assert np.array_equal(best_choices(scores)[0], assign(network, events).jets)


def test_published_events_that_are_not_there_are_named() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    chosen = {"scale": "tiny", "studies": ["assignment"], "assignment": {"published": {"file": "nowhere.h5"}}}
    with pytest.raises(SettingsError, match=r"assignment\.published\.file: no such file: nowhere\.h5"):
        plan(config | chosen, REPOSITORY)


@pytest.mark.parametrize(
    ("published", "title"),
    [
        ({}, "events shipped with SPANet"),
        ({"file": "/data/mine.h5"}, "events of mine.h5"),
        ({"file": "$MINE"}, "events of $MINE"),
        ({"file": "/data/mine.h5", "title": "all-hadronic tops of my generator"}, "all-hadronic tops of my generator"),
    ],
)
def test_a_file_of_the_user_is_not_called_that_of_spanet(published: dict[str, str], title: str) -> None:
    assert parse(PublishedEventsSettings, published).words == title


def test_calibration_of_true_and_of_false_probabilities() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(20_000)
    right = rng.random(20_000) < probability
    assert calibration_error(probability, right, 10) < 0.02
    assert calibration_error(probability, np.ones(20_000, bool), 10) == pytest.approx(0.5, abs=0.02)
    assert reliability(probability, right, 10).n.sum() == 20_000


def test_separation_is_the_share_of_pairs_in_order() -> None:
    score, positive = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True])
    assert separation(score, positive) == pytest.approx(3.5 / 4)
