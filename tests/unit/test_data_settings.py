"""Settings of data sets: what a source needs, and what it cannot have."""

import json
from typing import Any

import pytest

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.settings.data import DatasetSettings, SplitSettings

INGESTION = {"clouds": {"kind": "reclustered"}, "max_particles": 30}
JETS = {"max_particles": 30}


def dataset(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "jets", "source": source, **more}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dataset({"kind": "simulated", "process": "top"}), "ingestion is needed for a source of kind simulated"),
        (dataset({"kind": "delphes", "files": ["a.root"]}), "ingestion is needed for a source of kind delphes"),
        (dataset({"kind": "jetnet", "file": "t.hdf5"}, ingestion=INGESTION), "ingestion is for ROOT files"),
        (dataset({"kind": "jetnet"}), "source: .*give either download, .* or file, a path"),
        (dataset({"kind": "jetnet", "file": "a", "download": "jetnet30_top"}), "source: .*give either download"),
        (
            dataset({"kind": "jetnet", "download": "jetnet30_tpo"}),
            r"source\.download: .*no external file 'jetnet30_tpo'",
        ),
        (
            dataset({"kind": "labelled", "layout": "jetclass", "files": ["a"], "jets": JETS}, ingestion=INGESTION),
            "ingestion is for ROOT files of events; a source of kind labelled has jets already",
        ),
        (dataset({"kind": "labelled", "layout": "qg", "files": ["a"], "jets": JETS}), r"source\.layout: "),
        (dataset({"kind": "labelled", "layout": "jetclass", "files": [], "jets": JETS}), r"source\.files: "),
        (dataset({"kind": "labelled", "layout": "jetclass", "files": ["a"]}), r"source\.jets: Field required"),
        (dataset({"kind": "jetnet", "file": "a", "max_particles": 0}), r"source\.max_particles: "),
    ],
)
def test_a_fault_is_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        parse(DatasetSettings, values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [{"file": "/data/t.hdf5"}, {"download": "jetnet150_top", "max_particles": 30}])
def test_jetnet_sources_survive_json(source: dict[str, Any]) -> None:
    settings = parse(DatasetSettings, dataset({"kind": "jetnet", **source}))
    assert parse(DatasetSettings, json.loads(settings.model_dump_json())) == settings


def test_a_split_by_indices_has_no_fractions() -> None:
    settings = parse(SplitSettings, {"indices": "split.h5"})
    assert parse(SplitSettings, json.loads(settings.model_dump_json())) == settings
    with pytest.raises(SettingsError, match="indices says what is in each part: leave out train and order"):
        parse(SplitSettings, {"indices": "split.h5", "train": 0.6, "order": "stored"})
