"""Settings of the tagging study."""

from typing import final

from cloudchamber.settings.classification import ClassificationSettings

__all__ = ["TaggingSettings"]


@final
class TaggingSettings(ClassificationSettings):
    """The study of taggers: how many prongs has a jet (after arXiv 2202.00723)?"""
