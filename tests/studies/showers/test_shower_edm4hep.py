"""EDM4hep files of others: another geometry, event weights and shifts of directions are told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pytest
import uproot
from shower_files import INGESTION

from cloudchamber.errors import InputError
from cloudchamber.studies.showers.edm4hep_file import Edm4hepWriter, read_steps
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.ingest import ingest
from cloudchamber.studies.showers.read import read
from cloudchamber.studies.showers.source_settings import FileSource, IngestionSettings
from cloudchamber.studies.showers.write import write

SETTINGS = IngestionSettings(train=0.5, validation=0.1)
SHOWERDATA = FileSource(kind="files", layout="showerdata", title="a", files=("a",))
COLLECTIONS = list(INGESTION.collections)


def _written(path: Path, steps: Any) -> Path:
    with Edm4hepWriter(path, COLLECTIONS, {}) as writer:
        writer.append(
            replace(steps, truth=np.zeros((len(steps), 0))),
            np.zeros(len(steps.energy), int),
            np.zeros(len(steps.energy)),
            np.full(len(steps.energy), 22),
        )
    return path


def test_steps_of_another_geometry_or_of_no_energy_are_refused(tmp_path: Path, showers_folder: Path) -> None:
    steps = next(iter(read_steps(showers_folder / "0.root", COLLECTIONS)))
    moved, energy = steps.position.copy(), steps.energy.copy()
    moved[:, 2] += 1.2
    energy[7] = np.nan
    for change, said in (
        (replace(steps, position=moved), r"GeV are left in the layers of the geometry 'ild_like'"),
        (replace(steps, energy=energy), r"a step of nan GeV at .* in event 0, which is none"),
    ):
        with pytest.raises(InputError, match=rf"a\.root: .*{said}"):
            ingest([_written(tmp_path / "a.root", change)], INGESTION, "ild_like", 1, tmp_path / "showers.h5")
        assert not (tmp_path / "showers.h5").exists()


def _write_events(path: Path, content: dict[str, Any]) -> None:
    with uproot.recreate(path) as file:
        types = {name: values.type for name, values in content.items()}
        file.mktree("events", types, field_name=lambda outer, inner: f"{outer}.{inner}" if outer else inner)
        file["events"].extend(content)


@pytest.mark.parametrize("same", [True, False])
def test_events_that_weigh_differently_are_refused(same: bool, tmp_path: Path, showers_folder: Path) -> None:
    with uproot.open(showers_folder / "0.root") as file:
        tree = file["events"]
        columns = {name: tree[name].array() for name in tree.keys()}  # noqa: SIM118
        number = tree.num_entries
    groups: dict[str, dict[str, Any]] = {}
    for name, values in columns.items():
        collection, _, leaf = name.partition(".")
        if leaf and values.ndim == 2:
            groups.setdefault(collection, {})[leaf] = values
    weights = np.ones(number) if same else np.linspace(1.0, 2.0, number)
    content = {name: ak.zip(leaves) for name, leaves in groups.items()}
    content["EventHeader"] = ak.zip({"weight": ak.Array([[weight] for weight in weights.tolist()])})
    _write_events(tmp_path / "a.root", content)
    if same:
        ingest([tmp_path / "a.root"], INGESTION, "ild_like", 1, tmp_path / "showers.h5")
        content["EventHeader"] = ak.zip({"weight": ak.Array([[3.0]] * number)})
        _write_events(tmp_path / "b.root", content)
        with pytest.raises(
            InputError, match=r"b\.root: branch 'EventHeader\.weight': .* the same as those of .*a\.root"
        ):
            ingest([tmp_path / "a.root", tmp_path / "b.root"], INGESTION, "ild_like", 1, tmp_path / "both.h5")
        return
    with pytest.raises(InputError, match=r"a\.root: branch 'EventHeader\.weight': events do not all weigh the same"):
        ingest([tmp_path / "a.root"], INGESTION, "ild_like", 1, tmp_path / "showers.h5")


def test_showers_with_the_shift_of_their_directions_are_refused(tmp_path: Path, showers_folder: Path) -> None:
    """As showerdata has them before its command that shifts them; directions are up to 30 degrees off the axis."""
    right, shifted = tmp_path / "right.h5", tmp_path / "shifted.h5"
    for path in (right, shifted):
        write(showers_folder / "showers.h5", "showerdata", "2", path)
    read([right], SHOWERDATA, SETTINGS, "ild_like", 1, tmp_path / "showers.h5")
    with h5py.File(shifted, "r+") as file:
        stack, directions = geometry_of("ild_like"), file["directions"][()]
        for row in range(len(directions)):
            points = file["showers"][row].reshape(-1, 4)
            layers = points[:, 2].astype(np.int64)
            points[:, :2] += stack.shifts(layers, np.tile(directions[row].astype(np.float64), (len(layers), 1)))
            file["showers"][row] = points.ravel()
    with pytest.raises(InputError, match=r"shifted\.h5: x and y follow the direction .*\(1 of its tangent\)"):
        read([shifted], SHOWERDATA, SETTINGS, "ild_like", 1, tmp_path / "others.h5")
    assert not (tmp_path / "others.h5").exists()
