"""Whether a sample may be compared with truth: it is of a model of the same jets, and none of the test part itself."""

import sys
from pathlib import Path

from cloudchamber.cloud_file import CloudFile
from cloudchamber.metrics.cut_samples import say_cut_samples
from cloudchamber.metrics.same_jets import JetContents, say_repeated_jets, say_same_jets
from cloudchamber.preparation.origin import refuse_other_origin, say_other_choice

__all__ = ["check_sample"]


def check_sample(
    step: str, path: Path, sample: CloudFile, truth: Path, true: CloudFile, test: JetContents
) -> JetContents:
    """Refuse a sample of other jets than those of the truth, and say where nothing tells.

    On standard error is said too how its jets were made differently, where no model drew them, how many are jets of the
    test part, how many are there several times, and whether the jets of one of the two were cut to their hardest
    particles.

    Args:
        step: that compares them.
        path, sample: the jets of the sample.
        truth, true: the prepared jets.
        test: of their test part.

    Returns:
        The contents of the sample.

    Raises:
        InputError: the model of the sample was trained on other jets.
    """
    if not refuse_other_origin(path, sample.meta, truth, true.meta, "is of a model of"):
        sys.stderr.write(f"{step}: nothing says whether the model of {path} was trained on the jets of {truth}\n")
        say_other_choice(step, path, sample.meta, truth, true.meta)
    jets, of_test = JetContents.of(sample.all), f"the test part of {truth}"
    say_repeated_jets(step, str(path), jets)
    say_same_jets(step, str(path), jets, of_test, test, ", with which they are compared")
    say_cut_samples(step, {str(path): jets.multiplicity, of_test: test.multiplicity})
    return jets
