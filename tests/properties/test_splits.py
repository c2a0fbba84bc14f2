"""Splits: every cloud in exactly one part, every event in exactly one part, fractions of events exact."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.preparation.splits import PARTS, event_labels, read_split, split, split_by_event, write_split
from cloudchamber.settings.data import SplitSettings


@st.composite
def _events(draw: st.DrawFn) -> np.ndarray:
    """Return (N, 2) file and event numbers of at least 20 events with one to three clouds each, in any order."""
    n_events = draw(st.integers(20, 60))
    clouds = draw(st.lists(st.integers(1, 3), min_size=n_events, max_size=n_events))
    numbers = np.stack([np.arange(n_events) % 3, np.arange(n_events) // 3], axis=1)
    rows = np.repeat(numbers, clouds, axis=0)
    return rows[np.random.default_rng(draw(st.integers(0, 2**32))).permutation(len(rows))]


fractions = st.tuples(st.floats(0.1, 0.6), st.floats(0.1, 0.3))


def test_an_event_is_a_number_within_its_file_and_a_cloud_without_a_number_an_event_of_its_own() -> None:
    points, labels = np.zeros((3, 1, 1)), np.array([[0, 7, 4], [1, 7, 4], [1, 8, 5]])
    columns = tuple(Column(name) for name in ("file", "event", "class"))
    clouds = Clouds(points, points[:, :, 0] == 0, points[:, 0, :0], labels, (Column("pt"),), label_columns=columns)
    assert event_labels(clouds).tolist() == [[0, 7], [1, 7], [1, 8]]
    for place, events in ((0, 3), (1, 2)):
        some = slice(place, place + 1)
        of_one = Clouds(
            points, clouds.mask, clouds.features, labels[:, some], (Column("pt"),), label_columns=columns[some]
        )
        assert len(np.unique(event_labels(of_one), axis=0)) == events


@given(_events(), fractions, st.integers(0, 1000))
def test_each_cloud_and_each_event_is_in_exactly_one_part(
    events: np.ndarray, shares: tuple[float, float], seed: int
) -> None:
    settings = SplitSettings(train=shares[0], validation=shares[1])
    parts = split_by_event(events, settings, np.random.default_rng(seed))
    assert tuple(parts) == PARTS
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(events)))
    names = [{tuple(row) for row in events[rows].tolist()} for rows in parts.values()]
    assert sum(len(some) for some in names) == len(set.union(*names))
    n_events = len(np.unique(events, axis=0))
    assert len(names[0]) == round(shares[0] * n_events)
    assert len(names[1]) == round(shares[1] * n_events)


@given(_events(), st.integers(0, 1000))
def test_the_generator_decides(events: np.ndarray, seed: int) -> None:
    first, second = (split_by_event(events, SplitSettings(), np.random.default_rng(seed)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in PARTS)
    other = split_by_event(events, SplitSettings(), np.random.default_rng(seed + 1))
    assert not all(np.array_equal(np.sort(first[name]), np.sort(other[name])) for name in PARTS)


def test_parts_are_in_random_order_and_fair() -> None:
    events = np.arange(3000)[:, None]
    parts = split_by_event(events, SplitSettings(train=0.5, validation=0.25), np.random.default_rng(3))
    for rows in parts.values():
        order = np.corrcoef(rows, np.arange(len(rows)))[0, 1]
        assert abs(order) < 5 / np.sqrt(len(rows))
        # The mean position of a part is that of all, within five standard errors of uniform numbers.
        assert abs(rows.mean() / 3000 - 0.5) < 5 / np.sqrt(12 * len(rows))


@pytest.mark.parametrize("n_events", [0, 1, 2, 4])
def test_an_empty_part_is_refused(n_events: int) -> None:
    events = np.arange(n_events)[:, None]
    with pytest.raises(InputError, match=r"the \w+ part of \d clouds from \d events is empty"):
        split_by_event(events, SplitSettings(train=0.5, validation=0.1), np.random.default_rng(1))


@given(_events(), fractions)
def test_stored_order_cuts_the_events_where_they_lie(events: np.ndarray, shares: tuple[float, float]) -> None:
    settings = SplitSettings(train=shares[0], validation=shares[1], order="stored")
    parts = split_by_event(events, settings, np.random.default_rng(1))
    names = sorted({tuple(row) for row in events.tolist()})
    first, second = round(shares[0] * len(names)), round(shares[1] * len(names))
    expected = {"train": names[:first], "validation": names[first : first + second], "test": names[first + second :]}
    for part, rows in parts.items():
        chosen = {*expected[part]}
        assert rows.tolist() == [row for row, event in enumerate(events.tolist()) if tuple(event) in chosen]


def _write(path: Path, **parts: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, rows in parts.items():
            file[name] = rows
    return path


GOOD = {"train": [5, 0, 3], "validation": [1], "test": [2, 9]}


@pytest.mark.parametrize("kind", ["i2", "u1", "i8", "u8"])
def test_a_list_of_rows_from_elsewhere(tmp_path: Path, kind: str) -> None:
    path = _write(tmp_path / "split.h5", **{name: np.array(rows, kind) for name, rows in GOOD.items()})
    parts = split(np.arange(10)[:, None], np.ones(10), SplitSettings(indices=str(path)), np.random.default_rng(1))
    assert {name: rows.tolist() for name, rows in parts.items()} == GOOD
    assert all(rows.dtype == np.int64 for rows in parts.values())


def test_a_written_split_comes_back_and_fits_its_clouds_only(tmp_path: Path) -> None:
    parts = split_by_event(np.arange(100)[:, None], SplitSettings(), np.random.default_rng(4))
    write_split(tmp_path / "split.h5", parts, np.ones(100))
    back = read_split(tmp_path / "split.h5", 100)
    assert all(np.array_equal(back[name], parts[name]) for name in PARTS)
    with pytest.raises(InputError, match="is for 100 clouds, there are 101"):
        read_split(tmp_path / "split.h5", 101)


def test_every_flipped_byte_of_the_rows_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "split.h5"
    rows = np.arange(300) * 97
    write_split(path, {"train": rows, "validation": rows + 1, "test": rows + 2}, np.ones(30_000))
    content = path.read_bytes()
    start = content.index(rows.tobytes())
    for place in range(start, start + rows.nbytes, 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(InputError, match=r"split\.h5: cannot be read"):
            read_split(path, 30_000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": [2, 10]}, "'test' has rows from 2 to 10, outside the 10 clouds"),
        ({"test": [-1, 2]}, "'test' has rows from -1 to 2, outside"),
        ({"test": np.array([2**63], "u8")}, "outside the 10 clouds"),
        ({"test": [2, 3]}, "row 3 stands there more than once"),
        ({"test": [2, 2]}, "row 2 stands there more than once"),
        ({"test": np.array([], "i8")}, r"'test' is int64 \(0,\), expected whole numbers"),
        ({"test": [0.5]}, "'test' is float64"),
        ({"test": [[2, 4]]}, r"'test' is int64 \(1, 2\)"),
        ({"test": None}, r"no data set 'test'; there are \['train', 'validation'\]"),
    ],
)
def test_a_wrong_list_of_rows_is_one_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    parts = {name: rows for name, rows in {**GOOD, **change}.items() if rows is not None}
    path = _write(tmp_path / "split.h5", **parts)
    with pytest.raises(InputError, match=message) as caught:
        read_split(path, 10)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_other_files_are_no_split(tmp_path: Path) -> None:
    path = tmp_path / "split.h5"
    with pytest.raises(InputError, match=r"split\.h5: cannot be read"):
        read_split(path, 10)
    path.write_bytes(b"no HDF5")
    with pytest.raises(InputError, match=r"split\.h5: cannot be read"):
        read_split(path, 10)
    _write(path, **GOOD)
    with h5py.File(path, "a") as file:
        file.attrs["format"] = np.bytes_("cloudchamber-clouds")
    with pytest.raises(InputError, match="not a file of indices"):
        read_split(path, 10)


def test_an_event_in_two_parts_is_refused(tmp_path: Path) -> None:
    events = np.array([0, 1, 1, 2, 3, 3, 3])[:, None]
    good = _write(tmp_path / "good.h5", train=[1, 2], validation=[0], test=[6, 4])
    rng, jet_pt = np.random.default_rng(1), np.ones(7)
    assert split(events, jet_pt, SplitSettings(indices=str(good)), rng)["train"].tolist() == [1, 2]
    bad = _write(tmp_path / "bad.h5", train=[1, 4], validation=[2, 0], test=[6])
    with pytest.raises(InputError, match=r"bad\.h5: 2 events have clouds in more than one part"):
        split(events, jet_pt, SplitSettings(indices=str(bad)), rng)
