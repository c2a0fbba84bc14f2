"""The study through the real command at the scale "tiny", and what a change of it reruns."""

from pathlib import Path

import h5py
import pandas as pd
import pytest
from assignment_files import published_events
from tiny_run import overlay, planned, rerun_after_an_edit, run_studies, screen_and_logs, snakemake

from cloudchamber.studies.assignment.event_file import read_events
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the study has run to its end, without published events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CLOUDCHAMBER_SPANET_EVENTS", raising=False)
        return run_studies(tmp_path_factory.mktemp("assignment"), ["assignment"])


def test_every_method_is_judged(finished: Path) -> None:
    table = pd.read_csv(finished / "results_tiny/assignment/metrics.csv")
    assert set(table["dataset"]) == {"own", "background", "events"}
    assert {"spatter", "chi_square_top_mass", "chi_square_equal_masses"} <= set(table["model"])
    assert {"event_efficiency", "eps_2_top", "eps_1_top", "event_purity"} <= set(table["metric"])


def test_its_events_are_those_that_spanet_reads(finished: Path) -> None:
    path = finished / "results_tiny/assignment/own/events.h5"
    events = read_events(path, ALL_HADRONIC_TOP_PAIR)
    assert events.found(ALL_HADRONIC_TOP_PAIR).any()
    with h5py.File(path, "r") as file:
        assert set(file) == {"INPUTS", "TARGETS", "PARTS", "META"}


def test_the_screen_has_two_lines_for_each_job_and_its_log_the_command(finished: Path) -> None:
    screen_and_logs(finished)


def test_editing_the_evaluation_trains_nothing(finished: Path) -> None:
    jobs = rerun_after_an_edit(finished, "studies/assignment/evaluate.py", "assignment")
    assert "assignment_evaluate" in jobs
    assert not jobs & {"assignment_train", "assignment_assign", "simulate"}


def test_editing_the_network_trains_again(finished: Path) -> None:
    jobs = rerun_after_an_edit(finished, "studies/assignment/network.py", "assignment")
    assert {"assignment_train", "assignment_assign"} <= jobs
    assert not jobs & {"simulate", "ingest", "assignment_collect"}


def test_published_events_are_trained_on_in_folds_where_they_are_given(finished: Path) -> None:
    path = published_events()
    if path is None:
        pytest.skip("the events that come with SPANet are not there (CLOUDCHAMBER_SPANET_EVENTS)")
    configs = overlay(finished, "published.yaml", {"assignment": {"published": {"file": str(path)}}})
    jobs = planned(snakemake(finished, "assignment", "--dry-run", configs=configs))
    assert jobs["assignment_train"] == 5
    assert jobs["assignment_collect"] == 1
