"""Tables of metrics with chosen values, for tests of what is said about them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cloudchamber.metrics.tables import METRIC_COLUMNS

__all__ = ["models", "rows", "write_metrics"]


def rows(model: str, metric: str, values: Sequence[float], **known: Any) -> list[dict[str, Any]]:
    """Return a row per seed, of seeds from 1 on; what is not given stays empty."""
    return [
        dict.fromkeys(METRIC_COLUMNS) | {"model": model, "metric": metric, "seed": seed, "value": value} | known
        for seed, value in enumerate(values, 1)
    ]


def write_metrics(path: Path, table: Sequence[Mapping[str, Any]], **known: Any) -> str:
    """Write rows that share ``known`` as a table and return its path."""
    pd.DataFrame([{**row, **known} for row in table]).to_csv(path, index=False)
    return str(path)


def models(seeds: Mapping[str, int], **known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an entry per model and seed: ``seeds`` says how many, ``known`` what else an entry says."""
    return [
        {"name": name, "title": name.upper(), "seed": seed, **known.get(name, {})}
        for name, number in seeds.items()
        for seed in range(1, number + 1)
    ]
