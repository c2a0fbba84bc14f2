"""What the jet-generation study answers: which model comes nearest to truth, how near, and at what cost."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.figures.cells import cell
from cloudchamber.figures.inputs import NO_SAMPLER, models_of
from cloudchamber.figures.labels import plain_name
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import scale_exponent, with_uncertainty
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
        return unanswered("No trained model has a divergence from truth.", _METRIC, absent, dataset)
    ranking = rank(trained, lower_is_better=True)
    best = ranking.best
    facts = {
        "measure": _METRIC,
        "jets": sizes([best]),
        **_time(files, best),
        **seeds_of(measured),
        **absent,
    }
    text = " ".join([_verdict(ranking), *(_against(best, item) for item in baselines), *_evaluations(files, best)])
    return Answer(
        text,
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


def _verdict(ranking: Ranking) -> str:
    best = ranking.best
    excess = difference_from_floor(best)
    if not excess.is_clear:
        head = "With so many jets the best generated ones cannot be told from simulated ones here."
    elif excess.value > 0:
        head = "Generated jets can be told from simulated ones."
    else:
        head = "The best generated jets are nearer to simulated ones than independent simulated ones are."
    floor = with_uncertainty(best.floor, best.floor_uncertainty)
    return (
        f"{head} Nearest comes {best.model.label}{tied_with(ranking)}: {cell(best)} nat. "
        f"Independent true jets get {floor}."
    )


def _against(best: Measurement, baseline: Measurement) -> str:
    ahead = difference(best, baseline)
    subject = f"The zero-skill baseline, {baseline.model.label},"
    if not ahead.is_clear:
        return f"{subject} is not told apart from it: {cell(baseline)}."
    return f"{subject} is {'farther' if ahead.value < 0 else 'nearer'}: {cell(baseline)}."


def _evaluations(files: Mapping[str, Any], best: Measurement) -> list[str]:
    numbers = [item.value for item in _of(files, best, "evaluations_per_jet")]
    return [f"A jet takes {number:g} evaluation{'' if number == 1 else 's'} of the network." for number in numbers]


def _time(files: Mapping[str, Any], best: Measurement) -> dict[str, str]:
    times = [item.value for item in _of(files, best, "seconds_per_jet")]
    exponent = max(scale_exponent(times), min(_UNITS))
    words = [f"{with_uncertainty(time * 10.0**-exponent)} {_UNITS[exponent]}, beside other jobs" for time in times]
    return {"time per jet": words[0]} if words else {}


def _of(files: Mapping[str, Any], best: Measurement, metric: str) -> list[Measurement]:
    return [item for item in read_measurements(files, metric, partial=True) if item.model == best.model]
