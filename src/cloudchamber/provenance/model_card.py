"""The step ``model-card``: what a trained model is, how good, for what and how to use it, in Markdown.

The sections follow the model cards of arXiv 1810.03993. Everything in a card is read from what the model was made with
and measured by; nothing is told to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.figures.labels import counts, plain_name
from cloudchamber.figures.numbers import decimals, with_uncertainty
from cloudchamber.metrics.tables import METRIC_COLUMNS, read_table
from cloudchamber.preparation.splits import PARTS
from cloudchamber.provenance.card_texts import HOW_TO_READ, LIMITS, METRICS, STAND_IN, USES, usage
from cloudchamber.settings.base import Settings, parse
from cloudchamber.settings.entries import entries, need
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.settings.taggers import TaggerSettings
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

_KEYS = (
    "kind",
    "study",
    "dataset",
    "dataset_title",
    "origin",
    "simulated",
    "name",
    "title",
    "prepared",
    "metrics",
    "samplers",
)
_SETTINGS: Mapping[str, type[TrainableSettings]] = {
    "generator": GeneratorSettings,
    "jet_flow": JetFlowSettings,
    "tagger": TaggerSettings,
}


def model_card(files: Mapping[str, Any], output: Path) -> None:
    """Write the card of a model, all seeds of its training together.

    Args:
        files: "kind" ("generator", "jet_flow" or "tagger"), "study", "dataset", "dataset_title", "origin" (of the data,
            in words), "simulated" (whether by this project), "name" and "title" of the model, "prepared" (its data),
            "metrics" (CSV of the study), "trainings", each with seed, weights, description and history, "samplers" by
            name and, for a tagger, "high_level", the file of features that it takes, in a list.
        output: the card.

    Raises:
        InputError: a file is missing or damaged, the weights are not those of their description, or the trainings have
            different settings.
        SettingsError: a key is missing.
        StorageError: the card cannot be written.
    """
    for key in _KEYS:
        need(files, key)
    trainings = entries(files, "trainings", ("seed", "weights", "description", "history"))
    descriptions = [_description(training) for training in trainings]
    first = descriptions[0]
    if any(other["settings"] != first["settings"] for other in descriptions):
        raise InputError(f"{trainings[0]['description']}: the seeds were not trained with the same settings")
    kind = files["kind"]
    if kind not in _SETTINGS:
        raise SettingsError(f"--files: kind '{kind}' is none of {sorted(_SETTINGS)}")
    settings = parse(_SETTINGS[kind], first["settings"], output)
    sections = {
        "What it is": _model(files, settings, first),
        "Data": _data(files),
        "Training": _training(files, settings),
        "Metrics": _metrics(files),
        "Intended use": USES[kind],
        "Limits": [*([STAND_IN] if files["simulated"] else []), *LIMITS[kind]],
        "How to use it": usage(files),
        "What made it": _origin(files, descriptions),
    }
    text = f"# {files['title']}, trained on {files['dataset_title']}\n"
    for title, paragraphs in sections.items():
        text += f"\n## {title}\n\n" + "\n\n".join(paragraphs) + "\n"
    write_text(output, text)


def _description(training: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("settings", "parameters", "provenance")
    return read_description(Path(training["weights"]), Path(training["description"]), keys)


def _model(files: Mapping[str, Any], settings: Settings, described: Mapping[str, Any]) -> list[str]:
    match settings:
        case GeneratorSettings():
            asked = " and ".join(plain_name(name) for name in settings.conditions) or "none: an unconditional model"
            what = "A generative model of jets as clouds of particles (eta, phi and pT relative to the jet)."
            rows = [
                ("network", f"{_words(settings.network)}: {_values(settings.network)}"),
                ("objective", f"{_words(settings.objective)}: {_values(settings.objective)}"),
                ("conditions", asked),
            ]
        case TaggerSettings():
            what = "A classifier of jets: it gives the probability of each class."
            rows = [
                ("network", f"{_words(settings.network)}: {_values(settings.network)}"),
                ("classes", ", ".join(described["classes"])),
                ("features", ", ".join(described["features"]) or "none: it sees the towers of a jet"),
            ]
        case _:
            what = (
                "A normalising flow of the jets that clouds are generated for: multiplicity, pT, eta, mass and sum of"
                " the particles."
            )
            rows = [("flow", f"neural splines, autoregressive over the features: {_values(settings)}")]
    return [what, _table([*rows, *_sizes(files, described)])]


def _sizes(files: Mapping[str, Any], described: Mapping[str, Any]) -> list[tuple[str, str]]:
    size = Path(files["trainings"][0]["weights"]).stat().st_size
    seeds = ", ".join(str(training["seed"]) for training in files["trainings"])
    return [
        ("parameters", f"{described['parameters']:,} ({size / 1e6:.2f} MB of weights, averaged over the training)"),
        ("seeds of the training", seeds),
    ]


def _words(settings: BaseModel) -> str:
    return (type(settings).__doc__ or "").strip().splitlines()[0].rstrip(".")


def _values(settings: BaseModel) -> str:
    values = settings.model_dump(mode="json").items()
    return ", ".join(f"{name} {value}" for name, value in values if name != "kind" and not isinstance(value, dict))


def _data(files: Mapping[str, Any]) -> list[str]:
    clouds = read_clouds(files["prepared"])
    parts = ", ".join(f"{len(clouds.indices[name]):,} {name}" for name in PARTS)
    rows = [
        ("data set", f"{files['dataset_title']} (`{files['dataset']}`)"),
        ("from", files["origin"]),
        ("jets", f"{len(clouds):,}: {parts}"),
        ("particles of a jet", f"{clouds.multiplicity.mean():.1f} on average, at most {clouds.points.shape[1]} kept"),
    ]
    truncation = {**clouds.meta, **clouds.meta.get("source", {})}.get("truncation")
    if truncation:
        lost = truncation["mean_lost_pt_fraction"]
        cut = truncation["clouds_truncated"]
        rows.append(("truncation", f"{cut:,} jets lost their softest particles, {lost:.2g} of the pT on average"))
    training = "It is trained on the training part, watched on the validation part and measured against the test part."
    return [_table(rows), training]


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
    return [_table([(name.replace("_", " "), str(value)) for name, value in recipe.items()]), "\n".join(lines)]


def _metrics(files: Mapping[str, Any]) -> list[str]:
    table = read_table(files["metrics"], METRIC_COLUMNS)
    mine = [table[key] == files[name] for key, name in (("study", "study"), ("dataset", "dataset"), ("model", "name"))]
    table = table[mine[0] & mine[1] & mine[2]]
    if table.empty:
        raise InputError(f"{files['metrics']}: no metric of '{files['name']}' on '{files['dataset']}'")
    table = table[table["metric"].isin(METRICS)]
    # Columns without a single name hold numbers that are none.
    named = {"feature": "", "sampler": "none"}
    filled = {column: table[column].astype(object).where(table[column].notna(), name) for column, name in named.items()}
    table = table.assign(**filled)
    paragraphs = [HOW_TO_READ[files["kind"]]]
    for sampler, of_sampler in table.groupby("sampler", sort=False):
        title = (
            "" if sampler == "none" else f"Sampler `{sampler}` ({_values_of(files['samplers'].get(sampler, {}))}).\n\n"
        )
        head = "| metric | feature | value | floor | jets |\n| --- | --- | --- | --- | --- |\n"
        paragraphs.append(title + head + "\n".join(_rows(of_sampler)))
    seeds = table["seed"].nunique()
    if seeds == 1:
        paragraphs.append("One seed: how much another training would differ is not known.")
    return [*paragraphs, "Metrics: " + "; ".join(f"{name}, {METRICS[name]}" for name in _named(table)) + "."]


def _values_of(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _named(table: pd.DataFrame) -> list[str]:
    return [name for name in METRICS if name in set(table["metric"])]


def _rows(table: pd.DataFrame) -> Iterator[str]:
    for (metric, feature), rows in table.groupby(["metric", "feature"], sort=False):
        numbers = {name: float(rows[name].mean()) for name in ("value", "uncertainty", "floor", "floor_uncertainty")}
        value = with_uncertainty(numbers["value"], numbers["uncertainty"])
        # A rejection is infinite where no background was kept.
        if len(rows) > 1 and np.isfinite(rows["value"]).all():
            value += f" ({rows['value'].std():.{decimals(numbers['value'], numbers['uncertainty'])}f})"
        if "imposed" in rows and rows["imposed"].eq(True).all():
            value += ", imposed"
        known = pd.notna(numbers["floor"])
        floor = with_uncertainty(numbers["floor"], numbers["floor_uncertainty"]) if known else ""
        # Of a classifier, which generates none, it is the number of tested ones.
        known_jets = rows["n_generated"].fillna(rows["n_reference"]).dropna()
        jets = counts([int(number) for number in known_jets]) if len(known_jets) else ""
        yield f"| {metric} | {plain_name(str(feature))} | {value} | {floor} | {jets} |"


def _origin(files: Mapping[str, Any], descriptions: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| seed | weights | SHA-256 of the weights | SHA-256 of the prepared data |", "| --- | --- | --- | --- |"]
    for training, described in zip(files["trainings"], descriptions, strict=True):
        data = ", ".join(described["provenance"]["inputs"].values())
        lines.append(f"| {training['seed']} | `{training['weights']}` | `{described['weights_sha256']}` | `{data}` |")
    inspect = f"cloudchamber inspect {files['trainings'][0]['weights']}"
    more = f"`{inspect}` verifies the weights and says with which code, packages and machine they were made."
    return ["\n".join(lines), more]


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])
