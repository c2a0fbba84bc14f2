"""What the jet-generation study answers: which model comes nearest to truth, how near, and at what cost."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from cloudchamber.figures.cells import cell
from cloudchamber.figures.inputs import NO_SAMPLER, models_of
from cloudchamber.figures.labels import plain_name
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import decimals, scale_exponent, with_uncertainty
from cloudchamber.figures.sample_sizes import sizes
from cloudchamber.settings.entries import entries
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import (
    Ranking,
    averaged,
    difference,
    difference_from_floor,
    listed,
    rank,
    seeds_of,
    tied_with,
    without_value,
)

__all__ = ["FEATURES", "answers"]

# What a jet looks like as a whole. The pT is left out: that of the jets to generate is given.
FEATURES = ("jet_mass", "tau21", "tau32", "d2")
_METRIC = f"KL(generated || truth), mean over {listed([plain_name(name) for name in FEATURES])} [nat]"
# Powers of ten of a second.
_UNITS = {0: "s", -3: "ms", -6: "µs"}
# By name and sampler of the model.
_Costs = Mapping[tuple[str, str], float]


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of each data set.

    The best model is the one with the lowest divergence KL(generated || truth), in the mean over ``FEATURES``.

    Args:
        files: "datasets", a list with "study", "dataset", "title", "models" and "metrics" of each.

    Raises:
        InputError: a table cannot be used, or a model has some of the divergences and lacks others.
        SettingsError: a key is missing.
    """
    datasets = entries(files, "datasets", ("dataset", "title"))
    return [_answer(item, item["title"] if len(datasets) > 1 else "") for item in datasets]


def _answer(files: Mapping[str, Any], dataset: str) -> Answer:
    measured = _divergences(files)
    absent = without_value(models_of(files), measured)
    baselines = [item for item in measured if item.model.sampler == NO_SAMPLER]
    trained = [item for item in measured if item.model.sampler != NO_SAMPLER]
    if not trained:
        return unanswered("no trained model has a divergence from truth", _METRIC, absent, dataset)
    ranking = rank(trained, lower_is_better=True)
    best = ranking.best
    facts = {
        "measure": _METRIC,
        "jets": sizes([best]),
        **seeds_of(measured),
        **absent,
    }
    text = " ".join([*_verdict(files, ranking), *(_against(best, item) for item in baselines)])
    floor = f"{best.floor:.{decimals(best.value, best.uncertainty)}f}"
    return Answer(
        text,
        f"best is {best.model.label} at {cell(best)} nat (independent true jets: {floor})",
        best.model.label,
        _METRIC,
        best.value,
        best.uncertainty,
        best.floor,
        best.floor_uncertainty,
        facts=facts,
        dataset=dataset,
    )


def _divergences(files: Mapping[str, Any]) -> list[Measurement]:
    """Return the mean divergence of every model that has one."""
    of_model: dict[tuple[str, str], list[Measurement]] = {}
    for item in read_measurements(files, "kl", FEATURES, partial=True):
        of_model.setdefault((item.model.name, item.model.sampler), []).append(item)
    return [averaged(items) for items in of_model.values()]


def _verdict(files: Mapping[str, Any], ranking: Ranking) -> Iterator[str]:
    """Yield how near the best model comes, at what cost, which others are no worse, and the floor."""
    best = ranking.best
    excess = difference_from_floor(best)
    if not excess.is_clear:
        yield "By these distributions, with so many jets, the best generated ones cannot be told from simulated ones."
    elif excess.value > 0:
        yield "Generated jets can be told from simulated ones."
    else:
        yield "The best generated jets are nearer to simulated ones than independent simulated ones are."
    evaluations = _of_models(files, "evaluations_per_jet")
    seconds = _of_models(files, "seconds_per_jet")
    yield f"Nearest is {best.model.label}: {cell(best)} nat{_cost(best, evaluations, seconds)}.{tied_with(ranking)}"
    yield from _cheapest(ranking, evaluations)
    yield f"Independent true jets get {with_uncertainty(best.floor, best.floor_uncertainty)} (the floor)."
    yield from _classified(files, best)


def _classified(files: Mapping[str, Any], best: Measurement) -> Iterator[str]:
    """Yield what a classifier of whole jets sees, which distributions of single quantities do not show."""
    for item in read_measurements(files, "c2st_auc", partial=True):
        if _key(item) == _key(best):
            can = "can" if difference_from_floor(item).is_clear else "cannot"
            yield f"A classifier of whole jets {can} tell them from simulated ones: AUC {cell(item)}, chance 0.5."


def _against(best: Measurement, baseline: Measurement) -> str:
    ahead = difference(best, baseline)
    subject = f"The zero-skill baseline, {baseline.model.label},"
    if not ahead.is_clear:
        return f"{subject} cannot be told apart from {best.model.label}: {cell(baseline)}."
    return f"{subject} is {'farther' if ahead.value < 0 else 'nearer'}: {cell(baseline)}."


def _cost(best: Measurement, evaluations: _Costs, seconds: _Costs) -> str:
    """Return what a jet of the best model takes, to go behind its value; "" where nothing was measured."""
    parts = []
    if _key(best) in evaluations:
        parts.append(_evaluations(evaluations[_key(best)]))
    if _key(best) in seconds:
        parts.append(f"{_time(seconds[_key(best)])} per jet (beside other jobs)")
    return f", with {listed(parts)}" if parts else ""


def _cheapest(ranking: Ranking, evaluations: _Costs) -> Iterator[str]:
    """Yield which of the models that are no worse take the fewest evaluations, where those are fewer than the best's.

    Times stay out of it: those of equally many evaluations differ by what else the machine did.
    """
    known = [item for item in ranking.tied if _key(item) in evaluations]
    fewest = min((evaluations[_key(item)] for item in known), default=math.inf)
    if fewest < evaluations.get(_key(ranking.best), -math.inf):
        names = [item.model.label for item in known if evaluations[_key(item)] == fewest]
        yield f"The cheapest of these {'takes' if len(names) == 1 else 'take'} {_evaluations(fewest)}: {listed(names)}."


def _evaluations(number: float) -> str:
    return f"{number:g} network evaluation{'' if number == 1 else 's'}"


def _time(seconds: float) -> str:
    exponent = max(scale_exponent([seconds]), min(_UNITS))
    return f"{with_uncertainty(seconds * 10.0**-exponent)} {_UNITS[exponent]}"


def _of_models(files: Mapping[str, Any], metric: str) -> _Costs:
    return {_key(item): item.value for item in read_measurements(files, metric, partial=True)}


def _key(item: Measurement) -> tuple[str, str]:
    return item.model.name, item.model.sampler
