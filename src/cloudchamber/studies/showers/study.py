"""What the study of showers asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.showers.commands import add
from cloudchamber.studies.showers.drawings import FIGURES, TABLES
from cloudchamber.studies.showers.names import FEWEST_JUDGED
from cloudchamber.studies.showers.settings import (
    FileSource,
    FlowMapModel,
    ParametrisedSource,
    ShowerModel,
    ShowersSettings,
)
from cloudchamber.studies.showers.species import SPECIES
from cloudchamber.wildcards import existing_files

__all__ = ["Showers"]

_NONE = "none"


@final
class Showers(Study):
    """Does one model generate the showers of all species (arXiv 2601.11716)?"""

    name: ClassVar[str] = "showers"
    title: ClassVar[str] = "Calorimeter showers"
    question: ClassVar[str] = (
        "Does one model generate the showers of different particles in a calorimeter of 78 layers?"
    )
    answer_function: ClassVar[str] = "studies.showers.answer:answers"
    picture: ClassVar[str] = "profiles"
    stages: ClassVar[Mapping[str, str]] = {
        "simulate": "studies.showers.simulate:simulate",
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
        self._settings = settings
        self.geometry = settings.geometry
        self.source_settings = settings_argument(settings.source)
        self.ingestion_settings = settings_argument(settings.ingestion)
        self.judge_settings = settings_argument(settings.judge)
        self.evaluation_settings = settings_argument(settings.evaluation)
        self.showers = f"{self.folder}/showers.h5"
        self.judgements = f"{self.folder}/judgements.csv"
        self.tables_of = {name: f"{self.folder}/{name}.csv" for name in ("metrics", "profiles", "spectra")}
        self.times = f"{self.folder}/times.csv"
        self.judge_state = f"{self.paths.state}/{self.name}/judge"

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    # Raw data.

    @property
    def files(self) -> list[str]:
        """Files of others that are read; none where showers are simulated.

        Raises:
            SettingsError: a file is not there.
        """
        source = self._settings.source
        if not isinstance(source, FileSource):
            return []
        try:
            return [str(path) for path in existing_files(source.files)]
        except InputError as error:
            raise SettingsError(f"showers.source.files: {error}") from None

    def own_files(self) -> Iterable[tuple[str, str, str]]:
        return [(path, "showers", self.showers) for path in self.files]

    @property
    def raw(self) -> list[str]:
        """ROOT files that are ingested."""
        source = self._settings.source
        if isinstance(source, FileSource):
            return self.files if source.layout == "edm4hep" else []
        return [f"{self.folder}/raw/{shard}.root" for shard in range(source.gun.shards)]

    @property
    def simulated(self) -> bool:
        """Whether raw files are made here."""
        return isinstance(self._settings.source, ParametrisedSource)

    @property
    def ingested(self) -> bool:
        """Whether showers come through ROOT."""
        return bool(self.raw)

    fewest: ClassVar[int] = FEWEST_JUDGED

    def source_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the files."""
        return stamp(self.files)

    # Models.

    def _species(self, model: str) -> list[list[str]]:
        """Return the species of each network of a model; one empty list for one network of all."""
        chosen = self._settings.models[model]
        if not isinstance(chosen, ShowerModel) or chosen.one_for == "all":
            return [[]]
        source = self._settings.source
        if isinstance(source, ParametrisedSource):
            return [[name] for name in source.gun.species]
        codes = {item.pdg: name for name, item in SPECIES.items()}
        if source.pdg is not None:
            return [[codes[source.pdg]]]
        raise SettingsError(
            f"showers.models.{model}.one_for: files of all species do not say beforehand which they hold"
        )

    def _folder(self, model: str, seed: int, species: list[str]) -> str:
        name = f"{self.name}/models/{model}/seed{seed}"
        return f"{name}/{species[0]}" if species else name

    def _trained(self, folder: str) -> dict[str, str]:
        return {
            "weights": f"{self.paths.results}/{folder}/weights.safetensors",
            "description": f"{self.paths.results}/{folder}/model.json",
        }

    def _counts(self, seed: int) -> dict[str, str]:
        return self._trained(f"{self.name}/counts/seed{seed}")

    def trainings(self) -> Iterable[Training]:
        common: dict[str, Any] = {"source": self.showers, "threads": self._settings.threads}
        used = {seed for name in self._settings.models for seed in self._settings.seeds_of(name)}
        for seed in sorted(used):
            yield Training(
                command="showers train-counts",
                folder=f"{self.name}/counts/seed{seed}",
                title="points per layer",
                settings=self._settings.counts,
                seed=seed,
                **common,
            )
        for name, model in self._settings.models.items():
            for seed in self._settings.seeds_of(name):
                if isinstance(model, ShowerModel):
                    for species in self._species(name):
                        yield Training(
                            command="showers train",
                            folder=self._folder(name, seed, species),
                            title=" of ".join([name, *species]),
                            settings=self._settings.trained(name, tuple(species)),  # type: ignore[arg-type]
                            seed=seed,
                            **common,
                        )
                elif isinstance(model, FlowMapModel):
                    teacher = self._trained(self._folder(model.teacher, seed, []))
                    yield Training(
                        command="showers train-map",
                        folder=self._folder(name, seed, []),
                        title=name,
                        settings=self._settings.mapped(name),
                        seed=seed,
                        options=f"--teacher {teacher['weights']} {teacher['description']}",
                        inputs=tuple(teacher.values()),
                        **common,
                    )

    # Samples.

    @property
    def threads(self) -> int:
        """Threads of one sampling."""
        return self._settings.threads

    @property
    def sampled_models(self) -> list[str]:
        """Models that are trained: values of the wildcard ``model``."""
        return [n for n, m in self._settings.models.items() if isinstance(m, ShowerModel | FlowMapModel)]

    @property
    def samplers(self) -> list[str]:
        """All samplers: values of the wildcard ``sampler``."""
        models = [getattr(model, "samplers", {}) for model in self._settings.models.values()]
        named = [name for samplers in models for name in samplers]
        return list(dict.fromkeys(named))

    def baselines(self, kind: str) -> list[str]:
        """Return the models of a kind that are not trained: values of the wildcard ``model``."""
        return [name for name, model in self._settings.models.items() if model.kind == kind]

    def _sampled(self, model: str, seed: int) -> dict[str, Any]:
        models = [
            {"species": species, **self._trained(self._folder(model, seed, species))}
            for species in self._species(model)
        ]
        return {"models": models, "counts": self._counts(seed)}

    def sampled(self, wildcards: Any) -> str:
        return as_json(self._sampled(wildcards.model, int(wildcards.seed)))

    def sampled_files(self, wildcards: Any) -> list[str]:
        return paths_in(self._sampled(wildcards.model, int(wildcards.seed)), self.paths.results)

    def sampler_settings(self, wildcards: Any) -> str:
        model = self._settings.models[wildcards.model]
        assert isinstance(model, ShowerModel | FlowMapModel), "the wildcard has no other values"
        return settings_argument(model.samplers[wildcards.sampler])

    def _samples(self) -> list[dict[str, Any]]:
        found = []
        for name, model in self._settings.models.items():
            samplers = list(model.samplers) if isinstance(model, ShowerModel | FlowMapModel) else [_NONE]
            for sampler in samplers:
                for seed in self._settings.seeds_of(name):
                    path = f"{self.folder}/models/{name}/seed{seed}/{sampler}.h5"
                    found.append({"name": name, "sampler": sampler, "seed": seed, "path": path})
        return found

    @property
    def judged_files(self) -> dict[str, Any]:
        """What classifiers see."""
        return {"showers": self.showers, "samples": self._samples()}

    @property
    def judged(self) -> str:
        """The same for the command line."""
        return as_json(self.judged_files)

    @property
    def judged_inputs(self) -> list[str]:
        """The same as files."""
        return paths_in(self.judged_files, self.paths.results)

    @property
    def evaluated(self) -> str:
        """What metrics are computed from, for the command line."""
        return as_json({**self.judged_files, "judgements": self.judgements})

    # Times.

    def _timed(self) -> dict[str, Any]:
        listed = []
        for name, model in self._settings.models.items():
            if isinstance(model, ShowerModel | FlowMapModel) and self._species(name) == [[]]:
                seed = self._settings.seeds_of(name)[0]
                sampler = next(iter(model.samplers))
                settings = model.samplers[sampler].model_dump(mode="json")
                files = self._trained(self._folder(name, seed, []))
                listed.append({"name": name, "sampler": sampler, "settings": settings, **files})
        return {"models": listed, "counts": self._counts(self._settings.seeds[0])}

    @property
    def timed(self) -> str:
        """Models whose time is measured, for the command line."""
        return as_json(self._timed())

    @property
    def timed_inputs(self) -> list[str]:
        """The same as files."""
        return paths_in(self._timed(), self.paths.results)

    @property
    def times_settings(self) -> str:
        """How times are measured."""
        return "" if self._settings.times is None else settings_argument(self._settings.times)

    # What is shown.

    def left_out(self) -> set[str]:
        return set() if self._settings.times else {"times"}

    def _head(self) -> dict[str, Any]:
        source = self._settings.source
        words = source.title if isinstance(source, FileSource) else "parametrised showers"
        models = []
        for name, model in self._settings.models.items():
            samplers = list(model.samplers) if isinstance(model, ShowerModel | FlowMapModel) else [_NONE]
            for sampler in samplers:
                models.append({"name": name, "title": model.title, "sampler": sampler, "seed": 0})
        return {"title": self._settings.title, "source": words, "models": models}

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        head = self._head()
        match figure:
            case "profiles":
                return {**head, "profiles": self.tables_of["profiles"]}
            case "spectra":
                return {**head, "spectra": self.tables_of["spectra"]}
            case "displays":
                wanted = next(iter([*self.sampled_models, *self._settings.models]))
                first = next(sample for sample in self._samples() if sample["name"] == wanted)
                return {**head, "showers": self.showers, "sample": first}
            case "times":
                return {**head, "times": self.times}
            case "histories":
                return {"title": self._settings.title, "histories": self._histories()}
        return {**head, "metrics": self.tables_of["metrics"]}

    def _histories(self) -> list[dict[str, Any]]:
        found = []
        for training in self.trainings():
            name = "counts" if "/counts/" in training.folder else training.folder.split("/")[2]
            model = self._settings.models.get(name)
            title = "points per layer" if model is None else model.title
            path = f"{self.paths.results}/{training.folder}/history.csv"
            found.append({"name": name, "title": title, "seed": training.seed, "path": path})
        return found

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return {**self._head(), "metrics": self.tables_of["metrics"]}

    def answer_files(self) -> Mapping[str, Any]:
        return {**self._head(), "metrics": self.tables_of["metrics"]}

    def results(self) -> list[str]:
        return [
            self.showers,
            self.judgements,
            *self.tables_of.values(),
            *([self.times] if self._settings.times else []),
        ]
