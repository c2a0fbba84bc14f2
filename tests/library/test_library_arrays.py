"""Clouds from arrays, and what is wrong with arrays."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
from prepared_jets import raw_jets
from root_files import random_towers, write_delphes

import cloudchamber as cc
from cloudchamber.cli import main
from cloudchamber.cloud_file import read_clouds
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import relative_points
from cloudchamber.networks.packing import Packing


def arrays(rng: np.random.Generator, jets: int = 20, width: int = 6) -> np.ndarray:
    mask = np.arange(width) < rng.integers(1, width + 1, jets)[:, None]
    points = np.concatenate([rng.normal(0, 0.2, (jets, width, 2)), rng.exponential(0.2, (jets, width, 1))], axis=2)
    return points * mask[:, :, None]


def test_numpy_torch_and_lists_make_the_same_clouds(rng: np.random.Generator) -> None:
    points = arrays(rng)
    made = [
        cc.clouds_from_arrays(kind, features={"jet_pt": pt})
        for kind, pt in (
            (points, np.arange(1, 21)),
            (torch.tensor(points, requires_grad=True), torch.arange(1, 21)),
            (points.tolist(), list(range(1, 21))),
        )
    ]
    for clouds in made:
        np.testing.assert_array_equal(clouds.points, points.astype(np.float32))
        np.testing.assert_array_equal(clouds.mask, (points != 0).any(axis=2))
        np.testing.assert_array_equal(clouds.feature("jet_pt"), np.arange(1, 21))
    assert made[0].feature_columns == (cc.Column("jet_pt", "GeV"),)


def test_masked_particles_may_lie_anywhere(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.normal(size=(5, 4, 2))
    mask = rng.random((5, 4)) < 0.5
    clouds = cc.clouds_from_arrays(points, mask, point_columns=["x", cc.Column("y", "mm")], labels={"event": range(5)})
    for row in range(5):
        np.testing.assert_array_equal(clouds.points[row][clouds.mask[row]], points[row][mask[row]].astype(np.float32))
    # What a file of clouds must be, this is.
    cc.write_clouds(tmp_path / "clouds.h5", clouds)
    again = cc.read_clouds(tmp_path / "clouds.h5")
    np.testing.assert_array_equal(again.points, clouds.points)
    assert again.point_columns == (cc.Column("x"), cc.Column("y", "mm"))
    assert again.label("event").tolist() == list(range(5))


def test_jets_of_an_event_are_in_one_part_where_no_file_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    jets = {name: rng.uniform(10, 90, 120) for name in ("jet_pt", "jet_eta", "jet_mass")}
    event = np.arange(120) // 2
    clouds = cc.clouds_from_arrays(arrays(rng, jets=120), features=jets, labels={"event": event})
    cc.write_clouds(tmp_path / "clouds.h5", clouds)
    main(["prepare", str(tmp_path / "clouds.h5"), "--settings", "{}", "--seed", "1", "--output", f"{tmp_path}/p.h5",
          "--split", f"{tmp_path}/split.h5"])  # fmt: skip
    parts = [set(event[rows].tolist()) for rows in read_clouds(tmp_path / "p.h5").indices.values()]
    assert sum(map(len, parts)) == 60


def test_awkward_arrays_become_clouds_with_the_hardest_first() -> None:
    particles = ak.Array([[{"eta": 0.1, "pt": 1.0}, {"eta": 0.2, "pt": 3.0}], [], [{"eta": 0.3, "pt": 2.0}]])
    clouds = cc.clouds_from_awkward(particles, features={"jet_pt": [4.0, 0.0, 2.0]})
    assert [column.name for column in clouds.point_columns] == ["eta", "pt"]
    np.testing.assert_allclose(clouds.point("pt"), [[3, 1], [0, 0], [2, 0]])
    np.testing.assert_allclose(clouds.point("eta"), [[0.2, 0.1], [0, 0], [0.3, 0]], rtol=1e-6)
    assert clouds.multiplicity.tolist() == [2, 0, 1]
    cut = cc.clouds_from_awkward(particles, max_particles=1)
    np.testing.assert_allclose(cut.point("pt"), [[3], [0], [2]])


def test_awkward_arrays_without_a_momentum_keep_their_order() -> None:
    particles = ak.Array([[{"x": 2.0, "y": 1.0}, {"x": 5.0, "y": 0.0}], [{"x": 1.0, "y": 1.0}]])
    clouds = cc.clouds_from_awkward(particles)
    np.testing.assert_array_equal(clouds.point("x"), [[2, 5], [1, 0]])
    with pytest.raises(
        cc.InputError, match=r"^particles: clouds of 2 are cut to 1 by pt or pt_rel, there is \['x', 'y"
    ):
        cc.clouds_from_awkward(particles, max_particles=1)


def test_observables_are_those_of_the_pipeline(rng: np.random.Generator) -> None:
    clouds = raw_jets(30, 6, rng)
    relative = cc.relative_jets(clouds)
    np.testing.assert_array_equal(relative.points, relative_points(clouds))
    expected = observe(relative)
    from_clouds, from_arrays = cc.jet_observables(clouds), cc.jet_observables(relative.points, clouds.feature("jet_pt"))
    for name, values in expected.items():
        np.testing.assert_array_equal(from_clouds[name], values)
        np.testing.assert_array_equal(from_arrays[name], values)
    np.testing.assert_array_equal(cc.jet_mass(relative.points), expected["jet_mass_rel"])
    polynomials = cc.energy_flow_polynomials(relative)
    np.testing.assert_array_equal(polynomials, np.stack([expected[f"efp_{n}"] for n in range(36)], axis=1))
    e2, e3 = cc.energy_correlations(relative)
    np.testing.assert_allclose(expected["d2"][e2 > 0], (e3 / e2**3)[e2 > 0], rtol=1e-12)
    tau = cc.subjettiness(relative)[:, :, 0]
    np.testing.assert_allclose(expected["tau21"][tau[:, 0] > 0], (tau[:, 1] / tau[:, 0])[tau[:, 0] > 0])


def test_ingest_is_the_step_of_the_pipeline(tmp_path: Path) -> None:
    write_delphes(tmp_path / "a.root", {"Tower": random_towers(np.random.default_rng(1), 40, 30)})
    settings = '{"clouds": {"kind": "reclustered", "pt_window": [10, 1000]}, "max_particles": 20}'
    made = tmp_path / "made.h5"
    assert main(["ingest", str(tmp_path / "a.root"), "--settings", settings, "--output", str(made)]) == 0
    options = {"clouds": {"kind": "reclustered", "pt_window": [10, 1000]}, "max_particles": 20}
    clouds = cc.ingest(tmp_path / "a.root", **options)
    expected = read_clouds(made)
    np.testing.assert_array_equal(clouds.points, expected.points)
    np.testing.assert_array_equal(clouds.features, expected.features)
    kept = cc.ingest([tmp_path / "a.root"], output=tmp_path / "kept.h5", **options)
    assert (tmp_path / "kept.h5").read_bytes() == made.read_bytes()
    assert len(kept) == len(expected)


JETS = np.full((4, 3, 3), 0.1)
FAR = JETS * [1e6, 1, 1]
TRAP = {"kind": "trap", "stiffness": 1.0, "rate": 0.5, "diffusion": 0.2}
WRONG = {
    "the shape": (JETS[0], r"has the shape \(3, 3\), expected \(N, P, 3\)"),
    "the columns": (JETS[:, :, :2], r"has the shape \(4, 3, 2\), expected \(N, P, 3\)"),
    "no jets": (JETS[:0], r"is empty: its shape is \(0, 3, 3\)"),
    "NaN": (np.where(np.arange(3) == 1, np.nan, JETS), r"12 of 36 values are not finite"),
    "infinity": (np.where(np.arange(3) == 1, np.inf, JETS), r"12 of 36 values are not finite"),
    "text": (np.full((4, 3, 3), "a"), r"holds <U1, expected numbers"),
    "ragged": ([[[0.1, 0.1, 0.1]], []], r"not an array: "),
    "ragged awkward": (ak.Array([[[0.1, 0.1, 0.1]], []]), r"not an array: [^()]*$"),
    "a mask": (np.ma.masked_greater(JETS, 0.0), r"36 of 36 values are masked: fill them, with 0 in empty slots"),
    "nothing": (None, r"is None, expected an array"),
    "a value beyond single precision": (JETS * 1e300, r"a value is too large for single precision"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["jet_mass", "jet_observables", "energy_flow_polynomials", "subjettiness"])
def test_observables_say_in_one_line_what_is_wrong(name: str, what: str) -> None:
    jets, message = WRONG[what]
    with pytest.raises(cc.InputError, match=f"^jets: {message}") as found:
        getattr(cc, name)(jets)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["w1m", "w1p", "w1efp", "fpd", "kpd", "coverage", "mmd"])
@pytest.mark.parametrize("side", ["truth", "generated", "floor"])
def test_metrics_say_in_one_line_what_is_wrong(name: str, what: str, side: str) -> None:
    jets, message = WRONG[what]
    if name in ("fpd", "kpd") and what == "the shape":
        pytest.skip("two axes are features of any kind")
    if what == "nothing" and side == "floor":
        pytest.skip("a floor may be left out")
    given = {"truth": JETS, "generated": JETS, "floor": JETS, side: jets}
    with pytest.raises(cc.InputError, match=f"^{side}: {message}"):
        getattr(cc, name)(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"truth": []}, r"^truth: is empty"),
        ({"truth": [1.0, np.nan]}, r"^truth: 1 of 2 values are not finite"),
        ({"generated": np.zeros((2, 2, 2))}, r"^generated: has the shape \(2, 2, 2\), expected \(N, P\)"),
        ({"floor": [1.0]}, r"^floor: 1 jets, there must be as many as generated ones, 3"),
        ({"truth": None}, r"^truth: is None, expected an array"),
        ({"truth": None, "floor": [1.0, 2.0, 3.0]}, r"^truth: is None, expected an array"),
        ({"generated": None}, r"^generated: is None, expected an array"),
        ({"generated": [[1.0, 2.0], [3.0]]}, r"^generated: not an array: "),
        ({"generated": cc.clouds_from_arrays(JETS)}, r"^generated: is Clouds, expected an array"),
        ({"bootstraps": 2.5}, r"^bootstraps: 2.5, expected a whole number, 2 at least"),
        ({"seed": -1}, r"^seed: -1, expected a whole number from 0 on"),
        ({"seed": None}, r"^seed: None, expected a whole number from 0 on"),
        ({"generated": np.ma.masked_all((2, 3))}, r"^generated: all values are masked"),
        ({"truth": np.ma.masked_equal([1.0, 2.0, 3.0], 2.0)}, r"^truth: a number of each jet is masked for 1 of 3"),
        ({"bootstraps": 1}, r"^bootstraps: 1, expected a whole number, 2 at least"),
    ],
)
@pytest.mark.parametrize("name", ["kl", "w1"])
def test_metrics_of_a_feature_say_what_is_wrong(name: str, given: dict[str, object], message: str) -> None:
    right = {"truth": [1.0, 2.0, 3.0], "generated": [1.0, 2.5, 3.0]}
    with pytest.raises(cc.InputError, match=message):
        getattr(cc, name)(**{**right, **given})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cc.clouds_from_arrays(JETS, np.ones((4, 2))), r"^mask: has the shape \(4, 2\), expected \(4, 3\)"),
        (
            lambda: cc.clouds_from_arrays(JETS, features={"jet_pt": [1, 2]}),
            r"^features\['jet_pt'\]: has the shape \(2,\)",
        ),
        (lambda: cc.clouds_from_arrays(JETS, labels={"event": [0.5] * 4}), r"^labels\['event'\]: holds float64"),
        (lambda: cc.clouds_from_arrays(JETS * 1e300), r"^points: a value is too large for single precision"),
        (lambda: cc.clouds_from_arrays(JETS, np.full((4, 3), 0.5)), r"^mask: a value is neither 0 nor 1"),
        (lambda: cc.clouds_from_arrays(JETS, point_columns="abc"), r"^point_columns: 'abc', expected names"),
        (lambda: cc.clouds_from_arrays(JETS, point_columns=["a", "b", "a"]), r"^point_columns: 'a' is there twice"),
        (lambda: cc.clouds_from_arrays(JETS, features={1: [1] * 4}), r"^features: 1 is no name of a column"),
        (lambda: cc.clouds_from_arrays(JETS, features=[1] * 4), r"^features: is list, expected keys and values"),
        (
            lambda: cc.clouds_from_arrays(JETS, labels={"event": np.full(4, 2**63, np.uint64)}),
            r"^labels\['event'\]: 9223372036854775808 is too large",
        ),
        (lambda: cc.clouds_from_awkward(None), r"^particles: expected an awkward array"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": 1.0}], None])), r"^particles: 1 of 2 clouds are None"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": 1.0}, None]])), r"^particles\.pt: 1 of 2 values are masked"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": 1.0}]]), max_particles=-1), r"^max_particles: -1, expected"),
        (lambda: cc.relative_jets(JETS), r"^clouds: is ndarray, expected Clouds"),
        (lambda: cc.write_clouds("never.h5", JETS), r"^clouds: is ndarray, expected Clouds"),
        (lambda: cc.read_clouds("never.h5"), r"^never\.h5: no such file$"),
        (lambda: cc.jet_observables(JETS, [1, 1, 1, -1]), r"^jet_pt: 1 of 4 values are not positive"),
        (lambda: cc.subjettiness(JETS, n_axes=0), r"^n_axes: 0, expected a whole number, 1 at least"),
        (lambda: cc.subjettiness(JETS, betas=1.0), r"^betas: has the shape \(\), expected \(B,\)"),
        (lambda: cc.subjettiness(JETS, betas=[1.0, -1.0]), r"^betas: -1\.0, expected numbers above zero"),
        (lambda: cc.subjettiness(JETS, radius=0), r"^radius: 0, expected a finite number above 0"),
        (lambda: cc.energy_mover(JETS, JETS, -1.0), r"^radius: -1\.0, expected a finite number above 0"),
        (lambda: cc.energy_mover(JETS, JETS, np.nan), r"^radius: nan, expected a finite number above 0"),
        (lambda: cc.coverage(JETS, JETS, jets=2.5), r"^jets: 2\.5, expected a whole number, 2 at least"),
        (lambda: cc.mmd(JETS, JETS, batches=1), r"^batches: 1, expected a whole number, 2 at least"),
        (lambda: cc.kl([1.0, 2.0], [1.0, 2.0], bins=-3), r"^bins: -3, expected a whole number, 1 at least"),
        (lambda: cc.kl([1.0, 2.0], [1.0, 2.0], bins=2.5), r"^bins: 2\.5, expected a whole number, 1 at least"),
        (lambda: cc.fpd(JETS, np.repeat(JETS, 3, axis=0)), r"^truth: 4 jets, the distance needs 10 at least"),
        (lambda: cc.kpd(np.repeat(JETS, 3, axis=0), JETS), r"^generated: 4 jets, the distance needs 10 at least"),
        (lambda: cc.ingest([], clouds={"kind": "events"}, max_particles=3), r"^files: \[\], expected a file"),
        (lambda: cc.build_network(None), r"^no network 'None'"),
        (lambda: cc.build_network("generator/epic", kind="transformer"), r"^generator/epic: kind: the name says"),
        (
            lambda: cc.build_network("tagger/particle_net", classes=True),
            r"^tagger/particle_net: classes: True, expected a whole",
        ),
        (
            lambda: cc.build_network("tagger/dense", classes=2, features="abc"),
            r"^tagger/dense: features: 'abc', expected the names",
        ),
        (
            lambda: cc.build_network("active_matter/mlp", system=TRAP, drives=5),
            r"^active_matter/mlp: drives: has",
        ),
        (lambda: cc.compare(JETS, JETS, JETS, settings=[1]), r"^settings: is list, expected keys and values"),
        (lambda: cc.compare(JETS, FAR, JETS), r"^generated: 4 of 4 jets have a particle beyond \|eta_rel\| = 350"),
        (lambda: cc.jet_mass(FAR), r"^jets: 4 of 4 jets have a particle beyond \|eta_rel\| = 350"),
        (lambda: cc.subjettiness(FAR), r"^jets: 4 of 4 jets have a particle beyond \|eta_rel\| = 350"),
        (lambda: cc.nlp(JETS, [JETS]), r"^samples: is list, expected keys and values"),
        (lambda: cc.nlp(JETS, {1: JETS}), r"^samples: 1 is no name of a sample"),
        (lambda: cc.nlp(JETS, {"": JETS}), r"^samples: '' is no name of a sample"),
        (lambda: cc.clouds_from_awkward(ak.Array([[1.0, 2.0]])), r"^particles: expected an awkward array of N \* var"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": float("nan")}]])), r"^particles\.pt: 1 of 1 values are not"),
        (lambda: cc.ingest("nowhere.root", clouds={"kind": "events"}, max_particles=3), r"nowhere\.root"),
        (lambda: cc.build_network("epic"), r"^no network 'epic' among \['generator/epic'"),
        (
            lambda: cc.build_network("tagger/particle_net"),
            r"^tagger/particle_net: classes: None, expected a whole number, 2",
        ),
        (lambda: cc.build_network("tagger/dense", classes=2), r"^tagger/dense: features: \(\), expected the names"),
        (lambda: cc.build_network("showers/allshowers"), r"^showers/allshowers: calorimeter_layers: None"),
        (lambda: cc.nlp(JETS, {}), r"^samples: is empty"),
        (lambda: cc.nlp(JETS, {"model": JETS[0]}), r"^samples\['model'\]: has the shape"),
        (lambda: cc.nlp(JETS, {"truth": JETS}), r"a model may not be called 'truth'"),
    ],
)
def test_other_calls_say_what_is_wrong(call: object, message: str) -> None:
    with pytest.raises(cc.InputError, match=message):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    "call",
    [
        lambda: cc.ingest("a.root", clouds={"kind": "events"}),
        lambda: cc.build_network("generator/epic", sizes=3),
        lambda: cc.compare(JETS, JETS, JETS, settings={"bin": 3}),
        lambda: cc.nlp(JETS, {"model": JETS}, settings={"jets_per_class": 5}),
        lambda: cc.nlp(JETS, {"model": JETS}, settings={"training": {"stepps": 3}}),
    ],
)
def test_settings_that_are_none_are_named(call: object) -> None:
    with pytest.raises(cc.SettingsError, match=r"max_particles|sizes|bin|stepps|jets_per_class"):
        call()  # type: ignore[operator]


def test_jets_with_event_weights_are_refused(rng: np.random.Generator) -> None:
    clouds = cc.clouds_from_arrays(arrays(rng), features={"event_weight": np.ones(20)})
    with pytest.raises(cc.InputError, match=r"^truth: its jets have event weights"):
        cc.w1m(clouds, clouds)


TRAP = {"kind": "trap", "stiffness": 1.0, "rate": 0.5, "diffusion": 0.2}
OPTIONS: dict[str, dict[str, object]] = {
    "generator": {"conditions": ["jet_pt"]},
    "tagger": {"classes": 3},
    "assignment": {},
    "neutrinos": {"planes": 40, "cells": 40, "prongs": 3, "coarsen": 4},
    "neutron_stars": {"stars": 5},
    "active_matter": {"system": TRAP},
    "showers": {"calorimeter_layers": 78},
}


@pytest.mark.parametrize("name", cc.NETWORKS)
def test_networks_by_name(name: str) -> None:
    role, _, kind = name.partition("/")
    options = OPTIONS[role] | ({"features": ["jet_mass", "tau1"]} if kind == "dense" else {})
    if kind == "point_set":
        options.pop("coarsen")
    network = cc.build_network(name, **options).eval()
    assert isinstance(network, torch.nn.Module)
    if role == "tagger" and kind != "dense":
        towers, mask = torch.rand(2, 20, 3), torch.ones(2, 20, dtype=torch.bool)
        logits = network(towers, torch.tensor([[500.0, 0.1], [600.0, 0.2]]), mask)
        assert logits.shape == (2, 3)
    if role == "generator" and kind != "epic_gan":
        packing = Packing(torch.tensor([3, 2]))
        assert network(torch.rand(5, 3), torch.rand(2, 1), torch.rand(2, 1), packing).shape == (5, 3)
    if role == "active_matter":
        # One particle in one dimension, with an activity.
        assert network.score(torch.rand(6, 1, 2), torch.ones(6, 1, 1)).shape == (6, 1, 2)  # type: ignore[operator]


def test_published_sizes_by_name() -> None:
    """Numbers of parameters that the networks' own docstrings state."""
    network = cc.build_network("showers/allshowers", calorimeter_layers=78)
    assert sum(parameter.numel() for parameter in network.parameters()) == 263_491


