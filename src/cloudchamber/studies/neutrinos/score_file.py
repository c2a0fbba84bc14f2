"""What all networks say of the test events, on disk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.jets.observable_file import refuse_other_source

__all__ = ["Attention", "ScoreFile", "Scores", "read_scores", "write_scores"]

_FORMAT = np.bytes_("cloudchamber-neutrino-scores")
_KIND = "a file of scores of neutrino events"


@final
@dataclass(frozen=True)
class Scores:
    """What one training says of n events.

    Attributes:
        model: name of the model.
        seed: of the training.
        training_events: how many it was trained with.
        event: (n, 3) float64 log probabilities of the interactions.
        prong: (n, P, 6) float64 log probabilities of the classes of prongs; without a meaning where there is none.
    """

    model: str
    seed: int
    training_events: int
    event: np.ndarray
    prong: np.ndarray


@final
@dataclass(frozen=True)
class Attention:
    """How much the tokens of one event look at each other: (layers, heads, T, T), each row sums to one.

    Token 0 is the event, the others are its prongs. ``row`` is a position in the file of events.
    """

    row: int
    weights: np.ndarray


@final
@dataclass(frozen=True)
class ScoreFile:
    """Everything in a file.

    Attributes:
        rows: (n,) int64 positions of the events in the file of events.
        scores: one for each training.
        attention: of some of the events.
        attentive: name and seed of the model that the attention is of; "" and 0 for none.
    """

    rows: np.ndarray
    scores: Sequence[Scores]
    attention: Sequence[Attention]
    attentive: tuple[str, int]


def write_scores(path: Path, content: ScoreFile, meta: Mapping[str, Any]) -> None:
    """Write scores, and JSON that says where they are from.

    Raises:
        StorageError: the file cannot be written.
    """
    with create_hdf5(path) as output:
        file = output.file
        file.attrs["format"], file.attrs["version"] = _FORMAT, 1
        _dataset(file, "rows", content.rows)
        for number, item in enumerate(content.scores):
            group = file.create_group(f"scores/{number:04d}")
            group.attrs["model"] = np.bytes_(item.model.encode())
            group.attrs["seed"], group.attrs["training_events"] = item.seed, item.training_events
            _dataset(group, "event", item.event)
            _dataset(group, "prong", item.prong)
        for number, seen in enumerate(content.attention):
            group = file.create_group(f"attention/{number:04d}")
            group.attrs["row"] = seen.row
            _dataset(group, "weights", seen.weights)
        about = {**meta, "attentive": list(content.attentive)}
        _dataset(file, "meta", np.frombuffer(json.dumps(about, sort_keys=True).encode(), "u1"))
        output.check()


def _dataset(group: h5py.Group, name: str, values: np.ndarray) -> None:
    group.create_dataset(name, data=values, chunks=True, compression="gzip", compression_opts=1, fletcher32=True)


def read_scores(path: Path, events: Path | None = None) -> ScoreFile:
    """Return what is in a file.

    Args:
        path: the file.
        events: the events that the scores are to be of; None for any.

    Raises:
        InputError: the file cannot be read or is not complete, or the scores are of other events.
    """
    with readable_as(path, _KIND), h5py.File(path, "r") as file:
        if file.attrs.get("format") != _FORMAT or not file.attrs.get("complete"):
            raise InputError(f"{path}: not {_KIND}, or not complete")
        scores = [
            Scores(
                bytes(group.attrs["model"]).decode(),
                int(group.attrs["seed"]),
                int(group.attrs["training_events"]),
                group["event"][()],
                group["prong"][()],
            )
            for _, group in sorted(file["scores"].items())
        ]
        seen = [
            Attention(int(group.attrs["row"]), group["weights"][()])
            for _, group in sorted(file.get("attention", {}).items())
        ]
        meta = json.loads(file["meta"][()].tobytes())
        rows = file["rows"][()]
    if events is not None:
        refuse_other_source(path, meta, events, "events")
    name, seed = meta["attentive"]
    return ScoreFile(rows, scores, seen, (str(name), int(seed)))
