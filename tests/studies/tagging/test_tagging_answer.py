"""What the tagging study answers: words that are right whatever the numbers are."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from metric_tables import models, rows, write_metrics

from cloudchamber.errors import InputError
from cloudchamber.studies.tagging.answer import answers
from cloudchamber.summary.answer import Answer

PRONGS = ("1", "2", "3", "4b", "4q", "6", "8")
KINDS = {"hl": "dense", "pfn": "particle_flow", "tr": "transformer", "pt": "particle_transformer", "pn": "particle_net"}


def answered(
    folder: Path,
    accuracies: Mapping[str, Sequence[float]],
    paired: Sequence[tuple[str, str, float, float]] = (),
    curves: Mapping[str, Mapping[int, Sequence[float]]] | None = None,
    classes: Sequence[str] = PRONGS,
    flat: bool = True,
) -> Answer:
    """Return the answer for taggers with one accuracy per seed; ``paired``: two taggers, difference, uncertainty."""
    table = [
        row
        for name, values in accuracies.items()
        for row in rows(name, "accuracy", values, uncertainty=0.01, floor=0.25, n_reference=1200)
    ]
    # Other metrics say nothing here.
    table += rows("hl", "auc", [0.9], uncertainty=0.01)
    for name, curve in (curves or {}).items():
        for jets, values in curve.items():
            of_size = rows(name, "learning_curve", values, uncertainty=0.01)
            table += [{**row, "n_training": jets} for row in of_size]
    columns = ["model", "other", "difference", "uncertainty"]
    pd.DataFrame(paired, columns=columns).to_csv(folder / "significance.csv", index=False)
    files = {
        "study": "tagging",
        "dataset": "all",
        "classes": list(classes),
        "flat": flat,
        "models": models(
            {name: len(values) for name, values in accuracies.items()},
            **{name: {"kind": kind} for name, kind in KINDS.items()},
        ),
        "metrics": write_metrics(folder / "metrics.csv", table, study="tagging", dataset="all"),
        "significance": str(folder / "significance.csv"),
    }
    (answer,) = answers(files)
    return answer


PAIRS: Sequence[tuple[str, str, float, float]] = (
    ("hl", "pfn", 0.05, 0.01),
    ("hl", "tr", 0.03, 0.01),
    ("pfn", "tr", -0.02, 0.004),
)


def test_the_best_tagger_and_what_attention_does(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"hl": [0.55], "pfn": [0.50], "tr": [0.52]}, PAIRS)
    assert answer.text == (
        "Most accurate is HL (dense network): 0.550 ± 0.010. Guessing gets 0.250. "
        "Attention (TR) stays behind high-level features (HL) by 0.030 ± 0.010. "
        "Attention (TR) beats the deep set (PFN) by 0.0200 ± 0.0040."
    )
    assert answer.headline == "best is HL, accuracy 0.550 ± 0.010 (guessing: 0.250)"
    assert [answer.value, answer.uncertainty, answer.floor, answer.ceiling] == [0.55, 0.01, 0.25, 1.0]
    assert answer.facts["jets"] == "1,200 test jets"
    assert answer.facts["seeds"] == "one: how much another training would change is not known"


def test_what_more_training_jets_bring_is_said(tmp_path: Path) -> None:
    curves = {"tr": {700: [0.40, 0.42], 1400: [0.50, 0.54]}, "hl": {700: [0.54], 1400: [0.55]}, "pfn": {1400: [0.3]}}
    answer = answered(tmp_path, {"hl": [0.55], "pfn": [0.30], "tr": [0.50, 0.54]}, PAIRS, curves)
    assert (
        "With 1,400 training jets in place of 700 TR gains 0.110 ± 0.014. "
        "With 1,400 training jets in place of 700 HL does not change clearly (0.010 ± 0.014)."
    ) in answer.text
    assert answer.facts["trained with"] == "1,400 jets"


def test_jets_are_said_to_be_flat_where_weights_make_them_so(tmp_path: Path) -> None:
    for flat in (True, False):
        answer = answered(tmp_path, {"hl": [0.55], "pfn": [0.50], "tr": [0.52]}, PAIRS, flat=flat)
        assert answer.facts["measure"] == "accuracy, all classes alike, jets " + (
            "flat in mass and pT" if flat else "in mass and pT as they are"
        )


def test_why_attention_is_behind_is_said_where_jets_are_few(tmp_path: Path) -> None:
    accuracies = {"hl": [0.55], "pfn": [0.50], "tr": [0.52]}

    def said(
        jets: int, paired: Sequence[tuple[str, str, float, float]] = PAIRS, classes: Sequence[str] = PRONGS
    ) -> bool:
        answer = answered(tmp_path, accuracies, paired, {"tr": {jets: [0.52]}, "hl": {jets: [0.55]}}, classes)
        return "comes level with 17 such features from about 70,000 training jets on" in answer.text

    assert said(2400)
    # With as many jets another reason has to be found, and where attention is not behind, none.
    assert not said(140000)
    assert not said(2400, (("hl", "pfn", 0.05, 0.01), ("hl", "tr", -0.03, 0.01), ("pfn", "tr", -0.08, 0.01)))
    # Of classes of one's own nothing of the kind is known.
    assert not said(2400, classes=("qcd", "top"))


def test_taggers_are_compared_on_the_same_jets(tmp_path: Path) -> None:
    """As independent ones, 0.550 and 0.500 would differ; the resamplings of the pair say that they need not."""
    pairs = [("hl", "tr", 0.05, 0.03)]
    answer = answered(tmp_path, {"hl": [0.55], "tr": [0.50]}, pairs)
    assert "Most accurate is HL (dense network): 0.550 ± 0.010. TR cannot be told apart from it." in answer.text
    assert (
        "Attention (TR) cannot be told apart from high-level features (HL): they differ by 0.050 ± 0.030."
        in answer.text
    )
    # The table names each pair once, in either order.
    turned = answered(tmp_path, {"tr": [0.50], "hl": [0.55]}, [("tr", "hl", -0.05, 0.01)])
    assert "Attention (TR) stays behind high-level features (HL) by 0.050 ± 0.010." in turned.text


def test_the_spread_over_seeds_counts(tmp_path: Path) -> None:
    pairs = [("hl", "tr", difference, 0.001) for difference in (0.00, 0.04)]
    answer = answered(tmp_path, {"hl": [0.52, 0.56], "tr": [0.52, 0.52]}, pairs)
    assert "Most accurate is HL (dense network): 0.540 ± 0.010 (0.028). TR cannot be told apart from it." in answer.text
    assert answer.facts["seeds"] == "2"


def test_what_is_not_above_guessing_is_said(tmp_path: Path) -> None:
    assert answered(tmp_path, {"tr": [0.26]}).text == (
        "No tagger can be told apart from guessing (0.250). Most accurate is TR: 0.260 ± 0.010."
    )


def test_equal_taggers_are_not_told_apart(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"pfn": [0.5], "tr": [0.5]}, [("pfn", "tr", 0.0, 0.0)])
    assert "Most accurate is PFN: 0.500 ± 0.010. TR cannot be told apart from it." in answer.text
    assert "cannot be told apart from the deep set (PFN): they differ by 0" in answer.text


def test_the_best_of_each_family_stands_for_it(tmp_path: Path) -> None:
    pairs = [("tr", "pt", -0.1, 0.01), ("tr", "pn", 0.1, 0.01), ("pt", "pn", 0.2, 0.01)]
    text = answered(tmp_path, {"tr": [0.5], "pt": [0.6], "pn": [0.4]}, pairs).text
    # ParticleNet is of none of the families of the question.
    assert text == "Most accurate is PT: 0.600 ± 0.010. Guessing gets 0.250."


def test_without_attention_nothing_is_said_of_it(tmp_path: Path) -> None:
    text = answered(tmp_path, {"hl": [0.5], "pfn": [0.4]}, [("hl", "pfn", 0.1, 0.01)]).text
    assert text.endswith("No tagger with attention has an accuracy.")


def test_a_tagger_without_a_value_is_named(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"hl": [0.5], "tr": [math.nan]}, [("hl", "tr", math.nan, math.nan)])
    assert answer.facts["without a value"] == "TR"
    assert "No tagger with attention has an accuracy." in answer.text
    nobody = answered(tmp_path, {"tr": [math.nan]})
    assert (nobody.text, nobody.headline, nobody.best_model) == (
        "No tagger has an accuracy.",
        "no tagger has an accuracy",
        "",
    )


def test_one_tagger_needs_no_table_of_pairs(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "study": "tagging",
        "dataset": "all",
        "classes": list(PRONGS),
        "flat": False,
        "models": models({"tr": 1}, tr={"kind": "transformer"}),
        "significance": str(tmp_path / "nowhere.csv"),
        "metrics": write_metrics(
            tmp_path / "metrics.csv",
            rows("tr", "accuracy", [0.5], uncertainty=0.01, floor=0.25, n_reference=12),
            study="tagging",
            dataset="all",
        ),
    }
    assert answers(files)[0].best_model == "TR"
    two = {**files, "models": models({"tr": 1, "pfn": 1}, tr={"kind": "transformer"}, pfn={"kind": "particle_flow"})}
    two["metrics"] = write_metrics(
        tmp_path / "two.csv",
        [
            row
            for name in ("tr", "pfn")
            for row in rows(name, "accuracy", [0.5], uncertainty=0.01, floor=0.25, n_reference=12)
        ],
        study="tagging",
        dataset="all",
    )
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        answers(two)
