"""PNG files as a page holds them: in its own text."""

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PNG_HEADER = struct.Struct(">8s4x4sII")
"""Signature, the first chunk's name, and the width and height in it."""


@dataclass(frozen=True)
class Figure:
    """A figure as a page holds it.

    Attributes:
        name: Of its file, without the ending.
        title: Its heading.
        caption: What to look for, in a sentence.
        section: Of the page, which shows it.
        source: A data URI.
        width_px: Of the image.
        height_px: Of the image.
    """

    name: str
    title: str
    caption: str
    section: str
    source: str
    width_px: int
    height_px: int


def embed(captions: Mapping[str, Mapping[str, str]], folder: Path) -> list[Figure]:
    """Read figures for a page.

    Args:
        captions: By the name of each, its title, caption and section.
        folder: Of the files.
    """
    return [_embed(name, said, folder / f"{name}.png") for name, said in captions.items()]


def _embed(name: str, said: Mapping[str, str], path: Path) -> Figure:
    png = path.read_bytes()
    _, _, width, height = PNG_HEADER.unpack_from(png)
    return Figure(
        name=name,
        title=said["title"],
        caption=said["caption"],
        section=said["section"],
        source=f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}",
        width_px=width,
        height_px=height,
    )
