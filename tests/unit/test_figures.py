"""Figures and tables: what they show, and that they are drawn without warnings, with labels, and the same each time."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from scipy.stats import chi2_contingency

from cloudchamber.cloud import Clouds, Column, write_clouds
from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.evaluation.observables import JET_FEATURES, PARTICLE_FEATURES, write_observables
from cloudchamber.evaluation.resampling import Sample, bootstrap_weights
from cloudchamber.figures import style
from cloudchamber.figures.draw import FIGURES, draw
from cloudchamber.figures.histograms import bin_edges, chi_squared, histogram, integer_edges
from cloudchamber.figures.images import average_image
from cloudchamber.figures.inputs import first_samplers, models_of
from cloudchamber.figures.measurements import read_measurements
from cloudchamber.figures.numbers import decimals, scale_exponent, with_uncertainty
from cloudchamber.figures.tables import TABLES, tabulate
from cloudchamber.pipeline import drawings

REPOSITORY = Path(__file__).parents[2]
FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)
TRUE, GENERATED = 120, 150
MODELS = (
    ("flow", "Flow & co", ("midpoint", "euler_maruyama")),
    ("other", "Other_1", ("ddim",)),
    ("zero", "Zero", ("none",)),
)
SEEDS = (1, 2)
ANALYSIS_FIGURES = ("detector_response", "truncation")


def _clouds(rng: np.random.Generator, n: int, absolute: bool = False) -> Clouds:
    width = 8
    mask = np.arange(width) < rng.integers(3, width + 1, n)[:, None]
    pt = -np.sort(-rng.exponential(0.2, (n, width)), axis=1) * (900 if absolute else 1)
    points = np.stack([rng.normal(0, 0.2, (n, width)), rng.normal(0, 0.2, (n, width)), pt], axis=2)
    names = ("eta_rel", "phi_rel", "pt_rel")
    if absolute:
        points, names = points[:, :, [2, 0, 1]], ("pt", "eta", "phi")
    points[~mask] = 0.0
    features = np.stack([rng.normal(1000, 80, n), rng.normal(170, 20, n), mask.sum(axis=1) + rng.poisson(3, n)], axis=1)
    return Clouds(
        points=points.astype("f4"),
        mask=mask,
        features=features.astype("f4"),
        labels=np.zeros((n, 0), "i8"),
        point_columns=tuple(Column(name) for name in names),
        feature_columns=(Column("jet_pt", "GeV"), Column("jet_mass", "GeV"), Column("n_constituents")),
        meta={
            "truncation": {"clouds_truncated": 30, "mean_lost_pt_fraction": 0.0123, "worst_lost_pt_fraction": 0.2},
        },
    )


def _jets(folder: Path, name: str, rng: np.random.Generator, clouds: Clouds) -> dict[str, str]:
    table = {feature: rng.gamma(20, 0.03, len(clouds)) for feature in JET_FEATURES}
    table["multiplicity"] = clouds.multiplicity.astype(float)
    paths = {"clouds": folder / f"{name}.h5", "observables": folder / f"{name}_observables.h5"}
    write_clouds(paths["clouds"], clouds)
    write_observables(paths["observables"], table, {})
    return {key: str(path) for key, path in paths.items()}


def _metrics(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for model, _, samplers in MODELS:
        for sampler in samplers:
            for seed in SEEDS:
                names = {"study": "s", "dataset": "top", "model": model, "sampler": sampler, "nfe": 10, "seed": seed}
                sizes = {"n_reference": TRUE, "n_generated": GENERATED}
                for metric in ("kl", "w1"):
                    for feature in FEATURES:
                        value = {"value": rng.gamma(4, 0.02), "uncertainty": 0.01, "floor": 0.02}
                        rows.append({**names, **sizes, "metric": metric, "feature": feature, **value})
                for metric, value in (
                    ("seconds_per_jet", 0.002),
                    ("evaluations_per_jet", 0 if model == "zero" else 10),
                ):
                    rows.append({**names, "metric": metric, "value": value, "n_generated": GENERATED})
                if sampler == samplers[0]:
                    for metric, floor in (("nlp", 1.4), ("nlp_generated_only", np.log(3))):
                        value = {"value": rng.normal(2, 0.1), "uncertainty": 0.03, "floor": floor}
                        rows.append({**names, **sizes, "metric": metric, **value})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every figure and table needs, all keys in one."""
    folder, rng = tmp_path_factory.mktemp("figures"), np.random.default_rng(7)
    order = rng.permutation(2 * TRUE)
    truth = replace(_clouds(rng, 2 * TRUE), indices={"test": order[:TRUE], "train": order[TRUE:]})
    of_truth = _jets(folder, "truth", rng, truth)
    models = [
        {
            "name": name,
            "title": title,
            "sampler": sampler,
            "seed": seed,
            **_jets(folder, f"{name}_{sampler}_{seed}", rng, _clouds(rng, GENERATED)),
        }
        for name, title, samplers in MODELS
        for sampler in samplers
        for seed in SEEDS
    ]
    _metrics(rng).to_csv(folder / "metrics.csv", index=False)
    classes = [name for name, _, _ in MODELS] + ["truth"]
    confusion = pd.DataFrame(rng.dirichlet(np.ones(4), 4), columns=classes)
    confusion.assign(**{"class": classes}).to_csv(folder / "confusion.csv", index=False)
    columns = ("training_loss", "validation_loss", "w1_jet_mass", "w1_jet_pt")
    history = pd.DataFrame({"step": np.arange(1, 6) * 10} | {name: rng.uniform(0.1, 1, 5) for name in columns})
    history.loc[0, "w1_jet_mass"] = np.inf
    history.to_csv(folder / "history.csv", index=False)
    real, own = (_jets(folder, name, rng, _clouds(rng, TRUE, absolute=True)) for name in ("real", "own"))
    return {
        "study": "s",
        "dataset": "top",
        "title": "some jets",
        "truth": of_truth["clouds"],
        "truth_observables": of_truth["observables"],
        "models": models,
        "metrics": str(folder / "metrics.csv"),
        "confusions": [{"seed": seed, "path": str(folder / "confusion.csv")} for seed in SEEDS],
        "histories": [
            {"name": name, "title": name, "seed": seed, "path": str(folder / "history.csv")}
            for name in ("flow", "other")
            for seed in SEEDS
        ],
        "processes": [
            {"name": "top", "title": "tops", "own": own, "real": real},
            {"name": "qcd", "title": "light", "own": own, "real": None},
        ],
        "datasets": [{"name": "top", "title": "tops", "clouds": own["clouds"]}],
        "settings": _settings(),
    }


