"""Events as clouds of their jets, and the jets of the partons of top pairs, from files of Delphes and our own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from root_files import write_delphes

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.preparation.jet_events import TARGET_COLUMNS
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.settings.processes import PythiaProcess
from cloudchamber.simulation.atlas_card import ATLAS
from cloudchamber.simulation.simulate import simulate

NAMES = [column.name for column in TARGET_COLUMNS]
# Two tops and their decays, then a copy of the first b that radiated; the second W is a copy of itself first.
PID = [6, -6, 24, 5, -24, -5, 2, -1, -24, 3, -4, 5, 21]
M1 = [-1, -1, 0, 0, 1, 1, 2, 2, 4, 8, 8, 3, 3]
#                    b    b2       q1   q2       q    q'
ETA = [0.0, 0.0, 0.0, 0.1, 0.0, -1.0, 0.5, 1.5, 0.0, 2.0, -2.0, 0.12, 0.3]
PHI = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.1, -1.0, 0.0, 2.0, -2.0, 0.0, 0.4]
# Of falling pT: near -4 (c, up type), b2, b, the q1 of the first top across the seam of phi, 3 (s); one more; soft.
JETS = {
    "PT": [90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 26.0],
    "Eta": [-2.1, -1.1, 0.0, 0.5, 2.1, 0.0, 1.5],
    "Phi": [-2.0, 1.0, 0.1, -3.1, 2.1, -0.8, 2.9],
    "Mass": [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0],
    "BTag": [0, 1, 1, 0, 0, 0, 0],
}


def settings(**changes: Any) -> IngestionSettings:
    clouds = {"kind": "jet_events", "b_tags_min": 2, **changes}
    return parse(IngestionSettings, {"clouds": clouds, "max_particles": 7})


def ingested(folder: Path, chosen: IngestionSettings, jets: dict[str, list[float]] = JETS, **particles: Any) -> Clouds:
    leaves = {"PID": PID, "M1": M1, "Eta": ETA, "Phi": PHI} | particles
    collections = {"Jet": {name: [values] for name, values in jets.items()}}
    if leaves["PID"] is not None:
        collections["Particle"] = {name: [values] for name, values in leaves.items()}
    path = write_delphes(folder / "a.root", collections)
    ingest([path], chosen, folder / "out.h5")
    return read_clouds(folder / "out.h5")


def test_partons_have_the_nearest_jets(tmp_path: Path) -> None:
    clouds = ingested(tmp_path, settings())
    found = {name: int(clouds.label(name)[0]) for name in NAMES}
    # The down-type quark of the first top is 0.4 and more away from all jets that are left.
    assert found == {"t1_b": 2, "t1_q1": 3, "t1_q2": -1, "t2_b": 1, "t2_q1": 0, "t2_q2": 4}


def test_jets_are_those_of_the_file(tmp_path: Path) -> None:
    clouds = ingested(tmp_path, settings())
    assert clouds.point("pt")[0].tolist() == JETS["PT"]
    assert clouds.point("Mass")[0].tolist() == JETS["Mass"]
    assert clouds.point("BTag")[0].tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert clouds.feature("n_constituents")[0] == 7


# Delphes draws each working point on its own, so that a jet may have a tight b-tag and no loose one.
POINTS = {"BTag": [7, 1, 3, 0, 6, 0, 2]}


@pytest.mark.parametrize(
    ("bit", "tags"), [(0, [1, 1, 1, 0, 0, 0, 0]), (1, [1, 0, 1, 0, 1, 0, 1]), (2, [1, 0, 0, 0, 1, 0, 0])]
)
def test_the_working_point_that_is_asked_for(tmp_path: Path, bit: int, tags: list[int]) -> None:
    clouds = ingested(tmp_path, settings(b_tag_bit=bit), JETS | POINTS)
    assert clouds.point("BTag")[0].tolist() == tags


def test_several_working_points_are_refused_where_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.root: branch 'Jet\.BTag' has the bits 0, 1, 2, .*clouds\.b_tag_bit"):
        ingested(tmp_path, settings(), JETS | POINTS)
    with pytest.raises(InputError, match=r"has the bits 1, .*clouds\.b_tag_bit"):
        ingested(tmp_path, settings(b_tags_min=0), JETS | {"BTag": [0, 2, 2, 0, 0, 0, 0]})


def test_a_file_without_the_working_point_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen, files = settings(b_tag_bit=1, b_tags_min=0, partons="none"), []
    for name, bit, events in (("loose", 1, 15), ("medium", 2, 15), ("few", 1, 14)):
        jets = JETS | {"BTag": [bit * tag for tag in JETS["BTag"]]}
        collections = {"Jet": {leaf: [values] * events for leaf, values in jets.items()}}
        files.append(write_delphes(tmp_path / f"{name}.root", collections))
    ingest(files, chosen, tmp_path / "out.h5")
    warnings = [line for line in capsys.readouterr().err.splitlines() if "b-tag" in line]
    assert warnings == [f"ingest: WARNING: {files[0]}: none of 105 jets has a b-tag, bit 1 of 'Jet.BTag'"]


def test_a_file_without_the_soft_jets_that_are_asked_for_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a card that stores jets above 45 GeV beside one that stores them above 20 GeV."""
    chosen, files = settings(b_tags_min=0, jets_min=5, partons="none"), []
    for name, more, events in (("hard", 20.0, 200), ("soft", 0.0, 200), ("few", 20.0, 100)):
        jets = JETS | {"PT": [pt + more for pt in [*JETS["PT"][:-1], 24.0]]}
        collections = {"Jet": {leaf: [values] * events for leaf, values in jets.items()}}
        files.append(write_delphes(tmp_path / f"{name}.root", collections))
    ingest(files, chosen, tmp_path / "out.h5")
    warnings = [line for line in capsys.readouterr().err.splitlines() if "less than" in line]
    said = "none of 1400 jets of 'Jet' has less than 44 GeV, above clouds.pt_min (25 GeV): softer ones were not stored"
    assert warnings == [f"ingest: WARNING: {files[0]}: {said}"]


