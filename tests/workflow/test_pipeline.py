"""What Snakemake plans for the whole analysis and its parts, and what it refuses. Studies run in tests of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from project_copy import REPOSITORY, copy_project
from tiny_run import TINY, overlay, planned, run, snakemake

from cloudchamber.analysis import STUDIES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which nothing has run."""
    return copy_project(tmp_path_factory.mktemp("analysis"))


OWN = {
    "title": "mine",
    "source": {"kind": "delphes", "files": ["/nowhere/x*.root"]},
    "ingestion": {"clouds": {"kind": "reclustered"}, "max_particles": 3},
}


def test_all_studies_are_planned_together(project: Path) -> None:
    jobs = planned(snakemake(project, "--dry-run"))
    assert {"simulate", "train", "train_tagger", "gating_count", "draw_detector_response", "summarise"} <= set(jobs)
    assert jobs["data_table"] == jobs["tabulate_settings"] == 1


@pytest.mark.parametrize("target", ["raw", *STUDIES])
def test_named_targets_ask_for_their_part(project: Path, target: str) -> None:
    jobs = set(planned(snakemake(project, target, "--dry-run")))
    kinds = {
        "raw": "simulate",
        "jet_generation": "train",
        "tagging": "evaluate_taggers",
        "gating": "gating_count",
        "neutron_stars": "neutron_stars_solve",
        "assignment": "assignment_collect",
        "active_matter": "active_matter_simulate",
        "showers": "showers_simulate",
        "macaron": "macaron_evaluate",
        "neutrinos": "neutrinos_simulate",
    }
    assert {kind for kind in kinds.values() if kind in jobs} == {kinds[target]} | ({"simulate"} & jobs)
    assert "data_table" not in jobs


def test_a_study_can_be_left_out(project: Path) -> None:
    jobs = planned(snakemake(project, "--dry-run", configs=overlay(project, "one.yaml", {"studies": ["gating"]})))
    assert jobs["gating_count"] == 1
    assert not {"simulate", "ingest", "train", "train_tagger", "draw_detector_response"} & set(jobs)


def test_an_overlay_of_before_leaves_a_study_out_by_null(project: Path) -> None:
    configs = overlay(project, "before.yaml", dict.fromkeys(("tagging", "gating", "macaron")))
    jobs = planned(snakemake(project, "--dry-run", configs=configs))
    assert "train" in jobs
    assert not {"train_tagger", "combine_classes", "gating_count"} & set(jobs)


def test_the_command_line_leaves_a_study_out_by_null_and_says_how_to_choose_one(project: Path) -> None:
    jobs = planned(snakemake(project, "--dry-run", "--config", "jet_generation=null", "tagging=null", "macaron=null"))
    assert "gating_count" in jobs
    assert not {"train", "train_tagger"} & set(jobs)
    done = run(project, "--dry-run", "--config", "studies=gating")
    assert done.returncode != 0
    assert "on the command line --config studies='[gating]'" in done.stdout


def test_the_plan_is_made_by_the_code_that_the_jobs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = copy_project(tmp_path)
    module = checkout / "src/cloudchamber/settings/data.py"
    before = module.read_text(encoding="utf-8")
    key = "files_per_job: PositiveInt = Field(\n        "
    edited = before.replace(f"{key}50", f"{key}37")
    assert edited != before
    module.write_text(edited, encoding="utf-8")
    # As where the environment has the package of another checkout.
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "src"))
    table = "results/tables/settings.csv"
    own = overlay(checkout, "own.yaml", {"studies": ["jet_generation"]})[-1:]
    snakemake(checkout, table, configs=own)
    rows = (checkout / table).read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[1] for row in rows if row.startswith("datasets.top.files_per_job,")] == ["37"]


