"""Snakemake logger ``lines``: one line for each job that starts or ends, with how many are left and for about how long.

Snakemake finds it by the name of this package. Commands stay off the screen, unless --printshellcmds asks for them. A
dry run, --verbose and --debug-dag look as Snakemake makes them, and so does all that is not about a job. A
configuration file that cannot be read is one line, also in a dry run.
"""

from snakemake_logger_plugin_lines.handler import LogHandler

__all__ = ["LogHandler"]
