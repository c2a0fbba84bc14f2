"""What the rules of the workflow ask for.

Methods that take ``wildcards`` are input and params functions of Snakemake.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, final

from cloudchamber.analysis import AnalysisSettings
from cloudchamber.pipeline.data_sources import Origins
from cloudchamber.pipeline.drawings import Drawings
from cloudchamber.pipeline.json_arguments import as_json, paths_in
from cloudchamber.pipeline.layout import Layout
from cloudchamber.pipeline.resources import Resources, growing
from cloudchamber.pipeline.sources import code
from cloudchamber.pipeline.tagging import TaggingStudy
from cloudchamber.pipeline.tagging_drawings import TaggingDrawings
from cloudchamber.settings.base import parse
from cloudchamber.settings.data import IngestionSettings, JetNetSource, LabelledSource
from cloudchamber.settings.generators import TrainedModel
from cloudchamber.settings.jet_level import JET_FLOW

__all__ = ["Pipeline", "as_json", "code", "growing", "paths_in"]

# What a training leaves behind.
_OF_TRAINING = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}


Source = TypeVar("Source", JetNetSource, LabelledSource)


@final
class Pipeline:
    """Settings and inputs of the jobs of one analysis.

    Args:
        config: content of config.yaml and its overlays.

    Raises:
        SettingsError: one line with each wrong key.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.settings = parse(AnalysisSettings, config, "configuration")
        self.study = self.settings.jet_generation
        self.seed = self.settings.seed
        self.layout = Layout(self.settings)
        self.drawings = Drawings(self.layout)
        self.tagging = TaggingStudy(self.settings)
        self.tagging_drawings = TaggingDrawings(self.layout, self.tagging)
        self.origins = Origins(self.layout)
        self.resources = Resources(self.study)

    def figures(self) -> list[tuple[Drawings | TaggingDrawings, str, str]]:
        """Return study, category and name of every figure."""
        studies = (self.drawings, self.tagging_drawings)
        return [(study, category, figure) for study in studies for category, figure in study.figures()]

    def tables(self) -> list[tuple[Drawings | TaggingDrawings, str]]:
        """Return study and name of every table."""
        return [(study, table) for study in (self.drawings, self.tagging_drawings) for table in study.tables()]

    def tagging_results(self) -> list[str]:
        """Return what the tagging study makes; nothing where there is none."""
        drawings = self.tagging_drawings
        tables = list(self.tagging.tables.values()) if self.tagging.exists else []
        return [*tables, *drawings.all_figures(), *drawings.all_tables(), *self.tagging.exports()]

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

    @property
    def sample_suffix(self) -> str:
        """What the files of one sampling job have behind their name: nothing, or the shard."""
        return "_{scatteritem}" if self.study.sampling_shards > 1 else ""

    def shard(self, wildcards: Any) -> str:
        return str(getattr(wildcards, "scatteritem", "1-of-1"))

    def jet_level_settings(self, wildcards: Any) -> str:
        return _dump(self.study.jet_level)

    def jet_level_model(self, wildcards: Any) -> list[str]:
        """Return weights and description of the jet-level flow, nothing where jets are drawn from the training part."""
        folder = self.layout.model_folder(wildcards.dataset, JET_FLOW, wildcards.seed)
        return [f"{folder}/weights.safetensors", f"{folder}/model.json"] if self.layout.has_jet_flow else []

    def solver_scan_settings(self, wildcards: Any) -> str:
        assert self.study.solver_scan is not None
        return _dump(self.study.solver_scan)

    def scanned_model(self, wildcards: Any) -> list[str]:
        """Return weights and description of the first seed of a scanned model."""
        return self._artifact(wildcards.dataset, wildcards.model)

    def scanned_jets(self, wildcards: Any) -> str:
        """Return the jets that the first seed of a scanned model is asked for."""
        return self.layout.jets(wildcards.dataset, self.study.seeds_of(wildcards.model)[0])

    def timed_models(self, wildcards: Any) -> str:
        """Return weights, description and first sampler of each trained model, first seed, as JSON."""
        timed = {}
        for name in self.layout.trained_models():
            sampler = self.layout.samplers(name)[0]
            weights, description = self._artifact(wildcards.dataset, name)
            settings = self._trained(name).samplers[sampler].model_dump(mode="json")
            timed[name] = {"sampler": sampler, "settings": settings, "weights": weights, "description": description}
        return as_json(timed)

    def timed_files(self, wildcards: Any) -> list[str]:
        return [path for name in self.layout.trained_models() for path in self._artifact(wildcards.dataset, name)]

    def _artifact(self, dataset: str, model: str) -> list[str]:
        folder = self.layout.model_folder(dataset, model, self.study.seeds_of(model)[0])
        return [f"{folder}/weights.safetensors", f"{folder}/model.json"]

    def sampling_time_settings(self, wildcards: Any) -> str:
        assert self.study.sampling_time is not None
        return _dump(self.study.sampling_time)

    def metric_settings(self, wildcards: Any) -> str:
        return _dump(self.study.metrics)

    def log_posterior_settings(self, wildcards: Any) -> str:
        return _dump(self.study.log_posterior)

    def _trained(self, name: str) -> TrainedModel:
        model = self.study.models[name]
        assert isinstance(model, TrainedModel)
        return model

    def dataset_files(self, wildcards: Any) -> list[str]:
        """Return the raw files of a data set: simulated ones, or the user's own."""
        return self.origins.files(wildcards.dataset)

    def _sources(self, kind: type[Source]) -> dict[str, Source]:
        sources = {name: dataset.source for name, dataset in self.settings.datasets.items()}
        return {name: source for name, source in sources.items() if isinstance(source, kind)}

    def jetnet_sources(self) -> dict[str, JetNetSource]:
        """Return the sources of the data sets that come as JetNet files."""
        return self._sources(JetNetSource)

    def labelled_sources(self) -> dict[str, LabelledSource]:
        """Return the sources of the data sets that come as labelled jets of a public layout."""
        return self._sources(LabelledSource)

    def ingested_datasets(self) -> list[str]:
        """Return the data sets that come as ROOT files of events."""
        return [name for name, dataset in self.settings.datasets.items() if dataset.ingestion is not None]

    def downloads(self) -> list[str]:
        """Return the names of the external files that the data sets ask for."""
        return sorted({source.download for source in self.jetnet_sources().values() if source.download is not None})

    def jetnet_file(self, wildcards: Any) -> str:
        """Return the JetNet file of a data set: downloaded, or the user's own."""
        return self.origins.files(wildcards.dataset)[0]

    def jetnet_options(self, wildcards: Any) -> str:
        limit = self.jetnet_sources()[wildcards.dataset].max_particles
        return "" if limit is None else f" --max-particles {limit}"

    def labelled_layout(self, wildcards: Any) -> str:
        return self.labelled_sources()[wildcards.dataset].layout

    def labelled_settings(self, wildcards: Any) -> str:
        return _dump(self.labelled_sources()[wildcards.dataset].jets)

    def split_files(self, wildcards: Any) -> list[str]:
        """Return the file of indices of a data set's split, where the settings name one."""
        indices = self.settings.datasets[wildcards.dataset].preparation.split.indices
        return [] if indices is None else [indices]

    def competitors(self, wildcards: Any) -> dict[str, str]:
        return self.layout.competitors(wildcards.dataset, int(wildcards.seed))

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
                for entry in self.layout.entries(dataset)
            ],
            "posteriors": [
                {
                    "dataset": dataset,
                    "seed": seed,
                    "path": f"{self.layout.study_folder(dataset)}/log_posterior/seed{seed}.csv",
                }
                for dataset in self.study.datasets
                for seed in self.study.seeds
            ],
            "jets": [
                {"dataset": dataset, "seed": seed, "path": self.layout.jet_comparison(dataset, seed)}
                for dataset in self.study.datasets
                for seed in self.layout.jet_seeds()
                if self.layout.has_jet_flow
            ],
        }

    def card_files(self, wildcards: Any) -> dict[str, Any]:
        """Return what the card of a model is written from; the jet-level flow is a model too."""
        dataset, model = wildcards.dataset, wildcards.model
        layout = self.layout
        flow = model == JET_FLOW
        samplers = (
            {} if flow else {name: s.model_dump(mode="json") for name, s in self._trained(model).samplers.items()}
        )
        return {
            "study": "jet_generation",
            "dataset": dataset,
            "dataset_title": self.settings.datasets[dataset].title,
            "origin": self.origins.of_dataset(dataset),
            "simulated": self.origins.simulated(dataset),
            "name": model,
            "title": "jet-level flow" if flow else self._trained(model).title,
            "prepared": layout.prepared(dataset),
            "metrics": layout.metrics,
            "samplers": samplers,
            "trainings": [
                {
                    "seed": seed,
                    **{name: f"{folder}/{file}" for name, file in _OF_TRAINING.items()},
                }
                for seed in (layout.jet_seeds() if flow else self.study.seeds_of(model))
                for folder in [layout.model_folder(dataset, model, seed)]
            ],
        }

    def card_inputs(self, wildcards: Any) -> list[str]:
        return paths_in(self.card_files(wildcards))

    def card_arguments(self, wildcards: Any) -> str:
        return as_json(self.card_files(wildcards))

    def data_inputs(self, wildcards: Any) -> list[str]:
        """Return the raw and external files of the analysis."""
        return [entry["file"] for entry in self.origins.all_files()]

    def data_arguments(self, wildcards: Any) -> str:
        return as_json({"files": self.origins.all_files()})

    def response_raw(self, wildcards: Any) -> list[str]:
        """Return the raw files of one side of the comparison, "own" or "real"."""
        if wildcards.side == "own":
            return self.layout.raw(wildcards.process)
        return [str(self.layout.real_files()[wildcards.process])]


def _dump(settings: Any) -> str:
    return as_json(settings.model_dump(mode="json"))