def test_it_runs_from_any_folder_also_where_names_have_spaces(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "my projects/cloud chamber")
    elsewhere = tmp_path / "a run of mine"
    elsewhere.mkdir()
    options = (
        "--snakefile",
        str(checkout / "Snakefile"),
        "--directory",
        str(elsewhere),
        "results_tiny/gating/metrics.csv",
    )
    snakemake(tmp_path, *options, configs=[str(checkout / TINY[0])])
    assert (elsewhere / "results_tiny/gating/metrics.csv").exists()
    assert not list(checkout.glob("results*"))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"jet_generation": {"model": {}}}, "jet_generation.model"),
        ({"datasets": {"top": {"ingestion": {"max_particels": 3}}}}, "datasets.top.ingestion.max_particels"),
        ({"jet_generation": {"generated": -1}}, "jet_generation.generated"),
        ({"jet_generation": {"datasets": ["tpo"]}}, "tpo"),
        (
            {"datasets": {"top": OWN}, "detector_response": None},
            "datasets.top.source.files: no file matches /nowhere/x*.root",
        ),
        (
            {"datasets": {"top": OWN | {"source": {"kind": "delphes", "files": ["root://host//x.root"]}}}},
            "datasets.top.source.files: no such file: root:/host/x.root; only local files are read: copy it first",
        ),
        # Statistics of batches would be those of the share of each process.
        (
            {"jet_generation": {"log_posterior": {"training": {"nodes": 2}}}},
            "batch normalisation is trained by one process",
        ),
    ],
)
def test_a_wrong_key_gives_one_line(project: Path, change: dict[str, object], key: str) -> None:
    done = run(project, "--dry-run", configs=overlay(project, "wrong.yaml", change))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert sum(key in line for line in done.stdout.splitlines()) == 1, done.stdout


def test_keys_of_another_kind_in_another_file_of_settings_are_refused(project: Path) -> None:
    base = {"jet_level": {"kind": "flow", "training": {"steps": 10}, "hidden": [8]}}
    first = overlay(project, "first.yaml", {"studies": ["jet_generation"], "jet_generation": base})
    configs = (*first, overlay(project, "second.yaml", {"jet_generation": {"jet_level": {"kind": "training"}}})[-1])
    done = run(project, "--dry-run", configs=configs)
    assert done.returncode != 0
    assert "jet_generation.jet_level.hidden: is said of the kind flow in one file" in done.stdout
    # One kind, and keys without any, are merged.
    same = {"jet_generation": {"jet_level": {"kind": "flow", "bins": 4}}}
    snakemake(project, "--dry-run", configs=(*first, overlay(project, "second.yaml", same)[-1]))
    snakemake(project, "--dry-run", "--config", "jet_generation={jet_level: {bins: 4}}", configs=first)


def test_a_file_with_braces_in_its_name_is_refused_and_other_names_are_not(project: Path) -> None:
    for name in ("jets (2) it's.root", "jets{3}.root"):
        (project / name).touch()
        own = OWN | {"source": {"kind": "delphes", "files": [name]}}
        configs = overlay(project, "named.yaml", {"datasets": {"top": own}, "detector_response": None})
        done = run(project, "results_tiny/clouds/top.h5", "--dry-run", configs=configs)
        refused = f"datasets.top.source.files: braces are wildcards of Snakemake: rename {name}" in done.stdout
        assert refused == ("{" in name) == (done.returncode != 0), done.stdout


def test_a_plan_does_not_print_all_settings_after_a_change(project: Path) -> None:
    table = "results_tiny/tables/settings.html"
    snakemake(project, table)
    assert "Nothing to be done" in snakemake(project, table, "--dry-run")
    changed = overlay(project, "changed.yaml", {"jet_generation": {"training": {"steps": 7}}})
    shown = snakemake(project, table, "--dry-run", configs=changed)
    assert "Params have changed since last execution" in shown
    assert "steps" not in shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "studies: [tagging]\ntagging: {threads: 2}\ntagging: {seeds: [3]}\n",
            "line 3: key 'tagging' stands there twice",
        ),
        ("tagging:\n  classes:\n    1: null\n", "line 3: key '1' (YAML takes it for no text): write it in quotes"),
    ],
)
def test_what_snakemake_reads_without_a_word_is_refused(project: Path, text: str, line: str) -> None:
    (project / "own.yaml").write_text(text)
    done = run(project, "--dry-run", configs=("configs/tiny.yaml", "own.yaml"))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert sum(f"own.yaml, {line}" in shown for shown in done.stdout.splitlines()) == 1, done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--config", "tagging={threads: 2, seeds: [3], threads: 1}"], "--config: key 'threads' stands there twice"),
        (
            ["--config", "seed=1", "--config", "scale=tiny"],
            "--config stands there twice, and only the last would count",
        ),
    ],
)
def test_what_the_command_line_says_twice_is_refused(project: Path, arguments: list[str], line: str) -> None:
    done = run(project, "--dry-run", *arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert sum(line in shown for shown in done.stdout.splitlines()) == 1, done.stdout


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


def test_the_slurm_profile_plans(project: Path) -> None:
    output = snakemake(project, "--dry-run", "--forceall", "--workflow-profile", "profiles/slurm")
    assert "Using workflow specific profile profiles/slurm" in output
    # A default of the profile, in the one job whose resources Snakemake prints.
    assert "slurm_extra=--signal=TERM@120" in output
