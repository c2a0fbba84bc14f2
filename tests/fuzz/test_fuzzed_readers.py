"""Readers on damaged and strange files: what is written, or one line; never another error, a hang or a crash.

What is read lies in a file of the temporary folder, so that it is still there after a crash.
"""

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import uproot
import yaml
from fuzzing import clean_or_refused, fuzzed
from hypothesis import given
from hypothesis import strategies as st
from labelled_files import random_jets, top_tagging_names, write_jetclass, write_jetclass2, write_top_tagging
from nanoaod_files import nano_branches, write_nanoaod
from prepared_jets import prepared_jets, write_prepared_jets
from project_copy import REPOSITORY
from root_files import one_jet, random_towers, write_delphes

from cloudchamber.analysis import STUDIES, AnalysisSettings, settings_of
from cloudchamber.cloud_file import read_clouds
from cloudchamber.generative.artifact import build_network, load_artifact, save_artifact
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.observable_file import read_observables, write_observables
from cloudchamber.metrics.tables import read_table
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.preparation.labelled_jets import read_labelled_jets
from cloudchamber.preparation.splits import read_split, write_split
from cloudchamber.readers.jetnet import read_jetnet, write_jetnet
from cloudchamber.records.record import recorded, verify_record
from cloudchamber.settings.base import load, read_yaml
from cloudchamber.settings.data import LabelledJetSettings, LabelledLayout
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.settings.layers import layered
from cloudchamber.storage import read_json, write_text
from cloudchamber.training.state import load_state, save_state

MODEL = {
    "network": {"kind": "epic", "layers": 1, "hidden": 4, "latent": 2, "time_features": 2},
    "objective": {"kind": "flow_matching"},
    "training": {"steps": 1},
}
IDENTITY = {"seed": 1}
_place = st.integers(0, 1 << 20)
_edits = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), _place, st.integers(0, 7)),
        st.tuples(st.just("write"), _place, st.binary(min_size=1, max_size=9)),
        st.tuples(st.just("insert"), _place, st.binary(min_size=1, max_size=9)),
        st.tuples(st.just("drop"), _place, st.integers(1, 64)),
        st.tuples(st.just("copy"), _place, _place),
        st.tuples(st.just("cut"), _place, st.none()),
    ),
    min_size=1,
    max_size=6,
)


def edited(whole: bytes, edits: list[tuple[str, int, Any]]) -> bytes:
    """Return a damaged copy; places count from the start and begin again behind the end."""
    content = bytearray(whole)
    for kind, place, value in edits:
        at = place % max(len(content), 1)
        match kind:
            case "flip" if content:
                content[at] ^= 1 << value
            case "write":
                content[at : at + len(value)] = value
            case "insert":
                content[at:at] = value
            case "drop":
                del content[at : at + value]
            case "copy":
                start = value % max(len(content), 1)
                content[at : at + 16] = content[start : start + 16]
            case "cut":
                del content[at:]
    return bytes(content)


