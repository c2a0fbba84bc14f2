"""Settings of a published analysis: what only its authors can say."""

from typing import Annotated, final

from pydantic import Field

from cloudchamber.settings.base import Settings

__all__ = ["CreatorSettings", "PublicationSettings"]

_Text = Annotated[str, Field(min_length=1)]


@final
class CreatorSettings(Settings):
    """An author of the published results."""

    name: _Text = Field(description="family name, comma, given names")
    affiliation: _Text | None = Field(None, description="institute")
    orcid: Annotated[str, Field(pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")] | None = Field(
        None, description="ORCID, four groups of four digits"
    )


@final
class PublicationSettings(Settings):
    """What a repository asks and no file of the results knows."""

    title: _Text | None = Field(None, description="title; by default the studies and the scale")
    description: _Text | None = Field(None, description="abstract; by default what the results are")
    creators: tuple[CreatorSettings, ...] = Field((), description="authors; a repository asks for one at least")
    licence: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+-]+$")] | None = Field(
        None, description="identifier of SPDX, such as CC-BY-4.0; by default none is granted"
    )
    keywords: tuple[_Text, ...] = Field((), description="beside those of the software")
