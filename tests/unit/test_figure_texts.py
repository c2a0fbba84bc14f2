"""The check of figures' texts finds what cannot be read, and nothing else."""

import pytest
from figure_texts import text_faults
from matplotlib.figure import Figure

from cloudchamber.figures import style


def some_figure() -> Figure:
    figure = Figure(figsize=(4.0, 3.0), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1000], [0, 1])
    axis.set(xlabel="some label", ylabel="another", title="a title")
    axis.set_xticks([0, 500, 1000], ["zero", "five hundred", "thousand"], rotation=35, ha="right")
    figure.suptitle("a heading")
    return figure


def faults(figure: Figure) -> list[str]:
    with style.applied():
        return text_faults(figure)


def test_a_figure_that_can_be_read_has_no_fault() -> None:
    assert faults(some_figure()) == []


def test_turned_labels_whose_upright_boxes_overlap_can_be_read() -> None:
    figure = some_figure()
    figure.axes[0].set_xticks([500, 600], ["a label of this length", "and the next of it"], rotation=60, ha="right")
    assert faults(figure) == []


@pytest.mark.parametrize(
    ("place", "angle"), [((1.0, 0.5), 0.0), ((0.5, -0.4), 0.0), ((-0.4, 0.5), 0.0), ((0.02, 0.5), 90.0)]
)
def test_text_beyond_the_edge_is_found(place: tuple[float, float], angle: float) -> None:
    figure = some_figure()
    text = figure.text(*place, "a text of some length" * 2, rotation=angle, va="center")
    text.set_in_layout(False)
    assert any(fault.startswith("beyond the edge: 'a text of some") for fault in faults(figure))


def test_text_upon_text_is_found() -> None:
    figure = some_figure()
    axis = figure.axes[0]
    axis.set_xticks([500, 520], ["five hundred", "five hundred and twenty"], rotation=0)
    assert faults(figure) == ["upon each other: 'five hundred' and 'five hundred and twenty'"]
    figure = some_figure()
    note = figure.axes[0].annotate("a note", (0.5, 1.02), xycoords="axes fraction", va="bottom", ha="center")
    note.set_in_layout(False)
    assert faults(figure) == ["upon each other: 'a note' and 'a title'"]


def test_what_is_not_drawn_does_not_count() -> None:
    figure = some_figure()
    axis = figure.axes[0]
    axis.text(500, 0.5, "one")
    axis.text(500, 0.5, "two").set_visible(False)
    axis.text(500, 0.5, "")
    hidden = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    hidden.set_visible(False)
    assert faults(figure) == []