@pytest.mark.parametrize("change", [{"jets_min": 8}, {"b_tags_min": 3}, {"pt_min": 30.0, "jets_min": 7}])
def test_cuts_choose_events(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"nothing passes the selection.*1 events left out"):
        ingested(tmp_path, settings(**change))
    assert not (tmp_path / "out.h5").exists()


def test_cuts_do_not_remove_jets_from_events(tmp_path: Path) -> None:
    clouds = ingested(tmp_path, settings(pt_min=45.0, jets_min=5))
    assert clouds.multiplicity[0] == 7


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ([0.9, 0.1, 0.8, 0.2, 0.3, 0.4, 0.5], r"is 0\.89\d* in event 0, expected a whole number"),
        ([-1, 1, 1, 0, 0, 0, 0], "is -1 for a jet: expected 0 or 1"),
    ],
)
def test_what_is_no_b_tag_is_refused(tmp_path: Path, tags: list[float], said: str) -> None:
    """Of a discriminant there had been no tags at all, and of -1, as for a jet without a tag, one."""
    with pytest.raises(InputError, match=rf"a\.root: branch 'Jet\.BTag' {said}"):
        ingested(tmp_path, settings(b_tags_min=0), JETS | {"BTag": tags})


def test_mothers_of_any_type_are_the_same(tmp_path: Path) -> None:
    """Programs that make tables of events write all columns as one type."""
    one, other = (ingested(tmp_path, settings(), M1=[kind(row) for row in M1]) for kind in (int, float))
    assert np.array_equal(one.labels, other.labels)
    with pytest.raises(InputError, match=r"a\.root: branch 'Particle\.M1' is 0.5 in event 0, expected a whole number"):
        ingested(tmp_path, settings(), M1=[-1.0, -1.0, 0.5, *map(float, M1[3:])])


