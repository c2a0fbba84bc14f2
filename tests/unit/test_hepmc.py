"""HepMC files: particles, units and weights as they are in the files; clouds, and the detector."""

import gzip
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from hepmc_files import random_events, write_hepmc
from project_copy import REPOSITORY

from cloudchamber.cli import main
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.clustering import four_vector_sums
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.readers.hepmc import open_hepmc
from cloudchamber.readers.open_events import open_events
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.simulation.charges import charges

EVENTS = {"kind": "events", "constituents": "particle"}
SAMPLES = REPOSITORY.parent / "shared/data/delphes/public"
pyhepmc = pytest.importorskip("pyhepmc", reason="needs pyhepmc: pip install 'cloudchamber[hepmc]'")


def ingested(path: Path, output: Path, **chosen: Any) -> Clouds:
    settings = {"layout": "hepmc", "clouds": EVENTS, "max_particles": 40, **chosen}
    ingest([path], parse(IngestionSettings, settings), output)
    return read_clouds(output, weighted=True)


@pytest.fixture
def sample() -> Path:
    path = SAMPLES / "spectraljet_mini.hepmc"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("units", [("GEV", "MM"), ("MEV", "CM"), ("GEV", "CM"), ("MEV", "MM")])
def test_momenta_are_in_gev_and_lengths_in_mm(
    tmp_path: Path, rng: np.random.Generator, units: tuple[str, str], version: int
) -> None:
    events = random_events(rng, 3)
    path = write_hepmc(tmp_path / "a.hepmc", events, units=units, version=version)
    assert f"U {units[0]} {units[1]}" in path.read_text()
    for made, read in zip(events, open_hepmc(path).events(), strict=True):
        np.testing.assert_allclose(read.momenta[:4].T, made["momenta"], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(read.momenta[4], made["mass"], rtol=1e-9)
        np.testing.assert_array_equal(read.pid, made["pid"])
        np.testing.assert_allclose(read.places, np.repeat(made["vertex"][:, None], len(made["pid"]), axis=1), rtol=1e-9)


def test_a_cloud_is_the_visible_particles(tmp_path: Path, rng: np.random.Generator) -> None:
    events = random_events(rng, 20)
    clouds = ingested(write_hepmc(tmp_path / "a.hepmc", events), tmp_path / "clouds.h5", extra_leaves=["PID"])
    assert clouds.label("event").tolist() == list(range(20))
    for made, pt, pid in zip(events, clouds.point("pt"), clouds.point("PID"), strict=True):
        seen = np.abs(made["pid"]) != 12
        expected = np.hypot(*made["momenta"][seen, :2].T)
        order = np.argsort(-expected)
        np.testing.assert_allclose(pt[: len(expected)], expected[order], rtol=1e-5)
        np.testing.assert_array_equal(pid[: len(expected)], made["pid"][seen][order])
        assert not pt[len(expected) :].any()
    assert clouds.event_weight is None


def test_steps_of_any_size_give_the_same_clouds(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 30))
    jets = {"kind": "reclustered", "constituents": "particle", "radius": 0.8, "pt_window": [5, 1e4]}
    small, large = (ingested(path, tmp_path / "c.h5", clouds=jets, step_size=size) for size in ("3 kB", "8 MB"))
    np.testing.assert_array_equal(small.points, large.points)
    np.testing.assert_array_equal(small.labels, large.labels)


def test_compressed_files(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 3))
    packed = tmp_path / "a.hepmc.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    first, second = (ingested(file, tmp_path / "c.h5") for file in (path, packed))
    np.testing.assert_array_equal(first.points, second.points)


# Weights.


def test_the_nominal_weight_is_found_by_its_name_and_not_by_its_place(tmp_path: Path, rng: np.random.Generator) -> None:
    weights = {"MUF=2": rng.random(4), "Default": rng.random(4), "zz": rng.random(4)}
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 4), weights, cross_section=12.0)
    np.testing.assert_allclose(ingested(path, tmp_path / "c.h5").event_weight, weights["Default"], rtol=1e-6)  # type: ignore[arg-type]
    by_name = ingested(path, tmp_path / "c.h5", weight_branch="MUF=2")
    np.testing.assert_allclose(by_name.event_weight, weights["MUF=2"], rtol=1e-6)  # type: ignore[arg-type]
    assert ingested(path, tmp_path / "c.h5", weight_branch=None).event_weight is None
    sliced = ingested(path, tmp_path / "c.h5", cross_sections={str(path): 3.0})
    assert sliced.event_weight is not None
    assert sliced.event_weight.sum() == pytest.approx(3.0)


