"""Tables of the study of gating: capacities with bounds and parameters, and identities of attention."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.figures.rendering import Table
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.gating.function_counts import LABELS, read_counts

__all__ = ["CAPTIONS", "counts", "identities"]

CAPTIONS = {
    "counts": (
        "Exact numbers of Boolean functions of a few inputs, and their capacities: logarithms to base 2, in bits. "
        "Gated gates are products of two linear threshold gates: with outputs ±1 the product is true where they agree, "
        "with outputs 0/1 where both are true. "
        "Beside each capacity stand an upper bound and the number of parameters, for all functions the entries of the "
        "truth table. "
        "Cover's count bounds gates by the dichotomies of points in general position; two gates have at most twice the "
        "capacity of one. "
        "The definition of capacity and output gating are from Baldi and Vershynin, arXiv 2202.08371."
    ),
    "identities": (
        "Identities of attention as gating, evaluated in double precision on random inputs. "
        "An identity holds where its largest deviation is not above the tolerance. "
        "The last two columns show that the comparison can fail: the deviation of a variant that breaks the identity. "
        "Deviations are absolute differences of outputs, for multiplexing and XOR the fraction of wrong outputs. "
        "The mechanisms are those of Baldi and Vershynin, arXiv 2202.08371."
    ),
}

_IDENTITIES = ("identity", "statement", "deviation", "tolerance", "holds", "control", "control_deviation")
_ABSENT = "not counted"


def counts(files: Mapping[str, Any]) -> Table:
    """Return numbers of functions and capacities, a row per number of inputs and family.

    Args:
        files: "counts", path of a CSV.

    Raises:
        InputError: the table cannot be used.
        SettingsError: the key is missing.
    """
    data = read_counts(files)
    rows = [
        (
            LABELS[line["family"]],
            f"{line['inputs']}",
            _whole(line["functions"]),
            _bits(line["capacity"]),
            _bits(line["bound"]),
            line["bound_name"],
            f"{line['parameters']}",
            _bits(line["capacity"] / line["parameters"]),
            line["origin"],
        )
        for line in data.to_dict("records")
    ]
    header = ["functions of", "inputs", "number of functions", "capacity [bit]", "upper bound [bit]", "bound"]
    header += ["parameters", "capacity per parameter [bit]", "origin of the number"]
    notes = ["All numbers of functions are exact."]
    if (data["origin"] == "stored").any():
        notes.append("Stored numbers were counted by a program of the package, apart from this analysis.")
    return Table("Capacity of gates, gated gates and all functions", header, rows, notes, data)


def identities(files: Mapping[str, Any]) -> Table:
    """Return the identities of attention with their largest deviations, a row each.

    Args:
        files: "identities", path of a CSV.

    Raises:
        InputError: the table cannot be read or lacks a column.
        SettingsError: the key is missing.
    """
    data = read_table(need(files, "identities"), _IDENTITIES)
    rows = [
        (
            line["identity"],
            line["statement"],
            _deviation(line["deviation"]),
            _deviation(line["tolerance"]),
            "yes" if line["holds"] else "NO",
            line["control"],
            _deviation(line["control_deviation"]),
        )
        for line in data.to_dict("records")
    ]
    header = ["identity", "what it says", "largest deviation", "tolerance", "holds", "broken variant", "its deviation"]
    notes = ["The broken variant must deviate by more than the tolerance, or the identity would not have been tested."]
    return Table("Identities of attention as gating", header, rows, notes, data, text=True)


def _whole(number: float) -> str:
    return _ABSENT if pd.isna(number) else f"{int(number):,}"


def _bits(number: float) -> str:
    return "" if pd.isna(number) else f"{number:.3f}"


def _deviation(number: float) -> str:
    return f"{number:.2g}"
