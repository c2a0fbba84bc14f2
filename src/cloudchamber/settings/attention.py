"""What settings of networks with attention have in common."""

from typing import Any

from pydantic import model_validator

__all__ = ["heads_divide"]


def heads_divide(key: str) -> Any:
    """Return a validator of settings with ``heads``: they must divide a width, or the last of several.

    A ValueError of it names the key.

    Args:
        key: of the width in the settings.
    """

    def check(settings: Any) -> Any:
        width = getattr(settings, key)
        several = isinstance(width, tuple)
        if (width[-1] if several else width) % settings.heads:
            name = f"the last width of {key}" if several else key
            raise ValueError(f"{name} must be a multiple of the {settings.heads} heads")
        return settings

    return model_validator(mode="after")(check)
