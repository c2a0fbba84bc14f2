"""What the gating study answers: how much capacity a second gate adds, in exact numbers."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.gating.function_counts import LABELS, read_counts
from cloudchamber.summary.answer import Answer, unanswered
from cloudchamber.summary.comparison import listed

__all__ = ["answers"]

_ONE = "linear_threshold"
_GATED = ("gated_signs", "gated_zero_one")
_IDENTITIES = ("identity", "deviation", "tolerance", "holds", "control_deviation")


def answers(files: Mapping[str, Any]) -> list[Answer]:
    """Return the answer of the study, at the largest number of inputs at which both kinds of gates were counted.

    Args:
        files: "counts" and "identities", paths of CSVs.

    Raises:
        InputError: a table cannot be used.
        SettingsError: a key is missing.
    """
    counts = read_counts(files)
    counts = counts[counts["capacity"].notna()]
    identities = _identities(read_table(need(files, "identities"), _IDENTITIES))
    of = {family: rows.set_index("inputs") for family, rows in counts.groupby("family")}
    gated = [name for name in _GATED if name in of]
    inputs = {number for name in gated for number in of[name].index} & set(of[_ONE].index)
    if not inputs:
        return [unanswered("no gated gates were counted", "capacity [bit]", {}, more=identities)]
    largest = max(inputs)
    one = of[_ONE].loc[largest]
    there = {name: of[name].loc[largest] for name in gated if largest in of[name].index}
    most = max(row["functions"] for row in there.values())
    best = [name for name, row in there.items() if row["functions"] == most]
    row = there[best[0]]
    labels = listed([LABELS[name] for name in best])
    ratio = row["capacity"] / one["capacity"]
    text = (
        f"With {_inputs(largest)} one gate computes {int(one['functions']):,} functions, {one['capacity']:.2f} bits. "
        f"Gated by another it computes {int(most):,}, {row['capacity']:.2f} bits: {ratio:.2f} times the capacity. "
        f"{identities}"
    )
    everything = float(2**largest)
    ceiling = min(float(row["bound"]), everything)
    facts = {
        "numbers": f"exact; {_origin(counts)}",
        "most functions": labels,
        "bounds": f"all functions have {everything:g} bits; two gates have at most twice the capacity of one",
    }
    return [
        Answer(
            text,
            f"{ratio:.2f} times the capacity with {_inputs(largest)} (exact; at most {ceiling / one['capacity']:.2f})",
            labels,
            f"capacity of gated gates with {_inputs(largest)} [bit]",
            float(row["capacity"]),
            0.0,
            ceiling=ceiling,
            facts=facts,
        )
    ]


def _inputs(number: int) -> str:
    return f"{number} input{'' if number == 1 else 's'}"


def _origin(counts: pd.DataFrame) -> str:
    """Return for which numbers of inputs the gates were counted here, and for which the numbers are stored."""
    parts = []
    for origin, words in (("counted", "counted here"), ("stored", "stored constants")):
        numbers = sorted(
            set(counts.loc[(counts["origin"] == origin) & counts["family"].isin((_ONE, *_GATED)), "inputs"])
        )
        if numbers:
            parts.append(f"those of {listed([str(number) for number in numbers])} inputs are {words}")
    return ", ".join(parts)


def _identities(table: pd.DataFrame) -> str:
    """Return how many identities hold; one whose broken variant does not deviate was not tested."""
    shown = table["holds"].astype(bool) & (table["control_deviation"] > table["tolerance"])
    if shown.all():
        return f"All {len(table)} identities of attention as gating hold within their tolerance."
    failed = listed([str(name) for name in table.loc[~shown, "identity"]])
    return f"{int(shown.sum())} of {len(table)} identities of attention as gating hold; not: {failed}."
