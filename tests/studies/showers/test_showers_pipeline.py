"""The study through the real command at the scale "tiny", and what a change reruns."""

from pathlib import Path

import pandas as pd
import pytest
from project_copy import copy_project
from tiny_run import overlay, planned, snakemake

from cloudchamber.studies.showers.shower_file import open_showers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

METRICS = "results_tiny/showers/metrics.csv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("showers")
    copy_project(folder)
    snakemake(folder, METRICS)
    return folder


def test_the_study_ends_in_its_metrics(finished: Path) -> None:
    table = pd.read_csv(finished / METRICS)
    assert set(table["model"]) == {"truth", "allshowers", "few_steps", "marginals", "parametrised"}
    assert set(table["dataset"]) == {"photon", "pi_plus", "all"}
    folder = finished / "results_tiny/showers"
    with open_showers(folder / "showers.h5", ("train", "asked")) as showers:
        asked = len(showers.part("asked"))
    with open_showers(folder / "models/few_steps/seed1/two.h5") as made:
        assert len(made) == asked


def test_nothing_is_left_to_do_and_a_change_reruns_what_depends_on_it(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished, METRICS, "--dry-run")
    more = overlay(finished, "more.yaml", {"showers": {"evaluation": {"bootstraps": 5}}})
    jobs = planned(snakemake(finished, METRICS, "--dry-run", configs=more))
    assert set(jobs) - {"total"} == {"showers_evaluate"}
