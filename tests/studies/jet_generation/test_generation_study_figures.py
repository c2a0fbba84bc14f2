"""Figures of the study beyond distances: solvers, times, conditions, requests, metrics of whole jets."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_files import GENERATED, SCANNED, TRUE, study_files
from figure_texts import text_faults
from matplotlib.figure import Figure
from scipy.stats import pearsonr

from cloudchamber.cloud_file import read_clouds
from cloudchamber.drawings import figure_of, table_of
from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.inputs import Distributions, Model, Series
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import TRUTH
from cloudchamber.figures.measurements import Measurement
from cloudchamber.jets.observable_file import read_observables, write_observables
from cloudchamber.metrics.resampling import Sample
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP
from cloudchamber.studies.jet_generation.figures.average_images import JetImages, average_images
from cloudchamber.studies.jet_generation.figures.distributions import feature_distributions
from cloudchamber.studies.jet_generation.figures.log_posterior import log_posterior
from cloudchamber.studies.jet_generation.figures.requested import read_requests, response
from cloudchamber.studies.jet_generation.jet_metrics import JET_METRICS, read_jet_metrics
from cloudchamber.studies.jet_generation.sampling_times import read_sampling_times


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every figure and table needs, all keys in one."""
    return study_files(tmp_path_factory.mktemp("figures"))


def _figure(name: str, files: dict[str, Any]) -> Figure:
    with style.applied():
        return figure_of(f"jet_generation/{name}")(files)


def _changed(files: dict[str, Any], key: str, path: Path, change: Any) -> dict[str, Any]:
    """Return ``files`` with the table ``key`` changed, or with that of the first scan."""
    source = files[key] if key != "scans" else files[key][0]["path"]
    change(pd.read_csv(source, keep_default_na=False, na_values=[""])).to_csv(path, index=False)
    return {**files, key: str(path) if key != "scans" else [{**files[key][0], "path": str(path)}]}


def test_a_scan_shows_each_solver_and_what_was_not_finite(files: dict[str, Any]) -> None:
    figure = _figure("solver_scan", files)
    first = figure.axes[0]
    table = pd.read_csv(files["scans"][0]["path"])
    rows = table[(table["metric"] == "kl") & (table["feature"] == "jet_mass")]
    curves = {line.get_linestyle(): line for line in first.lines if len(line.get_xdata()) == 3}
    dashed = rows[rows["solver"] == "euler_maruyama"]
    np.testing.assert_allclose(np.asarray(curves["--"].get_ydata(), float), dashed["value"])
    np.testing.assert_array_equal(curves["--"].get_xdata(), dashed["evaluations"])
    crosses = [line for line in first.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in crosses] == [[2]]
    labels = [text.get_text() for text in figure.legends[0].texts]
    assert labels[:4] == ["Euler", "midpoint", "Euler-Maruyama", "values that are not finite"]


def test_every_solver_has_a_look_of_its_own(files: dict[str, Any], tmp_path: Path) -> None:
    def all_solvers(table: pd.DataFrame) -> pd.DataFrame:
        one = table[table["solver"] == "midpoint"]
        return pd.concat(
            [one.assign(solver=name, stochastic=name == "euler_maruyama") for name in EVALUATIONS_PER_STEP]
        )

    figure = _figure("solver_scan", _changed(files, "scans", tmp_path / "scan.csv", all_solvers))
    handles = figure.legends[0].legend_handles[: len(EVALUATIONS_PER_STEP)]
    looks = {(handle.get_color(), handle.get_marker(), handle.get_linestyle()) for handle in handles}
    assert len({marker for _, marker, _ in looks}) == len(EVALUATIONS_PER_STEP)
    assert [linestyle for *_, linestyle in looks].count("--") == 1


def test_equations_are_compared_at_the_most_evaluations_that_both_have(files: dict[str, Any], tmp_path: Path) -> None:
    def without(table: pd.DataFrame) -> pd.DataFrame:
        return table[(table["solver"] != "midpoint") | (table["evaluations"] < 8)]

    fewer = _changed(files, "scans", tmp_path / "scan.csv", without)
    assert _figure("ode_sde", files).axes[0].get_title().endswith("midpoint, Euler-Maruyama,\n8 evaluations each")
    axis = _figure("ode_sde", fewer).axes[0]
    assert axis.get_title().endswith("midpoint, Euler-Maruyama,\n4 evaluations each")
    table = pd.read_csv(tmp_path / "scan.csv")
    at = table[(table["metric"] == "kl") & (table["evaluations"] == 4)].set_index(["solver", "feature"])["value"]
    joined = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2]
    expected = [(at["midpoint", feature], at["euler_maruyama", feature]) for feature in SCANNED]
    np.testing.assert_allclose(joined, expected)


