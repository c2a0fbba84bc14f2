"""What inspect says of ROOT files: trees, collections, and which clouds can be made of them."""

from pathlib import Path

import numpy as np
import pytest
import uproot
from nanoaod_files import nano_branches, write_nanoaod
from project_copy import REPOSITORY
from root_files import random_towers, write_delphes

from cloudchamber.errors import InputError
from cloudchamber.readers.root_overview import root_overview


def test_nanoaod_has_jets_where_it_has_their_candidates(tmp_path: Path, rng: np.random.Generator) -> None:
    content = nano_branches(rng)
    found = root_overview(write_nanoaod(tmp_path / "nano.root", content))
    assert (found.kind, found.events, found.collections) == ("NanoAOD", 12, ["FatJet", "FatJetPFCands", "PFCands"])
    assert found.clouds == {"stored": ["FatJet"], "reclustered": ["candidate"], "events": ["candidate"]}
    without = {name: values for name, values in content.items() if not name.startswith("PFCands")}
    assert root_overview(write_nanoaod(tmp_path / "flat.root", without)).clouds == {}


def test_delphes_has_what_its_collections_are(tmp_path: Path, rng: np.random.Generator) -> None:
    found = root_overview(write_delphes(tmp_path / "d.root", {"Tower": random_towers(rng, 5)}))
    assert found.kind == "events in the layout of Delphes"
    assert found.trees == {"Delphes": 5}
    assert found.clouds == {"reclustered": ["tower"], "events": ["tower"]}


def test_other_trees_are_named_and_a_file_without_any_is_refused(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "other.root") as file:
        file.mktree("ntuple", {"x": np.float32})
        file["ntuple"].extend({"x": np.zeros(3, np.float32)})
    found = root_overview(tmp_path / "other.root")
    assert (found.trees, found.collections, found.clouds) == ({"ntuple": 3}, [], {})
    with uproot.recreate(tmp_path / "empty.root") as file:
        file["text"] = "nothing"
    with pytest.raises(InputError, match=r"empty\.root: no tree is in it"):
        root_overview(tmp_path / "empty.root")


def test_a_public_file_of_cms_offers_both_collections_of_jets() -> None:
    path = REPOSITORY.parent / "shared/data/jets/coffea_pfnano.root"
    if not path.exists():
        pytest.skip("the public PFNano file is not there")
    found = root_overview(path)
    assert found.events == 10
    assert found.clouds["stored"] == ["FatJet", "Jet"]
