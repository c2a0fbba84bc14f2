"""A metric of one model in a table of metrics, summed up over the seeds of its training."""

from dataclasses import dataclass
from math import hypot, isnan, nan
from typing import final

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError

__all__ = ["SeedValue", "over_seeds"]


@final
@dataclass(frozen=True)
class SeedValue:
    """A metric of one model.

    Attributes:
        value: mean over seeds.
        uncertainty: from the sizes of the samples, mean over seeds.
        spread: standard deviation over seeds, not a number for one.
        seeds: how many.
        floor, ceiling: not a number where there is none.
        n: what the metric is taken over, such as events.
    """

    value: float
    uncertainty: float
    spread: float
    seeds: int
    floor: float
    ceiling: float
    n: int

    @property
    def error(self) -> float:
        """Uncertainty and spread added in squares."""
        return hypot(self.uncertainty, 0.0 if isnan(self.spread) else self.spread)


def over_seeds(rows: pd.DataFrame) -> SeedValue | None:
    """Return the metric of rows, one for each seed; None where none has a value.

    Raises:
        InputError: two rows are of one seed, which would pass for two trainings without a spread.
    """
    if rows["seed"].duplicated().any():
        first = rows[rows["seed"].duplicated()].iloc[0]
        raise InputError(
            f"table of metrics: '{first['metric']}' of '{first['model']}' with seed {first['seed']} stands there "
            "twice; a seed is a training of its own"
        )
    rows = rows[rows["value"].notna()]
    values = rows["value"].to_numpy(float)
    if not len(values):
        return None
    return SeedValue(
        float(values.mean()),
        _mean(rows["uncertainty"]),
        float(values.std(ddof=1)) if len(values) > 1 else nan,
        len(values),
        _mean(rows["floor"]),
        _mean(rows["ceiling"]),
        int(rows["n_reference"].iloc[0]),
    )


def _mean(values: pd.Series) -> float:
    numbers = values.dropna().to_numpy(float)
    return float(np.mean(numbers)) if len(numbers) else nan
