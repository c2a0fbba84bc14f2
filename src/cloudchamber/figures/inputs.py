"""What figures and tables are made from: the files of a study, read and reduced to plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.labels import jets_in_words, told_apart
from cloudchamber.figures.looks import TRUTH, Look, looks
from cloudchamber.jets.features import JET_FEATURES
from cloudchamber.jets.kinematics import has_momentum
from cloudchamber.jets.observable_file import read_observables_of
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.entries import entries, need

__all__ = [
    "NO_SAMPLER",
    "Distributions",
    "Model",
    "Series",
    "angular_reach",
    "distinct",
    "first_samplers",
    "models_of",
    "read_distributions",
    "read_truth",
]

NO_SAMPLER = "none"


@final
@dataclass(frozen=True)
class Model:
    """A generative model with one of its samplers.

    Attributes:
        name, sampler: as in the settings.
        label: what it is called in figures; names the sampler only where the model has several.
        look: how it is drawn.
        entries: its files, one mapping per seed.
    """

    name: str
    sampler: str
    label: str
    look: Look
    entries: tuple[Mapping[str, Any], ...]


def models_of(files: Mapping[str, Any], key: str = "models") -> list[Model]:
    """Return the models of a study in the order of the settings, each sampler on its own, all seeds together.

    Models of one title are told apart by their names.

    Args:
        files: has a list ``key`` of mappings with ``name``, ``title``, ``seed`` and, where it matters, ``sampler``.
        key: which list.

    Raises:
        SettingsError: the list is missing or empty.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in entries(files, key, ("name", "title")):
        groups.setdefault((entry["name"], entry.get("sampler", "")), []).append(entry)
    names = list(dict.fromkeys(name for name, _ in groups))
    look = looks(names, [name for name, sampler in groups if sampler == NO_SAMPLER])
    samplers = {name: [sampler for other, sampler in groups if other == name] for name in names}
    title = told_apart({name: group[0]["title"] for (name, _), group in groups.items()})
    return [
        Model(
            name,
            sampler,
            f"{title[name]}, {sampler.replace('_', ' ')}" if len(samplers[name]) > 1 else title[name],
            look[name].of_sampler(samplers[name].index(sampler)),
            tuple(group),
        )
        for (name, sampler), group in groups.items()
    ]


def first_samplers(models: Sequence[Model]) -> list[Model]:
    """Return each model once, with the sampler that the settings name first."""
    return list({model.name: model for model in reversed(models)}.values())[::-1]


def distinct(models: Sequence[Model], by_name: bool = False) -> list[Model]:
    """Return each model and sampler once, or each model once."""
    return list({model.name if by_name else (model.name, model.sampler): model for model in models}.values())


def read_truth(files: Mapping[str, Any], weighted: bool = False) -> Clouds:
    """Return the prepared true jets.

    Args:
        files: has "truth".
        weighted: whether the caller takes event weights into account.

    Raises:
        InputError: the file cannot be used, or it has no test or training part.
    """
    path = need(files, "truth")
    truth = read_clouds(path, weighted)
    for part in ("test", "train"):
        if not len(truth.indices.get(part, ())):
            raise InputError(f"{path}: no jets in the part '{part}'")
    return truth


def angular_reach(truth: Clouds) -> float:
    """Return the |eta_rel| and |phi_rel| that hold all but a thousandth of the true particles: half an axis."""
    mask = has_momentum(truth)
    return float(max(np.quantile(np.abs(truth.point(name)[mask]), 0.999) for name in ("eta_rel", "phi_rel")))


@final
@dataclass(frozen=True)
class Series:
    """Values of some features of one sample of jets."""

    label: str
    look: Look
    values: Mapping[str, Sample]

    @property
    def n_jets(self) -> int:
        return next(iter(self.values.values())).n_jets

    @property
    def size(self) -> str:
        """The number of true jets in words, with the effective number where they have weights."""
        sample = next(iter(self.values.values()))
        return jets_in_words(sample.n_jets, None if sample.weights is None else sample.size)


@final
@dataclass(frozen=True)
class Distributions:
    """Values of some features: of truth (its test part) and of each model (all seeds together)."""

    title: str
    truth: Series
    models: tuple[Series, ...]


def read_distributions(files: Mapping[str, Any], features: Sequence[str]) -> Distributions:
    """Read the values of ``features`` of truth and of each model with its first sampler.

    Args:
        files: "title", "truth", "truth_observables" and "models" with "clouds" and "observables" each.
        features: all of jets, or all of particles.

    Raises:
        InputError: a file cannot be used, or clouds and observables do not belong together.
        SettingsError: a key is missing.
    """
    read = _jet_values if set(features) <= set(JET_FEATURES) else _particle_values
    truth = read_truth(files, weighted=True)
    paths = need(files, "truth"), need(files, "truth_observables")
    of_truth = read(truth, *paths, features, truth.indices["test"])
    series = []
    for model in first_samplers(models_of(files)):
        seeds = []
        for entry in model.entries:
            paths = need(entry, "clouds"), need(entry, "observables")
            clouds = read_clouds(paths[0])
            seeds.append(read(clouds, *paths, features, np.arange(len(clouds))))
        pooled = {name: _pooled([values[name] for values in seeds]) for name in features}
        series.append(Series(model.label, model.look, pooled))
    return Distributions(need(files, "title"), Series("truth (test part)", TRUTH, of_truth), tuple(series))


# Of clouds, their path and that of their observables, features and rows.
_Reader = Callable[[Clouds, str, str, Sequence[str], np.ndarray], dict[str, Sample]]


def _jet_values(
    clouds: Clouds, path: str, observables: str, features: Sequence[str], rows: np.ndarray
) -> dict[str, Sample]:
    table, _ = read_observables_of(path, len(clouds), observables)
    for name in features:
        if name not in table:
            raise InputError(f"{observables}: no observable '{name}' among {sorted(table)}")
    return {name: Sample.of_jets(table[name][rows], _weights(clouds, rows)) for name in features}


def _particle_values(
    clouds: Clouds, path: str, observables: str, features: Sequence[str], rows: np.ndarray
) -> dict[str, Sample]:
    jets = clouds[rows]
    mask = has_momentum(jets)
    return {name: Sample.of_particles(jets.point(name), mask, jets.event_weight) for name in features}


def _weights(clouds: Clouds, rows: np.ndarray) -> np.ndarray | None:
    return None if clouds.event_weight is None else clouds.event_weight[rows]


def _pooled(samples: Sequence[Sample]) -> Sample:
    starts = np.cumsum([0, *(sample.n_jets for sample in samples)])
    return Sample(
        np.concatenate([sample.values for sample in samples]),
        np.concatenate([sample.jets + start for sample, start in zip(samples, starts, strict=False)]),
        int(starts[-1]),
    )
