"""Packed clouds on disk: what is written is read, in any order, and what is wrong is one line."""

import gc
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.packed_cloud_file import open_packed_clouds
from cloudchamber.packed_cloud_writer import create_packed_clouds
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.provenance.contents import read_contents

COLUMNS = (Column("x", "mm"), Column("energy", "GeV"))


def part(rng: np.random.Generator, counts: list[int]) -> PackedPart:
    points = rng.normal(size=(sum(counts), 2)).astype(np.float32)
    n = len(counts)
    features = rng.normal(size=(n, 1)).astype(np.float32)
    return PackedPart(points, np.array(counts, np.int64), features, np.arange(n, dtype=np.int64)[:, None])


@pytest.fixture
def path(tmp_path: Path, rng: np.random.Generator) -> Path:
    with create_packed_clouds(tmp_path / "a.h5", COLUMNS, (Column("mass", "GeV"),), (Column("number"),)) as writer:
        writer.append(part(rng, [3, 0, 5]))
        writer.append(part(rng, [1, 4]))
        writer.add_indices("test", np.array([4, 0]))
        writer.add_meta({"source": "made up"})
    return tmp_path / "a.h5"


def test_clouds_come_back_in_any_order(path: Path) -> None:
    with open_packed_clouds(path) as clouds:
        assert len(clouds) == 5
        assert clouds.counts.tolist() == [3, 0, 5, 1, 4]
        assert clouds.meta == {"source": "made up"}
        assert clouds.point_columns == COLUMNS
        assert clouds.label("number").tolist() == [0, 1, 2, 0, 1]
        whole = clouds.take(np.arange(5))
        chosen = clouds.take(np.array([4, 2, 3, 1]))
        assert chosen.counts.tolist() == [4, 5, 1, 0]
        expected = np.concatenate([whole.points[9:13], whole.points[3:8], whole.points[8:9]])
        np.testing.assert_array_equal(chosen.points, expected)
        assert chosen.owners.tolist() == [0] * 4 + [1] * 5 + [2]
        pieces = list(clouds.pieces(np.arange(5), points=5))
        assert [rows.tolist() for rows, _ in pieces] == [[0, 1], [2], [3, 4]]
        np.testing.assert_array_equal(np.concatenate([item.points for _, item in pieces]), whole.points)
        assert clouds.take(np.zeros(0, int)).points.shape == (0, 2)
        with pytest.raises(InputError, match=r"a\.h5: no part 'train' among \['test'\]"):
            clouds.part("train")
        with pytest.raises(InputError, match="no feature 'energy' among"):
            clouds.feature("energy")


def test_arrays_of_different_clouds_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    good = part(rng, [2, 2])
    bad = PackedPart(good.points[:3], good.counts, good.features, good.labels)
    columns = (Column("mass"),), (Column("number"),)
    with (
        pytest.raises(ValueError, match="not of the same clouds"),
        create_packed_clouds(tmp_path / "b.h5", COLUMNS, *columns) as writer,
    ):
        writer.append(bad)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.attrs.__setitem__("complete", 0), "not written to its end"),
        (lambda file: file.attrs.__setitem__("format", np.bytes_("other")), "not a file of packed clouds"),
        (lambda file: file.attrs.__setitem__("version", 9), "version 9 of the layout"),
        (lambda file: file["counts"].resize(4, axis=0), "4 clouds with 13 points, expected 5 and 13"),
        (lambda file: file["counts"].__setitem__(0, 4), "'counts' add up to 14, 'points' has 13 rows"),
        (lambda file: file["indices/test"].__setitem__(0, 5), "index array 'test' points outside the 5 clouds"),
        (lambda file: file.__delitem__("labels"), "cannot be read as packed clouds"),
    ],
)
def test_damage_is_one_line(change: object, message: str, path: Path) -> None:
    with h5py.File(path, "r+") as file:
        change(file)  # type: ignore[operator]
    with pytest.raises(InputError, match=message) as error, open_packed_clouds(path):
        pass
    assert "\n" not in str(error.value)


def test_a_flipped_bit_is_found(path: Path, tmp_path: Path) -> None:
    content = bytearray(path.read_bytes())
    with h5py.File(path, "r") as file:
        place = file["points"].id.get_chunk_info(0).byte_offset
    content[place + 20] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError), open_packed_clouds(path) as clouds:
        clouds.take(np.arange(5))


def test_inspect_knows_them(path: Path) -> None:
    found = read_contents(path)
    assert found.kind == "packed clouds"
    assert found.facts["clouds"] == 5
    assert found.facts["points"] == 13


def test_memory_does_not_grow_with_the_points(tmp_path: Path, rng: np.random.Generator) -> None:
    """Written and read in pieces: eight times as many points take no more at a time.

    Few clouds of many points, since counts and features of all clouds are in memory by design. The first file is not
    counted: what Python and HDF5 keep from their first use differs from run to run.
    """
    some = part(rng, [10_000] * 10)
    peaks = []
    for run, pieces in enumerate((1, 2, 16)):
        path = tmp_path / f"{run}.h5"
        gc.collect()
        tracemalloc.start()
        with create_packed_clouds(path, COLUMNS, (Column("mass"),), (Column("number"),)) as writer:
            for _ in range(pieces):
                writer.append(some)
        total = 0.0
        with open_packed_clouds(path) as clouds:
            for _, item in clouds.pieces(np.arange(len(clouds)), points=100_000):
                total += float(item.points.sum())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total == pytest.approx(pieces * float(some.points.sum()), rel=1e-3)
    assert peaks[2] < 1.3 * peaks[1]
