"""The whole pipeline on configs/tiny.yaml, through the real command, and what a change reruns."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import yaml
from browser import opened
from project_copy import REPOSITORY, copy_project

from cloudchamber.jets.features import JET_FEATURES, PARTICLE_FEATURES

SCALES = ("default", "tiny")
NODES = {"training": {"nodes": 2}}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def snakemake(folder: Path, *options: str, configs: Sequence[str] = ("configs/tiny.yaml",)) -> str:
    """Run Snakemake in ``folder`` and return what it printed; fail where it fails."""
    done = run(folder, *options, configs=configs)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def run(
    folder: Path, *options: str, configs: Sequence[str] = ("configs/tiny.yaml",)
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *options, "--cores", "2", "--configfile", *configs]
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=1200
    )


def planned(output: str) -> dict[str, int]:
    """Return how many jobs of each rule a dry run plans."""
    table = output[output.index("Job stats:") :].splitlines()[3:]
    rows = [line.split() for line in table[: table.index("")]]
    return {rule: int(count) for rule, count in rows}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the tiny analysis has run to its end; what it printed is in the file "screen"."""
    folder = copy_project(tmp_path_factory.mktemp("analysis"))
    (folder / "screen").write_text(snakemake(folder), encoding="utf-8")
    return folder


def overlay(folder: Path, name: str, content: dict[str, object]) -> str:
    (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return name


def test_metrics_hold_every_model_and_feature(finished: Path) -> None:
    table = pd.read_csv(finished / "results_tiny/jet_generation/metrics.csv")
    layers = (yaml.safe_load((finished / f"configs/jet_generation/{name}.yaml").read_text()) for name in SCALES)
    models = {model for layer in layers for model in layer["jet_generation"]["models"]}
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
    screen = (finished / "screen").read_text(encoding="utf-8")
    jobs = re.findall(r"^\[[\d:]{8}\] +(\d+) of (\d+) left.* (start|done) +\w", screen, re.MULTILINE)
    total = int(jobs[0][1])
    assert [int(left) for left, _, verb in jobs if verb == "done"] == list(range(total - 1, -1, -1))
    assert len(jobs) == 2 * total
    assert len(screen.splitlines()) <= len(jobs) + 10
    logs = list((finished / "logs/results_tiny").rglob("*.log"))
    assert len(logs) > total / 2
    for log in logs:
        first, *others = log.read_text(encoding="utf-8").splitlines()
        assert re.match(rf"PYTHONPATH={finished}/src {Path(sys.executable).parent}/\S+ -m cloudchamber ", first), log
        assert not [line for line in others if "-m cloudchamber" in line], log


def test_figures_and_report_are_there(finished: Path) -> None:
    pictures = list(finished.glob("results_tiny/**/figures/*.png"))
    assert len(pictures) >= 30
    assert all(picture.with_suffix(".pdf").stat().st_size > 1000 for picture in pictures)
    snakemake(finished, "--report", "results_tiny/report.html")
    report = (finished / "results_tiny/report.html").read_text(encoding="utf-8")
    assert all(picture.name in report for picture in pictures)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", report)


# Says where the summary and the drawing of all rules begin, in heights of the screen, and follows the link to the
# figures of the first study.
_FIRST_SCREEN = """
const top = (name) => document.querySelector(name).getBoundingClientRect().top / window.innerHeight;
document.body.dataset.summary = top(".summary");
document.body.dataset.drawing = top("#rulegraph");
document.querySelector(".summary section .more a").click();
"""


def test_the_report_opens_with_the_summary(finished: Path) -> None:
    snakemake(finished, "--report", "results_tiny/report.html")
    page = opened(finished / "results_tiny/report.html", _FIRST_SCREEN)
    summary = pd.read_csv(finished / "results_tiny/summary.csv")
    assert list(summary["study"]) == ["jet_generation", "tagging", "gating"]
    for row in summary.to_dict("records"):
        assert row["question"] in page.text
        assert row["answer"] in page.text.replace("\N{NO-BREAK SPACE}", " ")
    pictures = [image for image in page.tags["img"] if str(image["src"]).startswith("data:image/png")]
    assert [picture["alt"] for picture in pictures] == [
        "Jet generation: substructure",
        "Tagging: accuracy",
        "Gating: capacity",
    ]
    assert len(page.tags["table"]) == 3
    (body,) = page.tags["body"]
    assert 0 <= float(str(body["data-summary"])) < 0.1
    assert float(str(body["data-drawing"])) > 1
    # The link opened the category of the study, which has these two.
    assert "FiguresTables" in page.text


def test_a_report_without_the_summary_can_be_made(finished: Path) -> None:
    snakemake(finished, "gating", "--report", "results_tiny/gating.html")
    report = (finished / "results_tiny/gating.html").read_text(encoding="utf-8")
    assert "How jets were made" in report
    assert "summary_gating" not in report


def test_second_run_has_nothing_to_do(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished)


def test_settings_of_one_model_rerun_its_branch_only(finished: Path) -> None:
    change = {"jet_generation": {"models": {"epic_jedi": {"training": {"steps": 21}}}}}
    name = overlay(finished, "change.yaml", change)
    output = snakemake(finished, "--dry-run", configs=("configs/tiny.yaml", name))
    jobs = planned(output)
    assert jobs["train"] == jobs["sample"] == jobs["compare"] == jobs["observe"] == 1
    assert "train epic_jedi on top" in output
    assert not {"simulate", "ingest", "prepare", "sample_marginals"} & set(jobs)


def test_settings_of_one_tagger_rerun_its_branch_only(finished: Path) -> None:
    name = overlay(finished, "change.yaml", {"tagging": {"models": {"pfn": {"training": {"steps": 11}}}}})
    output = snakemake(finished, "tagging", "--dry-run", configs=("configs/tiny.yaml", name))
    jobs = planned(output)
    # One training with all jets, one with the part of the learning curve.
    assert jobs["train_tagger"] == jobs["predict_classes"] == 2
    assert jobs["export_tagger"] == jobs["tagger_cost"] == jobs["evaluate_taggers"] == 1
    assert "train the tagger pfn with all jets, seed 1" in output
    assert not {"simulate", "ingest", "combine_classes", "high_level", "train", "tagging_relevance"} & set(jobs)


def test_sampler_reruns_no_training(finished: Path) -> None:
    change = {"jet_generation": {"models": {"epic_fm": {"samplers": {"midpoint": {"evaluations": 6}}}}}}
    name = overlay(finished, "change.yaml", change)
    jobs = planned(snakemake(finished, "--dry-run", configs=("configs/tiny.yaml", name)))
    assert jobs["sample"] == 1
    assert "train" not in jobs


def test_a_sample_can_be_shared_by_jobs(finished: Path) -> None:
    name = overlay(finished, "shards.yaml", {"results": "results_shards", "jet_generation": {"sampling_shards": 2}})
    output = snakemake(finished, "--dry-run", "--printshellcmds", configs=("configs/tiny.yaml", name))
    jobs = planned(output)
    assert jobs["sample"] == 2 * jobs["gather_sample"]
    assert "--shard 2-of-2" in output


def rerun_after_an_edit(folder: Path, module: str, *targets: str) -> set[str]:
    """Return the rules that a dry run plans after an edit of a module."""
    source = folder / "src/cloudchamber" / module
    before = source.read_text(encoding="utf-8")
    source.write_text(before + "\n# edited\n", encoding="utf-8")
    try:
        jobs = planned(snakemake(folder, *targets, "--dry-run"))
    finally:
        source.write_text(before, encoding="utf-8")
    return set(jobs) - {"all", "total", *targets}


def test_editing_figure_code_reruns_figures_only(finished: Path) -> None:
    rules = rerun_after_an_edit(finished, "figures/style.py")
    assert rules
    # The summary holds some of them.
    assert all(rule.startswith(("draw_", "tabulate_")) for rule in rules - {"summarise"}), rules


def test_editing_one_figure_redraws_it_alone(finished: Path) -> None:
    rules = rerun_after_an_edit(finished, "studies/tagging/figures/relevance.py")
    assert rules == {"draw_tagging_relevance"}


def test_editing_a_metric_compares_anew_and_trains_nothing(finished: Path) -> None:
    rules = rerun_after_an_edit(finished, "metrics/memorisation.py", "jet_generation")
    assert {"compare", "evaluate", "draw_jet_generation_jet_metrics"} <= rules
    assert not {"observe", "sample", "log_posterior", "combine_classes"} & rules
    assert not [rule for rule in rules if rule.startswith("train")]


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"tagging": {"models": {"pfn": NODES}}}, "tagging/models/pfn/all/seed1/history.csv"),
        ({"jet_generation": {"jet_level": NODES}}, "jet_generation/top/jet_level/seed1/history.csv"),
    ],
)
def test_every_training_on_several_nodes_is_started_there(
    finished: Path, change: dict[str, object], target: str
) -> None:
    name = overlay(finished, "nodes.yaml", change)
    options = (f"results_tiny/{target}", "--dry-run", "--printshellcmds")
    output = snakemake(finished, *options, configs=("configs/tiny.yaml", name))
    assert "exec srun --nodes=2 --ntasks-per-node=1 --cpus-per-task=1 --kill-on-bad-exit python -m" in output