@pytest.mark.parametrize(("version", "names"), [(2, "N 2 .*"), (3, "W Weight.*")])
def test_weights_without_names_are_known_by_their_numbers(
    tmp_path: Path, rng: np.random.Generator, version: int, names: str
) -> None:
    """The first is the nominal one; files of older programs name none."""
    weights = {"Weight": (1.0, 2.0, 4.0), "b": (3.0, 3.0, 1.0)}
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 3), weights, version=version)
    text, removed = re.subn(rf"^{names}\n", "", path.read_text(), flags=re.MULTILINE)
    assert removed
    path.write_text(text)
    for name, values in (("Event.Weight", [1, 2, 4]), ("1", [3, 3, 1])):
        clouds = ingested(path, tmp_path / "c.h5", weight_branch=name)
        assert clouds.feature("event_weight").tolist() == values


def test_weights_of_which_none_is_the_nominal_one_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    weights = {"up": rng.random(3), "down": rng.random(3)}
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 3), weights)
    with pytest.raises(InputError, match=r"a\.hepmc: of its 2 weights \('up', 'down'\) nothing tells which is the nom"):
        ingested(path, tmp_path / "c.h5")
    with pytest.raises(InputError, match="none is 'left': name one"):
        ingested(path, tmp_path / "c.h5", weight_branch="left")
    assert not (tmp_path / "c.h5").exists()


def test_a_weight_that_is_not_finite_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 3), {"Default": [1.0, np.nan, 2.0]})
    with pytest.raises(InputError, match=r"a\.hepmc: .*(not finite|cannot be read)"):
        ingested(path, tmp_path / "c.h5")


# Damage.


def cut(text: bytes) -> bytes:
    return text[: len(text) // 2]


def without_end(text: bytes) -> bytes:
    return text[: text.rindex(b"HepMC::")]


def broken_particle(text: bytes) -> bytes:
    return text.replace(b"\nP ", b"\nP x ", 40)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "cut short"),
        (without_end, "cut short"),
        (broken_particle, "cannot be read as HepMC"),
        (lambda text: b"garbage", "not a text file of HepMC 2 or 3"),
        (lambda text: b"", "not a text file of HepMC 2 or 3"),
        (lambda text: gzip.compress(text)[:-20], "cannot be read"),
        (lambda text: b"HepMC::Version 3\nHepMC::Asciiv3-END_EVENT_LISTING\n", "has no events"),
    ],
)
@pytest.mark.parametrize("version", [2, 3])
def test_bad_files_are_one_line(
    tmp_path: Path, rng: np.random.Generator, damage: Callable[[bytes], bytes], message: str, version: int
) -> None:
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 5), version=version)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=message) as raised:
        ingested(path, tmp_path / "c.h5")
    assert str(path) in str(raised.value)
    assert not (tmp_path / "c.h5").exists()


def test_a_momentum_that_is_not_finite_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    events = random_events(rng, 3)
    events[1]["momenta"][0, 0] = np.inf
    path = write_hepmc(tmp_path / "a.hepmc", events)
    with pytest.raises(InputError, match=r"not finite|cannot be read"):
        ingested(path, tmp_path / "c.h5")


@pytest.mark.parametrize(
    "clouds",
    [
        {"kind": "stored"},
        {"kind": "events", "constituents": "tower"},
        {"kind": "reclustered", "constituents": "particle", "truth_match": {"prongs": 3}},
    ],
)
def test_what_hepmc_does_not_have_is_refused_by_the_settings(clouds: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="clouds"):
        parse(IngestionSettings, {"layout": "hepmc", "clouds": clouds, "max_particles": 3})


def test_other_branches_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_hepmc(tmp_path / "a.hepmc", random_events(rng, 3))
    with pytest.raises(InputError, match=r"a\.hepmc: no branch 'Particle\.Charge'"):
        ingested(path, tmp_path / "c.h5", extra_leaves=["Charge"])


# A published file, with what Delphes made of the same events.


def test_the_published_events_are_those_that_delphes_read(sample: Path) -> None:
    """Momenta, positions and times of the stable particles are those in the file of Delphes."""
    with uproot.open(SAMPLES / "spectraljet_mini.root") as file:
        tree = file["Delphes"]
        stable = tree["Particle.Status"].array() == 1
        leaves = ("PID", "Px", "Py", "Pz", "E", "PT", "Eta", "Phi", "X", "Y", "Z", "T")
        delphes = {leaf: tree[f"Particle.{leaf}"].array()[stable] for leaf in leaves}
    with open_events(sample, "", layout="hepmc") as events:
        [step] = events.steps([f"Particle.{leaf}" for leaf in leaves], "8 MB")
    # HepMC 3 puts particles into another order.
    px = step.leaves["Particle.Px"]
    of_delphes, of_file = (ak.argsort(values, axis=1) for values in (delphes["Px"], ak.unflatten(px.values, px.counts)))
    for leaf, expected in delphes.items():
        found = step.leaves[f"Particle.{leaf}"]
        assert found.counts.tolist() == ak.num(expected).tolist()
        its, mine = (
            ak.to_numpy(ak.flatten(values[order]))
            for values, order in ((expected, of_delphes), (ak.unflatten(found.values, found.counts), of_file))
        )
        there = np.abs(its) < 900
        np.testing.assert_allclose(mine[there], its[there], rtol=2e-5, atol=2e-6, err_msg=leaf)


