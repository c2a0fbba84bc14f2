"""Without the extra "slurm" Snakemake works, and says what to install where SLURM is asked for."""

import subprocess
import sys

import pytest
from project_copy import REPOSITORY

PROGRAM = """
import pkgutil, sys

ABSENT = ("snakemake_executor_plugin_slurm", "snakemake_executor_plugin_slurm_jobstep")
modules = pkgutil.iter_modules
pkgutil.iter_modules = lambda *some: (item for item in modules(*some) if item.name not in ABSENT)

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in ABSENT else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from snakemake.cli import main
main(sys.argv[1:])
"""
SNAKEFILE = "rule all:\n    output:\n        'made'\n    shell:\n        'touch {output}'\n"


@pytest.mark.slow
@pytest.mark.parametrize(("options", "status"), [((), 0), (("--workflow-profile", f"{REPOSITORY}/profiles/slurm"), 1)])
def test_snakemake_without_the_plugin(
    tmp_path_factory: pytest.TempPathFactory, options: tuple[str, ...], status: int
) -> None:
    folder = tmp_path_factory.mktemp("absent")
    (folder / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-c", PROGRAM, "--cores", "1", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == status, output
    assert (folder / "made").exists() is (status == 0)
    told = "slurm-safe needs the package 'snakemake-executor-plugin-slurm': pip install 'cloudchamber[slurm]'"
    assert (told in output) is (status == 1), output
    assert "Traceback" not in output
