"""Metrics, classifiers, figures, tables and the answer, from samples that are made without networks."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from shower_files import INGESTION, TRAINING

from cloudchamber.drawings import figure_of
from cloudchamber.entry_points import load_entry
from cloudchamber.errors import CloudchamberError, InputError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.metrics.tables import read_table
from cloudchamber.pipeline.drawing import caption_of
from cloudchamber.settings.base import parse
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers import tables
from cloudchamber.studies.showers.answer import answers
from cloudchamber.studies.showers.drawings import FIGURES, TABLES
from cloudchamber.studies.showers.evaluate import evaluate
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.judge import judge
from cloudchamber.studies.showers.marginals import sample_marginals
from cloudchamber.studies.showers.metric_rows import COLUMNS, rows_of_all
from cloudchamber.studies.showers.observables import FEATURES, observe
from cloudchamber.studies.showers.settings import EvaluationSettings, JudgeSettings
from cloudchamber.studies.showers.shower_file import create_showers, open_showers, particles_of, shower_part
from cloudchamber.studies.showers.shower_samples import generated_sample, true_sample

JUDGE = parse(JudgeSettings, {"features": {"hidden": [32], "training": TRAINING},
                              "points": {"hidden": [16], "training": {**TRAINING, "steps": 40}}})  # fmt: skip


def copy_of_training(folder: Path) -> Path:
    """Write showers of the training part in place of generated ones: a model that copies."""
    with open_showers(folder / "showers.h5") as showers:
        asked, train = showers.part("asked"), showers.part("train")
        chosen = train[np.arange(len(asked)) % len(train)]
        part = showers.take(chosen)
        path = folder / "copies.h5"
        with create_showers(path, geometry_of("ild_like"), {}) as writer:
            writer.append(shower_part(particles_of(showers, chosen), asked, part.points, part.counts))
    return path


@pytest.fixture(scope="module")
def files(showers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps write; a second parametrised sample stands for a trained model."""
    folder = tmp_path_factory.mktemp("outputs")
    samples = [
        {"name": "copies", "sampler": "midpoint", "seed": 1, "path": str(copy_of_training(showers_folder))},
        {"name": "marginals", "sampler": "none", "seed": 1, "path": str(showers_folder / "marginals.h5")},
        {"name": "parametrised", "sampler": "none", "seed": 1, "path": str(showers_folder / "parametrised.h5")},
    ]
    given = {"showers": str(showers_folder / "showers.h5"), "samples": samples}
    judge(given, JUDGE, 1, folder / "state", folder / "judgements.csv")
    evaluate(
        {**given, "judgements": str(folder / "judgements.csv")},
        EvaluationSettings(bootstraps=10, bins=12, physics_distance_showers=100),
        1,
        folder / "metrics.csv",
        folder / "profiles.csv",
        folder / "spectra.csv",
    )
    times = [
        {
            "model": model,
            "sampler": "none",
            "species": species,
            "energy": energy,
            "points": 100.0,
            "seconds_per_shower": seconds * energy,
            "lowest": 0.9 * seconds,
            "highest": 1.1 * seconds * energy,
            "showers": 8,
            "rounds": 2,
            "device": "a processor",
            "clock": "CPU",
        }
        for model, seconds in (("parametrised", 1e-4), ("copies", 1e-2))
        for species in ("photon", "pi_plus")
        for energy in (1.0, 2.0, 3.0)
    ]
    write_rows(folder / "times.csv", times)
    rows = [{"step": step, "training_loss": 3.0 / step, "validation_loss": 3.1 / step} for step in (1, 2, 3)]
    write_rows(folder / "history.csv", rows)
    models = [
        {"name": item["name"], "title": f"{item['name']} model", "sampler": item["sampler"], "seed": 0}
        for item in samples
    ]
    (folder / "model.json").write_text('{"parameters": 5}')
    arm = {
        "name": "copies",
        "title": "copies model",
        "sampler": "midpoint",
        "descriptions": [str(folder / "model.json")],
        "reference": "parametrised",
        "reference_title": "parametrisation",
        "reference_sampler": "none",
        "reference_descriptions": [str(folder / "model.json")],
    }
    history = {"name": "copies", "title": "copies model", "seed": 1, "path": str(folder / "history.csv")}
    return {
        "title": "photons and pions",
        "source": "parametrised showers",
        "models": models,
        "showers": given["showers"],
        "sample": samples[0],
        "histories": [history],
        "arms": [arm],
        **{name: str(folder / f"{name}.csv") for name in ("metrics", "profiles", "spectra", "times")},
    }


