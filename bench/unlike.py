"""How well a model tells what is unlike its training images, and what is none of its classes.

    python -m bench.unlike EXPERIMENT OTHERS [--images N]

EXPERIMENT has `certainty` with neighbors, and its export an `unsure`. OTHERS is a folder of photos
of other things, or a variant such as prepared/fashion28 with test images of other things. Printed
is the share of them that is refused where 95 % of the right answers to the experiment's own test
images are kept, by the probability and by the distance; and by the model's own limits, which
validation images have set.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths
from imago.data import arrays
from imago.predict import bulk, given
from imago.predict.predictor import Prediction, Predictor

KEPT = 0.95


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("others")
    parser.add_argument("--images", type=int, default=1000)
    chosen = parser.parse_args()
    predictor = Predictor(paths.export(chosen.experiment))
    data = paths.data(params.load().experiments[chosen.experiment].pixels)
    test = arrays.read_split(data, "test")
    own = predictions(predictor, test.images)
    right = np.array([predictor.classes.index(one.label) for one in own]) == test.labels
    others = of_others(predictor, chosen.others, chosen.images)
    print(f"{chosen.experiment}: {right.mean():.4f} right of {len(own):,}; {len(others):,} others")
    for name, sign in (("probability", 1), ("distance", -1)):
        values, foreign = (
            sign * np.array([getattr(one, name) for one in which]) for which in (own, others)
        )
        limit = np.quantile(values[right], 1 - KEPT)
        print(f"by {name}: {100 * (foreign < limit).mean():.1f} % refused")
    refused, kept = (
        np.array([bool(one.unsure) is is_refused for one in which])
        for which, is_refused in ((others, True), (own, False))
    )
    print(
        f"by the model's limits: {100 * refused.mean():.1f} % refused, "
        f"{100 * kept[right].mean():.1f} % of the right answers kept"
    )


def predictions(predictor: Predictor, images: NDArray[np.uint8]) -> list[Prediction]:
    """Answer for images as the model takes them, some at a time."""
    blocks = arrays.blocks(images)
    return [one for block in blocks for one in predictor.predictions(np.asarray(block))]


def of_others(predictor: Predictor, others: str, count: int) -> list[Prediction]:
    """Answer for photos in a folder, or for the test images of a variant."""
    if not Path(others).is_dir():
        images = arrays.read_split(paths.data(others), "test").images[:count]
        return [one for image in images for one in predictor.predict([np.asarray(image)])]
    listed = list(given.expand([others], {}))[:count]
    found = bulk.predict(listed, lambda: predictor.twin(threads=1))
    return [one for _, one in found if isinstance(one, Prediction)]


if __name__ == "__main__":
    main()
