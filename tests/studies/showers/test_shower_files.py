"""Raw files, ingestion, and the layouts of others: what is written is read, and what is wrong is one line."""

import importlib.util
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import uproot
from shower_files import GUN, INGESTION, SOURCE

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.settings.base import parse
from cloudchamber.studies.showers.calo_challenge import (
    BINNINGS,
    binning_of,
    points_to_voxels,
    voxels_to_points,
)
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.edm4hep_file import Edm4hepWriter, read_about, read_steps
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.ingest import ingest, split
from cloudchamber.studies.showers.read import read
from cloudchamber.studies.showers.shower_file import create_showers, open_showers, refuse_bad_showers, shower_part
from cloudchamber.studies.showers.simulate import simulate
from cloudchamber.studies.showers.source_settings import FileSource, GunSettings, IngestionSettings
from cloudchamber.studies.showers.steps import Steps, points_of_steps
from cloudchamber.studies.showers.write import write

STACK = geometry_of("ild_like")


def test_raw_files_have_the_branches_of_edm4hep(showers_folder: Path) -> None:
    with uproot.open(showers_folder / "0.root") as file:
        tree = file["events"]
        assert tree.num_entries == 300
        names = set(tree.keys())
        for name in (
            *("EcalBarrelCollectionContributions.energy", "HcalBarrelCollectionContributions.stepPosition.z"),
            *("MCParticles.PDG", "MCParticles.momentum.x", "MCParticles.vertex.z", "MCParticles.generatorStatus"),
        ):
            assert name in names
    about = read_about(showers_folder / "0.root")
    assert about["source"] == "parametrised"
    assert about["provenance"]["seed"] == 1


def test_a_shard_is_bitwise_the_same_and_unlike_others(tmp_path: Path, showers_folder: Path) -> None:
    collections = INGESTION.collections
    simulate(SOURCE, "ild_like", 0, 1, tmp_path / "again.root")
    first, again, other = (
        next(iter(read_steps(path, collections)))
        for path in (showers_folder / "0.root", tmp_path / "again.root", showers_folder / "1.root")
    )
    np.testing.assert_array_equal(first.position, again.position)
    np.testing.assert_array_equal(first.energy, again.energy)
    assert len(first.energy) != len(other.energy)


def test_ingestion_keeps_every_shower_and_nearly_all_energy(showers_folder: Path) -> None:
    steps = [next(iter(read_steps(showers_folder / f"{n}.root", INGESTION.collections))) for n in range(2)]
    with open_showers(showers_folder / "showers.h5", ("train", "validation", "test", "asked")) as showers:
        assert len(showers) == GUN.showers
        assert set(showers.label("pdg")) == {22, 211}
        part = showers.take(np.arange(len(showers)))
        refuse_bad_showers(part, 78, "made up")
        total = np.bincount(part.owners, part.points[:, 3], minlength=len(part))
        expected = np.concatenate([np.bincount(s.event, s.energy, minlength=len(s)) for s in steps])
        # Below the threshold of 0.01 MeV, and far from the axis, little is lost.
        assert np.median(total / np.maximum(expected, 1e-12)) > 0.98
        assert (total <= expected + 1e-6).all()
        parts = [set(showers.part(name).tolist()) for name in ("train", "validation", "test", "asked")]
        assert not set.intersection(*parts)
        assert len(parts[2]) == len(parts[3]) == 150
        assert [column.name for column in showers.feature_columns][4:] == ["start", "peak", "alpha", "electromagnetic"]
        assert np.isfinite(showers.feature("alpha")[showers.label("pdg") == 22]).all()
        assert np.isnan(showers.feature("alpha")[showers.label("pdg") == 211]).all()


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_incidence_is_undone_in_any_frame(axis: str) -> None:
    """Steps on the line of the particle come to lie on the axis, from a vertex in front of the surface too."""
    settings = IngestionSettings(depth_axis=axis)  # type: ignore[arg-type]
    direction = np.array([0.3, -0.2, np.sqrt(1 - 0.13)])
    start = np.array([5.0, 7.0, 0.0])
    along = (STACK.planes - start[2]) / direction[2]
    position = start + along[:, None] * direction
    # The axes follow each other in cyclic order from that of the depth.
    back = {"z": [0, 1, 2], "y": [2, 0, 1], "x": [1, 2, 0]}[axis]
    inverse = np.argsort(back)
    n = len(position)
    steps = Steps(
        np.zeros(n, int), position[:, inverse], np.full(n, 0.001), np.array([22]), np.zeros(1),
        4.0 * direction[None, inverse], start[None, inverse], np.zeros((1, 0)),
    )  # fmt: skip
    particles, points, _, lost = points_of_steps(steps, STACK, settings, Path("made up"))
    assert lost == 0
    np.testing.assert_allclose(points[:, :2], 0, atol=1e-9)
    np.testing.assert_array_equal(points[:, 2], np.arange(78))
    np.testing.assert_allclose(particles.direction[0], direction)
    assert particles.energy[0] == pytest.approx(4.0)


