"""What conditions change: models with and without them, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, final

from matplotlib.figure import Figure

from cloudchamber.errors import SettingsError
from cloudchamber.figures.inputs import Model, first_samplers, models_of
from cloudchamber.figures.labels import wrapped
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.pairs import Pair, draw_pairs, limits, pair_handles
from cloudchamber.figures.sample_sizes import sizes
from cloudchamber.jets.features import COMPARED_FEATURES
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.settings.entries import entries, need

__all__ = ["Twins", "conditioning", "draw_conditioning", "partners", "read_twins"]

CAPTIONS = {
    "conditioning": (
        "What it changes that a model knows the transverse momentum and the mass of the jet: pairs of models "
        "that differ in nothing else. KL(generated || truth) of each feature in nats, means over seeds where "
        "there are several; bars are standard deviations over resamplings of the true and the generated jets, "
        "and hold no spread over trainings. Black line and grey band: the floor and its uncertainty. The jets "
        "that are asked for are the same for both models of a pair; features that are imposed on both are left out."
    ),
}

_COLUMNS = 4


def draw_conditioning(files: Mapping[str, Any]) -> Figure:
    """Draw what conditions change in the KL divergence of every feature."""
    return conditioning(read_twins(files, "kl", COMPARED_FEATURES), need(files, "title"))


@final
@dataclass(frozen=True)
class Twins:
    """A model without and one with conditions that are alike otherwise, with a distance of both in each feature.

    Attributes:
        label: what both are called.
        unconditional, conditional: a measurement per feature.
    """

    label: str
    unconditional: tuple[Measurement, ...]
    conditional: tuple[Measurement, ...]


def partners(files: Mapping[str, Any]) -> list[tuple[Model, Model]]:
    """Return the models without and with conditions of each pair, each with its first sampler.

    Args:
        files: "models", and "pairs": a list of mappings with the names "unconditional" and "conditional".

    Raises:
        SettingsError: a key is missing, there is no pair, or a name is not that of a model.
    """
    models = {model.name: model for model in first_samplers(models_of(files))}
    pairs = entries(files, "pairs", ("unconditional", "conditional"))
    unknown = sorted({name for pair in pairs for name in pair.values()} - set(models))
    if unknown:
        raise SettingsError(f"--files: pairs of {unknown}, which are not among the models {sorted(models)}")
    return [(models[pair["unconditional"]], models[pair["conditional"]]) for pair in pairs]


def read_twins(files: Mapping[str, Any], metric: str, features: Sequence[str]) -> list[Twins]:
    """Read a distance of both models of each pair, in every feature.

    Raises:
        InputError: the table cannot be read or lacks a value.
        SettingsError: see :func:`partners`.
    """
    found = read_measurements(files, metric, features)

    def of(model: Model) -> tuple[Measurement, ...]:
        return tuple(item for item in found if item.model == model)

    return [
        Twins(_common(without.label, with_.label), *_generated(of(without), of(with_)))
        for without, with_ in partners(files)
    ]


def _common(first: str, second: str) -> str:
    """Return the words that two titles begin with, or both titles where there are none."""
    pairs = zip(*(title.replace(",", " ").split() for title in (first, second)), strict=False)
    words = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    return " ".join(words) or f"{first} and {second}"


def _generated(
    first: Sequence[Measurement], second: Sequence[Measurement]
) -> tuple[tuple[Measurement, ...], tuple[Measurement, ...]]:
    """Return both sides without the features that were imposed on both, which conditions cannot change."""
    kept = [(one, other) for one, other in zip(first, second, strict=True) if not (one.imposed and other.imposed)]
    return tuple(one for one, _ in kept), tuple(other for _, other in kept)


def conditioning(data: Sequence[Twins], title: str) -> Figure:
    """Draw, for each pair of models, the KL divergence in every feature without and with conditions.

    Args:
        data: the pairs.
        title: what was compared.
    """
    columns = min(_COLUMNS, len(data))
    rows = -(-len(data) // columns)
    height = 0.3 * len(data[0].conditional) + 1.0
    figure = Figure(figsize=(1.4 + 2.7 * max(columns, 2), height * rows + 1.0), layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    pairs = [_pairs(twins) for twins in data]
    ends = limits(pair for of_twins in pairs for pair in of_twins)
    for axis, twins, of_twins in zip(axes.flat, data, pairs, strict=False):
        draw_pairs(axis, of_twins, ends)
        axis.set_title(wrapped(twins.label, 28))
        axis.set_xlabel(f"{KL_DIRECTION} [nat]")
    for axis in axes.flat[len(data) :]:
        axis.set_visible(False)
    figure.suptitle(f"{title}: {sizes([item for twins in data for item in twins.conditional])}")
    legend_below(figure, pair_handles("without conditions", "with conditions"))
    return figure


def _pairs(twins: Twins) -> list[Pair]:
    return [
        Pair(
            with_.feature,
            Estimate(without.value, without.uncertainty),
            Estimate(with_.value, with_.uncertainty),
            Estimate(with_.floor, with_.floor_uncertainty),
        )
        for without, with_ in zip(twins.unconditional, twins.conditional, strict=True)
    ]
