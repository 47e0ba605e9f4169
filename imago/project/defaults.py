"""What the first experiment on photos of one's own is given, and why, from what the photos are.

Rules from facts to values, each with the reason that stands beside the value in params.yaml.
docs/defaults.md says what was measured; what could not be shown to help is left out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from imago.scoring import intervals

RECIPE = "cat_dog_efficientnet"
"""What the choices are put into: a head of one layer on features of EfficientNet-Lite0."""
Place = Literal["extract", "prepare", "train", "exports"]
"""A section of params.yaml: of the data set, of its variant, of the experiment, of its exports."""

TEST_PHOTOS = 384
"""An accuracy of 90 % is then known to within 3 points, at 95 % confidence."""
GREATEST_TEST_FRACTION, LEAST_TEST_FRACTION = 0.2, 0.1
UNLIKE_COUNTS = 1.5
"""Times as many photos as another class has: from here on classes are weighted."""
OBLONG = 1.6
"""Times as long as wide: from here on the middle of a photo is too little of it. Cameras' photos of
3:2 are below."""
USUAL_PX, LARGE_PX = 224, 384
"""The net is three times slower on the larger images."""
STEPS, LEAST_EPOCHS = 600, 30
"""Of a training: with more, none of the sets that were tried became better."""
BATCH_SIZE = 32
FEW_PHOTOS = 1000
"""For training: with fewer, test photos say less than a cross-validation, and none is spared."""
HELD_OUT_FRACTION = 0.1
CERTAINTY = {"temperature": True, "neighbors": 1000}
FOLDS, LEAST_ASKED = 5, 20
"""Of the training photos, where no others tell how sure the model may be; so few tell nothing."""
LEAST_TOLD_BY = int(FEW_PHOTOS * HELD_OUT_FRACTION)
"""Validation photos, for these to tell it: as many as are held out where there are none."""
UNSURE = {"precision": 0.9, "unlike": 0.05}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What there is.

    Attributes:
        counts: Photos of each class that are not in a test or validation folder.
        has_test: Whether there is a test folder, or a table says what is for the test.
        validation: Photos in a validation folder, or of a table for validation.
        length: How many times as long as wide the photo in the middle is, 1 or more.
    """

    counts: Mapping[str, int]
    has_test: bool
    validation: int
    length: float


class Choice(NamedTuple):
    """A value, and why it is this one.

    Attributes:
        place: Of the key.
        key: In params.yaml.
        value: Of the key.
        reason: In a line.
    """

    place: Place
    key: str
    value: str | float | Mapping[str, float]
    reason: str


def choose(facts: Facts, usual_px: int = USUAL_PX) -> list[Choice]:
    """Return the values to be put into the recipe, in the order of its sections.

    Args:
        facts: What there is.
        usual_px: The size of the images that the net is best for.
    """
    share = None if facts.has_test else _test_fraction(facts)
    choices = [] if share is None else [share]
    choices += [
        *_framing(facts, usual_px),
        Choice("prepare", "color", "rgb", "for its net; a grey photo is three equal colours"),
        Choice("prepare", "interpolation", "area", "fine patterns do not become false coarse ones"),
    ]
    learnt = sum(facts.counts.values()) * (1 - _number(share))
    held_out = _held_out(facts, learnt)
    choices += [held_out] if held_out else []
    learnt -= sum(facts.counts.values()) * _number(held_out)
    steps = math.ceil(learnt / BATCH_SIZE)
    epochs = max(LEAST_EPOCHS, math.ceil(STEPS / steps))
    choices += [
        Choice("prepare", "validation_fraction", 0.0, _none_of_variant(facts, bool(held_out))),
        Choice("train", "dropout", 0.0, "there is no hidden layer to drop from"),
        Choice("train", "learning_rate", 0.001, "of a single layer; falls to 0 along the schedule"),
        Choice("train", "epochs", epochs, f"of {steps:,} steps, so {epochs * steps:,} in all"),
    ]
    if weighted := _class_weights(facts):
        choices.append(weighted)
    by_validation = bool(held_out) or facts.validation >= LEAST_TOLD_BY
    if by_validation or learnt >= LEAST_ASKED:
        choices += _certainty(by_validation=by_validation)
    return choices


def _certainty(*, by_validation: bool) -> list[Choice]:
    if by_validation:
        wanted, how = CERTAINTY, "found on validation photos after training"
    else:
        wanted = CERTAINTY | {"folds": FOLDS}
        how = "by heads that have not learnt from the photo"
    return [
        Choice("train", "certainty", wanted, how),
        Choice("exports", "unsure", UNSURE, "says so where it is, by photos new to it"),
    ]


def summary(choices: Sequence[Choice]) -> str:
    """Say what was chosen in a line."""
    shown = [choice for choice in choices if choice.key not in _SAME_FOR_ALL and choice.value]
    return ", ".join(f"{choice.key} {choice.value}" for choice in shown)


_SAME_FOR_ALL = ("color", "interpolation", "dropout", "learning_rate", "certainty", "unsure")


def _number(choice: Choice | None) -> float:
    return float(choice.value) if choice and isinstance(choice.value, float) else 0.0


def _held_out(facts: Facts, learnt: float) -> Choice | None:
    """Hold photos out of many, by which the model learns to say that it does not know."""
    if facts.validation or learnt < FEW_PHOTOS:
        return None
    reason = "of so many, some tell how sure it may be"
    return Choice("extract", "validation_fraction", HELD_OUT_FRACTION, reason)


def _test_fraction(facts: Facts) -> Choice:
    total = sum(facts.counts.values())
    wanted = min(GREATEST_TEST_FRACTION, max(LEAST_TEST_FRACTION, TEST_PHOTOS / total))
    share = math.ceil(100 * wanted - 1e-9) / 100
    tested = max(1, round(share * total))
    low, high = intervals.wilson(round(0.9 * tested), tested)
    interval = f"{100 * low:.0f} to {100 * high:.0f} %"
    reason = f"about {tested:,} photos: 90 % right would mean {interval}"
    return Choice("extract", "test_fraction", share, reason)


def _framing(facts: Facts, usual_px: int) -> list[Choice]:
    if facts.length >= OBLONG:
        long = f"photos are {facts.length:.1f} times as long as wide"
        return [
            Choice("prepare", "image_size_px", LARGE_PX, f"{long}: room for their short side"),
            Choice("prepare", "fit", "pad", "the whole of a photo, at its own proportions"),
        ]
    return [
        Choice("prepare", "image_size_px", usual_px, "as the photos that its net learnt from"),
        Choice("prepare", "fit", "crop", "the middle of a photo, at its own proportions"),
    ]


def _none_of_variant(facts: Facts, is_held_out: bool) -> str:
    if facts.validation:
        return "there are validation photos"
    if is_held_out:
        return "extract holds them out"
    return "all are learnt from; to try settings, imago crossvalidate"


def _class_weights(facts: Facts) -> Choice | None:
    most, least = max(facts.counts.values()), min(facts.counts.values())
    if most < UNLIKE_COUNTS * least:
        return None
    reason = f"classes of {least:,} to {most:,} photos count the same"
    return Choice("train", "class_weights", "balanced", reason)
