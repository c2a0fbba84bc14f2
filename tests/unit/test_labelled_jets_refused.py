"""Files of labelled jets that are damaged, of another kind, or have values that are none: one line each."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
from labelled_files import (
    random_jets,
    top_tagging_names,
    write_jetclass,
    write_jetclass2,
    write_top_tagging,
    write_top_tagging_columns,
)
from labelled_layouts import LAYOUTS, clouds_of, one_hot

from cloudchamber.errors import InputError
from cloudchamber.readers.jetclass2 import read_jetclass2


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
        clouds_of(path, layout)
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
    assert clouds_of(path, "top_tagging").label("class").tolist() == [1, 0, 1]
    assert not victim.exists()


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs the package 'pyarrow': pip install 'cloudchamber\[parquet\]'"):
        next(read_jetclass2(tmp_path / "a.parquet"))
