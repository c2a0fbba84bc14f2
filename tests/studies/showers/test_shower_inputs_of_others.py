"""Files of others: copies, other units and geometries, impossible energies and event weights are told."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from shower_files import INGESTION

from cloudchamber.analysis import plan
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.settings.layers import layered
from cloudchamber.studies.showers.copies import PARTS, split
from cloudchamber.studies.showers.ingest import ingest
from cloudchamber.studies.showers.observables import observe
from cloudchamber.studies.showers.read import read
from cloudchamber.studies.showers.settings import ShowersSettings
from cloudchamber.studies.showers.shower_file import open_showers
from cloudchamber.studies.showers.source_settings import FileSource, IngestionSettings
from cloudchamber.studies.showers.write import write

SETTINGS = IngestionSettings(train=0.5, validation=0.1)
CHALLENGE = FileSource(kind="files", layout="calo_challenge", title="a", files=("a",), pdg=11, binning="2")
SHOWERDATA = FileSource(kind="files", layout="showerdata", title="a", files=("a",))
REPOSITORY = Path(__file__).parents[3]


def challenge_file(path: Path, change: Callable[[h5py.File], None] | None = None, showers: int = 40) -> Path:
    rng = np.random.default_rng(1)
    voxels = rng.exponential(2.0, (showers, 6480)) * (rng.random((showers, 6480)) < 0.02)
    with h5py.File(path, "w") as file:
        file["showers"] = voxels.astype(np.float32)
        file["incident_energies"] = rng.uniform(3000.0, 6000.0, (showers, 1)).astype(np.float32)
        if change is not None:
            change(file)
    return path


def read_challenge(*paths: Path, output: Path, geometry: str = "calo_challenge") -> None:
    read(list(paths), CHALLENGE, SETTINGS, geometry, 1, output)


@pytest.mark.parametrize("layout", ["calo_challenge", "edm4hep"])
def test_a_shower_and_its_copy_are_in_one_part(
    layout: str, tmp_path: Path, showers_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the places of the points are drawn anew."""
    output = tmp_path / "showers.h5"
    if layout == "edm4hep":
        (tmp_path / "copy.root").write_bytes((showers_folder / "0.root").read_bytes())
        ingest([showers_folder / "0.root", tmp_path / "copy.root"], INGESTION, "ild_like", 1, output)
    else:
        read_challenge(challenge_file(tmp_path / "a.h5"), challenge_file(tmp_path / "b.h5"), output=output)
    with open_showers(output, PARTS) as showers:
        number = len(showers) // 2
        filled = showers.counts > 0
        parts = {name: {row % number for row in showers.part(name) if filled[row]} for name in PARTS}
        assert len(showers.part("test")) == len(showers.part("asked"))
    for name, rows in parts.items():
        others = set.union(*(rows for other, rows in parts.items() if other != name))
        assert not rows & others
    assert f"showers: WARNING: {filled.sum() // 2} of {2 * number} showers are identical to an earlier one" in (
        capsys.readouterr().err
    )


def test_voxels_of_calo_challenge_are_over_the_sampling_fraction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They add up to about the energy of the particle, as in the published data sets 2 and 3."""

    def scale(file: h5py.File) -> None:
        voxels = file["showers"][()].astype(np.float64)
        file["showers"][...] = 0.98 * voxels / voxels.sum(axis=1, keepdims=True) * file["incident_energies"][()]

    path = challenge_file(tmp_path / "a.h5", scale)
    with h5py.File(path) as file:
        total = file["showers"][()].sum(axis=1) / 1e3
    read_challenge(path, output=tmp_path / "showers.h5")
    with open_showers(tmp_path / "showers.h5") as showers:
        rows = np.arange(len(showers))
        part = showers.take(rows)
        left = np.bincount(part.owners, part.points[:, 3], minlength=len(rows))
        np.testing.assert_allclose(left, 0.033 * total, rtol=1e-4)
        found = observe(showers, rows, np.random.default_rng(1))
    np.testing.assert_allclose(found.values["response"], 0.98, rtol=0.01)
    assert "over the sampling fractions" not in capsys.readouterr().err


@pytest.mark.parametrize(("share", "said"), [(0.033, "0.033"), (4.0, "4")])
def test_energies_of_another_scale_are_said(
    share: float, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As those left in the active material in place of voxels of CaloChallenge."""

    def scale(file: h5py.File) -> None:
        voxels = file["showers"][()].astype(np.float64)
        file["showers"][...] = share * voxels / voxels.sum(axis=1, keepdims=True) * file["incident_energies"][()]

    read_challenge(challenge_file(tmp_path / "a.h5", scale), output=tmp_path / "showers.h5")
    assert f"make {said} times the energy of its particle over the sampling fractions of 'calo_challenge'" in (
        capsys.readouterr().err
    )


