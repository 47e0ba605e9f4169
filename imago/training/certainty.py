"""What images new to a trained model say of it: how sure it may be, and what it has never seen."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from imago.core import sections
from imago.core.errors import ModelError
from imago.data.arrays import Split
from imago.runtimes import certainty
from imago.runtimes.certainty import NEAREST, Certainty

log = logging.getLogger(__name__)

GREATEST_TEMPERATURE = 20.0
"""And its inverse the least: beyond it, no answer is left that differs from another."""
LEAST_PROBABILITY = 1e-30
IMAGES_PER_CALL = 128


@dataclass(frozen=True)
class Asked:
    """What models said of images that they did not learn from.

    Attributes:
        labels: (V,) int32.
        probabilities: (V, K) float32.
        distance: (V,) float32, to the neighbors of what was learnt from; None without neighbors.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    distance: NDArray[np.float32] | None


def measure(
    model: keras.Model,
    train: Split,
    copies: int,
    validation: Split | Asked,
    settings: sections.Certainty,
    seed: int,
) -> Certainty:
    """Scale a model's probabilities in place, if wanted, by images that it did not learn from.

    Args:
        model: Trained; it ends in a dense layer with a softmax.
        train: What it learnt from, images or features.
        copies: Augmented ones that follow each training image.
        validation: What it did not learn from, of the same kind; or, where there is none, what
            `imago.training.out_of_fold` found.
        settings: What is wanted.
        seed: Of the draw of neighbors.

    Raises:
        ModelError: The model has no such layer.
    """
    both = certainty.with_representation(model)
    neighbors = neighbors_of(both, train, copies, settings, seed)
    if isinstance(validation, Split):
        asked = ask(both, validation.images, validation.labels, neighbors)
    else:
        asked = validation
    scale, probabilities = None, asked.probabilities
    if settings.temperature:
        scale = temperature(probabilities, asked.labels)
        divide_logits(model, scale)
        probabilities = scaled(probabilities, scale)
        log.info("temperature %.3f: by which the logits were divided", scale)
    return Certainty(
        scale, certainty.answers(asked.labels, probabilities, asked.distance), neighbors
    )


def neighbors_of(
    both: keras.Model, train: Split, copies: int, settings: sections.Certainty, seed: int
) -> NDArray[np.float32] | None:
    """Return representations, (M, F), of training images, if wanted; see `measure`.

    The model is to give representations, see `imago.runtimes.certainty.with_representation`.
    """
    if not settings.neighbors:
        return None
    rows = neighbor_rows(train.labels, copies, settings.neighbors, seed)
    shown, _ = _outputs(both, train.images[rows])
    return np.asarray(certainty.unit(shown))


def ask(
    both: keras.Model,
    images: NDArray[Any],
    labels: NDArray[np.int32],
    neighbors: NDArray[np.float32] | None,
) -> Asked:
    """Ask a model, see `imago.runtimes.certainty.with_representation`, about images."""
    found, probabilities = _outputs(both, images)
    distance = None if neighbors is None else np.asarray(certainty.distance(found, neighbors))
    return Asked(np.asarray(labels), probabilities, distance)


def _outputs(
    model: keras.Model, images: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the representations, (N, F), and the probabilities, (N, K), of images."""
    found = [
        [np.asarray(one) for one in model(np.asarray(images[start:end]), training=False)]
        for start, end in itertools.pairwise([*range(0, len(images), IMAGES_PER_CALL), len(images)])
    ]
    representations, probabilities = (np.concatenate(each) for each in zip(*found, strict=True))
    return representations, probabilities


def temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Find by what logits are to be divided for the least loss on images new to the model.

    Of N labels one more is taken to be wrong and one more right, for where all answers are right
    the least loss would be that of a model that is never in doubt.

    Args:
        probabilities: (N, K), of a softmax.
        labels: (N,).

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2; for
    the labels J. Platt, Probabilistic Outputs for Support Vector Machines (1999), section 2.2.
    """
    from scipy.optimize import minimize_scalar  # here: it takes long to import

    logits = np.log(np.maximum(probabilities.astype(np.float64), LEAST_PROBABILITY))
    count, classes = logits.shape
    targets = np.full(logits.shape, 1 / (count + 2) / max(1, classes - 1))
    targets[np.arange(count), labels] = (count + 1) / (count + 2)

    def loss(log_temperature: float) -> float:
        divided = logits / np.exp(log_temperature)
        shifted = divided - divided.max(axis=1, keepdims=True)
        logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-(targets * logarithms).sum(axis=1).mean())

    bound = np.log(GREATEST_TEMPERATURE)
    found = minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    return float(np.exp(found.x))


def scaled(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return the probabilities, (N, K), of logits that are divided by a temperature."""
    logits = np.log(np.maximum(probabilities, LEAST_PROBABILITY)) / np.float32(temperature)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Divide what goes into a model's softmax, in the weights: every format then has it.

    Raises:
        ModelError: It does not end in a dense layer with a softmax.
    """
    last = model.layers[-1]
    is_dense = isinstance(last, keras.layers.Dense)
    if not is_dense or last.activation is not keras.activations.softmax:
        message = (
            f"{model.name}: must end in a dense layer with a softmax for a temperature, got "
            f"{last.name}; set train.certainty.temperature to false"
        )
        raise ModelError(message)
    last.set_weights([weights / np.float32(temperature) for weights in last.get_weights()])


def neighbor_rows(labels: NDArray[np.int32], copies: int, most: int, seed: int) -> NDArray[np.intp]:
    """Draw training images, about as many of each class, so that none is without neighbors.

    Args:
        labels: (N,), of images each of which is followed by its copies.
        copies: Which are not drawn.
        most: Images, but for NEAREST of each class in any case.
        seed: Of the draw.

    Returns:
        Positions, in their order.
    """
    originals = np.arange(0, len(labels), 1 + copies)
    drawn = np.random.default_rng(seed).permutation(originals)
    classes = np.unique(labels)
    of_each = max(NEAREST, most // len(classes))
    chosen = [drawn[labels[drawn] == one][:of_each] for one in classes]
    return np.sort(np.concatenate(chosen))
