"""cloudchamber: from raw ROOT files to figures.

snakemake --cores all                                    the default analysis (config.yaml)
snakemake --cores all --configfile configs/standard.yaml the same pipeline at a larger scale
Targets: all, raw, jet_generation, tagging, figures.
"""

import os
import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from cloudchamber.errors import SettingsError
from cloudchamber.pipeline import Pipeline, as_json, code, growing, paths_in

min_version("9.27")


configfile: "config.yaml"


# Jobs find the Python that runs Snakemake also where its environment is not activated. Conda environments, where they
# are asked for, are put before it.
os.environ |= {"PATH": os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()])}
# A conda environment holds the dependencies and not the package.
shell.prefix(f"export PYTHONPATH={workflow.basedir}/src; ")

try:
    pipeline = Pipeline(config)
except SettingsError as error:
    raise WorkflowError(str(error)) from None


report: "workflow/report/workflow.rst"


wildcard_constraints:
    process=pipeline.any_of(pipeline.settings.processes),
    dataset=pipeline.any_of(pipeline.settings.datasets),
    model=pipeline.any_of(pipeline.study.models),
    sampler="[a-z][a-z0-9_]*",
    seed="[0-9]+",
    shard="[0-9]+",
    scatteritem="[0-9]+-of-[0-9]+",


scattergather:
    sampling=pipeline.study.sampling_shards,


# Snakemake takes as default target the first rule of this file; what is included does not count.
rule all:
    input:
        pipeline.layout.metrics,
        pipeline.drawings.all_figures(),
        pipeline.drawings.all_tables(),
        pipeline.layout.cards(),
        pipeline.tagging_results(),
        pipeline.layout.data_table,
    localrule: True


include: "workflow/rules/targets.smk"
include: "workflow/rules/downloads.smk"
include: "workflow/rules/raw.smk"
include: "workflow/rules/clouds.smk"
include: "workflow/rules/jet_level.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/tagging.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/data_table.smk"
