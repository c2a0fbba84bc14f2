"""What files of settings say together: Snakemake merges config.yaml, those of --configfile and --config by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudchamber.errors import SettingsError

__all__ = ["refuse_keys_of_another_kind"]


def refuse_keys_of_another_kind(layers: Sequence[Mapping[str, Any]], together: Mapping[str, Any], at: str = "") -> None:
    """Refuse keys that only layers have which say another ``kind`` than the one that counts: they would act on it.

    Args:
        layers: content of each file, and what the command line says.
        together: all of them, merged key by key.
        at: where both are, with a dot at its end.

    Raises:
        SettingsError: with the dotted key.
    """
    kind = together.get("kind")
    for key, value in together.items():
        kinds = {layer.get("kind") for layer in layers if key in layer}
        if kind is not None and kinds and not kinds & {None, kind}:
            raise SettingsError(
                f"{at}{key}: is said of the kind {kinds.pop()} in one file of settings, and would act on {kind}, which"
                " another says: say it in the same file as the kind that counts, or take it out"
            )
        if isinstance(value, Mapping):
            below = [layer[key] for layer in layers if isinstance(layer.get(key), Mapping)]
            refuse_keys_of_another_kind(below, value, f"{at}{key}.")
