"""What repositories read of a published folder: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and Zenodo's metadata."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber import __version__
from cloudchamber.settings.publication import CreatorSettings, PublicationSettings

__all__ = ["crate", "zenodo"]

_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tex": "application/x-tex",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}
_KEYWORDS = ("deep learning", "particle clouds", "high-energy physics")
_SOFTWARE = "#cloudchamber"
_NO_LICENCE = {
    "@id": "#licence",
    "@type": "CreativeWork",
    "name": "No licence",
    "description": "The authors have not granted one.",
}


def crate(
    about: PublicationSettings,
    files: Sequence[Mapping[str, Any]],
    records: Mapping[str, Mapping[str, Any]],
    published: str,
) -> dict[str, Any]:
    """Return the content of ``ro-crate-metadata.json``.

    Args:
        about: with a title and a description.
        files: "path" relative to the folder, "bytes", "sha256", "title" and, where there is one, "caption" of each.
        records: path of a published file -> the record of what made it.
        published: date, as in 2026-01-31.
    """
    licence = _licence(about)
    people = [_person(creator) for creator in about.creators]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "description": about.description,
        "datePublished": published,
        "license": {"@id": licence["@id"]},
        "keywords": ", ".join((*_KEYWORDS, *about.keywords)),
        "hasPart": [{"@id": file["path"]} for file in files],
        "mentions": [{"@id": f"#made-{number}"} for number in range(len(records))],
        **({"author": [{"@id": person["@id"]} for person in people]} if people else {}),
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    software = {
        "@id": _SOFTWARE,
        "@type": "SoftwareApplication",
        "name": "cloudchamber",
        "softwareVersion": __version__,
        "version": __version__,
    }
    actions = [_action(number, path, record) for number, (path, record) in enumerate(records.items())]
    graph = [descriptor, root, *map(_file, files), licence, *people, software, *actions]
    # The context of version 1.1 is older than this property of schema.org.
    context = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}]
    return {"@context": context, "@graph": graph}


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    path = str(file["path"])
    return {
        "@id": path,
        "@type": "File",
        "name": file["title"],
        "contentSize": str(file["bytes"]),
        "sha256": file["sha256"],
        "encodingFormat": _TYPES[Path(path).suffix],
        **({"description": file["caption"]} if file.get("caption") else {}),
    }


def _action(number: int, path: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run of the step that made a file; its record has the settings, the inputs and the packages."""
    return {
        "@id": f"#made-{number}",
        "@type": "CreateAction",
        "name": f"cloudchamber {record['step']}",
        "instrument": {"@id": _SOFTWARE},
        "result": {"@id": path},
        **({"endTime": record["run"]["finished"]} if "run" in record else {}),
    }


def _licence(about: PublicationSettings) -> dict[str, Any]:
    if about.licence is None:
        return _NO_LICENCE
    return {"@id": f"https://spdx.org/licenses/{about.licence}", "@type": "CreativeWork", "name": about.licence}


def _person(creator: CreatorSettings) -> dict[str, Any]:
    identity = f"https://orcid.org/{creator.orcid}" if creator.orcid else f"#{creator.name.replace(' ', '_')}"
    person = {"@id": identity, "@type": "Person", "name": creator.name}
    return {**person, **({"affiliation": creator.affiliation} if creator.affiliation else {})}


def zenodo(about: PublicationSettings) -> dict[str, Any]:
    """Return the metadata of an upload to Zenodo (https://developers.zenodo.org, deposit metadata).

    Args:
        about: with a title and a description.
    """
    creators = [creator.model_dump(exclude_none=True) for creator in about.creators]
    return {
        "upload_type": "dataset",
        "title": about.title,
        "description": f"<p>{html.escape(about.description or '')}</p>",
        "keywords": [*_KEYWORDS, *about.keywords],
        "notes": f"Made by cloudchamber {__version__}.",
        "access_right": "open",
        **({"creators": creators} if creators else {}),
        **({"license": about.licence} if about.licence else {}),
    }
