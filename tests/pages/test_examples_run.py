"""The scripts of ``examples/`` run as they stand, by the public interface alone."""

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from project_copy import REPOSITORY

import cloudchamber

pytestmark = [pytest.mark.slow]

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))


def started(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(REPOSITORY / "examples" / f"{name}.py"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run(name: str, folder: Path, *arguments: str) -> str:
    """Run an example in an empty folder and return what it prints."""
    done = started(name, folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_use_the_public_interface_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("cloudchamber"), node.module
        elif isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("cloudchamber.")]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cc":
            assert node.attr in cloudchamber.__all__, node.attr


needs_pythia = pytest.mark.skipif(find_spec("pythia8mc") is None, reason="Pythia 8 has no wheel here")


@needs_pythia
def test_delphes_to_clouds(tmp_path: Path) -> None:
    printed = run("delphes_to_clouds", tmp_path)
    # FastJet is not heard.
    assert len(printed.splitlines()) == 2
    clouds = cloudchamber.read_clouds(tmp_path / "example_clouds/jets.h5")
    assert f"{len(clouds)} jets, points ({len(clouds)}, 30, 3), columns ['eta_rel', 'phi_rel', 'pt_rel']" in printed
    # Given the file, nothing is simulated.
    (tmp_path / "again").mkdir()
    (tmp_path / "again/example_clouds").mkdir()
    again = run("delphes_to_clouds", tmp_path / "again", str(tmp_path / "example_clouds/top.root"))
    assert again == printed
    assert not (tmp_path / "again/example_clouds/top.root").exists()


@pytest.mark.parametrize("name", [pytest.param("delphes_to_clouds", marks=needs_pythia), "train_a_flow"])
def test_a_command_that_fails_ends_an_example_with_its_one_line(tmp_path: Path, name: str) -> None:
    """Both write their files into a folder, which here cannot be made."""
    folder = "example_clouds" if name == "delphes_to_clouds" else "example_flow/model"
    (tmp_path / folder).parent.mkdir(exist_ok=True)
    (tmp_path / folder).write_text("a file")
    done = started(name, tmp_path)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert f"{folder}/" in done.stderr.splitlines()[-1]


def test_samples_to_judge_are_three(tmp_path: Path) -> None:
    done = started("judge_generated_jets", tmp_path, "truth.npy", "generated.npy")
    assert done.returncode == 1
    assert done.stderr == "judge_generated_jets.py: expected TRUTH.npy GENERATED.npy TRAIN.npy, or nothing\n"


def test_judge_generated_jets(tmp_path: Path) -> None:
    lines = run("judge_generated_jets", tmp_path).splitlines()
    judged = {
        line.partition("  ")[0].strip(): re.search(r"(\S+) \+- (\S+) \(floor (\S+) \+- (\S+)\)", line) for line in lines
    }
    assert len(judged) == len(lines) == 8
    # The generated jets are wider: their masses are told from true ones, their multiplicities are not.
    for name, worse in (("w1m", True), ("w1p", True), ("kl multiplicity", False)):
        found = judged[name]
        assert found is not None
        value, error, floor, floor_error = map(float, found.groups())
        assert (value - floor > 3 * (error**2 + floor_error**2) ** 0.5) is worse, (name, found[0])


def test_train_a_flow(tmp_path: Path) -> None:
    printed = run("train_a_flow", tmp_path)
    found = re.findall(r"^(w1.), generated jets: (\S+) \+- \S+ \(floor (\S+) ", printed, re.MULTILINE)
    assert [name for name, *_ in found] == ["w1m", "w1p"]
    # Untrained networks are off by more than 0.1 in both.
    for _, value, floor in found:
        assert 0 <= float(floor) < float(value) + 0.01 < 0.06
    assert (tmp_path / "example_flow/model/history.csv").is_file()
