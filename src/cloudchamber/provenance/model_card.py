"""The step ``model-card``: what a trained model is, how good, for what and how to use it, in Markdown.

The sections follow the model cards of arXiv 1810.03993. Everything in a card is read from what the model was made with
and measured by; nothing is told to it. What is particular to a kind of model is a :class:`CardKind`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.labels import counts, plain_name
from cloudchamber.figures.numbers import decimals, with_uncertainty
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.provenance.card_kind import CardKind, markdown_table, sizes
from cloudchamber.settings.base import parse
from cloudchamber.settings.entries import entries, need
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.storage import write_text
from cloudchamber.training.descriptions import read_description

__all__ = ["model_card"]

CAPTIONS = {
    "model-card": (
        "The card of a trained model, all its seeds together: what it is, its data and training, every metric "
        "with uncertainty and floor, what it is for and where it ends, how to use it, the hashes of its "
        "weights."
    ),
}

_KEYS = ("study", "dataset", "dataset_title", "origin", "simulated", "name", "title", "metrics")


def model_card(kind: Callable[[], CardKind], files: Mapping[str, Any], output: Path) -> None:
    """Write the card of a model, all seeds of its training together.

    Args:
        kind: what makes what is said of models of its kind.
        files: "study", "dataset", "dataset_title", "origin" (of the data, in words), "simulated" (whether by this
            project), "name" and "title" of the model, "metrics" (CSV of the study), "trainings", each with seed,
            weights, description and history, and what ``kind`` needs beside these.
        output: the card.

    Raises:
        InputError: a file is missing or damaged, the weights are not those of their description, or the trainings have
            different settings.
        SettingsError: a key is missing.
        StorageError: the card cannot be written.
    """
    of_kind = kind()
    for key in (*_KEYS, *of_kind.keys):
        need(files, key)
    trainings = entries(files, "trainings", ("seed", "weights", "description", "history"))
    descriptions = [_description(training) for training in trainings]
    first = descriptions[0]
    if any(other["settings"] != first["settings"] for other in descriptions):
        raise InputError(f"{trainings[0]['description']}: the seeds were not trained with the same settings")
    settings = parse(of_kind.settings_type, first["settings"], output)
    what, rows = of_kind.model(files, settings, first)
    sections = {
        "What it is": [what, markdown_table([*rows, *sizes(files, first)])],
        "Data": of_kind.data(files),
        "Training": _training(files, settings),
        "Metrics": _metrics(of_kind, files),
        "Intended use": of_kind.uses,
        "Limits": [*([of_kind.stand_in] if files["simulated"] else []), *of_kind.limits],
        "How to use it": of_kind.usage(files),
        "What made it": _origin(files, descriptions),
    }
    text = f"# {files['title']}, trained on {files['dataset_title']}\n"
    for title, paragraphs in sections.items():
        text += f"\n## {title}\n\n" + "\n\n".join(paragraphs) + "\n"
    write_text(output, text)


def _description(training: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("settings", "parameters", "provenance")
    return read_description(Path(training["weights"]), Path(training["description"]), keys)


def _training(files: Mapping[str, Any], settings: TrainableSettings) -> list[str]:
    recipe = settings.model_dump(mode="json")["training"]
    lines = ["| seed | steps | first validation | last validation |", "| --- | --- | --- | --- |"]
    for training in files["trainings"]:
        history = read_table(training["history"])
        losses = [name for name in history if name.endswith("loss")]
        # Rows without a validation have a training loss alone; the last step is always validated.
        validated = history[losses].dropna().head(1)
        first, last = (
            ", ".join(f"{name.replace('_', ' ')} {row[name].iloc[0]:.4g}" for name in losses)
            for row in (validated if len(validated) else history.tail(1), history.tail(1))
        )
        lines.append(f"| {training['seed']} | {history['step'].iloc[-1]:,} | {first} | {last} |")
    return [markdown_table([(name.replace("_", " "), str(value)) for name, value in recipe.items()]), "\n".join(lines)]


def _metrics(kind: CardKind, files: Mapping[str, Any]) -> list[str]:
    table = read_table(files["metrics"], METRIC_COLUMNS)
    table = kind.chosen(files, table[table["study"] == files["study"]])
    if table.empty:
        raise InputError(f"{files['metrics']}: no metric of '{files['name']}' on '{files['dataset']}'")
    # A field without a number is of a metric that could not be measured.
    table = table[table["metric"].isin(kind.metrics) & table["value"].notna()]
    # A column without a single name holds numbers that are none.
    table = table.assign(feature=table["feature"].astype(object).where(table["feature"].notna(), ""))
    paragraphs = [kind.how_to_read]
    for title, part in kind.parts(files, table):
        names = ["metric", "feature", *kind.groups.values(), "value", *kind.limits_of_values.values(), kind.sample]
        head = f"| {' | '.join(names)} |\n|{' --- |' * len(names)}\n"
        paragraphs.append((f"{title}\n\n" if title else "") + head + "\n".join(_rows(kind, part)))
    if table["seed"].nunique() == 1:
        paragraphs.append("One seed: how much another training would differ is not known.")
    shown = set(table["metric"])
    named = "; ".join(f"{name}, {text}" for name, text in kind.metrics.items() if name in shown)
    return [*paragraphs, f"Metrics: {named}."]


def _rows(kind: CardKind, table: pd.DataFrame) -> Iterator[str]:
    for of_row, rows in table.groupby(["metric", "feature", *kind.groups], sort=False):
        metric, feature, *groups = of_row
        numbers = [float(rows[name].mean()) for name in ("value", "uncertainty")]
        value = with_uncertainty(*numbers)
        # A rejection is infinite where no background was kept.
        if len(rows) > 1 and np.isfinite(rows["value"]).all():
            value += f" ({rows['value'].std():.{decimals(*numbers)}f})"
        if "imposed" in rows and rows["imposed"].eq(True).all():
            value += ", imposed"
        limits = [_limit(rows, name) for name in kind.limits_of_values]
        # A model that generates nothing is tested on the sample that a generative one is compared with.
        known = rows["n_generated"].fillna(rows["n_reference"]).dropna()
        sample = counts([int(number) for number in known]) if len(known) else ""
        texts = [metric, plain_name(str(feature)), *(f"{item:g}" for item in groups), value, *limits, sample]
        yield f"| {' | '.join(texts)} |"


def _limit(rows: pd.DataFrame, name: str) -> str:
    value = float(rows[name].mean())
    error = f"{name}_uncertainty"
    return with_uncertainty(value, float(rows[error].mean()) if error in rows else np.nan) if pd.notna(value) else ""


def _origin(files: Mapping[str, Any], descriptions: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| seed | weights | SHA-256 of the weights | SHA-256 of the training data |", "| --- | --- | --- | --- |"]
    for training, described in zip(files["trainings"], descriptions, strict=True):
        data = ", ".join(described["provenance"]["inputs"].values())
        lines.append(f"| {training['seed']} | `{training['weights']}` | `{described['weights_sha256']}` | `{data}` |")
    inspect = f"cloudchamber inspect {files['trainings'][0]['weights']}"
    more = f"`{inspect}` verifies the weights and says with which code, packages and machine they were made."
    return ["\n".join(lines), more]
