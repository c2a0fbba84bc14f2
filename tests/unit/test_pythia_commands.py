"""Processes of Pythia: commands that are not understood, that other settings say, or that do not count."""

import re
import sys
from pathlib import Path

import pytest
from top_process import TOP, TOP_COMMANDS, top_process

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.settings.processes import ProcessSettings
from cloudchamber.simulation.collisions import collide


@pytest.mark.parametrize(
    "command",
    [
        "Top:gg2tbar = on",
        "Top:gg2ttbar = maybe",
        "Top:gg2ttbar",
        "PhaseSpace:mHatMin = heavy",
        "PhaseSpace:mHatMin = 1,000",
        "TimeShower:alphaSvalue = 0.12O",
        "TimeShower:alphaSorder = 1.9",
        "24:onMod = off",
        "24:onMode = of",
        "24:onIfAny = 1,2,3,4",
        "25:onIfMatch = 5 -5, 4 -4",
        "25:m0 = 125,7",
        "25:mayDecay = none",
    ],
)
def test_a_command_that_pythia_does_not_understand_is_named(command: str) -> None:
    with pytest.raises(SettingsError, match=f"^processes.top.commands: .*'{command}'"):
        next(collide("top", top_process(command), 1, 1, 1))


@pytest.mark.parametrize(
    "changes", [{"commands": ("Top:gg2ttbar = off",)}, {"pt_hat": (7000.0, 8000.0)}, {"energy": 5.0}]
)
def test_a_process_that_cannot_happen_is_refused(changes: dict) -> None:
    with pytest.raises(SettingsError, match=r"^processes.top: Pythia finds no process"):
        next(collide("top", top_process(**changes), 1, 1, 1))


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("Beams:eCM = 7000", "energy"),
        ("beams:ecm=14000.", "energy"),
        ("Beams:eA = 7000.", "energy"),
        ("Beams:pzB = -7000.", "energy"),
        ("PhaseSpace:pTHatMin 10", "pt_hat"),
        ("phasespace:pThatmax = 10", "pt_hat"),
        ("Random:seed = 99", "seed of the analysis"),
        ("Main:numberOfEvents = 100000", "events"),
        ("Main:subrun = 1", "a process of its own"),
        ("Beams:frameType = 4", "kind"),
        ("Beams:LHEF = a.lhe", "kind"),
    ],
)
def test_a_command_that_another_setting_says_is_refused(command: str, key: str) -> None:
    values = {**TOP.model_dump(), "commands": [*TOP_COMMANDS, command]}
    with pytest.raises(SettingsError, match=f"commands: '{command}' would not count, {key} says this"):
        parse(ProcessSettings, values)


@pytest.mark.parametrize(
    ("command", "key"),
    [("Beams:eCM = 7000", "energy"), ("Beams:LHEF = a.lhe", "kind"), ("PhaseSpace:pTHatMin = 1", "pt")],
)
def test_a_command_that_another_setting_of_decay_chains_says_is_refused(command: str, key: str) -> None:
    values = {"kind": "decay_chain", "title": "two", "prongs": "2", "events": 1, "commands": [command]}
    with pytest.raises(SettingsError, match=f"commands: '{command}' would not count, {key} says this"):
        parse(ProcessSettings, values)


@pytest.mark.parametrize(
    ("command", "second"),
    [
        ("HardQCD:all = on PartonLevel:MPI = off", "PartonLevel:MPI"),
        ("HardQCD:all on PartonLevel:MPI off", "PartonLevel:MPI"),
        ("HardQCD:all = on ! all of it\nPartonLevel:MPI = off", "PartonLevel:MPI"),
        ("SigmaProcess:alphaSvalue = 0.2;PartonLevel:MPI=off", "PartonLevel:MPI"),
        ("24:onMode = off 24:onIfAny = 1 2 3 4 5", "24:onIfAny"),
    ],
)
@pytest.mark.parametrize("kind", ["pythia", "decay_chain"])
def test_two_settings_in_one_command_are_refused(command: str, second: str, kind: str) -> None:
    """Pythia reads the first alone, without a word."""
    of_chains = {"kind": kind, "title": "two", "prongs": "2", "events": 1}
    values = {**(TOP.model_dump() if kind == "pythia" else of_chains), "commands": ["HardQCD:all = on", command]}
    with pytest.raises(SettingsError, match=f"commands: '{second}' in .* would not count: a command of its own"):
        parse(ProcessSettings, values)


