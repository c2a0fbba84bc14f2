"""Jets to compare that may lie in files: particles and observables are read when they are needed, piece by piece."""

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import numpy as np

from cloudchamber.cloud_file import AnyClouds
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import has_momentum
from cloudchamber.jets.observable_file import ObservableFile
from cloudchamber.metrics.resampling import JetEntries
from cloudchamber.metrics.rows import Rows

__all__ = ["PartObservables", "ParticleEntries", "rows_of"]

# So many jets of a file at a time: 36 polynomials of them take 150 MB.
_PIECE = 1 << 19


@final
class PartObservables(Mapping[str, np.ndarray]):
    """The observables of some jets of a file, each read when it is asked for.

    Args:
        file: observables of all jets.
        rows: (N,) int64, which jets.
    """

    def __init__(self, file: ObservableFile, rows: np.ndarray) -> None:
        self._file, self._rows = file, rows

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._file.names:
            raise KeyError(name)
        return self._file.read(name)[self._rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.names)

    def __len__(self) -> int:
        return len(self._file.names)

    def rows(self, names: Sequence[str], jets: int) -> Rows:
        """Return several observables side by side, of the first ``jets`` jets."""

        def pieces() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            kept = self._rows[:jets]
            for start in range(0, self._file.jets, _PIECE):
                numbers = np.flatnonzero((kept >= start) & (kept < start + _PIECE))
                if not len(numbers):
                    continue
                place = kept[numbers] - start
                columns = [self._file.read(name, start, start + _PIECE)[place] for name in names]
                yield numbers, np.stack(columns, axis=1)

        return Rows(jets, pieces)


def rows_of(observables: Mapping[str, np.ndarray], names: Sequence[str], jets: int) -> Rows:
    """Return several observables side by side, of the first ``jets`` jets."""
    if isinstance(observables, PartObservables):
        return observables.rows(names, jets)
    return Rows.of(np.stack([observables[name][:jets] for name in names], axis=1))


@final
class ParticleEntries(JetEntries):
    """Values of one feature of the particles with a momentum.

    Args:
        feature: name of the point column.
        jets: what they are of.
        weights: (N,) of the jets, adding up to their effective number; None where all weigh the same.
        entries_of_jets: (N,) particles with a momentum of each of the first N jets, which alone count.
    """

    def __init__(self, feature: str, jets: AnyClouds, weights: np.ndarray | None, entries_of_jets: np.ndarray) -> None:
        self._feature, self._jets, self._entries_of_jets = feature, jets, entries_of_jets
        self.n_jets, self.weights = len(entries_of_jets), weights
        self._entries = int(entries_of_jets.sum())

    @staticmethod
    def counted(name: str, jets: AnyClouds, n_jets: int) -> np.ndarray:
        """Return (n_jets,) how many particles with a momentum each of the first jets has.

        Raises:
            InputError: there is none at all; ``name`` says of what.
        """
        counts = np.zeros(n_jets, np.int64)
        for positions, clouds in jets.pieces():
            kept = positions < n_jets
            counts[positions[kept]] = has_momentum(clouds)[kept].sum(axis=1)
        if not counts.any():
            raise InputError(f"no particle with a momentum in the {n_jets} jets of {name}")
        return counts

    @property
    def n_entries(self) -> int:
        return self._entries

    @property
    def entries_of_jets(self) -> np.ndarray:
        return self._entries_of_jets

    def entries(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for positions, clouds in self._jets.pieces():
            mask = has_momentum(clouds) & (positions < self.n_jets)[:, None]
            yield clouds.point(self._feature)[mask], positions[np.nonzero(mask)[0]]
