"""Every fault of an input file is one line that names the file and the branch, and leaves no output."""

import awkward as ak
import numpy as np
import pytest
import uproot
from root_files import random_towers, write_delphes

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.ingestion import IngestionSettings

EVENTS = {"kind": "events"}
STORED = {"kind": "stored"}
ZLIB = uproot.ZLIB(1)


def run(files, output, clouds=EVENTS, **settings):
    files = files if isinstance(files, list) else [files]
    ingest(files, IngestionSettings(clouds=clouds, max_particles=30, **settings), output)
    return read_clouds(output)


def refuse(path, message, clouds=EVENTS, **settings):
    """Check the error of one file, and that a previous output stays as it was."""
    output = path.with_name("clouds.h5")
    output.write_text("from before")
    with pytest.raises(InputError, match=message) as caught:
        run(path, output, clouds, **settings)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 600
    assert output.read_text() == "from before"
    assert {file.name for file in path.parent.iterdir()} == {path.name, "clouds.h5"}


@pytest.fixture
def towers(rng):
    return random_towers(rng, 200)


@pytest.fixture
def good(tmp_path, towers):
    return write_delphes(tmp_path / "a.root", {"Tower": towers}, compression=ZLIB)


def cut(path, fraction):
    content = path.read_bytes()
    path.write_bytes(content[: int(fraction * len(content))])


@pytest.mark.parametrize("fraction", np.linspace(0, 1, 20, endpoint=False))
def test_truncated(good, fraction):
    cut(good, fraction)
    refuse(good, "truncated|not a ROOT file")


@pytest.mark.delphes
@pytest.mark.parametrize("fraction", np.linspace(0, 1, 20, endpoint=False))
def test_truncated_real_file(delphes_samples, tmp_path, fraction):
    path = tmp_path / "a.root"
    path.write_bytes((delphes_samples / "public/spectraljet_mini.root").read_bytes())
    cut(path, fraction)
    refuse(path, "truncated|not a ROOT file")


def damage_last_basket(path, branch):
    """Overwrite the compressed content of a branch's last basket."""
    with uproot.open(path)["Delphes"] as tree:
        start = tree[branch].member("fBasketSeek")[tree[branch].num_baskets - 1]
    with open(path, "r+b") as file:
        file.seek(start + 120)
        file.write(b"\xff" * 200)


def test_damaged_bytes_name_the_branch(good):
    damage_last_basket(good, "Tower.Eta")
    refuse(good, r"a\.root: branch 'Tower\.Eta' cannot be read")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"),
        (b"PK\x03\x04 something else", "not a ROOT file"),
        (b"", "not a ROOT file"),
        (b"root\x00\x00", "truncated"),
    ],
)
def test_no_root_file(tmp_path, content, message):
    path = tmp_path / "a.root"
    path.write_bytes(content)
    refuse(path, message)


def test_folder(tmp_path):
    path = tmp_path / "a.root"
    path.mkdir()
    refuse(path, r"a folder; its files are .*/a\.root/\*")


def test_missing_tree(good):
    refuse(good, r"no tree 'Events'; trees there are \['Delphes'\]", tree="Events")


@pytest.mark.parametrize(
    ("content", "kind"), [(np.histogram([1.0]), "TH1D"), ({"Tower.ET": np.ones(3)}, "ROOT::RNTuple")]
)
def test_not_a_tree(tmp_path, content, kind):
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Delphes"] = content
    refuse(tmp_path / "a.root", f"'Delphes' is a {kind}, expected a TTree")


def test_missing_collection(good):
    refuse(good, r"no branch 'Particle.PT'; collections there are \['Tower'\]", EVENTS | {"constituents": "particle"})
    refuse(good, r"no branch 'Jet.Constituents'; collections there are \['Tower'\]", STORED)


def test_missing_leaf(good):
    refuse(good, r"no branch 'Tower.Eem'; 'Tower' has .*'Tower.ET'", extra_leaves=("Eem",))


def test_jets_without_links(tmp_path, towers):
    jets = {leaf: [[1.0]] * 200 for leaf in ("PT", "Eta", "Phi", "Mass")}
    path = write_delphes(tmp_path / "a.root", {"Tower": towers, "Jet": jets})
    refuse(path, "no branch 'Jet.Constituents'; 'Jet' has", STORED)


def test_index_of_a_jet_that_is_not_there(tmp_path, towers):
    jets = {leaf: [[1.0]] * 200 for leaf in ("PT", "Eta", "Phi", "Mass")}
    index = [[0] * len(values) for values in towers["ET"]]
    index[17][-1] = 1
    path = write_delphes(tmp_path / "a.root", {"Tower": towers | {"JetIndex": index}, "Jet": jets})
    refuse(path, "branch 'Tower.JetIndex' is 1 in event 17, which has 1 jets", STORED)


