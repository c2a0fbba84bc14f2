"""Training and sampling run on a GPU node that has none of the packages of the other stages."""

import subprocess
import sys
from pathlib import Path

import pytest
from prepared_jets import write_prepared_jets

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import OVERVIEW_FIGURES, OVERVIEW_TABLES, SHARED_CARDS, cards_of
from cloudchamber.pipeline.stages import SHARED_STAGES

STAGES = {**SHARED_STAGES, **{f"{s.name} {name}": entry for s in STUDIES.values() for name, entry in s.stages.items()}}
CARDS = [*SHARED_CARDS.values(), *(entry for study in STUDIES for entry in cards_of(study).values())]
HEAVY = ("uproot", "awkward", "fastjet", "pythia8mc", "snakemake", "pandas", "matplotlib", "mplhep", "scipy")
# Networks compile loops with it; settings and the command line are read for every job.
COMPILER = ("numba",)

PROGRAM = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {heavy!r} else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
{body}
loaded = sorted(name for name in {heavy!r} if name in sys.modules)
assert not loaded, loaded
"""


def _run(body: str, heavy: tuple[str, ...] = HEAVY) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(heavy=heavy, body=body)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("generative.train", HEAVY),
        ("generative.sample", HEAVY),
        ("classification.train", HEAVY),
        ("classification.predict", HEAVY),
        ("settings", (*HEAVY, *COMPILER)),
        ("cli", (*HEAVY, *COMPILER)),
    ],
)
def test_modules_of_a_gpu_node(module: str, heavy: tuple[str, ...]) -> None:
    done = _run(f"import cloudchamber.{module}", heavy)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["train", "sample", "sample-marginals"])
def test_commands_of_a_gpu_node(command: str) -> None:
    body = f"""
from cloudchamber.cli import main
try:
    main(["{command}", "--help"])
except SystemExit as end:
    assert end.code == 0
"""
    done = _run(body)
    assert done.returncode == 0, done.stderr
    assert "--settings" in done.stdout or command == "sample-marginals"


def test_training_and_sampling_work_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("gpu_node")
    source = write_prepared_jets(folder / "prepared.h5", jets=60, width=5)
    settings = (
        '{"network": {"kind": "epic", "layers": 1, "hidden": 8, "latent": 2, "time_features": 4}, '
        '"objective": {"kind": "flow_matching"}, "training": {"steps": 2, "batch_size": 8, "accelerator": "cpu"}}'
    )
    weights, description = str(folder / "weights.safetensors"), str(folder / "description.json")
    train = ["train", str(source), "--settings", settings, "--seed", "1", "--state", str(folder / "state")]
    train += ["--weights", weights, "--description", description, "--history", str(folder / "history.csv")]
    jets = ["draw-jets", str(source), "--jets", "5", "--seed", "1", "--output", str(folder / "jets.h5")]
    sampler = '{"solver": "euler", "evaluations": 2}'
    sample = ["sample", str(folder / "jets.h5"), "--model", weights, description, "--settings", sampler, "--seed", "1"]
    sample += ["--output", str(folder / "sample.h5")]
    done = _run(
        "from cloudchamber.cli import main\n"
        + "\n".join(f"assert main({arguments!r}) == 0" for arguments in (train, jets, sample))
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "sample.h5").exists()


def test_a_training_on_one_cpu_imports_no_compiler(tmp_path: Path) -> None:
    """torch's compiler and Lightning Fabric take as long to import as torch; numba's extensions half as long."""
    source = write_prepared_jets(tmp_path / "prepared.h5", jets=60, width=5)
    settings = (
        '{"network": {"kind": "epic", "layers": 1, "hidden": 8, "latent": 2, "time_features": 4}, '
        '"objective": {"kind": "flow_matching"}, "training": {"steps": 2, "batch_size": 8}}'
    )
    train = ["train", str(source), "--settings", settings, "--seed", "1", "--state", str(tmp_path / "state")]
    for name in ("weights", "description", "history"):
        train += [f"--{name}", str(tmp_path / name)]
    body = f"""
