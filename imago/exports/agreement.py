"""Whether an exported format gives what Keras gives."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imago.core.errors import ExportError
from imago.core.sections import Export

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Agreement:
    """A format's answers beside those of Keras, for the same images.

    Attributes:
        examples: N.
        accuracy: Share of the images that get their true class.
        same_class_as_keras: Share of the images that get the class that Keras gives.
        greatest_difference: Of any probability from that of Keras.
        right_in_one_alone: Images that the format gets right and Keras wrong, or the other way.
    """

    examples: int
    accuracy: float
    same_class_as_keras: float
    greatest_difference: float
    right_in_one_alone: int = 0


def compare(
    labels: NDArray[np.int32], expected: NDArray[np.float32], found: NDArray[np.float32]
) -> Agreement:
    """Compare a format's probabilities, (N, K), with those of Keras.

    Args:
        labels: (N,), the true classes.
        expected: Of Keras.
        found: Of the format.
    """
    return Agreement(
        examples=len(labels),
        accuracy=accuracy(labels, found),
        same_class_as_keras=accuracy(expected.argmax(axis=1), found),
        greatest_difference=float(np.abs(expected - found).max()),
        right_in_one_alone=int(np.sum(_right(labels, expected) != _right(labels, found))),
    )


def check_distance(
    name: str, expected: NDArray[np.float32], found: NDArray[np.float32], settings: Export
) -> None:
    """Raise ExportError where a format's distances, (N,), are not those of Keras."""
    difference = float(np.abs(expected - found).max())
    if not difference <= settings.greatest_difference:
        message = (
            f"{name}: the greatest difference from Keras' distances must be at most "
            f"{settings.greatest_difference}, got {difference:.2e}"
        )
        raise ExportError(message)


def accuracy(labels: NDArray[np.integer], probabilities: NDArray[np.float32]) -> float:
    """Compute the share of rows whose most probable class is the label."""
    return float(_right(labels, probabilities).mean())


def _right(labels: NDArray[np.integer], probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(probabilities.argmax(axis=1) == labels)


def check(
    name: str, exact: bool, found: Agreement, accuracy_of_keras: float, settings: Export
) -> None:
    """Raise ExportError where a format is further from Keras than params.yaml allows.

    The loss of accuracy is counted in images, those that only Keras gets right less those that only
    the format does, and so many are allowed on top as chance explains: of a small test split one
    image is a large share.

    Args:
        name: Of the format.
        exact: Whether it must give the same probabilities, or only the same accuracy.
        found: What it gives.
        accuracy_of_keras: For the same images.
        settings: The entry of the section `exports` that the experiment names.
    """
    difference = found.greatest_difference
    right_in_keras, right = (
        round(share * found.examples) for share in (accuracy_of_keras, found.accuracy)
    )
    allowed = images_allowed(
        settings.greatest_accuracy_loss, found.examples, found.right_in_one_alone
    )
    # Written so that what is not a number fails.
    if exact and not difference <= settings.greatest_difference:
        message = (
            f"{name}: the greatest difference from Keras' probabilities must be at most "
            f"{settings.greatest_difference}, got {difference:.2e}"
        )
        raise ExportError(message)
    if not (right_in_keras - right <= allowed and np.isfinite(difference)):
        message = (
            f"{name}: of {found.examples:,} test images, of which Keras gets {right_in_keras:,} "
            f"right, it must get {right_in_keras - allowed:,} or more, allowing for chance, got "
            f"{right:,}, probabilities up to {difference:.2e} from Keras'; leave {name} out of its "
            "set under exports in params.yaml, or raise its greatest_accuracy_loss"
        )
        raise ExportError(message)


def images_allowed(greatest_accuracy_loss: float, examples: int, right_in_one_alone: int) -> int:
    """Return how many images a format may lose, net, and always one.

    As many as it would lose in 95 of 100 test splits at the most, if its loss were the share that
    params.yaml says: of the images that one of the two alone gets right, more are then Keras'.
    """
    from scipy.special import bdtr  # here: it takes a while to import

    share = greatest_accuracy_loss * examples
    by_chance = 0
    if right_in_one_alone > share:
        of_keras = (1 + share / right_in_one_alone) / 2
        counts = np.arange(right_in_one_alone + 1)
        chances = bdtr(counts, right_in_one_alone, of_keras)
        by_chance = 2 * int(np.searchsorted(chances, CONFIDENCE)) - right_in_one_alone
    return max(1, by_chance, math.floor(round(share, 6)))  # 0.07 * 100 is over 7
