"""The files of the configuration, as editors and as the pipeline see them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES, settings_of

SCHEMA = jsonschema.Draft202012Validator(json.loads((REPOSITORY / "config.schema.json").read_text()))
FILES = [REPOSITORY / "config.yaml", *sorted((REPOSITORY / "configs").rglob("*.yaml"))]
SCALES = sorted({path.stem for study in STUDIES for path in (REPOSITORY / "configs" / study).glob("*.yaml")})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_editors_find_no_fault_with_a_file(path: Path) -> None:
    SCHEMA.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sed": 1},
        {"seed": "one"},
        {"jet_generation": {"generatd": 3}},
        {"jet_generation": {"models": {"epic_fm": {"training": {"stepz": 3}}}}},
        {"tagging": {"sample": {"mass_window": [1]}}},
    ],
)
def test_editors_find_typos(wrong: dict[str, object]) -> None:
    assert not SCHEMA.is_valid(wrong)


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_settings_of_the_studies_that_have_a_file_of_it(scale: str) -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text()) | {"scale": scale}
    settings = settings_of(config, REPOSITORY)
    with_file = [study for study in STUDIES if (REPOSITORY / "configs" / study / f"{scale}.yaml").is_file()]
    assert list(settings.studies) == with_file
    assert settings.results == ("results" if scale == "default" else f"results_{scale}")


@pytest.mark.parametrize("scale", sorted(set(SCALES) - {"default"}))
def test_the_file_of_a_scale_says_nothing_else(scale: str) -> None:
    assert yaml.safe_load((REPOSITORY / f"configs/{scale}.yaml").read_text()) == {"scale": scale}


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a nested structure."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_nothing_outside_of_the_repository_is_named(path: Path) -> None:
    assert not [text for text in texts(yaml.safe_load(path.read_text())) if text.startswith(("/", ".."))]


def test_the_published_recipe_of_each_objective_is_its_own() -> None:
    """Flow matching and diffusion share a recipe in one file and not in another; neither may leak into the other."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    for scale in ("gpu", "jetnet30", "jetnet150"):
        study = settings_of(config | {"scale": scale}, REPOSITORY).jet_generation
        assert study is not None
        flow, diffusion = (study.models[name].training for name in ("epic_fm", "epic_jedi"))
        assert (flow.learning_rate, flow.schedule) == (1e-3, "cosine")
        assert (diffusion.learning_rate, diffusion.schedule) == (1e-4, "constant")
