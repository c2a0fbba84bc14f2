"""What the study answers: how well a few stars tell the equation of state, and whether a network gets all of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.studies.neutron_stars.quantities import COMBINATION
from cloudchamber.studies.neutron_stars.results import Result, conditions_of, read_results
from cloudchamber.summary.answer import Answer
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_METRIC = f"RMSE of λ1 + {COMBINATION} λ2"
# A difference counts from so many uncertainties on.
# What is impossible is called so from more on, since many results are looked at.
_CLEAR, _IMPOSSIBLE = 2.0, 4.0


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of the study, for the condition of reference.

    Args:
        files: "metrics", "models", "conditions" and "reference".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    results, (conditions, reference) = read_results(files), conditions_of(files)
    found = results.of("rmse", "combination", reference)
    learned = [item for item in found if item.method.is_learned]
    best = min(learned, key=lambda item: item.value)
    ratios = {item.method.name: item for item in results.of("ratio_to_bayes", "combination", reference)}
    nearest = ratios[best.method.name]
    scanned = [
        item
        for condition in conditions
        for name in ("lambda_1", "lambda_2", "combination")
        for item in results.of("ratio_to_bayes", name, condition)
    ]
    limit = with_uncertainty(best.ceiling, best.ceiling_uncertainty)
    times = with_uncertainty(nearest.value, nearest.uncertainty)
    text = (
        f"From {reference.words} the exact posterior gets λ1 + {COMBINATION} λ2 to {limit}, guessing to "
        f"{with_uncertainty(best.floor)}. Nearest to it is {best.method.label}, with {times} times its error. "
        f"{_worse([ratios[item.method.name] for item in learned])} {_alone(results.of('rmse', 'lambda_2', reference))} "
        f"{_leaks(scanned)}"
    )
    fewest, most = (choose(item.seeds for item in learned) for choose in (min, max))
    trainings = f"{most} of each model" if fewest == most else f"{fewest} to {most} of a model"
    unknown = "one: how much another would change is not known"
    facts = {
        "stars": f"own simulation, a stand-in; {reference.words}",
        "sets": f"{best.sets} test sets, each of another equation of state",
        "trainings": trainings if most > 1 else unknown,
    }
    headline = (
        f"nearest to the Bayes limit is {best.method.label}: {times} times its "
        f"error in λ1 + {COMBINATION} λ2 (guessing: {best.floor / best.ceiling:.1f})"
    )
    return [
        Answer(
            text,
            headline,
            best.method.label,
            _METRIC,
            best.value,
            best.uncertainty,
            best.floor,
            best.floor_uncertainty,
            best.ceiling,
            facts,
        )
    ]


def _worse(ratios: Sequence[Result]) -> str:
    clear = [item for item in ratios if item.value - 1 > _CLEAR * item.uncertainty]
    if not clear:
        return "No trained model is told apart from the limit there."
    if len(clear) == len(ratios):
        return "All trained models are above the limit there."
    return f"Told apart from the limit: {listed([item.method.label for item in clear])}."


def _alone(results: Sequence[Result]) -> str:
    """Return what the stars say of the second parameter alone."""
    limit = results[-1]
    share = 1 - limit.ceiling / limit.floor
    return (
        f"λ2 alone stays nearly unknown: the exact posterior has an error of {with_uncertainty(limit.ceiling)}, "
        f"{100 * share:.0f} % less than guessing."
        if share < 0.25
        else f"λ2 alone: the exact posterior has {100 * share:.0f} % less error than guessing."
    )


def _leaks(ratios: Sequence[Result]) -> str:
    """Return which learned results are better than what is possible, so that something must have leaked.

    Or the limit is none: exact posteriors need cells that resolve them, which the step of the references says.
    """
    below = [
        item
        for item in ratios
        if item.method.is_learned
        and math.isfinite(item.uncertainty)
        and 1 - item.value > _IMPOSSIBLE * item.uncertainty
    ]
    if not below:
        return "No trained model is better than the limit by more than four uncertainties anywhere."
    names = listed(list(dict.fromkeys(item.method.label for item in below)))
    return f"WRONG: better than possible, so that the truth has leaked, or curves.grid is too coarse: {names}."
