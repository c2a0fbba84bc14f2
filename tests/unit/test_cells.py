"""Sizes of calorimeter cells tell two cards apart, and not two samples of one."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.preparation.cells import CellSizes, cell_sizes, other_cells
from cloudchamber.readers.delphes import open_tree

ATLAS = {"0.017 x 0.017": 300, "0.100 x 0.175": 150}
CMS = {"0.017 x 0.017": 300, "0.087 x 0.087": 150}


def test_only_cells_of_the_barrel_count() -> None:
    edges = np.array([[-0.1, 0, 0, 0.1], [1.39, 1.49, 0, 0.1], [3.0, 3.1, 0, 0.1], [0.2, 0.2, 1, 1]], np.float32)
    assert cell_sizes(np.concatenate([edges, np.full((1, 4), np.nan, np.float32)])) == {"0.100 x 0.100": 1}
    assert cell_sizes(np.zeros((0, 4))) == {}


def test_two_cards() -> None:
    assert other_cells(ATLAS, CMS) == ("0.100 x 0.175", "0.087 x 0.087")
    assert other_cells(CMS, ATLAS) == ("0.087 x 0.087", "0.100 x 0.175")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ATLAS, ATLAS),
        (ATLAS, {"0.017 x 0.017": 450}),  # photons alone
        (ATLAS, {"0.087 x 0.087": 49}),  # too few
        (ATLAS, ATLAS | {"0.090 x 0.090": 45}),  # cells at an edge
        (ATLAS, {}),
    ],
)
def test_what_may_be_of_one_card(one: CellSizes, other: CellSizes) -> None:
    assert other_cells(one, other) is None
    assert other_cells(other, one) is None


@pytest.mark.delphes
def test_cells_of_real_files(delphes_samples: Path) -> None:
    names = (
        "generated/delphes_atlas_ttbar_seed12",
        "generated/delphes_atlas_qcd_boosted_seed32",
        "public/spectraljet_mini",
    )
    found = []
    for name in names:
        with open_tree(delphes_samples / f"{name}.root", "Delphes") as tree:
            found.append(cell_sizes(tree.cell_edges("Tower", 0, 100)))
            assert tree.cell_edges("EFlowMuon", 0, 100).shape == (0, 4)
    assert set(found[0]) == set(found[1]) == set(ATLAS)
    assert other_cells(found[0], found[1]) is None
    assert other_cells(found[0], found[2]) == ("0.100 x 0.175", "0.087 x 0.087")
