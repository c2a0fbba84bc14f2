"""Files of events by their layout."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudchamber.readers.delphes import open_tree
from cloudchamber.readers.event_tree import EventTree
from cloudchamber.readers.hepmc import open_hepmc
from cloudchamber.settings.ingestion import RawLayout

__all__ = ["open_events"]


@contextmanager
def open_events(
    path: str | Path, name: str, recorded: bool = True, layout: RawLayout = "delphes"
) -> Iterator[EventTree]:
    """Open the events of a file; arguments are those of :func:`cloudchamber.readers.delphes.open_tree`.

    Files of HepMC have no trees, and ``name`` says nothing there.

    Raises:
        InputError: the file cannot be used.
    """
    if layout == "hepmc":
        yield open_hepmc(Path(path), recorded)
        return
    with open_tree(path, name, recorded, layout) as tree:
        yield tree
