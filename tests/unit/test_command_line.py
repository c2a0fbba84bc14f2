"""What the command line of Snakemake says twice is refused, since only the last of it would count."""

from collections.abc import Sequence

import pytest

from cloudchamber.errors import SettingsError
from cloudchamber.settings.command_line import refuse_twice


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