def test_every_distance_has_uncertainty_floor_and_size(files: dict[str, Any]) -> None:
    table = read_table(files["metrics"], COLUMNS)
    assert (table["study"] == "showers").all()
    assert set(table["dataset"]) == {"photon", "pi_plus", "all"}
    distances = table[table["metric"].isin(["kl", "w1", "separation", "profile_error", "layer_sums"])]
    assert distances[["value", "uncertainty", "floor", "floor_uncertainty", "n_reference"]].notna().all().all()
    assert set(distances["feature"].dropna()) == {*FEATURES, "longitudinal", "radial"}
    assert distances["low"].notna().any()
    assert set(table["metric"]) >= {
        *("auc_features", "auc_points", "nlp", "species_accuracy", "memorisation", "duplicates", "fpd", "kpd"),
        *("seconds_per_shower", "mean", "resolution"),
    }


def test_what_is_truth_is_near_the_floor_and_what_is_not_is_far(files: dict[str, Any]) -> None:
    table = read_table(files["metrics"])
    rows = table[(table["metric"] == "w1") & table["low"].isna()].set_index(["model", "dataset", "feature"])
    over = rows["value"] / rows["floor"]
    assert over.loc["parametrised"].median() < 2
    # Independent points know nothing of the energy.
    assert over.xs("response", level="feature").loc["marginals"].min() > 4
    area = table[table["metric"] == "auc_features"].set_index("model")
    assert area.loc["marginals", "value"] > 0.8
    for name in ("parametrised", "copies"):
        assert abs(area.loc[name, "value"] - 0.5) < 4 * area.loc[name, "uncertainty"]
    assert abs(area["floor"].iloc[0] - 0.5) < 4 * area["floor_uncertainty"].iloc[0]
    copied = table[table["metric"] == "memorisation"].set_index("model")
    assert copied.loc["copies", "value"] > 4 * copied.loc["copies", "uncertainty"]
    assert abs(copied.loc["parametrised", "value"]) < 4 * copied.loc["parametrised", "uncertainty"]
    told = table[table["metric"] == "species_accuracy"].set_index("model")["value"]
    assert told["truth"] > 0.8


def test_response_is_that_of_the_cells(files: dict[str, Any], showers_folder: Path) -> None:
    """The mean of a table against the observables of the same showers."""
    table = read_table(files["metrics"])
    row = table[
        (table["model"] == "truth")
        & (table["metric"] == "mean")
        & (table["feature"] == "response")
        & table["low"].isna()
    ]
    with open_showers(showers_folder / "showers.h5") as showers:
        rows = showers.part("test")
        found = observe(showers, rows, np.random.default_rng(5))
        photons = showers.label("pdg")[rows] == 22
    value = found.values["response"][photons].mean()
    assert row.set_index("dataset").loc["photon", "value"] == pytest.approx(value, abs=0.02)
    assert value == pytest.approx(1.0, abs=0.1)


def test_profiles_add_up_to_the_visible_energy(files: dict[str, Any]) -> None:
    profiles = read_table(files["profiles"])
    sums = profiles.groupby(["dataset", "model", "profile"])["value"].sum().unstack()
    np.testing.assert_allclose(sums["longitudinal"], sums["radial"], rtol=1e-6)
    spectra = read_table(files["spectra"])
    np.testing.assert_allclose(spectra.groupby(["dataset", "model", "feature"])["value"].sum(), 1.0)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_can_be_read(name: str, files: dict[str, Any]) -> None:
    with style.applied():
        figure = figure_of(f"showers/{name}")(files)
        assert text_faults(figure) == []
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert all(axis.get_legend() is None for axis in shown)
    caption = caption_of(FIGURES[name], name)
    assert 3 <= len(re.findall(r"\.(?= |$)", caption)) <= 8
    assert "the parametrisation is a stand-in" in caption
    assert "Geant4 with substitute low-energy tables is transport and no reference" in caption
    assert any("parametrised showers" in text.get_text() for text in figure.texts)


