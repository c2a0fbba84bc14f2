"""The study through the real command at the scale "tiny", and what a change reruns."""

import json
from pathlib import Path

import pandas as pd
import pytest
from project_copy import copy_project
from tiny_run import overlay, planned, snakemake

from cloudchamber.cloud_file import read_clouds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

METRICS = "results_tiny/neutron_stars/metrics.csv"
# One of the models is enough to see that all parts fit.
ONE = {"neutron_stars": {"models": {"transformer_point": None, "likelihood_ratio": None}}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neutron_stars")
    copy_project(folder)
    snakemake(folder, METRICS, configs=overlay(folder, "one.yaml", ONE))
    return folder


def test_the_study_ends_in_its_metrics(finished: Path) -> None:
    table = pd.read_csv(finished / METRICS)
    assert set(table["model"]) == {"constant", "ridge", "exact", "transformer_density"}
    assert table["ceiling"].notna().all()
    folder = finished / "results_tiny/neutron_stars"
    curves, sets = (read_clouds(folder / name) for name in ("raw/curves.h5", "stars.h5"))
    assert len(sets) == 5 * len(curves)
    description = json.loads((folder / "models/transformer_density/seed1/model.json").read_text())
    assert description["settings"]["stars"]["numbers"] == [1, 3, 10]


def test_nothing_is_left_to_do_and_a_change_reruns_what_depends_on_it(finished: Path) -> None:
    configs = ("configs/tiny.yaml", "one.yaml")
    assert "Nothing to be done" in snakemake(finished, METRICS, "--dry-run", configs=configs)
    more = overlay(
        finished, "more.yaml", ONE | {"neutron_stars": ONE["neutron_stars"] | {"evaluation": {"bootstraps": 20}}}
    )
    jobs = planned(snakemake(finished, METRICS, "--dry-run", configs=more))
    assert set(jobs) - {"total"} == {"neutron_stars_references", "neutron_stars_evaluate"}
