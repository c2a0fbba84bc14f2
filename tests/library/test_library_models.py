"""What ``load_model`` gives does what the steps of the pipeline do with the same files."""

import json
import re
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_copy import REPOSITORY
from stages import DRAWN, SAMPLER, STAGES

import cloudchamber as cc
from cloudchamber.cli import main
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.library.generative_model import GenerativeModel, JetLevelModel

TRAINED = {"weights": "weights.safetensors", "description": "model.json"}


def maker(folder: Path) -> Callable[[str, Mapping[str, str]], None]:
    """Return what runs a stage on the files of a folder and names its outputs."""

    def make(name: str, outputs: Mapping[str, str]) -> None:
        assert main(STAGES[name].command(folder, folder / name)) == 0
        for option, target in outputs.items():
            (folder / target).parent.mkdir(exist_ok=True)
            STAGES[name].paths(folder / name)[option].rename(folder / target)

    return make


def trained(where: str) -> dict[str, str]:
    return {option: f"{where}/{name}" for option, name in TRAINED.items()}


def inputs_of(study: str, make: Callable[..., None], folder: Path) -> None:
    """Write the inputs of the stages of a study."""
    path = REPOSITORY / "tests/studies" / study / "fault_stages.py"
    runpy.run_path(str(path))["make_inputs"](make, folder)


