"""The ROOT layout of JetClass (arXiv 2202.03772, Zenodo 6619768).

A tree ``tree`` has one entry per jet: lists ``part_px``, ``part_py``, ``part_pz`` and ``part_energy`` [GeV] of its
constituents, and one branch ``label_*`` per class, one of which is 1 and the others 0. Names and order of the classes
are those of https://github.com/jet-universe/particle_transformer (data/JetClass/JetClass_full.yaml). No published file
was at hand: the types of its branches are not verified, all types of numbers are taken.
"""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.readers.delphes import open_tree
from cloudchamber.readers.labelled import LabelledJets, labelled_jets

__all__ = ["CLASSES", "read_jetclass"]

CLASSES = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")

_TREE, _STEP_SIZE = "tree", "8 MB"
_MOMENTA = ("part_px", "part_py", "part_pz", "part_energy")


def read_jetclass(path: Path) -> Generator[LabelledJets]:
    """Read jets step by step; the label is the position of the class in :data:`CLASSES`.

    Raises:
        InputError: the file is damaged, lacks a branch or holds impossible values, or a jet has no class or several.
    """
    names = [f"label_{name}" for name in CLASSES]
    with open_tree(path, _TREE) as tree, closing(tree.steps(_MOMENTA, _STEP_SIZE, integers=names)) as steps:
        for step in steps:
            first = int(step.events[0])
            marks = np.stack([step.integers[name] for name in names], axis=1)
            wrong = ~np.isin(marks, (0, 1)).all(axis=1) | (marks.sum(axis=1) != 1)
            if wrong.any():
                at = int(np.argmax(wrong))
                there = dict(zip(names, marks[at].tolist(), strict=True))
                found = {name: mark for name, mark in there.items() if mark} or "all zero"
                raise InputError(f"{path}: not one of 'label_*' is 1 in entry {first + at}, but {found}")
            momenta = {name: step.leaves[name] for name in _MOMENTA}
            yield labelled_jets(path, first, momenta, marks.argmax(axis=1))
