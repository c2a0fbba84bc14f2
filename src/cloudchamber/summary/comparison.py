"""Which of several models is best, and which cannot be told apart from it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.figures.inputs import Model
from cloudchamber.figures.measurements import Measurement

__all__ = [
    "Difference",
    "Ranking",
    "averaged",
    "difference",
    "difference_from_floor",
    "listed",
    "rank",
    "seeds_of",
    "tied_with",
    "without_value",
]

# A difference counts from so many uncertainties on.
_CLEAR = 2.0


@final
@dataclass(frozen=True)
class Difference:
    """A difference of two numbers, and its uncertainty."""

    value: float
    uncertainty: float

    @property
    def is_clear(self) -> bool:
        """Whether it is larger than two uncertainties; what is not a number is not."""
        return abs(self.value) > _CLEAR * self.uncertainty


@final
@dataclass(frozen=True)
class Ranking:
    """The model with the best value, and those whose difference from it is not clear."""

    best: Measurement
    tied: tuple[Measurement, ...]


def averaged(measurements: Sequence[Measurement]) -> Measurement:
    """Return the mean of a metric over several features of one model.

    The features are those of the same jets, and how much they vary together is not stored. The uncertainty is the mean
    of those of the features, which the true one cannot exceed.

    Raises:
        InputError: the features do not have the same seeds.
    """
    if len({len(item.values) for item in measurements}) > 1:
        raise InputError(f"'{measurements[0].model.label}' has not the same seeds for all features")
    values = np.mean([item.values for item in measurements], axis=0)
    return replace(
        measurements[0],
        feature="",
        values=tuple(float(value) for value in values),
        uncertainty=float(np.mean([item.uncertainty for item in measurements])),
        floor=float(np.mean([item.floor for item in measurements])),
        floor_uncertainty=float(np.mean([item.floor_uncertainty for item in measurements])),
    )


def difference(first: Measurement, second: Measurement) -> Difference:
    """Return the first value less the second, whose uncertainties count as independent."""
    return Difference(first.value - second.value, math.hypot(_uncertainty(first), _uncertainty(second)))


def difference_from_floor(item: Measurement) -> Difference:
    """Return how far a value lies above its floor; a floor without an uncertainty is exact."""
    return Difference(item.value - item.floor, math.hypot(_uncertainty(item), _known(item.floor_uncertainty)))


def _uncertainty(item: Measurement) -> float:
    """Return the uncertainty of a value: from the sizes of the samples, and from the seeds where there are several."""
    return math.hypot(_known(item.uncertainty), _known(item.spread))


def _known(number: float) -> float:
    return 0.0 if math.isnan(number) else number


def rank(
    measurements: Sequence[Measurement],
    lower_is_better: bool,
    differ: Callable[[Measurement, Measurement], Difference] = difference,
) -> Ranking:
    """Return the best of at least one model.

    Args:
        measurements: one of each model.
        lower_is_better: which way the metric goes.
        differ: returns the difference of two models.
    """
    best = (min if lower_is_better else max)(measurements, key=lambda item: item.value)
    others = [item for item in measurements if item is not best]
    return Ranking(best, tuple(item for item in others if not differ(best, item).is_clear))


def listed(names: Sequence[str]) -> str:
    """Return names as in "a, b and c"."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def tied_with(ranking: Ranking) -> str:
    """Return, to follow the sentence on the best model, which others are no worse; "" where there are none."""
    names = listed([item.model.label for item in ranking.tied])
    return f" {names} cannot be told apart from it." if names else ""


def seeds_of(measurements: Sequence[Measurement]) -> dict[str, str]:
    """Return the fact how many trainings of each model there are."""
    numbers = sorted({len(item.values) for item in measurements})
    if numbers == [1]:
        return {"seeds": "one: how much another training would change is not known"}
    return {"seeds": " to ".join(str(number) for number in dict.fromkeys([numbers[0], numbers[-1]]))}


def without_value(models: Sequence[Model], measurements: Sequence[Measurement]) -> dict[str, str]:
    """Return the fact which models have no value; none where all have one."""
    measured = {(item.model.name, item.model.sampler) for item in measurements}
    labels = [model.label for model in models if (model.name, model.sampler) not in measured]
    return {"without a value": listed(labels)} if labels else {}
