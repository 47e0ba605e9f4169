from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from imago import activation_maps, figures, history
from imago.core import registry
from imago.data import arrays
from imago.drawing import canvas
from imago.figures import (
    confused_pairs,
    confusion,
    curves,
    per_class,
    reliability,
    samples,
)
from imago.scoring import calibration, tables
from tests import made_up
from tests.subjects import subject

LONG = "Great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias"


def texts(figure):
    return [text.get_text().replace("\n", " ") for text in figure.texts]


def info(classes, images):
    return arrays.Info(tuple(classes), images.shape[1:], splits={}, views=0, statistics=None)


def of_training(images, labels, classes):
    return subject(data=info(classes, images), train=arrays.Split(images, labels))


def epochs(count, validated):
    logs = [
        {"loss": 2 / n, "accuracy": 1 - 1 / (n + 1), "learning_rate": 0.1}
        | ({"val_loss": 3 / n, "val_accuracy": 0.5} if validated else {})
        for n in range(1, count + 1)
    ]
    return history.table(logs)


def test_curves_of_training_and_validation():
    figure = curves.draw(subject(history=epochs(3, validated=True)))

    loss, accuracy, rate = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Loss (nats)",
        "Accuracy",
        "Learning rate",
    ]
    training, validation = loss.lines
    assert training.get_xdata().tolist() == [1, 2, 3]
    assert training.get_ydata().tolist() == [2, 1, pytest.approx(2 / 3)]
    assert validation.get_ydata().tolist() == [3, 1.5, 1]
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() != validation.get_marker()
    assert accuracy.lines[1].get_ydata().tolist() == [0.5] * 3
    assert rate.lines[0].get_ydata().tolist() == [0.1] * 3
    assert texts(figure)[1] == (
        "3 epochs; in the last, training loss 0.6667, accuracy 75.00 %; validation loss 1.0000, "
        "accuracy 50.00 %."
    )


def test_curves_without_validation():
    figure = curves.draw(subject(history=epochs(2, validated=False)))

    assert texts(figure)[1].endswith("There were no validation images.")
    assert not any("validation, after" in words for words in texts(figure))


@pytest.mark.parametrize("validated", [True, False])
def test_curves_of_one_epoch_are_points_in_the_middle(validated):
    figure = curves.draw(subject(history=epochs(1, validated=validated)))

    assert texts(figure)[1].startswith("One epoch; ")
    for axes in figure.axes:
        assert axes.get_xlim() == (0.5, 1.5)
        assert axes.lines[0].get_marker() != "None"


def test_counts_and_shares_of_a_confusion_matrix():
    table = pd.DataFrame({"count": [199, 1, 0, 30, 70, 0, 0, 0, 0]})

    words = texts(confusion.draw(subject(confusion=table, classes=("cat", "dog", "owl"))))

    assert words[2:8] == ["cat", "200", "dog", "100", "owl", "0"]
    assert words[12:] == ["199", ">99 %", "1", "<1 %", "30", "30 %", "70", "70 %"]


def test_of_many_classes_the_most_confused_are_kept_in_their_order(monkeypatch):
    monkeypatch.setattr(confusion, "CLASSES", 2)
    counts = np.array([[9, 0, 1, 0], [0, 8, 0, 0], [2, 0, 7, 3], [0, 1, 0, 6]])

    kept, names = confusion.gathered(counts, ["a", "b", "c", "d"])

    # Mistakes: a 1 + 2, b 0 + 1, c 5 + 1, d 1 + 3; so c and d stay, a and b are together.
    assert names == ["c", "d", "2 others"]
    assert kept.tolist() == [[7, 3, 2], [0, 6, 1], [1, 0, 17]]
    assert kept.sum() == counts.sum()


def test_a_confusion_matrix_says_what_it_leaves_out():
    classes = [f"class {number}" for number in range(25)]
    table = pd.DataFrame({"count": np.eye(25, dtype=int).ravel()})

    words = texts(confusion.draw(subject(confusion=table, classes=classes)))

    assert words[1].endswith("20 of 25 classes, those in most mistakes.")
    assert "5 others" in words


