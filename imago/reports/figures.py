"""The figures of a report, in their order, with what to look for in each."""

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
        source: A data URI.
        width_px: Of the image.
        height_px: Of the image.
    """

    name: str
    title: str
    caption: str
    source: str
    width_px: int
    height_px: int


KNOWN = {
    "curves": (
        "Learning curves",
        "Curves that still move at the right end would gain from more epochs; training and "
        "validation that drift apart mean that images are learnt by heart.",
    ),
    "confusion": (
        "Confusion matrix",
        "What is off the diagonal is wrong: rows are the true classes, columns the answers.",
    ),
    "per_class": (
        "Precision and recall of each class",
        "Low precision: the answer is given too often; low recall: the class is overlooked.",
    ),
    "examples": (
        "Some test images",
        "Right and wrong answers in two colours, with how probable the model found each class.",
    ),
    "mistakes": (
        "The surest mistakes",
        "Sure and wrong: look for wrong labels and for what misleads the model.",
    ),
    "uncertain": (
        "The least certain images",
        "Where the model can hardly decide; would you?",
    ),
    "activations": (
        "Where the model looks",
        "Bright areas speak most for the answer; they should lie on the object.",
    ),
    "reliability": (
        "Reliability",
        "On the diagonal, answers come true as often as the model says; below it, it is too sure.",
    ),
    "samples": ("Samples of each class", "What the classes look like at the model's size."),
    "views": (
        "Augmented views",
        "Originals and their changed copies: the class must still be seen in each.",
    ),
}
"""Name: title and caption, in the order of the page."""


def embedded(paths: Mapping[str, Path]) -> dict[str, Figure]:
    """Read figures for a page; those that are not known stand last, in the order of their names."""
    names = [name for name in KNOWN if name in paths]
    names += sorted(set(paths) - set(KNOWN))
    return {name: _embed(name, paths[name].read_bytes()) for name in names}


def _embed(name: str, png: bytes) -> Figure:
    title, caption = KNOWN.get(name, (name.replace("_", " ").capitalize(), ""))
    _, _, width, height = PNG_HEADER.unpack_from(png)
    source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    return Figure(name, title, caption, source, width, height)