def test_the_order_of_jets_in_the_file_does_not_matter(tmp_path: Path) -> None:
    order = [3, 0, 6, 5, 1, 4, 2]
    jets = {name: [values[at] for at in order] for name, values in JETS.items()}
    one, other = ingested(tmp_path, settings()), ingested(tmp_path, settings(), jets)
    assert np.array_equal(one.points, other.points)
    assert np.array_equal(one.labels, other.labels)


def test_events_without_tops_have_no_partons(tmp_path: Path) -> None:
    clouds = ingested(tmp_path, settings(partons="none"), PID=None)
    assert [int(clouds.label(name)[0]) for name in NAMES] == [-1] * 6


def test_a_file_without_tops_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As where the card left the tops out, or the generator wrote none: all events would be without a truth."""
    ingested(tmp_path, settings())
    assert "WARNING" not in capsys.readouterr().err
    clouds = ingested(tmp_path, settings(), PID=[21, 21, *PID[2:]])
    assert [int(clouds.label(name)[0]) for name in NAMES] == [-1] * 6
    said = "no event has a quark whose mother in 'Particle' is a top or its W: none of 1 accepted events has"
    assert said in capsys.readouterr().err


def test_a_file_without_particles_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.root: no branch 'Particle', which holds the partons"):
        ingested(tmp_path, settings(), PID=None)


def test_a_mother_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'Particle\.M1' points outside the particles of event 0"):
        ingested(tmp_path, settings(), M1=[99, *M1[1:]])


def test_two_tops_of_one_charge_leave_their_partons_out(tmp_path: Path) -> None:
    clouds = ingested(tmp_path, settings(), PID=[6, 6, 24, 5, 24, 5, 2, -1, 24, 3, -4, 5, 21])
    assert [int(clouds.label(name)[0]) for name in NAMES] == [-1] * 6


def test_real_delphes_files_are_read_alike(tmp_path: Path, delphes_samples: Path) -> None:
    """Ten top pairs after the CMS card, the whole record of Pythia among the particles."""
    source = delphes_samples / "public/skhep_uproot-issue513.root"
    ingest([source], settings(jets_min=2, b_tags_min=0), tmp_path / "out.h5")
    clouds = read_clouds(tmp_path / "out.h5")
    assert len(clouds) == 10
    targets = np.stack([clouds.label(name) for name in NAMES], axis=1)
    assert (targets[:, [0, 3]] >= 0).all()
    axes = np.stack([clouds.point("eta"), clouds.point("phi")], axis=2)
    with uproot.open(source) as file:
        particles = file["Delphes"].arrays(
            ["Particle.PID", "Particle.M1", "Particle.Eta", "Particle.Phi"], library="np"
        )
    for event in range(10):
        pid, mother, eta, phi = (particles[f"Particle.{leaf}"][event] for leaf in ("PID", "M1", "Eta", "Phi"))
        for row in np.flatnonzero(np.abs(pid) == 5):
            if mother[row] < 0 or abs(pid[mother[row]]) != 6:
                continue
            jet = targets[event, 0 if pid[row] > 0 else 3]
            if jet >= 0:
                turn = (phi[row] - axes[event, jet, 1] + np.pi) % (2 * np.pi) - np.pi
                assert np.hypot(eta[row] - axes[event, jet, 0], turn) < 0.4


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of top pairs with b-tags, without multi-parton interactions."""
    folder = tmp_path_factory.mktemp("tagged")
    process = PythiaProcess(
        title="top pairs",
        commands=("Top:gg2ttbar = on", "24:onMode = off", "24:onIfAny = 1 2 3 4 5", "PartonLevel:MPI = off"),
        pt_hat=(0.0, 6500.0),
        events=400,
        particles="hard",
        jet_radius=0.4,
        b_tags=True,
        towers=False,
    )
    simulate("top_pairs", process, 1, 0, folder / "0.root")
    return folder / "0.root"


