"""Reading Delphes trees: steps, names, lengths, references."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from root_files import random_towers, write_delphes

from cloudchamber.errors import InputError
from cloudchamber.readers.constituents import bad_values, gather, merge
from cloudchamber.readers.delphes import open_tree
from cloudchamber.readers.jagged import Jagged, References, Step
from cloudchamber.readers.references import from_index, referenced_collections, resolve

LEAVES = ["Tower.ET", "Tower.Eta"]


def jagged(lists, dtype=None):
    return Jagged(np.array(list(chain.from_iterable(lists)), dtype), np.cumsum([0, *map(len, lists)]))


def lists(values):
    return [part.tolist() for part in np.split(values.values, values.offsets[1:-1])]


def reference_counts(tree, jets, collections):
    """Number of references of ``jets`` that resolve and that dangle."""
    names, references = [f"{name}.fUniqueID" for name in collections], f"{jets}.Constituents"
    resolved = dangling = 0
    for step in tree.steps(names, "1 MB", [references]):
        found = resolve(step.references[references], merge([step.leaves[name] for name in names]))
        resolved += len(found.members.values)
        dangling += int(found.dangling.sum())
    return resolved, dangling


@pytest.fixture
def towers(tmp_path, rng):
    """A file with 3,000 events of towers and its content."""
    content = random_towers(rng, 3000)
    return write_delphes(tmp_path / "towers.root", {"Tower": content}), content


def test_steps_cover_the_file_once(towers):
    path, content = towers
    with open_tree(path, "Delphes") as tree:
        steps = list(tree.steps(LEAVES, "100 kB"))
    assert len(steps) > 3
    np.testing.assert_array_equal(np.concatenate([step.events for step in steps]), np.arange(3000))
    for name in LEAVES:
        read = [values for step in steps for values in lists(step.leaves[name])]
        expected = [np.float32(values).tolist() for values in content[name.removeprefix("Tower.")]]
        assert read == expected


def test_of_many_names_a_line_has_the_first(tmp_path):
    leaves = {f"Leaf{number:03}": [[1.0]] for number in range(300)}
    path = write_delphes(tmp_path / "many.root", {"Jet": leaves})
    with (
        open_tree(path, "Delphes") as tree,
        pytest.raises(InputError, match=r"'Jet.Leaf019'\] and 280 more$") as caught,
    ):
        list(tree.steps(["Jet.PT"], "1 MB"))
    assert "Leaf020" not in str(caught.value)


def test_the_highest_cycle_is_read(towers):
    path, content = towers
    write_delphes(path, {"Tower": {leaf: values[:7] for leaf, values in content.items()}}, mode="update")
    with open_tree(path, "Delphes") as tree:
        assert tree.n_events == 7
        assert sum(len(step.events) for step in tree.steps(LEAVES, "8 MB")) == 7


def test_colons_in_the_path(towers, tmp_path):
    path = towers[0].rename(tmp_path / "run:1.root")
    with open_tree(path, "Delphes") as tree:
        assert tree.n_events == 3000


def test_keep_events():
    step = Step(
        np.arange(10, 14),
        {"A.x": jagged([[1], [], [2, 3], [4]])},
        {"B.r": References(np.array([0, 2, 2, 3, 4]), jagged([[1, 2], [3], [], [5]]))},
    )
    kept = step.keep(np.array([True, False, False, True]))
    assert kept.events.tolist() == [10, 13]
    assert lists(kept.leaves["A.x"]) == [[1], [4]]
    assert kept.references["B.r"].objects.tolist() == [0, 2, 3]
    assert lists(kept.references["B.r"].targets) == [[1, 2], [3], [5]]


def test_merge_joins_event_by_event():
    first, second = jagged([[1], [], [2, 3]]), jagged([[10, 11], [12], []])
    assert lists(merge([first, second])) == [[1, 10, 11], [12], [2, 3]]


# Two events; the second has the same numbers as the first. Jets: two in the first event, one in the second.
IDS = jagged([[3, 1, 2], [1, 2]], np.uint32)
REFERENCES = References(np.array([0, 2, 3]), jagged([[2, 3], [1, 9], [2, 1, 3]], np.int32))


def test_references_resolve_within_their_event():
    found = resolve(REFERENCES, IDS)
    assert lists(found.members) == [[2, 0], [1], [4, 3]]
    assert found.dangling.tolist() == [0, 1, 1]


@pytest.mark.parametrize(("of_ids", "of_references"), [(1, 0), (0, 1), (1, 2), (255, 255)])
def test_upper_byte_of_unique_numbers_is_ignored(of_ids, of_references):
    """The number of a TProcessID can stand in the upper byte, of either side."""
    ids = replace(IDS, values=IDS.values | np.uint32(of_ids << 24))
    values = (REFERENCES.targets.values.astype(np.uint32) | np.uint32(of_references << 24)).view(np.int32)
    references = replace(REFERENCES, targets=replace(REFERENCES.targets, values=values))
    altered, plain = resolve(references, ids), resolve(REFERENCES, IDS)
    assert lists(altered.members) == lists(plain.members)
    assert altered.dangling.tolist() == plain.dangling.tolist()


def test_no_possible_constituents():
    found = resolve(REFERENCES, jagged([[], []], np.uint32))
    assert found.dangling.tolist() == [2, 2, 3]
    assert len(found.members.values) == 0


def test_index_per_constituent():
    found = from_index(jagged([[1, -1, 0, 1], [], [0]], np.int32), np.array([0, 3, 3, 4]))
    assert lists(found.members) == [[2], [0, 3], [], [4]]
    assert found.dangling.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("leaf", "value", "bad"),
    [
        ("Tower.ET", -1e-6, True),
        ("Tower.ET", 0.0, False),
        ("Jet.PT", np.inf, True),
        ("Jet.PT", 1e10, True),
        ("Tower.Eta", 60.0, True),
        ("EFlowTrack.Eta", np.float32(-999.9), False),
        ("Tower.Phi", np.nan, True),
        ("Tower.Phi", 6.28, False),
        ("Jet.Phi", -9.0, True),
        ("Tower.Eem", 1e300, True),
        ("Jet.Mass", -0.1, False),
    ],
)
def test_bad_values_are_found_in_their_event(leaf, value, bad):
    values = jagged([[1.0], [], [1.0, value], [1.0]], np.float64 if abs(value) > 1e38 else np.float32)
    found = bad_values(Step(np.arange(4), {leaf: values}))
    assert {name: events.tolist() for name, events in found.items()} == (
        {leaf: [False, False, True, False]} if bad else {}
    )


@pytest.mark.delphes
@pytest.mark.parametrize(
    ("file", "jets", "collections", "expected"),
    [
        ("generated/delphes_atlas_qcd_pt200_truth_seed11.root", "Jet", ["Tower"], (10558, 0)),
        ("generated/delphes_atlas_qcd_pt200_truth_seed11.root", "GenJet", ["Particle"], (21174, 0)),
        ("generated/delphes_atlas_ttbar_seed12.root", "Jet", ["Tower"], (40690, 0)),
        ("public/skhep_uproot-issue513.root", "Jet", ["EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron"], (636, 0)),
        ("public/sophon_events_delphes_example.root", "Jet", ["ParticleFlowCandidate"], (14, 1634)),
        ("public/sophon_events_delphes_example.root", "JetPUPPI", ["ParticleFlowCandidate"], (1068, 0)),
    ],
)
def test_references_of_real_files(delphes_samples, file, jets, collections, expected):
    with open_tree(delphes_samples / file, "Delphes") as tree:
        assert reference_counts(tree, jets, collections) == expected


@pytest.mark.delphes
def test_jets_of_the_cms_card_are_not_made_of_towers(delphes_samples):
    energy_flow = ("EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron")
    with open_tree(delphes_samples / "public/spectraljet_mini.root", "Delphes") as tree:
        assert referenced_collections(tree, "Jet.Constituents", ("Tower", *energy_flow), "8 MB") == energy_flow
        assert reference_counts(tree, "Jet", energy_flow) == (111, 0)


@pytest.mark.delphes
def test_two_collections_of_one_name(delphes_samples):
    """The first 'Particle' of this file holds particles, the second jets; only its leaf DeltaEta is of the second."""
    path = delphes_samples / "public/skhep_uproot-issue513.root"
    with open_tree(path, "Delphes") as tree:
        (step,) = tree.steps(["Particle.PT"], "8 MB")
        assert step.leaves["Particle.PT"].counts.min() > 1000
        with pytest.raises(InputError, match=r"issue513\.root: branch 'Particle\.DeltaEta' has 201 values in event 0"):
            list(tree.steps(["Particle.PT", "Particle.DeltaEta"], "8 MB"))


@pytest.mark.delphes
def test_towers_of_a_real_file_obey_their_invariant(delphes_samples):
    """E = ET cosh(Eta) for calorimeter towers, to float32 precision: columns and lists belong together."""
    with open_tree(delphes_samples / "generated/delphes_atlas_ttbar_seed12.root", "Delphes") as tree:
        leaves = [f"Tower.{leaf}" for leaf in ("ET", "Eta", "Phi", "E", "Eem", "Ehad")]
        for step in tree.steps(leaves, "500 kB"):
            et, eta, phi, energy, em, had = gather(step, ("Tower",), ("E", "Eem", "Ehad")).columns.astype(float)
            calorimeter = em + had > 0
            np.testing.assert_allclose((et * np.cosh(eta))[calorimeter], energy[calorimeter], rtol=2e-6)
            assert np.abs(phi).max() <= np.pi + 1e-6
