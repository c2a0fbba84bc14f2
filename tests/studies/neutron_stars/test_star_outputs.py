"""Metrics, figures, tables and the answer, from estimates that are made here and not by networks."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from matplotlib.backends.backend_agg import FigureCanvasAgg
from star_files import REFERENCE, STARS

from cloudchamber.drawings import figure_of
from cloudchamber.entry_points import load_entry
from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.metrics.tables import read_table
from cloudchamber.pipeline.drawing import caption_of
from cloudchamber.settings.base import parse
from cloudchamber.studies.neutron_stars import tables
from cloudchamber.studies.neutron_stars.answer import answers
from cloudchamber.studies.neutron_stars.drawings import FIGURES, TABLES
from cloudchamber.studies.neutron_stars.estimates import Estimates, read_estimates, write_case, write_estimates
from cloudchamber.studies.neutron_stars.evaluate import METRIC_COLUMNS_OF_STUDY, evaluate
from cloudchamber.studies.neutron_stars.figures.contours import level_of
from cloudchamber.studies.neutron_stars.measures import Measure, measures, resamplings
from cloudchamber.studies.neutron_stars.observe import observe
from cloudchamber.studies.neutron_stars.posterior import Cells
from cloudchamber.studies.neutron_stars.quantities import QUANTITIES
from cloudchamber.studies.neutron_stars.references import estimate_references
from cloudchamber.studies.neutron_stars.settings import (
    EvaluationSettings,
    MeasurementSettings,
    NeutronStarsSettings,
)
from cloudchamber.studies.neutron_stars.star_sets import read_sets

MEASUREMENT = MeasurementSettings(stars=STARS, evaluation=EvaluationSettings(bootstraps=20))
# Name -> what is added to the averages of the exact posterior, in units of the distance to the truth.
MODELS = {"worse": -0.3, "leaking": 0.5, "point": -0.1}


def changed(exact: Estimates, truth: dict[str, np.ndarray], towards: float, density: bool) -> Estimates:
    """Return estimates that are nearer to the truth than the exact ones, or further from it."""
    rng = np.random.default_rng(4)
    means = {
        name: values + towards * rng.uniform(0.5, 1.5, len(values)) * (truth[name] - values)
        for name, values in exact.means.items()
    }
    if not density:
        return Estimates(means, {})
    return Estimates(means, exact.ranks, exact.log_density, exact.log_ratio)


@pytest.fixture(scope="module")
def files(stars_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps write: references, three made-up models, metrics."""
    folder = tmp_path_factory.mktemp("outputs")
    paths = {name: folder / f"{name}.h5" for name in ("constant", "ridge", "exact", "case")}
    sources = {name: stars_folder / f"{name}.h5" for name in ("curves", "stars", "grid")}
    estimate_references(*sources.values(), MEASUREMENT, **paths)
    test = read_sets(sources["stars"]).part("test")
    exact, cells = read_estimates(paths["exact"], len(test)), Cells.read(sources["grid"])
    for name, towards in MODELS.items():
        found = changed(exact, test.quantities, towards, name != "point")
        write_estimates(folder / f"{name}.h5", found, {})
        write_case(folder / f"{name}_case.h5", cells, np.full(len(cells.radius), 1 / len(cells.radius)), {})
    names = ["constant", "ridge", "exact", *MODELS]
    estimates = {name: str(folder / f"{name}.h5") for name in names}
    listed = [{"name": name, "seed": 1, "path": path} for name, path in estimates.items()]
    evaluate({"sets": str(sources["stars"]), "estimates": listed}, MEASUREMENT, 1, folder / "metrics.csv")
    return {
        "metrics": str(folder / "metrics.csv"),
        "sets": str(sources["stars"]),
        "curves": str(sources["curves"]),
        "estimates": estimates,
        "cases": {**{name: str(folder / f"{name}_case.h5") for name in MODELS}, "exact": str(paths["case"])},
        "models": [
            {"name": name, "title": f"{name} network", "density": name != "point", "sees_sets": True} for name in MODELS
        ],
        "conditions": [condition.model_dump(mode="json") for condition in STARS.conditions],
        "reference": REFERENCE.model_dump(mode="json"),
    }


def without(files: dict[str, Any], *models: str) -> dict[str, Any]:
    return {**files, "models": [item for item in files["models"] if item["name"] not in models]}


