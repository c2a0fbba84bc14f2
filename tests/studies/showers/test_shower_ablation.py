"""Arms of an ablation: differences of trainings of the same seed, their table and figure, and arms of equal size."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from figure_texts import text_faults
from project_copy import REPOSITORY

from cloudchamber.analysis import plan
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers.ablation import MEASURES, arms_of, difference
from cloudchamber.studies.showers.allshowers import AllShowers
from cloudchamber.studies.showers.figures.ablation import draw_ablation
from cloudchamber.studies.showers.metric_rows import COLUMNS
from cloudchamber.studies.showers.results import read_metrics
from cloudchamber.studies.showers.tables import ablation
from cloudchamber.training.described_weights import parameters

# Of seeds 1 to 3, for each model.
AREAS = {"whole": (0.70, 0.71, 0.69), "without": (0.80, 0.83, 0.77), "same": (0.71, 0.70, 0.69)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("ablation")
    rows = []
    for model, areas in AREAS.items():
        (folder / f"{model}.json").write_text(json.dumps({"parameters": 1000 + len(model)}))
        for seed, area in enumerate(areas, start=1):
            for metric, feature, _ in MEASURES:
                for dataset in ["all"] if metric.startswith("auc") else ["photon", "pi_plus"]:
                    rows.append(
                        dict.fromkeys(COLUMNS, "")
                        | {"study": "showers", "dataset": dataset, "model": model, "sampler": "midpoint", "seed": seed}
                        | {"metric": metric, "feature": feature, "value": area, "uncertainty": 0.01}
                        | {"floor": 0.5, "floor_uncertainty": 0.01, "n_reference": 100, "n_generated": 100}
                    )
    write_rows(folder / "metrics.csv", rows)
    arm = {
        "reference": "whole",
        "reference_title": "AllShowers",
        "sampler": "midpoint",
        "reference_sampler": "midpoint",
        "reference_descriptions": [str(folder / "whole.json")],
    }
    arms = [
        {"name": name, "title": title, "descriptions": [str(folder / f"{name}.json")], **arm}
        for name, title in (("without", "without layer embedding"), ("same", "one model per species"))
    ]
    return {"metrics": str(folder / "metrics.csv"), "title": "showers", "source": "made up", "arms": arms}


def test_differences_are_those_of_the_same_seed(files: dict[str, Any]) -> None:
    table, (without, same) = read_metrics(files), arms_of(files)
    changes = np.subtract(AREAS["without"], AREAS["whole"])
    found = difference(table, without, "auc_features", "", ["photon", "pi_plus"])
    assert found is not None
    assert found.value == pytest.approx(changes.mean())
    assert found.uncertainty == pytest.approx(changes.std(ddof=1) / math.sqrt(3))
    # Student's t with two degrees of freedom.
    assert found.reach == pytest.approx(4.3027 * found.uncertainty, rel=1e-4)
    assert found.is_clear
    distance = difference(table, without, "w1", "hits", ["photon", "pi_plus"])
    assert distance is not None
    assert distance.value == pytest.approx(2 * changes.mean())
    nothing = difference(table, same, "auc_features", "", ["photon", "pi_plus"])
    assert nothing is not None
    assert not nothing.is_clear
    one = table[table["seed"] == 1]
    alone = difference(one, without, "auc_features", "", ["photon"])
    assert alone is not None
    assert alone.uncertainty == pytest.approx(0.01 * math.sqrt(2))
    assert not alone.is_clear
    assert difference(table, without, "fpd", "", ["photon"]) is None
    assert difference(table, without, "w1", "hits", ["photon", "neutron"]) is None


def test_table_and_figure_show_every_arm(files: dict[str, Any]) -> None:
    made = ablation(files)
    assert made.rows[0] == ("weights", "1,007 (1,005)", "1,004 (1,005)")
    assert [row[0] for row in made.rows[1:]] == [words for *_, words in MEASURES]
    assert "*" in made.rows[1][1]
    assert "*" not in made.rows[1][2]
    assert as_html(made)
    with style.applied():
        assert text_faults(draw_ablation(files)) == []


@pytest.mark.parametrize("show", [ablation, draw_ablation])
def test_bad_arms_are_told(show: Any, files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}")
    broken = [{**files["arms"][0], "descriptions": [str(tmp_path / "model.json")]}]
    with pytest.raises(InputError, match="key 'parameters' is no number"):
        show({**files, "arms": broken})
    with pytest.raises(SettingsError, match="'arms' is empty"):
        show({**files, "arms": []})


@pytest.mark.parametrize("scale", ["ablation", "standard"])
def test_arms_have_as_many_weights_and_steps_as_their_reference(scale: str) -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text()) | {"scale": scale, "studies": ["showers"]}
    study = plan(config, REPOSITORY).studies["showers"]
    size: dict[str, int] = {}
    steps: dict[str, int] = {}
    for training in study.trainings():
        if training.command == "showers train":
            name = training.folder.split("/")[2]
            if f"/seed{study.plan.settings.seeds_of(name)[0]}" in training.folder:
                size[name] = size.get(name, 0) + parameters(AllShowers(training.settings.network, 78))
                steps[name] = steps.get(name, 0) + training.settings.training.steps
    arms = study.plan.arms()
    assert arms
    for arm in arms:
        assert size[arm["name"]] == pytest.approx(size[arm["reference"]], rel=0.01)
        assert steps[arm["name"]] == pytest.approx(steps[arm["reference"]], rel=0.01)
    if scale == "ablation":
        assert len(arms) == 5
        assert {len(study.plan.settings.seeds_of(arm["name"])) for arm in arms} == {3}
    shown = {drawing.name for drawing in [*study.figures(), *study.tables()]}
    assert "ablation" in shown
    assert study.substitute_tables == [f"results_{scale}/showers/geant4_tables.json"]
    files = {path for sample in (study.judged_inputs, study.timed_inputs) for path in sample}
    assert f"results_{scale}/showers/showers.h5" in files
    assert (f"results_{scale}/showers/raw/0_times.csv" in files) == bool(study.times_settings)
    wildcards = SimpleNamespace(model="per_species", seed="1")
    assert len(study.sampled_files(wildcards)) == 2 * (len(study.plan.settings.source.gun.species) + 1)


def test_an_arm_takes_distances_as_they_are() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text()) | {"scale": "ablation", "studies": ["showers"]}
    models = plan(config, REPOSITORY).studies["showers"].plan.settings.models
    cores = {name: model.core_radius for name, model in models.items() if model.kind == "trained"}
    assert cores.pop("linear_positions") is None
    assert set(cores.values()) == {1.0}
