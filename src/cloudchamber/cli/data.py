"""Stages that make clouds: simulation, ingestion, preparation, other layouts."""

import os
from pathlib import Path
from typing import Any

from cloudchamber.cli.arguments import (
    add_command,
    add_files_to_write,
    add_output,
    add_seed_and_output,
    add_settings,
    not_negative,
    positive,
)

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the sub-commands to the parser."""
    simulate = add_command(commands, "simulate", _simulate, "simulate collisions and detector into a Delphes file")
    simulate.add_argument("--name", required=True, help="name of the process: part of the seed")
    add_settings(simulate, "a process")
    simulate.add_argument("--shard", type=not_negative, default=0, help="which of the process's files")
    add_seed_and_output(simulate)

    download = add_command(commands, "download", _download, "download an external file and verify it")
    download.add_argument("name", help="name in the table of external files, such as jetnet30_top")
    download.add_argument(
        "--mirror",
        dest="mirrors",
        action="append",
        metavar="FOLDER",
        help="folder or address tried first; may be repeated; by default those in CLOUDCHAMBER_MIRRORS",
    )
    download.add_argument("--lock", type=Path, required=True, help="JSON file that pins sizes and checksums")
    add_output(download)

    ingest = add_command(commands, "ingest", _ingest, "read Delphes files into clouds")
    ingest.add_argument("files", nargs="+", help="ROOT files; wildcards are expanded")
    add_settings(ingest, "an ingestion")
    add_output(ingest)

    read_jets = add_command(commands, "read-jets", _read_jets, "read labelled jets of a public layout into clouds")
    read_jets.add_argument("files", nargs="+", help="files of the layout; wildcards are expanded")
    read_jets.add_argument("--layout", required=True, choices=("top_tagging", "jetclass", "jetclass2"))
    add_settings(read_jets, "labelled jets")
    add_output(read_jets)

    prepare = add_command(commands, "prepare", _prepare, "relative coordinates, split, standardisation")
    prepare.add_argument("source", type=Path, metavar="clouds")
    add_settings(prepare, "a preparation")
    add_seed_and_output(prepare)
    add_files_to_write(prepare, "split-output", required=False, text="output: the parts as a file of indices")

    to_jetnet = add_command(commands, "to-jetnet", _to_jetnet, "write relative clouds in the JetNet layout")
    from_jetnet = add_command(commands, "from-jetnet", _from_jetnet, "read a JetNet file into clouds")
    from_jetnet.add_argument(
        "--max-particles", type=positive, help="keep this many particles, the hardest; by default all"
    )
    for convert in (to_jetnet, from_jetnet):
        convert.add_argument("source", type=Path)
        add_output(convert)


def _simulate(name: str, settings: str, shard: int, seed: int, output: Path) -> None:
    from cloudchamber.settings.base import load
    from cloudchamber.settings.processes import ProcessSettings
    from cloudchamber.simulation.simulate import simulate

    simulate(name, load(ProcessSettings, settings), seed, shard, output)


def _download(name: str, mirrors: list[str] | None, lock: Path, output: Path) -> None:
    from cloudchamber.download import download
    from cloudchamber.errors import SettingsError
    from cloudchamber.settings.external import external_files

    files = external_files()
    if name not in files:
        raise SettingsError(f"no external file '{name}' among {sorted(files)}")
    chosen = os.environ.get("CLOUDCHAMBER_MIRRORS", "").split() if mirrors is None else mirrors
    download(files[name], output, lock, chosen)


def _ingest(files: list[str], settings: str, output: Path) -> None:
    from cloudchamber.preparation.ingestion import ingest
    from cloudchamber.readers.delphes import expand
    from cloudchamber.settings.base import load
    from cloudchamber.settings.data import IngestionSettings

    ingest(expand(files), load(IngestionSettings, settings), output)


def _read_jets(files: list[str], layout: Any, settings: str, output: Path) -> None:
    from cloudchamber.preparation.labelled_jets import read_labelled_jets
    from cloudchamber.settings.base import load
    from cloudchamber.settings.data import LabelledJetSettings

    read_labelled_jets(files, layout, load(LabelledJetSettings, settings), output)


def _prepare(source: Path, settings: str, seed: int, output: Path, split_output: Path | None) -> None:
    from cloudchamber.preparation.prepare import prepare
    from cloudchamber.settings.base import load
    from cloudchamber.settings.data import PreparationSettings

    prepare(source, load(PreparationSettings, settings), seed, output, split_output)


def _to_jetnet(source: Path, output: Path) -> None:
    from cloudchamber.cloud import read_clouds
    from cloudchamber.readers.jetnet import write_jetnet

    write_jetnet(output, read_clouds(source))


def _from_jetnet(source: Path, max_particles: int | None, output: Path) -> None:
    from cloudchamber.cloud import write_clouds
    from cloudchamber.readers.jetnet import read_jetnet

    write_clouds(output, read_jetnet(source, max_particles))
