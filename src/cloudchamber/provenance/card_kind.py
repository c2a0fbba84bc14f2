"""What the card of a trained model of one kind says that other cards do not, and how cards are laid out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from pydantic import BaseModel

from cloudchamber.settings.training import TrainableSettings

__all__ = ["CardKind", "Row", "in_words", "markdown_table", "sizes", "values"]

Row = tuple[str, str]


class CardKind(ABC):
    """Abstract kind of trained model, as its card sees it.

    ``files`` of its methods are those of the card (:func:`cloudchamber.provenance.model_card.model_card`).

    Attributes:
        keys: of ``files`` that only cards of this kind need.
        settings_type: of the trainings.
        uses: what the model is for, sentence by sentence.
        limits: where it ends.
        stand_in: said of data that this project has simulated.
        how_to_read: what values, uncertainties and limits in the table of metrics are.
        metrics: name -> what it is. No other metric is shown.
        sample: what metrics are taken over, such as "jets".
        groups: columns of the table of metrics that tell rows of one metric and feature apart -> what they are called.
        limits_of_values: columns that stand beside a value, such as its floor -> what they are called.
    """

    keys: ClassVar[Sequence[str]] = ()
    settings_type: ClassVar[type[TrainableSettings]]
    uses: ClassVar[Sequence[str]]
    limits: ClassVar[Sequence[str]]
    stand_in: ClassVar[str]
    how_to_read: ClassVar[str]
    metrics: ClassVar[Mapping[str, str]]
    sample: ClassVar[str]
    groups: ClassVar[Mapping[str, str]] = {}
    limits_of_values: ClassVar[Mapping[str, str]] = {"floor": "floor"}

    @abstractmethod
    def model(self, files: Mapping[str, Any], settings: Any, described: Mapping[str, Any]) -> tuple[str, list[Row]]:
        """Return what the model is, in a sentence, and what it is made of.

        Args:
            files: of the card.
            settings: of the training, of ``settings_type``.
            described: the description of the weights.
        """

    @abstractmethod
    def data(self, files: Mapping[str, Any]) -> list[str]:
        """Return the paragraphs about the data.

        Raises:
            InputError: a file cannot be used.
        """

    @abstractmethod
    def usage(self, files: Mapping[str, Any]) -> list[str]:
        """Return commands and programs that use the first training, in Markdown."""

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table of metrics that are of the model: by default those on the data set of the card."""
        return table[(table["dataset"] == files["dataset"]) & (table["model"] == files["name"])]

    def parts(self, files: Mapping[str, Any], table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield the rows of each table that the card shows, with what is said above it; by default one table."""
        yield "", table


def markdown_table(rows: Sequence[Row]) -> str:
    """Return names and what stands beside them."""
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)
    return "\n".join(["| | |", "| --- | --- |", *(f"| {line} |" for line in lines)])


def in_words(settings: BaseModel) -> str:
    """Return what settings are of: the first line of their docstring."""
    return (type(settings).__doc__ or "").strip().splitlines()[0].rstrip(".")


def values(settings: BaseModel) -> str:
    """Return the values of settings in one line."""
    items = settings.model_dump(mode="json").items()
    return ", ".join(f"{name} {value}" for name, value in items if name != "kind" and not isinstance(value, dict))


def sizes(files: Mapping[str, Any], described: Mapping[str, Any]) -> list[Row]:
    """Return the parameters of a model and the seeds of its trainings."""
    size = Path(files["trainings"][0]["weights"]).stat().st_size
    seeds = ", ".join(str(training["seed"]) for training in files["trainings"])
    return [
        ("parameters", f"{described['parameters']:,} ({size / 1e6:.2f} MB of weights, averaged over the training)"),
        ("seeds of the training", seeds),
    ]
