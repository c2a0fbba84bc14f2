"""Figures and tables of the tagging study: labels, whose sample it is, and the numbers they hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from matplotlib.figure import Figure
from tagging_files import tagging_study

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import figure_of, table_of
from cloudchamber.errors import InputError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import Table, as_html, as_latex
from cloudchamber.pipeline.drawing import caption_of
from cloudchamber.studies.tagging.answer import answers
from cloudchamber.studies.tagging.figures.inputs import (
    read_confusion,
    read_learning_curves,
    read_of_bins,
    read_reliability,
    read_roc,
)

STUDY = STUDIES["tagging"]
NAMES = ("1", "2", "4b", "8")
# A label of each figure that is drawn from the tables of the study.
LABELS = {
    "accuracy": "higher is better",
    "roc": "background rejection",
    "confusion": "chosen class",
    "calibration": "accuracy in the bin",
    "kinematics": "[GeV]",
    "learning_curve": "training jets, all classes together",
    "cost": "[s]",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all figures and tables need."""
    return tagging_study(tmp_path_factory.mktemp("tagging"), NAMES, {"pfn": 1.0, "transformer_1": 1.6}, 900)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same of all classes and of many models with long names."""
    models = {f"particle transformer, variant {number}": 1.0 + 0.1 * number for number in range(8)}
    return tagging_study(tmp_path_factory.mktemp("many"), ("1", "2", "3", "4b", "4q", "6", "8"), models, 300)


def _figure(name: str, files: dict[str, Any]) -> Figure:
    with style.applied():
        return figure_of(f"tagging/{name}")(files)


def _table(name: str, files: dict[str, Any]) -> Table:
    return table_of(f"tagging/{name}")(files)


@pytest.mark.parametrize(("flat", "said"), [(True, "flat in mass and pT"), (False, "in mass and pT as they are")])
def test_how_jets_are_weighed_is_that_of_the_sample(flat: bool, said: str, files: dict[str, Any]) -> None:
    """Jets of one's own have no weights unless they are asked for."""
    given = {**files, "flat": flat}
    assert any(said in axis.get_ylabel() for axis in _figure("kinematics", given).axes)
    assert any(said in note for note in _table("models", given).notes)
    kinds = [{**entry, "kind": "transformer"} for entry in files["models"]]
    (answer,) = answers({**given, "models": kinds, "classes": list(NAMES)})
    assert answer.facts["measure"].endswith(f"jets {said}")


def test_models_and_classes_of_one_title_are_told_apart(files: dict[str, Any]) -> None:
    """As where a model was copied and keeps its title: each has its own cost."""
    same = {**files, "models": [{**entry, "title": "tagger"} for entry in files["models"]]}
    same["classes"] = [{**entry, "title": "jets"} for entry in files["classes"]]
    apart, before = _table("models", same), _table("models", files)
    assert [row[0] for row in apart.rows] == ["tagger (pfn)", "tagger (transformer_1)"]
    assert [row[1:] for row in apart.rows] == [row[1:] for row in before.rows]
    assert apart.rows[0][-1] != apart.rows[1][-1]
    titles = {axis.get_title() for axis in _figure("roc", same).axes if axis.get_visible()}
    assert titles == {f"jets ({name})" for name in NAMES}


def test_classes_whose_names_are_numbers_keep_them(tmp_path: Path) -> None:
    files = tagging_study(tmp_path, ("0", "01"), {"pfn": 1.0, "transformer_1": 1.6}, 300)
    assert list(read_roc(files)) == ["0", "01"]
    assert read_confusion(files)[0][1].shape == (2, 2)
    assert _table("models", files).rows


def test_every_figure_of_the_tables_is_drawn_here() -> None:
    others = {"jets", "images", "histories", "relevance"}
    assert set(LABELS) == set(STUDY.figure_functions) - others


