"""The step ``publish``: a folder to upload, made of the results of a finished analysis."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError, StorageError
from cloudchamber.metrics.tables import read_table
from cloudchamber.progress import progress
from cloudchamber.publishing.front_page import STAND_IN, front_page
from cloudchamber.publishing.hepdata import read_metrics, write_submission
from cloudchamber.publishing.metadata import crate, zenodo
from cloudchamber.publishing.results import PublishedFile, Results
from cloudchamber.records.record import read_record, record_path
from cloudchamber.settings.publication import PublicationSettings
from cloudchamber.storage import atomic_folder, sha256, write_json, write_text
from cloudchamber.summary.page import SCALE_NOTES

__all__ = ["publish"]


def publish(results: Results, about: PublicationSettings, output: Path) -> None:
    """Write the folder; the layout is in docs/publishing.md.

    Args:
        results: of the analysis.
        about: what only the authors know.
        output: folder to write, all of it or nothing.

    Raises:
        InputError: the results lack a file, or one is damaged, stale or of unknown origin.
        StorageError: the folder is there already, lies in the results, or cannot be written.
    """
    if output.exists():
        # Before the results are read, which may take long.
        raise StorageError(f"{output}: is there already; remove it, or name another folder")
    if output.resolve().is_relative_to(results.folder.resolve()):
        raise StorageError(f"{output}: lies in the results; name a folder outside")
    results.refuse_unfinished()
    about = _completed(about, results)
    with atomic_folder(output) as folder:
        described = _copied(results, folder)
        described += _submissions(results, folder)
        records = {f"results/{file.path}": _record(results, file) for file in results.files()}
        answers = read_table(results.summary, ("study", "question", "answer"))
        write_text(folder / "README.md", front_page(about, results, answers))
        write_json(folder / ".zenodo.json", zenodo(about))
        described += [_described(folder, "README.md", "what this folder is")]
        content = crate(about, described, records, datetime.now(UTC).date().isoformat())
        write_json(folder / "ro-crate-metadata.json", content)
        _write_checksums(folder)


def _completed(about: PublicationSettings, results: Results) -> PublicationSettings:
    titles = ", ".join(study.title for study in results.studies.values())
    title = about.title or f"cloudchamber: {titles} (scale {results.scale}, seed {results.seed})"
    note = SCALE_NOTES.get(results.scale, "")
    text = about.description or f"Metrics, figures, tables and model cards of the studies: {titles}."
    return about.model_copy(update={"title": title, "description": " ".join(filter(None, (text, note, STAND_IN)))})


def _copied(results: Results, folder: Path) -> list[dict[str, Any]]:
    """Copy the results and their records, and return what each file is."""
    described = []
    files = results.files()
    with progress("copy", len(files), "files") as report:
        for file in files:
            source = results.folder / file.path
            for origin, place in ((source, "results"), (record_path(source), "provenance")):
                target = folder / place / file.path
                target = target if place == "results" else target.with_name(f"{target.name}.json")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(origin, target)
            described.append(_described(folder, f"results/{file.path}", file.title, file.caption))
            title = f"record of results/{file.path}"
            described.append(_described(folder, f"provenance/{file.path}.json", title))
            report.update()
    return described


def _record(results: Results, file: PublishedFile) -> Mapping[str, Any]:
    record = read_record(results.folder / file.path)
    if record is None:
        raise InputError(f"{results.folder / file.path}: its record is no longer there")
    return record


def _submissions(results: Results, folder: Path) -> list[dict[str, Any]]:
    """Write the tables for HEPData, a submission for each study, and return what each file is."""
    described = []
    for name, study in results.studies.items():
        metrics = read_metrics(results.metrics(name))
        scale = f"Scale {results.scale}, seed {results.seed}. {SCALE_NOTES.get(results.scale, '')}".strip()
        write_submission(folder / "hepdata" / name, metrics, study.title, f"{study.question} {scale} {STAND_IN}")
        for file in ("submission", *metrics):
            title = f"HEPData, {study.title}: {file.replace('_', ' ')}"
            described.append(_described(folder, f"hepdata/{name}/{file}.yaml", title))
    return described


def _described(folder: Path, path: str, title: str, caption: str = "") -> dict[str, Any]:
    place = folder / path
    return {
        "path": path,
        "bytes": place.stat().st_size,
        "sha256": sha256(place),
        "title": title,
        "caption": caption,
    }


def _write_checksums(folder: Path) -> None:
    """Write the list that ``sha256sum --check`` reads."""
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    write_text(folder / "sha256sums.txt", "".join(f"{sha256(folder / path)}  {path}\n" for path in paths))
