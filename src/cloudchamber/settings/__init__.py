"""The settings of an analysis: the one place that says which keys config.yaml has, their types and defaults.

Every model is frozen and refuses unknown keys. Importing this package is cheap, since Snakemake does it for each job.
"""

from cloudchamber.settings.analysis import (
    AnalysisSettings,
    DetectorResponseSettings,
    JetGenerationSettings,
    LogPosteriorSettings,
    MetricSettings,
    ParticleNetSettings,
    SamplingTimeSettings,
    SolverScanSettings,
)
from cloudchamber.settings.base import (
    load,
    parse,
)
from cloudchamber.settings.data import (
    Constituents,
    DatasetSettings,
    DelphesSource,
    IngestionSettings,
    JetNetSource,
    JetSelection,
    PreparationSettings,
    ProcessSettings,
    ReclusteredJets,
    SimulatedSource,
    SplitSettings,
    StoredJets,
    WholeEvents,
)
from cloudchamber.settings.external import ExternalFile, external_files
from cloudchamber.settings.jets import JET_FLOW, JetFlowSettings, JetLevelSettings, TrainingJets
from cloudchamber.settings.models import (
    EVALUATIONS_PER_STEP,
    GeneratorSettings,
    MarginalsModel,
    ModelSettings,
    SamplerSettings,
    Solver,
    TrainedModel,
    TrainingSettings,
)
from cloudchamber.settings.networks import EpicGanSettings, EpicSettings, NetworkSettings, TransformerSettings
from cloudchamber.settings.objectives import (
    AdversarialSettings,
    DiffusionSettings,
    EdmSettings,
    FlowMatchingSettings,
    ObjectiveSettings,
)

__all__ = [
    "EVALUATIONS_PER_STEP",
    "JET_FLOW",
    "AdversarialSettings",
    "AnalysisSettings",
    "Constituents",
    "DatasetSettings",
    "DelphesSource",
    "DetectorResponseSettings",
    "DiffusionSettings",
    "EdmSettings",
    "EpicGanSettings",
    "EpicSettings",
    "ExternalFile",
    "FlowMatchingSettings",
    "GeneratorSettings",
    "IngestionSettings",
    "JetFlowSettings",
    "JetGenerationSettings",
    "JetLevelSettings",
    "JetNetSource",
    "JetSelection",
    "LogPosteriorSettings",
    "MarginalsModel",
    "MetricSettings",
    "ModelSettings",
    "NetworkSettings",
    "ObjectiveSettings",
    "ParticleNetSettings",
    "PreparationSettings",
    "ProcessSettings",
    "ReclusteredJets",
    "SamplerSettings",
    "SamplingTimeSettings",
    "SimulatedSource",
    "Solver",
    "SolverScanSettings",
    "SplitSettings",
    "StoredJets",
    "TrainedModel",
    "TrainingJets",
    "TrainingSettings",
    "TransformerSettings",
    "WholeEvents",
    "external_files",
    "load",
    "parse",
]
