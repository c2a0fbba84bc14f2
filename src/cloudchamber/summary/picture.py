"""A figure small enough to stand in a page."""

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cloudchamber.errors import InputError

__all__ = ["embedded"]

# Twice the width at which it is shown, for screens with fine pixels.
_WIDTH = 1200
# Curves on white need no more, and the file is a quarter of one with all colours.
_COLOURS = 256


def embedded(path: str | Path) -> str:
    """Return a figure, made small, as a data URI.

    Raises:
        InputError: the file cannot be read as a picture.
    """
    try:
        with Image.open(path) as picture:
            whole = Image.new("RGB", picture.size, "white")
            whole.paste(picture, mask=picture.convert("RGBA").getchannel("A"))
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise InputError(f"{path}: cannot be read as a picture: {error}") from error
    whole.thumbnail((_WIDTH, whole.height), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    # An octree keeps the colours of thin curves, which are few among white.
    few = whole.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
