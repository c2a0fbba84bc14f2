"""Labelled jets of public layouts: small files of each, value by value."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from labelled_files import (
    random_jets,
    write_jetclass2,
)
from labelled_layouts import LAYOUTS, clouds_of
from project_copy import REPOSITORY

from cloudchamber.classification.jets import combine_classes
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.labelled_jets import read_labelled_jets
from cloudchamber.readers import top_tagging
from cloudchamber.settings.data import LabelledJetSettings, SplitSettings
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingJetsSettings

JETS = 120


def expected(jet: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Return pT, eta, phi of the constituents, hardest first, and the features of the jet, by the textbook."""
    px, py, pz, energy = jet.astype(float).T
    pt = np.sqrt(px**2 + py**2)
    eta = -np.log(np.tan(np.arctan2(pt, pz) / 2))
    order = np.argsort(-pt.astype("f4"), kind="stable")
    sums = px.sum(), py.sum(), pz.sum(), energy.sum()
    jet_pt = np.hypot(*sums[:2])
    jet_eta = -np.log(np.tan(np.arctan2(jet_pt, sums[2]) / 2))
    mass2 = sums[3] ** 2 - sums[0] ** 2 - sums[1] ** 2 - sums[2] ** 2
    features = [jet_pt, jet_eta, np.arctan2(sums[1], sums[0]), np.sqrt(max(mass2, 0)), len(jet)]
    return np.column_stack([pt, eta, np.arctan2(py, px)])[order], features


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_values(tmp_path: Path, rng: np.random.Generator, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_tagging, "_JETS_PER_STEP", 50)
    layout, write, classes = LAYOUTS[name]
    jets, labels = random_jets(rng, JETS), rng.integers(classes, size=JETS)
    path = write(tmp_path / "jets", jets, labels)
    clouds = clouds_of(path, layout)
    assert [(column.name, column.unit) for column in clouds.point_columns] == [
        ("pt", "GeV"),
        ("eta", "1"),
        ("phi", "rad"),
    ]
    names = ["jet_pt", "jet_eta", "jet_phi", "jet_mass", "n_constituents"]
    assert [column.name for column in clouds.feature_columns] == names
    np.testing.assert_array_equal(clouds.label("class"), labels)
    np.testing.assert_array_equal(clouds.label("event"), np.arange(JETS))
    assert not clouds.label("file").any()
    assert not clouds.label("jet").any()
    dropped, lost = 0, []
    for row, jet in enumerate(jets):
        points, features = expected(jet)
        kept = min(len(jet), 25)
        assert clouds.mask[row].sum() == kept
        np.testing.assert_allclose(clouds.points[row, :kept], points[:kept], rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(clouds.features[row], features, rtol=1e-5, atol=1e-4)
        dropped += len(jet) - kept
        lost.append(points[kept:, 0].sum() / points[:, 0].sum())
    assert clouds.meta["jets"] == {"read": JETS, "without_constituents": 0, "outside_windows": 0}
    assert clouds.meta["truncation"]["particles_dropped"] == dropped > 0
    assert clouds.meta["truncation"]["mean_lost_pt_fraction"] == pytest.approx(np.mean(lost), rel=1e-4)
    assert clouds.meta["layout"] == layout


@pytest.mark.parametrize("name", ["top_tagging", "jetclass", "jetclass2"])
def test_classes_of_the_tagging_study(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    layout, write, classes = LAYOUTS[name]
    jets, labels = random_jets(rng, JETS), rng.integers(max(0, classes - 3), classes, size=JETS)
    clouds = clouds_of(write(tmp_path / "jets", jets, labels), layout)
    chosen = {"last": classes - 1, "one_before": classes - 2}
    of_study = tuple(
        JetClassSettings(name=item, title=item, file=str(tmp_path / "clouds.h5"), label=label)
        for item, label in chosen.items()
    )
    windows = {"pt_window": (0.0, 1e6), "mass_window": (0.0, 1e6), "eta_max": 50.0}
    split = SplitSettings(train=0.5, validation=0.2)
    combine_classes(
        TaggingJetsSettings(classes=of_study, flat=False, max_particles=25, split=split, **windows),
        1,
        tmp_path / "tagging.h5",
    )
    made = read_clouds(tmp_path / "tagging.h5")
    for position, label in enumerate(chosen.values()):
        rows = made.label("class") == position
        np.testing.assert_array_equal(made.label("event")[rows], np.flatnonzero(labels == label))
        np.testing.assert_array_equal(made.feature("jet_mass")[rows], clouds.feature("jet_mass")[labels == label])


def test_several_files_and_steps(tmp_path: Path, rng: np.random.Generator) -> None:
    jets = random_jets(rng, 5000, 4)
    labels = rng.integers(188, size=5000)
    write_jetclass2(tmp_path / "a.parquet", jets[:4500], labels[:4500], rows=700)
    write_jetclass2(tmp_path / "b.parquet", jets[4500:], labels[4500:])
    clouds = clouds_of([tmp_path / "b.parquet", tmp_path / "a.parquet"], "jetclass2", 4)
    np.testing.assert_array_equal(clouds.label("class"), labels)
    np.testing.assert_array_equal(clouds.label("file"), np.repeat([0, 1], [4500, 500]))
    np.testing.assert_array_equal(clouds.label("event"), [*range(4500), *range(500)])
    assert [Path(path).name for path in clouds.meta["files"]] == ["a.parquet", "b.parquet"]
    single = write_jetclass2(tmp_path / "c.parquet", jets[4321:4322], labels[4321:4322])
    np.testing.assert_array_equal(clouds_of(single, "jetclass2", 4).points[0], clouds.points[4321])


def test_files_in_different_units_are_refused(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    jets = random_jets(rng, 40)
    write_jetclass2(tmp_path / "a.parquet", jets[:20], [0] * 20)
    write_jetclass2(tmp_path / "b.parquet", [1000 * jet for jet in jets[20:]], [1] * 20)
    files, settings = [tmp_path / "a.parquet", tmp_path / "b.parquet"], LabelledJetSettings(max_particles=60)
    with pytest.raises(InputError, match=r"b\.parquet: the typical pT .*a\.parquet .* different units"):
        read_labelled_jets(files, "jetclass2", settings, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()
    # Alone there is nothing to compare them with.
    read_labelled_jets(files[:1], "jetclass2", settings, tmp_path / "out.h5")
    assert "typical pT" not in capsys.readouterr().err
    read_labelled_jets(files[1:], "jetclass2", settings, tmp_path / "out.h5")
    assert "WARNING: the typical pT of constituents is" in capsys.readouterr().err


def test_files_whose_jets_were_cut_are_said(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    jets = random_jets(rng, 200)
    jets = [np.concatenate([jet] * 4)[: 12 + number % 9] for number, jet in enumerate(jets) if len(jet) > 4]
    write_jetclass2(tmp_path / "whole.parquet", jets, [0] * len(jets))
    write_jetclass2(tmp_path / "cut.parquet", [1.5 * jet[:14] for jet in jets], [0] * len(jets))
    clouds_of([tmp_path / "whole.parquet"], "jetclass2")
    clouds_of([tmp_path / "cut.parquet"], "jetclass2")
    assert "were they cut" not in capsys.readouterr().err
    clouds_of([tmp_path / "cut.parquet", tmp_path / "whole.parquet"], "jetclass2")
    said = capsys.readouterr().err
    assert f"of {len(jets)} jets in {tmp_path}/cut.parquet have 14 constituents and none has more" in said
    assert "jets have up to 20: were they cut?" in said


def test_windows_and_what_is_left_out(tmp_path: Path) -> None:
    """A jet of mass 10, one without a particle, one along the beam, one with a particle along the beam, a light one."""
    along = np.array([[0, 0, 50, 50]], "f4")
    heavy = np.array([[30, 0, 5, np.hypot(30, 5)], [30, 20, 5, np.sqrt(1325)]], "f4")
    light = np.array([[60, 0, 0, 60]], "f4")
    jets = [heavy, np.zeros((0, 4), "f4"), along, np.concatenate([heavy, along]), light]
    path = write_jetclass2(tmp_path / "a.parquet", jets, [3, 1, 4, 1, 5])
    clouds = clouds_of(path, "jetclass2")
    assert clouds.label("class").tolist() == [3, 1, 5]
    np.testing.assert_array_equal(clouds.points[0], clouds.points[1])
    assert clouds.feature("n_constituents").tolist() == [2, 2, 1]
    assert clouds.meta["jets"] == {"read": 5, "without_constituents": 2, "outside_windows": 0}
    assert clouds.meta["constituents"] == {"massless": False, "without_direction": 2}
    mass = float(clouds.feature("jet_mass")[0])
    assert mass == pytest.approx(np.sqrt((np.hypot(30, 5) + np.sqrt(1325)) ** 2 - 60**2 - 20**2 - 10**2), rel=1e-6)
    chosen = clouds_of(path, "jetclass2", mass_window=[1.0, 1.01 * mass])
    assert chosen.label("class").tolist() == [3, 1]
    assert chosen.meta["jets"]["outside_windows"] == 1
    assert clouds_of(path, "jetclass2", pt_window=[0.0, 61.0]).label("class").tolist() == [5]
    assert clouds_of(path, "jetclass2", eta_max=0.1).label("class").tolist() == [5]
    with pytest.raises(InputError, match=r"a\.parquet: nothing passes the selection: 5 jets read; 2 without"):
        clouds_of(path, "jetclass2", pt_window=[1000.0, 1001.0])


def test_the_public_example(tmp_path: Path) -> None:
    """100 jets of JetClass-II against what is stored beside the momenta.

    The stored axis and energy of the jets are not those of the sum of the constituents, pT and phi are.
    """
    source = REPOSITORY.parent / "shared/data/jets/sophon_JetClassII_example.parquet"
    if not source.exists():
        pytest.skip(f"no public example of JetClass-II at {source}")
    output = tmp_path / "clouds.h5"
    read_labelled_jets([source], "jetclass2", LabelledJetSettings(max_particles=128), output)
    clouds, table = read_clouds(output), pq.read_table(source)
    stored = {name: table[f"jet_{name}"].to_numpy() for name in ("pt", "eta", "phi", "nparticles", "label")}
    assert len(clouds) == 100
    np.testing.assert_array_equal(clouds.label("class"), stored["label"])
    np.testing.assert_array_equal(clouds.multiplicity, stored["nparticles"])
    np.testing.assert_array_equal(clouds.feature("n_constituents"), stored["nparticles"])
    for name in ("pt", "phi"):
        np.testing.assert_allclose(clouds.feature(f"jet_{name}"), stored[name], rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(clouds.feature("jet_eta"), stored["eta"], atol=0.1)
    # The stored differences of eta have the sign of the jet's own.
    offset, sign, angle = stored["eta"], np.sign(stored["eta"]), stored["phi"]
    columns = [table[f"part_{name}"].to_pylist() for name in ("px", "py", "deta", "dphi")]
    for row, (px, py, deta, dphi) in enumerate(zip(*columns, strict=True)):
        pt, eta, phi = clouds.points[row, : len(px)].T
        np.testing.assert_allclose(pt, np.sort(np.hypot(px, py))[::-1], rtol=1e-6)
        np.testing.assert_allclose(np.sort(eta), np.sort(sign[row] * np.array(deta) + offset[row]), atol=2e-6)
        found, known = (np.sort(np.cos(values)) for values in (phi, np.array(dphi) + angle[row]))
        np.testing.assert_allclose(found, known, atol=2e-6)