def test_every_number_has_uncertainty_floor_ceiling_and_size(files: dict[str, Any]) -> None:
    table = read_table(files["metrics"], METRIC_COLUMNS_OF_STUDY)
    assert (table["study"] == "neutron_stars").all()
    assert set(table["dataset"]) == {condition.key for condition in STARS.conditions}
    assert table[["value", "uncertainty", "ceiling", "ceiling_uncertainty", "n_reference"]].notna().all().all()
    # The constant has a density, the prior, but no likelihood.
    assert set(table.loc[table["floor"].isna(), "metric"]) == {"log_ratio_error"}
    assert set(table["metric"]) == {
        *("bias", "rmse", "skill", "ratio_to_bayes", "mape", "coverage_68", "coverage_95", "nll", "log_ratio_error")
    }
    assert set(table["feature"].dropna()) == set(QUANTITIES)
    assert set(table.loc[table["metric"] == "mape", "feature"]) == {"lambda_1", "lambda_2"}
    value = table.set_index(["dataset", "model", "metric", "feature"])["value"]
    for key in set(table["dataset"]):
        assert value[key, "exact", "ratio_to_bayes", "lambda_1"] == 1.0
        assert value[key, "constant", "skill", "combination"] == pytest.approx(0.0, abs=1e-9)
        # The trap: guessing has a small percentage error, since the prior is narrow.
        assert value[key, "constant", "mape", "lambda_1"] == pytest.approx(2.5, abs=0.3)
        assert value[key, "constant", "mape", "lambda_2"] == pytest.approx(2.5, abs=0.3)


def test_measures_are_what_they_say() -> None:
    truth = {name: np.array([1.0, 2.0, 3.0, 4.0]) for name in QUANTITIES}
    made = Estimates(
        {name: values + np.array([0.1, -0.1, 0.3, 0.1]) for name, values in truth.items()},
        {name: np.array([0.5, 0.1, 0.01, 0.9]) for name in QUANTITIES},
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([1.0, 1.0, 1.0, 1.0]),
    )
    constant = Estimates({name: np.full(4, 2.5) for name in QUANTITIES}, {})
    exact = Estimates({name: values + 0.05 for name, values in truth.items()}, {}, None, np.array([1.0, 3.0, 1.0, 1.0]))
    weights = resamplings(4, 50, np.random.default_rng(1))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    found = {(item.metric, item.quantity): item for item in measures(made, constant, exact, truth, weights)}
    value = {key: item.value for key, item in found.items()}
    assert value["bias", "lambda_1"] == pytest.approx(0.1)
    assert value["rmse", "lambda_1"] == pytest.approx(np.sqrt(0.03))
    assert value["skill", "lambda_1"] == pytest.approx(1 - 0.03 / 1.25)
    assert value["ratio_to_bayes", "lambda_1"] == pytest.approx(np.sqrt(0.03) / 0.05)
    assert value["mape", "lambda_2"] == pytest.approx(100 * np.mean([0.1, 0.05, 0.1, 0.025]))
    assert value["coverage_68", "maximum_mass"] == 0.25
    assert value["coverage_95", "maximum_mass"] == 0.75
    assert value["nll", ""] == -2.5
    assert value["log_ratio_error", ""] == 1.0
    assert all(isinstance(item, Measure) and item.uncertainty > 0 for item in found.values())


def test_a_coverage_that_all_of_a_few_sets_have_is_uncertain() -> None:
    truth = {name: np.array([1.0, 2.0, 3.0, 4.0]) for name in QUANTITIES}
    means = {name: values + np.array([0.1, -0.1, 0.3, 0.2]) for name, values in truth.items()}
    made = Estimates(means, {name: np.full(4, 0.5) for name in QUANTITIES})
    found = list(measures(made, made, made, truth, resamplings(4, 50, np.random.default_rng(1))))
    coverages = [item for item in found if item.metric == "coverage_95"]
    assert {item.value for item in coverages} == {1.0}
    assert [item.uncertainty for item in coverages] == pytest.approx([np.sqrt(5 / 7) / 6] * len(QUANTITIES))


def test_the_bootstrap_is_the_standard_error() -> None:
    rng = np.random.default_rng(3)
    residuals = rng.normal(size=400)
    means = resamplings(400, 500, rng) @ residuals
    assert means[1:].std() == pytest.approx(residuals.std() / 20, rel=0.12)


