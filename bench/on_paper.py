"""Accuracy on things drawn dark on light paper, by a model of light things on dark ground.

    python -m bench.on_paper EXPERIMENT [--images N]

Test images are inverted, enlarged and pasted anywhere on canvases of 200 to 400 px: on white, or on
grey paper that is lit from one side and photographed with noise.
"""

import argparse

import cv2
import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths
from imago.data import arrays
from imago.predict.predictor import Predictor

CANVAS_PX, DIGIT_PX = (200, 400), (80, 200)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("--images", type=int, default=2000)
    chosen = parser.parse_args()
    pixels = params.load().experiments[chosen.experiment].pixels
    test = arrays.read_split(paths.data(pixels), "test")
    images, labels = test.images[: chosen.images], test.labels[: chosen.images]
    generator = np.random.default_rng(params.load().seed)
    photos = {
        "test images": list(images),
        "on white": [on_paper(image, generator, photographed=False) for image in images],
        "photographed": [on_paper(image, generator, photographed=True) for image in images],
    }
    folder = paths.export(chosen.experiment)
    predictors = {
        "as they are": Predictor(folder, polarity="as_is", find_subject=False),
        "inverted": Predictor(folder, find_subject=False),
        "found and inverted": Predictor(folder),
    }
    for kind, given in photos.items():
        for way, predictor in predictors.items():
            answers = predictor.probabilities(np.stack([predictor.pixels(one) for one in given]))
            accuracy = (answers.argmax(axis=1) == labels).mean()
            print(f"{chosen.experiment}, {kind}, {way}: {accuracy:.4f}", flush=True)


def on_paper(
    image: NDArray[np.uint8], generator: np.random.Generator, photographed: bool
) -> NDArray[np.uint8]:
    """Paste a light thing on black, (H, W, 1), dark on paper somewhere."""
    height, width = generator.integers(*CANVAS_PX, 2, endpoint=True).tolist()
    side = int(generator.integers(*DIGIT_PX, endpoint=True))
    ink = np.zeros((height, width), np.float32)
    top, left = (int(generator.integers(0, whole - side + 1)) for whole in (height, width))
    enlarged = cv2.resize(image[..., 0], (side, side), interpolation=cv2.INTER_CUBIC)
    ink[top : top + side, left : left + side] = enlarged / 255
    paper, pen = 255.0, 0.0
    if photographed:
        paper, pen = generator.uniform(170, 240), generator.uniform(20, 110)
    photo = paper + (pen - paper) * ink
    if photographed:
        y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
        slope_y, slope_x = generator.uniform(-50, 50, 2)
        photo = photo + slope_y * y + slope_x * x + generator.normal(0, 6, photo.shape)
    return photo.clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
