"""What the study answers: how well a few stars tell the equation of state, and whether a network gets all of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.studies.neutron_stars.quantities import COMBINATION
from cloudchamber.studies.neutron_stars.results import Result, conditions_of, read_results
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_METRIC = f"RMSE of λ1 + {COMBINATION} λ2"
# A difference counts from so many uncertainties on.
_CLEAR, _IMPOSSIBLE = 2.0, 3.0


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
    if not learned:
        return [unanswered("no model was trained", _METRIC, {})]
    best = min(learned, key=lambda item: item.value)
    stars = "one star" if reference.stars == 1 else f"{reference.stars} stars"
    observed = f"{stars} with {reference.noise.mass:g} solar masses and {reference.noise.radius:g} km of noise"
    ratios = {item.method.name: item for item in results.of("ratio_to_bayes", "combination", reference)}
    nearest = ratios[best.method.name]
    text = [
        f"From {observed} the exact posterior gets λ1 + {COMBINATION} λ2 to "
        f"{with_uncertainty(best.ceiling, best.ceiling_uncertainty)}, guessing to {with_uncertainty(best.floor)}.",
        f"Nearest to it is {best.method.label}, with {with_uncertainty(nearest.value, nearest.uncertainty)} times its "
        "error.",
        _worse([ratios[item.method.name] for item in learned]),
        _alone(results.of("rmse", "lambda_2", reference)),
        _leaks([item for condition in conditions for name in ("lambda_1", "lambda_2", "combination")
                for item in results.of("ratio_to_bayes", name, condition)]),
    ]  # fmt: skip
    seeds = max(item.seeds for item in learned)
    facts = {
        "stars": f"own simulation, a stand-in; {observed}",
        "sets": f"{best.sets} test sets, each of another equation of state",
        "trainings": f"{seeds} of each model" if seeds > 1 else "one: how much another would change is not known",
    }
    headline = (
        f"nearest to the Bayes limit is {best.method.label}: {with_uncertainty(nearest.value, nearest.uncertainty)} "
        f"times its error in λ1 + {COMBINATION} λ2 (guessing: {best.floor / best.ceiling:.1f})"
    )
    return [
        Answer(
            " ".join(part for part in text if part),
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
    """Return which learned results are better than what is possible, so that something must have leaked."""
    below = [
        item
        for item in ratios
        if item.method.is_learned and math.isfinite(item.uncertainty) and 1 - item.value > _IMPOSSIBLE * item.uncertainty
    ]
    if not below:
        return "No result is better than the limit by more than three uncertainties."
    names = listed(list(dict.fromkeys(item.method.label for item in below)))
    return f"WRONG: {names} better than possible; the truth must have leaked into the inputs."