def test_a_study_can_be_left_out(finished: Path) -> None:
    name = overlay(finished, "one.yaml", {"studies": ["gating"], "results": "results_one"})
    jobs = planned(snakemake(finished, "--dry-run", configs=("configs/tiny.yaml", name)))
    assert jobs["gating_count"] == 1
    assert not {"simulate", "ingest", "train", "train_tagger", "draw_detector_response"} & set(jobs)


def test_an_overlay_of_before_leaves_a_study_out_by_null(finished: Path) -> None:
    name = overlay(finished, "before.yaml", {"tagging": None, "gating": None, "results": "results_before"})
    jobs = planned(snakemake(finished, "--dry-run", configs=("configs/tiny.yaml", name)))
    assert "train" in jobs
    assert not {"train_tagger", "combine_classes", "gating_count"} & set(jobs)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"jet_generation": {"model": {}}}, "jet_generation.model"),
        ({"datasets": {"top": {"ingestion": {"max_particels": 3}}}}, "datasets.top.ingestion.max_particels"),
        ({"jet_generation": {"generated": -1}}, "jet_generation.generated"),
        ({"jet_generation": {"datasets": ["tpo"]}}, "tpo"),
        # Statistics of batches would be those of the share of each process.
        ({"jet_generation": {"log_posterior": NODES}}, "batch normalisation is trained by one process"),
    ],
)
def test_a_wrong_key_gives_one_line(finished: Path, change: dict[str, object], key: str) -> None:
    name = overlay(finished, "wrong.yaml", change)
    done = run(finished, "--dry-run", configs=("configs/tiny.yaml", name))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert sum(key in line for line in done.stdout.splitlines()) == 1, done.stdout