def _settings() -> dict[str, Any]:
    model = {"kind": "trained", "title": "Flow", "objective": {"kind": "flow_matching"}, "training": {"steps": 3}}
    return {
        "processes": {"top": {"title": "t", "commands": ["a = on", "b = off"], "pt_hat": [1, 2], "events": 5}},
        "datasets": {
            "top": {
                "title": "t",
                "source": {"kind": "simulated", "process": "top"},
                "ingestion": {"clouds": {"kind": "events"}, "max_particles": 17},
            }
        },
        "jet_generation": {
            "datasets": ["top"],
            "seeds": [1, 2],
            "generated": 4,
            "models": {"flow": {**model, "samplers": {"a": {"solver": "euler", "evaluations": 2}}}},
            "log_posterior": {"training": {"steps": 1}, "jets_per_class": 3},
        },
    }


def _figure(name: str, files: dict[str, Any]) -> Figure:
    with style.applied():
        return FIGURES[name](files)


UNITS = {
    "jet_features": "[GeV]",
    "particle_features": "[rad]",
    "divergences": "KL(generated || truth) [nat]",
    "wasserstein": "[unit of the feature]",
    "log_posterior": "[nat]",
    "cost": "[s]",
    "average_images": "[rad]",
    "cloud_gallery": "[rad]",
    "detector_response": "[GeV]",
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_labels_units_and_legends(name: str, files: dict[str, Any]) -> None:
    figure = _figure(name, files)
    for axis in figure.axes:
        place = axis.get_subplotspec()
        if place is None:
            assert axis.get_ylabel()  # colour scale
            continue
        assert axis.get_xlabel() or not place.is_last_row()
        rows_are_named = any(label.get_text() in ("Other_1", "Zero") for label in axis.get_yticklabels())
        rows_are_features = name in ("divergences", "wasserstein")
        assert axis.get_ylabel() or rows_are_named or rows_are_features or not place.is_first_col()
    labels = [text for axis in figure.axes for text in (axis.get_xlabel(), axis.get_ylabel())]
    assert any(UNITS.get(name, "") in label for label in labels)
    legends = [legend for part in (figure, *figure.subfigs) for legend in part.legends]
    assert bool(legends) == (name not in ("confusion", "average_images"))
    # Outside of the data: legends belong to figures, never to axes.
    assert all(axis.get_legend() is None for axis in figure.axes)


@pytest.mark.parametrize("name", FIGURES)
def test_draw_writes_both_files_and_the_same_each_time(name: str, files: dict[str, Any], tmp_path: Path) -> None:
    draw(name, files, tmp_path / "a.pdf", tmp_path / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png"]
    height, width, _ = imread(tmp_path / "a.png").shape
    assert min(height, width) > 300
    first = [(tmp_path / f"a.{suffix}").read_bytes() for suffix in ("pdf", "png")]
    assert first[0].startswith(b"%PDF")
    assert b"CreationDate" not in first[0]
    if name in ("substructure", "confusion", "histories"):
        draw(name, files, tmp_path / "a.pdf", tmp_path / "a.png")
        assert first == [(tmp_path / f"a.{suffix}").read_bytes() for suffix in ("pdf", "png")]


def test_names_agree_with_workflow_and_captions() -> None:
    of_study = {name for figures in drawings.FIGURES.values() for name in figures}
    assert of_study | set(ANALYSIS_FIGURES) == set(FIGURES)
    assert {*drawings.TABLES, "settings"} == set(TABLES)
    captions = {path.stem for path in (REPOSITORY / "workflow/report").glob("*.rst")}
    assert captions == {"workflow", *FIGURES, *(f"table_{name}" for name in TABLES)}
    assert all(len(path.read_text()) > 80 for path in (REPOSITORY / "workflow/report").glob("*.rst"))


@pytest.mark.parametrize(
    ("make", "kind", "known"), [(draw, "figure", "cloud_gallery"), (tabulate, "table", "wasserstein")]
)
def test_unknown_name_lists_the_known_ones(make: Any, kind: str, known: str, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("a", "b", "c")][: 2 if make is draw else 3]
    with pytest.raises(SettingsError, match=rf"no {kind} 'nonsense' among .*{known}"):
        make("nonsense", {}, *outputs)
    assert not list(tmp_path.iterdir())


BROKEN = {
    "no key 'truth'": ("jet_features", {"truth": None}),
    "'models' is empty": ("jet_features", {"models": []}),
    "'processes' is empty": ("detector_response", {"processes": []}),
    "no metric 'kl' of data set 'bottom'": ("divergences", {"dataset": "bottom"}),
    "no column": ("histories", {"histories": [{"name": "flow", "title": "f", "seed": 1, "path": "confusion.csv"}]}),
    "are not the same": ("confusion", {"confusions": [{"seed": 1, "path": "odd.csv"}]}),
}


@pytest.mark.parametrize("message", BROKEN)
def test_unusable_files_are_one_line_errors(message: str, files: dict[str, Any], tmp_path: Path) -> None:
    name, change = BROKEN[message]
    folder = Path(files["metrics"]).parent
    pd.DataFrame({"class": ["a", "b"], "a": [1, 0], "c": [0, 1]}).to_csv(folder / "odd.csv", index=False)
    change = json.loads(json.dumps(change).replace('"confusion.csv"', f'"{folder}/confusion.csv"'))
    change = json.loads(json.dumps(change).replace('"odd.csv"', f'"{folder}/odd.csv"'))
    broken = {key: value for key, value in {**files, **change}.items() if value is not None}
    with pytest.raises(CloudchamberError, match=re.escape(message)) as error:
        draw(name, broken, tmp_path / "a.pdf", tmp_path / "a.png")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_model_without_a_metric_is_an_error(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["metrics"])
    table[~((table["model"] == "other") & (table["feature"] == "d2"))].to_csv(tmp_path / "metrics.csv", index=False)
    with pytest.raises(InputError, match=r"no metric 'kl' .* for 'Other_1' in d2$"):
        read_measurements({**files, "metrics": str(tmp_path / "metrics.csv")}, "kl", FEATURES)


def test_models_keep_their_looks_with_and_without_baselines(files: dict[str, Any]) -> None:
    models = models_of({"models": files["models"][::-1]})
    trained = models_of({"models": [entry for entry in files["models"][::-1] if entry["sampler"] != "none"]})
    looks = {model.label: model.look for model in models}
    assert {model.label: model.look for model in trained} == {key: looks[key] for key in looks if key != "Zero"}
    names = [f"model{i}" for i in range(8)]
    chosen = [*style.looks(names, []).values(), style.looks(["zero"], ["zero"])["zero"]]
    for attribute in ("color", "linestyle", "marker"):
        assert len({getattr(look, attribute) for look in chosen}) == 9


def test_labels_name_the_sampler_only_where_there_are_several(files: dict[str, Any]) -> None:
    models = models_of(files)
    assert [model.label for model in models] == ["Flow & co, midpoint", "Flow & co, euler maruyama", "Other_1", "Zero"]
    assert models[0].look != models[1].look
    assert [model.sampler for model in first_samplers(models)] == ["midpoint", "ddim", "none"]
    assert [len(model.entries) for model in models] == [2] * 4


def test_measurements_average_over_seeds(files: dict[str, Any]) -> None:
    table = pd.read_csv(files["metrics"], keep_default_na=False, na_values=[""])
    found = read_measurements(files, "kl", FEATURES)
    assert len(found) == 4 * len(FEATURES)
    for item in found:
        rows = table[(table["metric"] == "kl") & (table["feature"] == item.feature)]
        values = rows[(rows["model"] == item.model.name) & (rows["sampler"] == item.model.sampler)]["value"]
        assert item.value == pytest.approx(values.mean())
        assert item.spread == pytest.approx(values.std())
    assert [item.model.sampler for item in read_measurements(files, "nlp")] == ["midpoint", "ddim", "none"]


def test_fractions_count_everything(rng: np.random.Generator) -> None:
    values = rng.normal(size=1000)
    edges = np.linspace(-1, 1, 9)
    counts = histogram(Sample.of_jets(values), edges).counts
    np.testing.assert_array_equal(counts[1:-1], np.histogram(values, edges)[0][1:-1])
    assert counts[0] == (values < edges[1]).sum()
    assert counts[-1] == (values >= edges[-2]).sum()


def test_a_sample_without_entries_is_drawn_as_nothing() -> None:
    found = histogram(Sample.of_particles(np.zeros((3, 2)), np.zeros((3, 2), bool)), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal([found.fractions, found.errors], 0.0)


def test_errors_of_jets_are_binomial(rng: np.random.Generator) -> None:
    found = histogram(Sample.of_jets(rng.normal(size=500)), np.linspace(-2, 2, 6))
    assert found.fractions.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.errors, np.sqrt(found.fractions * (1 - found.fractions) / 500))


def test_errors_of_particles_know_that_jets_are_the_independent_units(rng: np.random.Generator) -> None:
    # Particles of a jet lie close together, so that errors of independent particles would be far too small.
    mask = np.arange(12) < rng.integers(4, 13, 400)[:, None]
    values = rng.normal(size=(400, 1)) + 0.1 * rng.normal(size=(400, 12))
    sample = Sample.of_particles(values, mask)
    edges = np.linspace(-2, 2, 6)
    found = histogram(sample, edges)
    cells = np.clip(np.digitize(values, edges) - 1, 0, 4)
    counts = np.stack([((cells == k) & mask).sum(axis=1) for k in range(5)], axis=1)
    resampled = bootstrap_weights(400, 2000, rng).astype(float) @ counts
    spread = (resampled / resampled.sum(axis=1, keepdims=True)).std(axis=0)
    # 2000 resamplings know a standard deviation to 1.6 %; the linearised error is right to order 1 / jets.
    np.testing.assert_allclose(found.errors, spread, rtol=0.08)
    naive = np.sqrt(found.fractions * (1 - found.fractions) / mask.sum())
    assert (found.errors > 2 * naive).all()


def test_bins_hold_the_reference_and_bound_the_others(rng: np.random.Generator) -> None:
    reference, wide = Sample.of_jets(rng.normal(size=4000)), Sample.of_jets(100 * rng.normal(size=4000))
    low, high = np.quantile(reference.values, [0.001, 0.999])
    edges = bin_edges(reference, [])
    assert (edges[0], edges[-1]) == pytest.approx((low, high))
    widened = bin_edges(reference, [wide])
    assert widened[-1] - widened[0] == pytest.approx(2 * (high - low))
    positive = Sample.of_jets(np.concatenate([[0.0], rng.lognormal(size=999)]))
    ratios = np.diff(np.log(bin_edges(positive, [], logarithmic=True)))
    np.testing.assert_allclose(ratios, ratios[0])
    whole = Sample.of_jets(np.array([3.0, 7.0, 5.0]))
    np.testing.assert_array_equal(integer_edges(whole, []), np.arange(2.5, 8.0))
    none_positive = Sample.of_jets(np.zeros(5))
    np.testing.assert_array_equal(bin_edges(positive, [none_positive], True), bin_edges(positive, [], True))
    constant = Sample.of_jets(np.full(10, 2.0))
    assert (np.diff(bin_edges(constant, [constant])) > 0).all()


def test_chi_squared_is_that_of_a_contingency_table(rng: np.random.Generator) -> None:
    first, second = rng.multinomial(3000, np.full(20, 0.05)), rng.multinomial(900, np.full(20, 0.05))
    oracle = chi2_contingency(np.stack([first, second]), correction=False)
    assert chi_squared(first, second) == (pytest.approx(oracle.statistic), oracle.dof)


def test_chi_squared_merges_empty_bins() -> None:
    value, freedom = chi_squared(np.array([50.0, 3, 0, 60, 1]), np.array([50.0, 3, 0, 60, 1]))
    assert (value, freedom) == (pytest.approx(0.0), 1)


def test_average_image_conserves_momentum(rng: np.random.Generator) -> None:
    clouds = _clouds(rng, 50)
    image = average_image(clouds, np.linspace(-5, 5, 11))
    assert image.sum() == pytest.approx(clouds.point("pt_rel").sum() / 50, rel=1e-5)
    assert image.shape == (10, 10)


def test_response_says_where_there_is_nothing_to_compare_with(files: dict[str, Any]) -> None:
    with_real, without = _figure("detector_response", files).subfigs
    texts = [[text.get_text() for axis in part.axes for text in axis.texts] for part in (with_real, without)]
    assert all("dof" in text for text in texts[0])
    assert texts[1] == ["no file of Delphes"] * 5


def test_truncation_shows_what_was_counted(files: dict[str, Any]) -> None:
    (part,) = _figure("truncation", files).subfigs
    heading = part.get_suptitle()
    assert f"{TRUE} clouds, 25.0 % truncated" in heading
    assert "mean 1.23 %, worst 20.0 %" in heading


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.123456, 0.0123, "0.123 ± 0.012"),
        (12.3456, 1.5, "12.3 ± 1.5"),
        (1234.5, 67.0, "1234 ± 67"),
        (0.5, 0.0, "0.500 ± 0.000"),
        (0.0123456, np.nan, "0.0123"),
        (0.0, np.nan, "0"),
    ],
)
def test_digits_follow_the_uncertainty(value: float, uncertainty: float, text: str) -> None:
    assert with_uncertainty(value, uncertainty) == text
    assert decimals(value, uncertainty) == len(text.partition(" ")[0].partition(".")[2])


