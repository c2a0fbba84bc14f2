"""What a study answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

__all__ = ["Answer", "unanswered"]


@final
@dataclass(frozen=True)
class Answer:
    """The answer of a study, of one of its data sets where each has its own.

    Attributes:
        text: a few sentences with the numbers that matter.
        headline: the result in one line, to go behind the name of the study.
        best_model: title; "" where none has a value.
        metric: what ``value`` is, with its unit in brackets.
        value, uncertainty: of the best model; an exact number has the uncertainty zero.
        floor, floor_uncertainty: what independent truth, or guessing, gets in place of a model; not a number where
            nothing does.
        ceiling: the largest possible value; not a number where none is known.
        facts: what else belongs beside it, by its name: what was measured, sizes of samples, trainings.
        dataset: title; "" where the study answers for all its data together.
    """

    text: str
    headline: str
    best_model: str
    metric: str
    value: float
    uncertainty: float
    floor: float = math.nan
    floor_uncertainty: float = math.nan
    ceiling: float = math.nan
    facts: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""


def unanswered(reason: str, metric: str, facts: Mapping[str, str], dataset: str = "", more: str = "") -> Answer:
    """Return the answer of a study in which no model has a value.

    Args:
        reason: why there is none, without the capital and the full stop of a sentence.
        metric, facts, dataset: of the answer.
        more: sentences that are true nonetheless.
    """
    text = f"{reason[0].upper()}{reason[1:]}. {more}".rstrip()
    return Answer(text, reason, "", metric, math.nan, math.nan, facts=facts, dataset=dataset)
