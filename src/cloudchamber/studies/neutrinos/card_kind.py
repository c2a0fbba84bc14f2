"""What the cards of neutrino classifiers say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import pandas as pd

from cloudchamber.provenance.card_kind import CardKind, Row, in_words, markdown_table, values
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.neutrinos.event_clouds import PARTS, read_event_clouds
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.network_settings import NeutrinoTrainingSettings

__all__ = ["NeutrinoCard"]


@final
class NeutrinoCard(CardKind):
    """Card of a network that names interactions and prongs; its files have the "events" that it was trained on."""

    keys: ClassVar[Sequence[str]] = ("events",)
    settings_type: ClassVar[type[TrainableSettings]] = NeutrinoTrainingSettings
    uses: ClassVar[Sequence[str]] = (
        "To study classifiers of events and prongs in two views: to compare networks, and what joint context adds.",
    )
    limits: ClassVar[Sequence[str]] = (
        (
            "It knows deep inelastic scattering on free protons at the energies of its training: no nucleus, no "
            "quasi-elastic scattering, no resonances, no cosmic rays."
        ),
        (
            "It has learned a toy detector, and prongs whose hits were found from the truth. On data of an experiment "
            "it says nothing, and it gives no warning there."
        ),
        "Its probabilities hold for three interactions that are alike in number, and for no flux of a beam.",
        "How many prongs there are, and which hits are theirs, it takes as given.",
    )
    stand_in: ClassVar[str] = (
        "The events are this project's own simulation (Pythia 8 deep inelastic scattering on a free proton, at about "
        "ten times the energies of NOvA, and a toy detector): a stand-in for the data of NOvA, which are not public. "
        "No number here may be compared with one of arXiv 2303.06201."
    )
    how_to_read: ClassVar[str] = (
        "Value ± uncertainty from the number of test events; with several seeds their mean, in brackets the standard "
        "deviation over seeds. The floor is a guess (0.5 for an area under a curve, and for the calibration error what "
        "true probabilities get). The ceiling is a classifier of the true visible prongs that does not know electrons "
        "from photons; it is trained too, and so is no bound in the strict sense."
    )
    metrics: ClassVar[Mapping[str, str]] = {
        "accuracy": "share of events whose interaction is found, the three alike",
        "auc": "area under the curve of an interaction against the others; without one their mean",
        "prong_accuracy": "share of prongs whose class is found; without a class of all prongs",
        "calibration_error": "mean distance of the probability of the chosen class from how often it is right",
    }
    sample: ClassVar[str] = "events or prongs"
    limits_of_values: ClassVar[Mapping[str, str]] = {"floor": "floor", "ceiling": "ceiling"}

    def model(
        self, files: Mapping[str, Any], settings: NeutrinoTrainingSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        rows = [
            ("network", f"{in_words(settings.network)}: {values(settings.network)}"),
            ("interactions", ", ".join(INTERACTIONS)),
            ("classes of prongs", ", ".join(PRONGS)),
            ("loss", values(settings.loss)),
            ("events of the training", f"{described['events']:,}"),
        ]
        return "A network that names the interaction of a neutrino and the particle of each prong.", rows

    def data(self, files: Mapping[str, Any]) -> list[str]:
        events = read_event_clouds(Path(files["events"]))
        parts = ", ".join(f"{len(events.parts[name]):,} {name}" for name in PARTS)
        prongs = events.prong_mask.sum(axis=1)
        rows = [
            ("data set", f"{files['dataset_title']} (`{files['dataset']}`)"),
            ("from", files["origin"]),
            ("events", f"{len(events):,}: {parts}"),
            ("hits of an event", f"{events.counts.mean():.0f} on average, at most {events.counts.max():,}"),
            ("prongs of an event", f"{prongs.mean():.1f} on average, at most {prongs.max()}"),
        ]
        return [
            markdown_table(rows),
            "It is trained on the training part, watched on the validation part and measured on the test part.",
        ]

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        # Accuracies at single energies of the beam have data sets of their own.
        return table[(table["model"] == files["name"]) & (table["dataset"] == "all")]

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        first = files["trainings"][0]
        model = {"name": files["name"], **{key: first[key] for key in ("seed", "weights", "description")}}
        command = f"cloudchamber neutrinos classify {files['events']} --files '{json.dumps({'models': [model]})}'"
        told = "`scores.h5` has the log probabilities of the test events and their prongs (docs/formats.md)."
        return [f"```\n{command} --output scores.h5\n```", told]