def test_a_particle_that_misses_the_stack_is_one_line() -> None:
    steps = Steps(
        np.zeros(1, int), np.array([[0.0, 0, 1812.0]]), np.ones(1), np.array([22]), np.zeros(1),
        np.array([[1.0, 0, 0]]), np.zeros((1, 3)), np.zeros((1, 0)),
    )  # fmt: skip
    with pytest.raises(InputError, match=r"branch 'MCParticles.momentum': particle 0 does not enter the stack"):
        points_of_steps(steps, STACK, IngestionSettings(), Path("a.root"))


def test_unusable_raw_files_are_one_line(showers_folder: Path, tmp_path: Path) -> None:
    def refused(path: Path, settings: IngestionSettings = INGESTION) -> str:
        with pytest.raises(InputError) as error:
            ingest([path], settings, "ild_like", 1, tmp_path / "out.h5")
        assert "\n" not in str(error.value)
        assert not (tmp_path / "out.h5").exists()
        return str(error.value)

    other = INGESTION.model_copy(update={"collections": ("HcalBarrelCollection", "Other")})
    assert "no branch 'OtherContributions.energy'" in refused(showers_folder / "0.root", other)
    (tmp_path / "text.root").write_text("no ROOT")
    assert "text.root: cannot be read as a ROOT file" in refused(tmp_path / "text.root")
    with uproot.recreate(tmp_path / "other.root") as file:
        file["Delphes"] = {"a": np.arange(3)}
    assert "no TTree 'events'" in refused(tmp_path / "other.root")
    whole = (showers_folder / "0.root").read_bytes()
    (tmp_path / "cut.root").write_bytes(whole[: len(whole) // 2])
    assert "cut.root" in refused(tmp_path / "cut.root")
    names = list(INGESTION.collections)
    steps = Steps(np.zeros(0, int), np.zeros((0, 3)), np.zeros(0), np.array([22]), np.zeros(1), np.ones((1, 3)),
                  np.zeros((1, 3)), np.zeros((1, 0)))  # fmt: skip
    with Edm4hepWriter(tmp_path / "geometry.root", names, {"geometry": "calo_challenge"}) as writer:
        writer.append(steps, np.zeros(0, int), np.zeros(0), np.zeros(0))
    assert "showers in the geometry 'calo_challenge', expected 'ild_like'" in refused(tmp_path / "geometry.root")


def test_parts_are_never_empty() -> None:
    with pytest.raises(InputError, match="the part 'validation' of 4 showers is empty"):
        split(4, INGESTION, 1, "a.h5")


def bad_part(**change: object) -> PackedPart:
    points = np.array([[0, 0, 0, 0.1], [1, 0, 3, 0.1]], np.float32)
    features = np.array([[2.0, 0, 0, 1]], np.float32)
    given = {"points": points, "counts": np.array([2]), "features": features, "labels": np.array([[22, 0]])}
    return PackedPart(**{**given, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (3, 0.0, "an energy that is not positive in shower 0"),
        (3, np.nan, "a value that is not finite"),
        (2, 78.0, "a layer outside of 0 to 77"),
        (2, 1.5, "a layer outside"),
        (3, 50.0, "add up to 50.1 GeV, its particle has 2 GeV: is the unit right"),
    ],
)
def test_points_that_no_shower_has_are_refused(column: int, value: float, message: str) -> None:
    points = bad_part().points.copy()
    points[1, column] = value
    with pytest.raises(InputError, match=message):
        refuse_bad_showers(bad_part(points=points), 78, "a.h5")


def test_order_copies_and_directions_are_checked() -> None:
    refuse_bad_showers(bad_part(), 78, "a.h5")
    with pytest.raises(InputError, match="not ordered by layer"):
        refuse_bad_showers(bad_part(points=bad_part().points[::-1]), 78, "a.h5")
    with pytest.raises(InputError, match="two points of shower 0 are the same"):
        refuse_bad_showers(bad_part(points=bad_part().points[[0, 0]]), 78, "a.h5")
    with pytest.raises(InputError, match="no direction into the stack"):
        refuse_bad_showers(bad_part(features=np.array([[2.0, 0, 0, -1]], np.float32)), 78, "a.h5")


def test_voxels_have_the_published_numbers_and_come_back(rng: np.random.Generator) -> None:
    assert [binning_of(name).voxels for name in BINNINGS] == [368, 533, 6480, 40500]
    assert [len(binning_of(name).edges) for name in BINNINGS] == [5, 7, 45, 45]
    for name in ("1_photons", "1_pions", "2"):
        binning = binning_of(name)
        voxels = rng.exponential(1.0, (5, binning.voxels)) * (rng.random((5, binning.voxels)) < 0.1)
        for places in (None, rng):
            points, owners = voxels_to_points(voxels, binning, places)
            np.testing.assert_allclose(points_to_voxels(points, owners, 5, binning), voxels, rtol=1e-9)


def test_voxels_are_ordered_by_layer_angle_and_radius() -> None:
    """(N, layer, alpha, r) with the radius fastest, as CaloChallenge reshapes them."""
    voxels = np.zeros((1, 45, 16, 9))
    voxels[0, 3, 4, 2] = 7.0
    points, _ = voxels_to_points(voxels.reshape(1, -1), binning_of("2"), None)
    x, y, layer, energy = points[0]
    assert (layer, energy) == (3, pytest.approx(0.007))
    assert np.hypot(x, y) == pytest.approx(2.5 * 4.65)
    assert np.arctan2(y, x) == pytest.approx(2 * np.pi * 4.5 / 16)


def challenge_file(path: Path, rng: np.random.Generator) -> np.ndarray:
    voxels = rng.exponential(2.0, (40, 6480)) * (rng.random((40, 6480)) < 0.02)
    with h5py.File(path, "w") as file:
        file["showers"] = voxels.astype(np.float32)
        file["incident_energies"] = np.full((40, 1), 5000.0, np.float32)
    return voxels


def test_calo_challenge_files_are_read_and_written(tmp_path: Path, rng: np.random.Generator) -> None:
    voxels = challenge_file(tmp_path / "in.h5", rng)
    source = FileSource(kind="files", layout="calo_challenge", title="a", files=("in.h5",), pdg=11, binning="2")
    settings = IngestionSettings(train=0.5, validation=0.1, threshold=0.01515)
    read([tmp_path / "in.h5"], source, settings, "calo_challenge", 1, tmp_path / "showers.h5")
    write(tmp_path / "showers.h5", "calo_challenge", "2", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        expected = np.where(voxels < 0.01515, 0, voxels)
        np.testing.assert_allclose(file["showers"][()], expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(file["incident_energies"][()], 5000.0)
    three = source.model_copy(update={"binning": "3"})
    with pytest.raises(InputError, match=r"key 'showers' is \(40, 6480\), data set 3 has 40500 voxels"):
        read([tmp_path / "in.h5"], three, settings, "calo_challenge", 1, tmp_path / "other.h5")


def test_energy_outside_of_the_rings_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    particles = Particles(np.array([1.0]), np.array([[0.0, 0.0, 1.0]]), np.array([11]))
    points = np.array([[10.0, 0.0, 3.0, 0.03], [50.0, 0.0, 3.0, 0.01]])
    with create_showers(tmp_path / "showers.h5", geometry_of("calo_challenge"), {}) as writer:
        writer.append(shower_part(particles, np.zeros(1, np.int64), points, np.array([2])))
    write(tmp_path / "showers.h5", "calo_challenge", "2", tmp_path / "out.h5")
    assert "25 % of the energy lies outside of the rings of data set 2" in capsys.readouterr().err


def test_energies_of_the_gun_are_above_masses() -> None:
    with pytest.raises(SettingsError, match=r"energy: 0\.5 GeV; a proton has a total energy of 0\.988 GeV"):
        parse(GunSettings, {"species": ["photon", "proton"], "energy": [0.5, 2], "showers": 10})


def test_showerdata_files_are_written_and_read(showers_folder: Path, tmp_path: Path) -> None:
    write(showers_folder / "showers.h5", "showerdata", "2", tmp_path / "out.h5")
    source = FileSource(kind="files", layout="showerdata", title="a", files=("out.h5",))
    settings = INGESTION.model_copy(update={"threshold": 0.0})
    read([tmp_path / "out.h5"], source, settings, "ild_like", 1, tmp_path / "again.h5")
    with open_showers(showers_folder / "showers.h5") as first, open_showers(tmp_path / "again.h5") as second:
        np.testing.assert_array_equal(first.counts, second.counts)
        np.testing.assert_array_equal(first.features[:, :4], second.features)
        rows = np.arange(len(first))
        one, two = first.take(rows), second.take(rows)
        np.testing.assert_array_equal(one.labels[:, 0], two.labels[:, 0])
        order = np.lexsort((one.points[:, 1], one.points[:, 0], one.points[:, 2], one.owners))
        np.testing.assert_array_equal(one.points[order], two.points)


@pytest.mark.skipif(importlib.util.find_spec("showerdata") is None, reason="needs the package showerdata")
def test_the_package_showerdata_reads_what_is_written(showers_folder: Path, tmp_path: Path) -> None:
    import showerdata

    write(showers_folder / "showers.h5", "showerdata", "2", tmp_path / "out.h5")
    showers = showerdata.load(str(tmp_path / "out.h5"))
    with open_showers(showers_folder / "showers.h5") as own:
        first = own.take(np.array([0]))
        np.testing.assert_array_equal(showers.points[0, : first.counts[0]], first.points)
        np.testing.assert_array_equal(showers.pdg, own.label("pdg"))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("pdg", None, "no key 'pdg'"), ("num_points", 10**6, "key 'num_points' of shower 0"), ("shape", 9, "key 'shape'")],
)
def test_damaged_showerdata_files_are_one_line(
    key: str, value: int | None, message: str, showers_folder: Path, tmp_path: Path
) -> None:
    write(showers_folder / "showers.h5", "showerdata", "2", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5", "r+") as file:
        if value is None:
            del file[key]
        else:
            file[key][0] = value
    source = FileSource(kind="files", layout="showerdata", title="a", files=("out.h5",))
    with pytest.raises(InputError, match=message):
        read([tmp_path / "out.h5"], source, INGESTION, "ild_like", 1, tmp_path / "again.h5")


@pytest.mark.parametrize("transposed", [False, True])
def test_calo_clouds_files_are_read(transposed: bool, tmp_path: Path, rng: np.random.Generator) -> None:
    """Padding stands in front; the depth is the number of the layer or a position."""
    events = np.zeros((12, 20, 4))
    for shower in range(12):
        n = 5 + shower // 2
        depth = rng.integers(0, 30, n)
        events[shower, 20 - n :] = np.column_stack(
            [rng.normal(0, 9, n), depth if transposed else STACK.planes[depth], rng.normal(0, 9, n), np.ones(n)]
        )
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["events"] = events.transpose(0, 2, 1) if transposed else events
        file["energy"] = np.full((12, 1), 10.0)
    source = FileSource(kind="files", layout="calo_clouds", title="a", files=("in.h5",), pdg=22)
    settings = IngestionSettings(train=0.4, validation=0.2)
    read([tmp_path / "in.h5"], source, settings, "ild_like", 1, tmp_path / "out.h5")
    with open_showers(tmp_path / "out.h5") as showers:
        assert showers.counts.tolist() == [5 + shower // 2 for shower in range(12)]
        part = showers.take(np.array([0]))
        np.testing.assert_allclose(part.points[:, 3], 1e-3)
        np.testing.assert_allclose(np.sort(part.points[:, 0]), np.sort(events[0, 15:, 0]), rtol=1e-6)
        np.testing.assert_allclose(np.sort(part.points[:, 1]), np.sort(events[0, 15:, 2]), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": "calo_challenge", "pdg": 22}, "binning: showers of CaloChallenge are read from"),
        ({"layout": "calo_clouds"}, "pdg: files of calo_clouds do not say"),
        ({"layout": "root"}, "layout"),
    ],
)
def test_sources_must_say_what_files_do_not(change: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse(FileSource, {"kind": "files", "title": "a", "files": ["a"], **change})


def test_other_files_are_no_showers(showers_folder: Path, tmp_path: Path) -> None:
    shutil.copy(showers_folder / "0.root", tmp_path / "a.h5")
    with pytest.raises(InputError, match=r"a\.h5: cannot be read as packed clouds"), open_showers(tmp_path / "a.h5"):
        pass
    particles = Particles(np.array([2.0]), np.array([[0.0, 0, 1]]), np.array([22]))
    with create_showers(tmp_path / "b.h5", STACK, {}) as writer:
        writer.append(shower_part(particles, np.zeros(1, int), np.array([[0.0, 0, 1, 0.1]]), np.array([1])))
        writer.add_meta({"geometry": "elsewhere"})
    with pytest.raises(InputError, match="geometry 'elsewhere' is none of"), open_showers(tmp_path / "b.h5"):
        pass