def test_a_model_that_knows_the_truth_is_found_out(files: dict[str, Any]) -> None:
    table = read_table(files["metrics"])
    ratios = table[(table["metric"] == "ratio_to_bayes") & (table["feature"] == "combination")]
    pulls = {
        name: ((rows["value"] - 1) / rows["uncertainty"]).tolist()
        for name, rows in ratios.groupby("model")
        if name != "exact"
    }
    assert max(pulls["leaking"]) < -4
    assert min(value for name in ("worse", "point", "ridge", "constant") for value in pulls[name]) > -1
    (answer,) = answers(files)
    assert (
        "WRONG: better than possible, so that the truth has leaked, or curves.grid is too coarse: leaking network."
        in answer.text
    )
    (honest,) = answers(without(files, "leaking"))
    assert "No trained model is better than the limit by more than four uncertainties anywhere." in honest.text


def test_the_answer_is_for_the_reference(files: dict[str, Any]) -> None:
    (answer,) = answers(without(files, "leaking"))
    assert answer.text.startswith("From 3 stars with noise of 0.1 solar masses and 0.5 km the exact posterior gets λ1")
    assert answer.best_model == "point network"
    assert answer.ceiling < answer.value < answer.floor
    assert answer.uncertainty > 0
    assert "λ2 alone stays nearly unknown" in answer.text
    assert "All trained models are above the limit there." in answer.text
    assert "stand-in" in answer.facts["stars"]
    assert re.search(r"nearest to the Bayes limit is point network: 1\.\d+ ± 0\.0", answer.headline)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_can_be_read(name: str, files: dict[str, Any]) -> None:
    draw = load_entry(FIGURES[name])
    with style.applied():
        assert text_faults(draw(files)) == []
        if name in ("posteriors", "coverage"):
            assert text_faults(draw(without(files, "leaking", "point"))) == []


@pytest.mark.parametrize("name", FIGURES)
def test_figures_have_labels_and_say_that_truth_is_a_stand_in(name: str, files: dict[str, Any]) -> None:
    with style.applied():
        figure = figure_of(f"neutron_stars/{name}")(files)
        FigureCanvasAgg(figure).draw()
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert any("[" in axis.get_xlabel() + axis.get_ylabel() or "lambda" in axis.get_xlabel() for axis in shown) or (
        name == "coverage"
    )
    assert all(axis.get_legend() is None for axis in shown)
    assert len(figure.legends) == 1
    caption = caption_of(FIGURES[name], name)
    assert "stand-in" in caption
    assert 4 <= len(re.findall(r"\.(?= |$)", caption)) <= 8


def test_the_scans_lie_between_prior_and_limit(files: dict[str, Any]) -> None:
    with style.applied():
        figure = load_entry(FIGURES["scans"])(without(files, "leaking"))
    table = read_table(files["metrics"])
    rows = table[(table["metric"] == "rmse") & (table["feature"] == "lambda_1") & (table["model"] == "exact")]
    limits = set(rows.loc[rows["sigma_radius"] == 0.5, "value"].round(9))
    drawn = {round(float(value), 9) for line in figure.axes[0].lines for value in np.asarray(line.get_ydata())}
    assert limits <= drawn


def test_regions_hold_their_share() -> None:
    weights = np.array([[0.4, 0.3], [0.2, 0.1]])
    assert level_of(weights, 0.35) == 0.4
    assert level_of(weights, 0.68) == 0.3
    assert level_of(weights, 0.85) == 0.2


def test_tables_have_the_constant_and_the_limit_beside_every_number(files: dict[str, Any]) -> None:
    table = tables.results(files)
    assert [row[0] for row in table.rows] == ["ridge regression", *(f"{name} network" for name in MODELS)]
    assert [row[0] for row in table.references] == ["constant (prior)", "exact posterior (Bayes limit)"]
    assert {len(row) for row in (*table.rows, *table.references)} == {len(table.header)}
    assert "(1.000)" in table.references[1][1]
    assert table.rows[-1][-1] == "no density"
    scan = tables.scans(files)
    assert len(scan.rows) == 3 * 6
    assert {len(row) for row in scan.rows} == {len(scan.header)}
    for made in (table, scan):
        assert "exact posterior" in as_html(made)
        assert r"\toprule" in as_latex(made)
    assert set(tables.CAPTIONS) == set(TABLES)
    assert all("stand-in" in caption for caption in tables.CAPTIONS.values())