def test_a_file_is_read_once_by_whatever_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = challenge_file(tmp_path / "a.h5")
    (tmp_path / "link.h5").symlink_to(path)
    read_challenge(path, tmp_path / "link.h5", path, output=tmp_path / "showers.h5")
    with open_showers(tmp_path / "showers.h5") as showers:
        assert len(showers) == 40
    assert "identical" not in capsys.readouterr().err


def test_showers_that_models_cannot_be_judged_with_are_said_before_any_training(
    tmp_path: Path, showers_folder: Path
) -> None:
    settings = INGESTION.model_copy(update={"train": 0.8, "validation": 0.1})
    output = tmp_path / "showers.h5"
    ingest([showers_folder / "0.root"], settings, "ild_like", 1, output)
    with open_showers(output) as showers:
        pdg = showers.label("pdg")
        parts = [pdg[showers.part(name)] for name in ("test", "asked")]
        of_species = [int((part == code).sum()) for part in parts for code in (22, 211)]
        fewest = min(*map(len, parts), *(2 * number for number in of_species))
    output.unlink()
    ingest([showers_folder / "0.root"], settings, "ild_like", 1, output, fewest=fewest)
    output.unlink()
    for asked, said in ((fewest + 1, "has .* are needed"), (1000, "has 15 of 300 showers, 1000 are needed")):
        with pytest.raises(InputError, match=f"the part '(test|asked)' {said}"):
            ingest([showers_folder / "0.root"], settings, "ild_like", 1, output, fewest=asked)
        assert not output.exists()
    path = challenge_file(tmp_path / "a.h5")
    with pytest.raises(InputError, match="the part 'test' has 8 of 40 showers, 20 are needed"):
        read([path], CHALLENGE, SETTINGS, "calo_challenge", 1, output, fewest=20)


def test_without_copies_parts_are_as_before() -> None:
    content = np.arange(103, dtype=np.uint64)
    for name, rows in split(103, SETTINGS, 1, "a").items():
        np.testing.assert_array_equal(rows, split(103, SETTINGS, 1, "a", content)[name])


def _nan(file: h5py.File) -> None:
    file["showers"][3, 7] = np.nan


def _negative(file: h5py.File) -> None:
    file["showers"][3, 7] = -5.0


def _gev(file: h5py.File) -> None:
    for key in ("showers", "incident_energies"):
        file[key][...] = file[key][()] * 1e-3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_nan, "an energy of nan in shower 3"),
        (_negative, "an energy of -5 in shower 3"),
        (_gev, r"key 'incident_energies': the median is 4\.\d+, expected MeV"),
    ],
)
def test_voxels_of_no_energy_or_in_another_unit_are_refused(
    change: Callable[[h5py.File], None], said: str, tmp_path: Path
) -> None:
    path = challenge_file(tmp_path / "a.h5", change)
    with pytest.raises(InputError, match=rf"a\.h5: {said}"):
        read_challenge(path, output=tmp_path / "showers.h5")
    assert not (tmp_path / "showers.h5").exists()


