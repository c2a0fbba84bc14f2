"""The step ``read-jets``: labelled jets of public layouts become padded clouds."""

import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.cloud_writer import create_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.alike import cut_at, units_differ, unlikely_unit
from cloudchamber.preparation.columns import CLASS_COLUMN, JET_FEATURES, LABEL_COLUMNS, MULTIPLICITY
from cloudchamber.preparation.padded_writer import PaddedWriter
from cloudchamber.preparation.raw_clouds import RawClouds
from cloudchamber.preparation.selection import within
from cloudchamber.progress import progress
from cloudchamber.readers.constituents import ConstituentTable, point_columns
from cloudchamber.readers.jagged import Jagged
from cloudchamber.readers.jetclass import read_jetclass
from cloudchamber.readers.jetclass2 import read_jetclass2
from cloudchamber.readers.labelled import LabelledJets
from cloudchamber.readers.top_tagging import read_top_tagging
from cloudchamber.settings.data import LabelledJetSettings, LabelledLayout
from cloudchamber.settings.ingestion import JetWindows
from cloudchamber.storage import provenance
from cloudchamber.wildcards import existing_files

__all__ = ["read_labelled_jets"]

_READERS: Mapping[LabelledLayout, Callable[[Path], Generator[LabelledJets]]] = {
    "top_tagging": read_top_tagging,
    "jetclass": read_jetclass,
    "jetclass2": read_jetclass2,
}


@final
@dataclass
class _Tally:
    """What was read, and what was left out of the clouds."""

    read: int = 0
    empty: int = 0
    outside: int = 0
    without_direction: int = 0
    typical_pt: dict[Path, float] = field(default_factory=dict)
    numbers: dict[Path, np.ndarray] = field(default_factory=dict)

    def count(self, path: Path, constituents: np.ndarray) -> None:
        """Count jets of a file with these numbers of constituents, (n,)."""
        known = self.numbers.get(path, np.zeros(0, np.int64))
        found = np.bincount(constituents, minlength=len(known))
        found[: len(known)] += known
        self.numbers[path] = found

    def compare(self, path: Path, log_pt_sum: float, constituents: int) -> None:
        """Compare a file with the first one that has constituents; refuse it where it is in other units."""
        if not constituents:
            return
        self.typical_pt[path] = float(np.exp(log_pt_sum / constituents))
        first = next(iter(self.typical_pt))
        found = units_differ(first, self.typical_pt[first], self.typical_pt[path])
        if found is not None:
            raise InputError(f"{path}: {found}")

    def add(self, raw: RawClouds) -> None:
        filled = int(raw.with_constituents.sum())
        self.read += len(raw.with_constituents)
        self.empty += len(raw.with_constituents) - filled
        self.outside += filled - len(raw.event)
        self.without_direction += raw.without_direction

    def meta(self) -> dict[str, Any]:
        return {
            "jets": {"read": self.read, "without_constituents": self.empty, "outside_windows": self.outside},
            "constituents": {"massless": False, "without_direction": self.without_direction},
        }

    def summary(self) -> str:
        found = [unlikely_unit(path, pt) for path, pt in self.typical_pt.items()]
        found = [*found[:1], self._cut()]
        said = "".join(f"; {words}" for words in found if words)
        return f"{self.read} jets read; {self.empty} without constituents; {self.outside} outside of the windows{said}"

    def _cut(self) -> str | None:
        """Say of the first file whose jets were cut that those of another file were not, or return None."""
        most = {path: len(jets) - 1 for path, jets in self.numbers.items()}
        longest = max(most, key=lambda path: most[path])
        for path, jets in self.numbers.items():
            cut = cut_at(jets)
            if cut is not None and cut < most[longest]:
                return (
                    f"WARNING: {jets[cut]} of {jets.sum()} jets in {path} have {cut} constituents and none has more, "
                    f"in {longest} jets have up to {most[longest]}: were they cut?"
                )
        return None


