"""What the jet-generation study answers: words that are right whatever the numbers are."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from metric_tables import models, rows, write_metrics

from cloudchamber.errors import InputError
from cloudchamber.studies.jet_generation.answer import FEATURES, answers
from cloudchamber.summary.answer import Answer

FLOOR = {"floor": 0.02, "floor_uncertainty": 0.01}
SIZES = {"n_reference": 5000, "n_generated": 4000}
BASELINE = {"marginals": {"sampler": "none"}}
SAMPLERS = {name: {"sampler": "euler"} for name in ("fm", "gan", "jedi", "far")}


def answered(
    folder: Path,
    values: Mapping[str, Sequence[float]],
    uncertainty: float = 0.01,
    evaluations: Mapping[str, int] | None = None,
    areas: Mapping[str, float] | None = None,
) -> Answer:
    """Return the answer for models with the same divergence in each feature, one value per seed.

    Each takes 60 evaluations, but for those whose number is given; those with an area have one of a classifier.
    """
    table = []
    for name, of_seeds in values.items():
        sampler = "none" if name == "marginals" else "euler"
        known = {"sampler": sampler, **SIZES}
        for feature in FEATURES:
            table += rows(name, "kl", of_seeds, feature=feature, uncertainty=uncertainty, **FLOOR, **known)
        # It is no part of the criterion, and larger than all of it.
        table += rows(name, "kl", [9.0] * len(of_seeds), feature="jet_pt", uncertainty=0.1, **FLOOR, **known)
        table += rows(name, "evaluations_per_jet", [(evaluations or {}).get(name, 60)] * len(of_seeds), sampler=sampler)
        table += rows(name, "seconds_per_jet", [0.0023] * len(of_seeds), sampler=sampler)
    for name, area in (areas or {}).items():
        known = {"sampler": "euler", "floor": 0.5, "floor_uncertainty": 0.01, **SIZES}
        table += rows(name, "c2st_auc", [area], uncertainty=0.01, **known)
    files = {
        "study": "jets",
        "dataset": "top",
        "title": "top jets",
        "models": models({name: len(of_seeds) for name, of_seeds in values.items()}, **BASELINE, **SAMPLERS),
        "metrics": write_metrics(folder / "metrics.csv", table, study="jets", dataset="top"),
    }
    (answer,) = answers({"datasets": [files]})
    return answer


def test_the_nearest_model_with_numbers_floor_baseline_and_cost(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"fm": [0.1], "gan": [0.3], "marginals": [0.9]})
    assert answer.text == (
        "Generated jets can be told from simulated ones. "
        "Nearest is FM: 0.100 ± 0.010 nat, with 60 network evaluations and 2.30 ms per jet (beside other jobs). "
        "Independent true jets get 0.020 ± 0.010 (the floor). "
        "The zero-skill baseline, MARGINALS, is farther: 0.900 ± 0.010."
    )
    assert answer.headline == "best is FM at 0.100 ± 0.010 nat (independent true jets: 0.020)"
    assert (answer.best_model, answer.dataset) == ("FM", "")
    assert [answer.value, answer.uncertainty, answer.floor] == pytest.approx([0.1, 0.01, 0.02])
    assert answer.facts["measure"] == "KL(generated || truth), mean over jet mass, τ21, τ32 and D2 [nat]"
    assert answer.facts["jets"] == "5,000 true jets, 4,000 generated jets per model"
    assert answer.facts["seeds"] == "one: how much another training would change is not known"


def test_the_baseline_never_wins_and_is_called_nearer_where_it_is(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"fm": [0.5], "marginals": [0.2]}, evaluations={"fm": 1})
    assert answer.best_model == "FM"
    assert "The zero-skill baseline, MARGINALS, is nearer: 0.200 ± 0.010." in answer.text
    assert "0.500 ± 0.010 nat, with 1 network evaluation and 2.30 ms per jet" in answer.text


def test_what_is_within_the_uncertainty_is_no_difference(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"fm": [0.10], "gan": [0.11], "marginals": [0.12]}, uncertainty=0.02)
    assert "Nearest is FM: 0.100 ± 0.020 nat, with" in answer.text
    # The baseline is no model to choose; GAN takes as many evaluations.
    assert "(beside other jobs). GAN cannot be told apart from it. Independent" in answer.text
    assert "The zero-skill baseline, MARGINALS, cannot be told apart from FM: 0.120 ± 0.020." in answer.text


def test_the_cheapest_of_those_that_are_as_near_is_named(tmp_path: Path) -> None:
    values = {"fm": [0.10], "gan": [0.11], "jedi": [0.11], "far": [0.9]}
    one = answered(tmp_path, values, 0.02, {"gan": 16, "jedi": 30, "far": 1}).text
    assert "GAN and JEDI cannot be told apart from it. The cheapest of these takes 16 network evaluations: GAN." in one
    two = answered(tmp_path, values, 0.02, {"gan": 1, "jedi": 1}).text
    assert "The cheapest of these take 1 network evaluation: GAN and JEDI." in two
    assert "cheapest" not in answered(tmp_path, values, 0.02, {"gan": 61, "jedi": 60}).text


def test_at_the_floor_jets_cannot_be_told_apart(tmp_path: Path) -> None:
    text = answered(tmp_path, {"fm": [0.03], "gan": [0.3]}).text
    assert text.startswith("By these distributions, with so many jets, the best generated ones cannot be told from sim")
    assert "baseline" not in text
    below = answered(tmp_path, {"fm": [0.001]}, uncertainty=0.0001).text
    assert below.startswith("By these distributions")


def test_a_classifier_that_sees_what_distributions_do_not_is_heard(tmp_path: Path) -> None:
    told = answered(tmp_path, {"fm": [0.03], "gan": [0.3]}, areas={"fm": 0.69, "gan": 0.97}).text
    assert told.endswith("A classifier of whole jets can tell them from simulated ones: AUC 0.690 ± 0.010, chance 0.5.")
    blind = answered(tmp_path, {"fm": [0.03]}, areas={"fm": 0.51}).text
    assert "A classifier of whole jets cannot tell them from simulated ones: AUC 0.510 ± 0.010, chance 0.5." in blind


def test_seeds_widen_the_uncertainty_of_a_comparison(tmp_path: Path) -> None:
    """The bootstrap alone would tell the two apart."""
    spread = answered(tmp_path, {"fm": [0.1, 0.2, 0.3], "gan": [0.25, 0.26, 0.27]})
    assert "Nearest is FM: 0.200 ± 0.010 (0.100) nat, with" in spread.text
    assert "GAN cannot be told apart from it." in spread.text
    assert spread.facts["seeds"] == "3"
    assert answered(tmp_path, {"fm": [0.1, 0.2], "gan": [0.3]}).facts["seeds"] == "1 to 2"


def test_a_model_without_values_is_named(tmp_path: Path) -> None:
    table = [row for f in FEATURES for row in rows("fm", "kl", [0.1], feature=f, sampler="euler", **SIZES, **FLOOR)]
    files = {
        "dataset": "top",
        "title": "top jets",
        "models": models({"fm": 1, "gan": 1}, **SAMPLERS),
        "metrics": write_metrics(tmp_path / "metrics.csv", table, dataset="top"),
    }
    (answer,) = answers({"datasets": [files]})
    assert (answer.best_model, answer.facts["without a value"]) == ("FM", "GAN")
    # Neither cost was measured.
    assert "Nearest is FM: 0.100 nat. Independent" in answer.text


@pytest.mark.parametrize("left", [(), ("marginals",)])
def test_no_trained_model_is_no_answer(tmp_path: Path, left: tuple[str, ...]) -> None:
    table = [
        row for name in left for f in FEATURES for row in rows(name, "kl", [0.5], feature=f, sampler="none", **FLOOR)
    ]
    table += rows("fm", "kl", [math.nan], feature="jet_mass", sampler="euler")
    files = {
        "dataset": "top",
        "title": "top jets",
        "models": models({"fm": 1, **dict.fromkeys(left, 1)}, **SAMPLERS, **BASELINE),
        "metrics": write_metrics(tmp_path / "metrics.csv", table, dataset="top"),
    }
    (answer,) = answers({"datasets": [files]})
    assert answer.text == "No trained model has a divergence from truth."
    assert answer.best_model == ""
    assert math.isnan(answer.value)
    assert answer.facts == {"without a value": "FM"}


def test_each_data_set_has_an_answer_of_its_own(tmp_path: Path) -> None:
    datasets: list[dict[str, Any]] = []
    table = []
    for name, value in (("top", 0.1), ("qcd", 0.4)):
        for feature in FEATURES:
            table += rows("fm", "kl", [value], dataset=name, feature=feature, sampler="euler", **SIZES, **FLOOR)
        datasets.append({"dataset": name, "title": f"{name} jets", "models": models({"fm": 1}, **SAMPLERS)})
    path = write_metrics(tmp_path / "metrics.csv", table)
    found = answers({"datasets": [{**entry, "metrics": path} for entry in datasets]})
    assert [(answer.dataset, round(answer.value, 6)) for answer in found] == [("top jets", 0.1), ("qcd jets", 0.4)]


def test_a_model_that_lacks_a_feature_is_an_error(tmp_path: Path) -> None:
    table = rows("fm", "kl", [0.1], feature="jet_mass", sampler="euler", **FLOOR)
    path = write_metrics(tmp_path / "metrics.csv", table, dataset="top")
    files = {"dataset": "top", "title": "top", "models": models({"fm": 1}, **SAMPLERS), "metrics": path}
    with pytest.raises(InputError, match=r"no metric 'kl' .* for 'FM' in tau21"):
        answers({"datasets": [files]})
