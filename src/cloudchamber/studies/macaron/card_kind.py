"""What the cards of the taggers of the study say."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import pandas as pd

from cloudchamber.provenance.card_texts import LIMITS, METRICS
from cloudchamber.provenance.jet_cards import ClassifierCard

__all__ = ["BlockCard"]


@final
class BlockCard(ClassifierCard):
    """Card of a tagger with one kind of block.

    Its files have the "arm" that the metrics know it by, and its "learning_rate": where a study tries several, each has
    a card.
    """

    keys: ClassVar[Sequence[str]] = (*ClassifierCard.keys, "arm", "learning_rate")
    uses: ClassVar[Sequence[str]] = (
        "To compare blocks of a transformer at equal parameters, updates and jets. Small networks serve that best.",
        "It is no tagger to use: those of the study `tagging` are larger and trained longer.",
    )
    limits: ClassVar[Sequence[str]] = (
        *LIMITS["tagger"],
        "A difference from another block that is below what the study calls detectable says nothing about either.",
    )
    metrics: ClassVar[Mapping[str, str]] = {
        **METRICS,
        "background_efficiency": "share of other jets that is kept with half of those of a class, mean over classes",
        "difference": "what it has more than the block of reference, on the same test jets, mean over seeds",
        "accuracy_at_steps": "accuracy where the same weights are evaluated with other numbers of steps",
        "refinement_order": "slope of its distance from the limit of many steps against the step, in logarithms",
    }

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        named = table[(table["dataset"] == files["dataset"]) & (table["model"] == files["arm"])]
        rates = named["learning_rate"]
        return named[rates.isna() | (rates == files["learning_rate"])]