def write_flat(path, branches):
    branches = {name: ak.Array(values) for name, values in branches.items()}
    with uproot.recreate(path) as file:
        file.mktree("Delphes", {name: values.type for name, values in branches.items()})
        file["Delphes"].extend(branches)
    return path


@pytest.mark.parametrize("values", [np.ones(5, np.float32), np.ones((5, 3), np.float32), ["a", "b", "c", "d", "e"]])
def test_wrong_type(tmp_path, values):
    path = write_flat(tmp_path / "a.root", {"Tower.ET": values})
    refuse(path, "branch 'Tower.ET' holds '.*', expected a list of numbers per event")


def test_references_of_wrong_type(tmp_path, towers):
    jets = {leaf: [[1.0]] * 200 for leaf in ("PT", "Eta", "Phi", "Mass", "Constituents")}
    ids = [[1] * len(values) for values in towers["ET"]]
    path = write_delphes(tmp_path / "a.root", {"Tower": towers | {"fUniqueID": ids}, "Jet": jets})
    refuse(path, "branch 'Jet.Constituents' holds '.*', expected a TRefArray or TRef per object", STORED)


def test_lengths_that_disagree(tmp_path):
    """Each branch has a counter of its own here; that of Eta differs in event 1."""
    et, eta = [[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]]
    path = write_flat(tmp_path / "a.root", {"Tower.ET": et, "Tower.Eta": eta, "Tower.Phi": et})
    refuse(path, "branch 'Tower.Eta' has 2 values in event 1, 'Tower.ET' says 1")


def test_counter_that_disagrees(tmp_path):
    et = [[1.0, 2.0], [3.0]]
    branches = {"Tower.ET": et, "Tower.Eta": et, "Tower.Phi": et, "Tower_size": [2, 2]}
    path = write_flat(tmp_path / "a.root", branches)
    refuse(path, "branch 'Tower.ET' has 1 values in event 1, 'Tower_size' says 2")


def test_counter_of_wrong_type(tmp_path):
    et = [[1.0, 2.0], [3.0]]
    path = write_flat(tmp_path / "a.root", {"Tower.ET": et, "Tower.Eta": et, "Tower.Phi": et, "Tower_size": et})
    refuse(path, "branch 'Tower_size' holds '.*', expected a number per event")


def test_no_events(tmp_path):
    path = write_delphes(tmp_path / "a.root", {"Tower": {"ET": [], "Eta": [], "Phi": []}})
    refuse(path, "tree 'Delphes' has no events")


@pytest.mark.parametrize("kind", ["events", "reclustered"])
def test_no_event_has_towers(tmp_path, kind):
    empty = [[]] * 10
    path = write_delphes(tmp_path / "a.root", {"Tower": {"ET": empty, "Eta": empty, "Phi": empty}})
    refuse(path, "Tower.ET.* empty in all 10 events", {"kind": kind})


@pytest.mark.parametrize(("leaf", "value"), [("ET", np.nan), ("Eta", np.inf), ("Phi", -np.inf), ("ET", -3.0)])
def test_one_bad_value(tmp_path, towers, leaf, value):
    towers[leaf][123][0] = float(value)
    path = write_delphes(tmp_path / "a.root", {"Tower": towers})
    refuse(path, f"branch 'Tower.{leaf}' is not finite or not physical in event 123", step_size="10 kB")


def test_only_bad_values(tmp_path, towers):
    for values in towers["ET"]:
        values[0] = float("nan")
    path = write_delphes(tmp_path / "a.root", {"Tower": towers})
    refuse(path, "all 200 events have bad values", on_bad_event="skip")


def test_bad_file_is_skipped_whole(tmp_path, rng, capsys):
    """A file that fails at its end leaves none of its first steps in the output."""
    for name in "abc":
        towers = random_towers(rng, 300)
        if name == "b":
            towers["Phi"][299][0] = float("nan")
        write_delphes(tmp_path / f"{name}.root", {"Tower": towers})
    bad = tmp_path / "b.root"
    clouds = run([tmp_path / "*.root"], tmp_path / "clouds.h5", on_bad_file="skip", step_size="10 kB")
    assert np.bincount(clouds.label("file")).tolist() == [300, 0, 300]
    assert list(clouds.meta["files_skipped"]) == [str(bad)]
    assert "Tower.Phi" in clouds.meta["files_skipped"][str(bad)]
    assert clouds.meta["events"]["read"] == 600
    assert sorted(clouds.meta["provenance"]["inputs"]) == [str(tmp_path / "a.root"), str(tmp_path / "c.root")]
    assert f"ingest: skipped {bad}: branch 'Tower.Phi'" in capsys.readouterr().err


def test_all_files_skipped(good):
    cut(good, 0.5)
    refuse(good, "nothing passes the selection: 1 files skipped", on_bad_file="skip")


def test_no_file_matches(tmp_path):
    with pytest.raises(InputError, match=r"\*\.root: no file matches"):
        run(tmp_path / "*.root", tmp_path / "clouds.h5")
    assert not (tmp_path / "clouds.h5").exists()
