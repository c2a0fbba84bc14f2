"""Generative models and taggers in the library do what the steps of the pipeline do with the same files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stages import DRAWN, SAMPLER
from trained_models import TRAINED, maker, trained

import cloudchamber as cc
from cloudchamber.classification.taggers import StoredTagger, build_tagger, save_tagger
from cloudchamber.cli import main
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.library.generative_model import GenerativeModel, JetLevelModel
from cloudchamber.settings.base import parse
from cloudchamber.settings.taggers import TaggerSettings


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


def test_more_particles_than_in_any_training_jet_are_said(jets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = cc.load_model(jets / "weights.safetensors")
    assert isinstance(model, GenerativeModel)
    prepared = cc.read_clouds(jets / "prepared.h5")
    most = int(prepared.part("train").multiplicity.max())
    for counts, larger in (([most, 2], 0), ([most + 1, 2, 90], 2)):
        model.sample({"multiplicity": counts}, **SAMPLER)
        line = f"jets: WARNING: {larger} of {len(counts)} jets are asked for with more than {most} particles"
        assert (line in capsys.readouterr().err) == (larger > 0)


def test_masses_in_mev_are_said(jets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = cc.load_model(jets / "weights.safetensors")
    assert isinstance(model, GenerativeModel)
    model.conditions = ("jet_mass",)
    masses = cc.read_clouds(jets / "prepared.h5").feature("jet_mass")[:20]
    for mass, said in ((masses, False), (1000 * masses, True), (1000 * masses[:3], False)):
        model.sample({"multiplicity": [2] * len(mass), "jet_mass": mass}, **SAMPLER)
        line = "jets: WARNING: the median of jet_mass is "
        assert (line in capsys.readouterr().err) == said


def test_features_in_another_order_or_unit_are_said(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    names, training = ("jet_mass", "tau21"), {"steps": 1}
    settings = parse(TaggerSettings, {"network": {"kind": "dense", "hidden": [8]}, "training": training}, "tagger")
    tagger = build_tagger(settings.network, 2, names)
    values = np.exp(rng.normal([4.4, -0.7], 0.4, (200, 2)))
    tagger.fit(torch.from_numpy(values))
    paths = tmp_path / "weights.safetensors", tmp_path / "model.json"
    stored = StoredTagger(settings, tagger, ("qcd", "top"), names)
    save_tagger(*paths, stored, tagger.state_dict(), {}, {"step": "train-tagger"})
    model: Any = cc.load_model(tmp_path)
    model.predict(values)
    assert "WARNING" not in capsys.readouterr().err
    for others, wrong in ((values[:, ::-1], names), (values * [1000, 1], names[:1])):
        model.predict(others)
        said = capsys.readouterr().err
        assert [name for name in names if f"jets: WARNING: the median of {name} is " in said] == list(wrong)


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


def test_particles_in_another_order_are_refused_where_a_tagger_cuts_them(tmp_path: Path) -> None:
    from pronged_jets import tagging_clouds

    network = {"kind": "particle_flow", "tower": [4], "hidden": [4], "towers": 12}
    settings = parse(TaggerSettings, {"network": network, "training": {"steps": 1}}, "tagger")
    torch.manual_seed(3)
    tagger = build_tagger(settings.network, 2)
    stored = StoredTagger(settings, tagger, ("1", "3"), ())
    clouds = tagging_clouds(jets=40)
    pt, eta = clouds.feature("jet_pt"), clouds.feature("jet_eta")
    backwards = np.where(clouds.mask[:, :, None], clouds.points, 0)[:, ::-1]
    for cut_at, cut in ((None, 12), (8, 8)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        paths = folder / "weights.safetensors", folder / "model.json"
        save_tagger(*paths, stored, tagger.state_dict(), {"cut_at": cut_at}, {"step": "train-tagger"})
        model: Any = cc.load_model(folder)
        model.predict(clouds.points, jet_pt=pt, jet_eta=eta)
        longer = int((clouds.multiplicity > cut).sum())
        message = (
            rf"^jets: the particles of {longer} of 40 jets are not sorted by falling pT, and .* the hardest {cut}$"
        )
        with pytest.raises(cc.InputError, match=message):
            model.predict(backwards, jet_pt=pt, jet_eta=eta)
        # Where all are looked at their order does not matter.
        short = clouds.multiplicity <= cut
        either = (model.predict(of[short], jet_pt=pt[short], jet_eta=eta[short]) for of in (clouds.points, backwards))
        np.testing.assert_allclose(*either, rtol=1e-5)


def test_jets_that_were_made_otherwise_than_a_tagger_knows_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pronged_jets import tagging_clouds

    network = {"kind": "particle_flow", "tower": [4], "hidden": [4], "towers": 60}
    settings = parse(TaggerSettings, {"network": network, "training": {"steps": 1}}, "tagger")
    stored = StoredTagger(settings, build_tagger(settings.network, 2), ("1", "3"), ())
    known = {name: {"kind": "reclustered", "radius": "0.8"} for name in ("1", "3")}
    paths = tmp_path / "weights.safetensors", tmp_path / "model.json"
    save_tagger(*paths, stored, stored.tagger.state_dict(), {"made_with": known}, {"step": "train-tagger"})
    model: Any = cc.load_model(tmp_path)
    for radius, said in ((0.8, False), (0.4, True)):
        made = {"provenance": {"settings": {"clouds": {"kind": "reclustered", "radius": radius}}}}
        for meta in (made, {"source": made}):
            model.predict(replace(tagging_clouds(jets=10), meta=meta))
            line = "'radius' is 0.4, of the jets of the training it was 0.8"
            assert (line in capsys.readouterr().err) == said


def test_jets_of_another_detector_or_cut_to_fewer_particles_than_a_tagger_knows_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pronged_jets import tagging_clouds

    network = {"kind": "particle_flow", "tower": [4], "hidden": [4], "towers": 60}
    settings = parse(TaggerSettings, {"network": network, "training": {"steps": 1}}, "tagger")
    stored = StoredTagger(settings, build_tagger(settings.network, 2), ("1", "3"), ())
    known = {name: {"constituents": {"collections": ["Tower"]}} for name in ("1", "3")}
    paths = tmp_path / "weights.safetensors", tmp_path / "model.json"
    save_tagger(*paths, stored, stored.tagger.state_dict(), {"read_from": known}, {"step": "train-tagger"})
    model: Any = cc.load_model(tmp_path)
    jets = tagging_clouds()
    for collection, said in (("Tower", False), ("ParticleFlowCandidate", True)):
        read = {"constituents": {"collections": [collection]}}
        for meta in (read, {"source": read}):
            model.predict(replace(jets, meta=meta))
            line = "jets: constituents are in ParticleFlowCandidate, of the jets of the training in Tower"
            assert (line in capsys.readouterr().err) == said
    for cut, said in ((60, False), (10, True)):
        model.predict(replace(jets, points=jets.points[:, :cut], mask=jets.mask[:, :cut], meta={}))
        assert ("jets: the most particles of a jet are 10, and" in capsys.readouterr().err) == said


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