def test_commands_beside_those_of_other_settings_count() -> None:
    commands = (
        *("HardQCD:all = on", "PhaseSpace:bias2Selection = on", "Beams:idB = -2212"),
        *("PDF:pSet = LHAPDF6:NNPDF31_nnlo_as_0118", "24:onIfAny = 1 2 3 4 5 ! as 24:onMode = on\n"),
        *("Merging:Process = {pp > t:a t}", "24:addChannel = 1 0.5 0 -1 2"),
    )
    assert parse(ProcessSettings, {**TOP.model_dump(), "commands": commands}).commands == commands


@pytest.mark.parametrize(
    "command", ["HiggsSM:gg2H = on", "SoftQCD:nonDiffractive = on", "HardQCD:qqbar2qqbargDiff = on"]
)
def test_a_window_that_pythia_does_not_apply_is_refused(command: str) -> None:
    """Without it 2 -> 1 events are at rest, though all that is written of them says that their pT is in the window."""
    with pytest.raises(SettingsError, match=r"^processes.top.pt_hat: the scattering of 5 of 5 events is outside"):
        next(collide("top", top_process(command, pt_hat=(500.0, 1000.0)), 1, 5, 5))
    assert next(collide("top", top_process(command, pt_hat=(0.0, 6500.0)), 1, 5, 5)).particles.n_events == 5


@pytest.mark.parametrize(
    ("command", "later"),
    [
        ("PartonLevel:MPI = off ! as in the note", "PartonLevel:mpi = on"),
        ("MultipartonInteractions:pT0Ref = 2.0", "Tune:pp = 21"),
        ("SpaceShower:alphaSorder = 2", "SpaceShower:alphaSorder = 1"),
        ("6:m0 = 172.5", "6:m0 = 175."),
        ("111:mayDecay = off", "111:mayDecay = on"),
        ("23:onIfAny = 11", "23:onMode = on"),
        ("PDF:pSet = 8", "Tune:pp = 21"),
        ("PDF:pSet = 8", "PDF:pset = 13"),
        ("Charmonium:states(3S1) = 443", "charmonium:states(3S1) = 100443"),
    ],
)
def test_a_command_that_a_later_one_makes_void_is_refused(command: str, later: str) -> None:
    said = re.escape(f"processes.top.commands: '{command}' does not count: a later one")
    with pytest.raises(SettingsError, match=f"^{said}"):
        next(collide("top", top_process(*TOP_COMMANDS, command, later), 1, 1, 1))


def test_a_tune_and_what_differs_from_it_count() -> None:
    commands = ("Tune:pp = 21", "MultipartonInteractions:pT0Ref = 2.", "Next:numberShowEvent = 3", "Print:quiet = yes")
    commands += ("PDF:pSet = 13", "Charmonium:states(3S1) = 443", "Charmonium:states(3S1) = 443")
    assert next(collide("top", top_process(*TOP_COMMANDS, *commands), 1, 1, 1)).particles.n_events == 1


@pytest.mark.parametrize(
    ("process", "command", "keeps"),
    [
        ("HiggsSM:gg2H = on", "25:mWidth = 10.", "25:doForceWidth = on"),
        ("HiggsSM:gg2H = on", "25:tau0 = 10.", "25:tauCalc = off"),
    ],
)
def test_a_property_that_pythia_computes_is_refused(process: str, command: str, keeps: str) -> None:
    """Of resonances it computes widths and lifetimes itself, without a word: that of the Higgs boson stayed 4 MeV."""
    anywhere = {"pt_hat": (0.0, 6500.0)}
    with pytest.raises(SettingsError, match=f"'{command}' does not count: Pythia sets another one; {keeps} keeps it"):
        next(collide("top", top_process(process, command, **anywhere), 1, 1, 1))
    assert next(collide("top", top_process(process, command, keeps, **anywhere), 1, 1, 1)).particles.n_events == 1