def test_several_trainings_are_averaged(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["metrics"])
    again = table[table["model"] == "worse"].assign(seed=2, value=lambda rows: rows["value"] * 1.2)
    pd.concat([table, again]).to_csv(tmp_path / "metrics.csv", index=False)
    (answer,) = answers({**without(files, "leaking", "point"), "metrics": str(tmp_path / "metrics.csv")})
    (one,) = answers(without(files, "leaking", "point"))
    assert answer.value == pytest.approx(1.1 * one.value)
    assert answer.uncertainty > one.uncertainty
    assert answer.facts["trainings"] == "2 of each model"


@pytest.mark.parametrize(
    "show", [answers, tables.results, tables.scans, *(load_entry(item) for item in FIGURES.values())]
)
def test_missing_files_are_one_line(show: Any, files: dict[str, Any], tmp_path: Path) -> None:
    none = str(tmp_path / "none.h5")
    broken = {**files, "metrics": none, "sets": none, "curves": none}
    for given in ({}, broken):
        with pytest.raises(CloudchamberError) as error:
            show(given)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"model": "other"}, "no metrics of"), ({"feature": "lambda_3"}, "no quantity"), ({}, "no column")],
)
def test_unusable_metrics_are_one_line(
    change: dict[str, str], message: str, files: dict[str, Any], tmp_path: Path
) -> None:
    table = pd.read_csv(files["metrics"])
    table = table.assign(**change) if change else table.drop(columns="ceiling")
    table.to_csv(tmp_path / "metrics.csv", index=False)
    for show in (answers, tables.results, load_entry(FIGURES["scans"])):
        with pytest.raises(InputError, match=message):
            show({**files, "metrics": str(tmp_path / "metrics.csv")})


def test_estimates_of_other_sets_are_refused(files: dict[str, Any], tmp_path: Path) -> None:
    made = read_estimates(Path(files["estimates"]["ridge"]), 450)
    short = Estimates({name: values[:5] for name, values in made.means.items()}, {})
    write_estimates(tmp_path / "short.h5", short, {})
    with pytest.raises(InputError, match=r"short\.h5: estimates of 5 sets of stars, there are 450"):
        read_estimates(tmp_path / "short.h5", 450)
    listed = [{"name": "ridge", "seed": 1, "path": files["estimates"]["ridge"]}]
    with pytest.raises(InputError, match="no estimates of 'constant'"):
        evaluate({"sets": files["sets"], "estimates": listed}, MEASUREMENT, 1, tmp_path / "metrics.csv")
    twice = [*listed, {"name": "ridge", "seed": 2, "path": files["estimates"]["ridge"]}]
    with pytest.raises(InputError, match=r"another training of 'ridge' is that of .*ridge"):
        evaluate({"sets": files["sets"], "estimates": twice}, MEASUREMENT, 1, tmp_path / "metrics.csv")
    # As many sets, drawn with another seed.
    observe(Path(files["curves"]), MEASUREMENT.stars, 99, tmp_path / "stars.h5")
    with pytest.raises(InputError, match=r"was made from other sets of stars than those of .*stars\.h5"):
        evaluate({"sets": str(tmp_path / "stars.h5"), "estimates": listed}, MEASUREMENT, 1, tmp_path / "metrics.csv")
    made.means["lambda_1"][3] = np.nan
    write_estimates(tmp_path / "damaged.h5", made, {})
    with pytest.raises(InputError, match=r"damaged\.h5: 'mean_lambda_1' of 1 of 450 sets is no number"):
        read_estimates(tmp_path / "damaged.h5", 450)


MODEL = {"title": "a", "network": {"kind": "deep_set"}, "training": {"steps": 1}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": {}}, "models"),
        ({"models": {"exact": MODEL}}, "models.exact: a reference has that name"),
        ({"curves": {"points": 20}}, "curves.points: for noise of 0.1 solar masses at least 30"),
        (
            {"stars": STARS.model_dump() | {"noise": [{"mass": 0.1, "radius": 0.01}, *STARS.model_dump()["noise"]]}},
            "curves.points: for noise of 0.01 km at least 300",
        ),
        ({"curves": {"test": 1}}, "curves.test"),
        ({"models": {"a": {**MODEL, "network": {"kind": "forest"}}}}, "models.a.network"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, Any], message: str) -> None:
    values = {"stars": STARS.model_dump(mode="json"), "seeds": [1], "models": {"a": MODEL}}
    assert parse(NeutronStarsSettings, values).trained("a").stars == STARS
    with pytest.raises(SettingsError, match=message):
        parse(NeutronStarsSettings, values | change)
