"""The summary that opens the report: what counts as a difference, the page, the table, and what it is made from."""

import base64
import io
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from project_copy import REPOSITORY

from cloudchamber import __version__
from cloudchamber.analysis import STUDIES, answers_of, plan
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.figures.inputs import Model
from cloudchamber.figures.looks import TRUTH
from cloudchamber.figures.measurements import Measurement
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.base import merged
from cloudchamber.summary import comparison
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.picture import embedded
from cloudchamber.summary.summarise import summarise


def measurement(label: str, *values: float, uncertainty: float = 0.1, **more: float) -> Measurement:
    sizes = {"floor": math.nan, "floor_uncertainty": math.nan, "n_reference": 10.0, "n_generated": 10.0, **more}
    return Measurement(Model(label, "", label, TRUTH, ()), "", values, uncertainty, **sizes)


@pytest.mark.parametrize(
    ("second", "clear"),
    [
        # The combined uncertainty is 0.14.
        (measurement("b", 1.29), True),
        (measurement("b", 1.28), False),
        (measurement("b", 1.0), False),
        (measurement("b", math.nan), False),
        # One number is exact.
        (measurement("b", 1.21, uncertainty=math.nan), True),
        (measurement("b", 1.19, uncertainty=0.0), False),
        # A spread over seeds of 0.2.
        (measurement("b", 1.2, 1.6), False),
    ],
)
def test_two_uncertainties_make_a_difference(second: Measurement, clear: bool) -> None:
    assert comparison.difference(measurement("a", 1.0), second).is_clear is clear
    assert comparison.difference(second, measurement("a", 1.0)).is_clear is clear


def test_exact_numbers_differ_by_anything_and_equal_ones_do_not() -> None:
    exact = measurement("a", 1.0, uncertainty=0.0)
    assert comparison.difference(exact, replace(exact, values=(1.001,))).is_clear
    assert not comparison.difference(exact, exact).is_clear


def test_the_floor_is_exact_where_it_has_no_uncertainty() -> None:
    assert comparison.difference_from_floor(measurement("a", 0.5, floor=0.29)).is_clear
    assert not comparison.difference_from_floor(measurement("a", 0.5, floor=0.29, floor_uncertainty=0.1)).is_clear
    assert not comparison.difference_from_floor(measurement("a", 0.5)).is_clear


def test_the_best_and_those_that_cannot_be_told_from_it() -> None:
    low, near, far = measurement("low", 1.0), measurement("near", 1.1), measurement("far", 2.0)
    ranking = comparison.rank([far, near, low], lower_is_better=True)
    assert (ranking.best, ranking.tied) == (low, (near,))
    assert comparison.tied_with(ranking) == " near cannot be told apart from it."
    ranking = comparison.rank([far, near, low], lower_is_better=False)
    assert (ranking.best, comparison.tied_with(ranking)) == (far, "")


def test_the_mean_over_features_is_taken_seed_by_seed() -> None:
    mass = measurement("a", 1.0, 3.0, uncertainty=0.1, floor=0.2, floor_uncertainty=0.02)
    shape = measurement("a", 3.0, 1.0, uncertainty=0.3, floor=0.4, floor_uncertainty=0.04)
    mean = comparison.averaged([mass, shape])
    assert mean.values == (2.0, 2.0)
    assert [mean.uncertainty, mean.floor, mean.floor_uncertainty] == pytest.approx([0.2, 0.3, 0.03])
    # What moves against each other in two features does not spread their mean.
    assert (mean.spread, mean.feature) == (0.0, "")
    with pytest.raises(InputError, match="'a' has not the same seeds for all features"):
        comparison.averaged([mass, measurement("a", 1.0)])


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert comparison.listed(names) == text


