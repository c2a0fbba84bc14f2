"""Settings of the jet-generation study."""

from typing import final

from cloudchamber.settings.generation import GenerationSettings

__all__ = ["JetGenerationSettings"]


@final
class JetGenerationSettings(GenerationSettings):
    """The study of generative models of jets: EPiC-FM, EPiC-JeDi and others (arXiv 2310.00049)."""
