"""The cloud layout: round trips, and no damage that goes unnoticed."""

import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from prepared_jets import write_prepared_jets

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds, read_header
from cloudchamber.cloud_writer import create_clouds, write_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.draw_jets import draw_jets

ARRAYS = ("points", "mask", "features", "labels")


@pytest.fixture
def clouds(rng: np.random.Generator) -> Clouds:
    mask = np.arange(4) < rng.integers(0, 5, 12)[:, None]
    points = rng.normal(size=(12, 4, 2)).astype(np.float32) * mask[:, :, None]
    return Clouds(
        points=points,
        mask=mask,
        features=rng.normal(size=(12, 1)).astype(np.float32),
        labels=rng.integers(-(2**40), 2**40, (12, 2)),
        point_columns=(Column("pt", "GeV"), Column("distance", "µm")),
        feature_columns=(Column("jet_pt", "GeV"),),
        label_columns=(Column("file"), Column("event")),
        indices={"train": np.array([7, 0, 3]), "test": np.array([1])},
        meta={"mean": [0.1, -2.5e-7], "source": {"title": "top → W b"}},
    )


def _equal(first: Clouds, second: Clouds) -> bool:
    return (
        all(np.array_equal(getattr(first, name), getattr(second, name)) for name in ARRAYS)
        and first.point_columns == second.point_columns
        and first.feature_columns == second.feature_columns
        and first.label_columns == second.label_columns
        and first.indices.keys() == second.indices.keys()
        and all(np.array_equal(rows, second.indices[name]) for name, rows in first.indices.items())
        and first.meta == second.meta
    )


def test_round_trip(tmp_path: Path, clouds: Clouds) -> None:
    path = tmp_path / "clouds.h5"
    write_clouds(path, clouds)
    back = read_clouds(path)
    assert _equal(back, clouds)
    assert [getattr(back, name).dtype for name in ARRAYS] == [np.float32, bool, np.float32, np.int64]
    assert read_header(path) == clouds.meta
    assert list(tmp_path.iterdir()) == [path]


def test_round_trip_of_nothing(tmp_path: Path) -> None:
    nothing = Clouds(
        np.zeros((0, 3, 1), np.float32),
        np.zeros((0, 3), bool),
        np.zeros((0, 0), np.float32),
        np.zeros((0, 0), np.int64),
        (Column("pt", "GeV"),),
    )
    write_clouds(tmp_path / "clouds.h5", nothing)
    back = read_clouds(tmp_path / "clouds.h5")
    assert _equal(back, nothing)
    assert back.points.shape == (0, 3, 1)


def test_meta_data_may_be_long(tmp_path: Path, clouds: Clouds) -> None:
    # HDF5 limits attributes to 64 kB, which the record of some hundred inputs exceeds.
    long = replace(clouds, meta={f"file_{number}.root": "0" * 64 for number in range(2000)})
    write_clouds(tmp_path / "clouds.h5", long)
    assert read_header(tmp_path / "clouds.h5") == long.meta


def test_appending_in_pieces_is_writing_at_once(tmp_path: Path, clouds: Clouds) -> None:
    columns = (clouds.point_columns, clouds.feature_columns, clouds.label_columns)
    with create_clouds(tmp_path / "pieces.h5", 4, *columns) as writer:
        for rows in (slice(0, 5), slice(5, 5), slice(5, 12)):
            writer.append(*(getattr(clouds, name)[rows] for name in ARRAYS))
        assert writer.rows == 12
        writer.add_meta({"a": 1})
        writer.add_meta(clouds.meta)
        for name, rows in clouds.indices.items():
            writer.add_indices(name, rows)
    assert _equal(read_clouds(tmp_path / "pieces.h5"), clouds)


def test_pieces_of_unequal_lengths_are_refused_and_leave_nothing(tmp_path: Path, clouds: Clouds) -> None:
    def append_unequal() -> None:
        with create_clouds(tmp_path / "a.h5", 4, clouds.point_columns) as writer:
            writer.append(clouds.points, clouds.mask[:-1], np.zeros((12, 0)), np.zeros((12, 0)))

    with pytest.raises(ValueError, match="mask has 11 rows, points has 12"):
        append_unequal()
    assert not list(tmp_path.iterdir())


def test_columns_by_name(clouds: Clouds) -> None:
    assert np.array_equal(clouds.point("distance"), clouds.points[:, :, 1])
    assert np.array_equal(clouds.feature("jet_pt"), clouds.features[:, 0])
    assert np.array_equal(clouds.label("event"), clouds.labels[:, 1])
    assert np.array_equal(clouds.multiplicity, [row.sum() for row in clouds.mask])
    for column, kind in ((clouds.point, "point column"), (clouds.feature, "feature"), (clouds.label, "label")):
        with pytest.raises(InputError, match=f"no {kind} 'mass' among"):
            column("mass")


def test_clouds_are_printed_in_a_line(clouds: Clouds) -> None:
    printed = str(clouds)
    assert printed == repr(clouds)
    assert printed.startswith(f"<{len(clouds)} clouds of {clouds.width} slots; points: ")
    for column in (*clouds.point_columns, *clouds.feature_columns, *clouds.label_columns):
        assert column.name + (f" [{column.unit}]" if column.unit != "1" else "") in printed
    assert printed.endswith(f"; parts: {', '.join(f'{name} {len(rows)}' for name, rows in clouds.indices.items())}>")
    assert "parts" not in str(clouds[:2])


