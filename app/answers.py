"""A model's answers to pictures, with what the page shows of each."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app import intake
from imago.predict.predictor import Prediction, Predictor

THUMBNAIL_PX = 480
SMALL_PX = 224
"""Images of fewer pixels are enlarged by whole factors, so that their pixels can be seen."""


@dataclass(frozen=True)
class Picture:
    """Something to classify.

    Attributes:
        key: Tells it from the others of a visit.
        read: Gives the whole file, or pixels, (H, W, C) uint8.
        label: Its class, where the data set says so.
    """

    key: str
    name: str
    read: Callable[[], bytes | NDArray[np.uint8]]
    label: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a model says of a picture.

    Attributes:
        thumbnail: A data URL.
        seen: (H, W, C) uint8, the pixels that the model took.
    """

    name: str
    label: str | None
    thumbnail: str
    seen: NDArray[np.uint8]
    prediction: Prediction


def answer(predictor: Predictor, picture: Picture) -> Answer | intake.Rejected:
    """Classify a picture, or say why it cannot be."""
    with intake.DECODING:
        seen = _seen(predictor, picture)
    if isinstance(seen, intake.Rejected):
        return seen
    name, small, pixels = seen
    (prediction,) = predictor.predictions(pixels[np.newaxis])
    return Answer(name, picture.label, small, pixels, prediction)


def _seen(
    predictor: Predictor, picture: Picture
) -> tuple[str, str, NDArray[np.uint8]] | intake.Rejected:
    """Return a picture's name, its thumbnail and the pixels for the model."""
    content = picture.read()
    photo: intake.Photo | intake.Rejected
    if isinstance(content, bytes):
        photo = intake.examine(picture.name, content)
    else:
        photo = intake.Photo(picture.name, content)
    if isinstance(photo, intake.Rejected):
        return photo
    is_prepared = picture.label is not None  # an example, already as the model takes it
    seen = photo.pixels if is_prepared else predictor.pixels(content)
    return photo.name, thumbnail(photo.pixels), seen


def thumbnail(pixels: NDArray[np.uint8]) -> str:
    """Make a small copy of an image, (H, W, C) uint8, as a data URL."""
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL_PX / max(height, width))
    if max(height, width) < SMALL_PX:
        return data_url(enlarged(pixels), "png")
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA), np.uint8)
    return data_url(small.reshape(*wanted[::-1], pixels.shape[2]), "jpg")


def enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat pixels until an image, (H, W, C), is large enough to look at."""
    factor = max(1, SMALL_PX // max(pixels.shape[:2]))
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def data_url(pixels: NDArray[np.uint8], kind: Literal["jpg", "png"]) -> str:
    """Write an image, (H, W, C) uint8, RGB or grayscale, into a URL of its own."""
    ordered = np.ascontiguousarray(pixels[..., ::-1])  # OpenCV has blue first
    encoded = cv2.imencode(f".{kind}", ordered)[1].tobytes()
    mime = {"jpg": "image/jpeg", "png": "image/png"}[kind]
    return f"data:{mime};base64,{base64.b64encode(encoded).decode()}"


def remembered(
    pictures: list[Picture],
    predictor: Predictor,
    model: str,
    known: dict[tuple[str, str], Answer | intake.Rejected],
) -> Iterator[Answer | intake.Rejected]:
    """Answer pictures in turn; those that `known` holds at once, and the others are added to it.

    What is not among `pictures` any more is forgotten.
    """
    keys = {(model, picture.key) for picture in pictures}
    for stale in [key for key in known if key not in keys]:
        del known[stale]
    for picture in pictures:
        key = (model, picture.key)
        if key not in known:
            known[key] = answer(predictor, picture)
        found = known[key]
        yield replace(found, name=intake.shown(picture.name))
