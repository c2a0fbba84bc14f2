"""Small raw files, showers and samples that several tests of the study read."""

from pathlib import Path

from cloudchamber.studies.showers.ingest import ingest
from cloudchamber.studies.showers.marginals import sample_marginals
from cloudchamber.studies.showers.parametrised_sample import sample_parametrised
from cloudchamber.studies.showers.simulate import simulate
from cloudchamber.studies.showers.source_settings import GunSettings, IngestionSettings, ParametrisedSource

__all__ = ["GUN", "INGESTION", "SOURCE", "TRAINING", "write_shower_files"]

GUN = GunSettings(species=("photon", "pi_plus"), energy=(1.0, 3.0), theta_max=30, showers=600, shards=2)
SOURCE = ParametrisedSource(kind="parametrised", gun=GUN)
INGESTION = IngestionSettings(train=0.4, validation=0.1)
# Of the classifiers that judge showers.
TRAINING = {
    "steps": 120,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "ema_decay": 0.9,
    "validate_every": 60,
    "accelerator": "cpu",
}


def write_shower_files(folder: Path) -> Path:
    """Write 0.root, 1.root, showers.h5, marginals.h5 and parametrised.h5, and return the folder."""
    for shard in range(GUN.shards):
        simulate(SOURCE, "ild_like", shard, 1, folder / f"{shard}.root")
    ingest([folder / "0.root", folder / "1.root"], INGESTION, "ild_like", 1, folder / "showers.h5")
    sample_marginals(folder / "showers.h5", 1, folder / "marginals.h5")
    sample_parametrised(folder / "showers.h5", INGESTION, 1, folder / "parametrised.h5")
    return folder