def test_the_published_file_becomes_clouds_by_the_command_of_the_page(sample: Path, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/own_data/hepmc.md").read_text()
    start = page.index("cloudchamber ingest")
    command = page[start : page.index("```", start)].replace("\\\n", " ")
    command = command.replace("/data/spectraljet_mini.hepmc", str(sample)).replace("clouds.h5", str(tmp_path / "c.h5"))
    assert main(shlex.split(command)[1:]) == 0
    clouds = read_clouds(tmp_path / "c.h5")
    assert len(clouds) > 5
    pt, eta, phi = (clouds.point(name)[clouds.mask] for name in ("pt", "eta", "phi"))
    sums = four_vector_sums(pt, eta, phi, np.concatenate([[0], np.cumsum(clouds.multiplicity)]))
    whole = clouds.feature("n_constituents") == clouds.multiplicity
    np.testing.assert_allclose(sums.pt[whole], clouds.feature("jet_pt")[whole], rtol=1e-4)
    # All events have the nominal weight 46.212 pb, their cross section. The first of 146 weights varies.
    assert clouds.event_weight is None


# The detector.


def test_events_through_the_detector_are_read_like_simulated_ones(tmp_path: Path, rng: np.random.Generator) -> None:
    events = random_events(rng, 40)
    weights = rng.random(40)
    path = write_hepmc(tmp_path / "a.hepmc", events, {"Default": weights}, cross_section=12.5, units=("MEV", "CM"))
    command = ["detect", str(path), "--settings", "{}", "--seed", "1", "--output"]
    assert main([*command, str(tmp_path / "a.root")]) == 0
    with uproot.open(tmp_path / "a.root") as file:
        tree = file["Delphes"]
        assert ak.flatten(tree["Event.Number"].array()).to_list() == list(range(40))
        np.testing.assert_allclose(ak.flatten(tree["Event.Weight"].array()), weights, rtol=1e-6)
        np.testing.assert_allclose(ak.flatten(tree["Event.CrossSection"].array()), 12.5)
        for leaf, column in (("Px", 0), ("Py", 1), ("Pz", 2), ("E", 3)):
            expected = np.concatenate([event["momenta"][:, column] for event in events])
            np.testing.assert_allclose(ak.flatten(tree[f"Particle.{leaf}"].array()), expected, rtol=1e-5, atol=1e-5)
        expected = np.concatenate([np.full(len(event["pid"]), event["vertex"][0]) for event in events])
        np.testing.assert_allclose(ak.flatten(tree["Particle.X"].array()), expected, rtol=1e-5)
        seen = ak.sum(tree["Tower.E"].array())
    there = sum(event["momenta"][np.abs(event["pid"]) != 12, 3].sum() for event in events)
    assert 0.7 * there < seen < 1.3 * there
    settings = {"clouds": {"kind": "events", "constituents": "tower"}, "max_particles": 60}
    clouds = tmp_path / "clouds.h5"
    assert main(["ingest", str(tmp_path / "a.root"), "--settings", json.dumps(settings), "--output", str(clouds)]) == 0
    assert read_clouds(clouds, weighted=True).event_weight is not None


def test_the_detector_refuses_a_particle_that_is_not_finite(tmp_path: Path, rng: np.random.Generator) -> None:
    events = random_events(rng, 2)
    events[1]["vertex"][0] = np.nan
    path = write_hepmc(tmp_path / "a.hepmc", events)
    command = ["detect", str(path), "--settings", "{}", "--seed", "1", "--output", str(tmp_path / "a.root")]
    assert main(command) == 3
    assert not os.path.exists(tmp_path / "a.root")


def test_charges_are_those_of_pythia() -> None:
    pythia = pytest.importorskip("pythia8mc", reason="needs pythia8mc: pip install 'cloudchamber[simulation]'")
    data = pythia.Pythia("", False).particleData
    known, pid = [], 1
    while pid:
        known.append(pid)
        pid = data.nextId(pid)
    known += [-pid for pid in known if data.hasAnti(pid)]
    # Diquarks and what only exists inside of Pythia are never stable; 41 to 100 are as each generator likes.
    known = [pid for pid in known if abs(pid) < 9_900_000 and not data.isDiquark(pid) and not 41 <= abs(pid) <= 100]
    assert len(known) > 500
    expected = np.trunc(np.array([data.chargeType(pid) for pid in known]) / 3)
    wrong = [pid for pid, mine, its in zip(known, charges(np.array(known)), expected, strict=True) if mine != its]
    assert not wrong


def test_charges_of_nuclei() -> None:
    assert charges(np.array([1000020040, -1000010020, 1000822080])).tolist() == [2, -1, 82]
