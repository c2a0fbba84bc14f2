"""Tables: the numbers they hold, their digits, and that each format is whole."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_files import FEATURES, GENERATED, TRUE, study_files

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import table_of
from cloudchamber.errors import InputError
from cloudchamber.figures.measurements import read_measurements
from cloudchamber.figures.numbers import decimals, scale_exponent, with_uncertainty
from cloudchamber.figures.tabulate import tabulate
from cloudchamber.pipeline.overview import OVERVIEW_TABLES

STUDY = STUDIES["jet_generation"]
# Name -> what the command line calls it; the table of settings is of the whole analysis.
TABLES = {name: f"{STUDY.name}/{name}" for name in STUDY.table_functions} | {name: name for name in OVERVIEW_TABLES}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every figure and table needs, all keys in one."""
    return study_files(tmp_path_factory.mktemp("figures"))


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.123456, 0.0123, "0.123 ± 0.012"),
        (12.3456, 1.5, "12.3 ± 1.5"),
        (1234.5, 67.0, "1234 ± 67"),
        (0.5, 0.0, "0.500 ± 0.000"),
        (0.0123456, np.nan, "0.0123"),
        (0.0, np.nan, "0"),
    ],
)
def test_digits_follow_the_uncertainty(value: float, uncertainty: float, text: str) -> None:
    assert with_uncertainty(value, uncertainty) == text
    assert decimals(value, uncertainty) == len(text.partition(" ")[0].partition(".")[2])


@pytest.mark.parametrize(("largest", "exponent"), [(3.0, 0), (0.1, 0), (0.04, -3), (0.001, -3), (0.0005, -6), (0.0, 0)])
def test_columns_are_scaled_by_thousands(largest: float, exponent: int) -> None:
    assert scale_exponent([largest, largest / 7, float("nan")]) == exponent


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        self._inside = tag in ("td", "th")
        if self._inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def _tabulate(name: str, files: dict[str, Any], folder: Path) -> tuple[list[list[str]], pd.DataFrame, str]:
    paths = [folder / f"{name}.{suffix}" for suffix in ("html", "csv", "tex")]
    tabulate(table_of(TABLES[name]), files, *paths)
    cells = _Cells()
    cells.feed(paths[0].read_text())
    assert "script" not in cells.tags
    return cells.rows, pd.read_csv(paths[1]), paths[2].read_text()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_are_rectangular_in_each_format(name: str, files: dict[str, Any], tmp_path: Path) -> None:
    rows, _, latex = _tabulate(name, files, tmp_path)
    assert len({len(row) for row in rows}) == 1
    lines = [line for line in latex.splitlines() if line.endswith(r"\\")]
    assert len(lines) == len(rows)
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(rows[0]) - 1}
    assert latex.count(r"\begin") == latex.count(r"\end") == 1
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in latex
    assert not re.search(r"(?<!\\)[_#]", latex.partition(r"\begin")[2])


def test_a_seed_that_stands_there_twice_is_refused(files: dict[str, Any], tmp_path: Path) -> None:
    """As of two runs put into one table: it would be two trainings without a spread."""
    table = pd.read_csv(files["metrics"])
    pd.concat([table, table]).to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(InputError, match=r"twice\.csv: 'kl' of '.*' with seed \d+ stands there twice"):
        read_measurements({**files, "metrics": str(tmp_path / "twice.csv")}, "kl", FEATURES)


@pytest.mark.parametrize(("name", "metric"), [("divergences", "kl"), ("wasserstein", "w1")])
def test_distance_tables_hold_the_numbers(name: str, metric: str, files: dict[str, Any], tmp_path: Path) -> None:
    rows, data, latex = _tabulate(name, files, tmp_path)
    found = read_measurements(files, metric, FEATURES)
    np.testing.assert_allclose(data["value"], [item.value for item in found])
    np.testing.assert_allclose(data["spread"], [item.spread for item in found])
    assert set(data["n_reference"]) == {TRUE}
    assert set(data["n_generated"]) == {GENERATED}
    header, *body = rows
    assert [row[0] for row in body] == [*dict.fromkeys(item.model.label for item in found), "truth (floor)"]
    for column, feature in enumerate(FEATURES, start=1):
        of_feature = [item for item in found if item.feature == feature]
        scale = 1000 if "10⁻³" in header[column] else 1
        for row, item in zip(body, of_feature, strict=False):
            value, uncertainty, spread = map(float, re.fullmatch(r"(.*) ± (.*) \((.*)\)", row[column]).groups())
            assert (value, uncertainty) == pytest.approx((item.value * scale, 0.01 * scale), abs=0.0005 * scale)
            assert spread == pytest.approx(item.spread * scale, abs=0.0005 * scale)
        assert float(body[-1][column]) == pytest.approx(0.02 * scale)
    assert rf"{TRUE} true jets, {GENERATED} generated jets per model" in latex


def test_log_posterior_table_has_its_references(files: dict[str, Any], tmp_path: Path) -> None:
    rows, data, _ = _tabulate("log_posterior", files, tmp_path)
    assert rows[-1] == ["ideal, ln K", f"{np.log(4):.3f}", f"{np.log(3):.3f}"]
    assert rows[-2][1] == "1.40"
    assert list(data["metric"]) == ["nlp"] * 3 + ["nlp_generated_only"] * 3


def test_cost_table_converts_units(files: dict[str, Any], tmp_path: Path) -> None:
    rows, _, _ = _tabulate("cost", files, tmp_path)
    assert rows[0][3] == "time per jet [10⁻³ s]"
    assert rows[1] == ["Flow & co, midpoint", "midpoint", "10", "2.00 (0.00)", "500"]
    assert rows[-1][2] == "0"


def test_settings_table_has_defaults_and_meanings(files: dict[str, Any], tmp_path: Path) -> None:
    rows, data, _ = _tabulate("settings", files, tmp_path)
    table = {key: (value, meaning) for key, value, meaning in rows[1:]}
    assert table["datasets.top.ingestion.max_particles"] == ("17", "padded length; the hardest particles are kept")
    assert table["processes.top.commands"][0] == "a = on; b = off"
    assert table["processes.top.pt_hat"][0] == "1.0, 2.0"
    assert table["jet_generation.log_posterior.network.blocks"][0] == "(32, 32, 32), (64, 64, 64)"
    assert table["jet_generation.seeds"][0] == "1, 2"
    assert table["detector_response"][0] == "none"
    assert len(table) == len(data)
