"""Drawn and photographed subjects on plain ground, brought to where the training images have them.

Where every training image is one light thing on black, or one dark thing on white, always as large
and in the same place, as in MNIST, then a photo of a digit on a sheet of paper has little in common
with them until it is inverted, cropped and centred. How the training images are is measured, so
nothing here knows of MNIST.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from imago.images.forms import Form, Image, convert

Polarity = Literal["auto", "as_is", "inverted"]
SHARE_ON_ONE_GROUND = 0.95
"""Of the training images must have it, or nothing is known of the ground."""
GREATEST_SPREAD = 0.05
"""Standard deviation of the subjects' longest side, as a share of the image's, to speak of one."""
SUBJECT = 0.25
"""A pixel that differs from the ground by this share of the greatest difference is the subject."""
SMALLEST_CONTRAST = 24
"""Between ground and subject, 0-255, below which there is none to be found."""
SMALLEST_PART = 0.02
"""Of the largest connected part: what is smaller is a speck and no part of the subject."""
WORKING_PX = 512
"""Longest side at which the subject is looked for: enough for any model's input."""


@dataclass(frozen=True)
class Framing:
    """How training images show their subject.

    Attributes:
        ground: Whether it is dark or light.
        longest_side: Of the subject's box, as a share of the image's side; None where it varies.
        center: What always lies in one place, the subject's box or its mass.
        at: Where that is, (y, x), as shares of the image's height and width.
    """

    ground: Literal["dark", "light"]
    longest_side: float | None = None
    center: Literal["box", "mass"] = "box"
    at: tuple[float, float] = (0.5, 0.5)


def measure(images: NDArray[np.uint8]) -> Framing | None:
    """Find how grayscale images show their subject; None where their ground is not plain.

    Args:
        images: (N, H, W, 1) uint8, 0-255.
    """
    dark = np.median(_borders(images[..., 0]), axis=1) < 128
    share = float(dark.mean())
    if max(share, 1 - share) < SHARE_ON_ONE_GROUND:
        return None
    ground: Literal["dark", "light"] = "dark" if share > 0.5 else "light"
    light = images[..., 0] if ground == "dark" else 255 - images[..., 0]
    found = [_measure_one(image) for image in light.astype(np.float32) if image.any()]
    if not found:
        return Framing(ground)
    sides, boxes, masses = (np.array(column) for column in zip(*found, strict=True))
    if sides.std() > GREATEST_SPREAD:
        return Framing(ground)
    center: Literal["box", "mass"] = "mass" if masses.std() < boxes.std() else "box"
    y, x = (masses if center == "mass" else boxes).mean(axis=0).round(3).tolist()
    return Framing(ground, round(float(np.median(sides)), 3), center, (y, x))


def with_polarity(image: Image, ground: Literal["dark", "light"], polarity: Polarity) -> Image:
    """Invert a grayscale image where its ground is not the model's, as its border tells."""
    if polarity == "auto":
        is_dark = float(np.median(_borders(image[np.newaxis, ..., 0]))) < 128
        inverted = is_dark != (ground == "dark")
    else:
        inverted = polarity == "inverted"
    return 255 - image if inverted else image


def framed(image: Image, framing: Framing, form: Form) -> Image | None:
    """Cut a subject out, and put it where the training images have theirs.

    Args:
        image: (H, W, 1) uint8, 0-255, of the right polarity.
        framing: Of the training images, with a longest_side.
        form: What to bring the image to.

    Returns:
        (*form.shape) uint8, 0-255; None where no subject stands out from a plain ground.
    """
    if framing.longest_side is None:
        return None
    light = image[..., 0] if framing.ground == "dark" else 255 - image[..., 0]
    subject = _cut_out(_small(light).astype(np.float32))
    if subject is None:
        return None
    height, width, _ = form.shape
    scale = framing.longest_side * max(height, width) / max(subject.shape)
    sides = [max(1, round(side * scale)) for side in subject.shape]
    resized = convert(
        (subject * 255).round().astype(np.uint8)[..., np.newaxis],
        Form((sides[0], sides[1], 1), "stretch", form.interpolation),
    )[..., 0].astype(np.float32)
    resized = (resized * (255 / max(1.0, float(resized.max())))).round()
    placed = _placed(resized, framing, height, width).astype(np.uint8)
    return (placed if framing.ground == "dark" else 255 - placed)[..., np.newaxis]


def _borders(images: NDArray[Any]) -> NDArray[Any]:
    """Return the outermost pixels of images, (N, H, W), as (N, 2 H + 2 W)."""
    edges = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
    return np.concatenate(edges, axis=1)


def _measure_one(
    image: NDArray[np.float32],
) -> tuple[float, tuple[float, float], tuple[float, float]]:
    """Return the longest side, the centre of the box and the centre of mass, as shares."""
    height, width = image.shape
    rows, columns = _box(image >= SUBJECT * image.max())
    longest = max((rows.stop - rows.start) / height, (columns.stop - columns.start) / width)
    box = ((rows.start + rows.stop) / 2 / height, (columns.start + columns.stop) / 2 / width)
    return longest, box, _mass(image)


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _mass(image: NDArray[np.float32]) -> tuple[float, float]:
    """Return the centre of mass, (y, x), as shares of height and width."""
    (height, width), total = image.shape, float(image.sum())
    y = float(image.sum(axis=1) @ (np.arange(height) + 0.5)) / total / height
    x = float(image.sum(axis=0) @ (np.arange(width) + 0.5)) / total / width
    return y, x


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape
    scale = WORKING_PX / max(height, width)
    if scale >= 1:
        return image
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, wanted, interpolation=cv2.INTER_AREA), np.uint8)


def _cut_out(image: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the box of a light subject, 0 to 1 above its ground; None where there is none."""
    above = image - _ground(image)
    noise = 4 * float(np.median(np.abs(_borders(above[np.newaxis]))))
    brightest = float(above.max())
    if brightest < max(SMALLEST_CONTRAST, noise):
        return None
    above = np.clip(above / brightest, 0, 1)
    mask = _without_specks(above >= max(SUBJECT, noise / brightest))
    above[cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0] = 0
    return np.asarray(above[_box(mask)], np.float32)


def _ground(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the plane through the border's pixels, for paper is seldom lit evenly."""
    height, width = image.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    edges = [_borders(plane[np.newaxis])[0] for plane in (np.ones_like(y), y, x, image)]
    terms, values = np.stack(edges[:3], axis=1), edges[3]
    kept = np.abs(values - np.median(values)) <= 2 * values.std() + 1  # no subject at the edge
    a, b, c = np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0]
    ground: NDArray[np.float32] = (a + b * y + c * x).astype(np.float32)
    return ground


def _without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # the ground
    kept = areas >= SMALLEST_PART * areas.max()
    kept[0] = False
    return np.asarray(kept[parts] if count > 1 else mask)


def _placed(
    subject: NDArray[np.float32], framing: Framing, height: int, width: int
) -> NDArray[np.float32]:
    """Put a subject on black so that its centre lies where it should."""
    own = _mass(subject) if framing.center == "mass" else (0.5, 0.5)
    top, left = (
        min(max(0, round(at * whole - share * side)), whole - side)
        for at, whole, share, side in zip(
            framing.at, (height, width), own, subject.shape, strict=True
        )
    )
    placed = np.zeros((height, width), np.float32)
    placed[top : top + subject.shape[0], left : left + subject.shape[1]] = subject
    return placed
