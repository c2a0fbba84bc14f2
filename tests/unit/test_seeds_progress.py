"""Random streams that never change or coincide; progress that a log file can be read by."""

import io
import re
import sys
from typing import Any

import numpy as np
import pytest

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.progress import progress


def test_the_same_seed_and_keys_give_the_same_stream() -> None:
    first = seeds.generator(3, "simulate", "top", 0).normal(size=8)
    assert np.array_equal(first, seeds.generator(3, "simulate", "top", 0).normal(size=8))


def test_streams_do_not_change_from_one_version_to_the_next() -> None:
    # Written down once: other values would silently make all published results irreproducible.
    assert seeds.generator(1, "prepare").integers(0, 1000, 5).tolist() == [691, 52, 29, 622, 248]
    assert seeds.integer_seed(1, "sample", 0) == 2656471756727370381


@pytest.mark.parametrize("seed", [-1, None, 1.5, "1"])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(InputError, match=rf"^seed: {re.escape(repr(seed))}, expected a whole number from 0 on"):
        seeds.generator(seed)


def test_each_seed_and_key_gives_a_stream_of_its_own() -> None:
    keys: list[tuple[int, tuple[str | int, ...]]] = [
        (seed, (name, number)) for seed in range(5) for name in ("a", "b", "ab") for number in range(20)
    ]
    keys += [(0, ("a",)), (0, ("b", "a")), (0, ("a", "b")), (0, ())]
    drawn = {seeds.integer_seed(seed, *key) for seed, key in keys}
    assert len(drawn) == len(keys)


def test_streams_are_uncorrelated() -> None:
    samples = np.stack([seeds.generator(1, "shard", number).normal(size=4000) for number in range(20)])
    off_diagonal = np.corrcoef(samples)[np.triu_indices(20, 1)]
    # 190 correlations of deviation 1/sqrt(4000): five deviations is a probability of 1e-4 for the largest.
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(4000)


@pytest.mark.parametrize("bits", [1, 31, 63, 64])
def test_integer_seeds_fill_their_bits_and_no_more(bits: int) -> None:
    drawn = [seeds.integer_seed(number, "x", bits=bits) for number in range(200)]
    assert all(0 <= value < 2**bits for value in drawn)
    assert max(drawn).bit_length() == bits


def _lines(text: str) -> list[str]:
    assert text.endswith("\n")
    return text.splitlines()


def test_a_log_file_gets_lines_with_count_rate_and_rest(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("training", 40, "steps", every=0.0) as bar:
        bar.update(10)
        bar.note("loss 0.5")
        bar.update(10)
    first, second, last = _lines(capsys.readouterr().err)
    assert re.fullmatch(r"training: 10/40 \(25 %\) steps, [\d.]+/s, \d+ s, \d+ s left", first)
    assert re.fullmatch(r"training: 20/40 \(50 %\) steps, [\d.]+/s, \d+ s, \d+ s left, loss 0\.5", second)
    assert last == second or last.startswith("training: 20/40 (50 %)")


def test_lines_come_seconds_apart(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", None, "events", every=3600.0) as bar:
        for _ in range(1000):
            bar.update()
    (only,) = _lines(capsys.readouterr().err)
    assert re.fullmatch(r"reading: 1000 events, [\d.]+/s, \d+ s", only)


def test_a_resumed_step_counts_on_but_its_rate_is_of_now(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 110.0, 110.0, 110.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with progress("training", 1000, "steps", done=900, every=1e9) as bar:
        bar.update(50)
    (only,) = _lines(capsys.readouterr().err)
    assert only == "training: 950/1000 (95 %) steps, 5.0/s, 10 s, 10 s left"


def test_the_last_state_is_reported_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> None:
        with progress("training", 4, "steps") as bar:
            bar.update(3)
            raise KeyError("x")

    with pytest.raises(KeyError):
        failing()
    assert _lines(capsys.readouterr().err)[-1].startswith("training: 3/4 (75 %) steps")


def test_only_one_of_several_processes_reports(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("training", 4, "steps", every=0.0, shown=False) as bar:
        bar.note("loss 1")
        bar.update(4)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("sampling", 3, "jets", done=1) as bar:
        bar.note("fast")
        bar.update(2)
    assert "sampling" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()
    assert "fast" in terminal.getvalue()
    assert "\r" in terminal.getvalue()
