"""Commands that make clouds: simulation, ingestion, preparation, other layouts."""

from pathlib import Path

from cloudchamber.arguments import Commands, not_negative, positive

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    simulate = commands.add("simulate", "simulate collisions and detector into a Delphes file")
    simulate.add("--name", required=True, help="name of the process: part of the seed").settings("a process")
    simulate.add("--shard", type=not_negative, default=0, help="which of the process's files").seed().output()

    detect = commands.add("detect", "pass events of another generator (HepMC) through the detector into a Delphes file")
    detect.add("source", type=Path, metavar="file").settings("the detection").seed().output()

    download = commands.add("download", "download an external file and verify it")
    download.add("name", help="name in the table of external files, such as jetnet30_top")
    text = "folder or address tried first; may be repeated; by default those in CLOUDCHAMBER_MIRRORS"
    download.add("--mirror", dest="mirrors", action="append", metavar="FOLDER", help=text)
    download.add("--lock", type=Path, required=True, help="JSON file that pins sizes and checksums").output()

    ingest = commands.add("ingest", "read Delphes files into clouds")
    ingest.add("files", nargs="+", help="ROOT files; wildcards are expanded").settings("an ingestion").output()

    group = commands.add("ingest-group", "read some of many Delphes files, for join-groups")
    group.add("files", nargs="+", help="ROOT files; wildcards are expanded").settings("the ingestion of all").output()
    join = commands.add("join-groups", "put the clouds of groups of files together")
    join.add("parts", type=Path, nargs="+", help="written by ingest-group, in the order of the files").output()

    read_jets = commands.add("read-jets", "read labelled jets of a public layout into clouds")
    read_jets.add("files", nargs="+", help="files of the layout; wildcards are expanded")
    read_jets.add("--layout", required=True, choices=("top_tagging", "jetclass", "jetclass2"))
    read_jets.settings("labelled jets").output()

    prepare = commands.add("prepare", "relative coordinates, split, standardisation")
    prepare.add("source", type=Path, metavar="clouds").settings("a preparation").seed().output()
    prepare.outputs("split-output", required=False, text="output: the parts as a file of indices")

    commands.add("to-jetnet", "write relative clouds in the JetNet layout").add("source", type=Path).output()
    from_jetnet = commands.add("from-jetnet", "read a JetNet file into clouds").add("source", type=Path).output()
    from_jetnet.add("--max-particles", type=positive, help="keep this many particles, the hardest; by default all")

    observe = commands.add("observe", "jet mass, pT, multiplicity and substructure of clouds")
    observe.add("source", type=Path, metavar="clouds").output()

    counts = commands.add("delphes-counts", "count jets after real Delphes, for comparisons where its files are not")
    counts.add("source", type=Path, metavar="clouds")
    counts.add("--observables", type=Path, required=True, help="of these clouds").settings("the process")
    counts.add("--delphes", required=True, help="version of Delphes and its card, in words").output()
