"""How figures become files: one layout, at the resolution of the PNG, that changes nothing but places."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.ticker import LogFormatterSciNotation

from cloudchamber.figures import style


def some_figure() -> Figure:
    figure = Figure(figsize=(4.0, 3.0), layout="constrained")
    linear, logarithmic = figure.subplots(1, 2)
    linear.plot([0, 1], [0, 1])
    logarithmic.plot([1, 3], [1, 3])
    logarithmic.set_yscale("log")
    return figure


def test_a_layout_keeps_the_minor_ticks() -> None:
    with style.applied():
        figure = some_figure()
        before = [axis.xaxis.get_minorticklocs() for axis in figure.axes]
        style.lay_out(figure).draw()
    for axis, places in zip(figure.axes, before, strict=True):
        assert len(places)
        np.testing.assert_array_equal(axis.xaxis.get_minorticklocs(), places)
    # Minor ticks with labels need room, and have it.
    logarithmic = figure.axes[1].yaxis
    assert isinstance(logarithmic.get_minor_formatter(), LogFormatterSciNotation)
    assert min(label.get_window_extent().x0 for label in logarithmic.get_minorticklabels()) > 0


def test_panels_do_not_move_once_they_are_laid_out() -> None:
    with style.applied():
        figure = some_figure()
        style.lay_out(figure)
        places = [axis.get_position().bounds for axis in figure.axes]
        style.lay_out(figure).draw()
    assert [axis.get_position().bounds for axis in figure.axes] == places


def test_a_saved_figure_has_its_resolution_and_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with style.applied():
            figure = some_figure()
            for _ in range(2):
                style.save(figure, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    assert imread(tmp_path / "a.png").shape[:2] == (600, 800)
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    # TrueType, as conferences ask for.
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()
