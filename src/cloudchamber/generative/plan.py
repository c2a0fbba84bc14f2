"""What a study of generative models makes: its models, where their files lie, and their trainings."""

from collections.abc import Iterable
from typing import Any, final

from cloudchamber.pipeline.paths import Paths, observables_of
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.flow_maps import FlowMapModel
from cloudchamber.settings.generation import GenerationSettings
from cloudchamber.settings.generators import MarginalsModel, TrainedModel
from cloudchamber.settings.jet_level import JET_FLOW, JetFlowSettings

__all__ = ["NO_SAMPLER", "GenerationPlan"]

# Name of the sampler of a model that has none.
NO_SAMPLER = "none"


@final
class GenerationPlan:
    """Generative models of one study.

    Args:
        study: name of the study.
        settings: its models, and how they are compared.
        paths: of the analysis.
    """

    def __init__(self, study: str, settings: GenerationSettings, paths: Paths) -> None:
        self.study, self.settings = study, settings
        self.paths = paths
        self._results = paths.study(study)

    # Where files lie.

    def folder(self, dataset: str) -> str:
        """Return the folder of one data set."""
        return f"{self._results}/{dataset}"

    @property
    def metrics(self) -> str:
        """The table of the study."""
        return f"{self._results}/metrics.csv"

    def jets(self, dataset: str, seed: int) -> str:
        """Return the jets that all models of one seed are asked for: multiplicity, pT, eta, mass and sum."""
        return f"{self.folder(dataset)}/jet_level/seed{seed}/jets.h5"

    def jet_comparison(self, dataset: str, seed: int) -> str:
        return f"{self.folder(dataset)}/jet_level/seed{seed}/comparison.csv"

    def scan(self, dataset: str, model: str) -> str:
        return f"{self.folder(dataset)}/solver_scan/{model}.csv"

    def times(self, dataset: str) -> str:
        return f"{self.folder(dataset)}/sampling_time.csv"

    def posterior(self, dataset: str, seed: int) -> str:
        """Return the table of log posteriors of one seed."""
        return f"{self.folder(dataset)}/log_posterior/seed{seed}.csv"

    def confusion(self, dataset: str, seed: int) -> str:
        return f"{self.folder(dataset)}/log_posterior/seed{seed}_confusion.csv"

    def teacher_test(self, dataset: str, model: str, sampler: str) -> str:
        """Return the table of the test of a flow map, first seed, against its teacher."""
        return f"{self.folder(dataset)}/teacher_test/{model}/{sampler}.csv"

    def sample(self, dataset: str, model: str, sampler: str, seed: int) -> str:
        return f"{self.folder(dataset)}/samples/{model}/{sampler}_seed{seed}.h5"

    def training_folder(self, dataset: str, model: str, seed: int) -> str:
        """Return where the files of one training lie; the jet-level flow has a folder of its own."""
        kept = "jet_level" if model == JET_FLOW else f"models/{model}"
        return f"{self.folder(dataset)}/{kept}/seed{seed}"

    def artifact(self, dataset: str, model: str, seed: int) -> list[str]:
        """Return weights and description of one training."""
        folder = self.training_folder(dataset, model, seed)
        return [f"{folder}/weights.safetensors", f"{folder}/model.json"]

    # What there is.

    @property
    def has_jet_flow(self) -> bool:
        return isinstance(self.settings.jet_level, JetFlowSettings)

    def trained_models(self) -> dict[str, TrainedModel | FlowMapModel]:
        return {name: model for name, model in self.settings.models.items() if not isinstance(model, MarginalsModel)}

    def flow_maps(self) -> dict[str, FlowMapModel]:
        return {name: model for name, model in self.settings.models.items() if isinstance(model, FlowMapModel)}

    def teacher_sampler(self, flow_map: str) -> str:
        """Return the sampler of the teacher that spends most evaluations."""
        samplers = self.trained_models()[self.flow_maps()[flow_map].teacher].samplers
        return max(samplers, key=lambda name: samplers[name].evaluations)

    def samplers(self, model: str) -> list[str]:
        settings = self.settings.models[model]
        return [NO_SAMPLER] if isinstance(settings, MarginalsModel) else list(settings.samplers)

    def jet_seeds(self) -> list[int]:
        """Return the seeds of all models: one jet-level draw each."""
        return sorted({seed for model in self.settings.models for seed in self.settings.seeds_of(model)})

    def entries(self, dataset: str) -> list[dict[str, Any]]:
        """Return every sample of a data set: names, title, seed and files."""
        return [
            {
                "dataset": dataset,
                "name": model,
                "title": self.settings.models[model].title,
                "sampler": sampler,
                "seed": seed,
                "clouds": (sample := self.sample(dataset, model, sampler, seed)),
                "observables": observables_of(sample),
                "comparison": sample.replace(".h5", "_comparison.csv"),
            }
            for model in self.settings.models
            for sampler in self.samplers(model)
            for seed in self.settings.seeds_of(model)
        ]

    def twins(self) -> list[dict[str, str]]:
        """Return the pairs of models that differ in nothing but that one is conditional."""
        trained = {name: model for name, model in self.settings.models.items() if isinstance(model, TrainedModel)}
        return [
            {"unconditional": free, "conditional": bound}
            for free, unconditional in trained.items()
            for bound, conditional in trained.items()
            if conditional.conditions
            and not unconditional.conditions
            and conditional.generator.model_copy(update={"conditions": ()}) == unconditional.generator
        ]

    def trainings(self) -> Iterable[Training]:
        """Return every training: of the jet level, where it is a flow, and of each model."""
        for dataset in self.settings.datasets:
            source = self.paths.prepared(dataset)
            if isinstance(self.settings.jet_level, JetFlowSettings):
                for seed in self.jet_seeds():
                    title = f"the jet-level flow on {dataset}"
                    flow = self.settings.jet_level
                    yield self._training("train-jet-flow", dataset, JET_FLOW, title, source, flow, seed, memory=2000)
            for name, model in self.trained_models().items():
                for seed in self.settings.seeds_of(name):
                    title = f"{name} on {dataset}"
                    if isinstance(model, TrainedModel):
                        yield self._training("train", dataset, name, title, source, model.generator, seed)
                        continue
                    teacher = self.artifact(dataset, model.teacher, seed)
                    more = {"options": f"--teacher {' '.join(teacher)}", "inputs": tuple(teacher)}
                    yield self._training(
                        "train-flow-map", dataset, name, title, source, model.distillation, seed, **more
                    )

    def _training(
        self, command: str, dataset: str, model: str, title: str, source: str, settings: Any, seed: int, **more: Any
    ) -> Training:
        folder = self.training_folder(dataset, model, seed).removeprefix(f"{self.paths.results}/")
        return Training(command, folder, title, source, settings, seed, self.settings.threads, **more)

    def first_artifact(self, dataset: str, model: str) -> list[str]:
        """Return weights and description of the first seed of a model."""
        return self.artifact(dataset, model, self.settings.seeds_of(model)[0])
