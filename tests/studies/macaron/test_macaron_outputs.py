"""Figures, tables and the answer of the study."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from figure_texts import text_faults
from macaron_files import write_arms, write_study
from matplotlib.figure import Figure

from cloudchamber.errors import CloudchamberError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.studies.macaron import tables
from cloudchamber.studies.macaron.answer import answers
from cloudchamber.studies.macaron.figures import arms, convergence, paths, refinement

CAPTIONS = {**arms.CAPTIONS, **convergence.CAPTIONS, **paths.CAPTIONS, **refinement.CAPTIONS}


@pytest.fixture(scope="session")
def drawn_files(study_files: dict[str, Any], splitting_folder: Path) -> dict[str, Any]:
    return study_files | {"paths": str(splitting_folder / "paths.csv")}


def drawn(make: Callable[[dict[str, Any]], Figure], files: dict[str, Any]) -> Figure:
    with style.applied():
        return make(files)


@pytest.mark.parametrize("make", [paths.draw_paths, convergence.draw_convergence, arms.draw_arms])
def test_all_text_is_inside_and_none_lies_upon_another(make: Any, drawn_files: dict[str, Any]) -> None:
    with style.applied():
        figure = make(drawn_files)
        assert text_faults(figure) == []
    assert len(figure.legends) == 1
    assert all(axis.get_xlabel() for axis in figure.axes if axis not in figure.axes[:3] or make is not arms.draw_arms)


def test_the_slopes_in_the_figure_are_the_measured_ones(drawn_files: dict[str, Any]) -> None:
    figure = drawn(convergence.draw_convergence, drawn_files)
    orders = pd.read_csv(drawn_files["orders"]).set_index(["system", "sub_step", "scheme", "kind"])["value"]
    texts = [axis.texts[0].get_text() for axis in figure.axes]
    assert f"Strang: {orders['balanced', 'exact', 'strang', 'global']:.3f}" in texts[0]
    assert f"Strang: {orders['balanced', 'euler', 'strang', 'global']:.3f}" in texts[2]
    assert f"Lie: {orders['strong', 'euler', 'lie', 'global']:.3f}" in texts[5]


def test_a_dot_for_each_training_of_each_arm(drawn_files: dict[str, Any]) -> None:
    figure = drawn(arms.draw_arms, drawn_files)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [3, 3, 3]  # type: ignore[arg-type]
    metrics = pd.read_csv(drawn_files["metrics"])
    values = metrics.loc[(metrics["metric"] == "accuracy") & (metrics["model"] == "standard"), "value"]
    assert list(dots[0].get_xdata()) == pytest.approx(list(values))


def test_one_training_of_each_arm_can_be_drawn(splitting_folder: Path, tmp_path: Path) -> None:
    alone = {"standard": 0.6, "macaron": 0.7}
    files = write_study(tmp_path, write_arms(tmp_path, splitting_folder, alone, 1, 120), alone)
    with style.applied():
        assert text_faults(arms.draw_arms(files)) == []
    (answer,) = answers(files)
    assert answer.headline.startswith("one training of each arm")
    assert answer.facts["trainings"].startswith("one:")
    assert [row[1] for row in tables.arms(files).rows] == ["1", "1"]


def test_the_answer_names_the_arms_that_differ_and_the_orders(study_files: dict[str, Any]) -> None:
    (answer,) = answers(study_files)
    assert re.match(
        r"different in accuracy from 'standard' beyond chance: 'macaron' \(\+0\.\d+ ± 0\.\d+\)$", answer.headline
    )
    assert "halves after" not in answer.headline
    assert re.search(r"is of order 2\.0\d* ± \S+ with exact sub-steps, but of order 1\.0\d* ± ", answer.text)
    assert "Stated beforehand" in answer.text
    assert answer.best_model == "macaron"
    assert answer.floor == pytest.approx(1 / 3)
    assert "translation" in answer.facts["not rerun"]


def test_no_difference_is_an_answer(splitting_folder: Path, tmp_path: Path) -> None:
    alike = {"standard": 0.70, "macaron": 0.702}
    files = write_study(tmp_path, write_arms(tmp_path, splitting_folder, alike, 3, 300), alike)
    (answer,) = answers(files)
    assert answer.headline == "no arm differs in accuracy from 'standard' beyond chance"


def test_tables_show_orders_and_arms(study_files: dict[str, Any]) -> None:
    orders = tables.orders(study_files)
    assert len(orders.rows) == 22
    strang = next(row for row in orders.rows if row[:3] == ("balanced", "Euler (residual)", "Strang (Macaron block)"))
    assert strang[3].startswith("1.0")
    assert strang[4] == "1"
    found = tables.arms(study_files)
    assert [row[0] for row in found.rows] == ["standard", "halves after", "macaron"]
    assert found.rows[0][4] == "reference"
    assert found.rows[2][4].endswith(", clear")
    assert "1,234" in found.rows[0]
    for table in (orders, found):
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert "±" in as_html(table)
        assert r"$\pm$" in as_latex(table)


def test_captions_are_a_few_sentences_and_name_the_source() -> None:
    for name, caption in {**CAPTIONS, **tables.CAPTIONS}.items():
        assert 3 <= len(re.findall(r"\.(?= |$)", caption)) <= 9, name
        assert "  " not in caption
    assert "arXiv 1906.02762" in CAPTIONS["convergence"]


@pytest.mark.parametrize(
    "show",
    [
        *(paths.draw_paths, convergence.draw_convergence, arms.draw_arms, refinement.draw_refinement),
        *(tables.orders, tables.arms, tables.refinement, answers),
    ],
)
def test_missing_files_are_one_line_errors(show: Any, tmp_path: Path) -> None:
    names = ("metrics", "differences", "errors", "orders", "paths", "refinement")
    titles = [{"name": "a", "title": "a"}]
    of_none = {name: str(tmp_path / "none.csv") for name in names} | {"models": titles, "systems": titles}
    for files in ({}, of_none):
        with pytest.raises(CloudchamberError) as error:
            show(files)
        assert "\n" not in str(error.value)
