"""Predictions for any number of images, on all cores, holding a few of them in memory."""

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import ImageError
from imago.photos import decoding
from imago.predict.given import Given
from imago.predict.predictor import Prediction, Predictor

IMAGES_PER_CALL = 8
"""Of the model: fewer cost more calls, more leave the processor's cache."""
CALLS_AHEAD = 3
"""Of each worker, before their results are taken."""

Answered = tuple[Given, Prediction | ImageError]


def predict(
    images: Iterable[Given], load: Callable[[], Predictor], workers: int | None = None
) -> Iterator[Answered]:
    """Classify images, each worker decoding some and running a model of its own on them.

    Args:
        images: Taken as they are needed.
        load: Gives a model that runs on one thread; called once for each worker that has work.
        workers: None for one on each core.

    Yields:
        Each image, in their order, with its prediction or the reason why there is none.
    """
    own = threading.local()

    def work(part: tuple[Given, ...]) -> list[Answered]:
        if not hasattr(own, "predictor"):
            own.predictor = load()
        return _predict_some(own.predictor, part)

    workers = workers or os.cpu_count() or 1
    with decoding.quiet(), ThreadPoolExecutor(workers) as pool:
        begun: deque[Future[list[Answered]]] = deque()
        try:
            for part in _batched(images):
                begun.append(pool.submit(work, part))
                if len(begun) > workers * CALLS_AHEAD:
                    yield from begun.popleft().result()
            while begun:
                yield from begun.popleft().result()
        finally:  # whoever takes the results may have enough of them
            for future in begun:
                future.cancel()


def _batched(images: Iterable[Given]) -> Iterator[tuple[Given, ...]]:
    rest = iter(images)
    while part := tuple(itertools.islice(rest, IMAGES_PER_CALL)):
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
