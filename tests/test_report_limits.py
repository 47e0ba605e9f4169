import copy

import pytest

from imago.reports import limits

CARD = {
    "metrics": {
        "accuracy": 0.7,
        "accuracy_low": 0.6,
        "accuracy_high": 0.78,
        "macro_f1": 0.65,
        "examples": 200,
    },
    "per_class": [
        {"class": "cat", "precision": 0.9, "recall": 0.8, "f1": 0.847, "support": 100},
        {"class": "dog", "precision": 0.5, "recall": 0.25, "f1": 0.333, "support": 100},
        {"class": "owl", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0},
    ],
    "confusions": [{"true": "dog", "predicted": "cat", "count": 60, "share": 0.6}],
    "confidence": 0.82,
    "history": [
        {"epoch": 1, "accuracy": 0.8, "validation_accuracy": 0.79, "validation_loss": 0.5},
        {"epoch": 2, "accuracy": 0.95, "validation_accuracy": 0.75, "validation_loss": 0.9},
    ],
    "parameters": {"train": {}},
    "classes": ["cat", "dog", "owl"],
    "data": {
        "image_shape": [32, 48, 3],
        "leaks": {},
        "splits": {
            "train": {"examples_per_class": {"cat": 900, "dog": 450, "owl": 451}},
            "validation": {"examples_per_class": {"cat": 400, "dog": 200, "owl": 200}},
            "test": {"examples_per_class": {"cat": 100, "dog": 100, "owl": 0}},
        },
    },
}

SPLITS = CARD["data"]["splits"]
FEW = {"cat": 30, "dog": 25, "owl": 100}


def says(about, **changes):
    card = copy.deepcopy(CARD) | changes
    return [one["says"] for one in limits.sentences(card) if one["about"] == about]


def unsure(wanted):
    counts = {"images": 100, "answered": 20, "right": 30, "right_answered": 10}
    limits = {"probability": 0.4, "distance": None, "wanted": {"precision": wanted}}
    return limits | {"validation": counts, "test": counts}


def history(accuracy, validation_accuracy):
    return [{"epoch": 4, "accuracy": accuracy, "validation_accuracy": validation_accuracy}]


