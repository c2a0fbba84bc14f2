"""Settings of flow maps: models of few evaluations, distilled from others."""

from abc import ABC
from collections.abc import Mapping
from typing import Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Name, PositiveInt, Seeds
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings, Solver, refuse_none
from cloudchamber.settings.training import TrainableSettings

__all__ = ["DistillationSettings", "FlowMapModel"]

_OF_TEACHERS: tuple[Solver, ...] = ("euler", "midpoint", "heun", "rk4", "ddim", "dpm_solver")


class _Distillation(TrainableSettings, ABC):
    """Abstract: what makes the weights of a flow map, but its teacher."""

    segments: Literal[1, 2, 4, 8, 16] = Field(
        8, description="equal parts of the way from noise to data: the largest number of evaluations of the flow map"
    )
    trajectories: PositiveInt = Field(8000, description="ways of the teacher from noise to data to learn from")
    teacher_sampler: SamplerSettings = Field(
        SamplerSettings(solver="midpoint", evaluations=32), description="how the teacher goes these ways"
    )

    @model_validator(mode="after")
    def _steps_end_at_segments(self) -> Self:
        solver, evaluations = self.teacher_sampler.solver, self.teacher_sampler.evaluations
        if solver not in _OF_TEACHERS:
            raise ValueError(f"teacher_sampler: a flow map learns from one of {', '.join(_OF_TEACHERS)}")
        if evaluations // EVALUATIONS_PER_STEP[solver] % self.segments:
            raise ValueError("teacher_sampler: its number of steps must be a multiple of segments")
        return self


@final
class DistillationSettings(_Distillation):
    """What the training of a flow map needs: the model without its names and samplers."""


@final
class FlowMapModel(_Distillation):
    """A model of few evaluations that learns where the trajectories of another model go (arXiv 2406.07507)."""

    kind: Literal["flow_map"]
    title: str
    teacher: Name = Field(description="a trained model of flow matching or diffusion")
    seeds: Seeds | None = Field(None, description="one training per seed; each seed is one of the teacher")
    samplers: Mapping[Name, SamplerSettings] = Field(
        min_length=1, description="the first one competes for the posterior"
    )

    @model_validator(mode="after")
    def _samplers_suit_the_segments(self) -> Self:
        refuse_none(self.samplers)
        for name, sampler in self.samplers.items():
            if sampler.solver != "flow_map" or self.segments % sampler.evaluations:
                raise ValueError(
                    f"samplers.{name}: a flow map is sampled by flow_map, with a number of evaluations that divides its"
                    f" {self.segments} segments"
                )
        return self

    @property
    def distillation(self) -> DistillationSettings:
        """The part that decides the weights."""
        return DistillationSettings(**{name: getattr(self, name) for name in DistillationSettings.model_fields})
