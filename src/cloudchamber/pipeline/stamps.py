"""What shows that a file was replaced: Snakemake reruns a job when one of its parameters has changed.

By itself it reruns what is older than an input, and so does not see a file that was replaced by an older one, or that
was changed while a job ran that had read it.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["content_stamp", "stamp", "stamp_code", "unstamped"]


def content_stamp(files: Iterable[str]) -> str:
    """Return a text that is another one when the content of a file has changed, of few small files."""
    contents = b"".join(Path(path).read_bytes() for path in files)
    return hashlib.sha256(contents).hexdigest()[:16]


def stamp(files: Iterable[str]) -> str:
    """Return a text that is another one when the size of a file or its time, in seconds, has changed.

    Args:
        files: that no rule makes; what rules make has new times whenever it is made again. Those that are not there do
            not count: Snakemake misses them.
    """
    found = [path.stat() for path in map(Path, files) if path.is_file()]
    text = " ".join(f"{status.st_size} {int(status.st_mtime)}" for status in found)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stamp_code(rules: Iterable[Any]) -> None:
    """Give each rule of Snakemake that names source files as its input ``code`` a parameter that changes with them.

    A copy that keeps times (rsync -a, say) brings sources that are older than what other sources have made.
    """
    for rule in rules:
        code = getattr(rule.input, "code", None)
        if code is not None:
            rule.set_params(code=_of_job(code) if callable(code) else content_stamp(code))


def _of_job(code: Callable[[Any], Iterable[str]]) -> Callable[[Any], str]:
    return lambda wildcards: content_stamp(code(wildcards))


def unstamped(dag: Any, results: str) -> str:
    """Return a line on results that are taken as they are, of which Snakemake does not know what they were made with.

    Its notes lie in .snakemake, which is not there where results come from another folder or it was deleted. By the
    times of files alone it sees no change of settings, and some ask it to judge by those (--rerun-triggers mtime).
    The line is empty where all results have their notes.

    Args:
        dag: of Snakemake, before it runs.
        results: folder of the analysis.
    """
    if "PARAMS" not in {trigger.name for trigger in dag.workflow.rerun_triggers}:
        return (
            "warning: whether settings, files of yours or code have changed is not seen where --rerun-triggers leaves"
            " out params"
        )
    jobs = [job for job in dag.jobs if dag.reason(job).no_metadata and not dag.needrun(job)]
    # Downloads are the same under all settings, and may have been put there by hand.
    files = sorted(str(path) for job in jobs for path in job.output if str(path).startswith(f"{results}/"))
    if not files:
        return ""
    return (
        f"warning: whether settings have changed since they were made is not seen for {len(files)} files, such as"
        f" {files[0]}: they are of another folder, or .snakemake was deleted; --forceall makes all anew"
    )
