"""Commands of the study of showers."""

from pathlib import Path

from cloudchamber.arguments import Commands, Options, not_negative, positive

__all__ = ["add"]

_FEWEST = "showers of the parts test and asked that are needed each, and half as many of each species"


def add(commands: Commands) -> None:
    """Add the commands."""
    simulate = commands.add("simulate", "write raw files of parametrised showers in the layout of EDM4hep")
    simulate.settings("the source")
    simulate.add("--geometry", required=True, help="name of the stack of layers")
    simulate.add("--shard", type=not_negative, default=0, help="number of the file, from 0").seed().output()

    tables = commands.add("geant4-tables", "write tables for Geant4 where the official data sets are not there")
    tables.add("--geometry", required=True, help="name of the stack of layers").output()

    geant4 = commands.add("simulate-geant4", "write raw files of showers by Geant4 in the layout of EDM4hep")
    geant4.settings("the source")
    geant4.add("--geometry", required=True, help="name of the stack of layers")
    geant4.add("--tables", type=Path, help="substitute tables, where the settings take these")
    geant4.add("--shard", type=not_negative, default=0, help="number of the file, from 0").seed()
    geant4.outputs("output", "times")

    ingest = commands.add("ingest", "read raw files and write showers with their parts")
    ingest.add("sources", type=Path, nargs="+", help="ROOT files in the layout of EDM4hep")
    ingest.settings("the ingestion")
    ingest.add("--geometry", required=True, help="name of the stack of layers").seed().output()
    ingest.add("--fewest", type=positive, help=_FEWEST)

    read = commands.add("read", "read showers of a published layout of HDF5")
    read.add("sources", type=Path, nargs="+", help="HDF5 files")
    read.settings("the source", "source").settings("the ingestion")
    read.add("--geometry", required=True, help="name of the stack of layers").seed().output()
    read.add("--fewest", type=positive, help=_FEWEST)

    _source(commands.add("train", "train a flow of the points of showers")).training("the model")
    _source(commands.add("train-counts", "train a flow of the numbers of points per layer")).training("the model")
    train_map = _source(commands.add("train-map", "train a flow map of few evaluations from a flow of points"))
    train_map.training("the flow map").model("teacher")

    sample = _source(commands.add("sample", "draw showers from trained models"))
    sample.json("--files", "models with their species, and the flow of counts").settings("the sampler").seed().output()

    _source(commands.add("sample-marginals", "draw showers of independent points")).seed().output()

    parametrised = _source(commands.add("sample-parametrised", "draw parametrised showers of the same particles"))
    parametrised.settings("the ingestion").seed().output()

    judge = commands.add("judge", "train classifiers that tell models from truth")
    judge.json("--files", "showers, and samples of models").settings("the classifiers").seed()
    judge.add("--state", type=Path, required=True, help="folder of the resumable states").output()

    evaluate = commands.add("evaluate", "compare the showers of all models with true ones")
    evaluate.json("--files", "showers, samples of models, judgements").settings("the evaluation").seed()
    evaluate.outputs("metrics", "profiles", "spectra")

    times = _source(commands.add("measure-time", "measure the time of a shower against its energy"))
    times.json("--files", "models, the flow of counts and times of Geant4").settings("the measurement").output()

    write = _source(commands.add("write", "write showers in a published layout of HDF5"))
    write.add("--layout", required=True, choices=("showerdata", "calo_challenge"), help="of the file")
    write.add("--binning", choices=("2", "3"), default="2", help="CaloChallenge: which data set's voxels").output()


def _source(command: Options) -> Options:
    return command.add("source", type=Path, help="file of showers")