def test_parts_keep_their_order_and_drop_the_indices(clouds: Clouds) -> None:
    part = clouds.part("train")
    assert np.array_equal(part.labels, clouds.labels[[7, 0, 3]])
    assert np.array_equal(part.points, clouds.points[[7, 0, 3]])
    assert not part.indices
    assert len(clouds[2:5]) == 3
    with pytest.raises(InputError, match=r"^clouds\[2\]: expected a slice or rows; a single cloud is clouds\[\[2\]\]"):
        clouds[2]  # type: ignore[index]
    with pytest.raises(InputError, match=r"no part 'validation' among \['test', 'train'\]"):
        clouds.part("validation")


def test_every_flipped_bit_is_noticed_or_harmless(tmp_path: Path, clouds: Clouds) -> None:
    path, damaged = tmp_path / "clouds.h5", tmp_path / "damaged.h5"
    write_clouds(path, clouds)
    content = path.read_bytes()
    refused = 0
    for position in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[position] ^= 1 << (position % 8)
        damaged.write_bytes(flipped)
        try:
            unchanged = _equal(read_clouds(damaged), clouds)
        except InputError:
            refused += 1
        else:
            assert unchanged, f"byte {position} changes what is read"
    assert refused > len(content) / 7 / 2


def test_a_file_cut_anywhere_is_refused(tmp_path: Path, clouds: Clouds) -> None:
    path, damaged = tmp_path / "clouds.h5", tmp_path / "damaged.h5"
    write_clouds(path, clouds)
    content = path.read_bytes()
    for length in (*range(0, len(content), 97), len(content) - 1):
        damaged.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"damaged\.h5"):
            read_clouds(damaged)


def test_what_is_no_complete_cloud_file_is_refused(tmp_path: Path, clouds: Clouds) -> None:
    path = tmp_path / "clouds.h5"
    with pytest.raises(InputError, match=r"clouds\.h5"):
        read_clouds(path)
    for attribute, value, message in (
        ("complete", 0, "not written to its end"),
        ("version", 99, "layout version 99"),
        ("format", np.bytes_("other"), "not a cloud file"),
        ("n_clouds", 13, "has 12 rows, the header says 13"),
    ):
        write_clouds(path, clouds)
        with h5py.File(path, "r+", libver=("v110", "v110")) as file:
            file.attrs[attribute] = value
        with pytest.raises(InputError, match=message):
            read_clouds(path)
    with h5py.File(path, "w") as file:
        file["points"] = [1.0]
    with pytest.raises(InputError, match="not a cloud file"):
        read_header(path)


def test_wrong_values_are_refused(tmp_path: Path, clouds: Clouds) -> None:
    def changed(name: str, position: tuple[int, ...], value: float) -> Clouds:
        values = getattr(clouds, name).copy()
        values[position] = value
        return replace(clouds, **{name: values})

    row = int(np.argmax(clouds.multiplicity == 1))
    assert clouds.multiplicity[row] == 1
    holes = clouds.mask.copy()
    holes[row] = [False, True, False, False]
    for wrong, message in (
        (changed("points", (row, 0, 1), np.nan), "'points' holds values that are not finite"),
        (changed("features", (3, 0), np.inf), "'features' holds values that are not finite"),
        (changed("points", (row, 2, 0), 1.0), "'points' is not zero where 'mask' is false"),
        (replace(clouds, mask=holes), "real particles do not come first"),
        (replace(clouds, indices={"train": np.array([12])}), "'train' points outside the 12 clouds"),
        (replace(clouds, indices={"train": np.array([-1])}), "'train' points outside the 12 clouds"),
    ):
        write_clouds(tmp_path / "clouds.h5", wrong)
        with pytest.raises(InputError, match=message):
            read_clouds(tmp_path / "clouds.h5")


def test_a_disk_that_fills_up_leaves_no_file_and_one_line(tmp_path: Path) -> None:
    source = write_prepared_jets(tmp_path / "prepared.h5")
    output = tmp_path / "out" / "clouds.h5"
    jets = tmp_path / "jets.h5"
    draw_jets(source, None, 20_000, 1, jets)
    command = ["sample-marginals", str(source), "--jets", str(jets), "--seed", "1", "--output", str(output)]
    done = subprocess.run(
        [sys.executable, "-m", "cloudchamber", *command],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    lines = [line for line in done.stderr.splitlines() if str(output) in line]
    assert done.returncode == 4, done.stderr
    assert len(lines) == 1
    assert "disk full" in lines[0]
    assert "Traceback" not in done.stderr
    assert not output.parent.exists(), "the folder was made for the file alone"


def test_units_and_names_are_readable_without_this_package(tmp_path: Path, clouds: Clouds) -> None:
    write_clouds(tmp_path / "clouds.h5", clouds)
    with h5py.File(tmp_path / "clouds.h5") as file:
        assert [name.decode() for name in file["points"].attrs["names"]] == ["pt", "distance"]
        assert [unit.decode() for unit in file["points"].attrs["units"]] == ["GeV", "µm"]
        assert json.loads(file["meta"][()].tobytes()) == clouds.meta
        assert file["points"].fletcher32
