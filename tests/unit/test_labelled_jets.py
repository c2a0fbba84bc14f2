"""Labelled jets of public layouts: small files of each, value by value."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labelled_files import (
    Jets,
    random_jets,
    top_tagging_names,
    write_jetclass,
    write_jetclass2,
    write_top_tagging,
    write_top_tagging_columns,
)
from project_copy import REPOSITORY

from cloudchamber.classification.jets import combine_classes
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.labelled_jets import read_labelled_jets
from cloudchamber.readers import top_tagging
from cloudchamber.readers.jetclass2 import read_jetclass2
from cloudchamber.settings.data import LabelledJetSettings, SplitSettings
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingJetsSettings

JETS = 120


def one_hot(labels: Sequence[int]) -> np.ndarray:
    return np.eye(10)[np.asarray(labels)]


def write_one_hot(path: Path, jets: Jets, labels: Sequence[int]) -> Path:
    return write_jetclass(path, jets, one_hot(labels))


def write_reordered(protocol: int) -> Callable[[Path, Jets, Sequence[int]], Path]:
    """Return a writer of blocks whose columns have another order, which only their names tell."""
    names = (sorted(top_tagging_names()), ["is_signal_new", "ttv"])
    return lambda path, jets, labels: write_top_tagging(path, jets, labels, names, protocol)


# Layout, writer and number of classes.
LAYOUTS: dict[str, tuple[Any, Callable[[Path, Jets, Sequence[int]], Path], int]] = {
    "top_tagging": ("top_tagging", write_top_tagging, 2),
    "named blocks": ("top_tagging", write_reordered(0), 2),
    "named blocks, new pickles": ("top_tagging", write_reordered(4), 2),
    "columns": ("top_tagging", write_top_tagging_columns, 2),
    "jetclass": ("jetclass", write_one_hot, 10),
    "jetclass2": ("jetclass2", write_jetclass2, 188),
}


def run(path: Path | list[Path], layout: Any, max_particles: int = 25, **settings: Any) -> Clouds:
    files = path if isinstance(path, list) else [path]
    output = files[0].with_name("clouds.h5")
    chosen = {"eta_max": 50.0, "max_particles": max_particles, **settings}
    read_labelled_jets(files, layout, LabelledJetSettings.model_validate(chosen), output)
    return read_clouds(output)


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
    clouds = run(path, layout)
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
    clouds = run(write(tmp_path / "jets", jets, labels), layout)
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
    clouds = run([tmp_path / "b.parquet", tmp_path / "a.parquet"], "jetclass2", 4)
    np.testing.assert_array_equal(clouds.label("class"), labels)
    np.testing.assert_array_equal(clouds.label("file"), np.repeat([0, 1], [4500, 500]))
    np.testing.assert_array_equal(clouds.label("event"), [*range(4500), *range(500)])
    assert [Path(path).name for path in clouds.meta["files"]] == ["a.parquet", "b.parquet"]
    single = write_jetclass2(tmp_path / "c.parquet", jets[4321:4322], labels[4321:4322])
    np.testing.assert_array_equal(run(single, "jetclass2", 4).points[0], clouds.points[4321])


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
    run([tmp_path / "whole.parquet"], "jetclass2")
    run([tmp_path / "cut.parquet"], "jetclass2")
    assert "were they cut" not in capsys.readouterr().err
    run([tmp_path / "cut.parquet", tmp_path / "whole.parquet"], "jetclass2")
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
    clouds = run(path, "jetclass2")
    assert clouds.label("class").tolist() == [3, 1, 5]
    np.testing.assert_array_equal(clouds.points[0], clouds.points[1])
    assert clouds.feature("n_constituents").tolist() == [2, 2, 1]
    assert clouds.meta["jets"] == {"read": 5, "without_constituents": 2, "outside_windows": 0}
    assert clouds.meta["constituents"] == {"massless": False, "without_direction": 2}
    mass = float(clouds.feature("jet_mass")[0])
    assert mass == pytest.approx(np.sqrt((np.hypot(30, 5) + np.sqrt(1325)) ** 2 - 60**2 - 20**2 - 10**2), rel=1e-6)
    chosen = run(path, "jetclass2", mass_window=[1.0, 1.01 * mass])
    assert chosen.label("class").tolist() == [3, 1]
    assert chosen.meta["jets"]["outside_windows"] == 1
    assert run(path, "jetclass2", pt_window=[0.0, 61.0]).label("class").tolist() == [5]
    assert run(path, "jetclass2", eta_max=0.1).label("class").tolist() == [5]
    with pytest.raises(InputError, match=r"a\.parquet: nothing passes the selection: 5 jets read; 2 without"):
        run(path, "jetclass2", pt_window=[1000.0, 1001.0])


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


def changed(values: list[np.ndarray], value: float, column: int = 0) -> list[np.ndarray]:
    """Return the jets with another value in the third."""
    jets = [jet.copy() for jet in values]
    jets[2][0, column] = value
    return jets


def three_jets(rng: np.random.Generator) -> list[np.ndarray]:
    return random_jets(rng, 3, 5)


WRONG: list[tuple[str, Callable[[Path, list[np.ndarray]], Any], str]] = [
    (
        "top_tagging",
        lambda path, jets: write_top_tagging(path, changed(jets, np.nan), [0, 1, 0]),
        "'PX' is not finite or not physical in entry 2",
    ),
    (
        "top_tagging",
        lambda path, jets: write_top_tagging(path, jets, [0, 2, 1]),
        "'is_signal_new' is 2 in entry 1, expected 0 or 1",
    ),
    (
        "top_tagging",
        lambda path, jets: write_top_tagging(path, jets, [0, 0, 1], (top_tagging_names()[1:], ["is_signal_new"])),
        "no column 'E_0'",
    ),
    ("jetclass", lambda path, jets: write_jetclass(path, jets, np.zeros((3, 10))), "in entry 0, but all zero"),
    (
        "jetclass",
        lambda path, jets: write_jetclass(path, jets, one_hot([1, 2, 3]) + one_hot([1, 5, 3]) * [[0], [1], [0]]),
        "in entry 1, but {'label_Hcc': 1, 'label_Hqql': 1}",
    ),
    (
        "jetclass",
        lambda path, jets: write_jetclass(path, jets, one_hot([1, 2, 3]) * 2),
        "in entry 0, but {'label_Hbb': 2}",
    ),
    (
        "jetclass",
        lambda path, jets: write_jetclass(path, jets, one_hot([1, 2, 3]) / 2),
        "branch 'label_Hbb' is 0.5 in entry 0, expected a whole number",
    ),
    (
        "jetclass",
        lambda path, jets: write_jetclass(path, jets, one_hot([0, 0, 0]), label_Tbl=None),
        "no branch 'label_Tbl'; there are ['jet_nparticles', 'label_H4q'",
    ),
    (
        "jetclass",
        lambda path, jets: write_jetclass(path, changed(jets, -1, 3), one_hot([0, 0, 0])),
        "'part_energy' is not finite or not physical in entry 2",
    ),
    (
        "jetclass",
        lambda path, jets: write_jetclass(path, jets, one_hot([0, 0, 0]), part_px=np.zeros(3)),
        "branch 'part_px' holds 'double', expected a list of numbers",
    ),
    ("jetclass2", lambda path, jets: write_jetclass2(path, jets, [0, 188, 1]), "'jet_label' is 188 in entry 1"),
    (
        "jetclass2",
        lambda path, jets: write_jetclass2(path, jets, [0, 1, 1], jet_label=None),
        "no column 'jet_label'; there are ['jet_nparticles'",
    ),
    (
        "jetclass2",
        lambda path, jets: write_jetclass2(path, jets, [0, 1, 1], jet_label=pa.array([1, None, 2])),
        "'jet_label' has missing values",
    ),
    (
        "jetclass2",
        lambda path, jets: write_jetclass2(path, jets, [0, 1, 1], part_pz=pa.array([[1.0], None, [2.0]])),
        "'part_pz' has entries without a list",
    ),
    (
        "jetclass2",
        lambda path, jets: write_jetclass2(path, jets, [0, 1, 1], part_pz=pa.array([["a"], ["b"], []])),
        "'part_pz' holds 'list<element: string>', expected lists of numbers",
    ),
    (
        "jetclass2",
        lambda path, jets: write_jetclass2(path, jets, [0, 1, 1], part_pz=pa.array([[1.0], [], [2.0] * 9])),
        "'part_pz' has not as many values as 'part_px' in entry",
    ),
    (
        "jetclass2",
        lambda path, jets: write_jetclass2(path, changed(jets, np.inf, 1), [0, 1, 1]),
        "'part_py' is not finite or not physical in entry 2",
    ),
]


@pytest.mark.parametrize(("layout", "write", "message"), WRONG, ids=[f"{item[0]}: {item[2][:40]}" for item in WRONG])
def test_what_is_wrong_is_one_line(
    tmp_path: Path, rng: np.random.Generator, layout: str, write: Callable[..., Any], message: str
) -> None:
    write(tmp_path / "jets", three_jets(rng))
    refused(tmp_path / "jets", layout, message)


def refused(path: Path, layout: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        run(path, layout)
    text = str(caught.value)
    assert str(path) in text
    assert message in text
    assert "\n" not in text
    assert not path.with_name("clouds.h5").exists()


@pytest.mark.parametrize("name", ["top_tagging", "jetclass", "jetclass2"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated_files(tmp_path: Path, rng: np.random.Generator, name: str, share: float) -> None:
    layout, write, _ = LAYOUTS[name]
    path = write(tmp_path / "jets", random_jets(rng, 20), [1] * 20)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, layout, "jets: ")


@pytest.mark.parametrize("layout", ["top_tagging", "jetclass", "jetclass2"])
def test_files_of_another_kind(tmp_path: Path, rng: np.random.Generator, layout: str) -> None:
    (tmp_path / "text").write_text("pT, eta, phi\n" * 100)
    refused(tmp_path / "text", layout, "text: ")
    refused(tmp_path / "nothing", layout, "no such file")


def test_blocks_of_another_width(tmp_path: Path) -> None:
    table = np.zeros(3, [("index", "i8"), ("values_block_0", "f4", (404,)), ("values_block_1", "i8", (2,))])
    with h5py.File(tmp_path / "jets", "w") as file:
        file["table/table"] = table
    refused(
        tmp_path / "jets", "top_tagging", "'values_block_0' of 'table/table' has 404 columns, those published have 804"
    )


def test_columns_of_different_lengths(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_top_tagging_columns(tmp_path / "jets", three_jets(rng), [1, 0])
    refused(path, "top_tagging", "the columns have 2 to 3 rows")


def test_a_pickle_is_looked_at_and_never_loaded(tmp_path: Path, rng: np.random.Generator) -> None:
    """Loading this one would make a file."""
    path, victim = write_top_tagging(tmp_path / "jets", three_jets(rng), [1, 0, 1]), tmp_path / "made"
    with h5py.File(path, "a") as file:
        payload = f"cbuiltins\nopen\n(V{victim}\nVw\ntR."
        file["table/table"].attrs["values_block_0_kind"] = np.bytes_(payload.encode())
        file["table/table"].attrs["values_block_1_kind"] = np.bytes_(b"no pickle")
    assert run(path, "top_tagging").label("class").tolist() == [1, 0, 1]
    assert not victim.exists()


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs the package 'pyarrow': pip install 'cloudchamber\[parquet\]'"):
        next(read_jetclass2(tmp_path / "a.parquet"))
