"""Models of the other studies in the library do what the steps of the pipeline do with the same files."""

import copy
import json
import re
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_copy import REPOSITORY
from stages import STAGES
from trained_models import TRAINED, maker

import cloudchamber as cc
from cloudchamber.cli import main
from cloudchamber.jets.observable_file import read_observables


def inputs_of(study: str, make: Callable[..., None], folder: Path) -> None:
    """Write the inputs of the stages of a study."""
    path = REPOSITORY / "tests/studies" / study / "fault_stages.py"
    runpy.run_path(str(path))["make_inputs"](make, folder)


def test_a_score_evaluates_what_the_step_does(tmp_path: Path) -> None:
    import h5py

    inputs_of("active_matter", maker(tmp_path), tmp_path)
    command = STAGES["active_matter measure"].command(tmp_path, tmp_path / "measured")
    assert main(command) == 0
    with h5py.File(STAGES["active_matter measure"].paths(tmp_path / "measured")["fields"]) as file:
        group = file["trap"][sorted(file["trap"])[1]]
        states, velocities = group["states"][()], group["velocities"][()]
        drift, diffusions = group["drift"][()], np.array(json.loads(bytes(group.attrs["about"]))["diffusions"])
    (first,) = (path for path in tmp_path.glob("score1_*.safetensors"))
    model: Any = cc.load_model(first)
    np.testing.assert_allclose(model.velocity(states, 1.0), velocities[0], rtol=1e-5, atol=1e-6)
    # The velocity of the flow is v = b - D s where there is noise.
    noisy = diffusions > 0
    score = model.evaluate(states, 1.0)
    np.testing.assert_allclose(
        (drift - diffusions * score)[..., noisy], velocities[0][..., noisy], rtol=1e-4, atol=1e-4
    )
    with pytest.raises(cc.InputError, match=r"^drive: 3\.0, the score was trained at \[0\.0, 1\.0\]"):
        model.evaluate(states, 3.0)
    # With another drive than its own, the drift would be that of the one and the correction that of the other.
    model.drives = (1.0,)
    with pytest.raises(cc.InputError, match=r"^drive: 0\.0, the score was trained at \[1\.0\]"):
        model.velocity(states, 0.0)
    with pytest.raises(cc.InputError, match=r"^drive: nan, expected a finite number"):
        model.evaluate(states, float("nan"))
    with pytest.raises(cc.InputError, match=r"^states: has the shape"):
        model.evaluate(states[:, :, :1], 1.0)


@pytest.mark.parametrize("kind", ["deep_set", "likelihood", "ratio"])
def test_a_posterior_of_neutron_stars_draws_what_the_step_weighs(tmp_path: Path, kind: str) -> None:
    folder, names, run = tmp_path, ("star_curves.h5", "star_grid.h5", "star_sets.h5"), maker(tmp_path)
    run("neutron_stars solve", {"curves": names[0], "grid": names[1]})
    run("neutron_stars observe", {"output": names[2]})
    settings = {
        "deep_set": {"kind": "deep_set", "star": [8], "hidden": [8], "components": 2},
        "likelihood": {"kind": "likelihood", "hidden": [8], "components": 2},
        "ratio": {"kind": "ratio", "hidden": [8]},
    }[kind]
    command = STAGES["neutron_stars train"].command(folder, folder / "train")
    place = command.index("--settings") + 1
    command[place] = json.dumps(json.loads(command[place]) | {"network": settings})
    assert main(command) == 0
    paths = STAGES["neutron_stars train"].paths(folder / "train")
    for option, name in TRAINED.items():
        (folder / "model").mkdir(exist_ok=True)
        paths[option].rename(folder / "model" / name)
    estimate = ["neutron_stars", "estimate", *(str(folder / name) for name in (names[2], names[1])), "--model"]
    estimate += [str(folder / "model" / name) for name in TRAINED.values()]
    assert main([*estimate, "--output", str(folder / "estimates.h5"), "--case", str(folder / "case.h5")]) == 0
    found, _ = read_observables(folder / "estimates.h5")
    cells, _ = read_observables(folder / "case.h5")
    sets = cc.read_clouds(folder / "star_sets.h5")
    rows = sets.indices["test"]
    model: Any = cc.load_model(folder / "model")
    parameters = np.stack([cells[name] for name in model.parameters], axis=1)
    logarithm = model.log_density(sets.points[rows], parameters)
    weights = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    for number, name in enumerate(model.parameters):
        np.testing.assert_allclose(weights @ parameters[:, number], found[f"mean_{name}"], rtol=1e-6)
    assert np.abs(weights - cells["weight"]).max(axis=1).min() < 1e-6
    # On the cells of the step, draws are distributed as these weigh, and even within a cell.
    draws = model.draw(sets.points[rows[:3]], 4000, seed=2, cells=40)
    assert draws.shape == (3, 4000, 2)
    assert ((draws >= model.lower) & (draws <= model.upper)).all()
    fine = np.stack(
        np.meshgrid(*(np.linspace(low, high, 81)[1::2] for low, high in zip(model.lower, model.upper, strict=True))),
        axis=2,
    )
    fine = fine.reshape(-1, 2)
    exact = np.exp(model.log_density(sets.points[rows[:3]], fine))
    exact /= exact.sum(axis=1, keepdims=True)
    mean = exact @ fine
    deviation = np.sqrt(exact @ fine**2 - mean**2)
    np.testing.assert_array_less(np.abs(draws.mean(axis=1) - mean), 4.5 * deviation / np.sqrt(4000))
    np.testing.assert_array_equal(draws, model.draw(sets.points[rows[:3]], 4000, seed=2, cells=40))
    with pytest.raises(cc.InputError, match=r"^stars: sets of 4 to 4 stars, the model takes 1 to 3"):
        model.draw(np.ones((2, 4, 4)), 5)
    with pytest.raises(cc.InputError, match=r"^stars: the median radius is \S+, expected 1 to 100 km"):
        model.draw(sets.points[rows[:3]] * [1, 1000, 1, 1000], 5)
    with pytest.raises(cc.InputError, match=r"^parameters: outside of the box"):
        model.log_density(sets.points[rows], [[0.0, 0.0]])


