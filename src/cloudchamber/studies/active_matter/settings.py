"""Settings of the study of active matter: what is simulated, what is trained, what is measured."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Name, PositiveFloat, PositiveInt, Seeds, Settings
from cloudchamber.studies.active_matter.score_settings import ScoreModelSettings
from cloudchamber.studies.active_matter.system_settings import EnsembleSettings, other_dynamics

__all__ = ["ActiveMatterSettings", "DenoisingScanSettings", "MeasurementSettings"]


@final
class MeasurementSettings(Settings):
    """How scores are turned into entropy production."""

    snapshots: PositiveInt = Field(
        4000, description="snapshots of the test part of each drive that are measured at most"
    )
    divergence_snapshots: PositiveInt = Field(500, description="those of them whose divergences are computed")
    probes: PositiveInt = Field(4, description="random vectors of the divergence where there are over 16 coordinates")
    kept: PositiveInt = Field(2000, description="particles of each drive whose local values are kept for figures")


@final
class DenoisingScanSettings(Settings):
    """Best linear scores by denoising, without any training: what noise, its size and its signs do."""

    ensemble: Name = Field(description="of a system with linear drift and diffusing positions")
    sigmas: Annotated[tuple[PositiveFloat, ...], Different] = Field(
        (0.01, 0.02, 0.05, 0.1, 0.2, 0.5), min_length=1, description="standard deviations of added noise"
    )
    steps: Annotated[tuple[PositiveFloat, ...], Different] = Field(
        (0.005, 0.01, 0.02, 0.05, 0.1), min_length=2, description="time steps of the transition kernel"
    )


@final
class ActiveMatterSettings(Settings):
    """The study of active matter: score, probability flow and entropy production (arXiv 2309.12991)."""

    ensembles: Mapping[Name, EnsembleSettings] = Field(min_length=1, description="what is simulated")
    seeds: Seeds = Field((1, 2, 3), description="one training per model and seed; at least two, to be crossed")
    training: Mapping[str, Any] | None = Field(None, description="recipe: keys of the trainings of all models")
    models: Mapping[Name, ScoreModelSettings] = Field(min_length=1, description="scores to train")
    measurement: MeasurementSettings = MeasurementSettings()
    denoising: DenoisingScanSettings | None = None
    threads: PositiveInt = Field(1, description="threads of one training or measurement")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        wanted = {f"models.{name}": (model.ensemble, *model.transfers) for name, model in self.models.items()}
        if self.denoising:
            wanted["denoising"] = (self.denoising.ensemble,)
        for place, names in wanted.items():
            for name in names:
                if name not in self.ensembles:
                    raise ValueError(f"{place}: no ensemble '{name}' among {sorted(self.ensembles)}")
        for name, model in self.models.items():
            self._refuse_empty_transfers(name, model)
            if len(self.seeds_of(name)) < 2:
                raise ValueError(f"models.{name}.seeds: two independent trainings are needed at least")
            there = self.ensembles[model.ensemble].drives
            for drive in model.drives or ():
                if drive not in there:
                    raise ValueError(f"models.{name}.drives: the ensemble has no drive {drive} among {list(there)}")
        return self

    def _refuse_empty_transfers(self, name: str, model: ScoreModelSettings) -> None:
        """Refuse transfers that measure what was trained on, nothing, or less than their ensemble has."""
        drives = model.drives or self.ensembles[model.ensemble].drives
        for transfer in model.transfers:
            if transfer == model.ensemble:
                raise ValueError(f"models.{name}.transfers: '{transfer}' is what the model is trained on")
            kinds = [self.ensembles[ensemble].system.kind for ensemble in (model.ensemble, transfer)]
            if kinds[0] != kinds[1]:
                raise ValueError(
                    f"models.{name}.transfers: '{transfer}' is a system of the kind {kinds[1]}, the model is trained "
                    f"on {kinds[0]}: its score is of no other dynamics"
                )
            of_model, of_transfer = (
                self.ensembles[ensemble].system.model_dump() for ensemble in (model.ensemble, transfer)
            )
            others_of_system = other_dynamics(of_model, of_transfer)
            if others_of_system:
                raise ValueError(
                    f"models.{name}.transfers: '{transfer}' has another {', '.join(others_of_system)} than what the "
                    "model is trained on: its score is of no other dynamics"
                )
            there = self.ensembles[transfer].drives
            if len(drives) > 1 and set(drives).isdisjoint(there):
                raise ValueError(
                    f"models.{name}.transfers: none of the drives {list(drives)} that the model is trained on is among "
                    f"those of '{transfer}', {list(there)}"
                )
            others = [drive for drive in there if drive not in drives]
            if len(drives) > 1 and others:
                raise ValueError(
                    f"models.{name}.transfers: '{transfer}' has the drives {others}, which the model is not trained "
                    "on: it cannot be measured there"
                )

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model."""
        return self.models[model].seeds or self.seeds
