"""Which files Snakemake reads its own options from."""

import contextlib
import io
from collections.abc import Sequence

__all__ = ["profiles"]


def profiles(arguments: Sequence[str]) -> list[str]:
    """Return the files of the profiles that Snakemake reads, in its order: those of later ones take precedence.

    There are none where it runs in another folder (``--directory``) than the one that the path of a profile begins in.

    Args:
        arguments: the command line of Snakemake, without its name.
    """
    # Only where Snakemake runs is it there.
    from snakemake.cli import parse_args

    # It says which profiles it uses, as it did when it began.
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            parser, _ = parse_args(list(arguments))
    except SystemExit:
        return []
    return [str(file) for file in parser._default_config_files]