@pytest.mark.parametrize(("largest", "exponent"), [(3.0, 0), (0.1, 0), (0.04, -3), (0.001, -3), (0.0005, -6), (0.0, 0)])
def test_columns_are_scaled_by_thousands(largest: float, exponent: int) -> None:
    assert scale_exponent([largest, largest / 7, float("nan")]) == exponent


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        self._inside = tag in ("td", "th")
        if self._inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def _tabulate(name: str, files: dict[str, Any], folder: Path) -> tuple[list[list[str]], pd.DataFrame, str]:
    paths = [folder / f"{name}.{suffix}" for suffix in ("html", "csv", "tex")]
    tabulate(name, files, *paths)
    cells = _Cells()
    cells.feed(paths[0].read_text())
    assert "script" not in cells.tags
    return cells.rows, pd.read_csv(paths[1]), paths[2].read_text()


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_rectangular_in_each_format(name: str, files: dict[str, Any], tmp_path: Path) -> None:
    rows, _, latex = _tabulate(name, files, tmp_path)
    assert len({len(row) for row in rows}) == 1
    lines = [line for line in latex.splitlines() if line.endswith(r"\\")]
    assert len(lines) == len(rows)
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(rows[0]) - 1}
    assert latex.count(r"\begin") == latex.count(r"\end") == 1
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in latex
    assert not re.search(r"(?<!\\)[_#]", latex.partition(r"\begin")[2])