def test_files_of_jets_have_no_towers(tagged: Path) -> None:
    with uproot.open(tagged) as file:
        names = file["Delphes"].keys()
    assert {name.partition(".")[0].removesuffix("_size") for name in names} == {"Event", "Particle", "Jet"}
    assert {"Jet.Flavor", "Jet.BTag"} <= set(names)


def test_tags_have_the_efficiency_of_the_card(tagged: Path) -> None:
    with uproot.open(tagged) as file:
        arrays = file["Delphes"].arrays(["Jet.PT", "Jet.Flavor", "Jet.BTag"], library="np")
    pt, flavour, tag = (np.concatenate(arrays[name]) for name in ("Jet.PT", "Jet.Flavor", "Jet.BTag"))
    assert set(np.unique(flavour)) == {0, 4, 5}
    for kind in (0, 4, 5):
        jets = flavour == kind
        # The formulas of delphes_card_ATLAS.tcl.
        expected = {
            5: 0.80 * np.tanh(0.003 * pt) * 30 / (1 + 0.086 * pt),
            4: 0.20 * np.tanh(0.02 * pt) / (1 + 0.0034 * pt),
            0: 0.002 + 7.3e-6 * pt,
        }[kind][jets]
        error = np.sqrt((expected * (1 - expected)).sum())
        assert abs(tag[jets].sum() - expected.sum()) < 4 * error
        assert jets.sum() > 100


def test_jets_near_b_quarks_have_their_flavour(tagged: Path) -> None:
    names = ["Jet.PT", "Jet.Eta", "Jet.Phi", "Jet.Flavor", "Particle.PID", "Particle.Status", "Particle.Eta"]
    with uproot.open(tagged) as file:
        arrays = file["Delphes"].arrays([*names, "Particle.Phi"], library="np")
    near = same = 0
    for event in range(len(arrays["Jet.PT"])):
        b = (np.abs(arrays["Particle.PID"][event]) == 5) & (arrays["Particle.Status"][event] == 23)
        for eta, phi in zip(arrays["Particle.Eta"][event][b], arrays["Particle.Phi"][event][b], strict=True):
            turn = (arrays["Jet.Phi"][event] - phi + np.pi) % (2 * np.pi) - np.pi
            close = np.hypot(arrays["Jet.Eta"][event] - eta, turn) < 0.3
            near += int(close.sum()) if abs(eta) < 2.4 else 0
            same += int((arrays["Jet.Flavor"][event][close] == 5).sum()) if abs(eta) < 2.4 else 0
    assert same > 0.99 * near > 100


def test_a_true_top_has_its_mass(tagged: Path, tmp_path: Path) -> None:
    """Reconstructed from the matched jets, W and top are where the events that come with SPANet have them."""
    ingest([tagged], settings(b_tags_min=0, jets_min=4), tmp_path / "out.h5")
    clouds = read_clouds(tmp_path / "out.h5")
    targets = np.stack([clouds.label(name) for name in NAMES], axis=1).reshape(-1, 2, 3)
    rows, tops = np.nonzero((targets >= 0).all(axis=2))
    jets = clouds.points[rows[:, None], targets[rows, tops]]
    pt, eta, phi, mass = np.moveaxis(jets[:, :, :4].astype(np.float64), 2, 0)
    momenta = np.stack(
        [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), np.hypot(pt * np.cosh(eta), mass)], axis=2
    )
    masses = []
    for chosen in (slice(1, 3), slice(0, 3)):
        total = momenta[:, chosen].sum(axis=1)
        masses.append(float(np.median(np.sqrt(total[:, 3] ** 2 - (total[:, :3] ** 2).sum(axis=1)))))
    # Theirs are 77.1 and 161.3 GeV with a width of 12 and 20 GeV.
    assert masses == [pytest.approx(77, abs=5), pytest.approx(161, abs=8)]
    assert ATLAS.jet_radius == 0.6