@pytest.mark.parametrize("target", ["all", "raw", "jet_generation", "tagging", "gating", "figures"])
def test_named_targets(finished: Path, target: str) -> None:
    assert "Nothing to be done" in snakemake(finished, target, "--dry-run")


def test_own_files_as_the_readme_says(finished: Path) -> None:
    example = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("```yaml")[1].split("```")[0]
    (finished / "my.yaml").write_text(example.replace("/data/run1/*.root", "results_tiny/raw/top/*.root"))
    output = snakemake(finished, "--dry-run", "--printshellcmds", configs=("configs/tiny.yaml", "my.yaml"))
    jobs = planned(output)
    assert jobs["ingest"] == jobs["prepare"] == 1
    assert "simulate" not in jobs
    assert "results_tiny/raw/top/0.root results_tiny/raw/top/1.root" in output


def test_kill_unlock_and_rerun(finished: Path) -> None:
    longer = {"results": "results_killed", "jet_generation": {"models": {"epic_fm": {"training": {"steps": 3000}}}}}
    configs = ("configs/tiny.yaml", overlay(finished, "longer.yaml", longer))
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


def test_an_input_from_a_clock_that_is_ahead_is_named(finished: Path) -> None:
    """Snakemake gives outputs the time of its own clock, so that one that is behind does no harm."""
    raw, table = finished / "results_tiny/raw/top/0.root", finished / "results_tiny/data.csv"
    before = raw.stat()
    table.unlink()
    ahead = time.time() + 3600
    os.utime(raw, (ahead, ahead))
    done = run(finished, "results_tiny/data.csv")
    os.utime(raw, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert done.returncode != 0
    assert re.search(r"than input results_tiny/raw/top/0\.root \(.*clock skew problem", done.stdout)
    assert not table.exists()
    snakemake(finished, "results_tiny/data.csv")
    assert table.exists()


def test_lint_is_clean() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("scale", ["standard", "gpu"])
def test_other_scales_plan(scale: str) -> None:
    output = snakemake(REPOSITORY, "--dry-run", "--quiet", "rules", "--nolock", configs=(f"configs/{scale}.yaml",))
    assert "total" in output


def test_the_slurm_profile_plans(finished: Path) -> None:
    output = snakemake(finished, "--dry-run", "--forceall", "--workflow-profile", "profiles/slurm")
    assert "Using workflow specific profile profiles/slurm" in output
    # A default of the profile, in the one job whose resources Snakemake prints.
    assert "slurm_extra=--signal=TERM@120" in output
