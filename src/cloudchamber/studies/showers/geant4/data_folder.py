"""The folder that Geant4 reads its data from, official or substitute, and the package made ready to read there."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.optional import optional_package
from cloudchamber.storage import read_json
from cloudchamber.studies.showers.source_settings import Geant4Source

__all__ = ["ELECTROMAGNETIC", "FORMAT", "NEUTRONS", "STATES", "data_folder", "geant4_package", "version_of"]

_EXTRA = "geant4"
FORMAT = "cloudchamber-geant4-tables"
# Names of the data sets as Geant4 11.4 looks for them.
ELECTROMAGNETIC, NEUTRONS, STATES = "G4EMLOW8.8", "G4PARTICLEXS4.2", "G4ENSDFSTATE3.0"
_NEEDED: Mapping[str, str] = {
    "G4LEDATA": ELECTROMAGNETIC,
    "G4PARTICLEXSDATA": NEUTRONS,
    "G4ENSDFSTATEDATA": STATES,
    "G4LEVELGAMMADATA": "PhotonEvaporation6.1.2",
}
# Constructors want these variables set; nothing that is simulated here reads them.
_NAMED: Mapping[str, str] = {
    "G4NEUTRONHPDATA": "G4NDL4.7.1",
    "G4RADIOACTIVEDATA": "RadioactiveDecay6.1.2",
    "G4PIIDATA": "G4PII1.3",
    "G4REALSURFACEDATA": "RealSurface2.2",
    "G4SAIDXSDATA": "G4SAIDDATA2.0",
    "G4ABLADATA": "G4ABLA3.3",
    "G4INCLDATA": "G4INCL1.3",
    "G4CHANNELINGDATA": "G4CHANNELING2.0",
}


@contextmanager
def data_folder(settings: Geant4Source, tables: Path | None) -> Iterator[Path]:
    """Yield the folder in which data sets lie.

    Args:
        settings: whether they are the official ones, and where.
        tables: file of substitute tables, which are laid out in a folder of their own as long as the block lasts.

    Raises:
        InputError: an official data set is not there, or the tables are missing or damaged.
    """
    if settings.data_folder is not None:
        official = Path(settings.data_folder).absolute()
        for name in _NEEDED.values():
            if not (official / name).is_dir():
                raise InputError(f"{official}: no folder '{name}', an official data set of Geant4 11.4")
        yield official
        return
    if tables is None:
        raise InputError("no --tables: showers with substitute tables need the file of showers geant4-tables")
    files = _read_tables(tables)
    with TemporaryDirectory(prefix="cloudchamber_") as folder:
        for name in _NEEDED.values():
            (Path(folder) / name).mkdir()
        for place, text in files.items():
            path = Path(folder) / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
        yield Path(folder)


def _read_tables(path: Path) -> Mapping[str, str]:
    content = read_json(path)
    form = content.get("format") if isinstance(content, dict) else None
    files = content.get("files") if form == FORMAT else None
    if not isinstance(files, dict):
        raise InputError(f"{path}: no substitute tables of Geant4 (key 'format' is '{form}')")
    for place in files:
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise InputError(f"{path}: key 'files': '{place}' is no place in a folder of data")
    return files


def geant4_package(folder: Path) -> Any:
    """Return the package geant4_pybind, which reads its data from ``folder``.

    While it is imported it would ask on standard input whether to download data sets, and download them unasked where
    the variable CI says "true". With GEANT4_DATA_DIR set it does neither.

    Raises:
        InputError: it is not installed; the message names the extra.
    """
    os.environ["GEANT4_DATA_DIR"] = str(folder)
    os.environ.update({variable: str(folder / name) for variable, name in {**_NEEDED, **_NAMED}.items()})
    return optional_package("geant4_pybind", _EXTRA, "the simulation by Geant4")


def version_of(package: Any) -> str:
    """Return the version of Geant4 in the package, such as "11.4.1"."""
    number = int(package.G4VERSION_NUMBER)
    return f"{number // 100}.{number // 10 % 10}.{number % 10}"
