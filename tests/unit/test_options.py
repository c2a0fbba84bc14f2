"""What the command line of the package says twice is refused, since only the last of it would count."""

from collections.abc import Sequence

import pytest
from commands import COMMANDS

from cloudchamber.cli import parser

_SETTINGS = ["ingest", "a.root", "--settings", "a.yaml", "--output", "a.h5"]
_MODEL = ["--model", "a.safetensors", "a.json"]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ([*_SETTINGS, "--settings", "b.yaml"], "--settings"),
        ([*_SETTINGS, "--settings=a.yaml"], "--settings"),
        ([*_SETTINGS, "--out", "b.h5"], "--output"),
        # The first is the default.
        ([*_SETTINGS, "--threads", "1", "--threads", "2"], "--threads"),
        (["simulate", "--shard", "0", "--shard", "1"], "--shard"),
        (["evaluate", "--files", "{}", "--files", "{}"], "--files"),
        (["log-posterior", "--classes", "a=a.h5", "--classes", "b=b.h5"], "--classes"),
        (["sample", *_MODEL, *_MODEL], "--model"),
        (["assignment", "collect", "--seed", "1", "--seed", "2"], "--seed"),
    ],
)
def test_an_option_that_stands_there_twice_is_refused(
    arguments: Sequence[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    assert f"argument {option}: stands there twice, and only the last would count" in capsys.readouterr().err


def test_what_may_stand_there_several_times_is_taken() -> None:
    options = COMMANDS["download"].parse_args(
        ["jetnet30_top", "--mirror", "a", "--mirror", "b", "--lock", "x", "--output", "t.hdf5"]
    )
    assert options.mirrors == ["a", "b"]


def test_every_option_with_values_is_refused_where_it_stands_twice() -> None:
    """All commands, of studies too: none adds an option beside the one place that refuses."""
    for name, command in COMMANDS.items():
        for action in command._actions:
            if action.option_strings and action.nargs != 0 and action.dest != "mirrors":
                assert type(action).__name__ in ("_Once", "_WeightsAndDescription"), (name, action.dest)
