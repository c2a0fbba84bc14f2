"""What the cards of assignment networks say."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import pandas as pd

from cloudchamber.provenance.card_kind import CardKind, Row, in_words, markdown_table, values
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.assignment.event_file import read_events, read_part
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR as TOPOLOGY

__all__ = ["AssignmentCard"]

# Times are measured once, whatever the network was trained on.
_COST = "seconds_per_event"


@final
class AssignmentCard(CardKind):
    """Card of a network trained on own events.

    Its files have the "events" that it was trained on, and "samples" that it was tested on: "name" and "title" of each.
    """

    keys: ClassVar[Sequence[str]] = ("events", "samples")
    settings_type: ClassVar[type[TrainableSettings]] = AssignmentTrainingSettings
    uses: ClassVar[Sequence[str]] = (
        (
            "To study which jets of an event come from which particle: to compare networks with each other and with "
            "the chi-square on the events of this study."
        ),
        "Where the study exports it, `network.onnx` is the same network for other programs; decoding is outside of it.",
    )
    limits: ClassVar[Sequence[str]] = (
        (
            "Outside of its training events (process, selection, jet radius, b-tags, detector) it says nothing, and "
            "it gives no warning there."
        ),
        (
            "It always gives an assignment, also where jets of a top are missing. Its detection outputs and "
            "probabilities say how likely that is, as well as the calibration error allows."
        ),
        (
            "It has learned masses, as `background_in_window` shows: events without tops get candidates that look "
            "like tops. A background cannot be estimated from the mass of the candidates alone."
        ),
        "It beats a chi-square only if it was trained with enough events: compare it in the tables of the study.",
    )
    stand_in: ClassVar[str] = (
        "Own events are this project's simulation (Pythia 8 at leading order and a fast detector), a stand-in for "
        "the sample of arXiv 2010.09206. No number here may be compared with a number printed there."
    )
    how_to_read: ClassVar[str] = (
        "Value ± uncertainty from the number of events; with several seeds their mean, in brackets the standard "
        "deviation over seeds. The floor is what a random assignment gets (0.5 for an area under a curve, and for "
        "the calibration error what true probabilities get). The ceiling is what no assignment can exceed, where "
        "it is below one. `feature` is the number of jets of the event."
    )
    metrics: ClassVar[Mapping[str, str]] = {
        "event_efficiency": "share of events with both tops identifiable in which both are right",
        "eps_2_top": "share of right tops in those events",
        "eps_1_top": "share of events with exactly one identifiable top in which it is right",
        "event_purity": "share of all events in which both tops are identifiable and right",
        "calibration_error": "mean distance of the probability of an assignment from how often it is right",
        "detection_auc": "area under the curve of events with both tops against others, by the detection outputs",
        "background_in_window": "share of the candidates of multijets with a mass like a top",
        _COST: "time of network and decoding, on the machine of the run [s]",
    }
    sample: ClassVar[str] = "events or tops"
    limits_of_values: ClassVar[Mapping[str, str]] = {"floor": "floor", "ceiling": "ceiling"}

    def model(
        self, files: Mapping[str, Any], settings: AssignmentTrainingSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        particles = "; ".join(
            f"{name} to {', '.join(particle.daughters)}" for name, particle in settings.topology.particles.items()
        )
        training = described["training"]
        rows = [
            ("network", f"{in_words(settings.network)}: {values(settings.network)}"),
            ("particles of an event", particles),
            ("loss", values(settings.loss)),
            ("events of the training", f"{training['events']:,}, {training['complete_events']:,} with both tops"),
        ]
        return "A network that says which jets of an event come from which top and which quark.", rows

    def data(self, files: Mapping[str, Any]) -> list[str]:
        path = Path(files["events"])
        events = read_events(path, TOPOLOGY)
        names = ("train", "validation", "test")
        parts = ", ".join(f"{len(read_part(path, f'all/{name}', len(events))):,} {name}" for name in names)
        complete = int(events.found(TOPOLOGY).all(axis=1).sum())
        jets = f"{events.n_jets.mean():.1f} on average, at most {events.jets.shape[1]}"
        rows = [
            ("data set", f"{files['dataset_title']} (`{files['dataset']}`)"),
            ("from", files["origin"]),
            ("selected events", f"{len(events):,}: {parts}"),
            ("with both tops identifiable", f"{complete:,}"),
            ("jets of an event", jets),
        ]
        return [
            markdown_table(rows),
            (
                "It is trained on the training part, watched on the validation part and measured on the test part, "
                "and on all events of other samples."
            ),
        ]

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        of_training = (table["trained_on"] == files["dataset"]) | (table["metric"] == _COST)
        return table[(table["model"] == files["name"]) & of_training]

    def parts(self, files: Mapping[str, Any], table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        titles = {sample["name"]: f"On {sample['title']}:" for sample in files["samples"]}
        for name, part in table.groupby("dataset", sort=False):
            yield titles.get(str(name), "Cost:"), part

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        first = files["trainings"][0]
        model = {
            "name": files["name"],
            "seed": first["seed"],
            "trained_on": files["dataset"],
            "training_events": None,
            "part": "all",
            **{key: first[key] for key in ("weights", "description")},
        }
        given = json.dumps({"part": "all", "models": [model]})
        command = f"cloudchamber assignment assign {files['events']} --files '{given}' --settings '{{}}'"
        told = (
            "`assignments.h5` has the jets of each top of the test events, with probabilities. Other events in the "
            "layout of SPANet become such a file by `cloudchamber assignment collect`."
        )
        return [f"```\n{command} --output assignments.h5\n```", told]
