"""Constituents from pile-up: left out of particles, kept in what a detector saw, counted wherever the file tells."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from root_files import Lists, write_delphes

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.readers.delphes import open_tree
from cloudchamber.readers.jagged import Jagged, References, Step
from cloudchamber.readers.pile_up import PileUp
from cloudchamber.settings.ingestion import IngestionSettings

Ingest = Callable[..., Clouds]
HARD, SOFT = 12, 42


@pytest.fixture
def run(tmp_path: Path) -> Ingest:
    def ingested(path: Path, constituents: str = "particle", kind: str = "reclustered", **clouds: Any) -> Clouds:
        chosen = {"kind": kind, "constituents": constituents, **clouds}
        settings = IngestionSettings.model_validate({"clouds": chosen, "max_particles": 100})
        ingest([path], settings, tmp_path / "clouds.h5")
        return read_clouds(tmp_path / "clouds.h5")

    return ingested


@pytest.fixture
def particles(rng: np.random.Generator) -> dict[str, Lists]:
    """One jet of an event: 12 particles of the hard collision, and 42 of pile-up among them."""
    n = HARD + SOFT
    return {
        "PT": [[50.0] * HARD + [2.0] * SOFT],
        "Eta": [rng.normal(0, 0.05, n).tolist()],
        "Phi": [rng.normal(0, 0.05, n).tolist()],
        "PID": [[211] * n],
        "Status": [[1] * n],
        "IsPU": [[0] * HARD + [1] * SOFT],
    }


@pytest.mark.parametrize("kind", ["reclustered", "events"])
@pytest.mark.parametrize(("pile_up", "count"), [(None, HARD), ("leave_out", HARD), ("keep", HARD + SOFT)])
def test_particles_of_pile_up(
    tmp_path: Path,
    run: Ingest,
    particles: dict[str, Lists],
    kind: str,
    pile_up: str | None,
    count: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clouds = run(write_delphes(tmp_path / "a.root", {"Particle": particles}), kind=kind, pile_up=pile_up)
    np.testing.assert_array_equal(clouds.feature("n_constituents"), [count])
    left_out = HARD + SOFT - count
    assert clouds.meta["pile_up"] == {"constituents": SOFT, "left_out": left_out, "told_by": ["Particle.IsPU"]}
    assert f"{SOFT} constituents from pile-up {'left out' if left_out else 'kept'}" in capsys.readouterr().err


def test_events_of_pile_up_alone(tmp_path: Path, run: Ingest, particles: dict[str, Lists]) -> None:
    particles["IsPU"] = [[1] * (HARD + SOFT)]
    path = write_delphes(tmp_path / "a.root", {"Particle": particles})
    with pytest.raises(
        InputError, match=rf"a\.root: all {HARD + SOFT} constituents are from pile-up, which is left out"
    ):
        run(path)


def test_particles_that_nobody_would_see_are_not_counted(
    tmp_path: Path, run: Ingest, particles: dict[str, Lists]
) -> None:
    particles["Status"][0][-2:] = [2, 2]
    clouds = run(write_delphes(tmp_path / "a.root", {"Particle": particles}))
    assert clouds.meta["pile_up"]["left_out"] == SOFT - 2


def test_a_file_that_does_not_tell(tmp_path: Path, run: Ingest, particles: dict[str, Lists]) -> None:
    """What is left out by default cannot be where nothing tells; asked for by name it is refused."""
    del particles["IsPU"]
    path = write_delphes(tmp_path / "a.root", {"Particle": particles})
    clouds = run(path)
    assert clouds.meta["pile_up"] == {"constituents": 0, "left_out": 0, "told_by": []}
    assert clouds.multiplicity.tolist() == [HARD + SOFT]
    with pytest.raises(InputError, match=r"a\.root: nothing tells which objects of Particle are pile-up"):
        run(path, pile_up="leave_out")


ONE = {"Eta": [[0.0, 0.1, 0.2]], "Phi": [[0.0, 0.0, 0.0]]}
FLOW = {
    "EFlowTrack": {"PT": [[30.0, 2.0, 3.0]], **ONE, "IsPU": [[0, 1, 1]]},
    "EFlowPhoton": {"ET": [[10.0, 4.0, 5.0]], **ONE, "IsPU": [[0, 0, 1]]},
    "EFlowNeutralHadron": {"ET": [[6.0, 7.0, 8.0]], **ONE, "IsPU": [[0, 0, 0]]},
}


@pytest.mark.parametrize(
    ("pile_up", "kept"),
    [
        (None, [30, 10, 8, 7, 6, 5, 4, 3, 2]),
        ("leave_out", [30, 10, 8, 7, 6, 4]),
        ("keep", [30, 10, 8, 7, 6, 5, 4, 3, 2]),
    ],
)
def test_energy_flow_of_pile_up(tmp_path: Path, run: Ingest, pile_up: str | None, kept: list[float]) -> None:
    """A detector does not know; the flags are counted, and used where that is asked for."""
    clouds = run(write_delphes(tmp_path / "a.root", FLOW), "energy_flow", pile_up=pile_up)
    assert clouds.points[0, clouds.mask[0], 0].tolist() == kept
    counted = clouds.meta["pile_up"]
    assert (counted["constituents"], counted["left_out"]) == (3, 9 - len(kept))


def test_one_collection_that_does_not_tell(tmp_path: Path, run: Ingest) -> None:
    silent = {name: leaf for name, leaf in FLOW["EFlowPhoton"].items() if name != "IsPU"}
    path = write_delphes(tmp_path / "a.root", {**FLOW, "EFlowPhoton": silent})
    with pytest.raises(InputError, match="nothing tells which objects of EFlowPhoton are pile-up"):
        run(path, "energy_flow", pile_up="leave_out")
    assert run(path, "energy_flow").meta["pile_up"]["constituents"] == 2


def test_towers_have_a_share_of_the_hard_collision(tmp_path: Path, run: Ingest) -> None:
    """Delphes leaves IsPU of towers at zero. Muons among them have no energy in either calorimeter, and no share."""
    towers = {
        "ET": [[40.0, 30.0, 20.0, 10.0]],
        "Eta": [[0.0, 0.1, 0.2, 0.3]],
        "Phi": [[0.0] * 4],
        "IsPU": [[0, 0, 0, 1]],
        "HardEnergyFraction": [[0.6, 0.4, 0.0, 0.0]],
        "Eem": [[40.0, 0.0, 0.0, 0.0]],
        "Ehad": [[0.0, 30.0, 0.0, 0.0]],
    }
    clouds = run(write_delphes(tmp_path / "a.root", {"Tower": towers}), "tower", pile_up="leave_out")
    assert clouds.points[0, clouds.mask[0], 0].tolist() == [40, 20]


def test_towers_whose_share_of_the_hard_collision_was_left_out_do_not_tell(tmp_path: Path, run: Ingest) -> None:
    """As in a skim of Delphes with ET, Eta, Phi and IsPU of the towers, which is zero for all of them."""
    towers = {"ET": [[40.0, 30.0]], "Eta": [[0.0, 0.1]], "Phi": [[0.0, 0.0]], "IsPU": [[0, 0]]}
    share = {"HardEnergyFraction": [[0.9, 0.1]], "Eem": [[40.0, 30.0]]}
    for name, content in (("a", towers), ("b", towers | share)):
        path = write_delphes(tmp_path / f"{name}.root", {"Tower": content})
        with pytest.raises(InputError, match=r"nothing tells which objects of Tower are pile-up: .*HardEnergyFraction"):
            run(path, "tower", pile_up="leave_out")
        assert run(path, "tower").meta["pile_up"]["told_by"] == []


@pytest.mark.parametrize(
    ("collection", "constituents"),
    [("EFlowPhoton", "energy_flow"), ("ParticleFlowCandidate", "energy_flow"), ("Tower", "tower")],
)
def test_a_calorimeter_that_leaves_the_marks_at_zero_does_not_tell(
    tmp_path: Path, run: Ingest, collection: str, constituents: str
) -> None:
    """The module Calorimeter of Delphes fills neither IsPU nor HardEnergyFraction of neutral objects, as
    older cards have it; SimpleCalorimeter fills one of both for each."""
    zeros = {"IsPU": [[0, 0, 0]], "HardEnergyFraction": [[0.0, 0.0, 0.0]]}
    filled = {"IsPU": [[0, 0, 1]], "HardEnergyFraction": [[1.0, 0.6, 0.0]]}
    found = []
    for name, marks in (("zeros", zeros), ("filled", filled)):
        content: dict[str, dict[str, Lists]] = {
            "EFlowPhoton": {**FLOW, "EFlowPhoton": {**FLOW["EFlowPhoton"], **marks}},
            "ParticleFlowCandidate": {
                "ParticleFlowCandidate": {
                    "PT": [[10.0, 4.0, 5.0, 30.0]],
                    "Eta": [[0.0, 0.1, 0.2, 0.3]],
                    "Phi": [[0.0] * 4],
                    "Charge": [[0, 0, 0, 1]],
                    "IsPU": [[*marks["IsPU"][0], 0]],
                    "HardEnergyFraction": [[*marks["HardEnergyFraction"][0], 1.0]],
                }
            },
            "Tower": {
                "Tower": {"ET": [[10.0, 4.0, 5.0]], **ONE, "Eem": [[9.0] * 3], "Ehad": [[1.0] * 3], **marks},
            },
        }[collection]
        path = write_delphes(tmp_path / f"{name}.root", content)
        told = run(path, constituents).meta["pile_up"]["told_by"]
        found.append(any(branch.startswith(collection) for branch in told))
        if name == "filled":
            assert 5.0 not in run(path, constituents, pile_up="leave_out").points[0, :, 0]
        else:
            with pytest.raises(InputError, match=rf"nothing tells which objects of {collection} are .*are zero"):
                run(path, constituents, pile_up="leave_out")
    assert found == [False, True]


def jagged(lists: list[list[float]], dtype: type = np.float32) -> Jagged:
    return Jagged(np.array([*chain.from_iterable(lists)], dtype), np.cumsum([0, *map(len, lists)]))


class Names:
    """A tree that only says what it has."""

    path = Path("a.root")

    def __init__(self, *names: str) -> None:
        self._names = names

    def __contains__(self, name: str) -> bool:
        return name in self._names


def step_of_candidates(targets: list[list[int]]) -> Step:
    """Two events; each particle has another energy, and those of odd numbers are pile-up."""
    leaves = {
        "Particle.fUniqueID": jagged([[1, 2, 3, 4], [1, 2]], np.uint32),
        "Particle.E": jagged([[10, 9, 5, 5], [1, 100]]),
        "Particle.IsPU": jagged([[1, 0, 1, 0], [1, 0]], np.int32),
        "ParticleFlowCandidate.Eta": jagged([[0.0] * (len(targets) - 1), [0.0]]),
    }
    references = References(np.array([0, len(targets) - 1, len(targets)]), jagged(targets, np.int32))  # type: ignore[arg-type]
    return Step(np.arange(2), leaves, {"ParticleFlowCandidate.Particles": references})


def finder() -> PileUp:
    names = ("ParticleFlowCandidate.Particles", "Particle.fUniqueID", "Particle.E", "Particle.IsPU")
    return PileUp(Names(*names), ("ParticleFlowCandidate",), through_references=True)  # type: ignore[arg-type]


def test_candidates_through_their_particles() -> None:
    """More than half of the energy decides, as Delphes does for neutral energy flow."""
    found = finder()
    assert found.told_by == ("ParticleFlowCandidate.Particles",)
    assert found.find(step_of_candidates([[1], [2], [1, 2], [3, 4], [1, 2, 4], [1, 2]])).tolist() == [
        *(True, False, True, False, False),
        False,
    ]


def test_a_particle_that_is_not_stored() -> None:
    with pytest.raises(InputError, match=r"2 references of 'ParticleFlowCandidate\.Particles' lead to no particle"):
        finder().find(step_of_candidates([[1, 7], [2], [9]]))


@pytest.mark.parametrize(("flags", "jets"), [([0] * 6, 0), ([0, 0, 0, 1, 1, 1], 1)])
def test_partons_of_pile_up_are_no_prongs(tmp_path: Path, run: Ingest, flags: list[int], jets: int) -> None:
    """The jet has both quarks of a W; those of a W of pile-up beside it do not count."""
    particles: dict[str, Lists] = {
        "PID": [[24, 1, -2, 24, 3, -4]],
        "Status": [[22, 23, 23, 22, 23, 23]],
        "M1": [[-1, 0, 0, -1, 3, 3]],
        "Eta": [[0.0, 0.0, 0.1, 0.0, 0.1, 0.2]],
        "Phi": [[0.0] * 6],
        "IsPU": [flags],
    }
    towers: dict[str, Lists] = {"ET": [[50.0]], "Eta": [[0.0]], "Phi": [[0.0]]}
    path = write_delphes(tmp_path / "a.root", {"Particle": particles, "Tower": towers})
    if jets:
        assert len(run(path, "tower", truth_match={"prongs": 2})) == jets
    else:
        with pytest.raises(InputError, match="1 jets left out by the truth match"):
            run(path, "tower", truth_match={"prongs": 2})


@pytest.mark.delphes
def test_tracks_of_a_real_file_through_their_particle(delphes_samples: Path, run: Ingest) -> None:
    """Old files have no IsPU of tracks and photons; this one has no pile-up, and all references lead to a particle."""
    path = delphes_samples / "public/skhep_uproot-issue513.root"
    with open_tree(path, "Delphes") as tree:
        told = PileUp(tree, ("EFlowTrack", "EFlowPhoton"), through_references=True)
        (step,) = tree.steps(["EFlowTrack.Eta", "EFlowPhoton.Eta", *told.leaves], "100 MB", told.references)
        assert told.told_by == ("EFlowTrack.Particle", "EFlowPhoton.Particles")
        assert not told.find(step).any()
        targets = step.references["EFlowTrack.Particle"].targets
        assert (targets.counts == 1).all()
        (flagged,) = [leaf for leaf in told.leaves if leaf.endswith("IsPU")]
        step.leaves[flagged].values[:] = 1
        assert told.find(step).all()
    kept, left = (run(path, "energy_flow", pile_up=choice) for choice in ("keep", "leave_out"))
    np.testing.assert_array_equal(kept.points, left.points)


@pytest.mark.delphes
def test_particles_of_pile_up_that_were_not_stored(delphes_samples: Path, run: Ingest) -> None:
    path = delphes_samples / "public/sophon_events_delphes_example.root"
    with pytest.raises(InputError, match=r"references of 'ParticleFlowCandidate\.Particles' lead to no particle"):
        run(path, "energy_flow", pile_up="leave_out")
