"""What the rules of the workflow ask for: settings of each job, files of each stage, sources a stage depends on.

Paths are made here and nowhere else. Methods that take ``wildcards`` are input and params functions of Snakemake.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from glob import glob
from pathlib import Path
from typing import Any, final

from cloudchamber.settings import (
    AnalysisSettings,
    DelphesSource,
    IngestionSettings,
    SimulatedSource,
    TrainedModel,
    parse,
)

__all__ = ["Pipeline"]

_PACKAGE = Path("src/cloudchamber")
_MODEL = (
    "generation/artifact.py",
    "generation/objectives.py",
    "generation/paths.py",
    "generation/sampling.py",
    "generation/solvers.py",
    "networks/epic.py",
    "networks/linear.py",
    "networks/packing.py",
    "preparation/standardisation.py",
)
_TRAINING = ("training/average.py", "training/state.py", "training/task.py", "training/trainer.py")
# Sources whose change asks for a rerun of a stage; what merely passes data on (command line, errors) is left out.
_SOURCES = {
    "simulate": ("simulation/*.py", "seeds.py"),
    "ingest": (
        "preparation/clustering.py",
        "preparation/ingestion.py",
        "preparation/padding.py",
        "preparation/sources.py",
        "readers/constituents.py",
        "readers/delphes.py",
        "readers/references.py",
    ),
    "prepare": (
        "preparation/prepare.py",
        "preparation/relative.py",
        "preparation/splits.py",
        "preparation/standardisation.py",
    ),
    "train": (*_MODEL, "generation/task.py", "generation/train.py", *_TRAINING),
    "sample": (*_MODEL, "generation/sample.py"),
    "observe": ("evaluation/kinematics.py", "evaluation/observables.py", "evaluation/substructure.py"),
    "compare": (
        "evaluation/comparison.py",
        "evaluation/divergence.py",
        "evaluation/resampling.py",
        "evaluation/wasserstein.py",
    ),
    "log_posterior": (
        "evaluation/log_posterior.py",
        "evaluation/posterior_step.py",
        "networks/particlenet.py",
        "training/classification.py",
        *_TRAINING,
    ),
    "evaluate": ("evaluation/steps.py",),
    "draw": ("figures/*.py",),
}
NO_SAMPLER = "none"
FIGURES = {
    "Distributions": ("jet_features", "particle_features", "substructure"),
    "Metrics": ("divergences", "wasserstein", "log_posterior", "confusion", "cost"),
    "Jets": ("average_images", "cloud_gallery"),
    "Training": ("histories",),
}
TABLES = ("divergences", "wasserstein", "log_posterior", "cost")


@final
class Pipeline:
    """The files and settings of one analysis.

    Args:
        config: content of config.yaml and its overlays.

    Raises:
        SettingsError: one line with each wrong key.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.settings = parse(AnalysisSettings, config, "configuration")
        self.study = self.settings.jet_generation
        self.results = self.settings.results
        self.seed = self.settings.seed

    @property
    def state(self) -> str:
        """Folder of resumable training states; no rule declares what lies in it, so that Snakemake keeps it."""
        return f"state/{self.results}"

    @property
    def logs(self) -> str:
        return f"logs/{self.results}"

    def any_of(self, names: Iterable[str]) -> str:
        """Return the regular expression of a wildcard that is one of ``names``."""
        return "|".join(names) or "(?!)"

    # Settings of jobs, as JSON for the command line.

    def process_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.processes[wildcards.process])

    def ingestion_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.datasets[wildcards.dataset].ingestion)

    def response_settings(self, wildcards: Any) -> str:
        response = self.settings.detector_response
        assert response is not None
        return _dump(IngestionSettings(clouds=response.clouds, max_particles=response.max_particles))

    def preparation_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.datasets[wildcards.dataset].preparation)

    def model_settings(self, wildcards: Any) -> str:
        return _dump(self._trained(wildcards.model).generator)

    def sampler_settings(self, wildcards: Any) -> str:
        return _dump(self._trained(wildcards.model).samplers[wildcards.sampler])

    def metric_settings(self, wildcards: Any) -> str:
        return _dump(self.study.metrics)

    def log_posterior_settings(self, wildcards: Any) -> str:
        return _dump(self.study.log_posterior)

    def training_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the time limit of a training; a retry goes on from the saved state with a larger one."""
        return 720 * attempt

    def gpus(self, wildcards: Any) -> int:
        """Return the GPUs of one training: those it asks for by name; "auto" takes what it finds."""
        training = self._trained(wildcards.model).training
        return training.devices if training.accelerator == "cuda" else 0

    def _trained(self, name: str) -> TrainedModel:
        model = self.study.models[name]
        assert isinstance(model, TrainedModel)
        return model

    def trained_models(self) -> list[str]:
        return [name for name, model in self.study.models.items() if isinstance(model, TrainedModel)]

    # Files.

    def raw(self, process: str) -> list[str]:
        shards = self.settings.processes[process].shards
        return [f"{self.results}/raw/{process}/{shard}.root" for shard in range(shards)]

    def all_raw(self) -> list[str]:
        return [path for process in self.settings.processes for path in self.raw(process)]

    def dataset_files(self, wildcards: Any) -> list[str]:
        """Return the raw files of a data set: simulated ones, or the user's own."""
        source = self.settings.datasets[wildcards.dataset].source
        if isinstance(source, SimulatedSource):
            return self.raw(source.process)
        assert isinstance(source, DelphesSource)
        return sorted({path for pattern in source.files for path in glob(pattern) or [pattern]})

    def prepared(self, dataset: str) -> str:
        return f"{self.results}/prepared/{dataset}.h5"

    def truth_observables(self, dataset: str) -> str:
        return f"{self.results}/prepared/{dataset}_observables.h5"

    def samplers(self, model: str) -> list[str]:
        settings = self.study.models[model]
        return list(settings.samplers) if isinstance(settings, TrainedModel) else [NO_SAMPLER]

    def sample(self, dataset: str, model: str, sampler: str, seed: int) -> str:
        return f"{self.study_folder(dataset)}/samples/{model}/{sampler}_seed{seed}.h5"

    def study_folder(self, dataset: str) -> str:
        return f"{self.results}/jet_generation/{dataset}"

    def _entries(self, dataset: str) -> list[dict[str, Any]]:
        return [
            {
                "dataset": dataset,
                "name": model,
                "title": self.study.models[model].title,
                "sampler": sampler,
                "seed": seed,
                "clouds": (sample := self.sample(dataset, model, sampler, seed)),
                "observables": sample.replace(".h5", "_observables.h5"),
                "comparison": sample.replace(".h5", "_comparison.csv"),
            }
            for model in self.study.models
            for sampler in self.samplers(model)
            for seed in self.study.seeds
        ]

    def competitors(self, wildcards: Any) -> dict[str, str]:
        """Return the generated clouds that compete in the log posterior: of each model its first sampler."""
        return {
            model: self.sample(wildcards.dataset, model, self.samplers(model)[0], wildcards.seed)
            for model in self.study.models
        }

    def competitor_files(self, wildcards: Any) -> list[str]:
        return list(self.competitors(wildcards).values())

    def competitor_arguments(self, wildcards: Any) -> list[str]:
        return [f"{name}={path}" for name, path in self.competitors(wildcards).items()]

    def evaluation_files(self, wildcards: Any = None) -> dict[str, Any]:
        """Return what the table of the study is gathered from."""
        return {
            "samples": [
                {key: entry[key] for key in ("dataset", "name", "sampler", "seed", "clouds", "comparison")}
                for dataset in self.study.datasets
                for entry in self._entries(dataset)
            ],
            "posteriors": [
                {"dataset": dataset, "seed": seed, "path": f"{self.study_folder(dataset)}/log_posterior/seed{seed}.csv"}
                for dataset in self.study.datasets
                for seed in self.study.seeds
            ],
        }

    # Figures and tables. Those of the study exist once per data set, those of the whole analysis once.

    def figures(self) -> list[tuple[str, str]]:
        """Return (category, name) of every figure."""
        of_study = [(category, figure) for category, figures in FIGURES.items() for figure in figures]
        return [*of_study, *(("Data", figure) for figure in self._analysis_figures())]

    def tables(self) -> list[str]:
        return [*TABLES, "settings"]

    def _analysis_figures(self) -> list[str]:
        return ["truncation", *(["detector_response"] if self.settings.detector_response else [])]

    def figure(self, figure: str, suffix: str) -> str:
        """Return the pattern of a figure's file."""
        folder = self.results if figure in self._analysis_figures() else self.study_folder("{dataset}")
        return f"{folder}/figures/{figure}.{suffix}"

    def table(self, table: str, suffix: str) -> str:
        """Return the pattern of a table's file."""
        folder = self.results if table == "settings" else self.study_folder("{dataset}")
        return f"{folder}/tables/{table}.{suffix}"

    def drawing_log(self, name: str, suffix: str) -> str:
        """Return the pattern of the log of a figure or table; it has the wildcards of the output."""
        whole_analysis = name in (*self._analysis_figures(), "table_settings")
        return (
            f"{self.logs}/draw/{name}.{suffix}" if whole_analysis else f"{self.logs}/draw/{{dataset}}_{name}.{suffix}"
        )

    def labels(self, name: str) -> dict[str, str]:
        """Return how the report labels a figure or table."""
        data = {} if name in (*self._analysis_figures(), "settings") else {"data set": "{dataset}"}
        return {"shows": name.replace("_", " "), **data}

    def figure_inputs(self, figure: str) -> Callable[[Any], list[str]]:
        """Return the input function of a figure's rule."""
        return lambda wildcards: paths_in(self.figure_files(figure, wildcards))

    def figure_arguments(self, figure: str) -> Callable[[Any], str]:
        """Return the params function of a figure's rule."""
        return lambda wildcards: as_json(self.figure_files(figure, wildcards))

    def table_inputs(self, table: str) -> Callable[[Any], list[str]]:
        """Return the input function of a table's rule."""
        return lambda wildcards: paths_in(self.table_files(table, wildcards))

    def table_arguments(self, table: str) -> Callable[[Any], str]:
        """Return the params function of a table's rule."""
        return lambda wildcards: as_json(self.table_files(table, wildcards))

    def figure_files(self, figure: str, wildcards: Any) -> dict[str, Any]:
        """Return what one figure is drawn from, and no more."""
        if figure == "truncation":
            return self._truncation_files()
        if figure == "detector_response":
            return self._response_files()
        dataset = wildcards.dataset
        head = self._head(dataset)
        if figure == "histories":
            return {**head, "histories": self._histories(dataset)}
        if figure == "confusion":
            return {**head, "models": self._models(dataset), "confusions": self._confusions(dataset)}
        if figure in FIGURES["Metrics"]:
            return {**head, "models": self._models(dataset), "metrics": self.metrics}
        truth = {"truth": self.prepared(dataset), "truth_observables": self.truth_observables(dataset)}
        return {**head, **truth, "models": self._models(dataset, "clouds", "observables")}

    def table_files(self, table: str, wildcards: Any) -> dict[str, Any]:
        """Return what one table is made from."""
        if table == "settings":
            return {"settings": self.settings.model_dump(mode="json")}
        dataset = wildcards.dataset
        return {**self._head(dataset), "models": self._models(dataset), "metrics": self.metrics}

    @property
    def metrics(self) -> str:
        """The table of the study."""
        return f"{self.results}/jet_generation/metrics.csv"

    def _head(self, dataset: str) -> dict[str, str]:
        return {"study": "jet_generation", "dataset": dataset, "title": self.settings.datasets[dataset].title}

    def _models(self, dataset: str, *files: str) -> list[dict[str, Any]]:
        kept = ("name", "title", "sampler", "seed", *files)
        return [{key: entry[key] for key in kept} for entry in self._entries(dataset)]

    def _histories(self, dataset: str) -> list[dict[str, Any]]:
        return [
            {
                "name": model,
                "title": self.study.models[model].title,
                "seed": seed,
                "path": f"{self.study_folder(dataset)}/models/{model}/seed{seed}/history.csv",
            }
            for model in self.study.models
            if model in self.trained_models()
            for seed in self.study.seeds
        ]

    def _confusions(self, dataset: str) -> list[dict[str, Any]]:
        folder = f"{self.study_folder(dataset)}/log_posterior"
        return [{"seed": seed, "path": f"{folder}/seed{seed}_confusion.csv"} for seed in self.study.seeds]

    def _response_files(self) -> dict[str, Any]:
        """Return the clouds of own and of real detector output, for each process whose real file is there."""
        processes = []
        for process, file in self._real_files().items():
            folder = f"{self.results}/detector_response/{process}"
            own, real = (
                {"clouds": f"{folder}/{name}.h5", "observables": f"{folder}/{name}_observables.h5"}
                for name in ("own", "real")
            )
            title = self.settings.processes[process].title
            processes.append({"name": process, "title": title, "own": own, "real": real if file else None})
        return {"processes": processes}

    def response_raw(self, wildcards: Any) -> list[str]:
        """Return the raw files of one side of the comparison, "own" or "real"."""
        if wildcards.side == "own":
            return self.raw(wildcards.process)
        return [str(self._real_files()[wildcards.process])]

    def _real_files(self) -> dict[str, str | None]:
        response = self.settings.detector_response
        if response is None:
            return {}
        return {name: path if Path(path).is_file() else None for name, path in response.real_files.items()}

    def _truncation_files(self) -> dict[str, Any]:
        return {
            "datasets": [
                {"name": name, "title": dataset.title, "clouds": f"{self.results}/clouds/{name}.h5"}
                for name, dataset in self.settings.datasets.items()
            ]
        }

    def all_figures(self) -> list[str]:
        """Return the PNG of every figure; each has a PDF beside it."""
        return self._of_all_datasets(self.figure(figure, "png") for _, figure in self.figures())

    def all_tables(self) -> list[str]:
        """Return every table of the report."""
        return self._of_all_datasets(self.table(table, "html") for table in self.tables())

    def _of_all_datasets(self, patterns: Iterable[str]) -> list[str]:
        paths = [pattern.format(dataset=name) for pattern in patterns for name in self.study.datasets]
        return list(dict.fromkeys(paths))

    # Sources.

    def code(self, stage: str) -> list[str]:
        """Return the source files that a stage depends on: Snakemake does not see imports by itself."""
        return [path for pattern in _SOURCES[stage] for path in sorted(map(str, _PACKAGE.glob(pattern)))]


def as_json(value: Any) -> str:
    """Return compact JSON, for the command line."""
    return json.dumps(value, separators=(",", ":"))


def paths_in(value: Any) -> list[str]:
    """Return every file path in a nested structure of a figure's or table's files."""
    if isinstance(value, Mapping):
        return [path for item in value.values() for path in paths_in(item)]
    if isinstance(value, str):
        return [value] if value.endswith((".h5", ".csv", ".json")) else []
    return [path for item in value for path in paths_in(item)] if isinstance(value, Iterable) else []


def _dump(settings: Any) -> str:
    return as_json(settings.model_dump(mode="json"))