import numba
from cloudchamber.cli import main
assert main({train!r}) == 0
"""
    done = _run(body, heavy=("torch._dynamo", "lightning_fabric", "awkward", "vector", "sympy"))
    assert done.returncode == 0, done.stderr


def test_compiled_loops_import_no_extension(tmp_path: Path) -> None:
    source = write_prepared_jets(tmp_path / "prepared.h5", jets=60, width=5)
    body = f"""
from cloudchamber.cli import main
assert main(["observe", {str(source)!r}, "--output", {str(tmp_path / "observables.h5")!r}]) == 0
assert "numba" in sys.modules
"""
    done = _run(body, heavy=("awkward", "vector", "sympy", "matplotlib"))
    assert done.returncode == 0, done.stderr


def test_the_hook_works() -> None:
    done = _run("import scipy")
    assert done.returncode != 0
    assert "No module named 'scipy'" in done.stderr


def test_settings_are_cheap_to_import() -> None:
    done = _run("import cloudchamber.settings\nassert 'torch' not in sys.modules and 'numpy' not in sys.modules")
    assert done.returncode == 0, done.stderr


# Stages that build or read a network.
NETWORKS = (
    *("train", "train-flow-map", "train-jet-flow", "train-tagger", "log-posterior", "teacher-test"),
    *("draw-jets", "sample", "sample-marginals", "solver-scan", "sampling-time"),
    *("predict-classes", "tagger-cost", "export-tagger", "tagging relevance", "gating check-identities"),
    *("neutron_stars train", "neutron_stars estimate"),
    *("assignment train", "assignment assign", "assignment measure-cost", "assignment export"),
    *("active_matter train", "active_matter measure"),
    *("showers train", "showers train-counts", "showers train-map", "showers sample"),
    *("showers judge", "showers measure-time"),
    "macaron refine",
    *("neutrinos train", "neutrinos classify"),
)


def test_stages_without_a_network_import_no_torch() -> None:
    """One process imports them all: what none of them imports is not there."""
    entries = [entry for name, entry in STAGES.items() if name not in NETWORKS]
    for study in STUDIES.values():
        entries += [*study.figure_functions.values(), *study.table_functions.values(), study.answer_function]
    entries += [*OVERVIEW_FIGURES.values(), *OVERVIEW_TABLES.values(), *CARDS]
    modules = sorted({entry.partition(":")[0] for entry in entries})
    lines = "\n".join(f"import cloudchamber.{module}" for module in modules)
    program = f"import sys\n{lines}\nassert 'torch' not in sys.modules, 'torch'"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Stages that draw, or that count with the histograms of a figure.
FIGURES = ("draw", "delphes-counts")


def test_stages_that_draw_nothing_import_no_matplotlib() -> None:
    """A run starts a Python for each table, and matplotlib takes nearly as long to import as all that a table needs."""
    entries = [entry for name, entry in STAGES.items() if name not in (*NETWORKS, *FIGURES)]
    for study in STUDIES.values():
        entries += [*study.table_functions.values(), study.answer_function]
    entries += [*OVERVIEW_TABLES.values(), *CARDS]
    modules = sorted({entry.partition(":")[0] for entry in entries})
    done = _run("\n".join(f"import cloudchamber.{module}" for module in modules), heavy=("matplotlib",))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("command", "needed"), [("observe", False), ("draw", False), ("gating", True)])
def test_a_shared_command_imports_no_study(command: str, needed: bool) -> None:
    """Settings of all studies take longer to import than many a stage to run; drawing looks its one up later."""
    body = f"""
from cloudchamber.cli import main
try:
    main(["{command}", "--help"])
except SystemExit as end:
    assert end.code == 0
assert ("cloudchamber.analysis" in sys.modules) is {needed}
"""
    done = _run(body)
    assert done.returncode == 0, done.stderr
