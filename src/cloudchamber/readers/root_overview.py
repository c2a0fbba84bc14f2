"""What is in a ROOT file, and which clouds can be made of it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import final

from cloudchamber.errors import InputError
from cloudchamber.readers.delphes import DelphesTree, open_tree
from cloudchamber.readers.nanoaod import CANDIDATES, link_leaves
from cloudchamber.readers.root_file import trees_of

__all__ = ["RootOverview", "root_overview"]

_JET = ("PT", "Eta", "Phi", "Mass")
_ENERGY_FLOW = ("EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron")


@final
@dataclass(frozen=True)
class RootOverview:
    """What was found in a file.

    Attributes:
        kind: what it is, in words.
        trees: entries of each tree.
        events: entries of the tree that is read.
        collections: of that tree.
        clouds: kind of cloud in the settings of the ingestion -> its collections of jets, or its constituents.
    """

    kind: str
    trees: Mapping[str, int]
    events: int
    collections: list[str]
    clouds: Mapping[str, Sequence[str]]


def root_overview(path: Path) -> RootOverview:
    """Look at a ROOT file; of a layout that is known every numeric leaf is read.

    Raises:
        InputError: it is no ROOT file, damaged, or has no tree.
    """
    trees = trees_of(path)
    if not trees:
        raise InputError(f"{path}: no tree is in it")
    if "Delphes" in trees:
        with open_tree(path, "Delphes") as tree:
            return RootOverview(
                "events in the layout of Delphes", trees, _read(tree), tree.collections, _of_delphes(tree)
            )
    if "Events" in trees:
        with open_tree(path, "Events", layout="nanoaod") as tree:
            if tree.collections:
                return RootOverview("NanoAOD", trees, _read(tree), tree.collections, _of_nanoaod(tree))
    if "tree" in trees:
        with open_tree(path, "tree") as tree:
            if "part_px" in tree and "label_QCD" in tree:
                return RootOverview("jets in the layout of JetClass", trees, tree.n_events, [], {})
    return RootOverview("ROOT trees of no layout that is known here", trees, max(trees.values()), [], {})


def _read(tree: DelphesTree) -> int:
    """Read every numeric leaf and return the number of events."""
    with closing(tree.steps(tree.numeric_leaves, "8 MB")) as steps:
        return sum(len(step.events) for step in steps)


def _of_delphes(tree: DelphesTree) -> dict[str, list[str]]:
    jets = [
        name
        for name in tree.collections
        if all(f"{name}.{leaf}" in tree for leaf in _JET)
        and (f"{name}.Constituents" in tree or f"Tower.{name}Index" in tree)
    ]
    energy_flow = "ParticleFlowCandidate.PT" in tree or all(f"{name}.Eta" in tree for name in _ENERGY_FLOW)
    kinds = {
        "tower": "Tower.ET" in tree,
        "energy_flow": energy_flow,
        "particle": "Particle.PT" in tree and "Particle.Status" in tree,
    }
    return _there(
        {
            "stored": jets,
            "reclustered": (constituents := [name for name, there in kinds.items() if there]),
            "events": constituents,
            "jet_events": [name for name in jets if f"{name}.BTag" in tree],
        }
    )


def _of_nanoaod(tree: DelphesTree) -> dict[str, list[str]]:
    candidates = ["candidate"] if CANDIDATES in tree.collections else []
    jets = [name for name in tree.collections if all(leaf in tree for leaf in link_leaves(name))]
    whole = [name for name in jets if candidates and all(f"{name}.{leaf}" in tree for leaf in _JET)]
    return _there({"stored": whole, "reclustered": candidates, "events": candidates})


def _there(clouds: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {kind: of_kind for kind, of_kind in clouds.items() if of_kind}
