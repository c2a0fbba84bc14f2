"""Steps, figure and tables of the study of gating, from the settings to what is shown."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.base import parse
from cloudchamber.studies.gating import figures, tables
from cloudchamber.studies.gating.capacity import FAMILIES
from cloudchamber.studies.gating.check_identities import check_identities
from cloudchamber.studies.gating.count import METRIC_COLUMNS_OF_STUDY, count_functions
from cloudchamber.studies.gating.function_counts import LABELS
from cloudchamber.studies.gating.settings import GatingSettings


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps write by default."""
    folder = tmp_path_factory.mktemp("gating")
    count_functions(GatingSettings(), folder / "counts.csv", folder / "metrics.csv")
    check_identities(GatingSettings(trials=20), 1, folder / "identities.csv")
    return {"counts": str(folder / "counts.csv"), "identities": str(folder / "identities.csv")}


def drawn(files: dict[str, Any]) -> Figure:
    with style.applied():
        figure = figures.draw_capacity(files)
        FigureCanvasAgg(figure).draw()
        return figure


def test_the_figure_shows_the_counts(files: dict[str, Any]) -> None:
    bits, ratios = drawn(files).axes
    heights = {float(y) for line in bits.lines for y in np.asarray(line.get_ydata())}
    for functions in (14, 1882, 54_310, 57_574, 32_506, 387_698_944, 44_642_388, 2**32):
        assert any(abs(height - np.log2(functions)) < 1e-9 for height in heights), functions
    assert max(float(np.max(line.get_ydata())) for line in ratios.lines if len(line.get_ydata())) == 2.0
    assert "[bit]" in bits.get_ylabel()
    assert bits.get_xlabel() == ratios.get_xlabel() == "number of inputs"
    assert [label.get_text() for label in bits.get_xticklabels()] == ["1", "2", "3", "4", "5\n(stored)"]


def test_the_legend_tells_families_apart_without_colour(files: dict[str, Any]) -> None:
    figure = drawn(files)
    assert all(axis.get_legend() is None for axis in figure.axes)
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert [label for label in labels if "±1" in label] + [label for label in labels if "0/1" in label]
    assert "exact, stored constant" in labels
    lines = legend.get_lines()
    assert len({line.get_marker() for line in lines[: len(FAMILIES)]}) == len(FAMILIES)
    assert len({str(line._unscaled_dash_pattern) for line in lines[: len(FAMILIES)]}) == len(FAMILIES)  # type: ignore[attr-defined]


@pytest.mark.parametrize("some", [False, True])
def test_all_text_is_inside_and_none_lies_upon_another(some: bool, files: dict[str, Any], tmp_path: Path) -> None:
    if some:
        count_functions(
            GatingSettings(inputs=2, stored_inputs=False), tmp_path / "counts.csv", tmp_path / "metrics.csv"
        )
        files = {"counts": str(tmp_path / "counts.csv")}
    with style.applied():
        assert text_faults(figures.draw_capacity(files)) == []


def test_nothing_is_said_of_stored_numbers_where_there_are_none(tmp_path: Path) -> None:
    count_functions(GatingSettings(inputs=2, stored_inputs=False), tmp_path / "counts.csv", tmp_path / "metrics.csv")
    files = {"counts": str(tmp_path / "counts.csv")}
    assert not [text for text in drawn(files).findobj(Text) if "stored" in text.get_text()]
    assert not [note for note in tables.counts(files).notes if "tored" in note]


def test_the_figure_is_written(files: dict[str, Any], tmp_path: Path) -> None:
    with style.applied():
        style.save(figures.draw_capacity(files), tmp_path / "a.pdf", tmp_path / "a.png")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "a.png").stat().st_size > 20_000


def test_the_table_of_counts(files: dict[str, Any]) -> None:
    table = tables.counts(files)
    assert len(table.rows) == 25
    assert {len(row) for row in table.rows} == {len(table.header)}
    cells = {(row[0], row[1]): row for row in table.rows}
    signs = cells["gate gated by a gate, outputs ±1", "4"]
    assert signs[2:7] == (
        "54,310",
        "15.729",
        "21.756",
        "twice the capacity of one linear threshold gate",
        "10",
    )
    absent = cells["degree-2 threshold gate", "5"]
    assert absent[2:5] == ("not counted", "", "31.000")
    assert cells["all functions", "5"][2] == "4,294,967,296"
    assert "not counted" in as_html(table)
    assert r"$\pm$1" in as_latex(table)


