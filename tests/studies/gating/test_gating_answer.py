"""What the gating study answers: exact numbers, and whether the identities hold."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cloudchamber.studies.gating.answer import answers
from cloudchamber.studies.gating.check_identities import check_identities
from cloudchamber.studies.gating.count import count_functions
from cloudchamber.studies.gating.settings import GatingSettings


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    """What the steps write with up to three inputs, beside the stored counts of five."""
    settings = GatingSettings(inputs=3, trials=20)
    count_functions(settings, tmp_path / "counts.csv", tmp_path / "metrics.csv")
    check_identities(settings, 1, tmp_path / "identities.csv")
    return {"counts": str(tmp_path / "counts.csv"), "identities": str(tmp_path / "identities.csv")}


def edited(files: dict[str, Any], key: str, change: Any) -> dict[str, Any]:
    change(pd.read_csv(files[key])).to_csv(files[key], index=False)
    return files


def test_the_largest_number_of_inputs_answers(files: dict[str, Any]) -> None:
    (answer,) = answers(files)
    assert answer.text == (
        "With 5 inputs one gate computes 94,572 functions, 16.53 bits. Gated by another it computes 387,698,944, "
        "28.53 bits: 1.73 times the capacity. All 5 identities of attention as gating hold within their tolerance."
    )
    assert answer.headline == "1.73 times the capacity with 5 inputs (exact; at most 1.94)"
    assert answer.best_model == "gate gated by a gate, outputs ±1"
    assert [round(answer.value, 3), answer.uncertainty, answer.ceiling] == [28.530, 0.0, 32.0]
    assert answer.facts["numbers"] == (
        "exact; those of 1, 2 and 3 inputs are counted here, those of 5 inputs are stored constants"
    )


def test_equal_counts_are_both_named(files: dict[str, Any]) -> None:
    (answer,) = answers(edited(files, "counts", lambda table: table[table["inputs"] <= 2]))
    assert "With 2 inputs one gate computes 14 functions, 3.81 bits. Gated by another it computes 16," in answer.text
    assert answer.best_model == "gate gated by a gate, outputs ±1 and gate gated by a gate, outputs 0/1"
    assert answer.facts["numbers"] == "exact; those of 1 and 2 inputs are counted here"
    assert "With 1 input one" in answers(edited(files, "counts", lambda table: table[table["inputs"] < 2]))[0].text


@pytest.mark.parametrize("change", [{"holds": False}, {"control_deviation": 0.0}])
def test_an_identity_that_fails_or_was_not_tested_is_named(files: dict[str, Any], change: dict[str, Any]) -> None:
    def fail(table: pd.DataFrame) -> pd.DataFrame:
        (name, value), place = *change.items(), table["identity"] == "XOR"
        return table.assign(**{name: table[name].mask(place, value)})

    (answer,) = answers(edited(files, "identities", fail))
    assert answer.text.endswith("4 of 5 identities of attention as gating hold; not: XOR.")


def test_without_gated_gates_there_is_no_answer(files: dict[str, Any]) -> None:
    (answer,) = answers(edited(files, "counts", lambda table: table[~table["family"].str.startswith("gated")]))
    assert answer.text.startswith("No gated gates were counted. All 5 identities")
    assert answer.headline == "no gated gates were counted"
    assert answer.best_model == ""
