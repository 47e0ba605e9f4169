"""What to know before a model is relied on, said from its own metrics."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imago import history
from imago.core.photo_names import listed
from imago.reports.numbers import count, counted, percent
from imago.scoring import intervals, metric

GAP_OF_OVERFITTING = 0.02
"""Of accuracy, between images that were learnt from and others."""
GAP_OF_CONFIDENCE = 0.01
"""Between the mean probability and the accuracy: what is less is called honest."""
FEW_MISTAKES = 2
"""More on images that are new than on as many that were learnt from: as good as none."""
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
        ("New images", _overfitting),
        ("Untested", _untested),
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
    leading = metric.leading(metrics)
    low, high = metric.interval(leading, metrics)
    of_class = "" if leading.name == "accuracy" else " of a class, on average,"
    yield (
        f"It was tested on {counted(metrics['examples'], 'image')}, so its "
        f"{percent(metrics[leading.name])} are an estimate: of other such images{of_class} between "
        f"{percent(low)} and {percent(high)} may be named right. A model whose figure lies within "
        "that may be as good."
    )


def _weakest_class(card: Card) -> Iterator[str]:
    tested = [row for row in card["per_class"] if row["support"]]
    worst = min(tested, key=lambda row: row["f1"])
    name, images = worst["class"], worst["support"]
    recall, precision = percent(worst["recall"]), percent(worst["precision"])
    roughly = ""
    if images < FEW_TEST_IMAGES:
        low, high = intervals.wilson(round(worst["recall"] * images), images)
        roughly = f" (of so few; of many it may be {percent(low)} to {percent(high)})"
    yield (
        f"{name}: {recall} of its {counted(images, 'test image')} are recognised{roughly}, and of "
        f"the answers “{name}” {precision} are right."
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
    low, high = card["metrics"]["accuracy_low"], card["metrics"]["accuracy_high"]
    if abs(stated - right) < GAP_OF_CONFIDENCE:
        yield f"Honest on the whole: {both} of its answers are right."
    elif low <= stated <= high:
        yield (
            f"Too few test images to tell whether it is honest: {both} of its answers are right, "
            f"of many it may be {percent(low)} to {percent(high)}."
        )
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
        f"of the images that it learnt from {percent(learnt)} were named right in epoch "
        f"{kept['epoch']}, of the {which} images, which are new to it, {percent(others)} are"
    )
    images = sum(_examples(card, which).values())
    _, high = intervals.wilson(round(others * images), images)
    are_few = learnt <= high or (learnt - others) * images < FEW_MISTAKES
    if learnt - others > GAP_OF_OVERFITTING and are_few:
        yield f"Too few images to tell whether it knows some by heart: {shares}."
    elif learnt - others > GAP_OF_OVERFITTING:
        yield f"It knows some images by heart: {shares}."
    else:
        yield f"No sign that it only knows images by heart: {shares}."


def _untested(card: Card) -> Iterator[str]:
    if absent := [name for name, size in _examples(card, "test").items() if not size]:
        yield (
            f"No test image is of {listed(absent)}, so nothing is known of how well it finds "
            "those; balanced accuracy leaves them out, macro F1 counts each as 0."
        )


def _few_test_images(card: Card) -> Iterator[str]:
    few = {n: size for n, size in _examples(card, "test").items() if 0 < size < FEW_TEST_IMAGES}
    if few:
        name = min(few, key=few.__getitem__)
        classes = "class has" if len(few) == 1 else "classes have"
        yield (
            f"{count(len(few))} {classes} fewer than {FEW_TEST_IMAGES}, so what is said of each is "
            f"rough; {name} has the fewest, {count(few[name])}, of which each is "
            f"{percent(1 / few[name])}."
        )


def _unlike_classes(card: Card) -> Iterator[str]:
    copies = card["data"].get("views") or 0
    sizes = {n: size // (1 + copies) for n, size in _examples(card, "train").items()}
    least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[most] >= UNLIKE_CLASSES * sizes[least]:
        yield (
            f"It learnt from {counted(sizes[most], 'image')} of {most} and from "
            f"{count(sizes[least])} of {least}: rare classes are learnt less well."
        )


def _leaks(card: Card) -> Iterator[str]:
    if total := sum(card["data"]["leaks"].values()):
        are = "is, or nearly is," if total == 1 else "are, or nearly are,"
        yield (
            f"{counted(total, 'test or validation photo')} {are} in another split too, such as "
            "among those that it learnt from, so its figures may look better than they are."
        )


def _images(card: Card) -> Iterator[str]:
    height, width, channels = card["data"]["image_shape"]
    colors = "grey" if channels == 1 else "colour"
    yield (
        f"It sees each image as {width}×{height} pixels in {colors}: what is finer than that is "
        "lost. Images taken in another way than those that it learnt from, such as in other light "
        "or from further away, may be named wrong more often."
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
    if told := _precision_not_reached(unsure):
        yield told
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


def _precision_not_reached(unsure: Mapping[str, Any]) -> str:
    wanted, known = unsure["wanted"].get("precision"), unsure["validation"]
    if wanted is None or not known["answered"]:
        return ""
    right = known["right_answered"] / known["answered"]
    if right >= wanted:
        return ""
    return (
        f"No limit makes {percent(wanted)} of its answers right, as was wanted: on images that it "
        f"has not learnt from, {percent(right)} at best."
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
