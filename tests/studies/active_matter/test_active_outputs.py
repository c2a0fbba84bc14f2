"""The steps of the study one after another on small systems, and what is shown of them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_texts import text_faults
from systems_of_tests import BOX, PAIR, SPRINGS, TRAP, ensemble

from cloudchamber.entry_points import load_entry
from cloudchamber.errors import CloudchamberError, InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.rendering import as_html, as_latex
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.answer import answers
from cloudchamber.studies.active_matter.denoising import denoising_rows
from cloudchamber.studies.active_matter.drawings import FIGURES, TABLES
from cloudchamber.studies.active_matter.evaluate import METRIC_COLUMNS_OF_STUDY, evaluate
from cloudchamber.studies.active_matter.fields import read_fields
from cloudchamber.studies.active_matter.measure import measure, refuse_other_training
from cloudchamber.studies.active_matter.plan import ActiveMatterPlan
from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.simulate import simulate
from cloudchamber.studies.active_matter.snapshots import read_snapshots
from cloudchamber.studies.active_matter.train import train_score

LOOP = {"batch_size": 64, "learning_rate": 1e-2, "accelerator": "cpu", "weight_decay": 0.0, "ema_decay": 0.95}
MLP = {"kind": "mlp", "hidden": [16]}
TRANSFORMER = {"kind": "transformer", "layers": 1, "heads": 1, "width": 8, "feed_forward": 8}
SETTINGS: dict[str, Any] = {
    "ensembles": {
        "trap": ensemble(TRAP, title="active particle in a trap", drives=[0.0, 1.0], trajectories=400).model_dump(),
        "springs": ensemble({**SPRINGS, "particles": 4}, title="4 with springs", trajectories=120).model_dump(),
        "springs_6": ensemble({**SPRINGS, "particles": 6}, title="6 with springs", trajectories=40).model_dump(),
        "ring": ensemble(PAIR, title="two on a ring", drives=[0.25], trajectories=60).model_dump(),
        "box": ensemble(
            BOX, title="disks in a box", drives=[0.025], trajectories=1, blocks=8, snapshots=8, burn_in=20.0
        ).model_dump(),
    },
    "training": None,
    "models": {
        "trap": {"title": "dense", "ensemble": "trap", "network": MLP, "training": {**LOOP, "steps": 400}},
        "springs": {
            "title": "transformer",
            "ensemble": "springs",
            "transfers": ["springs_6"],
            "network": TRANSFORMER,
            "training": {**LOOP, "steps": 60},
        },
        "ring": {"title": "dense, ring", "ensemble": "ring", "network": MLP, "training": {**LOOP, "steps": 20}},
        "box": {
            "title": "local transformer",
            "ensemble": "box",
            "particles": 20,
            "network": {**TRANSFORMER, "neighbours": 4},
            "training": {**LOOP, "steps": 5, "batch_size": 1},
        },
    },
    "measurement": {"divergence_snapshots": 40, "probes": 1},
    "denoising": {"ensemble": "trap", "sigmas": [0.05, 0.1, 0.2, 0.4], "steps": [0.02, 0.1]},
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> ActiveMatterPlan:
    """The files of a whole small study."""
    root = tmp_path_factory.mktemp("active_matter")
    settings = parse(ActiveMatterSettings, SETTINGS)
    made = ActiveMatterPlan(settings, str(root), f"{root}/active_matter")
    for name, item in settings.ensembles.items():
        simulate(item, 1, root / "state", Path(made.snapshots(name)))
    for name, model in settings.models.items():
        for seed in settings.seeds_of(name):
            folder = Path(made.training(name, seed))
            files = (folder / "weights.safetensors", folder / "model.json", folder / "history.csv")
            source = Path(made.snapshots(model.ensemble))
            train_score(source, model.score, list(made.drives(name)), seed, root / "state", *files)
        measure(settings.measurement, made.measured(name), 1, Path(made.quantities(name)), Path(made.fields(name)))
    evaluate(settings, made.gathered(), 1, Path(made.metrics), Path(made.denoising), Path(made.phases))
    return made


@pytest.fixture
def files(plan: ActiveMatterPlan) -> dict[str, Any]:
    return {**plan.titles(), "metrics": plan.metrics}


def files_of(plan: ActiveMatterPlan, figure: str) -> dict[str, Any]:
    kinds = {"flow": "planar", "score_error": "planar", "parity": "all", "maps": "boxed"}
    made: dict[str, Any] = {
        **plan.titles(),
        "metrics": plan.metrics,
        "denoising": plan.denoising,
        "phases": plan.phases,
    }
    return made | ({"fields": plan.fields_of(kinds[figure])} if figure in kinds else {})


def test_the_learned_production_of_the_trap_is_the_closed_form(plan: ActiveMatterPlan) -> None:
    """A training of seconds: within five percent, or three of its uncertainties."""
    table = read_table(plan.metrics, METRIC_COLUMNS_OF_STUDY)
    row = table[
        (table["model"] == "trap")
        & (table["metric"] == "entropy_production")
        & (table["drive"] == 1)
        & table["feature"].isna()
    ].iloc[0]
    assert row["exact"] == pytest.approx(5 / 3)
    assert abs(row["value"] - row["exact"]) < max(0.05 * row["exact"], 3 * row["uncertainty"])
    assert row["uncertainty"] < 0.2
    # What the same score gives in equilibrium is far below.
    assert 0 < row["floor"] < 0.1 * row["value"]
    plugged = table[(table["model"] == "trap") & (table["metric"] == "plug_in") & (table["drive"] == 1)]
    assert sorted(plugged["seed"]) == [1, 2, 3]


def test_the_table_has_exact_estimated_and_learned_values_side_by_side(files: dict[str, Any]) -> None:
    table = load_entry(TABLES["production"])(files)
    cells = {(row[0], row[1]): row for row in table.rows}
    trap = cells["active particle in a trap", "1"]
    assert trap[3:5] == ("1.667", "closed form")
    assert all(trap[5:])
    assert cells["two on a ring", "0.25"][3:5] == ("0.397", "Fokker-Planck equation on a grid")
    box = cells["disks in a box", "0.025"]
    # Without noise of positions nothing but the part of activities is there.
    assert box[3:8] == ("", "", "", "", "")
    assert box[8]
    assert {len(row) for row in table.rows} == {len(table.header)}
    for shown in (table, load_entry(TABLES["checks"])(files)):
        assert "±" in as_html(shown)
        assert r"$\pm$" in as_latex(shown)
        assert {len(row) for row in shown.rows} == {len(shown.header)}


def test_metrics_have_uncertainties_and_the_identity_of_the_box(plan: ActiveMatterPlan) -> None:
    table = read_table(plan.metrics, METRIC_COLUMNS_OF_STUDY)
    assert (table["study"] == "active_matter").all()
    assert table[["value", "n_reference", "n_generated"]].notna().all(axis=None)
    known = table[table["metric"] != "local_production"]
    assert known["uncertainty"].notna().all()
    box = table[(table["dataset"] == "box")].set_index(["metric", "feature"])
    force = box.loc[("force_divergence", np.nan), "value"]
    assert box.loc[("flow_divergence", "from div v"), "exact"] == pytest.approx(-force)
    assert ("entropy_production", "positions") not in box.index


def test_local_values_add_up_to_the_plug_in_value(plan: ActiveMatterPlan) -> None:
    found = read_fields(plan.fields("springs"))
    assert set(found) == {("springs", 1.0), ("springs_6", 1.0)}
    local = found["springs_6", 1.0]
    assert local.states.shape[1:] == (6, 2)
    assert local.velocities.shape[0] == 3
    assert local.exact_velocity is not None
    exact = np.square(local.exact_velocity) / local.diffusions
    truth = 1.0 * 0.4 / 0.25 * (1 / 0.9 + 5 / 3.3)
    assert exact.sum(axis=(1, 2)).mean() == pytest.approx(truth, rel=0.25)
    planar = read_fields(plan.fields("trap"))["trap", 1.0]
    assert planar.grid is not None
    assert planar.grid_exact_velocity is not None
    assert planar.grid.shape == planar.grid_exact_velocity.shape == (48 * 48, 1, 2)


@pytest.mark.parametrize("name", FIGURES)
def test_all_text_is_inside_and_none_lies_upon_another(name: str, plan: ActiveMatterPlan) -> None:
    with style.applied():
        figure = load_entry(FIGURES[name])(files_of(plan, name))
        assert text_faults(figure) == []
        drawn = [axis for axis in figure.axes if axis.get_visible() and axis.has_data()]
        assert drawn
        # Colour bars name what they show elsewhere.
        assert all(axis.get_xlabel() or axis.get_ylabel() or axis.get_label() == "<colorbar>" for axis in drawn)


def test_the_figure_of_drives_shows_what_the_table_has(plan: ActiveMatterPlan) -> None:
    figure = load_entry(FIGURES["drives"])(files_of(plan, "drives"))
    (axis,) = figure.axes
    heights = {round(float(y), 6) for line in axis.lines for y in np.atleast_1d(line.get_ydata())}
    assert round(5 / 3, 6) in heights


def test_the_answer_says_how_far_each_system_is_off(files: dict[str, Any], tmp_path: Path) -> None:
    (answer,) = answers(files)
    assert answer.value == pytest.approx(1.0, abs=0.3)
    assert "active particle in a trap" in answer.text
    assert "6 particles" in answer.text
    assert answer.floor < 0.2
    assert "1.667 is exact (closed form" in answer.text
    table = pd.read_csv(files["metrics"])
    nothing = tmp_path / "none.csv"
    table.assign(exact=np.nan).to_csv(nothing, index=False)
    (answer,) = answers({**files, "metrics": str(nothing)})
    assert np.isnan(answer.value)
    # A value that is off is said to be.
    table.loc[table["metric"] == "entropy_production", ["value", "uncertainty"]] = [9.0, 0.01]
    table.to_csv(nothing, index=False)
    (answer,) = answers({**files, "metrics": str(nothing)})
    assert "Off by more than two uncertainties: active particle in a trap" in answer.text
    assert "agree" not in answer.text
    # A single block in the test part has no uncertainty, within which nothing agrees.
    table.loc[table["metric"] == "entropy_production", "uncertainty"] = np.nan
    table.to_csv(nothing, index=False)
    (answer,) = answers({**files, "metrics": str(nothing)})
    assert "agree" not in answer.text
    assert "nan" not in answer.text + answer.headline
    assert "Whether that is beyond chance is not known of active particle in a trap" in answer.text


def test_crossed_values_of_regions_have_the_spread_of_trainings(plan: ActiveMatterPlan) -> None:
    """Values of regions, and the square of the score where positions have no noise, had that of blocks alone."""
    table = read_table(plan.metrics, METRIC_COLUMNS_OF_STUDY)
    rows = table[(table["metric"] == "local_production") & (table["model"] == "ring") & (table["drive"] > 0)]
    assert len(rows)
    assert (rows["of_trainings"] > 0).all()
    assert rows["uncertainty"].to_numpy() == pytest.approx(np.hypot(rows["of_blocks"], rows["of_trainings"]))
    squares = table[(table["metric"] == "flow_divergence") & (table["feature"] == "from E[s . s]")]
    number = {name: len(plan.settings.seeds_of(name)) for name in plan.settings.models}
    for line in squares.to_dict("records"):
        assert (line["of_trainings"] > 0) == (number[line["model"]] > 2)


def test_two_trainings_have_no_spread_of_their_product(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    """They had an uncertainty of zero, and the answer said that it was in quadrature."""
    given = plan.measured("trap")
    two = {"ensembles": given["ensembles"], "trainings": given["trainings"][:2]}
    measure(plan.settings.measurement, two, 1, tmp_path / "quantities.csv", tmp_path / "fields.h5")
    gathered = plan.gathered()
    models = [{"name": "trap", "quantities": str(tmp_path / "quantities.csv")}, *gathered["models"][1:]]
    outputs = [tmp_path / f"{name}.csv" for name in ("metrics", "denoising", "phases")]
    evaluate(plan.settings, {**gathered, "models": models}, 1, *outputs)
    table = read_table(outputs[0], METRIC_COLUMNS_OF_STUDY)
    rows = table[(table["model"] == "trap") & (table["metric"] == "entropy_production")]
    assert rows["of_trainings"].isna().all()
    assert rows["uncertainty"].to_numpy() == pytest.approx(rows["of_blocks"].to_numpy())
    (answer,) = answers({**plan.titles(), "metrics": str(outputs[0])})
    assert answer.facts["uncertainty"].startswith("of blocks of trajectories alone")


def test_the_axis_of_denoising_has_values_below_the_exact_one(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    table = read_table(plan.denoising)
    table.loc[table["signs"] == "single", "value"] = 0.3 * table["exact"].iloc[0]
    table.to_csv(tmp_path / "denoising.csv", index=False)
    figure = load_entry(FIGURES["denoising"])({"denoising": str(tmp_path / "denoising.csv")})
    assert all(axis.get_ylim()[0] < 0.3 * table["exact"].iloc[0] for axis in figure.axes)


def test_the_scan_of_denoising_has_the_bias_of_its_closed_form(plan: ActiveMatterPlan) -> None:
    table = pd.read_csv(plan.denoising)
    both = table[(table["signs"] == "antithetic") & (table["noise"] == "additive") & (table["size"] > 0)]
    pulls = (both["value"] - both["closed_form"]) / both["uncertainty"]
    assert pulls.abs().max() < 5
    assert both["closed_form"].is_monotonic_increasing
    extrapolated = table[(table["size"] == 0) & (table["noise"] == "additive")].iloc[0]
    assert abs(extrapolated["value"] - 5 / 3) < 5 * extrapolated["uncertainty"]


def test_a_scan_of_what_is_not_linear_is_refused(plan: ActiveMatterPlan) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(SettingsError, match="not linear"):
        denoising_rows(read_snapshots(Path(plan.snapshots("ring"))), 0.25, [0.1], [0.1], rng)
    few = read_snapshots(Path(plan.snapshots("springs_6")))
    from dataclasses import replace

    few = replace(few, states=few.states[:20], drives=few.drives[:20], blocks=few.blocks[:20])
    with pytest.raises(InputError, match="too few to fit 12 coordinates"):
        denoising_rows(few, 1.0, [0.1], [0.1], rng)


def test_a_drive_that_was_not_simulated_is_refused(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    score = plan.settings.models["trap"].score
    with pytest.raises(SettingsError, match=r"no snapshots of the drive 0\.7"):
        train_score(Path(plan.snapshots("trap")), score, [0.7], 1, tmp_path, *(tmp_path / name for name in "abc"))
    with pytest.raises(SettingsError, match="--drives: one is given twice"):
        train_score(Path(plan.snapshots("trap")), score, [1.0, 1.0], 1, tmp_path, *(tmp_path / name for name in "abc"))


def test_what_cannot_be_measured_is_refused(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    given = plan.measured("ring")
    (entry,), (first, second, *_) = given["ensembles"], given["trainings"]
    same = {**second, "weights": str(tmp_path / "copy.safetensors")}
    (tmp_path / "copy.safetensors").write_bytes(Path(first["weights"]).read_bytes())
    for change, message in (
        ({"ensembles": [{**entry, "drives": [0.7]}]}, r"no snapshots of the drive 0\.7 in the part 'test', only of"),
        ({"ensembles": [{**entry, "part": "held_out"}]}, "no part 'held_out' among"),
        *(
            ({"ensembles": [{**entry, "drives": drives}]}, "drives of 'ring': expected a list of numbers, not")
            for drives in ("0.25", 0.25, ["0.25"], [])
        ),
        ({"trainings": [first, {**second, "seed": "2"}]}, "seed of the model: expected a whole number, not '2'"),
        ({"trainings": [first, {**second, "seed": first["seed"]}]}, "the model with seed 1 stands there twice"),
        ({"trainings": [first]}, "trainings: 1 given, two at least are crossed"),
        (
            {"ensembles": [{**entry, "snapshots": plan.snapshots("springs")}]},
            "a score of the system 'pair_on_ring', .* has 'springs'",
        ),
        ({"trainings": [first, same]}, "copy.safetensors: what is listed for another training of the model is that"),
    ):
        with pytest.raises(CloudchamberError, match=message):
            measure(plan.settings.measurement, {**given, **change}, 1, tmp_path / "q.csv", tmp_path / "f.h5")
    assert not (tmp_path / "q.csv").exists()
    # A score that sees the drive says nothing of one that it was not trained with.
    of_trap = plan.measured("trap")
    described = json.loads(Path(of_trap["trainings"][0]["description"]).read_text())
    assert described["drives"] == [0.0, 1.0]
    data = replace(read_snapshots(Path(plan.snapshots("trap"))), drives=np.full(1600, 0.5))
    with pytest.raises(InputError, match=r"a score of the drives \[0\.0, 1\.0\], which says nothing of 0\.5"):
        refuse_other_training(Path(of_trap["trainings"][0]["description"]), data, 0.5)
    # Nor does the score of one trap say anything of a stiffer one.
    stiffer = replace(data, settings=data.settings.model_copy(update={"stiffness": 2.0}))
    with pytest.raises(InputError, match=r"a score of other dynamics than .* has: another stiffness"):
        refuse_other_training(Path(of_trap["trainings"][0]["description"]), stiffer, 1.0)


def test_a_table_of_a_model_that_is_cut_short_is_refused(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    whole = Path(plan.quantities("trap")).read_text()
    cut = tmp_path / "cut.csv"
    cut.write_text(whole[: whole.rindex(",", 0, whole.rindex(","))])
    files = {
        "ensembles": [{"name": "trap", "snapshots": plan.snapshots("trap")}],
        "models": [{"name": "trap", "quantities": str(cut)}],
    }
    with pytest.raises(InputError, match=r"cut\.csv: a row has no 'blocks': the table is cut short"):
        evaluate(plan.settings, files, 1, *(tmp_path / name for name in "abc"))
    assert not (tmp_path / "a").exists()


def test_a_scan_of_an_ensemble_that_is_not_given_is_refused(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    files = {
        "ensembles": [{"name": "ring", "snapshots": plan.snapshots("ring")}],
        "models": [{"name": "ring", "quantities": plan.quantities("ring")}],
    }
    with pytest.raises(SettingsError, match=r"no ensemble 'trap' of the scan of denoising among \['ring'\]"):
        evaluate(plan.settings, files, 1, *(tmp_path / name for name in "abc"))


def test_transfers_to_nothing_or_to_what_was_trained_on_are_refused(plan: ActiveMatterPlan) -> None:
    values = plan.settings.model_dump(mode="json")
    (name, model) = next(iter(values["models"].items()))
    trained = values["ensembles"][model["ensemble"]]
    drives = model["drives"] or trained["drives"]
    foreign = next(
        key for key, item in values["ensembles"].items() if item["system"]["kind"] != trained["system"]["kind"]
    )
    others = {
        "other": {**trained, "drives": [3.0]},
        "more": {**trained, "drives": [*drives, 3.0, 4.0]},
        "faster": {**trained, "system": {**trained["system"], "rate": 2 * trained["system"]["rate"]}},
    }
    assert len(drives) > 1
    for transfer, message in (
        (model["ensemble"], "is what the model is trained on"),
        (foreign, f"'{foreign}' is a system of the kind .*, the model is trained on"),
        ("faster", "'faster' has another rate than what the model is trained on"),
        ("other", "none of the drives .* that the model is trained on is among those of 'other'"),
        ("more", r"'more' has the drives \[3\.0, 4\.0\], which the model is not trained on"),
    ):
        changed = {
            **values,
            "ensembles": {**values["ensembles"], **others},
            "models": {**values["models"], name: {**model, "transfers": [transfer]}},
        }
        with pytest.raises(SettingsError, match=message):
            parse(ActiveMatterSettings, changed)


def test_steps_are_reproducible(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    score, drives = plan.settings.models["ring"].score, list(plan.drives("ring"))
    outputs = [tmp_path / name for name in ("a", "b", "c")]
    train_score(Path(plan.snapshots("ring")), score, drives, 1, tmp_path / "state", *outputs)
    assert outputs[0].read_bytes() == Path(f"{plan.training('ring', 1)}/weights.safetensors").read_bytes()
    paths = (tmp_path / "quantities.csv", tmp_path / "fields.h5")
    measure(plan.settings.measurement, plan.measured("ring"), 1, *paths)
    assert paths[0].read_bytes() == Path(plan.quantities("ring")).read_bytes()
    assert paths[1].read_bytes() == Path(plan.fields("ring")).read_bytes()


def test_damaged_local_values_are_one_line_errors(plan: ActiveMatterPlan, tmp_path: Path) -> None:
    content = Path(plan.fields("ring")).read_bytes()
    for number, broken in enumerate((content[:200], b"", content[: len(content) // 2])):
        path = tmp_path / f"{number}.h5"
        path.write_bytes(broken)
        with pytest.raises(InputError, match=rf"{number}\.h5") as error:
            read_fields(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("entry", [*FIGURES.values(), *TABLES.values(), "studies.active_matter.answer:answers"])
def test_missing_files_are_one_line_errors(entry: str, plan: ActiveMatterPlan, tmp_path: Path) -> None:
    show, none = load_entry(entry), str(tmp_path / "none.csv")
    fields = [{"name": "a", "title": "a", "ensemble": "trap", "fields": none}]
    for files in ({}, {**plan.titles(), "metrics": none, "denoising": none, "phases": none, "fields": fields}):
        with pytest.raises(CloudchamberError) as error:
            show(files)
        assert "\n" not in str(error.value)


def test_captions_state_the_convention() -> None:
    for entry in {**FIGURES, **TABLES}.values():
        module = __import__(f"cloudchamber.{entry.partition(':')[0]}", fromlist=["CAPTIONS"])
        for name, caption in module.CAPTIONS.items():
            assert 3 <= len(re.findall(r"\.(?= |$)", caption)) <= 9, name
            if name != "phases":
                assert "even under time reversal" in " ".join(caption.split()), name


def test_settings_name_ensembles_that_exist() -> None:
    for change, message in (
        ({"models": {**SETTINGS["models"], "trap": {**SETTINGS["models"]["trap"], "ensemble": "tarp"}}}, "no ensemble"),
        ({"denoising": {"ensemble": "none"}}, "denoising"),
        ({"seeds": [1]}, "two independent trainings"),
        ({"models": {"trap": {**SETTINGS["models"]["trap"], "drives": [0.7]}}}, "no drive"),
    ):
        with pytest.raises(SettingsError, match=message):
            parse(ActiveMatterSettings, json.loads(json.dumps(SETTINGS)) | change)
