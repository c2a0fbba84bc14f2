"""Jets that are compared with themselves: a distance of truth from its own jets is that of a perfect model."""

import sys
from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cloudchamber.cloud_file import AnyClouds
from cloudchamber.preparation.identical import fingerprints, momentum_column

__all__ = ["JetContents", "say_repeated_jets", "say_same_jets", "say_same_rows"]

# Of the jets of a sample, the share that may be alike by chance.
_FEW_COPIES = 0.01
# Of its numbers: single precision has eight million between one and two.
_FEW_NUMBERS = 0.5
_ENOUGH_ROWS = 20


@final
@dataclass(frozen=True)
class JetContents:
    """What tells N jets from others, read once.

    Attributes:
        particles: fingerprints of the particles of jets that have several; others are alike by chance.
        multiplicity: (N,) int64, numbers of particles.
    """

    particles: np.ndarray
    multiplicity: np.ndarray

    def __len__(self) -> int:
        return len(self.multiplicity)

    @classmethod
    def of(cls, jets: AnyClouds) -> Self:
        """Read all pieces of some jets."""
        particles, numbers = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
        for _, piece in jets.pieces():
            numbers.append(piece.multiplicity)
            some = piece[numbers[-1] > 1]
            particles.append(fingerprints(some.points, np.zeros((len(some), 0)), momentum_column(some.point_columns)))
        return cls(np.concatenate(particles), np.concatenate(numbers))


def say_same_jets(step: str, sample: str, jets: JetContents, other: str, others: JetContents, consequence: str) -> None:
    """Say on standard error that jets of a sample are jets of another that it must be independent of.

    Args:
        step: what says it.
        sample, other: names of the two.
        jets, others: their jets.
        consequence: what follows the names.
    """
    same = int(np.isin(jets.particles, others.particles).sum())
    if same > _FEW_COPIES * len(jets):
        _say(step, same, len(jets), f"jets of {sample} are jets of {other}{consequence}")


def say_repeated_jets(step: str, sample: str, jets: JetContents) -> None:
    """Say on standard error that jets of a sample are there several times, as where one seed drew them again.

    Args:
        step, sample, jets: as of :func:`say_same_jets`.
    """
    repeated = len(jets.particles) - len(np.unique(jets.particles))
    if repeated > _FEW_COPIES * len(jets):
        _say(step, repeated, len(jets), f"jets of {sample} are earlier ones of it again, and count as others")


def say_same_rows(step: str, sample: str, rows: np.ndarray, other: str, others: np.ndarray, consequence: str) -> None:
    """Say the same of (N, D) and (M, D) numbers; rows that ``others`` holds several times are alike by chance.

    Args:
        step, sample, other, consequence: as of :func:`say_same_jets`.
        rows, others: the numbers.
    """
    found, count = np.unique(_content(others), return_counts=True)
    same = int(np.isin(_content(rows), found[count == 1]).sum())
    if len(rows) >= _ENOUGH_ROWS and same > _FEW_NUMBERS * len(rows):
        _say(step, same, len(rows), f"rows of {sample} are rows of {other}{consequence}")


def _say(step: str, same: int, number: int, what: str) -> None:
    sys.stderr.write(f"{step}: WARNING: {same} of {number} {what}\n")


def _content(rows: np.ndarray) -> np.ndarray:
    return fingerprints(np.zeros((len(rows), 0, 0)), rows, 0)
