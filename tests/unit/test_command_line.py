"""What the command line of Snakemake says twice is refused, since only the last of it would count."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.profiles import profiles
from cloudchamber.settings.command_line import overridden_profiles, refuse_twice


@pytest.mark.parametrize(
    ("entries", "key"),
    [
        (["tagging={seeds: [1], threads: 2, seeds: [2]}"], "seeds"),
        (['tagging={"seeds": [1], "seeds": [2]}'], "seeds"),
        (["'tagging={sample: {flat: true, flat: false}}'".strip("'")], "flat"),
        (["tagging='{threads: 1, threads: 2}'"], "threads"),
        (["datasets={a: [{b: 1}, {c: 1, c: 2}]}"], "c"),
        (["tagging={threads: 1}", "scale=tiny", "tagging={seeds: [2]}"], "tagging"),
    ],
)
def test_a_key_twice_behind_config_is_refused(entries: Sequence[str], key: str) -> None:
    with pytest.raises(SettingsError, match=f"^--config: key '{key}' stands there twice$"):
        refuse_twice(["snakemake", "--config", *entries], entries)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        ["scale=tiny", "results=my results: two", "studies=[gating]"],
        # The same key of two mappings; texts that are no YAML.
        ["processes={top: {events: 1}, qcd: {events: 1}}", "results={a", "x=", "y=a: b: c", "z=*"],
    ],
)
def test_what_stands_there_once_is_taken(entries: Sequence[str]) -> None:
    refuse_twice(["snakemake", "--cores", "1", "--config", *entries, "--configfile", "a.yaml", "b.yaml"], entries)


@pytest.mark.parametrize("others", [["-sCopy/Snakefile"], ["-d", "C"], ["-dC"], ["-c1", "-RC"], ["-n", "-p"]])
def test_other_options_are_not_taken_for_a_second_one(others: Sequence[str]) -> None:
    refuse_twice(["snakemake", *others, "-Cseed=2"], ["seed=2"])


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--config", "seed=2", "--cores", "1", "--config", "scale=tiny"], "--config"),
        (["-C", "seed=2", "--config=scale=tiny"], "--config"),
        (["-Cseed=2", "-Cscale=tiny"], "--config"),
        (["-npC", "seed=2", "--config", "scale=tiny"], "--config"),
        (["--configfile", "a.yaml", "--configfile", "b.yaml"], "--configfile"),
        (["--configfile=a.yaml", "--configfiles", "b.yaml"], "--configfile"),
    ],
)
def test_options_that_would_take_the_place_of_each_other_are_refused(arguments: Sequence[str], option: str) -> None:
    with pytest.raises(SettingsError, match=f"^{option} stands there twice, and only the last would count"):
        refuse_twice(["snakemake", *arguments], ())


def test_settings_of_a_profile_that_do_not_count_are_said(tmp_path: Path) -> None:
    general, own, template = (tmp_path / f"{name}.yaml" for name in ("general", "own", "template"))
    general.write_text("cores: 2\nconfig: [seed=7]\n", encoding="utf-8")
    own.write_text("configfile: mine.yaml\nconfig: {scale: tiny}\n", encoding="utf-8")
    template.write_text("?if True:\n  - cores: {\n", encoding="utf-8")
    read = [general, template, own]
    of_general = f"config of {general}: that of {own} alone counts"
    assert overridden_profiles(["snakemake", "--cores", "1"], read) == [of_general]
    assert overridden_profiles(["snakemake"], [template, own]) == []
    assert overridden_profiles(["snakemake", "-npCseed=3", "--configfile=a.yaml"], read) == [
        f"config of {general}: that of the command line alone counts",
        f"config of {own}: that of the command line alone counts",
        f"configfile of {own}: that of the command line alone counts",
    ]


def test_profiles_are_those_that_snakemake_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    for name in ("general", "profiles/default"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.yaml").write_text("config: [seed=7]\n", encoding="utf-8")
    (tmp_path / "Snakefile").touch()
    both = ["general/config.yaml", "profiles/default/config.yaml"]
    assert profiles(["--profile", "general", "--cores", "1"]) == both
    assert profiles(["--workflow-profile", "none"]) == []
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "general")
    assert profiles(["all"]) == both
    assert profiles(["--profile", "elsewhere"]) == []
