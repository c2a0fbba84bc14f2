"""What the study of neutron stars asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.card import Card, trainings_of_card
from cloudchamber.pipeline.json_arguments import as_json, settings_argument
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.neutron_stars.commands import add
from cloudchamber.studies.neutron_stars.drawings import FIGURES, TABLES
from cloudchamber.studies.neutron_stars.network_settings import SetNetwork
from cloudchamber.studies.neutron_stars.settings import NeutronStarsSettings

__all__ = ["NeutronStars"]


@final
class NeutronStars(Study):
    """What do the masses and radii of a few stars say of dense matter, and do networks get all of it?"""

    name: ClassVar[str] = "neutron_stars"
    title: ClassVar[str] = "Neutron stars"
    question: ClassVar[str] = (
        "How well do masses and radii of a few neutron stars tell the equation of state, and do networks get all of it?"
    )
    answer_function: ClassVar[str] = "studies.neutron_stars.answer:answers"
    picture: ClassVar[str] = "scans"
    stages: ClassVar[Mapping[str, str]] = {
        "solve": "studies.neutron_stars.solve:solve",
        "observe": "studies.neutron_stars.observe:observe",
        "train": "studies.neutron_stars.train:train",
        "references": "studies.neutron_stars.references:estimate_references",
        "estimate": "studies.neutron_stars.estimate:estimate",
        "evaluate": "studies.neutron_stars.evaluate:evaluate",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: NeutronStarsSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self._settings = settings
        self.measurement_settings = settings_argument(settings.measurement)
        self.curve_settings = settings_argument(settings.curves)
        self.star_settings = settings_argument(settings.stars)
        self.curves, self.grid = f"{self.folder}/raw/curves.h5", f"{self.folder}/raw/grid.h5"
        self.sets = f"{self.folder}/stars.h5"
        self.references = {
            name: f"{self.folder}/references/{name}.h5" for name in ("constant", "ridge", "exact", "case")
        }
        self.metrics = f"{self.folder}/metrics.csv"

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def trainings(self) -> Iterable[Training]:
        for name in self._settings.models:
            for seed in self._settings.seeds_of(name):
                yield Training(
                    command="neutron_stars train",
                    folder=self._training_folder(name, seed).removeprefix(f"{self.paths.results}/"),
                    title=f"{name} on stars",
                    source=self.curves,
                    settings=self._settings.trained(name),
                    seed=seed,
                    threads=self._settings.threads,
                    memory=2000,
                )

    @property
    def threads(self) -> int:
        """Threads of one estimation."""
        return self._settings.threads

    @property
    def evaluation_files(self) -> dict[str, Any]:
        """What metrics are computed from."""
        references = [
            {"name": name, "seed": 0, "path": self.references[name]} for name in ("constant", "ridge", "exact")
        ]
        return {"sets": self.sets, "estimates": [*references, *self._estimates()]}

    @property
    def evaluation_argument(self) -> str:
        """The same for the command line."""
        return as_json(self.evaluation_files)

    @property
    def evaluation_inputs(self) -> list[str]:
        """The same as files."""
        return [self.sets, *(item["path"] for item in self.evaluation_files["estimates"])]

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        head = {"reference": self._settings.stars.reference.model_dump(mode="json"), "models": self._models()}
        estimates = {item["name"]: item["path"] for item in reversed(list(self._estimates()))}
        match figure:
            case "curves":
                return {**head, "curves": self.curves, "sets": self.sets}
            case "predictions" | "coverage":
                return {**head, "sets": self.sets, "estimates": {**self._of_references(), **estimates}}
            case "posteriors":
                cases = {name: path.replace("estimates.h5", "case.h5") for name, path in estimates.items()}
                return {**head, "sets": self.sets, "cases": {**cases, "exact": self.references["case"]}}
        return self._of_tables()

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return self._of_tables()

    def answer_files(self) -> Mapping[str, Any]:
        return self._of_tables()

    def results(self) -> list[str]:
        return [self.metrics]

    def cards(self) -> Iterable[Card]:
        reference = self._settings.stars.reference
        for name, model in self._settings.models.items():
            folders = {seed: self._training_folder(name, seed) for seed in self._settings.seeds_of(name)}
            files = {
                "study": self.name,
                "dataset": reference.key,
                "dataset_title": "simulated stars",
                "origin": "own simulation: equations of state of two parameters, their stars, Gaussian noise",
                "simulated": True,
                "name": name,
                "title": model.title,
                "curves": self.curves,
                "grid": self.grid,
                "sets": self.sets,
                "metrics": self.metrics,
                "trainings": trainings_of_card(folders),
            }
            yield Card("neutron_stars/star_model", self.name, name, {"model": name}, files)

    def _training_folder(self, model: str, seed: int) -> str:
        return f"{self.folder}/models/{model}/seed{seed}"

    def _estimates(self) -> Iterable[dict[str, Any]]:
        for name in self._settings.models:
            for seed in self._settings.seeds_of(name):
                yield {"name": name, "seed": seed, "path": f"{self._training_folder(name, seed)}/estimates.h5"}

    def _of_references(self) -> dict[str, str]:
        return {name: self.references[name] for name in ("constant", "ridge", "exact")}

    def _models(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "title": model.title,
                "density": not isinstance(model.network, SetNetwork) or model.network.output == "density",
                "sees_sets": isinstance(model.network, SetNetwork),
            }
            for name, model in self._settings.models.items()
        ]

    def _of_tables(self) -> dict[str, Any]:
        stars = self._settings.stars
        return {
            "metrics": self.metrics,
            "models": self._models(),
            "conditions": [condition.model_dump(mode="json") for condition in stars.conditions],
            "reference": stars.reference.model_dump(mode="json"),
        }