@pytest.mark.parametrize(
    ("key", "said"),
    [("showers", "an energy of nan in shower 5"), ("energies", "add up to .* of the energy of its particle .median.")],
)
def test_showerdata_of_no_energy_or_in_another_unit_are_refused(
    key: str, said: str, tmp_path: Path, showers_folder: Path
) -> None:
    path = tmp_path / "a.h5"
    write(showers_folder / "showers.h5", "showerdata", "2", path)
    with h5py.File(path, "r+") as file:
        if key == "energies":
            file[key][...] = file[key][()] * 1000
        else:
            points = file[key][5].copy()
            points[3] = np.nan
            file[key][5] = points
    with pytest.raises(InputError, match=rf"a\.h5: .*{said}"):
        read([path], SHOWERDATA, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")


@pytest.mark.parametrize(
    ("factors", "layer", "message"),
    [
        ((1, 1, 1, 1000), 0, "the median energy of a particle is 9e"),
        ((0.1, 0.1, 1, 1), 0, "lies 1.* mm from its axis .median.: are x and y in mm"),
        ((1, 1, 1, 1), 1, "none of 200 showers has a point in layer 0"),
    ],
    ids=["MeV", "cm", "layers from one"],
)
def test_showerdata_in_other_units_or_layers_are_refused(
    factors: tuple[float, ...], layer: int, message: str, tmp_path: Path
) -> None:
    """Energies and points in one other unit fit each other."""
    rng = np.random.default_rng(2)
    place = np.stack([*rng.normal(0, 10, (2, 200, 40)), rng.integers(0, 60, (200, 40)), rng.exponential(1, (200, 40))])
    points, energies = place.transpose(1, 2, 0), np.full((200, 1), 90.0)

    def write_file(path: Path, points: np.ndarray, energies: np.ndarray) -> None:
        with h5py.File(path, "w") as file:
            data = file.create_dataset("showers", (200,), dtype=h5py.vlen_dtype(np.float32))
            for row, values in enumerate(points):
                data[row] = values.ravel()
            file["shape"], file["num_points"] = np.array([200, 40, 4]), np.full(200, 40)
            file["energies"], file["pdg"] = energies, np.full(200, 22)
            file["directions"] = np.tile([0.0, 0.0, 1.0], (200, 1))

    write_file(tmp_path / "right.h5", points, energies)
    read([tmp_path / "right.h5"], SHOWERDATA, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")
    write_file(tmp_path / "wrong.h5", points * factors + np.array([0, 0, layer, 0]), energies * factors[3])
    with pytest.raises(InputError, match=rf"wrong\.h5: .*{message}"):
        read([tmp_path / "wrong.h5"], SHOWERDATA, SETTINGS, "ild_like", 1, tmp_path / "other.h5")
    assert not (tmp_path / "other.h5").exists()


def test_calo_clouds_of_no_energy_are_refused(tmp_path: Path) -> None:
    events = np.zeros((12, 20, 4))
    events[:, :5] = [1.0, 3.0, 1.0, 2.0]
    events[4, 2, 3] = np.nan
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"], file["energy"] = events, np.full(12, 10.0)
    source = FileSource(kind="files", layout="calo_clouds", title="a", files=("a",), pdg=22)
    with pytest.raises(InputError, match=r"a\.h5: an energy of nan in shower 4"):
        read([tmp_path / "a.h5"], source, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")


def test_voxels_are_in_their_own_geometry(tmp_path: Path) -> None:
    path = challenge_file(tmp_path / "a.h5")
    with pytest.raises(SettingsError, match="geometry: 'ild_like' has not the layers of CaloChallenge"):
        read_challenge(path, output=tmp_path / "showers.h5", geometry="ild_like")
    whole = layered({"studies": ["showers"], "showers": {"source": CHALLENGE.model_dump()}}, REPOSITORY, ["showers"])
    with pytest.raises(SettingsError, match="geometry: showers of CaloChallenge are in its own"):
        parse(ShowersSettings, whole["showers"])
    # What the default says of its own showers does not act on those of the user.
    made = parse(ShowersSettings, {**whole["showers"], "geometry": "calo_challenge"})
    assert (made.title, made.ingestion) == ("showers", IngestionSettings())


def test_files_of_showers_are_in_the_table_of_data(tmp_path: Path) -> None:
    """By paths and wildcards, each once."""
    path = challenge_file(tmp_path / "a.h5")
    (tmp_path / "link.h5").symlink_to(path)
    source = {**CHALLENGE.model_dump(), "files": [str(tmp_path / "*.h5")]}
    config = {"studies": ["showers"], "showers": {"source": source, "geometry": "calo_challenge"}}
    made = plan(config, REPOSITORY)
    assert made.sources.all_own_files() == [str(path)]
    # The parametrisation is read with the threshold of voxels, on energies in the active material.
    read_with = json.loads(made.studies["showers"].parametrised_settings)  # type: ignore[attr-defined]
    assert read_with["threshold"] == pytest.approx(0.033 * IngestionSettings().threshold)
    assert {"file": str(path), "source": "file of the user: showers"} in made.sources.all_files()
    config["showers"]["source"]["files"] = [str(tmp_path / "*.hdf5")]  # type: ignore[index]
    with pytest.raises(SettingsError, match=r"showers\.source\.files: .*\*\.hdf5: no file matches"):
        _ = plan(config, REPOSITORY).studies["showers"].files  # type: ignore[attr-defined]


def calo_clouds_file(path: Path, place: tuple[float, float] = (0.0, 0.0), room: int = 40, **more: Any) -> Path:
    """Write showers about a place, in the first ten layers, of some 30 points each as far as there is room."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(0, 12, (2, 60, 40)) + np.array(place)[:, None, None]
    there = np.arange(40) < np.minimum(np.round(rng.normal(30, 4, 60)), room)[:, None]
    events = np.stack([x, rng.integers(0, 10, (60, 40)), z, there * rng.exponential(4.0, (60, 40))], axis=1)
    with h5py.File(path, "w") as file:
        for name, values in {"events": events, "energy": np.full((60, 1), 10.0), **more}.items():
            file[name] = values
    return path


def test_showers_beside_their_axis_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As those of a gun that stood 40 mm beside the origin."""
    source = FileSource(kind="files", layout="calo_clouds", title="a", files=("a",), pdg=22)
    for name, place in (("at", (0.0, 0.0)), ("beside", (0.0, 40.0))):
        path = calo_clouds_file(tmp_path / f"{name}.h5", place)
        read([path], source, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")
        said = capsys.readouterr().err
        assert ("WARNING" in said) == (name == "beside")
    assert re.search(r"lies about x = -?0\.\d+, y = (39|40)\.?\d* mm \(median\) in .*beside\.h5: distances", said)


@pytest.mark.parametrize("oblique", [False, True])
def test_oblique_showers_of_calo_clouds_are_not_taken_for_straight_ones(oblique: bool, tmp_path: Path) -> None:
    directions = np.tile([0.0, np.sin(0.3), np.cos(0.3)] if oblique else [0.0, 0.0, 1.0], (60, 1))
    path = calo_clouds_file(tmp_path / "a.h5", p_norm_local=directions)
    source = FileSource(kind="files", layout="calo_clouds", title="a", files=("a",), pdg=22)
    if oblique:
        with pytest.raises(InputError, match=r"a\.h5: key 'p_norm_local': showers are oblique"):
            read([path], source, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")
    else:
        read([path], source, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")


def test_showers_that_were_cut_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers of points fall off gently; where there was no room for more, many showers have the largest."""
    source = FileSource(kind="files", layout="calo_clouds", title="a", files=("a",), pdg=22)
    for room in (40, 30):
        path = calo_clouds_file(tmp_path / f"{room}.h5", room=room)
        read([path], source, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")
        said = capsys.readouterr().err
        assert ("WARNING" in said) == (room == 30)
    assert re.search(r"WARNING: [23]\d of 60 showers in .*30\.h5 have 30 points and none has more: were they cut", said)


def test_a_file_without_showers_is_one_line(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["showers"], file["incident_energies"] = np.zeros((0, 6480)), np.zeros((0, 1))
    with pytest.raises(InputError, match=r"a\.h5: no showers"):
        read_challenge(challenge_file(tmp_path / "b.h5"), tmp_path / "a.h5", output=tmp_path / "showers.h5")
    assert not (tmp_path / "showers.h5").exists()