def read_labelled_jets(
    files: Sequence[str | Path], layout: LabelledLayout, settings: LabelledJetSettings, output: Path
) -> None:
    """Read jets of a public layout and write them as clouds with the label ``class``.

    Points are pT, eta and phi of the constituents, sorted by falling pT before truncation; their energies are not kept.
    Jet features are of the sum of the stored four-momenta of all constituents, so that the mass is that of particles
    with their masses, where the ingestion takes them as massless. Labels are the position of the file in
    ``meta["files"]``, the entry in that file, zero and the class, as the reader of the layout numbers it. Each jet is
    an event of its own. Jets that are identical to an earlier one are counted. Memory is that of a row group of Parquet
    and grows by 12 bytes with each jet.

    Args:
        files: paths and wildcards.
        layout: how the files are written.
        settings: which jets are taken, and the padded length.
        output: cloud file to write.

    Raises:
        InputError: a file or value cannot be used, files are in different units, or no jet is left; the message names
            file, column and entry.
        StorageError: the output cannot be written.
    """
    paths = existing_files(files)
    tally = _Tally()
    columns = (point_columns(), (*JET_FEATURES, MULTIPLICITY), (*LABEL_COLUMNS, CLASS_COLUMN))
    with create_clouds(output, settings.max_particles, *columns) as file:
        writer = PaddedWriter(file, settings.max_particles)
        with progress("read jets", None, "jets") as reporter:
            for number, path in enumerate(paths):
                reporter.note(f"file {number + 1} of {len(paths)}")
                log_pt_sum, constituents = 0.0, 0
                with closing(_READERS[layout](path)) as steps:
                    for jets in steps:
                        pt = np.hypot(*jets.momenta[:2])
                        log_pt_sum += float(np.log(pt[pt > 0]).sum())
                        constituents += int(np.count_nonzero(pt > 0))
                        tally.count(path, np.diff(jets.offsets))
                        raw = _clouds(jets, settings)
                        tally.add(raw)
                        taken = (jets.entries[raw.event], raw.rank, jets.labels[raw.event])
                        labels = np.column_stack([np.full(len(raw.event), number), *taken])
                        writer.append(raw.columns, raw.offsets, raw.features, labels)
                        reporter.update(len(jets.entries))
                tally.compare(path, log_pt_sum, constituents)
        if not writer.clouds:
            others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            raise InputError(f"{paths[0]}{others}: nothing passes the selection: {tally.summary()}")
        made_by = provenance("read-jets", {"layout": layout, **settings.model_dump(mode="json")}, paths)
        named = {"files": [str(path) for path in paths], "layout": layout, "provenance": made_by}
        file.add_meta(tally.meta() | writer.counts.meta() | named)
    sys.stderr.write(f"read-jets: {tally.summary()}; {writer.counts.summary(paths)}\n")


def _clouds(jets: LabelledJets, windows: JetWindows) -> RawClouds:
    """Return the accepted jets that have constituents."""
    px, py, pz, _ = jets.momenta
    pt = np.hypot(px, py)
    with np.errstate(divide="ignore", invalid="ignore"):  # parallel to the beam: without direction
        eta = np.arcsinh(pz / pt)
    table = ConstituentTable(np.stack([pt, eta, np.arctan2(py, px)]).astype(np.float32), jets.offsets)
    directed = table.with_direction
    table = table.keep(directed)
    members = Jagged(np.arange(table.offsets[-1]), table.offsets)
    features = np.column_stack([*_kinematics(jets.momenta[:, directed], members.counts), members.counts])
    filled = members.counts > 0
    jet_pt, jet_eta, _, jet_mass, _ = features.T
    chosen = np.flatnonzero(filled & within(jet_pt, jet_eta, jet_mass, windows))
    members = members.take(chosen)
    return RawClouds(
        table.columns[:, members.values],
        members.offsets,
        chosen,
        np.zeros_like(chosen),
        features[chosen],
        with_constituents=filled,
        without_direction=len(directed) - int(directed.sum()),
    )


def _kinematics(momenta: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return pT [GeV], eta, phi [rad] and mass [GeV] of the sums of consecutive groups of four-momenta (4, total)."""
    jet = np.repeat(np.arange(len(counts)), counts)
    px, py, pz, energy = (np.bincount(jet, row, len(counts)) for row in momenta)
    pt = np.hypot(px, py)
    with np.errstate(divide="ignore", invalid="ignore"):  # no direction, and in no window of eta
        eta = np.arcsinh(pz / pt)
    mass = np.sqrt(np.maximum(energy**2 - pt**2 - pz**2, 0.0))
    return pt, eta, np.arctan2(py, px), mass
