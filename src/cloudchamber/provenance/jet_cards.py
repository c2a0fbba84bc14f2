"""Cards of models of jets: generators of clouds, the jet-level flow, taggers."""

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, final

import pandas as pd

from cloudchamber.cloud_file import read_clouds
from cloudchamber.figures.labels import plain_name
from cloudchamber.preparation.splits import PARTS
from cloudchamber.provenance.card_kind import CardKind, Row, in_words, markdown_table, values
from cloudchamber.provenance.card_texts import HOW_TO_READ, LIMITS, METRICS, STAND_IN, USES, usage
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.settings.taggers import TaggerSettings
from cloudchamber.settings.training import TrainableSettings

__all__ = ["ClassifierCard", "GeneratorCard", "JetFlowCard", "TaggerCard"]


class _JetCard(CardKind, ABC):
    """Abstract card of a model of jets; its files have the jets as "prepared", and samplers by name."""

    keys: ClassVar[Sequence[str]] = ("prepared", "samplers")
    stand_in: ClassVar[str] = STAND_IN
    metrics: ClassVar[Mapping[str, str]] = METRICS
    sample: ClassVar[str] = "jets"

    def data(self, files: Mapping[str, Any]) -> list[str]:
        clouds = read_clouds(files["prepared"])
        parts = ", ".join(f"{len(clouds.indices[name]):,} {name}" for name in PARTS)
        multiplicity = f"{clouds.multiplicity.mean():.1f} on average, at most {clouds.points.shape[1]} kept"
        rows = [
            ("data set", f"{files['dataset_title']} (`{files['dataset']}`)"),
            ("from", files["origin"]),
            ("jets", f"{len(clouds):,}: {parts}"),
            ("particles of a jet", multiplicity),
        ]
        truncation = {**clouds.meta, **clouds.meta.get("source", {})}.get("truncation")
        if truncation:
            lost = truncation["mean_lost_pt_fraction"]
            cut = truncation["clouds_truncated"]
            rows.append(("truncation", f"{cut:,} jets lost their softest particles, {lost:.2g} of the pT on average"))
        return [
            markdown_table(rows),
            "It is trained on the training part, watched on the validation part and measured against the test part.",
        ]

    def parts(self, files: Mapping[str, Any], table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        sampler = table["sampler"].astype(object).where(table["sampler"].notna(), "none")
        for name, of_sampler in table.groupby(sampler, sort=False):
            settings = ", ".join(f"{key} {value}" for key, value in files["samplers"].get(name, {}).items())
            yield "" if name == "none" else f"Sampler `{name}` ({settings}).", of_sampler


@final
class GeneratorCard(_JetCard):
    """Card of a generative model of clouds."""

    settings_type: ClassVar[type[TrainableSettings]] = GeneratorSettings
    uses: ClassVar[Sequence[str]] = USES["generator"]
    limits: ClassVar[Sequence[str]] = LIMITS["generator"]
    how_to_read: ClassVar[str] = HOW_TO_READ["generator"]

    def model(
        self, files: Mapping[str, Any], settings: GeneratorSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        asked = " and ".join(plain_name(name) for name in settings.conditions) or "none: an unconditional model"
        rows = [
            ("network", f"{in_words(settings.network)}: {values(settings.network)}"),
            ("objective", f"{in_words(settings.objective)}: {values(settings.objective)}"),
            ("conditions", asked),
        ]
        return "A generative model of jets as clouds of particles (eta, phi and pT relative to the jet).", rows

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        return usage("generator", files)


@final
class JetFlowCard(_JetCard):
    """Card of the flow that draws jets to generate."""

    settings_type: ClassVar[type[TrainableSettings]] = JetFlowSettings
    uses: ClassVar[Sequence[str]] = USES["jet_flow"]
    limits: ClassVar[Sequence[str]] = LIMITS["jet_flow"]
    how_to_read: ClassVar[str] = HOW_TO_READ["jet_flow"]

    def model(
        self, files: Mapping[str, Any], settings: JetFlowSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        what = (
            "A normalising flow of the jets that clouds are generated for: multiplicity, pT, eta, mass and sum of"
            " the particles."
        )
        return what, [("flow", f"neural splines, autoregressive over the features: {values(settings)}")]

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        return usage("jet_flow", files)


class ClassifierCard(_JetCard, ABC):
    """Abstract card of a classifier of jets; its files have "high_level" too, the file of features that it takes, in a
    list.
    """

    keys: ClassVar[Sequence[str]] = (*_JetCard.keys, "high_level")
    settings_type: ClassVar[type[TrainableSettings]] = TaggerSettings
    how_to_read: ClassVar[str] = HOW_TO_READ["tagger"]

    def model(
        self, files: Mapping[str, Any], settings: TaggerSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        rows = [
            ("network", f"{in_words(settings.network)}: {values(settings.network)}"),
            ("classes", ", ".join(described["classes"])),
            ("features", ", ".join(described["features"]) or "none: it sees the towers of a jet"),
        ]
        return "A classifier of jets: it gives the probability of each class.", rows

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        return usage("tagger", files)


@final
class TaggerCard(ClassifierCard):
    """Card of a tagger that is made to be used."""

    uses: ClassVar[Sequence[str]] = USES["tagger"]
    limits: ClassVar[Sequence[str]] = LIMITS["tagger"]
