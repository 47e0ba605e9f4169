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
            "test": {"examples_per_class": {"cat": 100, "dog": 100, "owl": 0}},
        },
    },
}


def says(about, **changes):
    card = copy.deepcopy(CARD) | changes
    return [one["says"] for one in limits.sentences(card) if one["about"] == about]


def history(accuracy, validation_accuracy):
    return [{"epoch": 4, "accuracy": accuracy, "validation_accuracy": validation_accuracy}]


@pytest.mark.parametrize(
    ("about", "changes", "expected"),
    [
        (
            "Test size",
            {},
            "On 200 test images the 95 % interval of the accuracy is 18.00 points wide; "
            "a difference smaller than that may be chance.",
        ),
        (
            "Weakest class",
            {},
            "dog: of its images 25.00 % are found, and 50.00 % of the answers “dog” are right "
            "(F1 33.30 %; mean of the classes 65.00 %).",
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
            {"confidence": 0.6},
            "Underconfident: it states a probability of 60.00 % on average, and 70.00 % of its "
            "answers are right.",
        ),
        (
            "Confidence",
            {"confidence": 0.705},
            "Honest on the whole: it states a probability of 70.50 % on average, and 70.00 % of "
            "its answers are right.",
        ),
        (
            "Overfitting",
            {},
            "There is some, 20.00 points: of the training images 95.00 % were right in epoch 2, "
            "of the validation images 75.00 % are.",
        ),
        (
            "Overfitting",
            {"parameters": {"train": {"early_stopping": {"monitor": "validation_loss"}}}},
            "No sign of it: of the training images 80.00 % were right in epoch 1, of the "
            "validation images 79.00 % are.",
        ),
        (
            "Overfitting",
            {"parameters": {"train": {"early_stopping": {"monitor": "validation_accuracy"}}}},
            "No sign of it: of the training images 80.00 % were right in epoch 1, of the "
            "validation images 79.00 % are.",
        ),
        (
            "Overfitting",
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
            "No sign of it: of the training images 80.00 % were right in epoch 1, of the "
            "validation images 79.00 % are.",
        ),
        (
            "Overfitting",
            {"history": history(0.71, None)},
            "No sign of it: of the training images 71.00 % were right in epoch 4, of the test "
            "images 70.00 % are.",
        ),
        (
            "Few test images",
            {},
            "1 class has fewer than 100, which says little of each; owl has the fewest, 0.",
        ),
        (
            "Class sizes",
            {},
            "It learnt from 900 images of cat and from 450 of dog: rare classes are learnt less "
            "well.",
        ),
        (
            "Look-alikes",
            {"data": CARD["data"] | {"leaks": {"near": 3, "exact": 1}}},
            "4 images of the data set stand in two splits, or nearly so, and may make the accuracy "
            "look better than it is.",
        ),
        (
            "Images",
            {},
            "It sees 48×32 pixels in colour: what is finer than that is lost, and images that were "
            "taken otherwise than those of the data set may fare worse.",
        ),
        ("Classes", {}, "It answers with one of its 3 classes, whatever the image shows."),
    ],
)
def test_sentences(about, changes, expected):
    assert says(about, **changes) == [expected]


def test_nothing_is_said_where_there_is_nothing_to_say():
    even = {"examples_per_class": {"cat": 100, "dog": 100}}
    data = CARD["data"] | {"splits": {"train": even, "test": even}}
    said = {one["about"] for one in limits.sentences(CARD | {"data": data, "confidence": None})}
    assert not said & {"Confidence", "Few test images", "Class sizes", "Look-alikes"}