def test_one_species_is_enough_for_every_figure(files: dict[str, Any], tmp_path: Path) -> None:
    changed = dict(files)
    for name in ("metrics", "profiles", "spectra", "times"):
        table = pd.read_csv(files[name])
        column = "species" if name == "times" else "dataset"
        table[table[column] != "pi_plus"].to_csv(tmp_path / f"{name}.csv", index=False)
        changed[name] = str(tmp_path / f"{name}.csv")
    for name in ("profiles", "spectra", "response", "times", "comparison"):
        with style.applied():
            assert text_faults(load_entry(FIGURES[name])(changed)) == []


def test_tables_have_floors(files: dict[str, Any]) -> None:
    distances = tables.distances(files)
    assert distances.header[-1] == "floor"
    assert {row[0] for row in distances.rows} == {"photon", "pi plus"}
    assert all("±" in row[-1] for row in distances.rows)
    judged = tables.judgements(files)
    assert [row[0] for row in judged.rows] == ["copies model", "marginals model", "parametrised model"]
    assert judged.references[0][0] == "floor"
    for table in (distances, judged):
        assert as_html(table)
        assert as_latex(table)
    assert set(TABLES) == set(tables.CAPTIONS)


def test_the_answer_names_the_trained_model_and_the_baselines(files: dict[str, Any]) -> None:
    (answer,) = answers(files)
    assert answer.best_model == "copies model"
    assert 0 <= answer.value <= 1
    assert answer.floor == pytest.approx(0.5, abs=0.3)
    assert "It is clearly nearer to truth than marginals model." in answer.text
    assert "parametrised showers; photon, pi plus" in answer.facts["showers"]
    assert "for 2 species in one model" in answer.headline
    without = {**files, "models": [item for item in files["models"] if item["name"] != "copies"]}
    (none,) = answers(without)
    assert "No trained model was judged" in none.text


def test_the_best_is_not_one_that_is_given_true_numbers_of_points(files: dict[str, Any], tmp_path: Path) -> None:
    table = pd.read_csv(files["metrics"])
    rows = table[(table["model"] == "copies") & (table["metric"] == "auc_features")]
    given = rows.assign(sampler="oracle", value=rows["value"] - 0.2)
    other = rows.assign(sampler="other", value=rows["value"] + 0.001)
    pd.concat([table, given, other]).to_csv(tmp_path / "metrics.csv", index=False)
    (own,) = (item for item in files["models"] if item["name"] == "copies")
    own = {**own, "one_for": "species"}
    models = [own, {**own, "sampler": "oracle", "true_counts": True}, {**own, "sampler": "other"}]
    (answer,) = answers({**files, "models": models, "metrics": str(tmp_path / "metrics.csv")})
    assert answer.best_model == "copies model, midpoint"
    assert "copies model, other cannot be told apart from it." in answer.text
    assert "Given the numbers of points of true showers: copies model, oracle" in answer.text
    assert answer.headline.endswith("for 2 species with a model for each")


def test_a_floor_of_zero_is_left_out_of_ratios(files: dict[str, Any], tmp_path: Path) -> None:
    """As of the start layer where all true showers start in the first one."""
    table = pd.read_csv(files["metrics"])
    zero = (table["metric"] == "w1") & table["feature"].isin(["start_layer", "hits"]) & (table["dataset"] == "photon")
    table.loc[zero & (table["model"] != "truth"), "floor"] = 0.0
    table.to_csv(tmp_path / "metrics.csv", index=False)
    changed = {**files, "metrics": str(tmp_path / "metrics.csv")}
    with style.applied():
        figure = figure_of("showers/comparison")(changed)
        ablation = figure_of("showers/ablation")(changed)
    for drawn in (figure, ablation):
        assert all(abs(end) < 1e6 for axis in drawn.axes for end in axis.get_xlim())


