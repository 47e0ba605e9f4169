"""When a model says that it does not know: limits by images new to it, their cost on test images.

A model gives an answer where its probability and its distance to the training images keep within
limits. The validation images say which, or the training images out of the fold; what that costs is
told of the test images, from which nothing is learnt.

Source: R. El-Yaniv and Y. Wiener, On the Foundations of Noise-free Selective Classification (2010).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imago.core.sections import Unsure
from imago.runtimes.certainty import Answers

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Limits:
    """Between which a model answers.

    Attributes:
        probability: The least; None: any.
        distance: The greatest; None: any.
    """

    probability: float | None
    distance: float | None

    def keep(self, probability: NDArray[np.float32], distance: NDArray[np.float32] | None) -> Mask:
        """Return for each image, (N,), whether it gets an answer."""
        kept = np.ones(len(probability), bool)
        if self.probability is not None:
            kept &= probability >= self.probability
        if self.distance is not None and distance is not None:
            kept &= distance <= self.distance
        return kept


def choose(validation: Answers, wanted: Unsure) -> Limits:
    """Find the limits that give what is wanted on images that were not learnt from.

    Where no limit of the probability gives the precision, that which gives the greatest is taken.

    Args:
        validation: With distances, where `wanted.unlike` is there.
        wanted: One or more of precision, coverage, unlike.
    """
    distance = None
    if wanted.unlike is not None and validation.distance is not None:
        of_right = validation.distance[validation.right]
        distance = _greatest(of_right, 1 - wanted.unlike) if len(of_right) else None
    near = Limits(None, distance).keep(validation.probability, validation.distance)
    probability, right = validation.probability[near], validation.right[near]
    least = None
    if wanted.coverage is not None and len(probability):
        share = min(1.0, wanted.coverage * len(near) / len(probability))
        least = -_greatest(-probability, share)
    if wanted.precision is not None and len(probability):
        least = _of_precision(probability, right, wanted.precision)
    return Limits(least, distance)


def _greatest(values: NDArray[np.float32], share: float) -> float:
    """Return the least of the values that a share of them do not exceed."""
    kept = max(1, int(np.ceil(share * len(values) - 1e-9)))
    return float(np.sort(values)[kept - 1])


def _of_precision(probability: NDArray[np.float32], right: Mask, precision: float) -> float | None:
    """Return the least probability from which on a share of the answers is right; None: any."""
    order = np.argsort(-probability, kind="stable")
    descending = probability[order]
    precisions = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ends = np.append(descending[:-1] > descending[1:], True)  # equal ones stay together
    reached = np.flatnonzero(ends & (precisions >= min(precision, precisions[ends].max())))
    last = int(reached[-1])
    return None if last == len(order) - 1 else float(descending[last])


def told(limits: Limits, wanted: Unsure, validation: Answers, test: Answers) -> dict[str, Any]:
    """Describe limits for model.json, with what came of them.

    Returns:
        probability, distance, the limits or None; wanted, as params.yaml has it; validation and
        test, the counts of images, of those answered, of right answers among all and among those.
    """
    return {
        "probability": limits.probability,
        "distance": limits.distance,
        "wanted": wanted.model_dump(exclude_none=True),
        "validation": _counts(limits, validation),
        "test": _counts(limits, test),
    }


def summary(told: Mapping[str, Any]) -> str:
    """Say in a line what limits cost on the test images."""
    test, reasons = told["test"], []
    if told["probability"] is not None:
        reasons.append(f"less probable than {told['probability']:.4f}")
    if told["distance"] is not None:
        reasons.append(f"further than {told['distance']:.4f} from the training images")
    if not reasons:
        return "never unsure: all answers to images new to it are as right as is wanted"
    right = test["right_answered"] / test["answered"] if test["answered"] else float("nan")
    known, wanted = told["validation"], told["wanted"].get("precision")
    reached = known["right_answered"] / known["answered"] if known["answered"] else 1.0
    missed = ""
    if wanted is not None and reached < wanted:
        missed = (
            f"; no limit makes {100 * wanted:g} % right, as was wanted: at the best "
            f"{100 * reached:.2f} % of images new to it"
        )
    return (
        f"unsure where {' or '.join(reasons)}: {test['answered']:,} of {test['images']:,} test "
        f"images get an answer, of which {100 * right:.2f} % are right, without limits "
        f"{100 * test['right'] / test['images']:.2f} %{missed}"
    )


def _counts(limits: Limits, answers: Answers) -> Mapping[str, int]:
    kept = limits.keep(answers.probability, answers.distance)
    return {
        "images": len(kept),
        "answered": int(kept.sum()),
        "right": int(answers.right.sum()),
        "right_answered": int((kept & answers.right).sum()),
    }