@pytest.fixture(scope="module")
def jets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a generative model, a flow of jets, and samples of both."""
    from prepared_jets import write_prepared_jets

    folder = tmp_path_factory.mktemp("library_jets")
    write_prepared_jets(folder / "prepared.h5")
    make = maker(folder)
    make("train", {"weights": "weights.safetensors", "description": "description.json"})
    make("train-jet-flow", trained("flow"))
    make("draw-jets", {"output": "jets.h5"})
    make("sample", {"output": "sample.h5"})
    return folder


def test_a_generative_model_samples_what_the_step_does(jets: Path) -> None:
    model = cc.load_model(jets / "weights.safetensors")
    assert isinstance(model, GenerativeModel)
    drawn = read_jets(jets / "jets.h5")
    found = model.sample(drawn.columns, seed=3, **SAMPLER)
    expected = cc.read_clouds(jets / "sample.h5")
    width = found.width
    np.testing.assert_array_equal(found.points, expected.points[:, :width])
    np.testing.assert_array_equal(found.mask, expected.mask[:, :width])
    np.testing.assert_array_equal(found.features, expected.features)
    assert found.feature_columns == expected.feature_columns
    assert not expected.mask[:, width:].any()


def test_a_flow_of_jets_samples_what_the_step_does(jets: Path) -> None:
    flow = cc.load_model(jets / "flow")
    assert isinstance(flow, JetLevelModel)
    model = [str(jets / "flow" / name) for name in TRAINED.values()]
    output = jets / "drawn.h5"
    arguments = ["draw-jets", str(jets / "prepared.h5"), "--jets", str(DRAWN), "--seed", "5", "--output", str(output)]
    assert main([*arguments, "--model", *model]) == 0
    expected = read_jets(output).columns
    found = flow.sample(DRAWN, seed=5)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_number_of_jets_needs_a_flow(jets: Path) -> None:
    model, flow = cc.load_model(jets / "description.json"), cc.load_model(jets / "flow")
    assert isinstance(model, GenerativeModel)
    assert isinstance(flow, JetLevelModel)
    clouds = model.sample(7, jet_level=flow, seed=2, **SAMPLER)
    np.testing.assert_array_equal(clouds.multiplicity, flow.sample(7, seed=2)["multiplicity"])
    # What the particles add up to is imposed.
    np.testing.assert_allclose(
        cc.jet_observables(clouds)["jet_pt_rel"], flow.sample(7, seed=2)["jet_pt_rel"], rtol=1e-5
    )
    with pytest.raises(cc.InputError, match=r"^jets: a number of jets needs a jet_level"):
        model.sample(7)
    with pytest.raises(cc.InputError, match=r"^jet_level: is GenerativeModel, expected what train-jet-flow trains"):
        model.sample(7, jet_level=model)  # type: ignore[arg-type]
    with pytest.raises(cc.InputError, match=r"^jet_level: draws the jets where only their number is given"):
        model.sample({"multiplicity": [2]}, jet_level=flow)
    for number in (0, 2.5, True):
        with pytest.raises(cc.InputError, match=rf"^n: {number}, expected a whole number, 1 at least"):
            flow.sample(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jet_pt": [1.0]}, r"^jets: no 'multiplicity' among \['jet_pt'\]"),
        ({"multiplicity": [2, 0]}, r"^jets\['multiplicity'\]: a jet without a whole number of particles"),
        ({"multiplicity": [2, 2.5]}, r"^jets\['multiplicity'\]: a jet without a whole number of particles"),
        ({"multiplicity": [2, 3], "jet_pt": [1.0]}, r"^jets\['jet_pt'\]: has the shape \(1,\), expected \(2,\)"),
        ({"multiplicity": [2, 3], "jet_pt": [1.0, -1.0]}, r"^jets\['jet_pt'\]: a value is not positive"),
        ({"multiplicity": [2], "jet_pt": [5e5]}, r"^jets\['jet_pt'\] is 5e\+05 \(median\): expected the pT in GeV"),
        (
            {"multiplicity": [2], "jet_pt_rel": [500.0]},
            r"^jets: pt_rel of a jet adds up to 500 \(median\): expected units",
        ),
        ({"multiplicity": [2, 3], "pt": [1.0, 1.0]}, r"^jets: \['pt'\] are none of"),
        ({"multiplicity": []}, r"^jets\['multiplicity'\]: is empty"),
        (None, r"^jets: is NoneType, expected Clouds, arrays by name or a number of jets"),
        (np.zeros((2, 3, 3)), r"^jets: is ndarray, expected Clouds, arrays by name or a number of jets"),
        (np.int64(7), r"^jets: a number of jets needs a jet_level"),
    ],
)
def test_jets_that_cannot_be_asked_for(jets: Path, given: Any, message: str) -> None:
    model = cc.load_model(jets / "weights.safetensors")
    assert isinstance(model, GenerativeModel)
    with pytest.raises(cc.InputError, match=message):
        model.sample(given)


def test_sums_that_are_not_known_cannot_be_imposed(jets: Path) -> None:
    model = cc.load_model(jets / "weights.safetensors")
    assert isinstance(model, GenerativeModel)
    free = model.sample({"multiplicity": [2, 4]}, **SAMPLER)
    assert free.feature_columns == ()
    assert free.multiplicity.tolist() == [2, 4]
    with pytest.raises(cc.InputError, match=r"^momentum_sum: imposed needs the jet_pt_rel"):
        model.sample({"multiplicity": [2, 4]}, momentum_sum="imposed")
    with pytest.raises(cc.SettingsError, match=r"^sample: midpoint takes 2 evaluations per step"):
        model.sample({"multiplicity": [2, 4]}, evaluations=3)
    with pytest.raises(cc.SettingsError, match=r"^sample: evaluations: Input should be greater than 0"):
        model.sample({"multiplicity": [2, 4]}, evaluations=0)


def test_a_tagger_predicts_what_the_step_does(tmp_path: Path) -> None:
    from tagging_stages import make_tagging_inputs

    make_tagging_inputs(maker(tmp_path), tmp_path)
    model: Any = cc.load_model(tmp_path / "tagger.safetensors")
    clouds = cc.read_clouds(tmp_path / "pronged.h5")
    table, _ = read_observables(tmp_path / "scores.h5")
    rows = table["row"].astype(int)
    expected = np.exp(np.stack([table[f"log_p_{name}"] for name in model.classes], axis=1))
    np.testing.assert_allclose(model.predict(clouds[rows]), expected, rtol=1e-12)
    pt, eta = (clouds.feature(name)[rows] for name in ("jet_pt", "jet_eta"))
    again = model.predict(clouds.points[rows], jet_pt=pt, jet_eta=eta)
    np.testing.assert_allclose(again, expected, rtol=1e-12)
    np.testing.assert_allclose(expected.sum(axis=1), 1.0)
    with pytest.raises(cc.InputError, match=r"^jet_eta: the tagger takes that of each jet"):
        model.predict(clouds.points[rows], jet_pt=pt)
    with pytest.raises(cc.InputError, match=rf"^jet_pt: {len(rows)} of {len(rows)} values are not positive"):
        model.predict(clouds.points[rows], jet_pt=-pt, jet_eta=eta)
    with pytest.raises(cc.InputError, match=r"^jets: has the shape \(3,\), expected"):
        model.predict([1.0, 2.0, 3.0])
    with pytest.raises(cc.InputError, match=r"^jet_pt is .* \(median\): expected the pT in GeV"):
        model.predict(clouds.points[rows], jet_pt=1000 * pt, jet_eta=eta)
    absolute = clouds.points[rows] * [1.0, 1.0, 500.0]
    with pytest.raises(
        cc.InputError, match=r"^jets: pt_rel of a jet adds up to .*: expected units of the pT of the jet"
    ):
        model.predict(absolute, jet_pt=pt, jet_eta=eta)


def test_an_assignment_network_predicts_what_the_step_does(tmp_path: Path) -> None:
    from assignment_files import write_collected

    from cloudchamber.studies.assignment.assign import assign_events
    from cloudchamber.studies.assignment.assignment_file import read_assignments
    from cloudchamber.studies.assignment.event_file import read_events, read_part
    from cloudchamber.studies.assignment.settings import ChiSquareSettings
    from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

    path = write_collected(tmp_path / "assignment_events.h5")
    maker(tmp_path)("assignment train", trained("network"))
    files = {option: str(tmp_path / "network" / name) for option, name in TRAINED.items()}
    entry = {"name": "spatter", "seed": 1, "trained_on": "own", "training_events": None, "part": "all", **files}
    assign_events(path, {"part": "all", "models": [entry]}, ChiSquareSettings(), 0, tmp_path / "assigned.h5")
    (expected,) = (item for item in read_assignments(tmp_path / "assigned.h5") if item.method == "spatter")
    events = read_events(path, ALL_HADRONIC_TOP_PAIR)
    rows = np.sort(read_part(path, "all/test", len(events)))
    model: Any = cc.load_model(tmp_path / "network")
    found = model.predict(events.jets[rows], events.mask[rows])
    for name in ("jets", "log_probability", "detection"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert len(model.partons) == found.jets.shape[1]
    np.testing.assert_array_equal(model.predict(events.jets[rows]).jets, found.jets)
    wrong = events.jets[rows].copy()
    wrong[0, 0, 4] = 0.5
    with pytest.raises(cc.InputError, match=r"^jets: column 4 \(btag\): no such jet in event 0: 0\.5, expected 0 or 1"):
        model.predict(wrong, events.mask[rows])
    # The same units and conventions as in files.
    for column, factor, message in (
        (0, 1000.0, r"^jets: column 0 \(pt\): the median pT of all jets is .*, expected GeV"),
        (3, 1000.0, r"^jets: column 3 \(mass\): the median mass of all jets is .*: expected GeV"),
        (2, 180 / np.pi, r"^jets: column 2 \(phi\): no such jet in event 0: .*, expected radians"),
    ):
        other = events.jets[rows].copy()
        other[:, :, column] *= factor
        with pytest.raises(cc.InputError, match=message):
            model.predict(other, events.mask[rows])
    with pytest.raises(cc.InputError, match=r"^mask: the jets of an event do not come first"):
        model.predict(events.jets[rows], events.mask[rows][:, ::-1])


def test_an_assignment_network_takes_azimuths_of_either_convention(tmp_path: Path) -> None:
    """The published inputs hold phi itself, and networks learn it from minus pi to pi."""
    from assignment_files import write_collected

    from cloudchamber.studies.assignment.event_file import read_events
    from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

    events = read_events(write_collected(tmp_path / "assignment_events.h5"), ALL_HADRONIC_TOP_PAIR)
    command = STAGES["assignment train"].command(tmp_path, tmp_path / "network")
    place = command.index("--settings") + 1
    settings = json.loads(command[place])
    command[place] = json.dumps(settings | {"network": settings["network"] | {"inputs": "published"}})
    assert main(command) == 0
    for option, path in STAGES["assignment train"].paths(tmp_path / "network").items():
        if option in TRAINED:
            path.rename(tmp_path / TRAINED[option])
    model: Any = cc.load_model(tmp_path)
    turned = events.jets.copy()
    turned[..., 2] %= np.float32(2 * np.pi)
    found, expected = model.predict(turned, events.mask), model.predict(events.jets, events.mask)
    np.testing.assert_array_equal(found.jets, expected.jets)
    np.testing.assert_allclose(found.log_probability, expected.log_probability, atol=1e-4)


def test_a_network_of_neutrino_events_predicts_what_the_step_does(tmp_path: Path) -> None:
    from neutrino_files import NETWORK, write_random_events
    from stage import training_settings

    from cloudchamber.studies.neutrinos.classify import classify_events
    from cloudchamber.studies.neutrinos.event_clouds import read_event_clouds
    from cloudchamber.studies.neutrinos.score_file import read_scores

    path = write_random_events(tmp_path / "neutrinos.h5")
    network = {**NETWORK, "coarsen": 4}
    arguments = ["neutrinos", "train", str(path), "--settings"]
    arguments += [json.dumps({"network": network, "training": training_settings(10)}), "--seed", "3", "--state"]
    arguments += [str(tmp_path / "state"), "--history", str(tmp_path / "history.csv")]
    files = {option: str(tmp_path / "network" / name) for option, name in TRAINED.items()}
    assert main([*arguments, *(item for option, name in files.items() for item in (f"--{option}", name))]) == 0
    models = {"models": [{"name": "joint", "seed": 1, **files}]}
    classify_events(path, models, 0, tmp_path / "scores.h5")
    expected = read_scores(tmp_path / "scores.h5")
    events = read_event_clouds(path)
    rows = expected.rows
    offsets = events.offsets
    hits = np.concatenate([events.points[offsets[row] : offsets[row + 1]] for row in rows])
    prongs = events.prong_mask[rows].sum(axis=1)
    model: Any = cc.load_model(tmp_path / "network")
    found = model.predict(hits, events.counts[rows], prongs)
    np.testing.assert_array_equal(found.interaction, np.exp(expected.scores[0].event))
    there = events.prong_mask[rows]
    np.testing.assert_array_equal(found.prong[there], np.exp(expected.scores[0].prong)[there])
    assert np.isnan(found.prong[~there]).all()
    with pytest.raises(cc.InputError, match=r"^counts: add up to"):
        model.predict(hits[:-1], events.counts[rows], prongs)
    with pytest.raises(cc.InputError, match=r"^prongs: from 0 to 9, expected 0 to 3"):
        model.predict(hits, events.counts[rows], np.where(prongs == 3, 9, prongs))
    with pytest.raises(cc.InputError, match=r"^hits: a hit with a view that is none in event 0"):
        model.predict(np.where(np.arange(5) == 0, 7, hits), events.counts[rows], prongs)
    with pytest.raises(cc.InputError, match=r"^hits: a view, plane, cell or number of a prong is not whole"):
        model.predict(hits + 0.5 * (np.arange(5) == 1), events.counts[rows], prongs)
    with pytest.raises(cc.InputError, match=r"^counts: -1 hits of an event"):
        model.predict(hits, np.where(np.arange(len(rows)) == 0, -1, events.counts[rows]), prongs)


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
    with pytest.raises(cc.InputError, match=r"^pdg: PDG code 99 is of no species"):
        model.sample(energy, direction, np.full(len(pdg), 99), counter)
    with pytest.raises(cc.InputError, match=r"^counts: has the shape"):
        model.sample(energy, direction, pdg, counts[:, :2])
    with pytest.raises(cc.SettingsError, match=r"^sample: .*evaluations: Input should be greater than 0"):
        model.sample(energy, direction, pdg, counts, evaluations=0)


def test_what_is_no_model_is_named(tmp_path: Path, jets: Path) -> None:
    with pytest.raises(cc.InputError, match=r"nowhere: no such file or folder$"):
        cc.load_model(tmp_path / "nowhere")
    with pytest.raises(cc.InputError, match=r"no weights \(\*\.safetensors\) in it$"):
        cc.load_model(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(cc.InputError, match=r"a\.json: not the description of a model: no weights_sha256$"):
        cc.load_model(tmp_path / "a.json")
    with pytest.raises(cc.InputError, match=r"sample\.h5: neither weights"):
        cc.load_model(jets / "sample.h5")
    weights = (jets / "weights.safetensors").read_bytes()
    (tmp_path / "b.safetensors").write_bytes(weights)
    with pytest.raises(cc.InputError, match=r"b\.safetensors: no description \(JSON with weights_sha256\) beside it$"):
        cc.load_model(tmp_path)
    (tmp_path / "b.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    (tmp_path / "b.json").write_bytes((jets / "description.json").read_bytes())
    with pytest.raises(cc.InputError, match=r"b\.safetensors: not the weights that .*b\.json describes"):
        cc.load_model(tmp_path)
