"""What a tagger looks at, from the command to the figure, and the history of its training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from pronged_jets import tagging_clouds, write_tagging_jets
from small_study import run

from cloudchamber.cli import main
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.drawings import figure_of
from cloudchamber.figures import style
from cloudchamber.studies.tagging.figures.relevance import relevance

NETWORKS = {
    "transformer": {
        "kind": "transformer",
        "layers": 1,
        "heads": 2,
        "width": 8,
        "feed_forward": 8,
        "hidden": [8],
        "dropout": 0.0,
    },
    "pfn": {"kind": "particle_flow", "tower": [8], "hidden": [8]},
}
LOOP = {"steps": 6, "batch_size": 32, "validate_every": 2, "record_every": 1, "accelerator": "cpu"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with jets of three classes, a tagger with and one without attention, and what the first looks at."""
    folder = tmp_path_factory.mktemp("relevance")
    jets = write_tagging_jets(folder / "jets.h5", tagging_clouds(prongs=(1, 2, 3)))
    for name, network in NETWORKS.items():
        settings = json.dumps({"network": network, "training": LOOP})
        written = [text for option, path in files(folder, name).items() for text in (f"--{option}", str(path))]
        run("train-tagger", jets, "--settings", settings, "--seed", "1", "--state", folder / "state", *written)
    run("tagging", "relevance", jets, *model(folder, "transformer"), "--output", folder / "relevance.h5")
    return folder


def files(folder: Path, name: str) -> dict[str, Path]:
    suffixes = {"weights": "safetensors", "description": "json", "history": "csv"}
    return {option: folder / f"{name}.{suffix}" for option, suffix in suffixes.items()}


def model(folder: Path, name: str) -> list[Path | str]:
    made = files(folder, name)
    return ["--model", made["weights"], made["description"]]


def test_one_typical_test_jet_of_each_class_is_looked_at(study: Path) -> None:
    jets, examples = read_clouds(study / "jets.h5"), read_clouds(study / "relevance.h5")
    np.testing.assert_array_equal(examples.label("class"), [0, 1, 2])
    test = jets.part("test")
    for example in range(3):
        of_class = test.multiplicity[test.label("class") == example]
        nearest = np.abs(of_class - np.median(of_class)).min()
        assert abs(examples.multiplicity[example] - np.median(of_class)) == nearest
    attention = examples.point("attention")
    np.testing.assert_allclose(attention.sum(axis=1), 1.0, rtol=1e-5)
    assert not attention[~examples.mask].any()
    assert ((examples.feature("probability") > 0) & (examples.feature("probability") < 1)).all()


def test_the_figure_shows_every_tower_of_each_jet_with_both_values(study: Path) -> None:
    with style.applied():
        figure = figure_of("tagging/relevance")({"title": "Some jets", "relevance": str(study / "relevance.h5")})
    examples = read_clouds(study / "relevance.h5")
    panels = [axis for axis in figure.axes if axis.get_subplotspec() is not None and axis.collections]
    towers = [axis.collections[0] for axis in panels if len(axis.get_title()) or axis.get_xlabel()]
    assert len(towers) == 6
    shares = examples.point("attention") * examples.multiplicity[:, None]
    for row, values in enumerate((shares, examples.point("gradient_times_input"))):
        for number in range(3):
            drawn, mask = towers[3 * row + number], examples.mask[number]
            np.testing.assert_allclose(drawn.get_array(), values[number][mask], rtol=1e-6)
            np.testing.assert_allclose(np.asarray(drawn.get_offsets())[:, 0], examples.point("eta_rel")[number][mask])
    # A minus sign on each tower that speaks against the choice; none in the upper row.
    gradients = examples.point("gradient_times_input")
    limit = 0.01 * np.abs(gradients[examples.mask]).max()
    signs = [sum(len(drawn.get_offsets()) for drawn in axis.collections[1:]) for axis in panels]
    assert signs == [0, 0, 0, *((gradients < -limit) & examples.mask).sum(axis=1)]
    assert sum(signs) > 0
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    for title, name, probability in zip(titles, ("1", "2", "3"), examples.feature("probability"), strict=True):
        assert title == f"N = {name}\np(true class) = {probability:.2f}"
    assert figure.get_suptitle().startswith("Some jets: one test jet per class")
    with style.applied():
        assert text_faults(figure) == []


def test_a_tagger_without_attention_and_other_classes_are_refused(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = write_tagging_jets(tmp_path / "others.h5", tagging_clouds(prongs=(1, 4)))
    for jets, name, message in (
        (study / "jets.h5", "pfn", "a tagger of kind 'particle_flow' has no attention"),
        (others, "transformer", "not the classes ['1', '2', '3'] of the tagger"),
    ):
        arguments = ["tagging", "relevance", jets, *model(study, name), "--output", tmp_path / "relevance.h5"]
        assert main([str(argument) for argument in arguments]) == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("cloudchamber tagging relevance: ")
        assert message in line
        assert not (tmp_path / "relevance.h5").exists()


def test_no_gradient_leaves_a_scale_to_draw_on(study: Path) -> None:
    examples = read_clouds(study / "relevance.h5")
    points = examples.points.copy()
    points[:, :, [column.name for column in examples.point_columns].index("gradient_times_input")] = 0.0
    flat = Clouds(**{**vars(examples), "points": points})
    with style.applied():
        relevance(flat, "Some jets").draw_without_rendering()


def test_histories_show_losses_and_accuracy_of_each_training(study: Path) -> None:
    histories: list[dict[str, Any]] = [
        {"name": name, "title": name.upper(), "seed": 1, "path": str(files(study, name)["history"])}
        for name in NETWORKS
    ]
    with style.applied():
        figure = figure_of("tagging/histories")({"title": "Some jets", "histories": histories})
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels == [
        "training loss / its last value",
        "validation loss / its last value",
        "accuracy on the validation part",
    ]
    for number, name in enumerate(NETWORKS):
        table = pd.read_csv(files(study, name)["history"])
        training, loss, accuracy = (axis.lines[number] for axis in figure.axes)
        assert list(training.get_xdata()) == [1, 2, 3, 4, 5, 6]
        losses = table["training_loss"]
        np.testing.assert_allclose(np.asarray(training.get_ydata(), float), losses / losses.iloc[-1])
        table = table[table["step"] % 2 == 0]
        np.testing.assert_allclose(np.asarray(accuracy.get_ydata(), float), table["accuracy"])
        losses = table["validation_loss"]
        np.testing.assert_allclose(np.asarray(loss.get_ydata(), float), losses / losses.iloc[-1])
        np.testing.assert_array_equal(accuracy.get_xdata(), table["step"])
    # No accuracy is a distance: its axis is linear.
    assert [axis.get_yscale() for axis in figure.axes] == ["linear"] * 3
    assert [text.get_text() for text in figure.legends[0].texts] == ["TRANSFORMER", "PFN"]
    with style.applied():
        assert text_faults(figure) == []
