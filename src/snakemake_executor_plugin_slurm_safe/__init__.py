"""Snakemake executor ``slurm-safe``: the stock SLURM plugin, made to outlive outages of the cluster's own services.

Snakemake finds it by the name of this package. It takes the settings of the stock plugin, with the prefix
``slurm-safe-``, and changes what docs/cluster.md measures to hang or to be lost with snakemake-executor-plugin-slurm
2.8.0: how states are read, what happens while nobody answers, and what a killed Snakemake leaves behind.
"""

from importlib.util import find_spec

# Snakemake imports every plugin when it starts, also where nobody asks for SLURM.
if find_spec("snakemake_executor_plugin_slurm") is None:
    from snakemake_executor_plugin_slurm_safe.absent import Executor, ExecutorSettings, common_settings
else:
    from snakemake_executor_plugin_slurm import ExecutorSettings, common_settings  # type: ignore[no-redef]

    from snakemake_executor_plugin_slurm_safe.executor import Executor

__all__ = ["Executor", "ExecutorSettings", "common_settings"]
