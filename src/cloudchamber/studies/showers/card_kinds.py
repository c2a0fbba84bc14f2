"""What the cards of the study's models say."""

import json
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
import pandas as pd

from cloudchamber.provenance.card_kind import CardKind, Row, in_words, markdown_table, values
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.showers.model_settings import CountSettings, ShowerModelSettings
from cloudchamber.studies.showers.shower_file import open_showers
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CountsCard", "PointsCard"]

_PARTS = ("train", "validation", "test", "asked")
_METRICS: Mapping[str, str] = {
    "kl": "divergence of a feature from that of true showers",
    "w1": "Wasserstein distance of a feature, in its unit",
    "separation": "separation power of histograms (arXiv 2410.21611)",
    "profile_error": "part of the mean energy that is in other layers or rings than true",
    "layer_sums": "Wasserstein distance of the energy of a layer over its true mean, averaged over layers",
    "mean": "mean of a feature",
    "resolution": "standard deviation of a feature over its mean",
    "auc_features": "AUC of a classifier of model and truth on high-level features; one half is perfect",
    "auc_points": "the same of a classifier on cells",
    "nlp": "mean of -ln p(model | true shower) with truth among the classes",
    "species_accuracy": "share of showers whose species a classifier of true showers tells right",
    "memorisation": "share of showers that repeat training showers, less what chance does",
    "duplicates": "share of showers that repeat each other, less what chance does",
    "fpd": "Frechet physics distance",
    "kpd": "kernel physics distance",
    "seconds_per_shower": "time of a shower, on the machine of the run",
}


