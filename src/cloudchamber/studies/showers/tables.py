"""Tables of the study: distances with their floors, and what classifiers say."""

import math
from collections.abc import Mapping
from typing import Any

from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.ablation import MEASURES, Difference, arms_of, difference
from cloudchamber.studies.showers.observables import FEATURES
from cloudchamber.studies.showers.results import (
    TRUTH,
    Value,
    read_metrics,
    shown_models,
    species_in,
    value_of,
)

__all__ = ["CAPTIONS", "ablation", "distances", "judgements"]

CAPTIONS = {
    "ablation": (
        "Arms that go without one claim of the paper, beside the model that each is compared with: weights, and what "
        "each measure changes by, mean over trainings of the same seed. Distances are over their floors, mean over "
        "species. The heading says what made the true showers: the parametrisation is a stand-in and says nothing of "
        "real showers, Geant4 with substitute low-energy tables is transport and no reference."
    ),
    "distances": (
        "Distances of generated showers from true ones, for each species and model, with their floors: what other "
        "true showers of the same particles get. The heading says what made the true showers: the parametrisation is "
        "a stand-in and says nothing of real showers, Geant4 with substitute low-energy tables is transport and no "
        "reference."
    ),
    "judgements": (
        "What classifiers tell of generated showers, copies of training showers, and the time of a shower. The "
        "heading says what made the true showers: the parametrisation is a stand-in and says nothing of real "
        "showers, Geant4 with substitute low-energy tables is transport and no reference."
    ),
}

_DISTANCES = (
    *(("w1", name) for name in FEATURES),
    ("separation", "hit_energy"),
    ("profile_error", "longitudinal"),
    ("profile_error", "radial"),
    ("layer_sums", ""),
)
_JUDGEMENTS = {
    "auc_features": "AUC, high-level features",
    "auc_points": "AUC, cells",
    "nlp": "negative log posterior",
    "species_accuracy": "species told right",
    "memorisation": "copies of training showers",
    "fpd": "FPD",
    "kpd": "KPD",
    "seconds_per_shower": "time of a shower [s]",
}
_UNCERTAINTY = "± is the standard deviation over resamplings of the showers and, of several trainings, over those too."


def ablation(files: Mapping[str, Any]) -> Table:
    """Return what each arm changes, a row for each measure.

    Args:
        files: "metrics", "arms", "source" and "title".

    Raises:
        InputError: the table or a description cannot be used.
        SettingsError: a key is missing.
    """
    table, arms = read_metrics(files), arms_of(files)
    species = species_in(table)
    sizes = [f"{arm.parameters:,} ({arm.reference_parameters:,})" for arm in arms]
    rows: list[tuple[str, ...]] = [("weights", *sizes)]
    seeds: set[int] = set()
    for metric, feature, words in MEASURES:
        found = [difference(table, arm, metric, feature, species) for arm in arms]
        if any(found):
            rows.append((words, *(_change(item) for item in found)))
            seeds |= {item.seeds for item in found if item is not None}
    notes = [
        f"{need(files, 'source')}. Arm less reference, which stands in brackets; above zero the arm is worse.",
        "± is the standard error over seeds, with one seed that of the samples of showers.",
        "A star is a difference beyond chance at 5 % by Student's t, for one measure at a time.",
        f"Trainings of each: {', '.join(map(str, sorted(seeds))) or 'none'}.",
    ]
    header = ["measure", *(f"{arm.title} (less {arm.reference_title})" for arm in arms)]
    chosen = table[table["model"].isin([name for arm in arms for name in (arm.name, arm.reference)])]
    return Table(f"{need(files, 'title')}: ablation", header, rows, notes, chosen)


def _change(item: Difference | None) -> str:
    if item is None:
        return "none"
    star = "*" if item.is_clear else ""
    return f"{with_uncertainty(item.value, item.uncertainty)}{star} ({with_uncertainty(item.reference)})"


def distances(files: Mapping[str, Any]) -> Table:
    """Return the distances of all models and samplers, a row for each species and measure.

    Args:
        files: "metrics", "models", "source" and "title".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    models = shown_models(files, table, first_only=False)
    rows = []
    for species in species_in(table):
        for metric, feature in _DISTANCES:
            found = [value_of(table, species, m.name, m.sampler, metric, feature) for m in models]
            known = [item for item in found if item is not None]
            if not known:
                continue
            words = FEATURES[feature].words if feature in FEATURES else feature
            name = f"{metric.replace('_', ' ')} {words}".strip()
            floor = with_uncertainty(known[0].floor, known[0].floor_uncertainty)
            rows.append((species.replace("_", " "), name, *(_cell(item) for item in found), floor))
    header = ["species", "distance", *(model.label for model in models), "floor"]
    notes = [
        f"{need(files, 'source')}; Wasserstein distances are in the unit of the feature.",
        "The floor is the distance of true showers of the particles that models are asked for.",
        _UNCERTAINTY,
    ]
    return Table(f"{need(files, 'title')}: distances from truth", header, rows, notes, table[table["low"].isna()])


def judgements(files: Mapping[str, Any]) -> Table:
    """Return what is of all species together, a row for each model and sampler; arguments as of :func:`distances`."""
    table = read_metrics(files)
    models = shown_models(files, table, first_only=False)
    found = {
        (model.name, model.sampler): [value_of(table, "all", model.name, model.sampler, name) for name in _JUDGEMENTS]
        for model in models
    }
    kept = [place for place in range(len(_JUDGEMENTS)) if any(values[place] is not None for values in found.values())]
    names = list(_JUDGEMENTS.values())
    rows = [(model.label, *(_cell(found[model.name, model.sampler][place]) for place in kept)) for model in models]
    floors = []
    for place in kept:
        known = [values[place] for values in found.values() if values[place] is not None]
        floor = known[0].floor if known and known[0] is not None else math.nan
        floors.append("none" if math.isnan(floor) else with_uncertainty(floor, known[0].floor_uncertainty))  # type: ignore[union-attr]
    references = [("floor", *floors)]
    timed, names_kept = _JUDGEMENTS["seconds_per_shower"], [names[place] for place in kept]
    ceiling = value_of(table, "all", TRUTH, "", "species_accuracy")
    notes = [
        f"{need(files, 'source')}. An AUC of one half says that nothing tells a model from truth.",
        "Copies: share of showers that repeat training showers, zero on average for a model that copies none.",
        _UNCERTAINTY,
        *(
            ["Times are elapsed ones of the jobs that drew the showers, beside other jobs."]
            if timed in names_kept
            else []
        ),
    ]
    if ceiling is not None:
        notes.insert(1, f"Of true showers {_cell(ceiling)} have their species told right.")
    header = ["model", *names_kept]
    chosen = table[table["dataset"] == "all"]
    return Table(f"{need(files, 'title')}: classifiers, copies, times", header, rows, notes, chosen, references)


def _cell(item: Value | None) -> str:
    return "none" if item is None else with_uncertainty(item.value, item.uncertainty)