def picture(path: Path, width: int = 2400) -> str:
    """Write a figure with thin coloured lines on transparent white."""
    pixels = np.zeros((width // 2, width, 4), "u1")
    pixels[100:120] = (0, 114, 178, 255)
    Image.fromarray(pixels).save(path)
    return str(path)


def test_a_figure_is_embedded_small_with_its_colours(tmp_path: Path) -> None:
    uri = embedded(picture(tmp_path / "figure.png"))
    head, _, content = uri.partition(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as shown:
        assert shown.size == (1200, 600)
        colours = shown.convert("RGB")
        assert np.abs(np.subtract(colours.getpixel((600, 300)), 255)).max() < 2
        assert np.abs(np.subtract(colours.getpixel((600, 55)), (0, 114, 178))).max() < 8
    assert embedded(tmp_path / "figure.png") == uri


def test_a_small_figure_stays_as_large_as_it_is(tmp_path: Path) -> None:
    content = embedded(picture(tmp_path / "figure.png", 400)).partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(content))) as shown:
        assert shown.size == (400, 200)


def test_what_is_no_picture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "figure.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    for path in (tmp_path / "figure.png", tmp_path / "nowhere.png"):
        with pytest.raises(InputError, match=rf"{path.name}: cannot be read as a picture"):
            embedded(path)


class _Page(HTMLParser):
    """What a browser would show, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.links: list[dict[str, str | None]] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


ANSWERS = [
    Answer(
        "Nearest is A & <b>: 1 ± 2.",
        "best is A & <b> at 3 ± 4",
        "A & <b>",
        "KL [nat]",
        1 / 3,
        0.1,
        0.02,
        0.01,
        facts={"jets": "5 < 6"},
    ),
    unanswered("nothing at all", "KL [nat]", {}, "other jets", more="But this."),
]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder in which a summary of one study with two data sets was written."""
    figures = tmp_path / "jets/top/figures"
    figures.mkdir(parents=True)
    study = {"name": "jets", "title": 'Jets "at" CERN', "question": "Are jets < cones?", "files": {"key": 1}}
    study |= {"picture": picture(figures / "mass.png"), "folder": str(figures)}
    files = {"scale": "default", "seed": 7, "studies": [study]}

    def answers(given: Any) -> list[Answer]:
        assert given == {"key": 1}
        return ANSWERS

    summarise({"jets": answers}, files, tmp_path / "summary.html", tmp_path / "summary.csv")
    return tmp_path


def test_the_page_says_what_is_asked_answered_and_how_it_was_made(made: Path) -> None:
    page = _Page()
    page.feed((made / "summary.html").read_text(encoding="utf-8"))
    for text in (
        "1\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}2.",
        "Are jets < cones?",
        "A & <b>",
        "5 < 6",
        "other jets",
        "Nothing at all. But this.",
        "Figures and tables",
    ):
        assert text in page.text
    assert f"cloudchamber {__version__}, scale default, seed 7. The default scale is a quick look" in page.text
    # Snakemake puts the page into a script of its report, which a script in it would end.
    assert "script" not in page.tags
    assert page.tags.count("img") == 1


def test_the_results_stand_above_all_studies_and_lead_to_them(made: Path) -> None:
    html = (made / "summary.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(html)
    before = page.text[: page.text.index("Are jets < cones?")].replace("\N{NO-BREAK SPACE}", " ")
    assert 'Jets "at" CERN: best is A & <b> at 3 ± 4\n' in before
    assert 'Jets "at" CERN, other jets: nothing at all\n' in before
    assert html.count('<section id="summary_jets">') == 1


def test_links_lead_to_files_beside_the_page_and_in_the_report_to_their_category(made: Path) -> None:
    page = _Page()
    page.feed((made / "summary.html").read_text(encoding="utf-8"))
    *headlines, more, figure = page.links
    assert [link["href"] for link in headlines] == ["#summary_jets"] * len(ANSWERS)
    assert (more["href"], figure["href"]) == ("jets/top/figures/", "jets/top/figures/mass.png")
    assert all((made / str(link["href"])).exists() for link in (more, figure))
    assert 'app.showCategory("Jets \\"at\\" CERN")' in str(more["onclick"])
    assert f'results["{made}/jets/top/figures/mass.png"].data_uri' in str(figure["onclick"])


def test_the_table_has_all_digits_and_empty_fields(made: Path) -> None:
    table = read_table(made / "summary.csv", ("study", "question", "answer", "best_model", "metric", "ceiling"))
    assert list(table["value"].fillna(0)) == [1 / 3, 0.0]
    assert list(table["best_model"].isna()) == [False, True]
    assert list(table["floor"].isna()) == [False, True]
    assert table["facts"][0] == "jets: 5 < 6"


@pytest.mark.parametrize("key", ["scale", "seed", "studies"])
def test_a_missing_key_is_told(made: Path, key: str) -> None:
    files = {"scale": "tiny", "seed": 1, "studies": []}
    files.pop(key)
    with pytest.raises(SettingsError):
        summarise({}, files, made / "summary.html", made / "summary.csv")


def test_a_study_that_is_not_there_is_told() -> None:
    with pytest.raises(SettingsError, match="no study 'tagger' among"):
        answers_of(["tagger"])


def test_the_summary_of_an_analysis_holds_its_studies_and_reads_what_they_name() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    pipeline = plan(merged(config, {"scale": "tiny", "studies": ["gating", "tagging"]}), REPOSITORY)
    given = json.loads(pipeline.summary.arguments(None))
    assert [study["name"] for study in given["studies"]] == ["gating", "tagging"] == pipeline.summary.studies.split()
    assert pipeline.summary.inputs(None) == [
        "results_tiny/gating/counts.csv",
        "results_tiny/gating/figures/capacity.png",
        "results_tiny/gating/identities.csv",
        "results_tiny/tagging/figures/accuracy.png",
        "results_tiny/tagging/metrics.csv",
        "results_tiny/tagging/significance.csv",
    ]
    code = set(pipeline.summary.code)
    assert {"src/cloudchamber/summary/page.py", "src/cloudchamber/studies/gating/answer.py"} <= code
    assert not [path for path in code if "jet_generation" in path]
    assert "results_tiny/summary.html" in pipeline.all_results()


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_each_study_asks_one_question_and_has_a_picture(study: Any) -> None:
    assert study.question.endswith("?")
    assert study.picture in study.figure_functions
