"""Settings of a study of generative models of jets, and of the measurements of what they cost."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Name, PositiveInt, Seeds, Settings
from cloudchamber.settings.flow_maps import FlowMapModel
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, MarginalsModel, MomentumSum, Solver, TrainedModel
from cloudchamber.settings.jet_level import JET_FLOW, JetLevelSettings, TrainingJets
from cloudchamber.settings.metrics import LogPosteriorSettings, MetricSettings, TeacherTestSettings
from cloudchamber.settings.objectives import AdversarialSettings

__all__ = ["GenerationSettings", "ModelSettings", "SamplingTimeSettings", "SolverScanSettings"]

ModelSettings = Annotated[TrainedModel | FlowMapModel | MarginalsModel, Field(discriminator="kind")]


@final
class SolverScanSettings(Settings):
    """Quality against cost: models drawn from with every solver at several numbers of evaluations."""

    models: Annotated[tuple[Name, ...], Different] = Field(
        min_length=1, description="trained models; the first seed of each"
    )
    solvers: Annotated[tuple[Solver, ...], Different] = Field(min_length=1)
    evaluations: Annotated[tuple[PositiveInt, ...], Different] = Field(
        min_length=1, description="per jet; what does not suit a solver is left out"
    )
    jets: PositiveInt = Field(description="jets per point; no more than are generated")
    momentum_sum: MomentumSum = "imposed"

    @model_validator(mode="after")
    def _something_is_drawn(self) -> Self:
        steps = {solver: EVALUATIONS_PER_STEP[solver] for solver in self.solvers}
        if not any(number % step == 0 for step in steps.values() for number in self.evaluations):
            raise ValueError(f"evaluations: {list(self.evaluations)} suit none of the solvers, with steps of {steps}")
        return self

    @property
    def compares_ode_and_sde(self) -> bool:
        """Whether the stochastic solver shares a number of evaluations with one of the ordinary equation."""
        others = [solver for solver in self.solvers if solver not in ("euler_maruyama", "one_step")]
        shared = any(number % EVALUATIONS_PER_STEP[solver] == 0 for solver in others for number in self.evaluations)
        return "euler_maruyama" in self.solvers and shared


@final
class SamplingTimeSettings(Settings):
    """Time of generating a jet against its number of particles."""

    multiplicities: Annotated[tuple[PositiveInt, ...], Different] = Field((10, 30, 60, 100, 150), min_length=1)
    jets: PositiveInt = Field(64, description="jets per measurement")
    rounds: PositiveInt = Field(3, description="measurements, after one to warm up")


class GenerationSettings(Settings, ABC):
    """Abstract: generative models of jets, trained, sampled and compared with truth."""

    datasets: Annotated[tuple[Name, ...], Different] = Field(min_length=1)
    seeds: Seeds = Field(description="one training per model and seed")
    generated: PositiveInt = Field(
        description="jets to generate per model, sampler and seed; no more than there are training jets"
    )
    network: Mapping[str, Any] | None = Field(
        None, description="recipe: keys of the networks of all models of its kind"
    )
    training: Mapping[str, Any] | None = Field(None, description="recipe: keys of the trainings of all models")
    models: Mapping[Name, ModelSettings] = Field(min_length=1)
    jet_level: JetLevelSettings = Field(
        default_factory=TrainingJets, description="where multiplicity, jet pT and mass of generated jets come from"
    )
    metrics: MetricSettings = MetricSettings()
    log_posterior: LogPosteriorSettings
    teacher_test: TeacherTestSettings | None = Field(
        None, description="classifier of each flow map, first seed, against its teacher"
    )
    solver_scan: SolverScanSettings | None = None
    sampling_time: SamplingTimeSettings | None = None
    threads: PositiveInt = Field(1, description="threads of one training or sampling process")
    sampling_shards: PositiveInt = Field(
        1, description="jobs that share one sample; the result is the same to the bit on one kind of device"
    )

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        for name, of in ((JET_FLOW, "the flow of the jet level"), ("truth", "the class of truth")):
            if name in self.models:
                raise ValueError(f"models.{name}: the name is that of {of}")
        return self

    @model_validator(mode="after")
    def _tested_pairs_are_generated(self) -> Self:
        if self.teacher_test is not None and self.teacher_test.pairs > self.generated:
            raise ValueError(f"teacher_test.pairs: {self.teacher_test.pairs} of {self.generated} generated jets")
        return self

    @model_validator(mode="after")
    def _scanned_models_exist(self) -> Self:
        for name in self.solver_scan.models if self.solver_scan else ():
            if not self._has_solvers(name) and not isinstance(self.models.get(name), FlowMapModel):
                raise ValueError(f"solver_scan.models: '{name}' is no trained model with a choice of solvers")
        return self

    @model_validator(mode="after")
    def _teachers_exist(self) -> Self:
        for name, model in self.models.items():
            if not isinstance(model, FlowMapModel):
                continue
            if not self._has_solvers(model.teacher):
                raise ValueError(
                    f"models.{name}.teacher: '{model.teacher}' is no trained model with a choice of solvers"
                )
            missing = sorted(set(self.seeds_of(name)) - set(self.seeds_of(model.teacher)))
            if missing:
                raise ValueError(f"models.{name}.seeds: {missing[0]} is no seed of its teacher '{model.teacher}'")
        return self

    def _has_solvers(self, model: str) -> bool:
        settings = self.models.get(model)
        return isinstance(settings, TrainedModel) and not isinstance(settings.objective, AdversarialSettings)

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model: its own, those of its teacher, or those of the study."""
        settings = self.models[model]
        if settings.seeds is None and isinstance(settings, FlowMapModel):
            return self.seeds_of(settings.teacher)
        return settings.seeds or self.seeds
