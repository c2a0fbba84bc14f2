"""The study through the real command at the scale "tiny", beside a second study; and what a change of it reruns."""

import os
import re
import time
from pathlib import Path

import pandas as pd
import pytest
from browser import opened
from tiny_run import overlay, planned, rerun_after_an_edit, run, run_studies, screen_and_logs, snakemake

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

# Says where the summary and the drawing of all rules begin, in heights of the screen, and follows the link to the
# figures of the first study.
FIRST_SCREEN = """
const top = (name) => document.querySelector(name).getBoundingClientRect().top / window.innerHeight;
document.body.dataset.summary = top(".summary");
document.body.dataset.drawing = top("#rulegraph");
const results = document.querySelectorAll(".summary .headlines a");
document.body.dataset.results = results[results.length - 1].getBoundingClientRect().bottom / window.innerHeight;
results[results.length - 1].click();
document.body.dataset.followed = top("#summary_gating");
document.querySelector(".summary section .more a").click();
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the study and the smallest other one have run to their end."""
    return run_studies(tmp_path_factory.mktemp("tagging"), ["tagging", "gating"])


def test_metrics_hold_every_tagger(finished: Path) -> None:
    table = pd.read_csv(finished / "results_tiny/tagging/metrics.csv")
    assert {"mass_hl", "pfn", "transformer"} <= set(table["model"])
    rows = table[(table["metric"] == "accuracy") & table["feature"].isna()]
    assert set(rows["model"]) >= {"mass_hl", "pfn", "transformer"}
    assert rows[["value", "uncertainty", "floor"]].notna().all(axis=None)
    # Guessing among as many of each class.
    assert rows["floor"].unique() == pytest.approx([1 / 4])


def test_the_screen_has_two_lines_for_each_job_and_its_log_the_command(finished: Path) -> None:
    screen_and_logs(finished)


def test_the_report_opens_with_the_summary(finished: Path) -> None:
    snakemake(finished, "--report", "results_tiny/report.html")
    report = (finished / "results_tiny/report.html").read_text(encoding="utf-8")
    pictures = list(finished.glob("results_tiny/**/figures/*.png"))
    assert len(pictures) >= 12
    assert all(picture.name in report for picture in pictures)
    page = opened(finished / "results_tiny/report.html", FIRST_SCREEN)
    summary = pd.read_csv(finished / "results_tiny/summary.csv")
    assert list(summary["study"]) == ["tagging", "gating"]
    for row in summary.to_dict("records"):
        assert row["question"] in page.text
        assert row["answer"] in page.text.replace("\N{NO-BREAK SPACE}", " ")
    embedded = [image for image in page.tags["img"] if str(image["src"]).startswith("data:image/png")]
    assert [picture["alt"] for picture in embedded] == ["Tagging: accuracy", "Gating: capacity"]
    assert len(page.tags["table"]) == 2
    links = [str(link.get("href")) for link in page.tags["a"]]
    assert [link for link in links if link.startswith("#summary_")] == ["#summary_tagging", "#summary_gating"]
    (body,) = page.tags["body"]
    # The results of all studies can be read without scrolling, and lead to what they are about.
    assert float(str(body["data-results"])) < 0.5
    assert float(str(body["data-followed"])) < 0.5
    assert 0 <= float(str(body["data-summary"])) < 0.1
    assert float(str(body["data-drawing"])) > 1
    # The link opened the category of the study, which has these two.
    assert "FiguresTables" in page.text


def test_a_report_without_the_summary_can_be_made(finished: Path) -> None:
    snakemake(finished, "gating", "--report", "results_tiny/gating.html")
    report = (finished / "results_tiny/gating.html").read_text(encoding="utf-8")
    assert "How jets were made" in report
    assert "summary_gating" not in report


@pytest.mark.parametrize("target", ["all", "raw", "tagging", "gating", "figures"])
def test_a_second_run_has_nothing_to_do(finished: Path, target: str) -> None:
    assert "Nothing to be done" in snakemake(finished, target, "--dry-run")


def test_settings_of_one_tagger_rerun_its_branch_only(finished: Path) -> None:
    change = {"tagging": {"models": {"pfn": {"training": {"steps": 11}}}}}
    output = snakemake(finished, "tagging", "--dry-run", configs=overlay(finished, "change.yaml", change))
    jobs = planned(output)
    # One training with all jets, one with the part of the learning curve.
    assert jobs["train_tagger"] == jobs["predict_classes"] == 2
    assert jobs["export_tagger"] == jobs["tagger_cost"] == jobs["evaluate_taggers"] == 1
    assert "train the tagger pfn with all jets, seed 1" in output
    assert not {"simulate", "ingest", "combine_classes", "high_level", "tagging_relevance"} & set(jobs)


def test_editing_figure_code_reruns_figures_only(finished: Path) -> None:
    rules = rerun_after_an_edit(finished, "figures/style.py")
    # The summary holds some of them.
    assert {"draw_tagging_roc", "draw_gating_capacity", "summarise"} <= rules
    assert all(rule.startswith(("draw_", "tabulate_")) for rule in rules - {"summarise"}), rules


def test_editing_one_figure_redraws_it_alone(finished: Path) -> None:
    rules = rerun_after_an_edit(finished, "studies/tagging/figures/relevance.py")
    assert rules == {"draw_tagging_relevance"}


def test_a_tagger_on_several_nodes_is_started_there(finished: Path) -> None:
    configs = overlay(finished, "nodes.yaml", {"tagging": {"models": {"pfn": {"training": {"nodes": 2}}}}})
    target = "results_tiny/tagging/models/pfn/all/seed1/history.csv"
    output = snakemake(finished, target, "--dry-run", "--printshellcmds", configs=configs)
    assert "exec srun --nodes=2 --ntasks-per-node=1 --cpus-per-task=1 --kill-on-bad-exit python -m" in output


def test_an_input_from_a_clock_that_is_ahead_is_named(finished: Path) -> None:
    """Snakemake gives outputs the time of its own clock, so that one that is behind does no harm."""
    raw, table = finished / "results_tiny/raw/prong2/0.root", finished / "results_tiny/data.csv"
    before = raw.stat()
    table.unlink()
    ahead = time.time() + 3600
    os.utime(raw, (ahead, ahead))
    done = run(finished, "results_tiny/data.csv")
    os.utime(raw, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert done.returncode != 0
    assert re.search(r"than input results_tiny/raw/prong2/0\.root \(.*clock skew problem", done.stdout)
    assert not table.exists()
    snakemake(finished, "results_tiny/data.csv")
    assert table.exists()
