"""The files of one training under two seeds."""

from pathlib import Path
from typing import Any

import pytest

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.generative.gather import gather
from cloudchamber.metrics.trainings_apart import refuse_one_training


def test_one_sample_under_two_seeds_is_refused(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2"), ("copy", "1")):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    listed = [
        {"name": "x", "sampler": "s", "seed": seed, "path": str(tmp_path / f"{name}.csv")}
        for seed, name in enumerate(("a", "b", "copy"))
    ]
    refuse_one_training(listed[:2], "path")
    with pytest.raises(InputError, match=r"copy\.csv: what is listed for another training of 'x' is that of .*a\.csv"):
        refuse_one_training(listed, "path", ("name", "sampler"))
    # Another model may have the same numbers.
    refuse_one_training([*listed[:2], {**listed[2], "sampler": "t"}], "path", ("name", "sampler"))
    with pytest.raises(InputError, match=r"c\.csv: cannot be read"):
        refuse_one_training([{**listed[0], "path": str(tmp_path / "c.csv")}], "path")


@pytest.mark.parametrize(
    ("seed", "fault"),
    [
        (1, "'x' with seed 1 stands there twice"),
        *((wrong, f"seed of 'x': expected a whole number, not {wrong!r}") for wrong in ("2", 1.0, True, None)),
    ],
)
def test_seeds_that_tell_nothing_apart_are_refused(seed: Any, fault: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    first, second = ({"name": "x", "part": name, "path": str(tmp_path / name)} for name in ("a", "b"))
    with pytest.raises(SettingsError, match=f"^--files: {fault}$"):
        refuse_one_training([{**first, "seed": 1}, {**second, "seed": seed}], "path")
    # Pieces of one training have its seed.
    if seed == 1:
        refuse_one_training([{**first, "seed": 1}, {**second, "seed": 1}], "path", pieces="part")


def test_one_comparison_under_two_seeds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("metric\n", encoding="utf-8")
    entry = {"dataset": "d", "name": "x", "sampler": "s", "clouds": "a.h5", "comparison": str(tmp_path / "a.csv")}
    files = {"samples": [{**entry, "seed": seed} for seed in (1, 2)], "posteriors": [], "teacher_tests": [], "jets": []}
    with pytest.raises(InputError, match="what is listed for another training of 'x'"):
        gather("jet_generation", files, tmp_path / "out.csv")