@pytest.mark.parametrize(
    ("name", "entry"),
    [*STUDY.figure_functions.items(), *STUDY.table_functions.items()],
    ids=[*STUDY.figure_functions, *(f"table_{name}" for name in STUDY.table_functions)],
)
def test_every_figure_and_table_has_a_caption(name: str, entry: str) -> None:
    assert len(caption_of(entry, name).split()) > 15


@pytest.mark.parametrize("name", LABELS)
def test_figures_have_labels_legends_and_say_whose_sample_it_is(name: str, files: dict[str, Any]) -> None:
    figure = _figure(name, files)
    heading = " ".join(figure.get_suptitle().split())
    assert "own sample of jets, not that of arXiv 2202.00723" in heading
    visible = [axis for axis in figure.axes if axis.get_visible()]
    labels = [text for axis in visible for text in (axis.get_xlabel(), axis.get_ylabel())]
    assert any(LABELS[name] in label for label in labels)
    assert bool(figure.legends) == (name != "confusion")
    assert all(axis.get_legend() is None for axis in figure.axes)
    for axis in visible:
        place = axis.get_subplotspec()
        if place is not None and place.is_last_row():
            assert axis.get_xlabel()


@pytest.mark.parametrize("models", ["files", "many"])
@pytest.mark.parametrize("name", LABELS)
def test_all_texts_can_be_read(name: str, models: str, request: pytest.FixtureRequest) -> None:
    with style.applied():
        assert text_faults(_figure(name, request.getfixturevalue(models))) == []