@pytest.mark.parametrize("points", [np.full((2, 2, 3), np.nan), np.full((2, 2, 3), np.inf)])
def test_clouds_that_are_not_finite_are_refused(points: np.ndarray) -> None:
    clouds = cc.clouds_from_arrays(np.ones((2, 2, 3)))
    clouds.points[:] = points
    with pytest.raises(cc.InputError, match=r"^truth: 12 of 12 values of points are not finite"):
        cc.w1m(clouds, JETS)


def test_numbers_in_half_precision_of_networks_are_taken() -> None:
    jets = torch.full((2, 1, 3), 0.5, dtype=torch.bfloat16)
    np.testing.assert_array_equal(cc.jet_mass(jets), cc.jet_mass(jets.float()))


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    found = cc.kl(np.arange(50.0), np.arange(50.0) + 3, bins=np.int64(5), bootstraps=np.int32(3), seed=np.int64(1))
    assert found == cc.kl(np.arange(50.0), np.arange(50.0) + 3, bins=5, bootstraps=3, seed=1)


def whole_turns(jets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return jets whose phi_rel is a difference of azimuths that nobody brought back, as of jets across the cut."""
    turned = jets.copy()
    turned[..., 1] += 2 * np.pi * rng.choice([-1, 0, 1], jets.shape[:2]) * (jets[..., 2] > 0)
    return turned


def test_differences_of_azimuths_are_moved_by_whole_turns(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    jets = arrays(rng, 50)
    turned = whole_turns(jets, rng)
    beyond = int((np.abs(turned[..., 1]) > np.pi).sum())
    assert cc.w1p(jets, turned).value == pytest.approx(0.0, abs=1e-6)
    assert f"generated: phi_rel of {beyond} particles was beyond pi" in capsys.readouterr().err
    np.testing.assert_allclose(cc.energy_mover(jets[:3], turned[:3]), cc.energy_mover(jets[:3], jets[:3]), atol=1e-5)
    np.testing.assert_allclose(cc.clouds_from_arrays(turned).points, cc.clouds_from_arrays(jets).points, atol=1e-6)
    capsys.readouterr()
    cc.w1p(jets, arrays(rng, 50))
    assert capsys.readouterr().err == ""


def test_degrees_are_refused(rng: np.random.Generator) -> None:
    jets = arrays(rng, 50)
    jets[..., 1] = np.degrees(jets[..., 1])
    with pytest.raises(cc.InputError, match=r"^truth: phi_rel of \d+ of \d+ particles is beyond a turn: expected rad"):
        cc.w1m(truth=jets, generated=jets)


def test_particles_that_count_for_nothing_are_said(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of arrays in the order of other packages: pT, rapidity, azimuth."""
    jets = arrays(rng, 50)
    particles, other = int((jets[..., 2] > 0).sum()), jets[..., [2, 0, 1]]
    cc.jet_mass(other)
    negative = int((other[..., 2] < 0).sum())
    assert f"jets: WARNING: {negative} of {particles} particles have a negative pt_rel" in capsys.readouterr().err


@pytest.mark.parametrize("column", [0, 1])
def test_coordinates_that_are_no_differences_are_said(
    rng: np.random.Generator, column: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Distances of jets would be those of their axes, and jets across the cut in phi as wide as a turn."""
    jets = arrays(rng, jets=40)
    cc.jet_mass(jets)
    assert capsys.readouterr().err == ""
    axis = rng.uniform(-2.5, 2.5, (40, 1))
    jets[:, :, column] += np.where(jets[:, :, 2] > 0, axis, 0)
    cc.jet_mass(jets)
    said = capsys.readouterr().err
    assert f"WARNING: jets: {('eta_rel', 'phi_rel')[column]}: the particles of a jet lie 1." in said
    assert said.count("WARNING") == 1


def test_weights_of_another_name_are_said(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing takes them into account; those of the name that is known are refused where they would be left out."""
    jets, weights = arrays(rng, jets=40), rng.uniform(0.1, 3, 40)
    for name in ("weight", "genWeight", "event_weights"):
        cc.clouds_from_arrays(jets, features={"jet_pt": weights, name: weights})
        said = capsys.readouterr().err
        assert said.startswith(f"WARNING: features['{name}']: no step takes it for weights of events")
        assert said.count("WARNING") == 1
    known = cc.clouds_from_arrays(jets, features={"event_weight": weights})
    assert capsys.readouterr().err == ""
    with pytest.raises(cc.InputError, match="event weights"):
        cc.w1m(known, jets)
