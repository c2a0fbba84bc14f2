"""The build puts the pipeline into the wheel, where ``cloudchamber init`` finds it; all else is in pyproject.toml."""

import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = Path("src/cloudchamber")
PROJECT = runpy.run_path(str(PACKAGE / "project_parts.py"))


def pipeline_files() -> list[str]:
    """Return the files of the pipeline, relative to the root of the repository."""
    found = []
    for part in map(Path, PROJECT["PARTS"]):
        paths = sorted(part.rglob("*")) if part.is_dir() else [part]
        found += [str(path) for path in paths if path.is_file() and not set(path.parts) & set(PROJECT["IGNORED"])]
    return found


class BuildWithPipeline(build_py):
    """Copies the pipeline beside the modules; an editable installation finds it in the repository."""

    def run(self) -> None:
        # What an earlier build left there would come along, also of modules that are gone.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for source, target in self.get_output_mapping_of_pipeline().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_output_mapping_of_pipeline(self) -> dict[str, str]:
        folder = Path(self.build_lib) / PACKAGE.name / PROJECT["WITHIN"]
        return {source: str(folder / source) for source in pipeline_files()}

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        own = [] if self.editable_mode else list(self.get_output_mapping_of_pipeline().values())
        return [*super().get_outputs(include_bytecode), *own]


setup(cmdclass={"build_py": BuildWithPipeline})
