"""What the rules of generative models ask for: settings and inputs of their jobs."""

from typing import Any, final

from cloudchamber.generative.plan import GenerationPlan
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.settings.flow_maps import FlowMapModel
from cloudchamber.settings.generators import MarginalsModel, TrainedModel
from cloudchamber.settings.jet_level import JET_FLOW

__all__ = ["GenerationJobs"]


@final
class GenerationJobs:
    """Jobs of the generative models of one study. Methods that take ``wildcards`` are functions of Snakemake.

    Args:
        plan: the models.
    """

    def __init__(self, plan: GenerationPlan) -> None:
        self._plan, self._settings = plan, plan.settings

    def in_shards(self) -> bool:
        """Whether several jobs share a sample."""
        return self._settings.sampling_shards > 1

    def baselines(self) -> list[str]:
        """Return the models that are drawn from without a training."""
        return [name for name in self._settings.models if name not in self._plan.trained_models()]

    def momentum_sum(self, wildcards: Any) -> str:
        """Return what is done with the sum of the particles of a baseline."""
        baseline = self._settings.models[wildcards.model]
        assert isinstance(baseline, MarginalsModel)
        return baseline.momentum_sum

    def threads(self, wildcards: Any) -> int:
        return self._settings.threads

    def generated(self, wildcards: Any) -> int:
        return self._settings.generated

    def metric_settings(self, wildcards: Any) -> str:
        return settings_argument(self._settings.metrics)

    def jet_level_model(self, wildcards: Any) -> list[str]:
        """Return weights and description of the jet-level flow, nothing where jets are drawn from the training part."""
        return self._plan.artifact(wildcards.dataset, JET_FLOW, wildcards.seed) if self._plan.has_jet_flow else []

    def sampler_settings(self, wildcards: Any) -> str:
        return settings_argument(self._trained(wildcards).samplers[wildcards.sampler])

    def sampling_gpus(self, wildcards: Any) -> int:
        """Return the GPUs of one sampling process, which is not distributed."""
        return int(self._trained(wildcards).training.accelerator == "cuda")

    def sample_part(self, wildcards: Any) -> str:
        """Return which part of a sample a job draws."""
        return wildcards.part.lstrip("_") or "1-of-1"

    def sample_parts(self, wildcards: Any) -> list[str]:
        """Return the parts of a sample."""
        sample = self._plan.sample(wildcards.dataset, wildcards.model, wildcards.sampler, wildcards.seed)
        number = self._settings.sampling_shards
        return [sample.replace(".h5", f"_{shard}-of-{number}.h5") for shard in range(1, number + 1)]

    def scan_settings(self, wildcards: Any) -> str:
        assert self._settings.solver_scan is not None
        return settings_argument(self._settings.solver_scan)

    def scanned_model(self, wildcards: Any) -> list[str]:
        """Return weights and description of the first seed of a scanned model."""
        return self._plan.first_artifact(wildcards.dataset, wildcards.model)

    def scanned_jets(self, wildcards: Any) -> str:
        """Return the jets that the first seed of a scanned model is asked for."""
        return self._plan.jets(wildcards.dataset, self._settings.seeds_of(wildcards.model)[0])

    def timing_settings(self, wildcards: Any) -> str:
        assert self._settings.sampling_time is not None
        return settings_argument(self._settings.sampling_time)

    def timed_models(self, wildcards: Any) -> str:
        """Return weights, description and first sampler of each trained model, first seed, as JSON."""
        timed = {}
        for name, model in self._plan.trained_models().items():
            sampler = self._plan.samplers(name)[0]
            weights, description = self._plan.first_artifact(wildcards.dataset, name)
            settings = model.samplers[sampler].model_dump(mode="json")
            timed[name] = {"sampler": sampler, "settings": settings, "weights": weights, "description": description}
        return as_json(timed)

    def timed_files(self, wildcards: Any) -> list[str]:
        return [
            path for name in self._plan.trained_models() for path in self._plan.first_artifact(wildcards.dataset, name)
        ]

    def timing_gpus(self, wildcards: Any) -> int:
        """Return the GPUs of the measurement of all models: one where any model is trained on one."""
        return int(any(model.training.accelerator == "cuda" for model in self._plan.trained_models().values()))

    def posterior_settings(self, wildcards: Any) -> str:
        return settings_argument(self._settings.log_posterior)

    def posterior_state(self, wildcards: Any) -> str:
        folder = self._plan.folder(wildcards.dataset).removeprefix(f"{self._plan.paths.results}/")
        return f"{self._plan.paths.state}/{folder}/log_posterior/seed{wildcards.seed}"

    def posterior_gpus(self, wildcards: Any) -> int:
        """Return the GPUs of the classifier, which is trained by one process."""
        return int(self._settings.log_posterior.training.accelerator == "cuda")

    def teacher_test_settings(self, wildcards: Any) -> str:
        assert self._settings.teacher_test is not None
        return settings_argument(self._settings.teacher_test)

    def teacher_test_pair(self, wildcards: Any) -> list[str]:
        """Return the sample of a flow map, first seed, and that of its teacher."""
        flow_map, seed = self._plan.flow_maps()[wildcards.model], self._settings.seeds_of(wildcards.model)[0]
        return [
            self._plan.sample(wildcards.dataset, wildcards.model, wildcards.sampler, seed),
            self._plan.sample(wildcards.dataset, flow_map.teacher, self._plan.teacher_sampler(wildcards.model), seed),
        ]

    def teacher_test_seed(self, wildcards: Any) -> int:
        return self._settings.seeds_of(wildcards.model)[0]

    def teacher_test_state(self, wildcards: Any) -> str:
        table = self._plan.teacher_test(wildcards.dataset, wildcards.model, wildcards.sampler)
        return f"{self._plan.paths.state}/{table.removeprefix(f'{self._plan.paths.results}/').removesuffix('.csv')}"

    def teacher_test_gpus(self, wildcards: Any) -> int:
        """Return the GPUs of the classifier, which is trained by one process."""
        assert self._settings.teacher_test is not None
        return int(self._settings.teacher_test.training.accelerator == "cuda")

    def competitors(self, wildcards: Any) -> list[str]:
        """Return the samples that compete in the log posterior of one seed."""
        return list(self._competitors(wildcards).values())

    def competitor_arguments(self, wildcards: Any) -> list[str]:
        return [f"{name}={path}" for name, path in self._competitors(wildcards).items()]

    def evaluation_inputs(self, wildcards: Any) -> list[str]:
        return paths_in(self._evaluated(), self._plan.paths.results)

    def evaluation_arguments(self, wildcards: Any) -> str:
        return as_json(self._evaluated())

    def _competitors(self, wildcards: Any) -> dict[str, str]:
        """Return name -> sample.

        Of each model its first sampler, with this seed, or with its first one where it has not this one: all
        posteriors have the same competitors.
        """
        chosen, seed = {}, int(wildcards.seed)
        for model in self._settings.models:
            own = self._settings.seeds_of(model)
            of_model = seed if seed in own else own[0]
            chosen[model] = self._plan.sample(wildcards.dataset, model, self._plan.samplers(model)[0], of_model)
        return chosen

    def _evaluated(self) -> dict[str, Any]:
        """Return what the table of the study is gathered from."""
        datasets, kept = self._settings.datasets, ("dataset", "name", "sampler", "seed", "clouds", "comparison")
        return {
            "samples": [
                {key: entry[key] for key in kept} for dataset in datasets for entry in self._plan.entries(dataset)
            ],
            "posteriors": [
                {"dataset": dataset, "seed": seed, "path": self._plan.posterior(dataset, seed)}
                for dataset in datasets
                for seed in self._settings.seeds
            ],
            "teacher_tests": [
                {
                    "dataset": dataset,
                    "name": model,
                    "sampler": sampler,
                    "seed": self._settings.seeds_of(model)[0],
                    "path": self._plan.teacher_test(dataset, model, sampler),
                }
                for dataset in datasets
                for model in (self._plan.flow_maps() if self._settings.teacher_test else ())
                for sampler in self._plan.samplers(model)
            ],
            "jets": [
                {"dataset": dataset, "seed": seed, "path": self._plan.jet_comparison(dataset, seed)}
                for dataset in datasets
                for seed in self._plan.jet_seeds()
                if self._plan.has_jet_flow
            ],
        }

    def _trained(self, wildcards: Any) -> TrainedModel | FlowMapModel:
        return self._plan.trained_models()[wildcards.model]
