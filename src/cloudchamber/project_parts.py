"""What of the repository an analysis needs beside the package: the wheel holds it, and ``cloudchamber init`` copies it.

The build reads this module without the package and its dependencies, so that it imports nothing.
"""

__all__ = ["IGNORED", "PARTS", "WITHIN"]

# Files and folders, relative to the root of the repository.
PARTS = ("Snakefile", "workflow", "config.yaml", "config.schema.json", "configs", "profiles", "envs", "examples")
# Where they are in the installed package, relative to it.
WITHIN = "project"
# Names that are no part of them.
IGNORED = ("__pycache__", ".snakemake")
