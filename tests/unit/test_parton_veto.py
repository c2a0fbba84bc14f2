"""Events given up at the level of partons: which they are, what is left unchanged, what they cost, how they count."""

from pathlib import Path

import numpy as np
import pytest
import uproot
from scipy.stats import ks_2samp

from cloudchamber.errors import SettingsError
from cloudchamber.preparation.clustering import cluster, four_vector_sums
from cloudchamber.settings.base import load, parse
from cloudchamber.settings.processes import ProcessSettings, PythiaProcess
from cloudchamber.simulation.collisions import Collisions, collide
from cloudchamber.simulation.detector import detect
from cloudchamber.simulation.generators import generator
from cloudchamber.simulation.parton_veto import PartonVeto, commands
from cloudchamber.simulation.simulate import simulate

QUICK = ("PartonLevel:MPI = off", "HadronLevel:all = off")
# A test that is right fails by chance with this probability.
P_VALUE = 1e-4
KEEP = {"pt": (970.0, 1400.0), "mass": (240.0, 950.0), "eta_max": 2.2}


def process(**changes) -> PythiaProcess:
    values = {"title": "QCD", "commands": ("HardQCD:all = on", *QUICK), "pt_hat": (1000, 1300), "events": 200}
    return parse(ProcessSettings, values | changes)


def sums(batches: list[Collisions]) -> tuple[np.ndarray, np.ndarray]:
    """Scalar sum of pT and number of the stable particles of each event."""
    parts = [(batch.particles[batch.particles.status == 1], batch.particles.n_events) for batch in batches]
    pt = np.concatenate([np.bincount(of.event, of.pt, minlength=n) for of, n in parts])
    return pt, np.concatenate([of.counts for of, _ in parts])


def momenta(*jets: tuple[float, float, float]) -> list[tuple[float, float, float, float]]:
    return [(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)) for pt, eta, phi in jets]


@pytest.mark.parametrize(
    ("partons", "kept"),
    [
        # The mass of two massless partons: sqrt(2 pT1 pT2 (cosh(deta) - cos(dphi))).
        (momenta((600, 0.0, 0.0), (500, 0.0, 0.9), (1100, 0.0, 3.6)), True),
        (momenta((1100, 0.0, 0.0), (1100, 0.0, 3.1)), False),
        (momenta((500, 0.0, 0.0), (400, 0.0, 0.9), (900, 0.0, 3.6)), False),
        (momenta((600, 2.5, 0.0), (500, 2.5, 0.9), (1100, 0.0, 3.6)), False),
        # A jet for the largest of the radii alone.
        (momenta((900, 0.0, 0.0), (200, 0.0, 1.25), (1100, 0.0, 3.6)), True),
        (momenta((900, 0.0, 0.0), (200, 0.0, 1.35), (1100, 0.0, 3.6)), False),
    ],
)
def test_jets_of_partons_decide(partons: list, kept: bool) -> None:
    assert PartonVeto(process(keep=KEEP).keep).gives_up(partons) != kept


def test_without_windows_that_give_up_an_event_all_are_what_they_were() -> None:
    """The veto itself draws no random number: an event that passes it is the one that there would have been."""
    plain = list(collide("x", process(), 3, 60, 25))
    passed = list(collide("x", process(keep={"pt": (1.0, 13000.0), "eta_max": 20.0}), 3, 60, 25))
    for one, other in zip(plain, passed, strict=True):
        np.testing.assert_array_equal(one.particles.px, other.particles.px)
        assert one.generated == other.generated == one.particles.n_events
        assert one.cross_section == other.cross_section


def test_what_is_kept_has_the_distributions_of_the_same_events_among_all() -> None:
    """Events that would be given up are known where they are simulated to the end: the others are what is kept."""
    seen = []

    class Recording(PartonVeto):
        def gives_up(self, momenta):
            seen.append(super().gives_up(momenta))
            return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudchamber.simulation.generators.PartonVeto", Recording)
        whole = list(collide("x", process(keep=KEEP), 5, 300, 250))
    kept = list(collide("x", process(keep=KEEP), 6, 400, 250))
    passing = ~np.array(seen)
    assert len(passing) == 300
    pt, number = sums(whole)
    kept_pt, kept_number = sums(kept)
    share, other = passing.mean(), len(kept_pt) / 400
    assert abs(share - other) < 4 * np.sqrt(share * (1 - share) * (1 / 300 + 1 / 400))
    assert 0.3 < share < 0.7
    assert ks_2samp(pt[passing], kept_pt).pvalue > P_VALUE
    assert ks_2samp(number[passing], kept_number).pvalue > P_VALUE
    # The events that are given up are others: the test would see it if the wrong ones were kept.
    assert ks_2samp(number[~passing], kept_number).pvalue < P_VALUE