def test_a_scan_of_one_equation_cannot_be_compared(files: dict[str, Any], tmp_path: Path) -> None:
    ordinary = _changed(files, "scans", tmp_path / "scan.csv", lambda table: table[~table["stochastic"]])
    with pytest.raises(InputError, match="no number of evaluations with an ordinary and a stochastic solver"):
        _figure("ode_sde", ordinary)


def test_times_are_drawn_as_measured(files: dict[str, Any]) -> None:
    figure = _figure("sampling_time", files)
    table = pd.read_csv(files["times"])
    of_flow = table[table["model"] == "flow"]
    np.testing.assert_allclose(np.asarray(figure.axes[0].lines[0].get_ydata(), float), of_flow["seconds_per_jet"])
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), of_flow["seconds_per_jet"] / 8)
    assert "a processor, 1 thread, CPU time, batches of 64 jets" in figure.get_suptitle()
    # A model with several samplers is timed with one, which is named once.
    assert [text.get_text() for text in figure.legends[0].texts] == ["Flow & co: midpoint, 8", "Other_1: midpoint, 8"]


BROKEN_TIMES = {
    "several devices": lambda table: table.assign(device=np.arange(len(table)).astype(str)),
    "no time of the model 'other'": lambda table: table[table["model"] == "flow"],
    "no column ['clock']": lambda table: table.drop(columns="clock"),
}


@pytest.mark.parametrize("message", BROKEN_TIMES)
def test_times_that_cannot_be_compared_are_refused(message: str, files: dict[str, Any], tmp_path: Path) -> None:
    broken = _changed(files, "times", tmp_path / "times.csv", BROKEN_TIMES[message])
    with pytest.raises(InputError, match=re.escape(message)):
        read_sampling_times(broken)


def test_pairs_join_a_model_and_its_conditional_twin(files: dict[str, Any]) -> None:
    axis = _figure("conditioning", files).axes[0]
    table = pd.read_csv(files["metrics"])
    rows = table[(table["metric"] == "kl") & (table["feature"] == "d2")]
    expected = [
        rows[(rows["model"] == model) & (rows["sampler"] == sampler)]["value"].mean()
        for model, sampler in (("flow", "midpoint"), ("other", "ddim"))
    ]
    joined = [list(line.get_xdata()) for line in axis.lines if len(line.get_xdata()) == 2]
    assert any(np.allclose(ends, expected) for ends in joined)


BROKEN_PAIRS: dict[str, list[dict[str, str]]] = {
    "'pairs' is empty": [],
    "pairs of ['nobody']": [{"unconditional": "flow", "conditional": "nobody"}],
    "no key 'conditional'": [{"unconditional": "flow"}],
}