@pytest.mark.parametrize(("name", "metric"), [("divergences", "kl"), ("wasserstein", "w1")])
def test_distance_tables_hold_the_numbers(name: str, metric: str, files: dict[str, Any], tmp_path: Path) -> None:
    rows, data, latex = _tabulate(name, files, tmp_path)
    found = read_measurements(files, metric, FEATURES)
    np.testing.assert_allclose(data["value"], [item.value for item in found])
    np.testing.assert_allclose(data["spread"], [item.spread for item in found])
    assert set(data["n_reference"]) == {TRUE}
    assert set(data["n_generated"]) == {GENERATED}
    header, *body = rows
    assert [row[0] for row in body] == [*dict.fromkeys(item.model.label for item in found), "truth (floor)"]
    for column, feature in enumerate(FEATURES, start=1):
        of_feature = [item for item in found if item.feature == feature]
        scale = 1000 if "10⁻³" in header[column] else 1
        for row, item in zip(body, of_feature, strict=False):
            value, uncertainty, spread = map(float, re.fullmatch(r"(.*) ± (.*) \((.*)\)", row[column]).groups())
            assert (value, uncertainty) == pytest.approx((item.value * scale, 0.01 * scale), abs=0.0005 * scale)
            assert spread == pytest.approx(item.spread * scale, abs=0.0005 * scale)
        assert float(body[-1][column]) == pytest.approx(0.02 * scale)
    assert rf"{TRUE} true jets, {GENERATED} generated jets per model" in latex


