"""Figures and tables of the report: their files, what they are drawn from, how the report labels them."""

import ast
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, final

from cloudchamber.entry_points import module_file
from cloudchamber.pipeline.json_arguments import as_json, paths_in
from cloudchamber.sources import PACKAGE

__all__ = ["Drawing", "caption_of"]


@final
@dataclass(frozen=True)
class Drawing:
    """One figure or table, of one study or of the whole analysis.

    Methods that take ``wildcards`` are input and params functions of Snakemake.

    Attributes:
        key: what the command line calls it, "STUDY/NAME".
        entry: "module:function" that makes it from its files; its caption is in ``CAPTIONS`` of that module.
        folder: of its files; may hold the wildcard ``dataset``.
        files: what it is drawn from, by the data set, "" where the folder has no wildcard.
        results: folder of the analysis, in which those files lie; None for a drawing that reads no file.
        datasets: values of the wildcard.
        category: where the report shows it.
    """

    key: str
    entry: str
    folder: str
    files: Callable[[str], Mapping[str, Any]]
    category: str
    results: str | None
    datasets: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Name of its files."""
        return self.key.rpartition("/")[2]

    @property
    def rule(self) -> str:
        """Last part of the name of its rule."""
        return self.key.replace("/", "_")

    @property
    def caption(self) -> str:
        return caption_of(self.entry, self.name)

    @property
    def labels(self) -> dict[str, str]:
        """How the report labels it."""
        return {"shows": self.name.replace("_", " "), **({"data set": "{dataset}"} if self.datasets else {})}

    def path(self, suffix: str) -> str:
        """Return the pattern of one of its files."""
        return f"{self.folder}/{self.name}.{suffix}"

    @property
    def log(self) -> str:
        """Pattern of its log, below the folder of logs and without a suffix; it has the wildcards of the output."""
        return f"draw/{'{dataset}/' if self.datasets else ''}{self.rule}"

    def paths(self, suffix: str) -> list[str]:
        """Return its files of all data sets."""
        return [self.path(suffix).format(dataset=name) for name in self.datasets or ("",)]

    def inputs(self, wildcards: Any) -> list[str]:
        return [] if self.results is None else paths_in(self._files(wildcards), self.results)

    def arguments(self, wildcards: Any) -> str:
        return as_json(self._files(wildcards))

    def unrecorded_arguments(self, wildcards: Any, output: Any) -> str:
        """Return the arguments for a rule that has ``stamp`` too.

        Snakemake does not record, and so never prints, what a function makes that asks for the outputs.
        """
        return self.arguments(wildcards)

    def stamp(self, wildcards: Any) -> str:
        """Return a short text that is another one when the arguments have changed."""
        return hashlib.sha256(self.arguments(wildcards).encode()).hexdigest()[:16]

    def _files(self, wildcards: Any) -> Mapping[str, Any]:
        return self.files(getattr(wildcards, "dataset", ""))


def caption_of(entry: str, name: str) -> str:
    """Return the caption of a figure, a table or another file of the report, without importing what makes it.

    Raises:
        ValueError: the module has no ``CAPTIONS``, a dictionary of plain strings, with this name.
    """
    captions = _captions(module_file(entry))
    if name not in captions:
        raise ValueError(f"{module_file(entry)}: no caption of '{name}' in CAPTIONS")
    return captions[name]


@cache
def _captions(module: str) -> Mapping[str, str]:
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name("CAPTIONS")], value=value)
                | ast.AnnAssign(target=ast.Name("CAPTIONS"), value=ast.expr() as value)
            ):
                captions: Mapping[str, str] = ast.literal_eval(value)
                return captions
    return {}
