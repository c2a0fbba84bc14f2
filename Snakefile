"""cloudchamber: from raw ROOT files to figures.

snakemake --cores all                                    the default analysis (config.yaml)
snakemake --cores all --configfile configs/standard.yaml the same pipeline at a larger scale
Targets: all, raw, figures, and the name of each study.
"""

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

# The plan is made by the code that the jobs run: an environment may know the package of another checkout.
if os.path.isdir(f"{workflow.basedir}/src/cloudchamber"):
    sys.path.insert(0, f"{workflow.basedir}/src")

from cloudchamber.analysis import STUDIES, plan
from cloudchamber.classification.jobs import ClassificationJobs
from cloudchamber.errors import CloudchamberError
from cloudchamber.generative.jobs import GenerationJobs
from cloudchamber.pipeline.no_effect import unread_settings, without_effect
from cloudchamber.pipeline.profiles import profiles
from cloudchamber.pipeline.resources import growing
from cloudchamber.pipeline.scheduling import first, unlimited
from cloudchamber.pipeline.stamps import stamp_code, unstamped
from cloudchamber.project import code_folder
from cloudchamber.settings.base import read_yaml
from cloudchamber.settings.command_line import overridden_profiles, refuse_twice
from cloudchamber.settings.layers import layered
from cloudchamber.settings.user_layers import refuse_keys_of_another_kind

min_version("9.27")


# A folder of one's own, by --directory, may have its own config.yaml.
configfile: "config.yaml" if Path("config.yaml").exists() else f"{workflow.basedir}/config.yaml"


# Jobs find the Python that runs Snakemake also where its environment is not activated. Conda environments, where they
# are asked for, are put before it.
os.environ |= {"PATH": os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()])}
try:
    # The log of a job opens with its command.
    code = code_folder(Path(workflow.basedir))
    shell.prefix(f"export PYTHONPATH={shlex.quote(str(code))} CLOUDCHAMBER_LOGS_COMMAND=yes; ")
    # Of a key that stands there twice Snakemake takes the last, without a word.
    layers = [read_yaml(file) for file in workflow.configfiles]
    refuse_keys_of_another_kind([*layers, workflow.config_settings.config], config)
    refuse_twice(sys.argv, workflow.config_settings.config_args or ())
    pipeline = plan(config, Path(workflow.basedir))
    pipeline.sources.refuse_missing()
except CloudchamberError as error:
    raise WorkflowError(str(error)) from None


report: "workflow/report/workflow.rst"


onstart:
    unlimited(workflow.scheduler)
    if line := unstamped(workflow.dag, pipeline.paths.results):
        print(line)
    # Studies compete for cores. The first one's figures are there soon, and not all of them at the end.
    for study in list(pipeline.studies.values())[:1]:
        first(workflow.dag, pipeline.results(study))
    effects = without_effect(config, layered(config, Path(workflow.basedir), list(STUDIES)), pipeline)
    unread = [
        *overridden_profiles(sys.argv, profiles(sys.argv[1:])),
        *unread_settings(Path.cwd(), workflow.configfiles),
    ]
    for line in [*unread, *effects]:
        print(f"no effect: {line}")
    for study in config["studies"]:
        if study not in pipeline.studies:
            print(
                f"left out: {study} (it has no settings of the scale {pipeline.settings.scale}, or is set to null)"
            )


pathvars:
    results=pipeline.paths.results,
    logs=pipeline.paths.logs,


wildcard_constraints:
    process=pipeline.any_of(pipeline.settings.processes),
    dataset=pipeline.any_of(pipeline.settings.datasets),
    study=pipeline.any_of(pipeline.studies),
    model="[a-z][a-z0-9_]*",
    sampler="[a-z][a-z0-9_]*",
    seed="[0-9]+",
    shard="[0-9]+",
    # Nothing, or which part of a sample.
    part="(_[0-9]+-of-[0-9]+)?",


# Snakemake takes as default target the first rule of this file; what is included does not count.
rule all:
    input:
        pipeline.all_results(),
    localrule: True


include: "workflow/rules/targets.smk"
include: "workflow/rules/raw.smk"
include: "workflow/rules/clouds.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/generative.smk"
include: "workflow/rules/classification.smk"


# Rules of a study's own, where it has some.
for study in pipeline.studies:
    if os.path.exists(f"{workflow.basedir}/workflow/rules/{study}.smk"):

        include: f"workflow/rules/{study}.smk"


include: "workflow/rules/drawings.smk"


stamp_code(workflow.rules)
