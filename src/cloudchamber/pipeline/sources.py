"""Which source files a stage depends on: Snakemake does not see imports, so the rules list these as inputs."""

from pathlib import Path

__all__ = ["code"]

_PACKAGE = Path("src/cloudchamber")
_MODEL = (
    "generation/artifact.py",
    "generation/objectives.py",
    "generation/paths.py",
    "generation/sampling.py",
    "generation/solvers.py",
    "networks/epic.py",
    "networks/linear.py",
    "networks/packing.py",
    "preparation/standardisation.py",
)
_TRAINING = (
    "training/average.py",
    "training/record.py",
    "training/state.py",
    "training/task.py",
    "training/trainer.py",
)
# Sources whose change asks for a rerun of a stage; what merely passes data on (command line, errors) is left out.
_SOURCES = {
    "simulate": ("simulation/*.py", "seeds.py"),
    "ingest": (
        "preparation/clustering.py",
        "preparation/ingestion.py",
        "preparation/padding.py",
        "preparation/sources.py",
        "readers/constituents.py",
        "readers/delphes.py",
        "readers/references.py",
    ),
    "prepare": (
        "preparation/prepare.py",
        "preparation/relative.py",
        "preparation/splits.py",
        "preparation/standardisation.py",
    ),
    "train": (*_MODEL, "generation/task.py", "generation/train.py", *_TRAINING),
    "sample": (*_MODEL, "generation/sample.py"),
    "observe": ("evaluation/kinematics.py", "evaluation/observables.py", "evaluation/substructure.py"),
    "compare": (
        "evaluation/comparison.py",
        "evaluation/divergence.py",
        "evaluation/resampling.py",
        "evaluation/wasserstein.py",
    ),
    "log_posterior": (
        "evaluation/log_posterior.py",
        "evaluation/posterior_step.py",
        "networks/particlenet.py",
        "training/classification.py",
        *_TRAINING,
    ),
    "evaluate": ("evaluation/steps.py",),
    "draw": ("figures/*.py",),
}


def code(stage: str) -> list[str]:
    """Return the source files that a stage depends on, relative to the root of the repository."""
    return [path for pattern in _SOURCES[stage] for path in sorted(map(str, _PACKAGE.glob(pattern)))]
