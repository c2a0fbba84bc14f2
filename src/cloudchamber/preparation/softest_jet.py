"""Whether a file has the softest jets that are asked for: cards store jets from some pT on."""

from typing import final

import numpy as np

__all__ = ["SoftestJet"]

# Of so many some lie just above the pT from which on a card stores jets.
_ENOUGH_FOR_A_CUT = 1000


@final
class SoftestJet:
    """How many jets a file has, and the pT of the softest.

    Args:
        collection: branch of the jets.
        key: setting that says from which pT on jets are asked for.
        lowest: its value [GeV].
        margin: the softest jet may be so many times as hard.
    """

    def __init__(self, collection: str, key: str, lowest: float, margin: float = 1.0) -> None:
        self._collection, self._key, self._lowest, self._margin = collection, key, lowest, margin
        self.jets, self._softest = 0, np.inf

    def add(self, pt: np.ndarray) -> None:
        """Look at the (n,) pT [GeV] of further jets, whether they are accepted or not."""
        self.jets += len(pt)
        self._softest = min(self._softest, float(pt.min(initial=np.inf)))

    def unlikely(self) -> str | None:
        """Return that none of the many jets is as soft as is asked for."""
        if self.jets < _ENOUGH_FOR_A_CUT or self._lowest <= 0 or self._softest <= self._margin * self._lowest:
            return None
        found = f"none of {self.jets} jets of '{self._collection}' has less than {self._softest:.4g} GeV"
        return f"{found}, above {self._key} ({self._lowest:g} GeV): softer ones were not stored"
