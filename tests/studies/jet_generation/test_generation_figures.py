"""Figures: what they show, and that they are drawn without warnings, with labels, and the same each time."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_files import FEATURES, MANY, TRUE, some_clouds, study_files
from figure_texts import text_faults
from matplotlib.figure import Figure
from matplotlib.image import imread

from cloudchamber.analysis import STUDIES
from cloudchamber.cli import main
from cloudchamber.drawings import OVERVIEW_FIGURES, figure_of, table_of
from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.draw import draw
from cloudchamber.figures.images import average_image
from cloudchamber.figures.inputs import first_samplers, models_of
from cloudchamber.figures.looks import looks
from cloudchamber.figures.measurements import read_measurements
from cloudchamber.pipeline.drawing import caption_of

STUDY = STUDIES["jet_generation"]
# Name -> what the command line calls it. Figures of the whole analysis are drawn from files of the same kind.
FIGURES = {name: f"{STUDY.name}/{name}" for name in STUDY.figure_functions} | {name: name for name in OVERVIEW_FIGURES}
HERE = sorted(FIGURES)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every figure and table needs, all keys in one."""
    return study_files(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same of many models with long names."""
    return study_files(tmp_path_factory.mktemp("many"), MANY)


def _figure(name: str, files: dict[str, Any]) -> Figure:
    with style.applied():
        return figure_of(FIGURES[name])(files)


UNITS = {
    "jet_features": "[GeV]",
    "particle_features": "[rad]",
    "divergences": "KL(generated || truth) [nat]",
    "wasserstein": "[unit of the feature]",
    "log_posterior": "[nat]",
    "cost": "[s]",
    "conditioning": "[nat]",
    "requested": "[GeV]",
    "solver_scan": "[nat]",
    "ode_sde": "[nat]",
    "few_steps": "[nat]",
    "sampling_time": "[s]",
    "average_images": "aligned",
    "cloud_gallery": "[rad]",
    "detector_response": "[GeV]",
}


@pytest.mark.parametrize("models", ["files", "many"])
@pytest.mark.parametrize("name", HERE)
def test_all_texts_can_be_read(name: str, models: str, request: pytest.FixtureRequest) -> None:
    with style.applied():
        assert text_faults(_figure(name, request.getfixturevalue(models))) == []


@pytest.mark.parametrize("name", HERE)
def test_every_figure_has_labels_units_and_legends(name: str, files: dict[str, Any]) -> None:
    figure = _figure(name, files)
    for axis in figure.axes:
        if not axis.get_visible():
            continue  # a place of the grid without a panel
        place = axis.get_subplotspec()
        if place is None:
            assert axis.get_ylabel()  # colour scale
            continue
        assert axis.get_xlabel() or not place.is_last_row()
        rows_are_named = any(label.get_text() in ("Other_1", "Zero") for label in axis.get_yticklabels())
        rows_are_features = name in ("divergences", "wasserstein", "conditioning", "ode_sde")
        assert axis.get_ylabel() or rows_are_named or rows_are_features or not place.is_first_col()
    labels = [text for axis in figure.axes for text in (axis.get_xlabel(), axis.get_ylabel())]
    assert any(UNITS.get(name, "") in label for label in labels)
    legends = [legend for part in (figure, *figure.subfigs) for legend in part.legends]
    assert bool(legends) == (name not in ("confusion", "average_images", "requested"))
    # Outside of the data: legends belong to figures, never to axes.
    assert all(axis.get_legend() is None for axis in figure.axes)


@pytest.mark.parametrize("name", HERE)
def test_draw_writes_both_files_and_the_same_each_time(name: str, files: dict[str, Any], tmp_path: Path) -> None:
    figure = figure_of(FIGURES[name])
    draw(figure, files, tmp_path / "a.pdf", tmp_path / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png"]
    height, width, _ = imread(tmp_path / "a.png").shape
    assert min(height, width) > 300
    first = [(tmp_path / f"a.{suffix}").read_bytes() for suffix in ("pdf", "png")]
    assert first[0].startswith(b"%PDF")
    assert b"CreationDate" not in first[0]
    if name in ("substructure", "confusion", "histories"):
        draw(figure, files, tmp_path / "a.pdf", tmp_path / "a.png")
        assert first == [(tmp_path / f"a.{suffix}").read_bytes() for suffix in ("pdf", "png")]


@pytest.mark.parametrize(
    ("name", "entry"),
    [*STUDY.figure_functions.items(), *STUDY.table_functions.items()],
    ids=[*STUDY.figure_functions, *(f"table_{name}" for name in STUDY.table_functions)],
)
def test_every_figure_and_table_has_a_caption(name: str, entry: str) -> None:
    assert len(caption_of(entry, name).split()) > 15


@pytest.mark.parametrize(
    ("command", "known", "outputs"),
    [("draw", "detector_response", ("pdf", "png")), ("tabulate", "settings", ("html", "csv", "latex"))],
)
def test_unknown_name_lists_the_known_ones(
    command: str, known: str, outputs: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, named = ("figure", figure_of) if command == "draw" else ("table", table_of)
    with pytest.raises(SettingsError, match=rf"no {kind} 'nonsense' among .*{known}"):
        named("nonsense")
    options = [text for name in outputs for text in (f"--{name}", str(tmp_path / name))]
    assert main([command, "nonsense", "--files", "{}", *options]) == SettingsError.exit_status
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(rf"no {kind} 'nonsense' among .*{known}", line)
    assert not list(tmp_path.iterdir())


BROKEN = {
    "no key 'truth'": ("jet_features", {"truth": None}),
    "'models' is empty": ("jet_features", {"models": []}),
    "'processes' is empty": ("detector_response", {"processes": []}),
    "no metric 'kl' of data set 'bottom'": ("divergences", {"dataset": "bottom"}),
    "no column": ("histories", {"histories": [{"name": "flow", "title": "f", "seed": 1, "path": "confusion.csv"}]}),
    "are not the same": ("confusion", {"confusions": [{"seed": 1, "path": "odd.csv"}]}),
}


@pytest.mark.parametrize("message", BROKEN)
def test_unusable_files_are_one_line_errors(message: str, files: dict[str, Any], tmp_path: Path) -> None:
    name, change = BROKEN[message]
    folder = Path(files["metrics"]).parent
    pd.DataFrame({"class": ["a", "b"], "a": [1, 0], "c": [0, 1]}).to_csv(folder / "odd.csv", index=False)
    change = json.loads(json.dumps(change).replace('"confusion.csv"', f'"{folder}/confusion.csv"'))
    change = json.loads(json.dumps(change).replace('"odd.csv"', f'"{folder}/odd.csv"'))
    broken = {key: value for key, value in {**files, **change}.items() if value is not None}
    with pytest.raises(CloudchamberError, match=re.escape(message)) as error:
        draw(figure_of(FIGURES[name]), broken, tmp_path / "a.pdf", tmp_path / "a.png")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_model_without_a_metric_is_an_error(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["metrics"])
    table[~((table["model"] == "other") & (table["feature"] == "d2"))].to_csv(tmp_path / "metrics.csv", index=False)
    with pytest.raises(InputError, match=r"no metric 'kl' .* for 'Other_1' in d2$"):
        read_measurements({**files, "metrics": str(tmp_path / "metrics.csv")}, "kl", FEATURES)


def test_models_keep_their_looks_with_and_without_baselines(files: dict[str, Any]) -> None:
    models = models_of({"models": files["models"][::-1]})
    trained = models_of({"models": [entry for entry in files["models"][::-1] if entry["sampler"] != "none"]})
    of_all = {model.label: model.look for model in models}
    assert {model.label: model.look for model in trained} == {key: of_all[key] for key in of_all if key != "Zero"}
    names = [f"model{i}" for i in range(10)]
    chosen = [*looks(names, []).values(), looks(["zero"], ["zero"])["zero"]]
    for attribute in ("color", "linestyle", "marker"):
        assert len({getattr(look, attribute) for look in chosen}) == 11


def test_labels_name_the_sampler_only_where_there_are_several(files: dict[str, Any]) -> None:
    models = models_of(files)
    assert [model.label for model in models] == ["Flow & co, midpoint", "Flow & co, euler maruyama", "Other_1", "Zero"]
    assert models[0].look != models[1].look
    assert [model.sampler for model in first_samplers(models)] == ["midpoint", "ddim", "none"]
    assert [len(model.entries) for model in models] == [2] * 4


def test_measurements_average_over_seeds(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["metrics"], keep_default_na=False, na_values=[""])
    found = read_measurements(files, "kl", FEATURES)
    assert len(found) == 4 * len(FEATURES)
    for item in found:
        rows = table[(table["metric"] == "kl") & (table["feature"] == item.feature)]
        values = rows[(rows["model"] == item.model.name) & (rows["sampler"] == item.model.sampler)]["value"]
        assert item.value == pytest.approx(values.mean())
        assert item.spread == pytest.approx(values.std())
    assert [item.model.sampler for item in read_measurements(files, "nlp")] == ["midpoint", "ddim", "none"]


def test_average_image_conserves_momentum(rng: np.random.Generator) -> None:
    clouds = some_clouds(rng, 50)
    image = average_image(clouds, np.linspace(-5, 5, 11))
    assert image.sum() == pytest.approx(clouds.point("pt_rel").sum() / 50, rel=1e-5)
    assert image.shape == (10, 10)


def test_response_says_where_there_is_nothing_to_compare_with(files: dict[str, Any]) -> None:
    with_real, without = _figure("detector_response", files).subfigs
    titles = [[axis.get_title() for axis in part.axes if axis.get_title()] for part in (with_real, without)]
    assert [title.startswith(r"$\chi^2$ / dof = ") for title in titles[0]] == [True] * 5
    assert not titles[1]
    assert [text.get_text() for axis in without.axes for text in axis.texts] == [
        "no file of Delphes;\nthe stored counts\nare of another process"
    ] * 5


def test_truncation_shows_what_was_counted(files: dict[str, Any]) -> None:
    (part,) = _figure("truncation", files).subfigs
    heading = part.get_suptitle()
    assert f"{TRUE} clouds, 25.0 % truncated" in heading
    assert "mean 1.23 %, worst 20.0 %" in heading
