"""The errors a user can meet. Each has an exit status of its own and prints as one line."""

__all__ = [
    "CloudchamberError",
    "DivergenceError",
    "InputError",
    "OutOfMemoryError",
    "SettingsError",
    "StateError",
    "StorageError",
    "TerminatedError",
]


class CloudchamberError(Exception):
    """Abstract base: the command line prints the message as one line and exits with ``exit_status``."""

    exit_status = 1


class SettingsError(CloudchamberError):
    """A key or value of the settings is wrong; the message names the dotted key."""

    exit_status = 2


class InputError(CloudchamberError):
    """An input file cannot be used; the message names the file and, where there is one, the branch."""

    exit_status = 3


class StorageError(CloudchamberError):
    """An output could not be written, or a file of our own does not verify; the message names the path."""

    exit_status = 4


class DivergenceError(CloudchamberError):
    """The training loss is not finite. Starting again with the same settings would not help."""

    exit_status = 5


class StateError(CloudchamberError):
    """A training state is held by another process, damaged, or made by other settings."""

    exit_status = 6


class OutOfMemoryError(CloudchamberError):
    """The memory of the machine or of the GPU does not suffice."""

    exit_status = 7


class TerminatedError(CloudchamberError):
    """A termination signal arrived; the state is saved and the same command goes on from it."""

    exit_status = 143