def test_a_figure_is_drawn_without_warnings_and_the_same_each_time(files: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a", "b"):
        with style.applied():
            style.save(_figure("kinematics", files), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_curves_hold_the_numbers_of_the_tables(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["metrics"])
    (pfn, _), edges = read_learning_curves(files), read_of_bins(files, "jet_mass")[0]
    rows = table[(table["model"] == "pfn") & (table["metric"] == "learning_curve")]
    np.testing.assert_allclose(pfn.x, sorted(rows["n_training"].unique()))
    np.testing.assert_allclose(pfn.mean, rows.groupby("n_training")["value"].mean())
    assert pfn.values.shape == (3, 3)
    np.testing.assert_allclose(edges, np.linspace(300, 700, 9))
    (curve, _) = read_roc(files)["4b"]
    half = table[(table["model"] == "pfn") & (table["metric"] == "rejection") & (table["feature"] == "4b")]
    np.testing.assert_allclose(1 / curve.values[np.isclose(curve.x, 0.5)][0], half.sort_values("seed")["value"])


def test_bands_of_seeds_are_in_the_legend_only_where_there_are_several(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["curves"])
    table[table["seed"] == 1].to_csv(tmp_path / "curves.csv", index=False)
    one = {**files, "curves": str(tmp_path / "curves.csv")}
    shown = [
        "bands: range of the seeds" in [text.get_text() for text in _figure("roc", of).legends[0].get_texts()]
        for of in (files, one)
    ]
    assert shown == [True, False]


def test_each_floor_is_drawn_across_the_row_of_its_tagger(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["metrics"])
    of_error = table["metric"] == "calibration_error"
    floors = table["model"].map({"pfn": 0.02, "transformer_1": 0.04})
    table.assign(floor=table["floor"].where(~of_error, floors)).to_csv(tmp_path / "metrics.csv", index=False)
    figure = _figure("accuracy", {**files, "metrics": str(tmp_path / "metrics.csv")})
    (axis,) = (axis for axis in figure.axes if axis.get_title() == "calibration error")
    lines = [path for drawn in axis.collections for path in getattr(drawn, "get_segments", list)()]
    found = {tuple(line[:, 1]): line[0, 0] for line in lines if line[0, 0] == line[1, 0]}
    assert found[-0.5, 0.5] == pytest.approx(0.02)
    assert found[0.5, 1.5] == pytest.approx(0.04)


def test_a_marker_at_zero_lies_inside_of_the_calibration(files: dict[str, Any]) -> None:
    upper, lower = _figure("calibration", files).axes
    assert upper.get_ylim()[0] < 0.0
    assert upper.get_ylim()[1] > 1.0
    assert lower.get_ylim()[0] < 0.0


def test_accuracies_of_nearly_empty_bins_are_left_out(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["curves"])
    of_bins = table["curve"] == "reliability"
    emptiest = table.loc[of_bins, "bin"].min()
    table.loc[of_bins & (table["bin"] == emptiest), ["share", "y"]] = 0.0019, 1.0
    table.to_csv(tmp_path / "curves.csv", index=False)
    changed = {**files, "curves": str(tmp_path / "curves.csv")}
    (before, shares), (after, all_shares) = read_reliability(files), read_reliability(changed)
    assert len(all_shares[0].x) == len(shares[0].x) == len(before[0].x)
    np.testing.assert_allclose(after[0].values, before[0].values[1:])


def test_confusion_is_the_mean_over_seeds(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["confusion"], dtype={"true": str, "chosen": str})
    for model, shares in read_confusion(files):
        rows = table[(table["model"] == model.name) & (table["true"] == "2") & (table["chosen"] == "8")]
        assert len(rows) == 3
        assert shares[1, 3] == pytest.approx(rows["value"].mean())
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", STUDY.table_functions)
def test_tables_are_rectangular_and_say_whose_sample_it_is(name: str, files: dict[str, Any]) -> None:
    table = _table(name, files)
    assert {len(row) for row in [*table.rows, *table.references]} == {len(table.header)}
    assert any("own sample of jets, not that of arXiv 2202.00723" in note for note in table.notes)
    assert as_html(table).count("<tr") == len(table.rows) + len(table.references) + 1
    assert r"\bottomrule" in as_latex(table)


def test_the_table_of_models_has_quality_and_cost(files: dict[str, Any]) -> None:
    table = _table("models", files)
    metrics = pd.read_csv(files["metrics"])
    of_model = metrics[(metrics["model"] == "pfn") & (metrics["metric"] == "accuracy")]
    accuracy, others = table.rows[0][1], table.rows[0][5:]
    assert float(accuracy.split(" ± ")[0]) == pytest.approx(of_model["value"].mean(), abs=0.006)
    assert others == ("10.0",) * 4
    assert table.references[0][1] == "0.250"
    assert {"auc", "rejection", "parameters"} <= set(table.data["metric"])


def test_the_better_model_stands_first_in_the_table_of_differences(files: dict[str, Any]) -> None:
    """One row for trainings with all jets, one for each size of the learning curve."""
    everything, *parts = _table("significance", files).rows
    assert everything[:3] == ("TRANSFORMER_1", "PFN", "all")
    assert [row[2] for row in parts] == ["10", "40"]
    table = pd.read_csv(files["significance"])
    for row, jets in ((everything, None), (parts[0], 10), (parts[1], 40)):
        pair = table[table["jets_per_class"].isna() if jets is None else table["jets_per_class"] == jets]
        assert len(pair) == 3
        sign = 1 if row[0] == pair["model"].iloc[0] else -1
        assert float(row[3].split(" ± ")[0]) == pytest.approx(sign * pair["difference"].mean(), abs=0.006)
        alone = pair["only_model_right" if sign > 0 else "only_other_right"]
        assert row[4] == f"{alone.min()} to {alone.max()}"


def test_missing_models_and_metrics_are_one_line_errors(files: dict[str, Any]) -> None:
    stranger = [*files["models"], {"name": "stranger", "title": "Stranger", "seed": 1}]
    for name, message in (
        ("learning_curve", "no rows of 'Stranger'"),
        ("confusion", "no shares of all classes of 'Stranger'"),
        ("accuracy", "no metric 'accuracy' of data set 'jets' for 'Stranger'"),
    ):
        with pytest.raises(InputError, match=message):
            figure_of(f"tagging/{name}")({**files, "models": stranger})
