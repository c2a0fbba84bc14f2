"""Flow maps against their teachers: the figure shows the scans, the table tests what it says it does."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_files import SEEDS, study_files

from cloudchamber.drawings import figure_of, table_of
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.metrics.equivalence import equivalence


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    return study_files(tmp_path)


def _with_metrics(files: dict[str, Any], changed: pd.DataFrame, folder: Path) -> dict[str, Any]:
    path = folder / "changed.csv"
    changed.to_csv(path, index=False)
    return {**files, "metrics": str(path)}


def test_curves_are_those_of_the_scans(files: dict[str, Any]) -> None:
    with style.applied():
        figure = figure_of("jet_generation/few_steps")(files)
    axes = np.array(figure.axes).reshape(-1, 2)
    for row, feature in zip(axes, ("jet_mass", "tau21", "tau32", "d2"), strict=True):
        for axis, cost in zip(row, ("evaluations", "seconds_per_jet"), strict=True):
            curves = [line for line in axis.lines if len(line.get_xdata()) == 3]
            scans = files["scans"][0]["path"], files["flow_maps"][0]["path"]
            for curve, path, solver in zip(curves, scans, ("midpoint", "flow_map"), strict=True):
                table = pd.read_csv(path)
                table = table[(table["metric"] == "kl") & (table["feature"] == feature) & (table["solver"] == solver)]
                np.testing.assert_allclose(np.asarray(curve.get_xdata(), float), table[cost])
                np.testing.assert_allclose(np.asarray(curve.get_ydata(), float), table["value"])


def test_a_teacher_without_a_scan_is_named(files: dict[str, Any]) -> None:
    alone = {**files, "scans": files["scans"][1:]}
    with pytest.raises(SettingsError, match="no scan of 'flow', the teacher of 'other'"):
        figure_of("jet_generation/few_steps")(alone)


def test_the_table_tests_each_metric_over_seeds(files: dict[str, Any]) -> None:
    table = table_of("jet_generation/few_steps")(files)
    metrics = pd.read_csv(files["metrics"]).query("metric == 'kl' and feature == 'tau32'")
    values = [
        metrics.query("model == @model and sampler == @sampler").sort_values("seed")["value"].to_numpy()
        for model, sampler in (("other", "ddim"), ("flow", "midpoint"))
    ]
    (line,) = table.data.query("feature == 'tau32'").to_dict("records")
    expected = equivalence(*values)
    assert line["difference"] == pytest.approx(expected.difference)
    assert line["margin"] == pytest.approx(expected.margin)
    assert line["equal"] == expected.equal
    assert [row[3] for row in table.rows] == [
        "KL of jet mass", "KL of τ21", "KL of τ32", "KL of D2", "W1-M", "W1-EFP", "FPD"
    ]  # fmt: skip
    assert table.notes[0].startswith("7 tests")


def test_a_student_that_is_its_teacher_is_equal_and_one_far_off_is_not(files: dict[str, Any], tmp_path: Path) -> None:
    metrics = pd.read_csv(files["metrics"])
    student = (metrics["model"] == "other") & (metrics["sampler"] == "ddim")
    teacher = (metrics["model"] == "flow") & (metrics["sampler"] == "midpoint")
    keys = ["dataset", "metric", "feature", "seed"]
    of_teacher = metrics[teacher].set_index(keys)["value"]
    for shift, verdict in ((0.0, "yes"), (10.0, "not shown")):
        changed = metrics.copy()
        moved = [of_teacher.get(tuple(row), np.nan) + shift for row in metrics.loc[student, keys].to_numpy()]
        changed.loc[student, "value"] = np.where(np.isnan(moved), metrics.loc[student, "value"], moved)
        table = table_of("jet_generation/few_steps")(_with_metrics(files, changed, tmp_path))
        assert {row[-1] for row in table.rows} == {verdict}


def test_one_seed_has_a_difference_and_no_verdict(files: dict[str, Any], tmp_path: Path) -> None:
    metrics = pd.read_csv(files["metrics"]).query("seed == @SEEDS[0]")
    one = {**files, "models": [model for model in files["models"] if model["seed"] == SEEDS[0]]}
    table = table_of("jet_generation/few_steps")(_with_metrics(one, metrics, tmp_path))
    assert {row[-2:] for row in table.rows} == {("", "")}
    assert table.notes[0].startswith("One training each")
    assert np.isfinite(table.data["difference"]).all()


def test_a_metric_that_is_missing_is_named(files: dict[str, Any], tmp_path: Path) -> None:
    metrics = pd.read_csv(files["metrics"])
    without = metrics[~((metrics["metric"] == "fpd") & (metrics["model"] == "other"))]
    with pytest.raises(InputError, match="no metric 'fpd' of 'other'"):
        table_of("jet_generation/few_steps")(_with_metrics(files, without, tmp_path))


def test_the_classifier_against_the_teacher_stands_below_the_metrics(files: dict[str, Any], tmp_path: Path) -> None:
    metrics = pd.read_csv(files["metrics"])
    found = {"metric": "teacher_auc", "feature": "", "value": 0.531, "uncertainty": 0.012, "floor": 0.5}
    of_student = metrics.query("model == 'other' and sampler == 'ddim'").iloc[:1].assign(**found)
    told = _with_metrics(files, pd.concat([metrics, of_student], ignore_index=True), tmp_path)
    table = table_of("jet_generation/few_steps")(told)
    assert table.rows[-1][3:] == ("AUC against the teacher", "0.531 ± 0.012", "0.5", "0.031 ± 0.012", "", "")
    line = table.data.query("metric == 'teacher_auc'").iloc[0]
    assert line[["value", "difference", "error"]].tolist() == pytest.approx([0.531, 0.031, 0.012])
    assert table.notes[0].startswith("7 tests")