@pytest.mark.parametrize(
    ("about", "changes", "expected"),
    [
        (
            "Test size",
            {},
            "It was tested on 200 images, so its 70.00 % are an estimate: of other such images "
            "between 60.00 % and 78.00 % may be named right. A model whose figure lies within that "
            "may be as good.",
        ),
        (
            "Test size",
            {
                "metrics": CARD["metrics"]
                | {
                    "balanced_accuracy": 0.525,
                    "balanced_accuracy_low": 0.41,
                    "balanced_accuracy_high": 0.6,
                }
            },
            "It was tested on 200 images, so its 52.50 % are an estimate: of other such images of "
            "a class, on average, between 41.00 % and 60.00 % may be named right. A model whose "
            "figure lies within that may be as good.",
        ),
        (
            "Weakest class",
            {},
            "dog: 25.00 % of its 100 test images are recognised, and of the answers “dog” 50.00 % "
            "are right.",
        ),
        (
            "Weakest class",
            {"per_class": [CARD["per_class"][1] | {"support": 8}]},
            "dog: 25.00 % of its 8 test images are recognised (of so few; of many it may be 7.15 % "
            "to 59.07 %), and of the answers “dog” 50.00 % are right.",
        ),
        (
            "Confusions",
            {},
            "Most often dog is taken for cat: 60 of 100 images (60.00 %).",
        ),
        ("Confusions", {"confusions": []}, "No test image is named wrong."),
        (
            "Confidence",
            {},
            "Overconfident: it states a probability of 82.00 % on average, and 70.00 % of its "
            "answers are right.",
        ),
        (
            "Confidence",
            {"confidence": 0.59},
            "Underconfident: it states a probability of 59.00 % on average, and 70.00 % of its "
            "answers are right.",
        ),
        (
            "Confidence",
            {"confidence": 0.75},
            "Too few test images to tell whether it is honest: it states a probability of 75.00 % "
            "on average, and 70.00 % of its answers are right, of many it may be 60.00 % to "
            "78.00 %.",
        ),
        (
            "New images",
            {
                "history": history(0.74, None),
                "data": CARD["data"] | {"splits": {**SPLITS, "test": {"examples_per_class": FEW}}},
            },
            "Too few images to tell whether it knows some by heart: of the images that it learnt "
            "from 74.00 % were named right in epoch 4, of the test images, which are new to it, "
            "70.00 % are.",
        ),
        (
            "Confidence",
            {"confidence": 0.705},
            "Honest on the whole: it states a probability of 70.50 % on average, and 70.00 % of "
            "its answers are right.",
        ),
        (
            "New images",
            {},
            "It knows some images by heart: of the images that it learnt from 95.00 % were named "
            "right in epoch 2, of the validation images, which are new to it, 75.00 % are.",
        ),
        (
            "New images",
            {"parameters": {"train": {"early_stopping": {"monitor": "validation_loss"}}}},
            "No sign that it only knows images by heart: of the images that it learnt from 80.00 % "
            "were named right in epoch 1, of the validation images, which are new to it, 79.00 % "
            "are.",
        ),
        (
            "New images",
            {"parameters": {"train": {"early_stopping": {"monitor": "validation_accuracy"}}}},
            "No sign that it only knows images by heart: of the images that it learnt from 80.00 % "
            "were named right in epoch 1, of the validation images, which are new to it, 79.00 % "
            "are.",
        ),
        (
            "New images",
            {
                "parameters": {
                    "train": {
                        "epochs": 1,
                        "fine_tune": {"early_stopping": {"monitor": "validation_loss"}},
                    }
                },
                "history": [
                    {"epoch": 1, "accuracy": 0.9, "validation_accuracy": 0.9, "validation_loss": 0},
                    *CARD["history"],
                ],
            },
            "No sign that it only knows images by heart: of the images that it learnt from 80.00 % "
            "were named right in epoch 1, of the validation images, which are new to it, 79.00 % "
            "are.",
        ),
        (
            "New images",
            {"history": history(0.71, None)},
            "No sign that it only knows images by heart: of the images that it learnt from 71.00 % "
            "were named right in epoch 4, of the test images, which are new to it, 70.00 % are.",
        ),
        (
            "Untested",
            {},
            "No test image is of owl, so nothing is known of how well it finds those; balanced "
            "accuracy leaves them out, macro F1 counts each as 0.",
        ),
        (
            "Few test images",
            {"data": CARD["data"] | {"splits": {**SPLITS, "test": {"examples_per_class": FEW}}}},
            "2 classes have fewer than 100, so what is said of each is rough; dog has the fewest, "
            "25, of which each is 4.00 %.",
        ),
        (
            "Class sizes",
            {},
            "It learnt from 900 images of cat and from 450 of dog: rare classes are learnt less "
            "well.",
        ),
        (
            "Class sizes",
            {"data": CARD["data"] | {"views": 2}},
            "It learnt from 300 images of cat and from 150 of dog: rare classes are learnt less "
            "well.",
        ),
        (
            "Look-alikes",
            {"data": CARD["data"] | {"leaks": {"near": 3, "exact": 1}}},
            "4 test or validation photos are, or nearly are, in another split too, such as among "
            "those that it learnt from, so its figures may look better than they are.",
        ),
        (
            "Images",
            {},
            "It sees each image as 48×32 pixels in colour: what is finer than that is lost. Images "
            "taken in another way than those that it learnt from, such as in other light or from "
            "further away, may be named wrong more often.",
        ),
        ("Classes", {}, "It answers with one of its 3 classes, whatever the image shows."),
    ],
)
def test_sentences(about, changes, expected):
    assert says(about, **changes) == [expected]


def test_nothing_is_said_where_there_is_nothing_to_say():
    even = {"examples_per_class": {"cat": 100, "dog": 100}}
    data = CARD["data"] | {"splits": {"train": even, "validation": even, "test": even}}
    said = {one["about"] for one in limits.sentences(CARD | {"data": data, "confidence": None})}
    assert not said & {"Confidence", "Few test images", "Class sizes", "Look-alikes"}


def test_a_precision_that_no_limit_reaches_is_said():
    said = says("Unsure", unsure=unsure(wanted=0.9))
    assert said[1] == (
        "No limit makes 90.00 % of its answers right, as was wanted: on images that it has not "
        "learnt from, 50.00 % at best."
    )
    assert says("Unsure", unsure=unsure(wanted=0.5)) == [said[0], said[2]]