class _ShowerCard(CardKind, ABC):
    """Abstract card of a network of the study. Its files have "showers", which it was trained on."""

    limits: ClassVar[Sequence[str]] = (
        (
            "It knows the stack of layers, the species, energies and directions of its training. Other species are "
            "refused, and other energies and angles are drawn with a warning: it says nothing there."
        ),
        "It does not replace a simulation: rare showers, and correlations that no metric above looks at, may be wrong.",
        "A metric well above its floor says where it is known to be wrong.",
        "More generated showers hold no more information than the training showers.",
    )
    stand_in: ClassVar[str] = (
        "The showers are this project's own simulation. Parametrised ones are a stand-in with a known truth and say "
        "nothing of real showers; those by Geant4 with substitute low-energy tables are transport and no reference. No "
        "number here may be compared with a number printed for other showers."
    )
    how_to_read: ClassVar[str] = (
        "Value ± standard deviation over resamplings of the showers; with several seeds their mean, in brackets the "
        "standard deviation over seeds. The floor is what other true showers of the same particles get. Values are of "
        "all energies together."
    )
    metrics: ClassVar[Mapping[str, str]] = _METRICS
    sample: ClassVar[str] = "showers"

    def data(self, files: Mapping[str, Any]) -> list[str]:
        with open_showers(files["showers"]) as showers:
            parts = ", ".join(f"{len(showers.part(name)):,} {name}" for name in _PARTS)
            rows = showers.part("train")
            energy, pdg = showers.feature("energy")[rows], showers.label("pdg")[rows]
            cosine, counts = showers.feature("direction_z")[rows], showers.counts[rows]
            layers = showers.meta["geometry"]
        species = [name.replace("_", " ") for name, item in SPECIES.items() if (pdg == item.pdg).any()]
        angle = float(np.degrees(np.arccos(np.clip(cosine.min(), -1, 1))))
        table = [
            ("from", files["origin"]),
            ("stack of layers", layers),
            ("showers", f"{len(showers):,}: {parts}"),
            ("species", ", ".join(species)),
            ("energies of the training", f"{energy.min():.3g} to {energy.max():.3g} GeV"),
            ("angles to the normal", f"up to {angle:.0f} degrees"),
            ("points of a training shower", f"{counts.mean():.0f} on average, at most {counts.max():,}"),
        ]
        return [
            markdown_table(table),
            "It is trained on the training part and compared with the test part, asked for the particles of `asked`.",
        ]

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        return table[(table["model"] == files["name"]) & table["low"].isna()]

    def parts(self, files: Mapping[str, Any], table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        for (dataset, sampler), part in table.groupby(["dataset", "sampler"], sort=False):
            of = "Of all species together" if dataset == "all" else f"Of {str(dataset).replace('_', ' ')}"
            yield f"{of}, drawn by `{sampler}`:", part


@final
class PointsCard(_ShowerCard):
    """Card of a flow or of a flow map of points.

    Its files have also "species" that it was trained with (none for all), "samplers", and "counts": weights and
    description of the flow of the numbers of points that it is drawn with.
    """

    keys: ClassVar[Sequence[str]] = ("showers", "species", "samplers", "counts")
    settings_type: ClassVar[type[TrainableSettings]] = ShowerModelSettings
    uses: ClassVar[Sequence[str]] = (
        "To study generative models of calorimeter showers: to compare networks, windows, pairings and solvers.",
        "To draw the points of a shower for a given particle, with the numbers of points that PointCountFM gives.",
    )

    def model(
        self, files: Mapping[str, Any], settings: ShowerModelSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        segments = described["segments"]
        what = (
            "A flow of the points of a shower (arXiv 2601.11716): x, y and energy; their layers are given."
            if segments is None
            else f"A flow map of the points of a shower, distilled from a flow: at most {segments} evaluations."
        )
        rows = [
            ("network", f"{in_words(settings.network)}: {values(settings.network)}"),
            ("pairing of noise and points", settings.pairing),
            ("smallest noise", f"{settings.sigma_min:g}"),
            ("species", ", ".join(name.replace("_", " ") for name in settings.species) or "all of the training"),
        ]
        return what, rows

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        first = files["trainings"][0]
        model = {"species": files["species"], "weights": first["weights"], "description": first["description"]}
        given = json.dumps({"models": [model], "counts": files["counts"]})
        sampler = json.dumps(next(iter(files["samplers"].values())))
        command = f"cloudchamber showers sample {files['showers']} --files '{given}' --settings '{sampler}' --seed 1"
        return [
            f"```\n{command} --output sample.h5\n```",
            "It draws a shower for each particle of the part `asked`; docs/formats.md says what is in the file.",
        ]


@final
class CountsCard(_ShowerCard):
    """Card of the flow of the numbers of points. Its files have also "shown": the "model" and "sampler" that it is
    measured with."""

    keys: ClassVar[Sequence[str]] = ("showers", "shown")
    settings_type: ClassVar[type[TrainableSettings]] = CountSettings
    uses: ClassVar[Sequence[str]] = (
        "To ask models of points for showers: it draws the number of points of each layer, and no points.",
    )

    def model(
        self, files: Mapping[str, Any], settings: CountSettings, described: Mapping[str, Any]
    ) -> tuple[str, list[Row]]:
        rows = [
            ("inner widths", ", ".join(map(str, settings.hidden))),
            ("smallest noise", f"{settings.sigma_min:g}"),
            ("drawn by", f"{settings.solver}, {settings.evaluations} evaluations"),
        ]
        return "PointCountFM: a flow of the logarithms of the numbers of points of all layers.", rows

    def chosen(self, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
        """Return what the number of hits says, of the model that is drawn with it."""
        shown = files["shown"]
        of_model = (table["model"] == shown["model"]) & (table["sampler"] == shown["sampler"])
        return table[of_model & table["low"].isna() & (table["feature"] == "hits")]

    def usage(self, files: Mapping[str, Any]) -> list[str]:
        first = files["trainings"][0]
        program = f"""from pathlib import Path

from cloudchamber.studies.showers.sample import draw_counts
from cloudchamber.studies.showers.shower_file import open_showers, particles_of
from cloudchamber.studies.showers.shower_models import load_counts

model = load_counts(Path("{first["weights"]}"), Path("{first["description"]}"))
with open_showers("{files["showers"]}") as showers:
    particles = particles_of(showers, showers.part("asked"))
counts = draw_counts(model, particles, seed=1)  # (showers, layers)"""
        return [f"```python\n{program}\n```"]