@pytest.fixture(autouse=True)
def _limited_memory() -> Iterator[None]:
    """Sizes that damage makes huge must not take the machine down."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (1 << 31), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _ingest(kind: str, tree: str = "Delphes") -> Callable[[Path], Any]:
    chosen = IngestionSettings.model_validate({"clouds": {"kind": kind}, "max_particles": 10, "tree": tree})
    return lambda path: ingest([path], chosen, path.with_name("ingested.h5"))


def _nanoaod(path: Path) -> Any:
    clouds = {"kind": "stored", "collection": "FatJet", "jet_labels": ["hadronFlavour"]}
    chosen = IngestionSettings.model_validate({"layout": "nanoaod", "clouds": clouds, "max_particles": 10})
    return ingest([path], chosen, path.with_name("ingested.h5"))


def _labelled(layout: LabelledLayout) -> Callable[[Path], Any]:
    chosen = LabelledJetSettings(max_particles=4, eta_max=50.0)
    return lambda path: read_labelled_jets([path], layout, chosen, path.with_name("labelled.h5"))


def _state(path: Path) -> Any:
    return load_state(path.parent, IDENTITY, lambda line: None)


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "events of ROOT": ("zlib.root", _ingest("events")),
    "jets of ROOT": ("zlib.root", _ingest("stored")),
    "uncompressed ROOT": ("plain.root", _ingest("events")),
    "NanoAOD": ("nano.root", _nanoaod),
    "clouds": ("clouds.h5", read_clouds),
    "observables": ("observables.h5", read_observables),
    "drawn jets": ("observables.h5", read_jets),
    "split": ("split.h5", lambda path: read_split(path, 40)),
    "JetNet": ("jetnet.hdf5", read_jetnet),
    "JetNet in the old format": ("old.hdf5", lambda path: read_jetnet(path, 3)),
    "top tagging": ("top_tagging.h5", _labelled("top_tagging")),
    "JetClass": ("jetclass.root", _labelled("jetclass")),
    "JetClass-II": ("jetclass2.parquet", _labelled("jetclass2")),
    "weights": ("weights.safetensors", lambda path: load_artifact(path, path.with_name("description.json"))),
    "description": ("description.json", lambda path: load_artifact(path.with_name("weights.safetensors"), path)),
    "state": ("state/step_000000005.pt", _state),
    "JSON": ("description.json", read_json),
    "table": ("table.csv", lambda path: read_table(path, ("model", "value"))),
    "record": (".provenance/table.csv.json", lambda path: verify_record(path.parent.parent / "table.csv")),
    "settings": ("settings.yaml", lambda path: load(AnalysisSettings, str(path))),
    "configuration": ("config.yaml", lambda path: settings_of(read_yaml(path), REPOSITORY)),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good file for each reader."""
    folder = tmp_path_factory.mktemp("fuzz")
    rng = np.random.default_rng(3)
    towers = random_towers(rng, 20, 12)
    index = [[0] * len(values) for values in towers["ET"]]
    for name, compression in (("zlib", uproot.ZLIB(1)), ("plain", None)):
        collections = {"Tower": towers | {"JetIndex": index}, "Jet": one_jet(towers)}
        write_delphes(folder / f"{name}.root", collections, compression=compression)
    write_nanoaod(folder / "nano.root", nano_branches(rng))
    clouds = prepared_jets(40)
    write_prepared_jets(folder / "clouds.h5", 40)
    table = {name: clouds.feature(name) for name in ("jet_pt", "jet_eta", "jet_mass")}
    table |= {"jet_pt_rel": relative_sum(clouds)}
    write_observables(folder / "observables.h5", table | {"multiplicity": clouds.multiplicity}, {"width": 8})
    write_split(folder / "split.h5", clouds.indices, clouds.feature("jet_pt"))
    write_jetnet(folder / "jetnet.hdf5", clouds)
    with h5py.File(folder / "jetnet.hdf5") as new, h5py.File(folder / "old.hdf5", "w", libver="earliest") as old:
        for name in new:
            old[name] = new[name][()]
    labelled = random_jets(rng, 12, 6)
    names = (top_tagging_names(), ["ttv", "is_signal_new"])
    write_top_tagging(folder / "top_tagging.h5", labelled, [0, 1] * 6, names)
    write_jetclass(folder / "jetclass.root", labelled, np.eye(10)[np.arange(12) % 10])
    write_jetclass2(folder / "jetclass2.parquet", labelled, range(12))
    chosen = GeneratorSettings.model_validate(MODEL)
    weights = build_network(chosen).state_dict()
    paths = folder / "weights.safetensors", folder / "description.json"
    save_artifact(*paths, weights, chosen, clouds.meta["standardisation"], 8, None, {})
    (folder / "state").mkdir()
    state = {"identity": json.dumps(IDENTITY), "step": 5, "network": weights, "losses": [1.0]}
    save_state(folder / "state", 5, state | {"generator": torch.Generator().get_state()})
    with recorded("evaluate", {"output": folder / "table.csv"}, ("output",), 1):
        (folder / "table.csv").write_text("model,value\nepic,1.5\ntransformer,nan\n")
    config = read_yaml(REPOSITORY / "config.yaml")
    write_text(folder / "settings.yaml", yaml.safe_dump(layered(config, REPOSITORY, list(STUDIES))))
    write_text(folder / "config.yaml", (REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    return folder


def read_many(path: Path, read: Callable[[Path], Any], contents: st.SearchStrategy[bytes]) -> None:
    """Read ``path``, which is good, and then with each of some other contents."""
    read(path)

    @fuzzed
    @given(contents)
    def reads(content: bytes) -> None:
        path.write_bytes(content)
        clean_or_refused(lambda: read(path))

    reads()


def damaged(path: Path) -> st.SearchStrategy[bytes]:
    whole = path.read_bytes()
    return _edits.map(lambda edits: edited(whole, edits))


def foreign(path: Path) -> st.SearchStrategy[bytes]:
    """Any bytes; what the file begins with may be right."""
    whole = path.read_bytes()
    return st.tuples(st.integers(0, 64), st.binary(max_size=200)).map(lambda pair: whole[: pair[0]] + pair[1])


@pytest.mark.parametrize("contents", [damaged, foreign])
@pytest.mark.parametrize("name", READERS)
def test_strange_contents(
    files: Path, tmp_path: Path, name: str, contents: Callable[[Path], st.SearchStrategy[bytes]]
) -> None:
    source, read = READERS[name]
    shutil.copytree(files, tmp_path / "files")
    path = tmp_path / "files" / source
    read_many(path, read, contents(path))


@pytest.mark.delphes
def test_a_damaged_file_of_delphes(delphes_samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    shutil.copy(delphes_samples / "public/spectraljet_mini.root", path)
    read_many(path, _ingest("stored"), damaged(path))


_values = st.one_of(
    st.integers(-3, 9).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.binary(min_size=1, max_size=8).map(np.bytes_),
    st.tuples(
        st.sampled_from(["float32", "float64", "int64", "bool", "S3"]),
        st.lists(st.integers(0, 4), max_size=4),
    ).map(lambda pair: np.zeros(pair[1], pair[0])),
)


@pytest.mark.parametrize("name", ["clouds", "observables", "drawn jets", "split", "JetNet", "top tagging"])
def test_files_of_another_structure(files: Path, tmp_path: Path, name: str) -> None:
    """Checksums are right here, and one part is something else or is not there."""
    source, read = READERS[name]
    path = tmp_path / source
    with h5py.File(files / source) as file:
        parts = ["indices", "observables"]
        file.visit(parts.append)
        attributes = list(file.attrs)

    @fuzzed
    @given(st.sampled_from([*parts, *(f"@{key}" for key in attributes)]), st.none() | _values)
    def changed(part: str, value: Any) -> None:
        shutil.copy(files / source, path)
        with h5py.File(path, "r+", libver=("v110", "v110")) as file:
            if part.startswith("@"):
                del file.attrs[part[1:]]
                if value is not None:
                    file.attrs[part[1:]] = value
            else:
                if part in file:
                    del file[part]
                if value is not None:
                    file[part] = value
        clean_or_refused(lambda: read(path))

    changed()
