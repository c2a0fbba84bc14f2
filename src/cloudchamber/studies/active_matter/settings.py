"""Settings of the study of active matter: systems, simulations, networks, losses, measurements."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, final

from pydantic import AfterValidator, Field, model_validator

from cloudchamber.settings.base import Different, Name, PositiveFloat, PositiveInt, Seeds, Settings
from cloudchamber.settings.training import TrainableSettings

__all__ = [
    "ActiveMatterSettings",
    "DenoisingScanSettings",
    "DisksSettings",
    "DrivenRingSettings",
    "EnsembleSettings",
    "LossSettings",
    "MeasurementSettings",
    "MlpSettings",
    "PairOnRingSettings",
    "RotationSettings",
    "ScoreModelSettings",
    "ScoreSettings",
    "SpringsSettings",
    "SystemSettings",
    "TransformerSettings",
    "TrapSettings",
]

NotNegative = Annotated[float, Field(ge=0)]
# So many digits of a drive come back from single precision, in which files have them.
_DIGITS = 6
# Quotients of decimal numbers differ from whole ones by rounding.
_WHOLE = 1e-6


def _stored(drive: float) -> float:
    if float(f"{drive:.{_DIGITS}g}") != drive:
        raise ValueError(f"a drive of more than {_DIGITS} digits is stored as another one")
    return drive


Drive = Annotated[float, Field(ge=0), AfterValidator(_stored)]


class _ActiveSettings(Settings, ABC):
    """Abstract: particles with an activity, an Ornstein-Uhlenbeck process that propels them."""

    rate: PositiveFloat = Field(description="gamma, one over the persistence time of the activity")
    diffusion: NotNegative = Field(description="epsilon, the diffusion constant of positions")


@final
class TrapSettings(_ActiveSettings):
    """T1: one active particle in a harmonic trap; its drive is the speed v0."""

    kind: Literal["trap"]
    stiffness: PositiveFloat = Field(description="A of the trap")


@final
class RotationSettings(Settings):
    """T2: an Ornstein-Uhlenbeck process in the plane that rotates; its drive is the frequency Omega."""

    kind: Literal["rotation"]
    stiffness: PositiveFloat = Field(description="k of the trap")
    diffusion: PositiveFloat = Field(description="T, the diffusion constant of both coordinates")


@final
class SpringsSettings(_ActiveSettings):
    """T3: active particles on a line, in a trap, each tied to each other one by a spring; the drive is the speed v0."""

    kind: Literal["springs"]
    particles: Annotated[int, Field(ge=2)] = Field(description="N")
    stiffness: PositiveFloat = Field(description="A of the trap")
    coupling: PositiveFloat = Field(
        description="kappa N, the stiffness of the springs of one particle together; it is what stays the same when N "
        "changes"
    )


@final
class DrivenRingSettings(Settings):
    """T4: one particle on a ring in a cosine potential; its drive is the constant force F."""

    kind: Literal["driven_ring"]
    barrier: NotNegative = Field(description="u0 of the potential u0 cos x")
    diffusion: PositiveFloat = Field(description="T, the diffusion constant")


@final
class PairOnRingSettings(_ActiveSettings):
    """Two active particles on a ring that repel each other: their relative coordinate. The drive is the speed v0."""

    kind: Literal["pair_on_ring"]
    strength: PositiveFloat = Field(2.5, description="k of the repulsion")
    sharpness: PositiveFloat = Field(7.5, description="beta of the softplus that smooths the repulsion")
    half_length: PositiveFloat = Field(8.0, description="W: the coordinate goes from -W to W, in radii of a particle")


@final
class DisksSettings(_ActiveSettings):
    """Active disks in the plane with soft repulsion, in a harmonic trap or in a periodic box. The drive is v0."""

    kind: Literal["disks"]
    particles: Annotated[int, Field(ge=2)] = Field(description="N")
    strength: PositiveFloat = Field(description="k of the repulsion")
    sharpness: PositiveFloat = Field(7.5, description="beta of the softplus that smooths the repulsion")
    cutoff: Annotated[float, Field(gt=2)] = Field(
        3.0, description="distance, in radii, beyond which the repulsion counts as zero; it is k ln(1 + e^(-beta)) / "
        "beta at 3 radii"
    )  # fmt: skip
    stiffness: NotNegative = Field(0.0, description="A of the trap; with 0 the disks are in a periodic box")
    packing_fraction: PositiveFloat | None = Field(None, description="phi of the periodic box, whose side it decides")

    @model_validator(mode="after")
    def _trap_or_box(self) -> Self:
        if (self.stiffness > 0) == (self.packing_fraction is not None):
            raise ValueError("either stiffness (a trap) or packing_fraction (a periodic box) must be given")
        return self


SystemSettings = Annotated[
    TrapSettings | RotationSettings | SpringsSettings | DrivenRingSettings | PairOnRingSettings | DisksSettings,
    Field(discriminator="kind"),
]


@final
class EnsembleSettings(Settings):
    """A simulation: trajectories of one system at some drives, and the snapshots that are kept of them."""

    title: str = Field(description="what figures and tables call it")
    system: SystemSettings = Field(description="drift, noise and geometry")
    drives: Annotated[tuple[Drive, ...], Field(min_length=1), Different] = Field(
        description="strengths of what drives the system out of equilibrium; 0 is the control in equilibrium"
    )
    trajectories: PositiveInt = Field(description="independent trajectories of each drive")
    step: PositiveFloat = Field(description="dt of the integrator")
    burn_in: PositiveFloat = Field(description="time before the first snapshot")
    spacing: PositiveFloat = Field(description="time between two snapshots")
    snapshots: PositiveInt = Field(description="of each trajectory")
    blocks: PositiveInt = Field(
        1, description="parts in time of a trajectory that count as independent, for uncertainties and splits"
    )

    @model_validator(mode="after")
    def _blocks_hold_snapshots(self) -> Self:
        if self.blocks > self.snapshots:
            raise ValueError("blocks: more parts in time than snapshots")
        if self.blocks * self.trajectories < 4:
            raise ValueError("trajectories: at least four blocks are needed to split and to measure uncertainties")
        return self

    @model_validator(mode="after")
    def _spacing_is_of_whole_steps(self) -> Self:
        # Rounded to steps it would be another one than the settings say; the burn-in is at least what they say.
        steps = self.spacing / self.step
        if round(steps) < 1 or abs(steps - round(steps)) > _WHOLE * steps:
            raise ValueError("spacing: must be a multiple of step")
        return self


@final
class MlpSettings(Settings):
    """A dense network on the coordinates of one particle."""

    kind: Literal["mlp"]
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = Field(
        (64, 64), description="widths of the layers"
    )
    harmonics: PositiveInt = Field(1, description="Fourier modes in which the network sees a periodic coordinate")
    antisymmetric: bool = Field(False, description="make the score odd under reflection of all coordinates")


@final
class TransformerSettings(Settings):
    """A transformer on particles: all of them, or the nearest neighbours of each."""

    kind: Literal["transformer"]
    neighbours: PositiveInt | None = Field(
        None, description="particles that each one sees, the nearest and itself; by default all"
    )
    layers: PositiveInt = Field(2, description="blocks of attention and feed-forward part")
    heads: PositiveInt = Field(2, description="heads of the attention")
    width: PositiveInt = Field(32, description="numbers that stand for a particle inside of the network")
    feed_forward: PositiveInt = Field(64, description="inner width of the feed-forward part")
    norm: bool = Field(False, description="layer norm before attention and feed-forward part, for deep networks")

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.width % self.heads:
            raise ValueError("width: must be a multiple of heads")
        return self


NetworkSettings = Annotated[MlpSettings | TransformerSettings, Field(discriminator="kind")]


@final
class LossSettings(Settings):
    """What the score is fitted by. All losses have the same minimum but for their bias in sigma or the step."""

    kind: Literal["transition", "additive", "divergence"] = Field(
        "transition",
        description="denoise the noise of one step of the dynamics; denoise added noise; or score matching with the "
        "exact divergence",
    )
    step: PositiveFloat = Field(0.02, description="time step of the transition kernel")
    sigma: PositiveFloat = Field(0.1, description="standard deviation of added noise")
    antithetic: bool = Field(True, description="whether each noise is used with both signs")
    residual: NotNegative = Field(
        0.0, description="weight of the Fokker-Planck residual, the mean square of div v + v . s of each particle"
    )


class _FittedScore(TrainableSettings, ABC):
    """Abstract: network, loss and loop of a score."""

    network: NetworkSettings
    loss: LossSettings = LossSettings()
    shift: bool = Field(
        True,
        description="add drift / diffusion to the network wherever the diffusion is not zero, so that the "
        "network gives "
        "minus velocity / diffusion",
    )
    particles: PositiveInt | None = Field(
        None, description="particles of each snapshot that one batch takes; by default all"
    )


@final
class ScoreSettings(_FittedScore):
    """What makes the weights of one score."""


@final
class ScoreModelSettings(_FittedScore):
    """A model: a score trained on one ensemble, and the ensembles that it is measured on unchanged."""

    title: str = Field(description="what figures and tables call it")
    ensemble: Name = Field(description="what it is trained on")
    drives: Annotated[tuple[Drive, ...], Field(min_length=1), Different] | None = Field(
        None,
        description="drives of the ensemble that it is trained on, as a condition where there are several; by "
        "default all",
    )
    transfers: Annotated[tuple[Name, ...], Different] = Field((), description="ensembles that it is measured on too")
    seeds: Seeds | None = Field(None, description="one training each; by default those of the study")

    @property
    def score(self) -> ScoreSettings:
        """What makes its weights: not its name, nor what it is measured on."""
        return ScoreSettings(**{name: getattr(self, name) for name in ScoreSettings.model_fields})


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
