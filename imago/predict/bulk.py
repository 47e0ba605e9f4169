"""Predictions for any number of images, on all cores or on a cluster, a few of them in memory."""

import functools
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from imago.core import workers
from imago.core.errors import ImageError, ImagoError
from imago.photos import decoding
from imago.predict.given import Given
from imago.predict.predictor import Elsewhere, Prediction, Predictor

IMAGES_PER_CALL = 8
"""Of the model: fewer cost more calls, more leave the processor's cache."""
IMAGES_PER_TASK = 32
"""On a cluster: enough that handing them over costs little."""

Answered = tuple[Given, Prediction | ImageError]


def predict(
    images: Iterable[Given],
    load: Callable[[], Predictor],
    threads: int | None = None,
    elsewhere: Callable[[], Elsewhere] | None = None,
) -> Iterator[Answered]:
    """Classify images, each thread decoding some and running a model of its own on them.

    Args:
        images: Taken as they are needed.
        load: Gives a model that runs on one thread; called once for each thread that has work.
        threads: None for one on each core.
        elsewhere: Gives the same model for a cluster, if one is chosen; None where it stays here.

    Yields:
        Each image, in their order, with its prediction or the reason why there is none.
    """
    if elsewhere and workers.are_elsewhere():
        held = (tuple(map(_held, part)) for part in _batched(images, IMAGES_PER_TASK))
        found = workers.mapped(functools.partial(_predict_elsewhere, elsewhere()), held)
    else:
        own = threading.local()

        def work(part: tuple[Given, ...]) -> list[Answered]:
            if not hasattr(own, "predictor"):
                own.predictor = load()
            return _predict_some(own.predictor, part)

        found = workers.mapped(work, _batched(images, IMAGES_PER_CALL), threads)
    with decoding.quiet():
        yield from itertools.chain.from_iterable(found)


def _held(image: Given) -> Given:
    """Read an image here, for it may be where no other machine finds it."""
    try:
        content = image.read()
    except (ImagoError, OSError) as error:
        return Given(image.name, functools.partial(_fail, error))
    return Given(image.name, functools.partial(bytes, content))


def _fail(error: Exception) -> bytes:
    raise error


def _predict_elsewhere(model: Elsewhere, part: tuple[Given, ...]) -> list[Answered]:
    predictor = workers.loaded(model.load, model.sha256)
    found = _predict_some(predictor, part)
    return [(Given(image.name, bytes), answer) for image, answer in found]  # no photo goes back


def _batched(images: Iterable[Given], size: int) -> Iterator[tuple[Given, ...]]:
    rest = iter(images)
    while part := tuple(itertools.islice(rest, size)):
        yield part


def _predict_some(predictor: Predictor, part: tuple[Given, ...]) -> list[Answered]:
    read = [_pixels_or_error(predictor, image) for image in part]
    pixels = [one for one in read if not isinstance(one, ImageError)]
    stacked = np.stack(pixels) if pixels else np.zeros((0, *predictor.form.shape), np.uint8)
    predictions = iter(predictor.predictions(stacked))
    return [
        (image, one if isinstance(one, ImageError) else next(predictions))
        for image, one in zip(part, read, strict=True)
    ]


def _pixels_or_error(predictor: Predictor, image: Given) -> NDArray[np.uint8] | ImageError:
    try:
        return predictor.pixels(image.read(), image.name)
    except ImageError as error:
        return error
    except decoding.UnreadableError as error:
        return ImageError(f"{image.name}: {error}")
    except OSError as error:
        return ImageError(f"{image.name}: {error.strerror or error}")
