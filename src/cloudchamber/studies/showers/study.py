"""What the study of showers asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.card import Card
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.showers.cards import cards
from cloudchamber.studies.showers.commands import add
from cloudchamber.studies.showers.drawings import FIGURES, TABLES
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.model_settings import FlowMapModel, ShowerModel
from cloudchamber.studies.showers.names import FEWEST_JUDGED
from cloudchamber.studies.showers.plan import ShowersPlan, trained
from cloudchamber.studies.showers.settings import ShowersSettings
from cloudchamber.studies.showers.source_settings import (
    FileSource,
    Geant4Source,
    IngestionSettings,
    ParametrisedSource,
)

__all__ = ["Showers"]


@final
class Showers(Study):
    """Does one model generate the showers of all species (arXiv 2601.11716)?

    Methods that take ``wildcards`` are input and params functions of Snakemake.
    """

    name: ClassVar[str] = "showers"
    title: ClassVar[str] = "Calorimeter showers"
    question: ClassVar[str] = (
        "Does one model generate the showers of different particles in a calorimeter of 78 layers?"
    )
    answer_function: ClassVar[str] = "studies.showers.answer:answers"
    picture: ClassVar[str] = "profiles"
    stages: ClassVar[Mapping[str, str]] = {
        "simulate": "studies.showers.simulate:simulate",
        "geant4-tables": "studies.showers.geant4.substitute_tables:make_tables",
        "simulate-geant4": "studies.showers.geant4.simulate:simulate_geant4",
        "ingest": "studies.showers.ingest:ingest",
        "read": "studies.showers.read:read",
        "train": "studies.showers.train:train_points",
        "train-counts": "studies.showers.train:train_counts",
        "train-map": "studies.showers.train:train_map",
        "sample": "studies.showers.sample:sample",
        "sample-marginals": "studies.showers.marginals:sample_marginals",
        "sample-parametrised": "studies.showers.parametrised_sample:sample_parametrised",
        "judge": "studies.showers.judge:judge",
        "evaluate": "studies.showers.evaluate:evaluate",
        "measure-time": "studies.showers.times:measure_time",
        "write": "studies.showers.write:write",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: ShowersSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self.plan = ShowersPlan(settings, self.paths.results, self.folder)
        self.geometry, self.threads = settings.geometry, settings.threads
        self.source_settings = settings_argument(settings.source)
        self.ingestion_settings = settings_argument(settings.ingestion)
        self.parametrised_settings = settings_argument(self._of_parametrised())
        self.judge_settings = settings_argument(settings.judge)
        self.evaluation_settings = settings_argument(settings.evaluation)
        self.times_settings = "" if settings.times is None else settings_argument(settings.times)
        self.judge_state = f"{self.paths.state}/{self.name}/judge"

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    # Raw data.

    fewest: ClassVar[int] = FEWEST_JUDGED

    def own_files(self) -> Iterable[tuple[str, str, str]]:
        return [(path, "showers", self.plan.showers) for path in self.plan.files_of_others()]

    def _of_parametrised(self) -> IngestionSettings:
        """Return how parametrised showers are read: with the threshold of true ones, on the same energies."""
        settings = self.plan.settings
        if not isinstance(settings.source, FileSource) or settings.source.layout != "calo_challenge":
            return settings.ingestion
        fraction = float(geometry_of(settings.geometry).sampling_fractions[0])
        return settings.ingestion.model_copy(update={"threshold": fraction * settings.ingestion.threshold})

    @property
    def simulated_by(self) -> str | None:
        """Kind of what simulates raw files; None where they are there."""
        source = self.plan.settings.source
        return source.kind if isinstance(source, ParametrisedSource | Geant4Source) else None

    @property
    def substitute_tables(self) -> list[str]:
        """The file of tables that Geant4 needs, where it has not its own."""
        source = self.plan.settings.source
        substitute = isinstance(source, Geant4Source) and source.tables == "substitute"
        return [self.plan.tables_of_geant4] if substitute else []

    def source_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the files."""
        return stamp(self.plan.files_of_others())

    # Models.

    def trainings(self) -> Iterable[Training]:
        settings, plan = self.plan.settings, self.plan
        common: dict[str, Any] = {"source": plan.showers, "threads": settings.threads}
        used = {seed for name in settings.models for seed in settings.seeds_of(name)}
        for seed in sorted(used):
            yield Training(
                command="showers train-counts",
                folder=plan.below_results(plan.counts(seed)),
                title="points per layer",
                settings=settings.counts,
                seed=seed,
                **common,
            )
        for name, model in settings.models.items():
            for seed in settings.seeds_of(name):
                if isinstance(model, ShowerModel):
                    for species in plan.species(name):
                        yield Training(
                            command="showers train",
                            folder=plan.below_results(plan.training(name, seed, species)),
                            title=" of ".join([name, *species]),
                            settings=settings.trained(name, tuple(species)),  # type: ignore[arg-type]
                            seed=seed,
                            **common,
                        )
                elif isinstance(model, FlowMapModel):
                    teacher = trained(plan.training(model.teacher, seed, []))
                    yield Training(
                        command="showers train-map",
                        folder=plan.below_results(plan.training(name, seed, [])),
                        title=name,
                        settings=settings.mapped(name),
                        seed=seed,
                        options=f"--teacher {teacher['weights']} {teacher['description']}",
                        inputs=tuple(teacher.values()),
                        **common,
                    )

    def cards(self) -> Iterable[Card]:
        return cards(self.plan, self.name)

    # Samples.

    @property
    def samplers(self) -> list[str]:
        """All samplers: values of the wildcard ``sampler``."""
        return list(dict.fromkeys(name for model in self.plan.trained_models() for name in self.plan.samplers(model)))

    def baselines(self, kind: str) -> list[str]:
        """Return the models of a kind that are not trained: values of the wildcard ``model``."""
        return [name for name, model in self.plan.settings.models.items() if model.kind == kind]

    def sampled(self, wildcards: Any) -> str:
        return as_json(self.plan.drawn_from(wildcards.model, int(wildcards.seed)))

    def sampled_files(self, wildcards: Any) -> list[str]:
        return paths_in(self.plan.drawn_from(wildcards.model, int(wildcards.seed)), self.paths.results)

    def sampler_settings(self, wildcards: Any) -> str:
        model = self.plan.settings.models[wildcards.model]
        assert isinstance(model, ShowerModel | FlowMapModel), "the wildcard has no other values"
        return settings_argument(model.samplers[wildcards.sampler])

    @property
    def _judged(self) -> dict[str, Any]:
        return {"showers": self.plan.showers, "samples": list(self.plan.samples())}

    @property
    def judged(self) -> str:
        """What classifiers see, for the command line."""
        return as_json(self._judged)

    @property
    def judged_inputs(self) -> list[str]:
        """The same as files."""
        return paths_in(self._judged, self.paths.results)

    @property
    def evaluated(self) -> str:
        """What metrics are computed from, for the command line."""
        return as_json({**self._judged, "judgements": self.plan.judgements})

    @property
    def timed(self) -> str:
        """Models whose time is measured, for the command line."""
        return as_json(self.plan.timed())

    @property
    def timed_inputs(self) -> list[str]:
        """The same as files."""
        return paths_in(self.plan.timed(), self.paths.results)

    # What is shown.

    def left_out(self) -> set[str]:
        absent = set() if self.times_settings else {"times"}
        return absent if self.plan.arms() else absent | {"ablation"}

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        plan, head = self.plan, self.plan.head()
        match figure:
            case "profiles" | "spectra":
                return {**head, figure: plan.tables[figure]}
            case "displays":
                wanted = next(iter([*plan.trained_models(), *plan.settings.models]))
                first = next(sample for sample in plan.samples() if sample["name"] == wanted)
                return {**head, "showers": plan.showers, "sample": first}
            case "times":
                return {**head, "times": plan.times}
            case "ablation":
                return {**self._of_metrics(), "arms": plan.arms()}
            case "histories":
                histories = list(plan.histories())
                return {"title": head["title"], "source": head["source"], "histories": histories}
        return self._of_metrics()

    def _of_metrics(self) -> dict[str, Any]:
        return {**self.plan.head(), "metrics": self.plan.tables["metrics"]}

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return {**self._of_metrics(), **({"arms": self.plan.arms()} if table == "ablation" else {})}

    def answer_files(self) -> Mapping[str, Any]:
        return self._of_metrics()

    def results(self) -> list[str]:
        plan = self.plan
        return [plan.showers, plan.judgements, *plan.tables.values(), *([plan.times] if self.times_settings else [])]
