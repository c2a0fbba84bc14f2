"""Pages of the documentation: links lead somewhere, commands are ones that there are, and pictures are small."""

import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import COMMANDS
from pages import PAGES, Block, anchors, blocks, commands, inline_code, links, named_files
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES, settings_of
from cloudchamber.cli import parser
from cloudchamber.settings.base import parse
from cloudchamber.settings.publication import PublicationSettings

STUDY_PAGES = [REPOSITORY / f"docs/studies/{study}.md" for study in STUDIES]
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
RULES = {
    name
    for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]
    for name in re.findall(r"^ *rule (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
} | set(STUDIES)
EXTRAS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
# Of the system, or of a package that a page names: nothing of this project that a page could get wrong.
OF_OTHERS = (".", "cd", "cp", "export", "git", "hepdata-validate", "sha256sum", "source", "tensorboard", "zip")
PROGRAMS = (*OF_OTHERS, "cloudchamber", "make", "pip", "python", "python3", "snakemake")


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def words(command: str) -> list[str]:
    """Return the words of a command, without variables before it and the folder of the environment."""
    found = shlex.split(command)
    while found and re.match(r"[A-Z_]+=|M=", found[0]):
        found = found[1:]
    return [found[0].removeprefix(".venv/bin/"), *found[1:]] if found else []


def is_shell(block: Block) -> bool:
    """Tell whether a block holds commands: it says so, or says nothing and begins with a program."""
    first = words_or_nothing(next(iter(commands(block)), ""))[:1] if not block.language else []
    return block.language in ("sh", "bash") or (bool(first) and first[0] in PROGRAMS)


def words_or_nothing(text: str) -> list[str]:
    try:
        return words(text)
    except ValueError:
        return []


def shell(page: Path) -> list[str]:
    return [command for block in blocks(page) if is_shell(block) for command in commands(block)]


@pytest.fixture(scope="module")
def of_snakemake() -> Any:
    """The parser of Snakemake, with the options of its plug-ins."""
    from snakemake.cli import get_argument_parser

    return get_argument_parser()


def _parses(command_parser: Any, arguments: list[str]) -> Any:
    try:
        return command_parser.parse_args(arguments)
    except SystemExit as end:
        if end.code:
            pytest.fail(f"no such command: {shlex.join(arguments)}")
        return None


def check(page: Path, command: str, of_snakemake: Any) -> None:
    """Assert that a command is one that there is: its name, its options, the files of the project that it names."""
    given = words(command)
    if not given:
        return
    program, *arguments = given
    assert program in PROGRAMS, f"unknown program: {command}"
    if program == "cloudchamber":
        _parses(parser(), arguments)
    elif program == "make":
        for word in arguments:
            name, _, value = word.partition("=")
            is_variable = re.search(rf"^{name} [?:]?=|\$\({name}\)", MAKEFILE, re.MULTILINE) if value else None
            assert is_variable or re.search(rf"^{re.escape(word)}:", MAKEFILE, re.MULTILINE), command
            assert name != "SCALE" or value == "default" or (REPOSITORY / f"configs/{value}.yaml").is_file(), command
    elif program == "pip":
        for extra in re.findall(r"cloudchamber\[(\w+)\]", command):
            assert extra in EXTRAS, command
    elif program.startswith("python"):
        for word in arguments:
            if word.startswith(("examples/", "tests/")):
                assert (REPOSITORY / word).exists(), command
    elif program == "snakemake":
        found = _parses(of_snakemake, arguments)
        for file in found.configfile or ():
            assert (REPOSITORY / file).is_file() or str(file) in named_files(page), command
        for target in found.targets or ():
            assert target in RULES or target.startswith("results"), command
        profile = found.workflow_profile
        assert profile is None or (REPOSITORY / profile).is_dir(), command


@pytest.mark.parametrize("page", [page for page in PAGES if shell(page)], ids=name_of)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_commands_are_ones_that_there_are(page: Path, of_snakemake: Any) -> None:
    for command in shell(page):
        check(page, command, of_snakemake)


def test_most_pages_of_studies_have_a_command() -> None:
    assert len([page for page in STUDY_PAGES if shell(page)]) > len(STUDIES) / 2


@pytest.mark.parametrize(
    "command",
    [
        *("cloudchamber ingst a.root", "cloudchamber ingest a.root --output x", "cloudchamber verify results --jsn"),
        *("make tset", "make SCALE=standart", "make CORS=2", "pip install 'cloudchamber[tensorbord]'"),
        *("snakemake jet_generatio --cores 2", "snakemake --coers 2", "snakemake --configfile configs/standart.yaml"),
        *("python examples/nothing.py", "snakmake --cores 2", "snakemake --workflow-profile profiles/slrum"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_typo_in_a_command_is_found(command: str, of_snakemake: Any) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(REPOSITORY / "docs/gpu.md", command, of_snakemake)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_the_text_are_ones_that_there_are(page: Path) -> None:
    for code in inline_code(page):
        given = words_or_nothing(code)
        if given[:1] == ["cloudchamber"] and len(given) > 1 and re.fullmatch(r"[a-z][a-z_-]+", given[1]):
            known = {name.split()[0] for name in COMMANDS} | set(COMMANDS)
            assert given[1] in known, code
        if given[:1] == ["make"] and len(given) > 1 and given[1].islower():
            assert re.search(rf"^{given[1]}:", MAKEFILE, re.MULTILINE), code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"
        # The site is made of docs/ and two pages beside it.
        in_site = target.is_relative_to(REPOSITORY / "docs") or target.name in ("CHANGELOG.md", "CONTRIBUTING.md")
        assert in_site or not page.is_relative_to(REPOSITORY / "docs"), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_on_pages_are_right(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml":
            yaml.safe_load(block.text)
    shown = named_files(page)
    for command in shell(page):
        given = words(command)
        for option, file in pairwise(given):
            if option == "--configfile" and file in shown:
                settings_of({**_config(), **yaml.safe_load(shown[file])}, REPOSITORY)
            if option == "--about" and file in shown:
                parse(PublicationSettings, yaml.safe_load(shown[file]))


def _config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    return config


@pytest.mark.parametrize("page", STUDY_PAGES, ids=name_of)
def test_a_study_opens_with_what_it_found_and_one_picture(page: Path) -> None:
    opening = page.read_text(encoding="utf-8").partition("\n## ")[0]
    found = re.search(r"^\*\*What it found\*\* \((.+?)\): ", opening, re.MULTILINE)
    assert found
    assert "scale `" in found[1] or "exact" in found[1]
    text = opening[found.start() :].partition("\n\n")[0]
    assert "±" in text or "exact" in found[1]
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", opening)
    assert (page.parent / picture).stat().st_size < 150_000


def test_every_page_is_in_the_menu_of_the_site() -> None:
    menu = re.findall(r": ([\w/]+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    pages = {page.relative_to(REPOSITORY / "docs").as_posix() for page in PAGES if "docs" in page.parts[-3:-1]}
    assert sorted(menu) == sorted([*pages, "changelog.md", "contributing.md"])
