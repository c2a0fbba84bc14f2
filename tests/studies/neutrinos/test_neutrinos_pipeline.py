"""The study through the real command at the scale "tiny", and what a change of it reruns."""

from pathlib import Path

import pandas as pd
import pytest
from tiny_run import rerun_after_an_edit, run_studies, screen_and_logs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the study has run to its end."""
    pytest.importorskip("pythia8mc", reason="Pythia is not installed")
    return run_studies(tmp_path_factory.mktemp("neutrinos"), ["neutrinos"])


def test_every_classifier_is_judged_beside_the_ceiling(finished: Path) -> None:
    table = pd.read_csv(finished / "results_tiny/neutrinos/metrics.csv")
    assert set(table["model"]) == {"joint", "alone", "point_set", "high_level", "histogram", "ceiling"}
    assert table.loc[table["metric"] == "accuracy", "ceiling"].notna().all()


def test_the_screen_has_two_lines_for_each_job_and_its_log_the_command(finished: Path) -> None:
    screen_and_logs(finished)


def test_editing_the_evaluation_trains_nothing(finished: Path) -> None:
    jobs = rerun_after_an_edit(finished, "studies/neutrinos/evaluate.py", "neutrinos")
    assert "neutrinos_evaluate" in jobs
    assert not jobs & {"neutrinos_train", "neutrinos_simulate", "neutrinos_classify"}


def test_editing_a_network_trains_again(finished: Path) -> None:
    jobs = rerun_after_an_edit(finished, "studies/neutrinos/point_set.py", "neutrinos")
    assert {"neutrinos_train", "neutrinos_classify"} <= jobs
    assert not jobs & {"neutrinos_simulate", "neutrinos_ingest"}


def test_editing_the_detector_simulates_again(finished: Path) -> None:
    assert "neutrinos_simulate" in rerun_after_an_edit(finished, "studies/neutrinos/cascades.py", "neutrinos")