def test_log_posterior_table_has_its_references(files: dict[str, Any], tmp_path: Path) -> None:
    rows, data, _ = _tabulate("log_posterior", files, tmp_path)
    assert rows[-1] == ["ideal, ln K", f"{np.log(4):.3f}", f"{np.log(3):.3f}"]
    assert rows[-2][1] == "1.40"
    assert list(data["metric"]) == ["nlp"] * 3 + ["nlp_generated_only"] * 3


def test_cost_table_converts_units(files: dict[str, Any], tmp_path: Path) -> None:
    rows, _, _ = _tabulate("cost", files, tmp_path)
    assert rows[0][3] == "time per jet [10⁻³ s]"
    assert rows[1] == ["Flow & co, midpoint", "midpoint", "10", "2.00 (0.00)", "500"]
    assert rows[-1][2] == "0"


def test_settings_table_has_defaults_and_meanings(files: dict[str, Any], tmp_path: Path) -> None:
    rows, data, _ = _tabulate("settings", files, tmp_path)
    table = {key: (value, meaning) for key, value, meaning in rows[1:]}
    assert table["datasets.top.ingestion.max_particles"] == ("17", "padded length; the hardest particles are kept")
    assert table["processes.top.commands"][0] == "a = on; b = off"
    assert table["processes.top.pt_hat"][0] == "1.0, 2.0"
    assert table["jet_generation.log_posterior.network.blocks"][0] == "(32, 32, 32), (64, 64, 64)"
    assert table["jet_generation.seeds"][0] == "1, 2"
    assert table["detector_response"][0] == "none"
    assert len(table) == len(data)
