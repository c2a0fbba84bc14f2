"""From Pythia 8 to the file: what is kept of collisions, the layout of the file, and what a user can get wrong."""

import resource
from dataclasses import fields
from pathlib import Path

import awkward as ak
import fastjet
import numpy as np
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st
from top_process import TOP, top_process

from cloudchamber.errors import SettingsError, StorageError
from cloudchamber.simulation.atlas_card import ATLAS, jet_energy_scale
from cloudchamber.simulation.collisions import Collisions, collide
from cloudchamber.simulation.particles import Particles
from cloudchamber.simulation.propagation import SPEED_OF_LIGHT
from cloudchamber.simulation.simulate import shard_events, simulate

ONLY_OURS = {"Tower.EdgeEtaLow", "Tower.EdgeEtaHigh", "Tower.EdgePhiLow", "Tower.EdgePhiHigh", "Tower.JetIndex"}


def read(path: Path) -> ak.Array:
    return uproot.open(path)["Delphes"].arrays()


@pytest.fixture(scope="module")
def collisions() -> Collisions:
    """Eight events of one batch."""
    (batch,) = collide("top", TOP, 5, 8, 8)
    return batch


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second of two files of 25 events."""
    path = tmp_path_factory.mktemp("raw") / "top_1.root"
    simulate("top", TOP, 3, 1, path)
    return path


# --- collisions -----------------------------------------------------------------------------------------------------


def test_stable_particles_have_the_momentum_and_the_charge_of_the_beams(collisions: Collisions) -> None:
    stable = collisions.particles[collisions.particles.status == 1]
    sums = {
        name: np.bincount(stable.event, getattr(stable, name), stable.n_events)
        for name in ("energy", "px", "py", "pz", "charge")
    }
    np.testing.assert_allclose(sums["energy"], 13000.0, rtol=1e-6)
    for name in ("px", "py", "pz"):
        np.testing.assert_allclose(sums[name], 0.0, atol=1e-2)
    np.testing.assert_array_equal(sums["charge"], 2)


def test_stable_particles_are_on_their_mass_shell_and_inside_the_light_cone(collisions: Collisions) -> None:
    stable = collisions.particles[collisions.particles.status == 1]
    momentum2 = stable.px**2 + stable.py**2 + stable.pz**2
    np.testing.assert_allclose(stable.energy**2 - momentum2, stable.mass**2, atol=1e-9 * stable.energy.max() ** 2)
    distance = np.sqrt(stable.x**2 + stable.y**2 + stable.z**2)
    assert (distance > 1.0).any()
    assert (distance <= stable.time * (1 + 1e-9) + 1e-12).all()
    assert set(np.unique(np.abs(stable.pid))) <= {11, 12, 13, 14, 16, 22, 130, 211, 321, 2112, 2212}


def test_the_hard_process_is_kept_with_its_mothers(collisions: Collisions) -> None:
    particles = collisions.particles
    first = np.cumsum(particles.counts) - particles.counts
    for event in range(particles.n_events):
        rows = slice(first[event], first[event] + particles.counts[event])
        pid, status, mother, pt = (getattr(particles, name)[rows] for name in ("pid", "status", "mother", "pt"))
        assert (mother[status == 1] == -1).all()
        hard = np.flatnonzero(status != 1)
        assert (mother[hard] < len(hard)).all()
        assert list(status[:2]) == [21, 21]
        assert list(mother[:2]) == [-1, -1]
        for top in np.flatnonzero(np.abs(pid) == 6):
            assert pt[top] == pytest.approx(collisions.pt_hat[event])
            assert mother[top] in (0, 1)
            sign = np.sign(pid[top])
            (w_boson,) = np.flatnonzero((np.abs(pid) == 24) & (mother == top))
            assert pid[w_boson] == 24 * sign
            assert list(pid[(mother == top) & (np.abs(pid) <= 5)]) == [5 * sign]
            quarks = pid[mother == w_boson]
            assert len(quarks) == 2
            assert (np.abs(quarks) <= 5).all()


def test_hard_scattering_is_in_the_window(collisions: Collisions) -> None:
    assert ((collisions.pt_hat >= 950) & (collisions.pt_hat <= 1200)).all()
    assert collisions.cross_section > 0
    np.testing.assert_array_equal(collisions.weight, 1.0)


def test_events_do_not_depend_on_the_batch(collisions: Collisions) -> None:
    batches = [batch.particles for batch in collide("top", TOP, 5, 8, 3)]
    assert [batch.n_events for batch in batches] == [3, 3, 2]
    for field in fields(Particles):
        if field.name not in ("n_events", "event"):
            whole = np.concatenate([getattr(batch, field.name) for batch in batches])
            np.testing.assert_array_equal(whole, getattr(collisions.particles, field.name))


# --- shards ---------------------------------------------------------------------------------------------------------


@given(events=st.integers(1, 10_000), shards=st.integers(1, 50))
def test_shards_share_all_events_evenly(events: int, shards: int) -> None:
    parts = [shard_events(events, shards, shard) for shard in range(shards)]
    assert [number for part in parts for number in part] == list(range(events))
    assert {len(part) for part in parts} <= {events // shards, -(-events // shards)}


def test_same_seed_same_content_and_other_seed_or_shard_other_events(shard: Path, tmp_path: Path) -> None:
    first = read(shard)
    assert first["Event.Number"].tolist() == [[number] for number in range(12, 25)]
    simulate("top", TOP, 3, 1, tmp_path / "again.root")
    assert ak.array_equal(read(tmp_path / "again.root"), first)
    for path, seed, number in (("other_shard.root", 3, 0), ("other_seed.root", 4, 1)):
        simulate("top", TOP, seed, number, tmp_path / path)
        other = read(tmp_path / path)
        assert not ak.any(np.isin(other["Particle.E"][:, 2], first["Particle.E"][:, 2]))


def test_a_shard_without_events_is_a_file_without_entries(tmp_path: Path) -> None:
    simulate("top", top_process(events=1), 1, 0, tmp_path / "empty.root")
    tree = uproot.open(tmp_path / "empty.root")["Delphes"]
    assert tree.num_entries == 0
    assert len(tree["Tower.ET"].array()) == 0


def test_there_is_no_such_shard(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^processes.top.shards: no shard 2 among 2"):
        simulate("top", TOP, 1, 2, tmp_path / "out.root")


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        simulate("top", top_process("Top:gg2ttbar = maybe"), 1, 0, tmp_path / "out.root")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_file(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageError, match=r"out\.root: disk full"):
            simulate("top", TOP, 1, 0, tmp_path / "out.root")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


# --- the file -------------------------------------------------------------------------------------------------------


def test_every_collection_has_one_counter(shard: Path) -> None:
    arrays = read(shard)
    collections = {"Event", "Particle", "Tower", "Jet", "GenJet"}
    assert {name.removesuffix("_size") for name in arrays.fields if name.endswith("_size")} == collections
    leaves = [name for name in arrays.fields if not name.endswith("_size")]
    assert {name.partition(".")[0] for name in leaves} == collections
    for name in leaves:
        counter = arrays[f"{name.partition('.')[0]}_size"]
        np.testing.assert_array_equal(ak.num(arrays[name]), counter, err_msg=name)


@pytest.mark.delphes
def test_leaves_have_the_names_and_types_of_real_delphes(shard: Path, delphes_samples: Path) -> None:
    with uproot.open(delphes_samples / "generated/delphes_atlas_qcd_pt200_truth_seed11.root") as real_file:
        real = {key.rpartition("/")[2]: branch.typename for key, branch in real_file["Delphes"].items()}
    ours = {key: branch.typename for key, branch in uproot.open(shard)["Delphes"].items()}
    assert {name for name in ours if name not in real} == ONLY_OURS
    assert {name: kind for name, kind in ours.items() if name not in ONLY_OURS} == {
        name: real[name] for name in ours if name not in ONLY_OURS
    }


def test_units_of_particles(shard: Path) -> None:
    arrays = read(shard)
    stable = arrays["Particle.Status"] == 1
    px, py, pz, pt, eta, x, y, z, time = (
        ak.to_numpy(ak.flatten(arrays[f"Particle.{name}"][stable])).astype(np.float64)
        for name in ("Px", "Py", "Pz", "PT", "Eta", "X", "Y", "Z", "T")
    )
    np.testing.assert_allclose(pt, np.hypot(px, py), rtol=1e-6)
    np.testing.assert_allclose(pt * np.sinh(eta), pz, rtol=1e-4, atol=1e-5)
    flight, path = time * SPEED_OF_LIGHT, 1e-3 * np.sqrt(x**2 + y**2 + z**2)
    assert (path <= flight * (1 + 1e-5)).all()
    assert np.median(path[path > 1e-3] / flight[path > 1e-3]) > 0.9
    np.testing.assert_array_equal(np.abs(ak.flatten(arrays["Particle.Eta"][:, :2])), np.float32(999.9))


def test_jets_and_their_index_are_what_fastjet_finds_in_the_stored_towers(shard: Path) -> None:
    arrays = read(shard)
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 0.6)
    compared = 0
    for event in arrays:
        et, eta, phi, energy = (
            ak.to_numpy(event[f"Tower.{name}"]).astype(np.float64) for name in ("ET", "Eta", "Phi", "E")
        )
        inputs = []
        columns = (et * np.cos(phi), et * np.sin(phi), et * np.sinh(eta), energy)
        for row, momentum in enumerate(zip(*columns, strict=True)):
            tower = fastjet.PseudoJet(*momentum)
            tower.set_user_index(row)
            inputs.append(tower)
        sequence = fastjet.ClusterSequence(inputs, definition)
        expected = []
        for jet in sequence.inclusive_jets(ATLAS.jet_pt_min):
            scale = jet_energy_scale(np.array(jet.pt()), np.array(jet.eta()))
            members = {tower.user_index() for tower in jet.constituents()}
            expected.append((jet.pt() * scale, jet.eta(), jet.phi_std(), jet.m() * scale, members))
        expected.sort(key=lambda jet: -jet[0])
        stored = ak.to_numpy(event["Tower.JetIndex"])
        assert set(stored) <= set(range(-1, len(expected)))
        for number, (*kinematics, members) in enumerate(expected):
            mine = [event[f"Jet.{name}"][number] for name in ("PT", "Eta", "Phi", "Mass")]
            np.testing.assert_allclose(mine, kinematics, rtol=1e-4, atol=1e-4)
            assert set(np.flatnonzero(stored == number)) == members
        assert event["Jet_size"] == len(expected)
        compared += len(expected)
    assert compared >= 2 * len(arrays)
