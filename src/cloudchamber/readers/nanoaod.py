"""NanoAOD of CMS under the names of Delphes, so that all that reads Delphes reads it too.

NanoAOD is flat: ``FatJet_pt`` has as many values in an event as ``nFatJet`` says. Here it is ``FatJet.PT`` and
``FatJet_size``. Constituents of jets are in PFNano, which adds ``PFCands`` and for each collection of jets a table of
links, such as ``FatJetPFCands`` with ``jetIdx`` and ``pFCandsIdx``.
"""

from collections.abc import Iterable
from typing import final

__all__ = ["CANDIDATES", "NanoNames", "link_leaves"]

CANDIDATES = "PFCands"

_LEAVES = {"pt": "PT", "eta": "Eta", "phi": "Phi", "mass": "Mass"}
_STORED = {alias: stored for stored, alias in _LEAVES.items()}


@final
class NanoNames:
    """Names of one tree.

    Args:
        stored: all branches of the tree.
    """

    def __init__(self, stored: Iterable[str]) -> None:
        names = list(stored)
        collections = sorted(
            (name[1:] for name in names if name[:1] == "n" and name[1:2].isupper()), key=len, reverse=True
        )
        self._of_alias = {_alias(name, collections): name for name in names}

    @property
    def aliases(self) -> set[str]:
        """All names as Delphes has them."""
        return set(self._of_alias)

    def stored(self, alias: str) -> str:
        """Return the branch of a name; of one that is not there, the branch that would be it."""
        if alias in self._of_alias:
            return self._of_alias[alias]
        if alias.endswith("_size"):
            return f"n{alias.removesuffix('_size')}"
        collection, _, leaf = alias.partition(".")
        return f"{collection}_{_STORED.get(leaf, leaf)}" if leaf else alias


def link_leaves(jets: str) -> tuple[str, str]:
    """Return the leaves that link candidates to jets: the position of the jet, and that of the candidate."""
    return f"{jets}PFCands.jetIdx", f"{jets}PFCands.pFCandsIdx"


def _alias(name: str, collections: Iterable[str]) -> str:
    for collection in collections:
        if name == f"n{collection}":
            return f"{collection}_size"
        if name.startswith(f"{collection}_"):
            leaf = name.removeprefix(f"{collection}_")
            return f"{collection}.{_LEAVES.get(leaf, leaf)}"
    return name
