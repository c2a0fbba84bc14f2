"""What the documentation site has beyond the pages of docs/.

These are pages of the public interface, made of its docstrings, and pages of the repository that docs/ links to.
"""

import ast
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent
PACKAGE = ROOT / "src/cloudchamber"
# Page of the interface -> its title, and the modules whose public names it shows.
_PAGES = {
    "clouds": ("Clouds and files", ("cloud", "cloud_file", "cloud_writer", "library.arrays", "library.files")),
    "jets": ("Jets and their observables", ("library.jets",)),
    "metrics": (
        "Metrics",
        ("library.measurement", "library.distances", "library.whole_jets", "library.posterior"),
    ),
    "models": ("Networks and trained models", ("library.networks", "library.models")),
    "errors": ("Errors", ("errors",)),
}


# Pages beside docs/ -> their name in the site.
_BESIDE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}


def on_config(config: Any) -> Any:
    """Put the pages of the interface into the menu."""
    pages = [{title: f"interface/{name}.md"} for name, (title, _) in _PAGES.items()]
    (reference,) = (entry["Reference"] for entry in config["nav"] if "Reference" in entry)
    reference.insert(1, {"Python interface": pages})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the interface, and those beside docs/."""
    for source, name in _BESIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        # The site has no other files of the repository: of a link to one the name is left.
        others = re.compile(rf"\[([^\]]+)\]\((?!https?:|#|docs/|{'|'.join(map(re.escape, _BESIDE))})[^)]+\)")
        text = _for_site(others.sub(r"\1", text).replace("](docs/", "]("), "")
        files.append(File.generated(config, name, content=text))
    public = _public_names()
    shown = {name for _, modules in _PAGES.values() for module in modules for name in public.get(module, ())}
    missing = {name for names in public.values() for name in names} - shown
    assert not missing, f"public names without a page: {sorted(missing)}; see _PAGES of {__file__}"
    for name, (title, modules) in _PAGES.items():
        names = [f"cloudchamber.{module}.{item}" for module in modules for item in public.get(module, ())]
        text = f"# {title}\n\n" + "\n".join(
            f"::: {item}\n" for item in [*names, *(_trained() if name == "models" else ())]
        )
        files.append(File.generated(config, f"interface/{name}.md", content=text))
    return files


def _for_site(text: str, folders: str) -> str:
    """Return a page whose links to pages beside docs/ lead to those of the site."""
    for source, name in _BESIDE.items():
        text = re.sub(rf"\]\((?:\.\./)*{re.escape(source)}", f"]({folders}{name}", text)
    return text


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links to pages beside docs/ lead to those of the site."""
    return _for_site(markdown, "../" * page.file.src_uri.count("/"))


def _public_names() -> dict[str, list[str]]:
    """Return module -> names of the public interface, as `_MODULES` of the package has them."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_MODULES"
    )
    assert isinstance(value, ast.Dict)
    found = {}
    for key, names in zip(value.keys, value.values, strict=True):
        found[ast.literal_eval(key)] = [node.value for node in ast.walk(names) if isinstance(node, ast.Constant)]
    return {module: sorted(names) for module, names in found.items()}


def _trained() -> list[str]:
    """Return the classes of trained models."""
    found = []
    for path in sorted((PACKAGE / "library").glob("*_model.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        found += [f"cloudchamber.library.{path.stem}.{name}" for name in classes]
    return found


class Docstrings(griffe.Extension):
    """Writes docstrings as griffe reads them; the extension of mkdocstrings that mkdocs.yml names."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_google(obj.docstring.value)


def as_google(text: str) -> str:
    """Return a docstring with "Examples:", a line for each argument, and names in place of references.

    Arguments that mean the same share a line, as in "truth, generated: the jets".
    """
    text = re.sub(r":(?:attr|class|func|meth|mod):`~?([^`]+)`", r"`\1`", text)
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
    shared = re.compile(r"^( +)(\w+(?:, \w+)+)(: .*(?:\n\1 +.*)*)$", re.MULTILINE)
    return shared.sub(lambda found: "\n".join(found[1] + name + found[3] for name in found[2].split(", ")), text)