def test_the_table_of_identities(files: dict[str, Any]) -> None:
    table = tables.identities(files)
    assert [row[4] for row in table.rows] == ["yes"] * 5
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert "XOR" in as_html(table)


def test_an_identity_that_fails_is_shown(files: dict[str, Any], tmp_path: Path) -> None:
    data = pd.read_csv(files["identities"])
    data.loc[1, "holds"] = False
    data.to_csv(tmp_path / "identities.csv", index=False)
    assert [row[4] for row in tables.identities({"identities": str(tmp_path / "identities.csv")}).rows][1] == "NO"


def test_steps_are_reproducible(files: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        count_functions(GatingSettings(inputs=3), tmp_path / name, tmp_path / f"metrics_{name}")
    for seed in (1, 2):
        check_identities(GatingSettings(trials=20), seed, tmp_path / f"{seed}.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "1.csv").read_bytes() == Path(files["identities"]).read_bytes()
    assert (tmp_path / "2.csv").read_bytes() != Path(files["identities"]).read_bytes()


def test_captions_are_a_few_sentences_and_name_the_conventions_and_the_source() -> None:
    assert set(tables.CAPTIONS) == {"counts", "identities"}
    for caption in (figures.CAPTIONS["capacity"], *tables.CAPTIONS.values()):
        assert 3 <= len(re.findall(r"\.(?= |$)", caption)) <= 6
        assert "arXiv 2202.08371" in caption
        assert "  " not in caption
    for caption in (figures.CAPTIONS["capacity"], tables.CAPTIONS["counts"]):
        assert "±1" in caption
        assert "0/1" in caption
    assert set(LABELS) == set(FAMILIES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "cubic_threshold"}, "no families"),
        ({"family": "all"}, "no linear threshold gates"),
        ({"drop": "bound"}, "no column"),
    ],
)
def test_unusable_counts_are_one_line_errors(
    change: dict[str, str], message: str, files: dict[str, Any], tmp_path: Path
) -> None:
    data = pd.read_csv(files["counts"])
    data = data.drop(columns=change["drop"]) if "drop" in change else data.assign(**change)
    data.to_csv(tmp_path / "counts.csv", index=False)
    for show in (figures.draw_capacity, tables.counts):
        with pytest.raises(InputError, match=message) as error:
            show({"counts": str(tmp_path / "counts.csv")})
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("show", [figures.draw_capacity, tables.counts, tables.identities])
def test_missing_files_are_one_line_errors(show: Any, tmp_path: Path) -> None:
    for files in ({}, {"counts": str(tmp_path / "none.csv"), "identities": str(tmp_path / "none.csv")}):
        with pytest.raises(CloudchamberError) as error:
            show(files)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("values", [{"inputs": 5}, {"inputs": 0}, {"trials": 0}, {"unknown": 1}])
def test_settings_outside_of_what_can_be_counted_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match=next(iter(values))):
        parse(GatingSettings, values)


def test_settings_have_defaults_and_descriptions() -> None:
    assert GatingSettings() == GatingSettings(inputs=4, stored_inputs=True, trials=100)
    assert all(field.description for field in GatingSettings.model_fields.values())


def test_the_table_of_metrics_has_values_and_ceilings(tmp_path: Path) -> None:
    count_functions(GatingSettings(), tmp_path / "counts.csv", tmp_path / "metrics.csv")
    table = read_table(tmp_path / "metrics.csv", METRIC_COLUMNS_OF_STUDY)
    assert (table["study"] == "gating").all()
    assert (table["metric"] == "capacity").all()
    assert (table["uncertainty"] == 0).all()
    value, ceiling = (table.set_index(["model", "feature"])[name] for name in ("value", "ceiling"))
    assert value["linear_threshold", "3 inputs"] == pytest.approx(np.log2(104))
    assert value["gated_signs", "5 inputs"] == pytest.approx(np.log2(387_698_944))
    assert ("quadratic_threshold", "5 inputs") not in value.index
    # Twice the capacity of one gate, or all functions.
    assert ceiling["gated_signs", "4 inputs"] == 16.0
    assert ceiling["linear_threshold", "3 inputs"] == pytest.approx(np.log2(2 * (1 + 7 + 21 + 35)))
    assert (value <= ceiling + 1e-12).all()


def test_more_trials_are_more_random_inputs(tmp_path: Path) -> None:
    for trials in (20, 40):
        check_identities(GatingSettings(trials=trials), 1, tmp_path / f"{trials}.csv")
    few, many = (read_table(tmp_path / f"{trials}.csv")["control_deviation"] for trials in (20, 40))
    assert (many != few).any()
