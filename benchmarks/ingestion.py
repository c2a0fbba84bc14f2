"""ROOT to padded arrays, against plain reading and against awkward arrays."""

from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import awkward as ak
import numpy as np
import uproot

from benchmarks.timing import Measurement, measure
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.preparation.padding import pad
from cloudchamber.readers.constituents import bad_values, constituent_leaves, gather
from cloudchamber.readers.delphes import open_tree
from cloudchamber.settings.ingestion import IngestionSettings, WholeEvents

__all__ = ["measurements"]

_EVENTS = 20_000
_WIDTH = 150
_STEP = "8 MB"
_LEAVES = constituent_leaves(["Tower"])


def _write(path: Path) -> None:
    """Write events of 60 to 200 towers with the compression of Delphes."""
    rng = np.random.default_rng(1)
    with uproot.recreate(path, compression=uproot.ZLIB(1)) as file:
        kind = "var * {ET: float32, Eta: float32, Phi: float32}"
        file.mktree(
            "Delphes",
            {"Tower": ak.types.from_datashape(kind, highlevel=False)},
            field_name=lambda outer, inner: inner if outer == "" else f"{outer}.{inner}",
            counter_name=lambda counted: f"{counted}_size",
        )
        for _ in range(_EVENTS // 1000):
            counts = rng.integers(60, 201, 1000)
            total = int(counts.sum())
            columns = {
                "ET": rng.exponential(5.0, total),
                "Eta": rng.normal(0.0, 1.5, total),
                "Phi": rng.uniform(-np.pi, np.pi, total),
            }
            towers = ak.zip({name: values.astype(np.float32) for name, values in columns.items()})
            file["Delphes"].extend({"Tower": ak.unflatten(towers, counts)})


def _plain(path: Path) -> int:
    return sum(len(arrays) for arrays in uproot.iterate({str(path): "Delphes"}, _LEAVES, step_size=_STEP))


def _awkward(path: Path) -> list[np.ndarray]:
    pieces = []
    for arrays in uproot.iterate({str(path): "Delphes"}, _LEAVES, step_size=_STEP):
        order = ak.argsort(arrays["Tower.ET"], ascending=False)
        columns = [
            ak.to_numpy(ak.fill_none(ak.pad_none(arrays[leaf][order], _WIDTH, clip=True), np.float32(0)))
            for leaf in _LEAVES
        ]
        pieces.append(np.stack(columns, axis=2))
    return pieces


def _own(path: Path) -> list[np.ndarray]:
    pieces = []
    with open_tree(path, "Delphes") as tree:
        for step in tree.steps(_LEAVES, _STEP):
            if bad_values(step):
                raise InputError(f"{path}: bad values")
            table = gather(step, ["Tower"])
            pieces.append(pad(table.columns, table.offsets, _WIDTH).points)
    return pieces


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure reading, checking, sorting and padding of all towers of a ZLIB file written here."""
    with TemporaryDirectory() as folder:
        path, output = Path(folder) / "towers.root", Path(folder) / "clouds.h5"
        _write(path)
        if not np.array_equal(np.concatenate(_own(path)), np.concatenate(_awkward(path))):
            raise RuntimeError("the two ways to pad differ")

        def whole_step() -> None:
            settings = IngestionSettings(clouds=WholeEvents(kind="events"), max_particles=_WIDTH, step_size=_STEP)
            with redirect_stderr(StringIO()):
                ingest([path], settings, output)

        cases: tuple[tuple[str, Callable[[Path], object], Callable[[Path], object], float], ...] = (
            ("read, check, sort and pad against uproot.iterate of the same leaves", _own, _plain, 0.7),
            ("read, check, sort and pad against awkward argsort, pad_none, fill_none", _own, _awkward, 1.5),
        )
        for name, first, second, target in cases:
            own, peer = measure(partial(first, path), partial(second, path), rounds)
            yield Measurement("ingestion", name, own, peer, _EVENTS, "events", target)
        own, peer = measure(whole_step, partial(_plain, path), rounds)
        name = "the whole step, with event features, compressed output and its checksums, against uproot.iterate"
        yield Measurement("ingestion", name, own, peer, _EVENTS, "events")
