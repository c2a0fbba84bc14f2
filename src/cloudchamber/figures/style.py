"""How every figure looks, and how it becomes files.

The style is a short set of parameters on top of matplotlib's own defaults, with the fonts that come with matplotlib:
no font has to be found on the machine and a user's matplotlibrc changes nothing. Colours are those of Okabe and Ito
(jfly.uni-koeln.de/color), which stay apart for all kinds of colour blindness; line styles and markers tell the models
apart without any colour.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from cloudchamber.storage import write_bytes

__all__ = ["GREY", "TRUTH", "Look", "applied", "lay_out", "looks", "save"]

PNG_DPI = 200
# Of zlib: 6 would take twice as long for files that are a tenth smaller.
PNG_COMPRESSION = 3

_PARAMETERS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10,
    # A fixed height: matplotlib would look for ticks above the panels, of which there are none, at each drawing.
    "axes.titley": 1.0,
    "figure.titlesize": 11,
    "font.size": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.5,
    "mathtext.fontset": "dejavusans",
    # TrueType. Type 3, in which a figure is written 0.4 s sooner, is refused by conferences and some journals.
    "pdf.fonttype": 42,
    "xtick.direction": "in",
    # Room for the label of the lowest tick on the left, beside that of the first tick below.
    "xtick.major.pad": 5.5,
    "xtick.minor.ndivs": 2,
    "xtick.minor.visible": True,
    "xtick.top": True,
    "ytick.direction": "in",
    "ytick.minor.ndivs": 2,
    "ytick.minor.visible": True,
    "ytick.right": True,
}

_Dashes = Literal["solid"] | tuple[float, tuple[float, ...]]
_Fill = Literal["full", "none", "left", "top", "right", "bottom"]


@final
@dataclass(frozen=True)
class Look:
    """Colour, line style and marker of one curve, and how much of the marker is filled."""

    color: str
    linestyle: _Dashes
    marker: str
    fill: _Fill = "full"

    def of_sampler(self, position: int) -> "Look":
        """Return the look of the model's sampler at ``position``: the same, with another fill of the marker."""
        fills: tuple[_Fill, ...] = ("full", "none", "left", "top", "right", "bottom")
        return replace(self, fill=fills[position % len(fills)])


TRUTH = Look("black", "solid", "|")
GREY = "#c8c8c8"

_BASELINE = Look("#6e6e6e", (0, (1.0, 1.0)), "X")
_TRAINED = (
    Look("#0072B2", "solid", "o"),
    Look("#D55E00", (0, (5.0, 1.6)), "^"),
    Look("#009E73", (0, (6.0, 1.4, 1.2, 1.4)), "D"),
    Look("#CC79A7", (0, (2.4, 1.2)), "v"),
    Look("#56B4E9", (0, (6.0, 1.2, 1.2, 1.2, 1.2, 1.2)), "P"),
    Look("#E69F00", (0, (9.0, 2.0)), "<"),
    Look("#332288", (0, (3.0, 1.2, 1.2, 1.2)), ">"),
    Look("#661100", (0, (1.2, 2.4)), "*"),
    Look("#999933", (0, (9.0, 1.4, 3.0, 1.4)), "s"),
    Look("#882255", (0, (1.2, 1.2, 1.2, 3.6)), "d"),
)


def looks(names: Sequence[str], baselines: Sequence[str]) -> dict[str, Look]:
    """Return the look of each model, the same in all figures that list the models in the same order.

    Baselines have a look of their own, so that figures without them give the other models the same one.

    Args:
        names: all models, in the order of the settings; from the eleventh trained one on looks repeat.
        baselines: those among ``names`` that were not trained.
    """
    trained = [name for name in names if name not in baselines]
    chosen = {name: _TRAINED[i % len(_TRAINED)] for i, name in enumerate(trained)}
    return chosen | dict.fromkeys(baselines, _BASELINE)


@contextmanager
def applied() -> Iterator[None]:
    """Use the style for what is drawn and saved inside the block."""
    with matplotlib.style.context(["default", _PARAMETERS]):
        yield


def lay_out(figure: Figure) -> FigureCanvasAgg:
    """Place everything in a figure once, at the resolution of its PNG, and return the canvas to draw it on."""
    figure.set_dpi(PNG_DPI)
    canvas = FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    if engine is not None:
        with _without_minor_ticks(figure):
            engine.execute(figure)
        figure.set_layout_engine("none")
    return canvas


def save(figure: Figure, pdf: Path, png: Path) -> None:
    """Write a figure as PDF and as PNG, each at once or not at all; the same figure gives the same bytes.

    Raises:
        StorageError: a file cannot be written.
    """
    # One layout serves both files, since it is slow. Figure.savefig would draw once more for each file.
    canvas = lay_out(figure)
    # Not to the file itself: on a full disk the writer of PDF stumbles over its own buffers.
    content = io.BytesIO()
    canvas.print_png(content, metadata={"Software": None}, pil_kwargs={"compress_level": PNG_COMPRESSION})
    write_bytes(png, content.getvalue())
    content = io.BytesIO()
    FigureCanvasPdf(figure).print_pdf(content, metadata={"CreationDate": None})
    write_bytes(pdf, content.getvalue())


@contextmanager
def _without_minor_ticks(figure: Figure) -> Iterator[None]:
    """Leave out minor ticks without labels, which need no room and take half of the time of a layout."""
    unlabelled = [
        (axis, axis.get_minor_locator())
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if isinstance(axis.get_minor_formatter(), NullFormatter)
    ]
    for axis, _ in unlabelled:
        axis.set_minor_locator(NullLocator())
    try:
        yield
    finally:
        for axis, locator in unlabelled:
            axis.set_minor_locator(locator)
