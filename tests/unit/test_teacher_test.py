"""The classifier of a flow map against its teacher: blind to a copy, sharp on another model, never on split pairs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prepared_jets import prepared_jets

from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.teacher_test import teacher_test
from cloudchamber.settings.metrics import TeacherTestSettings
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.training import TrainingSettings


def settings(pairs: int, steps: int = 100) -> TeacherTestSettings:
    return TeacherTestSettings(
        pairs=pairs,
        network=ParticleNetSettings(neighbours=3, blocks=((8, 8),), fusion=16, dense=16),
        training=TrainingSettings(
            steps=steps,
            batch_size=64,
            learning_rate=1e-2,
            ema_decay=0.9,
            validate_every=steps,
            save_every=steps,
            accelerator="cpu",
        ),
    )


def measured(folder: Path, student: str, pairs: int = 300) -> pd.Series:
    outputs = folder / f"{student}.csv", folder / "history.csv"
    teacher_test(folder / f"{student}.h5", folder / "teacher.h5", settings(pairs), 1, folder / student, *outputs)
    (row,) = pd.read_csv(outputs[0]).to_dict("records")
    return pd.Series(row)


def test_a_copy_has_chance_without_uncertainty_and_a_wrong_student_is_told_apart(tmp_path: Path) -> None:
    teacher = prepared_jets(jets=300, width=6, seed=1)
    rng = np.random.default_rng(2)
    students = {name: prepared_jets(jets=300, width=6, seed=1) for name in ("copy", "near", "wrong")}
    # An error of the size of the float, which pairs on both sides of the split would bring out and others do not.
    noise = rng.normal(0.0, 1e-4, teacher.points[:, :, :2].shape) * teacher.mask[:, :, None]
    students["near"].points[:, :, :2] += noise.astype(np.float32)
    students["wrong"].points[:, :, :2] *= 0.5
    for name, clouds in ({"teacher": teacher} | students).items():
        write_clouds(tmp_path / f"{name}.h5", clouds)
    copy, near, wrong = (measured(tmp_path, name) for name in students)
    assert (copy["metric"], copy["floor"], copy["n_reference"], copy["n_generated"]) == ("teacher_auc", 0.5, 100, 100)
    assert copy["value"] == pytest.approx(0.5, abs=1e-9)
    assert copy["uncertainty"] == pytest.approx(0.0, abs=1e-9)
    assert near["value"] == pytest.approx(0.5, abs=0.05)
    assert wrong["value"] > 0.8


def test_jets_that_were_not_asked_for_alike_are_refused_and_few_are_all_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, jets, seed in (("teacher", 60, 1), ("other", 60, 2), ("fewer", 50, 1)):
        write_clouds(tmp_path / f"{name}.h5", prepared_jets(jets=jets, width=6, seed=seed))
    for student in ("other", "fewer"):
        with pytest.raises(InputError, match=rf"{student}\.h5: not the jets of .*teacher\.h5"):
            measured(tmp_path, student, pairs=30)
    # As many particles, and another jet asked for.
    moved = prepared_jets(jets=60, width=6, seed=1)
    moved.features[0, 0] += 1.0
    write_clouds(tmp_path / "moved.h5", moved)
    with pytest.raises(InputError, match=r"moved\.h5: not the jets of .*teacher\.h5: what was asked for differs"):
        measured(tmp_path, "moved", pairs=30)
    write_clouds(tmp_path / "copy.h5", prepared_jets(jets=60, width=6, seed=1))
    assert measured(tmp_path, "copy", pairs=90)["n_reference"] == 20
    assert "teacher-test: 60 pairs and not 90: as many jets has" in capsys.readouterr().err
    for name in ("copy", "teacher"):
        write_clouds(tmp_path / f"{name}.h5", prepared_jets(jets=19, width=6, seed=1))
    with pytest.raises(InputError, match=r"copy\.h5: 19 jets, 20 or more are needed"):
        measured(tmp_path, "copy", pairs=90)
