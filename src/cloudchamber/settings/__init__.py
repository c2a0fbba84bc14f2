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
    JetSelection,
    PreparationSettings,
    ProcessSettings,
    ReclusteredJets,
    SimulatedSource,
    SplitSettings,
    StoredJets,
    WholeEvents,
)
from cloudchamber.settings.models import (
    EVALUATIONS_PER_STEP,
    DiffusionSettings,
    EpicSettings,
    FlowMatchingSettings,
    GeneratorSettings,
    MarginalsModel,
    ModelSettings,
    SamplerSettings,
    TrainedModel,
    TrainingSettings,
)

__all__ = [
    "EVALUATIONS_PER_STEP",
    "AnalysisSettings",
    "Constituents",
    "DatasetSettings",
    "DelphesSource",
    "DetectorResponseSettings",
    "DiffusionSettings",
    "EpicSettings",
    "FlowMatchingSettings",
    "GeneratorSettings",
    "IngestionSettings",
    "JetGenerationSettings",
    "JetSelection",
    "LogPosteriorSettings",
    "MarginalsModel",
    "MetricSettings",
    "ModelSettings",
    "ParticleNetSettings",
    "PreparationSettings",
    "ProcessSettings",
    "ReclusteredJets",
    "SamplerSettings",
    "SimulatedSource",
    "SplitSettings",
    "StoredJets",
    "TrainedModel",
    "TrainingSettings",
    "WholeEvents",
    "load",
    "parse",
]
