"""What the cards of scores say."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import pandas as pd

from cloudchamber.provenance.card_kind import CardKind, Row, in_words, markdown_table, values
from cloudchamber.settings.base import parse
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.active_matter.score_settings import ScoreSettings
from cloudchamber.studies.active_matter.snapshots import read_snapshots
from cloudchamber.studies.active_matter.system_settings import SystemSettings

__all__ = ["ScoreCard"]

_PARTS = ("train", "validation", "test")


@final
class ScoreCard(CardKind):
    """Card of a score.

    Its files have "snapshots" of the ensemble that it was trained on, and "ensembles" that it was measured on: "name"
    and "title" of each, the one of the training first.
    """

    keys: ClassVar[Sequence[str]] = ("snapshots", "ensembles")
    settings_type: ClassVar[type[TrainableSettings]] = ScoreSettings
    uses: ClassVar[Sequence[str]] = (
        (
            "To compute the probability flow and the entropy production of this system, in all and for each particle, "
            "and to compare ways of learning a score."
        ),
        "To measure what a score is worth for more particles than it was trained on: a transformer takes any number.",
    )
    limits: ClassVar[Sequence[str]] = (
        (
            "It is the score of one stationary density, of the system and the drives of its training. Elsewhere it "
            "says nothing, and it gives no warning there."
        ),
        (
            "The square of the velocity of one training is too large by the error of the score. `entropy_production` "
            "crosses several trainings; what all of them get wrong alike, such as by the same few snapshots, stays "
            "and is in no uncertainty."
        ),
        "Where snapshots are rare the score is not learned, and local values are not to be trusted.",
        "Activities are even under time reversal. With odd ones the entropy production would be another number.",
    )
    stand_in: ClassVar[str] = (
        "The snapshots are this project's own simulation of a model: nothing here says anything of real particles."
    )
    how_to_read: ClassVar[str] = (
        "Value ± uncertainty of blocks of trajectories and of trainings in quadrature; where a row is of single "
        "trainings their mean, in brackets the standard deviation over them. The floor is the plug-in value of the "
        "same score at a drive of zero, where the exact value is zero. `exact` is a closed form, a quadrature or a "
        "solution on a grid; the field is empty where there is none."
    )
    metrics: ClassVar[Mapping[str, str]] = {
        "entropy_production": "E[v . D^-1 v'] of different trainings, per unit of time",
        "plug_in": "the same of a training with itself, biased upward",
        "lower_bound": "E[2 v . b / D + 2 div v - v . D^-1 v], biased downward",
        "force_divergence": "mean divergence of the force on a particle",
        "flow_divergence": "mean divergence of the flow of activities, minus the force's if the score is right",
        "score_error": "root mean square error of the score relative to the exact one",
        "stein_mean": "E[s], zero for a score",
        "stein_identity": "E[s z] + 1, zero for a score",
        "stein_divergence": "E[div s + |s|^2], zero for a score",
        "flow_mean": "E[v . s], zero for a stationary score",
        "flow_residual": "div v + v . s, zero for a stationary score",
    }
    sample: ClassVar[str] = "snapshots"
    groups: ClassVar[Mapping[str, str]] = {"drive": "drive"}
    limits_of_values: ClassVar[Mapping[str, str]] = {"floor": "floor", "exact": "exact"}

    def model(
        self, files: Mapping[str, Any], settings: ScoreSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        system = parse(SystemSettings, described["system"], files["trainings"][0]["description"])
        drift = (
            "drift over diffusion is added, so that the network gives the velocity" if settings.shift else "no drift"
        )
        rows = [
            ("network", f"{in_words(settings.network)}: {values(settings.network)}"),
            ("added to the network", drift),
            ("loss", values(settings.loss)),
            ("system", f"{in_words(system)}: {values(system)}"),
            ("drives of the training", ", ".join(f"{drive:g}" for drive in described["drives"])),
        ]
        return "The score of a stationary density: the gradient of its logarithm, with which the flow is known.", rows

    def data(self, files: Mapping[str, Any]) -> list[str]:
        snapshots = read_snapshots(Path(files["snapshots"]))
        parts = ", ".join(f"{len(snapshots.parts[name]):,} {name}" for name in _PARTS)
        rows = [
            ("ensemble", f"{files['dataset_title']} (`{files['dataset']}`)"),
            ("from", files["origin"]),
            ("snapshots of all drives", f"{len(snapshots.states):,}: {parts}"),
            ("particles of a snapshot", f"{snapshots.states.shape[1]:,}"),
            ("blocks that count as independent", f"{len(set(snapshots.blocks.tolist())):,}"),
        ]
        return [
            markdown_table(rows),
            (
                "It is trained on the training part and measured on the test part, and on all snapshots of other "
                "ensembles."
            ),
        ]

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        return table[table["model"] == files["name"]]

    def parts(self, files: Mapping[str, Any], table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        for number, ensemble in enumerate(files["ensembles"]):
            part = table[table["dataset"] == ensemble["name"]]
            if len(part):
                yield f"On {ensemble['title']}{', unchanged' if number else ''}:", part

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        first = files["trainings"][0]
        drives = read_snapshots(Path(files["snapshots"])).drives
        largest = float(drives.max())
        keys = ("seed", "weights", "description")
        ensemble = {
            "name": files["dataset"],
            "snapshots": files["snapshots"],
            "drives": [largest],
            "part": "test",
        }
        trainings = [{key: training[key] for key in keys} for training in files["trainings"]]
        given = json.dumps({"trainings": trainings, "ensembles": [ensemble]})
        command = f"cloudchamber active_matter measure --files '{given}' --settings '{{}}' --seed 1"
        program = f"""from pathlib import Path

from cloudchamber.studies.active_matter.velocities import velocity_of
from cloudchamber.studies.active_matter.score_model import load_score
from cloudchamber.studies.active_matter.snapshots import read_snapshots

snapshots = read_snapshots(Path("{files["snapshots"]}"))
model = load_score(Path("{first["weights"]}"), Path("{first["description"]}"), snapshots.system)
states = snapshots.states[snapshots.rows("test", {largest!r})]
flow = velocity_of(model, states, {largest!r})  # (snapshots, particles, coordinates)"""
        return [
            f"```\n{command} --quantities quantities.csv --fields fields.h5\n```",
            "Or in Python, the probability flow at each snapshot:",
            f"```python\n{program}\n```",
        ]