def test_figures_say_that_they_show_the_first_species_only(files: dict[str, Any], tmp_path: Path) -> None:
    changed = dict(files)
    for name in ("metrics", "profiles", "spectra"):
        table = pd.read_csv(files[name])
        more = [
            table[table["dataset"] == "photon"].assign(dataset=species) for species in ("electron", "proton", "neutron")
        ]
        pd.concat([table, *more]).to_csv(tmp_path / f"{name}.csv", index=False)
        changed[name] = str(tmp_path / f"{name}.csv")
    for name, number in (("profiles", 3), ("spectra", 3), ("response", 4)):
        with style.applied():
            figure = figure_of(f"showers/{name}")(changed)
        assert any(f"the first {number} of 5 species" in text.get_text() for text in figure.texts)


def test_a_sample_of_some_species_is_compared_with_true_showers_of_these(
    showers_folder: Path, tmp_path: Path, files: dict[str, Any]
) -> None:
    """Truth in place of a sample, of photons alone: at the floor, and not beside pions."""
    with open_showers(showers_folder / "parametrised.h5") as made:
        rows = np.flatnonzero(made.label("pdg") == 22)
        part, numbers, particles = made.take(rows), made.label("shower")[rows], particles_of(made, rows)
        with create_showers(tmp_path / "photons.h5", geometry_of("ild_like"), {}) as writer:
            writer.append(shower_part(particles, numbers, part.points, part.counts))
    settings = EvaluationSettings(bootstraps=10, bins=12, physics_distance_showers=len(rows) // 2)
    with open_showers(showers_folder / "showers.h5") as showers:
        truth, floor, train = (true_sample(showers, name, 1) for name in ("test", "asked", "train"))
    item = {"name": "a", "sampler": "", "seed": 1, "path": str(tmp_path / "photons.h5")}
    sample = generated_sample(item, showers_folder / "showers.h5", 1)
    (fpd,) = (row for row in rows_of_all(truth, floor, train, sample, settings, 1) if row["metric"] == "fpd")
    assert fpd["n_reference"] == (truth.pdg == 22).sum()
    assert abs(fpd["value"] - fpd["floor"]) < 5 * np.hypot(fpd["uncertainty"], fpd["floor_uncertainty"])


@pytest.mark.parametrize(
    "show",
    [
        answers,
        tables.distances,
        tables.judgements,
        *(load_entry(entry) for name, entry in FIGURES.items() if name != "histories"),
    ],
)
def test_missing_files_are_one_line(show: Any, files: dict[str, Any], tmp_path: Path) -> None:
    none = str(tmp_path / "none.csv")
    paths = dict.fromkeys(("metrics", "profiles", "spectra", "times", "showers"), none)
    for given in ({}, {**files, **paths}):
        with pytest.raises(CloudchamberError) as error:
            show(given)
        assert "\n" not in str(error.value)


def test_too_few_showers_are_one_line(showers_folder: Path, tmp_path: Path, files: dict[str, Any]) -> None:
    from cloudchamber.studies.showers.ingest import ingest

    few = INGESTION.model_copy(update={"train": 0.9, "validation": 0.05})
    ingest([showers_folder / "0.root"], few, "ild_like", 1, tmp_path / "few.h5")
    sample_marginals(tmp_path / "few.h5", 1, tmp_path / "sample.h5")
    given = {"showers": str(tmp_path / "few.h5"), "samples": [{**files["sample"], "path": str(tmp_path / "sample.h5")}]}
    with pytest.raises(InputError, match="classifiers need 20 showers of 'test', there are"):
        judge(given, JUDGE, 1, tmp_path / "state", tmp_path / "judgements.csv")
    # Those of other showers were asked for other particles.
    foreign = {**given, "samples": [{**files["sample"], "path": str(showers_folder / "marginals.h5")}]}
    refused = r"marginals\.h5: was made from other showers than those of .*few\.h5"
    with pytest.raises(InputError, match=refused):
        judge(foreign, JUDGE, 1, tmp_path / "state", tmp_path / "judgements.csv")
    outputs = [tmp_path / f"{name}.csv" for name in ("metrics", "profiles", "spectra")]
    judged = Path(files["metrics"]).with_name("judgements.csv")
    with pytest.raises(InputError, match=refused):
        evaluate({**foreign, "judgements": str(judged)}, EvaluationSettings(bootstraps=10), 1, *outputs)