def test_branching_ratios_that_pythia_computes_are_refused() -> None:
    shares = [("0.9", "1 -1"), ("0.1", "11 -11")]
    for mode, counts in ((0, False), (100, True)):
        first, second = (f"1 {share} {mode} {products}" for share, products in shares)
        process = top_process(
            "WeakBosonAndParton:qqbar2gmZg = on", f"23:oneChannel = {first}", f"23:addChannel = {second}"
        )
        if counts:
            assert next(collide("top", process, 1, 1, 1)).particles.n_events == 1
        else:
            with pytest.raises(SettingsError, match=f"'23:oneChannel = {first}' does not count: Pythia computes"):
                next(collide("top", process, 1, 1, 1))


@pytest.mark.parametrize("command", ["1000006:m0 = 800.", "1000006:onMode = off", "1000006:tau0 = 100."])
def test_a_command_that_a_spectrum_makes_void_is_refused(command: str, tmp_path: Path) -> None:
    path = tmp_path / "model.slha"
    path.write_text(
        "BLOCK MODSEL\n 1 0\nBLOCK MASS\n 1000006 500.\n 1000022 100.\n"
        "DECAY 1000006 1.0\n 0.5 2 1000022 6\n 0.5 2 1000022 4\nDECAY 1000022 0.\n"
    )
    commands = ("SUSY:gg2squarkantisquark = on", command, "1000006:onIfAny = 6", f"SLHA:file = {path}")
    with pytest.raises(SettingsError, match=f"'{command}' does not count: .*SLHA:allowUserOverride = on keeps"):
        next(collide("top", top_process(*commands), 1, 1, 1))
    kept = top_process(*commands, "SLHA:allowUserOverride = on", "1000006:tauCalc = off", pt_hat=(10.0, 6500.0))
    assert next(collide("top", kept, 1, 1, 1)).particles.n_events == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("-24:onMode = off", "would not count: to Pythia, what begins with - is a comment"),
        ("*HardQCD:all = on", "would not count: to Pythia, what begins with . is a comment"),
        ("include = a.cmnd", "would count in part: its commands belong here, one by one"),
    ],
)
def test_a_command_of_which_pythia_takes_nothing_or_a_part_is_refused(command: str, why: str) -> None:
    values = {**TOP.model_dump(), "commands": [*TOP_COMMANDS, command]}
    with pytest.raises(SettingsError, match=why):
        parse(ProcessSettings, values)


def test_a_spectrum_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.slha"
    command = f"SLHA:file = {path}"
    with pytest.raises(SettingsError, match=f"^processes.top.commands: no file is where '{command}' says"):
        next(collide("top", top_process(*TOP_COMMANDS, command), 1, 1, 1))
    path.write_text("BLOCK MASS\n25 125.0\n")
    assert next(collide("top", top_process(*TOP_COMMANDS, command), 1, 1, 1)).particles.n_events == 1


def test_too_many_events_given_up_are_an_error() -> None:
    impossible = top_process(*TOP_COMMANDS, "Check:epTolErr = 1e-30")
    with pytest.raises(SettingsError, match=r"^processes.top: Pythia gave up \d+ of \d+ events"):
        list(collide("top", impossible, 1, 11, 11))


@pytest.mark.parametrize("seed", [0, 900_000_001])
def test_seeds_that_pythia_would_replace_are_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        next(collide("top", TOP, seed, 1, 1))


def test_without_pythia_what_is_needed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(InputError, match=r"^simulation needs the package 'pythia8mc': pip install 'cloudchamber\[sim"):
        next(collide("top", TOP, 5, 1, 1))
