"""Settings of the jet level: where multiplicity, transverse momentum and mass of jets to generate come from."""

from typing import Annotated, Literal, final

from pydantic import Field

from cloudchamber.settings.base import PositiveInt, Settings
from cloudchamber.settings.training import TrainableSettings

__all__ = ["JET_FLOW", "JetFlowSettings", "JetLevelSettings", "TrainingJets"]

# Name of the jet-level flow among the models, in the table of metrics.
JET_FLOW = "jet_flow"


@final
class TrainingJets(Settings):
    """They are drawn from the training jets, with replacement."""

    kind: Literal["training"] = "training"


@final
class JetFlowSettings(TrainableSettings):
    """A normalising flow of neural splines is trained on them and drawn from."""

    kind: Literal["flow"]
    transforms: PositiveInt = 4
    bins: PositiveInt = 10
    hidden: tuple[PositiveInt, ...] = Field((64, 64), min_length=1, description="widths of the networks of a transform")


JetLevelSettings = Annotated[TrainingJets | JetFlowSettings, Field(discriminator="kind")]
