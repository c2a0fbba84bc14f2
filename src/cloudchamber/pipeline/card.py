"""Model cards of studies: what a card is written from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from cloudchamber.pipeline.json_arguments import as_json, paths_in

__all__ = ["Card", "Cards", "trainings_of_card"]


@final
@dataclass(frozen=True)
class Card:
    """The card of one model, all seeds of its training together.

    Attributes:
        kind: name of its kind (:func:`cloudchamber.drawings.card_of`).
        folder: of the card, below the folder of all results.
        model: name of the model, and of the card.
        labels: how the report labels it.
        files: what it is written from (:func:`cloudchamber.provenance.model_card.model_card`).
    """

    kind: str
    folder: str
    model: str
    labels: Mapping[str, str]
    files: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Path of the card below the folder of all results, without its suffix."""
        return f"{self.folder}/model_cards/{self.model}"


@final
class Cards:
    """All cards of an analysis. Methods that take ``wildcards`` are functions of Snakemake.

    Args:
        cards: of all studies.
        results: folder of the analysis.
    """

    def __init__(self, cards: Iterable[Card], results: str) -> None:
        self._results = results
        self._of_name: Mapping[str, Card] = {card.name: card for card in cards}

    @property
    def names(self) -> list[str]:
        """Values of the wildcard ``card``."""
        return list(self._of_name)

    def kind(self, wildcards: Any) -> str:
        return self._of_name[wildcards.card].kind

    def inputs(self, wildcards: Any) -> list[str]:
        return paths_in(self._of_name[wildcards.card].files, self._results)

    def arguments(self, wildcards: Any) -> str:
        return as_json(self._of_name[wildcards.card].files)

    def labels(self, wildcards: Any) -> dict[str, str]:
        return dict(self._of_name[wildcards.card].labels)


def trainings_of_card(folders: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the files of the trainings of a card.

    Args:
        folders: seed -> folder of the training.
    """
    files = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
    return [
        {"seed": seed, **{name: f"{folder}/{file}" for name, file in files.items()}} for seed, folder in folders.items()
    ]