def test_a_point_estimate_of_neutron_stars_predicts_what_the_step_does(tmp_path: Path) -> None:
    make = maker(tmp_path)
    make("neutron_stars solve", {"curves": "star_curves.h5", "grid": "star_grid.h5"})
    make("neutron_stars observe", {"output": "star_sets.h5"})
    command = STAGES["neutron_stars train"].command(tmp_path, tmp_path / "train")
    place = command.index("--settings") + 1
    network = {"kind": "deep_set", "star": [8], "hidden": [8], "output": "point"}
    command[place] = json.dumps(json.loads(command[place]) | {"network": network})
    assert main(command) == 0
    paths = STAGES["neutron_stars train"].paths(tmp_path / "train")
    (tmp_path / "model").mkdir()
    for option, name in TRAINED.items():
        paths[option].rename(tmp_path / "model" / name)
    estimate = ["neutron_stars", "estimate", str(tmp_path / "star_sets.h5"), str(tmp_path / "star_grid.h5"), "--model"]
    estimate += [str(tmp_path / "model" / name) for name in TRAINED.values()]
    assert main([*estimate, "--output", str(tmp_path / "estimates.h5"), "--case", str(tmp_path / "case.h5")]) == 0
    expected, _ = read_observables(tmp_path / "estimates.h5")
    sets = cc.read_clouds(tmp_path / "star_sets.h5")
    model: Any = cc.load_model(tmp_path / "model")
    found = model.predict(sets.points[sets.indices["test"]])
    for name in model.quantities:
        np.testing.assert_allclose(found[name], expected[f"mean_{name}"], rtol=1e-6)


def test_models_of_showers_sample_what_the_step_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cloudchamber.packed_cloud_file import open_packed_clouds

    make = maker(tmp_path)
    make("showers simulate", {"output": "showers.root"})
    make("showers ingest", {"output": "showers.h5"})
    for name, target in (("train", "shower_points"), ("train-counts", "shower_counts")):
        make(f"showers {name}", {"weights": f"{target}.safetensors", "description": f"{target}.json"})
    make("showers sample", {"output": "sample.h5"})
    command = STAGES["showers sample"].command(tmp_path, tmp_path / "sample")
    settings = json.loads(command[command.index("--settings") + 1])
    with open_packed_clouds(tmp_path / "sample.h5") as file:
        expected = file.take(np.arange(len(file)))
    with open_packed_clouds(tmp_path / "showers.h5") as file:
        asked = file.part("asked")
        features, pdg = file.features[asked].astype(np.float64), file.label("pdg")[asked]
    counter: Any = cc.load_model(tmp_path / "shower_counts.json")
    model: Any = cc.load_model(tmp_path / "shower_points.json")
    sampler = {key: settings[key] for key in ("solver", "evaluations") if key in settings}
    energy, direction = features[:, 0], features[:, 1:4]
    found = model.sample(energy, direction, pdg, counter, seed=3, **sampler)
    np.testing.assert_array_equal(found.counts, expected.counts)
    np.testing.assert_array_equal(found.points, expected.points)
    counts = counter.sample(energy, direction, pdg, seed=3)
    np.testing.assert_array_equal(counts.sum(axis=1), expected.counts)
    again = model.sample(energy, direction, pdg, counts, seed=3, **sampler)
    np.testing.assert_array_equal(again.points, expected.points)
    with pytest.raises(cc.InputError, match=r"^direction: not a unit vector into the stack"):
        model.sample(energy, -direction, pdg, counter)
    # Species and energies that the training had none of.
    for of in (model, counter):
        with pytest.raises(
            cc.InputError, match=r"^showers: PDG codes \[-2212, 11\], the model was trained with \[22, 211\]"
        ):
            of.sample(energy[:2], direction[:2], np.array([11, -2212]), *([counter] if of is model else []))
    capsys.readouterr()
    counter.sample(energy, direction, pdg)
    assert "WARNING" not in capsys.readouterr().err
    counter.sample(1000 * energy, direction, pdg)
    said = (
        rf"showers: WARNING: the energy of {len(pdg)} of {len(pdg)} particles is outside of \S+ to \S+ GeV, with which"
    )
    assert re.search(said, capsys.readouterr().err)
    elsewhere = copy.copy(counter)
    elsewhere._model = replace(counter._model, geometry=replace(counter._model.geometry, name="another"))
    with pytest.raises(cc.InputError, match=r"^counts: a model of the geometry 'another', that of points is of '"):
        model.sample(energy, direction, pdg, elsewhere)
    with pytest.raises(cc.InputError, match=r"^pdg: PDG code 99 is of no species"):
        model.sample(energy, direction, np.full(len(pdg), 99), counter)
    with pytest.raises(cc.InputError, match=r"^counts: has the shape"):
        model.sample(energy, direction, pdg, counts[:, :2])
    with pytest.raises(cc.SettingsError, match=r"^sample: .*evaluations: Input should be greater than 0"):
        model.sample(energy, direction, pdg, counts, evaluations=0)