def many_classes(count, mistakes):
    """An image of each class and a few more, which are mistakes: (true, predicted) labels."""
    true, predicted = np.array([*((n, n) for n in range(count)), *mistakes]).T
    classes = tuple(f"class {number}" for number in range(count))
    probabilities = np.eye(count, dtype=np.float32)[predicted]
    return subject(
        confusion=tables.confusion(true, probabilities, classes),
        predictions=made_up.predictions(true, probabilities, classes),
        classes=classes,
    )


def test_of_very_many_classes_the_largest_confusions_are_shown(monkeypatch):
    monkeypatch.setattr(confused_pairs, "PAIRS", 2)
    of_many = many_classes(60, [(1, 2), (5, 3), (5, 3), (7, 0), (7, 1), (1, 2), (1, 2)])

    words = texts(confused_pairs.draw(of_many))

    assert words[1] == (
        "The 2 largest of 4 kinds of mistakes, on 67 test images of 60 classes. The bar is the "
        "share of the true class's images."
    )
    assert words[6:] == [
        *("class 1", "→", "class 2", "3", "75 %"),
        *("class 5", "→", "class 3", "2", "67 %"),
    ]
    assert confusion.draw(of_many) is None


def test_of_very_many_classes_without_mistakes_nothing_is_shown():
    of_many = many_classes(60, [])

    assert confused_pairs.draw(of_many) is None
    assert confusion.draw(of_many) is None


def test_a_matrix_that_is_whole_needs_no_list():
    of_few = many_classes(50, [(1, 2)])

    assert confused_pairs.draw(of_few) is None
    assert confusion.draw(of_few) is not None


def test_precision_and_recall_of_each_class():
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    table = tables.per_class(labels, probabilities, ("cat", "dog"))

    figure = per_class.draw(subject(per_class=table))

    (axes,) = figure.axes
    recall, precision = axes.lines
    assert precision.get_xdata().tolist() == [1, 0.5]
    assert recall.get_xdata().tolist() == [pytest.approx(2 / 3), 1]
    assert axes.get_xlim() == (0.4, 1)
    assert axes.get_ylim() == (1.5, -0.5)  # the first class is on top
    assert texts(figure)[-10:] == [
        *("cat", "1.000", "0.667", "0.800", "3"),
        *("dog", "0.500", "1.000", "0.667", "1"),
    ]


@pytest.mark.parametrize(
    ("lowest", "begins"), [(0.0, 0.0), (0.05, 0.0), (0.51, 0.4), (0.97, 0.9), (1.0, 0.9)]
)
def test_the_axis_begins_at_a_tenth_below_the_lowest(lowest, begins):
    assert per_class.lowest_shown(lowest) == pytest.approx(begins)


@pytest.mark.parametrize("lowest", [0.05, 0.55, 0.65, 0.75, 0.85, 0.95])
def test_percentages_beside_precision_and_recall_are_whole(lowest):
    table = pd.DataFrame({"class": ["a"], "precision": [lowest], "recall": [1.0], "f1": [0.9]})
    figure = per_class.draw(SimpleNamespace(per_class=table.assign(support=3)))
    places = figure.axes[0].get_xticks()
    assert places * 100 == pytest.approx((places * 100).round())


def test_of_many_classes_the_worst_and_the_best_are_shown(monkeypatch):
    monkeypatch.setattr(per_class, "CLASSES", 3)
    monkeypatch.setattr(per_class, "BEST", 1)
    columns = {"precision": 0.5, "recall": 0.5, "f1": [0.9, 0.2, 0.8, 0.7, 0.6], "support": 4}
    table = pd.DataFrame({"class": list("abcde")} | columns)

    words = texts(per_class.draw(subject(per_class=table)))

    assert words[1].startswith(
        "Of 5 classes the 2 of the lowest F1 and the 1 of the highest, the lowest first. "
    )
    assert [word for word in words if word in set("abcde")] == ["b", "e", "a"]


def test_reliability_is_that_of_the_table():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])

    figure = reliability.draw(subject(reliability=calibration.reliability(labels, probabilities)))

    error = made_up.value(
        "expected_calibration_error", labels, probabilities
    )  # (3 * |2/3 - 0.9| + 0.4) / 4
    assert error == pytest.approx(0.275)
    assert texts(figure)[1] == (
        "Expected calibration error (ECE) 0.2750 on 4 test images in 15 bins. The model is right "
        "in 75.00 % of them and says 82.50 % on average."
    )
    diagram, histogram = figure.axes
    points = diagram.lines[-1]
    assert points.get_xdata().tolist() == pytest.approx([0.6, 0.9])
    assert points.get_ydata().tolist() == pytest.approx([1, 2 / 3], abs=1e-6)
    heights = [bar.get_height() for bar in histogram.patches]
    assert sum(heights) == 4
    assert max(heights) == 3


