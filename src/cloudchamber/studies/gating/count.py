"""Steps of the study of gating: the counts of functions, and the stored counts of five inputs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import OutOfMemoryError
from cloudchamber.metrics.tables import METRIC_COLUMNS
from cloudchamber.storage import write_rows
from cloudchamber.studies.gating.capacity import STORED, Capacity, capacities
from cloudchamber.studies.gating.gated_functions import count_products
from cloudchamber.studies.gating.settings import GatingSettings
from cloudchamber.studies.gating.threshold_functions import linear_threshold_functions

__all__ = ["METRIC_COLUMNS_OF_STUDY", "count_five_inputs", "count_functions"]

# A ceiling stands behind the columns of all studies.
METRIC_COLUMNS_OF_STUDY = (*METRIC_COLUMNS, "ceiling")
# Of the largest set of bits, and of what goes with it.
_FIVE_INPUTS_BYTES = 1_000_000_000


def count_functions(settings: GatingSettings, counts: Path, metrics: Path) -> None:
    """Write the capacities of all families, a line per number of inputs and family.

    Args:
        settings: of the study.
        counts: CSV with the columns of :meth:`~cloudchamber.studies.gating.capacity.Capacity.row`.
        metrics: CSV with ``METRIC_COLUMNS_OF_STUDY``: the metric "capacity" [bit] of each family ("model") and
            number of inputs ("feature"), its upper bound as ceiling; exact numbers have the uncertainty zero.

    Raises:
        StorageError: the file cannot be written.
    """
    found = capacities(settings.inputs, settings.stored_inputs)
    write_rows(counts, [item.row() for item in found])
    write_rows(metrics, [_metric(item) for item in found if item.bits is not None])


def count_five_inputs(output: Path) -> None:
    """Count the functions of five inputs and write them as CSV beside the stored numbers.

    Args:
        output: CSV with family, inputs, functions, stored and whether they agree.

    Raises:
        OutOfMemoryError: less than 1 GB of memory is free.
        StorageError: the file cannot be written.
    """
    # Nothing else here needs it.
    import psutil

    available = psutil.virtual_memory().available
    if available < _FIVE_INPUTS_BYTES:
        raise OutOfMemoryError(
            f"{output}: counting functions of five inputs takes {_FIVE_INPUTS_BYTES / 1e9:.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are free"
        )
    linear = linear_threshold_functions(5)
    found = {
        "linear_threshold": len(linear),
        "gated_signs": count_products(linear, 5, "signs", "pairs of gates, outputs +1 and -1", shown=True),
        "gated_zero_one": count_products(linear, 5, "zero_one", "pairs of gates, outputs 1 and 0", shown=True),
    }
    write_rows(output, _compared(found, STORED))


def _compared(found: Mapping[str, int], stored: Mapping[Any, int]) -> list[dict[str, Any]]:
    return [
        {
            "family": family,
            "inputs": 5,
            "functions": number,
            "stored": stored[family],
            "agrees": number == stored[family],
        }
        for family, number in found.items()
    ]


def _metric(item: Capacity) -> dict[str, Any]:
    known = {
        "study": "gating",
        "dataset": "boolean functions",
        "model": item.family,
        "metric": "capacity",
        "feature": f"{item.inputs} inputs",
        "value": item.bits,
        "uncertainty": 0.0,
        # No family has more functions than there are.
        "ceiling": min(item.bound, float(2**item.inputs)),
    }
    return dict.fromkeys(METRIC_COLUMNS_OF_STUDY, "") | known
