"""Events of decay chains: momentum, colour flow, what Pythia makes of them, and settings that are refused."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import uproot
from decay_chain_processes import CLASSES, process
from scipy.stats import kstest

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import SettingsError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.base import load, parse
from cloudchamber.settings.ingestion import IngestionSettings, ReclusteredJets, TruthMatch
from cloudchamber.settings.processes import ProcessSettings, ProngCuts, PythiaProcess
from cloudchamber.simulation.collisions import collide
from cloudchamber.simulation.decay_chains import CHAINS, SCALAR
from cloudchamber.simulation.les_houches import write_events
from cloudchamber.simulation.simulate import simulate

# A test that is right fails by chance with this probability.
P_VALUE = 1e-4


def les_houches_events(path: Path):
    """Yield the rows of each event of a file, as lists of numbers."""
    inside = None
    for line in path.read_text(encoding="ascii").splitlines():
        if line == "<event>":
            inside = []
        elif line == "</event>":
            header, *rows = inside
            assert int(header[0]) == len(rows)
            yield rows
            inside = None
        elif inside is not None:
            inside.append([float(word) for word in line.split()])


@pytest.mark.parametrize("prongs", CLASSES)
def test_events_conserve_momentum_and_colour(prongs: str, rng, tmp_path: Path) -> None:
    write_events(tmp_path / "a.lhe", process(prongs), 7, rng)
    events = list(les_houches_events(tmp_path / "a.lhe"))
    assert len(events) == 7
    for rows in events:
        pid, status, mother, _, colour, anticolour, *momenta = np.array(rows)[:, :11].T
        momentum = np.stack(momenta[:4], axis=1)
        assert list(pid[:2]) == [21, 21]
        assert (momentum[:2, :2] == 0).all()
        np.testing.assert_allclose(momentum[:2, 3], [momentum[0, 2], -momentum[1, 2]])
        np.testing.assert_allclose(momentum[:2].sum(axis=0), momentum[status == 1].sum(axis=0), atol=1e-5)
        assert (mother[2:4] == 1).all()
        assert (mother[4:] > 2).all()
        vertices = {(0, 1): [2, 3]}
        vertices |= {(int(row) - 1,): np.flatnonzero(mother == row) for row in np.unique(mother[4:])}
        for decaying, products in vertices.items():
            # Colours that come in go out, and what is made new is made as a pair of colour and anticolour.
            flow = Counter()
            for row in decaying:
                flow.update({colour[row]: 1})
                flow.subtract({anticolour[row]: 1})
            for row in products:
                flow.subtract({colour[row]: 1})
                flow.update({anticolour[row]: 1})
            del flow[0.0]
            assert not any(flow.values())
            np.testing.assert_allclose(
                momentum[list(decaying)].sum(axis=0), momentum[list(products)].sum(axis=0), atol=1e-5
            )
        kind = np.abs(pid)
        assert ((colour > 0) == ((kind <= 6) & (pid > 0) | (kind == 21))).all()
        assert ((anticolour > 0) == ((kind <= 6) & (pid < 0) | (kind == 21))).all()
        # Every line of colour begins and ends once.
        ends = Counter(colour[(status == 1) & (colour > 0)]) + Counter(anticolour[(status == -1)])
        begins = Counter(anticolour[(status == 1) & (anticolour > 0)]) + Counter(colour[(status == -1)])
        assert ends == begins
        assert set(ends.values()) == {1}


@pytest.mark.parametrize("prongs", CLASSES)
def test_pythia_makes_all_events_and_keeps_the_prongs(
    prongs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = process(prongs)
    batches = list(collide("x", settings, 7, 20, 15))
    assert [batch.particles.n_events for batch in batches] == [15, 5]
    assert list(tmp_path.iterdir()) == []
    particles = batches[0].particles
    first = np.cumsum(particles.counts) - particles.counts
    # pT of the scattering is that of the parents.
    assert ((batches[0].pt_hat >= settings.pt[0]) & (batches[0].pt_hat <= settings.pt[1])).all()
    for event in range(15):
        rows = slice(first[event], first[event] + particles.counts[event])
        pid, status, mother, mass = (getattr(particles, name)[rows] for name in ("pid", "status", "mother", "mass"))
        parents = np.flatnonzero((status == 22) & np.isin(mother, (0, 1)))
        assert list(np.abs(pid[parents])) == [6 if prongs == "3" else SCALAR] * 2
        assert ((mass[parents] >= settings.mass[0]) & (mass[parents] <= settings.mass[1])).all()
        quarks = np.flatnonzero(status == 23)
        assert (np.abs(pid[quarks]) <= 5).all()
        ancestor = quarks.copy()
        while (climbing := ~np.isin(ancestor, parents)).any():
            ancestor[climbing] = mother[ancestor[climbing]]
        assert Counter(ancestor) == dict.fromkeys(parents, CLASSES[prongs])
    hard = batches[0].hard_process.particles
    np.testing.assert_array_equal(hard.status, particles.status[particles.status != 1])
    # Their mothers need no new numbers, since they stand first.
    numbers = np.arange(len(particles)) - first[particles.event]
    assert (numbers[particles.status != 1] < hard.counts[hard.event]).all()


def test_stable_particles_have_the_momentum_of_the_beams() -> None:
    (batch,) = collide("x", process("6"), 3, 10, 10)
    stable = batch.particles[batch.particles.status == 1]
    np.testing.assert_allclose(np.bincount(stable.event, stable.energy), 13000, rtol=1e-6)
    for name in ("px", "py", "pz"):
        np.testing.assert_allclose(np.bincount(stable.event, getattr(stable, name)), 0, atol=1e-2)


def test_processes_of_pythia_beside_the_chains_are_refused() -> None:
    """Nearly all events had been theirs."""
    with pytest.raises(SettingsError, match=r"^processes.x.commands: they switch on .*, such as g g -> g g$"):
        next(collide("x", process("3").model_copy(update={"commands": ("HardQCD:all = on",)}), 1, 2, 2))


def test_events_follow_from_seed_and_shard(tmp_path: Path) -> None:
    settings = process("4b", events=9, shards=2, particles="hard")
    arguments = {"a": (1, 0), "again": (1, 0), "shard": (1, 1), "seed": (2, 0)}
    energies = {}
    for name, (seed, shard) in arguments.items():
        simulate("x", settings, seed, shard, tmp_path / f"{name}.root")
        tree = uproot.open(tmp_path / f"{name}.root")["Delphes"]
        assert set(tree["Particle.Status"].array()[0]) == {21, 22, 23}
        energies[name] = [list(event) for event in tree["Particle.E"].array()]
    assert energies["a"] == energies["again"]
    assert len(energies["a"]) + len(energies["shard"]) == 9
    assert {event[2] for event in energies["a"]}.isdisjoint(
        {event[2] for name in ("shard", "seed") for event in energies[name]}
    )


def test_jets_are_flat_in_pt_and_mass_after_ingestion(tmp_path: Path) -> None:
    """A wide window of the jets lies inside the windows of the parents, where the response cannot tilt it much."""
    settings = process("6", pt=(800, 1500), mass=(250, 850), events=250, particles="hard")
    simulate("x", settings, 4, 0, tmp_path / "a.root")
    clouds = ReclusteredJets(
        kind="reclustered",
        radius=1.2,
        pt_window=(900, 1300),
        mass_window=(300, 700),
        eta_max=2.0,
        truth_match=TruthMatch(prongs=6),
    )
    ingest([tmp_path / "a.root"], IngestionSettings(clouds=clouds, max_particles=230), tmp_path / "a.h5")
    jets = read_clouds(tmp_path / "a.h5")
    assert len(jets) > 120
    for name, (low, high) in (("jet_pt", (900, 1300)), ("jet_mass", (300, 700))):
        assert kstest(jets.feature(name), "uniform", (low, high - low)).pvalue > P_VALUE
    assert jets.meta["truncation"]["clouds_truncated"] == 0


# --- what a user can get wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cuts": ProngCuts(separation_min=1.5)}, r"x\.cuts: \d+ of \d+ decays to class 8 do not pass in \d+ trials"),
        ({"energy": 2500.0}, r"x\.energy: 2500 GeV are too little for pairs of 2600 GeV"),
        ({"mass": (2.0, 9.0)}, r"x\.mass: no decay of .* GeV to 1?\.?\d* and .* GeV"),
        ({"commands": ("PartonLevel:MPI = maybe",)}, r"x\.commands: .*'PartonLevel:MPI = maybe'"),
    ],
)
def test_an_impossible_chain_is_one_line_with_its_key(changes: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"^processes.{message}"):
        simulate("x", process("8", **changes), 1, 0, tmp_path / "a.root")
    assert list(tmp_path.iterdir()) == []


CHAIN = {"kind": "decay_chain", "title": "t", "prongs": 4, "events": 5}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (CHAIN, r"^settings: prongs: "),
        (CHAIN | {"prongs": 2, "kind": "chain"}, r"^settings: kind: 'chain' is none of pythia, decay_chain$"),
        (CHAIN | {"prongs": 2, "pt_hat": [1, 2]}, r"^settings: pt_hat: no such key"),
        (CHAIN | {"prongs": 2, "pair_masses": [0.3, 0.5]}, r"pair_masses must be below 0\.5"),
        (CHAIN | {"prongs": 2, "top_w_masses": [0.3, 1]}, r"top_w_masses must be below 1"),
        (
            CHAIN | {"prongs": 6, "masses": "fixed"},
            r"mass: a parent of 300 GeV does not decay to two of 172\.5 GeV; raise its window, or lower fixed_masses",
        ),
        (
            CHAIN | {"prongs": "8", "masses": "fixed", "fixed_masses": {"w": 121}},
            r"fixed_masses: nothing of 125 GeV decays to a W of 121 GeV",
        ),
        (CHAIN | {"prongs": 2, "masses": "nature"}, r"^settings: masses: "),
        (CHAIN | {"prongs": 2, "cuts": {"radius_max": 0}}, r"^settings: cuts\.radius_max: "),
        ({"title": "t", "events": 5, "pt_hat": [1, 2]}, r"^settings: (pythia\.)?commands: Field required"),
        ({"title": "t", "events": 5, "pt_hat": [2, 1], "commands": []}, r"^settings: pt_hat: .*below the upper"),
    ],
)
def test_a_fault_in_the_settings_is_one_line(values: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        parse(ProcessSettings, values)
    assert "\n" not in str(caught.value)


def test_processes_survive_json_and_need_not_say_that_they_are_of_pythia() -> None:
    chain = parse(ProcessSettings, CHAIN | {"prongs": 2})
    assert chain == process("2", title="t", events=5, commands=())
    assert load(ProcessSettings, chain.model_dump_json()) == chain
    plain = parse(ProcessSettings, {"title": "t", "events": 5, "pt_hat": [1, 2], "commands": ["a = on"]})
    assert isinstance(plain, PythiaProcess)
    assert load(ProcessSettings, plain.model_dump_json()) == plain


def test_classes_are_those_of_the_settings() -> None:
    assert list(CHAINS) == list(CLASSES)
