import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from imago.core import files
from imago.scoring import roc

CLASSES = ("cat", "dog", "owl")


def drawn(seed, class_count, examples, certainty=1.0):
    """Labels as probable as the probabilities say; the greater `certainty`, the easier."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (examples, class_count))
    labels = np.array((logits + random.gumbel(0, 1 / certainty, logits.shape)).argmax(axis=1))
    whole = np.exp(certainty * logits)
    return labels, (whole / whole.sum(axis=1, keepdims=True)).astype(np.float32)


def rows(table):
    return list(table.itertuples(index=False, name=None))


def test_areas_by_hand():
    labels = np.array([0, 0, 1, 2])
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6]])

    # cat: 0.6 above 0.3 and 0.2; 0.2 below 0.3, equal to 0.2. dog: 0.4 above two of three.
    assert roc.areas(labels, probabilities) == pytest.approx([(2 + 1 / 2) / 4, 2 / 3, 1])


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        pytest.param([0, 1, 0], [False, False, True], id="a class without examples"),
        pytest.param([1, 1, 1], [True, True, True], id="one class alone"),
        pytest.param([2], [True, True, True], id="one example"),
    ],
)
def test_a_class_without_examples_or_without_others_has_no_area_and_no_curve(labels, missing):
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3]])[: len(labels)]

    assert np.isnan(roc.areas(np.array(labels), probabilities)).tolist() == missing
    table = roc.curves(np.array(labels), probabilities, CLASSES)
    assert table.columns.tolist() == ["class", "false_positive_rate", "true_positive_rate"]
    assert set(table["class"]) == {
        name for name, gone in zip(CLASSES, missing, strict=True) if not gone
    }


@pytest.mark.parametrize("class_count", [2, 3, 10])
@pytest.mark.parametrize("seed", range(5))
def test_areas_agree_with_scikit_learns_one_versus_rest(seed, class_count):
    labels, probabilities = drawn(seed, class_count, 800)
    whole = probabilities.astype(np.float64)
    whole /= whole.sum(axis=1, keepdims=True)

    found = roc.areas(labels, probabilities).mean()

    if class_count == 2:
        assert found == pytest.approx(metrics.roc_auc_score(labels, whole[:, 1]), abs=1e-5)
    else:
        expected = metrics.roc_auc_score(labels, whole, multi_class="ovr", average="macro")
        assert found == pytest.approx(expected, abs=1e-5)


def test_curves_by_hand():
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]])

    # from above: cat right 0.9, wrong 0.6, right 0.4; dog wrong 0.6, right 0.4, wrong 0.1
    assert rows(roc.curves(labels, probabilities, ("cat", "dog"))) == [
        ("cat", 0, 0),
        ("cat", 0, 0.5),
        ("cat", 1, 0.5),
        ("cat", 1, 1),
        ("dog", 0, 0),
        ("dog", 0.5, 0),
        ("dog", 0.5, 1),
        ("dog", 1, 1),
    ]


@pytest.mark.parametrize("certainty", [0.02, 0.5, 3.0], ids=["guesses", "middling", "sure"])
def test_thinned_curves_are_close_to_the_whole_ones(certainty):
    labels, probabilities = drawn(5, 10, 10_000, certainty)

    table = roc.curves(labels, probabilities, tuple("abcdefghij"))

    for index, (name, curve) in enumerate(table.groupby("class")):
        false, true = curve["false_positive_rate"], curve["true_positive_rate"]
        assert (name, len(curve) <= roc.MOST_POINTS) == ("abcdefghij"[index], True)
        assert (false.iloc[0], true.iloc[0], false.iloc[-1], true.iloc[-1]) == (0, 0, 1, 1)
        assert (false.diff()[1:] >= 0).all()
        assert (true.diff()[1:] >= 0).all()
        whole = metrics.roc_auc_score(labels == index, probabilities[:, index])
        assert metrics.auc(false, true) == pytest.approx(whole, abs=0.003)
        points = set(
            zip(*(rate.round(6) for rate in _whole(labels, probabilities, index)), strict=True)
        )
        assert set(zip(false, true, strict=True)) <= points


def _whole(labels, probabilities, index):
    return metrics.roc_curve(labels == index, probabilities[:, index], drop_intermediate=False)[:2]


@pytest.mark.parametrize("certainty", [0.02, 0.5, 3.0], ids=["guesses", "middling", "sure"])
def test_the_table_stays_small(tmp_path, certainty):
    labels, probabilities = drawn(6, 10, 10_000, certainty)

    table = roc.curves(labels, probabilities, [f"class number {index}" for index in range(10)])

    files.write_csv(tmp_path / "roc.csv", table)
    assert (tmp_path / "roc.csv").stat().st_size < 100_000
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "roc.csv"), table, check_dtype=False)


def test_each_of_many_classes_keeps_some_points():
    labels, probabilities = drawn(7, 100, 6000)

    counts = roc.curves(labels, probabilities, [str(index) for index in range(100)])["class"]

    assert counts.nunique() == 100

    assert counts.value_counts().max() <= roc.FEWEST_POINTS
    assert counts.value_counts().min() > roc.FEWEST_POINTS / 2


def test_of_very_many_classes_the_mean_and_the_worst_are_told(tmp_path):
    labels, probabilities = drawn(8, 300, 9000)
    classes = [f"class number {index}" for index in range(300)]

    table = roc.curves(labels, probabilities, classes)

    worst = np.argsort(roc.areas(labels, probabilities), kind="stable")[:99]
    names = ["mean of 300 classes", *(classes[index] for index in np.sort(worst))]
    assert table["class"].unique().tolist() == names
    mean = table[table["class"] == names[0]]
    area = metrics.auc(mean["false_positive_rate"], mean["true_positive_rate"])
    assert area == pytest.approx(roc.areas(labels, probabilities).mean(), abs=0.01)
    assert mean.iloc[[0, -1], 1:].to_numpy().tolist() == [[0, 0], [1, 1]]
    files.write_csv(tmp_path / "roc.csv", table)
    assert (tmp_path / "roc.csv").stat().st_size < 100_000
