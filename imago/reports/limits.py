"""What to know before a model is relied on, said from its own metrics."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imago import history
from imago.reports.numbers import count, counted, percent
from imago.scoring import intervals

GAP_OF_OVERFITTING = 0.02
"""Of accuracy, between images that were learnt from and others."""
GAP_OF_CONFIDENCE = 0.01
"""Between the mean probability and the accuracy: what is less is called honest."""
FEW_TEST_IMAGES = 100
"""Of a class: its metrics move by a whole point with each image."""
UNLIKE_CLASSES = 2
"""How many times as many training images one class has as another."""

Sentence = dict[str, str]
"""`about`, a word or two, and `says`."""
Card = Mapping[str, Any]


def sentences(card: Card) -> list[Sentence]:
    """Say the limits of a model; see `imago.reports.card.make`, whose card needs no `limits`."""
    rules: tuple[tuple[str, Callable[[Card], Iterator[str]]], ...] = (
        ("Test size", _test_size),
        ("Weakest class", _weakest_class),
        ("Confusions", _confusions),
        ("Confidence", _confidence),
        ("Overfitting", _overfitting),
        ("Few test images", _few_test_images),
        ("Class sizes", _unlike_classes),
        ("Look-alikes", _leaks),
        ("Images", _images),
        ("Classes", _classes),
        ("Unsure", _unsure),
    )
    return [{"about": about, "says": text} for about, rule in rules for text in rule(card)]


def _test_size(card: Card) -> Iterator[str]:
    metrics = card["metrics"]
    width = metrics["accuracy_high"] - metrics["accuracy_low"]
    yield (
        f"On {counted(metrics['examples'], 'test image')} the 95 % interval of the accuracy is "
        f"{_points(width)} wide; a difference smaller than that may be chance."
    )


def _weakest_class(card: Card) -> Iterator[str]:
    tested = [row for row in card["per_class"] if row["support"]]
    worst = min(tested, key=lambda row: row["f1"])
    yield (
        f"{worst['class']}: of its images {percent(worst['recall'])} are found, and "
        f"{percent(worst['precision'])} of the answers “{worst['class']}” are right "
        f"(F1 {percent(worst['f1'])}; mean of the classes {percent(card['metrics']['macro_f1'])})."
    )


def _confusions(card: Card) -> Iterator[str]:
    if not card["confusions"]:
        yield "No test image is named wrong."
        return
    first = card["confusions"][0]
    of_class = _examples(card, "test")[first["true"]]
    yield (
        f"Most often {first['true']} is taken for {first['predicted']}: {count(first['count'])} of "
        f"{counted(of_class, 'image')} ({percent(first['share'])})."
    )


def _confidence(card: Card) -> Iterator[str]:
    stated, right = card["confidence"], card["metrics"]["accuracy"]
    if stated is None:
        return
    both = f"it states a probability of {percent(stated)} on average, and {percent(right)}"
    if abs(stated - right) < GAP_OF_CONFIDENCE:
        yield f"Honest on the whole: {both} of its answers are right."
    elif stated > right:
        yield f"Overconfident: {both} of its answers are right."
    else:
        yield f"Underconfident: {both} of its answers are right."


def _overfitting(card: Card) -> Iterator[str]:
    kept = card["history"][history.kept(card["history"], card["parameters"]["train"])]
    learnt, others, which = kept["accuracy"], kept.get("validation_accuracy"), "validation"
    if others is None:
        others, which = card["metrics"]["accuracy"], "test"
    shares = (
        f"of the training images {percent(learnt)} were right in epoch {kept['epoch']}, "
        f"of the {which} images {percent(others)} are"
    )
    if learnt - others > GAP_OF_OVERFITTING:
        yield f"There is some, {_points(learnt - others)}: {shares}."
    else:
        yield f"No sign of it: {shares}."


def _few_test_images(card: Card) -> Iterator[str]:
    few = {n: size for n, size in _examples(card, "test").items() if size < FEW_TEST_IMAGES}
    if few:
        name = min(few, key=few.__getitem__)
        classes = "class has" if len(few) == 1 else "classes have"
        yield (
            f"{count(len(few))} {classes} fewer than {FEW_TEST_IMAGES}, which says little of each; "
            f"{name} has the fewest, {count(few[name])}."
        )


def _unlike_classes(card: Card) -> Iterator[str]:
    sizes = _examples(card, "train")
    least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[most] >= UNLIKE_CLASSES * sizes[least]:
        yield (
            f"It learnt from {counted(sizes[most], 'image')} of {most} and from "
            f"{count(sizes[least])} of {least}: rare classes are learnt less well."
        )


def _leaks(card: Card) -> Iterator[str]:
    if total := sum(card["data"]["leaks"].values()):
        yield (
            f"{counted(total, 'image')} of the data set stand in two splits, or nearly so, and "
            "may make the accuracy look better than it is."
        )


def _images(card: Card) -> Iterator[str]:
    height, width, channels = card["data"]["image_shape"]
    colors = "grey" if channels == 1 else "colour"
    yield (
        f"It sees {width}×{height} pixels in {colors}: what is finer than that is lost, and images "
        "that were taken otherwise than those of the data set may fare worse."
    )


def _unsure(card: Card) -> Iterator[str]:
    if (unsure := card.get("unsure")) is None:
        return
    reasons = []
    if unsure["probability"] is not None:
        reasons.append(f"less than {percent(unsure['probability'])} probable")
    if unsure["distance"] is not None:
        reasons.append("of an image unlike all that it learnt from")
    if not reasons:
        yield "It gives an answer in any case: no limit was needed for what is wanted of it."
        return
    test = unsure["test"]
    answered, among = test["answered"], f"of {counted(test['images'], 'test image')}"
    yield f"It says “unsure” where an answer is {' or '.join(reasons)}."
    if not answered:
        yield f"It would answer for none {among}: the limit is of no use."
        return
    right, whole = test["right_answered"], test["right"] / test["images"]
    low, high = intervals.wilson(right, answered)
    yield (
        f"It gives an answer for {count(answered)} {among}, and {percent(right / answered)} of "
        f"these are right (95 % interval {percent(low)} to {percent(high)}); of the answers to all "
        f"images {percent(whole)} are."
    )


def _classes(card: Card) -> Iterator[str]:
    if card.get("unsure"):
        return
    yield (
        f"It answers with one of its {count(len(card['classes']))} classes, whatever the image "
        "shows."
    )


def _examples(card: Card, split: str) -> Mapping[str, int]:
    examples: Mapping[str, int] = card["data"]["splits"][split]["examples_per_class"]
    return examples


def _points(difference: float) -> str:
    return f"{100 * difference:.2f} points"