@pytest.mark.parametrize("message", BROKEN_PAIRS)
def test_pairs_that_are_none_are_refused(message: str, files: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        _figure("conditioning", {**files, "pairs": BROKEN_PAIRS[message]})


def test_response_is_correlation_median_and_half_width(rng: np.random.Generator) -> None:
    asked = rng.uniform(100, 200, 20_000)
    given = asked * (0.9 + 0.05 * rng.normal(size=20_000))
    found = response(asked, given)
    assert found.correlation == pytest.approx(pearsonr(asked, given).statistic)
    assert found.median == pytest.approx(0.9, abs=0.002)
    # 16 to 84 % of a normal distribution reach 0.994 standard deviations to each side.
    assert found.half_width == pytest.approx(0.994 * 0.05, rel=0.03)
    assert np.isnan(response(np.ones(5), np.arange(5.0)).correlation)


def test_a_jet_that_was_asked_for_without_mass_has_no_response() -> None:
    found = response(np.array([0.0, 100.0, 200.0]), np.array([5.0, 110.0, 220.0]))
    assert (found.median, found.half_width) == pytest.approx((1.1, 0.0))


def test_requests_are_the_features_of_the_clouds(files: dict[str, Any]) -> None:
    truth, *models = read_requests(files)
    clouds, table = read_clouds(files["truth"]), read_observables(files["truth_observables"])[0]
    rows = clouds.indices["test"]
    np.testing.assert_array_equal(truth.asked["jet_mass"], clouds.feature("jet_mass")[rows])
    np.testing.assert_array_equal(truth.given["jet_pt"], table["jet_pt"][rows])
    assert truth.n_jets == TRUE
    assert [sample.label for sample in models] == ["Flow & co, midpoint (unconditional)", "Other_1 (conditional)"]
    assert [sample.n_jets for sample in models] == [2 * GENERATED] * 2


def test_requests_and_answers_of_different_jets_are_refused(files: dict[str, Any], tmp_path: Path) -> None:
    table = read_observables(files["truth_observables"])[0]
    write_observables(tmp_path / "few.h5", {name: values[:5] for name, values in table.items()}, {})
    with pytest.raises(InputError, match=r"few\.h5: observables of 5 jets, .* has 240"):
        _figure("requested", {**files, "truth_observables": str(tmp_path / "few.h5")})


def test_metrics_that_are_missing_are_left_out(files: dict[str, Any], tmp_path: Path) -> None:
    def without(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["metric"] != "fpd"]

    fewer = _changed(files, "metrics", tmp_path / "metrics.csv", without)
    assert list(read_jet_metrics(fewer)) == [name for name in JET_METRICS if name != "fpd"]
    panels = [axis.get_title() for axis in _figure("jet_metrics", fewer).axes if axis.get_visible()]
    assert panels == [metric.label for name, metric in JET_METRICS.items() if name != "fpd"]
    # The baseline was given two metrics only, and keeps its row in all panels.
    of_models = {name: len(measurements) for name, measurements in read_jet_metrics(files).items()}
    assert of_models == {name: 4 if name in ("w1m", "coverage") else 3 for name in JET_METRICS}
    none = _changed(files, "metrics", tmp_path / "none.csv", lambda table: table[table["metric"] == "kl"])
    with pytest.raises(CloudchamberError, match="none of the metrics w1m, w1p"):
        _figure("jet_metrics", none)


def test_values_that_are_not_positive_have_a_place(files: dict[str, Any], tmp_path: Path) -> None:
    def negative(table: pd.DataFrame) -> pd.DataFrame:
        chosen = (table["metric"] == "kpd") & (table["model"] == "flow")
        return table.assign(value=table["value"].where(~chosen, -0.1))

    figure = _figure("jet_metrics", _changed(files, "metrics", tmp_path / "metrics.csv", negative))
    panels = {axis.get_title(): axis for axis in figure.axes}
    assert panels["KPD"].get_xscale() == "symlog"
    assert panels["KPD"].get_xlim()[0] < -0.1
    assert panels["FPD"].get_xscale() == "log"


def test_values_over_many_decades_of_both_signs_can_be_read(files: dict[str, Any], tmp_path: Path) -> None:
    def wide(table: pd.DataFrame) -> pd.DataFrame:
        chosen = table["metric"] == "kpd"
        values = np.where(table["model"] == "flow", -5e-6, 3.0)
        return table.assign(value=table["value"].where(~chosen, values), floor=table["floor"].where(~chosen, 1e-6))

    figure = _figure("jet_metrics", _changed(files, "metrics", tmp_path / "metrics.csv", wide))
    (axis,) = (axis for axis in figure.axes if axis.get_title() == "KPD")
    ticks = [tick for tick in axis.get_xticks() if axis.get_xlim()[0] <= tick <= axis.get_xlim()[1]]
    assert [tick for tick in ticks if tick >= 0] == pytest.approx([0.0, 1e-4, 1e-2, 1.0])
    with style.applied():
        assert text_faults(figure) == []


def test_a_panel_of_twins_has_the_name_of_both(files: dict[str, Any]) -> None:
    titles = {"flow": "EPiC-FM", "other": "EPiC-FM (pT, mass)"}
    named = {**files, "models": [{**e, "title": titles.get(e["name"], e["title"])} for e in files["models"]]}
    assert _figure("conditioning", named).axes[0].get_title() == "EPiC-FM"
    # Titles that begin with different words are both there.
    both = " ".join(_figure("conditioning", files).axes[0].get_title().split())
    assert both == "Flow & co, midpoint and Other_1"
    # What stands in brackets already says that the model is conditional.
    assert read_requests(named)[2].label == "EPiC-FM (pT, mass)"


def test_a_spike_beyond_the_axis_does_not_press_truth_down() -> None:
    truth = Sample.of_jets(np.repeat(np.arange(10) + 0.5, [1, 2, 5, 10, 14, 10, 5, 2, 1, 1]))
    outside = Sample.of_jets(np.concatenate([truth.values, np.full(500, 99.0)]))
    inside = Sample.of_jets(np.full(500, 4.5))
    peak = 14 / 51

    def top(model: Sample) -> float:
        series = [Series(name, TRUTH, {"tau21": sample}) for name, sample in (("truth", truth), ("model", model))]
        with style.applied():
            figure = feature_distributions(Distributions("jets", series[0], (series[1],)), ["tau21"])
        return float(figure.axes[0].get_ylim()[1])

    assert peak < top(outside) < 1.5 * peak
    # A peak inside is shown as far as half as high again.
    assert 1.5 * peak < top(inside) < 2.0 * peak


def test_the_legend_of_log_posteriors_explains_only_what_is_seen() -> None:
    def labels(error: float) -> list[str]:
        of = Model("m", "", "m", TRUTH, ())
        measured = [Measurement(of, "", (value,), 0.1, 1.0, error, 100.0, 100.0) for value in (2.0, 4.0)]
        with style.applied():
            figure = log_posterior(measured, measured, "jets")
        return [text.get_text() for text in figure.legends[0].get_texts()]

    always = ["ln K: K classes that none can tell apart", "score of truth itself"]
    assert labels(0.001) == labels(np.nan) == always
    assert labels(0.2) == [*always, "uncertainty of the score of truth"]


def test_models_may_have_different_seeds(files: dict[str, Any], tmp_path: Path) -> None:
    def fewer_seeds(table: pd.DataFrame) -> pd.DataFrame:
        return table[(table["model"] != "other") | (table["seed"] == 1)]

    fewer = _changed(files, "metrics", tmp_path / "metrics.csv", fewer_seeds)
    fewer["models"] = [entry for entry in files["models"] if entry["name"] != "other" or entry["seed"] == 1]
    for name in ("divergences", "log_posterior", "cost", "jet_metrics"):
        _figure(name, fewer)
        table = table_of(f"jet_generation/{name}")(fewer)
        assert any(note.startswith("Mean over 1 to 2 seeds") for note in table.notes)
        of_model = {row[0]: row[-1] for row in table.rows}
        assert "(" not in of_model["Other_1"]


def test_scan_table_says_where_there_is_no_value(files: dict[str, Any]) -> None:
    table = table_of("jet_generation/solver_scan")(files)
    cells = {tuple(row[:3]): row[3:] for row in table.rows}
    assert list(cells["flow", "Euler", "2"][: len(SCANNED)]) == ["not finite"] * len(SCANNED)
    assert "not finite" not in cells["flow", "Euler", "4"]
    scan = pd.read_csv(files["scans"][0]["path"])
    chosen = (scan["solver"] == "midpoint") & (scan["evaluations"] == 4) & (scan["metric"] == "kl")
    value = scan[chosen & (scan["feature"] == SCANNED[1])]["value"].item()
    exponent = -3 if "10⁻³" in table.header[4] else 0
    shown = float(cells["flow", "midpoint", "4"][1].partition(" ")[0])
    assert shown == pytest.approx(value * 10.0**-exponent, abs=0.0005 * 10.0**-exponent)
    assert [row[0] for row in table.references] == ["truth (floor)"]


def test_time_table_holds_medians_and_ranges(files: dict[str, Any]) -> None:
    table = table_of("jet_generation/sampling_time")(files)
    seconds = pd.read_csv(files["times"]).query("model == 'other' and multiplicity == 30").iloc[0]
    scale = 1000 if "[10⁻³ s]" in table.header[-1] else 1
    numbers = [float(number) for number in re.findall(r"[\d.]+", table.rows[1][-1])]
    expected = [seconds[name] * scale for name in ("seconds_per_jet", "lowest", "highest")]
    np.testing.assert_allclose(numbers, expected, rtol=0.006)


def test_legends_are_as_wide_as_the_figure_allows() -> None:
    def columns(width: float, letters: int) -> int:
        figure = Figure(figsize=(width, 3.0), layout="constrained")
        axis = figure.subplots()
        lines = [axis.plot([0, 1], label=f"{i}" * letters)[0] for i in range(8)]
        legend_below(figure, lines)
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        return int(figure.legends[0]._ncols)

    assert columns(4.0, 30) == 1
    assert columns(8.0, 30) == 2
    assert columns(9.0, 4) == 8


def test_images_of_jets_none_of_which_can_be_aligned_are_drawn() -> None:
    nothing = {name: np.zeros((4, 4)) for name in ("truth (test part)", "truth (training part)", "model")}
    with style.applied():
        figure = average_images(JetImages("pairs", np.linspace(-1, 1, 5), nothing, (0.0,) * 3, (7,) * 3))
        figure.canvas.draw()
    assert "0% of the jets" in figure.axes[0].get_title()
