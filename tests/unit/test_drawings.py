"""Figures and tables by name."""

import subprocess
import sys

import pytest

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import figure_of, table_of
from cloudchamber.errors import SettingsError


@pytest.mark.parametrize("study", STUDIES)
def test_what_a_study_names_is_found(study: str) -> None:
    for name in STUDIES[study].figure_functions:
        assert callable(figure_of(f"{study}/{name}"))
    for name in STUDIES[study].table_functions:
        assert callable(table_of(f"{study}/{name}"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gating/nothing", r"no figure 'gating/nothing' among \['gating/capacity'\]"),
        ("nowhere/capacity", r"no figure 'nowhere/capacity': no study 'nowhere' among \['active_matter', "),
        ("capacity", r"no figure 'capacity' among \['detector_response'\]"),
        ("gating/", r"no figure 'gating/' among"),
        ("a.b/c", "no study 'a.b' among"),
    ],
)
def test_another_name_is_one_line(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        figure_of(name)


def test_a_drawing_reads_no_settings_of_studies() -> None:
    program = (
        "import sys\nfrom cloudchamber.drawings import figure_of\nfigure_of('tagging/roc')\n"
        "assert not [name for name in sys.modules if name.endswith('.study') or name == 'cloudchamber.analysis']\n"
        "assert 'pydantic' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
