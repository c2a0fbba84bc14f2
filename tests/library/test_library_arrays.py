"""Clouds, observables and networks from arrays."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
from library_arrays import TRAP, arrays
from prepared_jets import raw_jets
from root_files import random_towers, write_delphes

import cloudchamber as cc
from cloudchamber.cli import main
from cloudchamber.cloud_file import read_clouds
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import relative_points
from cloudchamber.networks.packing import Packing


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


def test_a_mask_that_is_true_for_padding_is_refused(rng: np.random.Generator) -> None:
    points = arrays(rng)
    padding = ~points.any(axis=2)
    assert padding.any()
    for given in (padding, padding.astype(float), torch.tensor(padding)):
        with pytest.raises(cc.InputError, match="all slots where it is true hold zeros alone"):
            cc.clouds_from_arrays(points, given)
    assert cc.clouds_from_arrays(points, ~padding).multiplicity.sum() == (~padding).sum()


def test_padding_that_a_mask_takes_for_particles_is_said(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    points = arrays(rng)
    padding = ~points.any(axis=2)
    cc.clouds_from_arrays(points, ~padding)
    assert capsys.readouterr().err == ""
    cc.clouds_from_arrays(points, np.ones_like(padding))
    assert f"{padding.sum()} of {padding.size} particles hold zeros alone" in capsys.readouterr().err
    # Numbers that are zero for many particles, as charges, are no padding.
    cc.clouds_from_arrays(points[:, :, :1], np.ones_like(padding), point_columns=["charge"])
    assert capsys.readouterr().err == ""


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


def test_numbers_in_half_precision_of_networks_are_taken() -> None:
    jets = torch.full((2, 1, 3), 0.5, dtype=torch.bfloat16)
    np.testing.assert_array_equal(cc.jet_mass(jets), cc.jet_mass(jets.float()))


def test_whole_numbers_that_single_precision_rounds_are_refused() -> None:
    """As the code of an alpha particle, and numbers of events that are features and not labels."""
    codes = [[211, 1000020040], [22, 0]]
    points = np.stack([np.full((2, 2), 0.5), codes], axis=2)
    rounded = "makes 1000020032 of 1000020040"
    with pytest.raises(cc.InputError, match=f"^points: pid: holds whole numbers, .*{rounded}"):
        cc.clouds_from_arrays(points, point_columns=["pt", "pid"])
    particles = ak.Array([[{"pt": 0.5, "pid": code} for code in codes[0]]])
    with pytest.raises(cc.InputError, match=rf"^particles\.pid: .*{rounded}"):
        cc.clouds_from_awkward(particles)
    for numbers in ([2**24, 2**24 + 1], np.array([2.0**24, 2.0**24 + 1])):
        with pytest.raises(cc.InputError, match=r"^features\['number'\]: .* makes 16777216 of 16777217"):
            cc.clouds_from_arrays(points[:, :, :1], point_columns=["pt"], features={"number": numbers})
    # Those that it holds are taken, and so are others than whole numbers, however large.
    taken = {"number": [2**24, 2**25], "energy": [2.0**24 + 1, 0.5]}
    clouds = cc.clouds_from_arrays(
        points[:, :, :1], point_columns=["pt"], features=taken, labels={"event": [2**24 + 1, 1]}
    )
    assert clouds.feature("number").tolist() == taken["number"]
    assert clouds.label("event").tolist() == [2**24 + 1, 1]


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


def absolute_jets(rng: np.random.Generator, jets: int = 40) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return (jets, 6, 3) pt [GeV], eta and phi [rad] of particles, and what a user has of their jets."""
    pt, axis = rng.uniform(10, 100, (jets, 6)), rng.uniform(-1.5, 1.5, (jets, 2))
    angles = axis[:, :, None] + rng.normal(0, 0.05, (jets, 2, 6))
    features = {"jet_pt": pt.sum(axis=1), "jet_eta": axis[:, 0], "jet_phi": axis[:, 1]}
    return np.stack([pt, *angles.swapaxes(0, 1)], axis=2), features


@pytest.mark.parametrize(
    ("feature", "factor", "said"),
    [
        ("jet_pt", 1.0, None),
        ("jet_phi", 0.0, "from its axis in phi_rel (median): expected the difference to the axis"),
        ("jet_phi", 180 / np.pi, "from its axis in phi_rel (median): expected the difference to the axis"),
        ("jet_pt", 1e-3, "adds up to 1e+03 (median): expected units of the pT of the jet"),
        ("jet_pt", 1e3, "(median): expected the pT in GeV"),
    ],
)
def test_axes_and_units_of_jets_that_do_not_fit_their_particles_are_said(
    feature: str, factor: float, said: str | None, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Distances of particles would be those of the axes; of relative arrays it is said when they are taken."""
    points, features = absolute_jets(rng)
    features[feature] = features[feature] * factor
    clouds = cc.clouds_from_arrays(points, point_columns=["pt", "eta", "phi"], features=features)
    for call, name in ((cc.relative_jets, "clouds"), (cc.jet_mass, "jets")):
        capsys.readouterr()
        call(clouds)
        lines = capsys.readouterr().err.splitlines()
        assert [line.startswith(f"{name}: WARNING: ") and str(said) in line for line in lines] == [True] * bool(said)
        # What is true of some jets alone tells nothing.
        call(clouds[:19])
        assert capsys.readouterr().err == ""


def test_absolute_azimuths_in_degrees_are_refused(rng: np.random.Generator) -> None:
    """Relative ones are: of these a jet had a mass of its whole pT."""
    points, features = absolute_jets(rng)
    points[:, :, 2], features["jet_phi"] = np.degrees(points[:, :, 2]), np.degrees(features["jet_phi"])
    clouds = cc.clouds_from_arrays(points, point_columns=["pt", "eta", "phi"], features=features)
    with pytest.raises(cc.InputError, match=r"^jets: phi of \d+ of 240 particles is beyond a turn: expected rad"):
        cc.jet_mass(clouds)
    with pytest.raises(cc.InputError, match=r"^truth: phi of \d+ of 240 particles"):
        cc.w1p(clouds, clouds)
    with pytest.raises(cc.InputError, match=r"^phi of \d+ of 240 particles"):
        cc.relative_jets(clouds)
