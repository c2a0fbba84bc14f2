"""The step ``draw``: one figure, as PDF and PNG."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures import style

__all__ = ["draw"]


def draw(figure: Callable[[Mapping[str, Any]], Figure], files: Mapping[str, Any], pdf: Path, png: Path) -> None:
    """Draw one figure and write it as PDF and PNG.

    Args:
        figure: draws it from its files.
        files: what it is drawn from; each figure names the keys it needs.
        pdf, png: where the files go.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
        StorageError: an output cannot be written.
    """
    with style.applied():
        style.save(figure(files), pdf, png)
