"""A server for commands, and inputs for every stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_server import CommandServer, command_server
from stages import make_inputs


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """What runs the commands."""
    with command_server(tmp_path_factory.mktemp("logs")) as started:
        yield started


@pytest.fixture(scope="session")
def inputs(server: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the inputs of all stages."""
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(server, folder)
    return folder