def accepted(batch: Collisions) -> np.ndarray:
    """Event of each jet of towers that the tagging study accepts."""
    towers = detect(batch.particles, np.random.default_rng(1))
    offsets = np.append(0, np.cumsum(np.bincount(towers.event, minlength=batch.particles.n_events)))
    columns = [values.astype(np.float64) for values in (towers.et, towers.eta, towers.phi)]
    jets = cluster(*columns, offsets, algorithm="anti-kt", radius=1.2, pt_min=1000)
    sums = four_vector_sums(*(values[jets.members] for values in columns), jets.offsets)
    inside = (sums.pt <= 1200) & (sums.mass >= 300) & (sums.mass <= 700) & (np.abs(sums.eta) <= 2.0)
    return jets.event[inside]


def test_few_jets_of_towers_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of 5 % is the bound; of some fifty jets that is up to seven in all but one case in a hundred."""
    seen = []

    class Recording(PartonVeto):
        def gives_up(self, momenta):
            seen.append(super().gives_up(momenta))
            return False

    monkeypatch.setattr("cloudchamber.simulation.generators.PartonVeto", Recording)
    (batch,) = collide("x", process(commands=("HardQCD:all = on",), keep=KEEP), 11, 250, 250)
    given_up = np.array(seen)
    assert len(given_up) == 250
    jets = accepted(batch)
    assert len(jets) > 25
    assert given_up[jets].sum() <= 7
    assert given_up.mean() > 0.35


def test_cross_section_is_that_of_the_events_that_are_left() -> None:
    whole, kept = (list(collide("x", process(keep=keep), 3, 200, 250)) for keep in (None, KEEP))
    left = sum(batch.particles.n_events for batch in kept)
    assert sum(batch.generated for batch in kept) <= 200
    assert kept[-1].cross_section == pytest.approx(whole[-1].cross_section * left / 200, rel=0.1)


def test_an_event_that_is_given_up_has_no_hadrons_yet() -> None:
    """Most of the work of an event comes after that; how much it saves is a row of the benchmarks."""
    commands = ("HardQCD:all = on",)
    particles = {}
    for name, keep in {"given up": {"pt": (6000.0, 6400.0)}, "kept": {"pt": (1.0, 13000.0), "eta_max": 20.0}}.items():
        with generator("x", process(commands=commands, keep=keep), 3, 20) as made:
            assert [made.pythia.next() for _ in range(20)] == [name == "kept"] * 20
            event = made.pythia.event
            assert any(event[place].isHadron() for place in range(1, event.size()) if event[place].isFinal()) == (
                name == "kept"
            )
            particles[name] = event.size()
            assert made.vetoed == (0 if name == "kept" else 20)
    assert particles["given up"] < 0.2 * particles["kept"]


def test_files_say_how_many_were_given_up(tmp_path: Path) -> None:
    settings = process(keep=KEEP, events=40, shards=2, particles="hard")
    simulate("x", settings, 1, 1, tmp_path / "a.root")
    simulate("x", process(events=4), 1, 0, tmp_path / "all.root")
    file = uproot.open(tmp_path / "a.root")
    counts = file["Generation"].arrays(library="np")
    numbers = file["Delphes"]["Event.Number"].array(library="np")
    assert counts["Generated"].tolist() == [20]
    assert counts["Vetoed"].tolist() == [20 - len(numbers)]
    assert 0 < len(numbers) < 20
    assert [int(number[0]) for number in numbers] == list(range(20, 20 + len(numbers)))
    assert "Generation" not in uproot.open(tmp_path / "all.root")


def test_files_without_generated_jets(tmp_path: Path) -> None:
    simulate("x", process(events=4, generated_jets=False), 1, 0, tmp_path / "a.root")
    simulate("x", process(events=4), 1, 0, tmp_path / "b.root")
    without, whole = (uproot.open(tmp_path / name)["Delphes"] for name in ("a.root", "b.root"))
    assert {name.partition(".")[0].partition("_")[0] for name in set(whole.keys()) - set(without.keys())} == {"GenJet"}
    assert set(without.keys()) < set(whole.keys())
    for leaf in ("Tower.ET", "Jet.PT"):
        np.testing.assert_array_equal(
            np.concatenate(without[leaf].array(library="np")), np.concatenate(whole[leaf].array(library="np"))
        )


def test_nothing_changes_for_processes_that_keep_all_events() -> None:
    assert commands(None) == []
    assert "keep" not in process().physics
    assert process(keep=KEEP).physics["keep"]["mass"] == [240.0, 950.0]
    assert load(ProcessSettings, process(keep=KEEP).model_dump_json()) == process(keep=KEEP)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({}, r"keep\.pt: Field required"),
        ({"pt": (2.0, 1.0)}, r"keep\.pt: .*below the upper"),
        ({"pt": (1.0, 2.0), "radii": ()}, r"keep\.radii: "),
        ({"pt": (1.0, 2.0), "mass_min": 3}, r"keep\.mass_min: no such key"),
    ],
)
def test_a_fault_in_the_settings_is_one_line(keep: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        process(keep=keep)
