"""The study through the real command at the scale "tiny", and what a change of it reruns."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from project_copy import REPOSITORY
from published import check_checksums, check_crate, validate_submissions
from tiny_run import TINY, overlay, planned, rerun_after_an_edit, run_studies, screen_and_logs, snakemake

from cloudchamber.jets.features import JET_FEATURES, PARTICLE_FEATURES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the study has run to its end."""
    return run_studies(tmp_path_factory.mktemp("jet_generation"), ["jet_generation"])


def test_metrics_hold_every_model_and_feature(finished: Path) -> None:
    table = pd.read_csv(finished / "results_tiny/jet_generation/metrics.csv")
    layers = [
        yaml.safe_load((finished / f"configs/jet_generation/{name}.yaml").read_text(encoding="utf-8"))
        for name in ("default", "tiny")
    ]
    settings = {name: model for layer in layers for name, model in layer["jet_generation"]["models"].items()}
    models = {name for name, model in settings.items() if model is not None}
    assert len(models) >= 6
    head = "study,dataset,model,sampler,nfe,seed,metric,feature,value,uncertainty,floor,n_reference,n_generated"
    assert ",".join(table.columns).startswith(head)
    assert set(table["model"]) == models | {"jet_flow"}
    table = table[table["model"] != "jet_flow"]
    features = {*JET_FEATURES, *PARTICLE_FEATURES}
    for metric in ("kl", "w1"):
        rows = table[table["metric"] == metric]
        assert set(rows["feature"]) == features
        assert rows[["value", "uncertainty", "floor"]].notna().all(axis=None)
    of_clouds = ("w1m", "w1p", "w1efp", "fpd", "kpd", "coverage", "mmd", "memorisation", "duplicates")
    of_posterior = ("nlp", "nlp_generated_only", "nlp_ideal", "c2st_auc")
    for metric in (*of_clouds, *of_posterior, "seconds_per_jet", "evaluations_per_jet"):
        assert set(table.loc[table["metric"] == metric, "model"]) == models


def test_the_screen_has_two_lines_for_each_job_and_its_log_the_command(finished: Path) -> None:
    screen_and_logs(finished)


def test_figures_and_report_are_there(finished: Path) -> None:
    pictures = list(finished.glob("results_tiny/**/figures/*.png"))
    assert len(pictures) >= 18
    assert all(picture.with_suffix(".pdf").stat().st_size > 1000 for picture in pictures)
    snakemake(finished, "--report", "results_tiny/report.html")
    report = (finished / "results_tiny/report.html").read_text(encoding="utf-8")
    assert all(picture.name in report for picture in pictures)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", report)


def test_the_results_are_published_whole(finished: Path) -> None:
    command = [sys.executable, "-m", "cloudchamber", "publish", "results_tiny", "--output", "published"]
    done = subprocess.run(command, cwd=finished, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    published = finished / "published"
    check_checksums(published)
    check_crate(published)
    copied = {path.name for path in published.glob("results/**/model_cards/*.md")}
    assert copied == {path.name for path in finished.glob("results_tiny/**/model_cards/*.md")}
    assert (published / "results/data.csv").is_file()
    validate_submissions(published)


@pytest.mark.parametrize("target", ["all", "raw", "jet_generation", "figures"])
def test_a_second_run_has_nothing_to_do(finished: Path, target: str) -> None:
    assert "Nothing to be done" in snakemake(finished, target, "--dry-run")


def test_settings_of_one_model_rerun_its_branch_only(finished: Path) -> None:
    change = {"jet_generation": {"models": {"epic_jedi": {"training": {"steps": 21}}}}}
    output = snakemake(finished, "--dry-run", configs=overlay(finished, "change.yaml", change))
    jobs = planned(output)
    assert jobs["train"] == jobs["sample"] == jobs["compare"] == jobs["observe"] == 1
    assert "train epic_jedi on top" in output
    assert not {"simulate", "ingest", "prepare", "sample_marginals"} & set(jobs)


def test_sampler_reruns_no_training(finished: Path) -> None:
    change = {"jet_generation": {"models": {"epic_fm": {"samplers": {"midpoint": {"evaluations": 6}}}}}}
    jobs = planned(snakemake(finished, "--dry-run", configs=overlay(finished, "change.yaml", change)))
    assert jobs["sample"] == 1
    assert "train" not in jobs


def test_a_sample_can_be_shared_by_jobs(finished: Path) -> None:
    change = {"results": "results_shards", "jet_generation": {"sampling_shards": 2}}
    configs = overlay(finished, "shards.yaml", change)
    output = snakemake(finished, "--dry-run", "--printshellcmds", configs=configs)
    jobs = planned(output)
    assert jobs["sample"] == 2 * jobs["gather_sample"]
    assert "--shard 2-of-2" in output


def test_editing_a_metric_compares_anew_and_trains_nothing(finished: Path) -> None:
    rules = rerun_after_an_edit(finished, "metrics/memorisation.py", "jet_generation")
    assert {"compare", "evaluate", "draw_jet_generation_jet_metrics"} <= rules
    assert not {"observe", "sample", "log_posterior"} & rules
    assert not [rule for rule in rules if rule.startswith("train")]


def test_the_jet_flow_on_several_nodes_is_started_there(finished: Path) -> None:
    configs = overlay(finished, "nodes.yaml", {"jet_generation": {"jet_level": {"training": {"nodes": 2}}}})
    target = "results_tiny/jet_generation/top/jet_level/seed1/history.csv"
    output = snakemake(finished, target, "--dry-run", "--printshellcmds", configs=configs)
    assert "exec srun --nodes=2 --ntasks-per-node=1 --cpus-per-task=1 --kill-on-bad-exit python -m" in output


def test_own_files_as_the_readme_says(finished: Path) -> None:
    example = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("```yaml")[1].split("```")[0]
    (finished / "my.yaml").write_text(example.replace("/data/run1/*.root", "results_tiny/raw/top/*.root"))
    output = snakemake(finished, "--dry-run", "--printshellcmds", configs=(*TINY, "my.yaml"))
    jobs = planned(output)
    assert jobs["ingest"] == jobs["prepare"] == 1
    assert "simulate" not in jobs
    assert "results_tiny/raw/top/0.root results_tiny/raw/top/1.root" in output


def test_kill_unlock_and_rerun(finished: Path) -> None:
    longer = {"results": "results_killed", "jet_generation": {"models": {"epic_fm": {"training": {"steps": 3000}}}}}
    configs = overlay(finished, "longer.yaml", longer)
    shutil.copytree(finished / "results_tiny/raw", finished / "results_killed/raw")
    target = "results_killed/jet_generation/top/models/epic_fm/seed1/history.csv"
    command = [sys.executable, "-m", "snakemake", target, "--cores", "2", "--configfile", *configs]
    process = subprocess.Popen(
        command, cwd=finished, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not list(finished.glob("state/results_killed/**/step_*.pt")):
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < deadline, "no state was saved"
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    snakemake(finished, "--unlock", configs=configs)
    snakemake(finished, target, configs=configs)
    history = pd.read_csv(finished / target)
    assert history["step"].iloc[-1] == 3000
    log = (finished / "logs/results_killed/train/jet_generation/top/models/epic_fm/seed1.log").read_text()
    assert "3000/3000" in log