@pytest.mark.parametrize(
    ("count", "said"), [(7, "7"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (98_765, "99k")]
)
def test_labels_of_bars_are_short(count, said):
    table = pd.DataFrame(
        {
            "confidence_above": [0.5],
            "confidence_to": [1.0],
            "examples": [count],
            "confidence": [0.75],
            "accuracy": [0.5],
            "accuracy_low": [0.4],
            "accuracy_high": [0.6],
        }
    )
    figure = reliability.draw(subject(reliability=table))
    assert said in [text.get_text() for text in figure.axes[1].texts]


def test_samples_of_each_class_say_how_many_there_are():
    labels = np.array([0, 1, 1, 0, 1])

    images = np.zeros((5, 8, 8, 1), np.uint8)
    words = texts(samples.draw(of_training(images, labels, ("cat", "dog"))))

    assert words[1].startswith("5 training images; ")
    assert words[2:] == ["cat", "2", "dog", "3"]


def test_samples_of_many_classes_say_how_many_are_shown():
    labels = np.arange(120) % 60
    classes = [f"class {number}" for number in range(60)]

    words = texts(samples.draw(of_training(np.zeros((120, 8, 8, 3), np.uint8), labels, classes)))

    assert words[1] == (
        "120 training images of 60 classes, 2 to 2 of each. 48 of the classes are shown."
    )
    assert (words[2], words[-1], len(words)) == ("class 0", "class 59", 2 + 48)


def everything(class_count, side, kind):
    """A subject of random answers: all right, all wrong or some of each."""
    generator = np.random.default_rng(2)
    labels = generator.integers(0, class_count, 300)
    logits = generator.normal(0, 1, (300, class_count))
    logits[np.arange(300), labels] += {"right": 30, "wrong": -30, "both": 2}[kind]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = tuple(f"{LONG if number % 3 else 'W' * 60} {number}" for number in range(class_count))
    split = arrays.Split(generator.integers(0, 256, (300, side, side, 3), dtype=np.uint8), labels)
    return subject(
        data=info(classes, split.images),
        train=split,
        test=split,
        predictions=made_up.predictions(labels, probabilities.astype(np.float32), classes),
        confusion=tables.confusion(labels, probabilities, classes),
        per_class=tables.per_class(labels, probabilities, classes),
        reliability=calibration.reliability(labels, probabilities),
        history=epochs(100, validated=True),
        model=None,
    )


def tick_labels(axes):
    low, high = axes.get_xlim()
    return [text for text in axes.get_xticklabels() if low <= text.get_position()[0] <= high]


@pytest.mark.parametrize(
    ("class_count", "side", "kind"),
    [
        (2, 28, "right"),
        (10, 128, "both"),
        pytest.param(16, 64, "both", marks=pytest.mark.slow),
        (64, 32, "wrong"),
        pytest.param(120, 32, "wrong", marks=pytest.mark.slow),
    ],
)
def test_no_text_is_cut_off_at_the_edge_and_files_are_small(
    tmp_path, monkeypatch, class_count, side, kind
):
    monkeypatch.setattr(
        activation_maps, "compute", lambda _, images, __: np.ones((len(images), 2, 2), np.float32)
    )
    seen = everything(class_count, side, kind)
    for name in registry.names(figures):
        figure = registry.load(figures, name).draw(seen)
        if figure is None:
            assert name in ("views", "confusion" if class_count > 50 else "confused_pairs")
            continue
        if side == 128:  # the greatest files
            canvas.write(tmp_path / f"{name}.png", figure)
            assert (tmp_path / f"{name}.png").stat().st_size < 300_000
        else:
            figure.draw_without_rendering()
        whole = figure.bbox
        assert whole.width <= canvas.WIDTH_PX
        for text in (*figure.texts, *(text for axes in figure.axes for text in tick_labels(axes))):
            box = text.get_window_extent()
            assert box.x0 >= -1, (name, text)
            assert box.x1 <= whole.x1 + 1, (name, text)
            assert box.y0 >= -1, (name, text)
            assert box.y1 <= whole.y1 + 1, (name, text)
