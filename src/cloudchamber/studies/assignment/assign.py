"""The step that assigns jets: the events of a sample by every method."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import provenance
from cloudchamber.studies.assignment.assignment_file import Assignments, Attention, write_assignments
from cloudchamber.studies.assignment.chi_square import best_assignments
from cloudchamber.studies.assignment.event_file import Events, read_events, read_part
from cloudchamber.studies.assignment.jets_alike import say_jets_unlike_training, say_other_cut_than_training
from cloudchamber.studies.assignment.known_events import refuse_known_events
from cloudchamber.studies.assignment.methods import CHI_SQUARES
from cloudchamber.studies.assignment.network_assignments import assign
from cloudchamber.studies.assignment.settings import ChiSquareSettings
from cloudchamber.studies.assignment.stored_network import StoredNetwork, load_network
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

__all__ = ["assign_events", "attention_of"]

_KEYS = ("name", "seed", "trained_on", "training_events", "part", "weights", "description")


def assign_events(
    events: Path, files: Mapping[str, Any], settings: ChiSquareSettings, attention_events: int, output: Path
) -> None:
    """Assign the jets of events by all chi-squares and all networks.

    Args:
        events: file in the layout of SPANet with parts.
        files: "part", whose test events the chi-squares assign, or null for all events; and "models", a list with
            "name", "seed", "trained_on", "training_events" (of a point of the learning curve, else null), "part" (as
            above), "weights" and "description". Entries that differ in part alone are one: folds.
        settings: masses and widths of the chi-squares.
        attention_events: of so many complete events the attention of the first network is kept; 0 for none.
        output: the assignments.

    Raises:
        InputError: a file cannot be used, or a network is of another topology, or was trained with some of the events,
            or one training stands under two seeds.
        SettingsError: a key is missing, or seeds do not tell trainings apart.
    """
    topology = ALL_HADRONIC_TOP_PAIR
    sample = read_events(events, topology)
    rows = _rows(events, need(files, "part"), len(sample))
    found = _chi_squares(sample, rows, settings)
    pieces: dict[tuple[Any, ...], list[Assignments]] = {}
    trainings: dict[Path, Mapping[str, Any]] = {}
    sources = [events]
    attention: list[Attention] = []
    models = entries(files, "models", _KEYS, may_be_empty=True)
    refuse_one_training(models, "weights", ("name", "trained_on", "training_events"), pieces="part")
    for entry in models:
        stored = load_network(Path(entry["weights"]), Path(entry["description"]))
        if stored.settings.topology != topology:
            raise InputError(f"{entry['description']}: the network is not of all-hadronic top pairs")
        sources += [Path(entry["weights"])]
        of_entry = _rows(events, entry["part"], len(sample))
        refuse_known_events(Path(entry["description"]), stored.training, events, sample[of_entry])
        trainings[Path(entry["description"])] = stored.training
        made = _network(stored, sample, of_entry, entry)
        pieces.setdefault((made.method, made.trained_on, made.training_events, made.seed), []).append(made)
        if attention_events and not attention:
            attention = attention_of(stored, sample, of_entry, attention_events)
    say_jets_unlike_training(events, trainings)
    by_name = {str(description): training for description, training in trainings.items()}
    say_other_cut_than_training("assignment assign", str(events), sample.n_jets, by_name)
    found += [_joined(items) for items in pieces.values()]
    record = provenance("assignment assign", settings.model_dump(mode="json"), sources)
    write_assignments(output, found, attention, json.dumps({"provenance": record}, sort_keys=True))


def _rows(events: Path, part: str | None, number: int) -> np.ndarray:
    return np.arange(number) if part is None else np.sort(read_part(events, f"{part}/test", number))


def _chi_squares(sample: Events, rows: np.ndarray, settings: ChiSquareSettings) -> list[Assignments]:
    found = []
    chosen = sample[rows]
    for name, method in CHI_SQUARES.items():
        jets, value = best_assignments(chosen.jets, chosen.mask, settings, method.form, method.b_tags)
        # The chi-square is of both tops together: each gets half of it.
        halves = np.repeat(-0.25 * value[:, None], 2, axis=1)
        found.append(Assignments(name, "", None, 0, 0, rows, jets, halves, np.full(halves.shape, np.nan)))
    return found


def _network(stored: StoredNetwork, sample: Events, rows: np.ndarray, entry: Mapping[str, Any]) -> Assignments:
    made = assign(stored.network.to(present_device()), sample[rows])
    complete = int(stored.training["complete_events"])
    kind = entry["name"], entry["trained_on"], entry["training_events"], complete, entry["seed"]
    return Assignments(*kind, rows, made.jets, made.log_probability, made.detection)


def _joined(pieces: Sequence[Assignments]) -> Assignments:
    """Return the assignments of all folds as one, by increasing rows."""
    first = pieces[0]
    rows = np.concatenate([item.rows for item in pieces])
    order = np.argsort(rows, kind="stable")
    parts = [
        np.concatenate([getattr(item, name) for item in pieces])[order]
        for name in ("jets", "log_probability", "detection")
    ]
    complete = round(float(np.mean([item.complete_events for item in pieces])))
    kind = first.method, first.trained_on, first.training_events, complete, first.seed
    return Assignments(*kind, rows[order], *parts)


@torch.inference_mode()
def attention_of(stored: StoredNetwork, sample: Events, rows: np.ndarray, number: int) -> list[Attention]:
    """Return the attention of the encoder for the first complete events of ``rows``, of six jets first."""
    network = stored.network
    complete = rows[sample.found(network.topology)[rows].all(axis=1)]
    chosen = complete[np.argsort(sample.n_jets[complete], kind="stable")][:number]
    device = next(network.parameters()).device
    seen = []
    for row in chosen:
        inputs = (torch.from_numpy(values[[row]]).to(device) for values in (sample.jets, sample.mask))
        layers = [blocks[0][0] for blocks in network.attention_weights(*inputs)]
        seen.append(Attention(int(row), torch.stack(layers).cpu().numpy()))
    return seen
