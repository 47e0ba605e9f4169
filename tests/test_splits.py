import numpy as np
import pytest

from imago.core import sections
from imago.core.errors import DataError
from imago.preparing import splits

CLASSES = ("cat", "dog", "owl")


def labels(*counts):
    ordered = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return np.random.default_rng(3).permutation(ordered)


def test_counts_of_each_class_are_exact():
    targets = labels(50, 30, 20)

    train, validation = splits.stratified(targets, CLASSES, 0.2, seed=20)

    assert np.bincount(targets[train]).tolist() == [40, 24, 16]
    assert np.bincount(targets[validation]).tolist() == [10, 6, 4]


def test_fractions_of_an_example_stay_within_one():
    targets = labels(13, 11, 10)

    _, validation = splits.stratified(targets, CLASSES, 0.3, seed=20)

    assert len(validation) == 10  # 10.2
    counts = np.bincount(targets[validation])
    assert np.abs(counts - [3.9, 3.3, 3.0]).max() < 1


def test_rounding_of_the_fraction_adds_no_example():
    assert 0.07 * 100 > 7  # in binary

    _, validation = splits.stratified(labels(50, 50), CLASSES[:2], 0.07, seed=20)

    assert len(validation) == 7


def test_every_example_is_in_one_part_and_in_order():
    train, validation = splits.stratified(labels(50, 30, 20), CLASSES, 0.2, seed=20)

    assert sorted([*train, *validation]) == list(range(100))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_draw_is_that_of_the_seed():
    def draw(seed):
        return splits.stratified(labels(50, 30, 20), CLASSES, 0.2, seed)[1].tolist()

    assert draw(20) == draw(20)
    assert draw(20) != draw(21)


def test_draw_leaves_the_global_generator_alone():
    before = str(np.random.get_state())  # noqa: NPY002 - the one to be left alone

    splits.stratified(labels(50, 30, 20), CLASSES, 0.2, seed=20)

    assert str(np.random.get_state()) == before  # noqa: NPY002


def test_no_validation():
    train, validation = splits.stratified(labels(1, 2, 3), CLASSES, 0.0, seed=20)

    assert train.tolist() == [0, 1, 2, 3, 4, 5]
    assert validation.tolist() == []


@pytest.mark.parametrize(
    ("counts", "fraction", "message"),
    [
        pytest.param(
            (50, 46, 4),
            0.2,
            "class 'owl' must have at least 5 training images to be split by "
            "validation_fraction 0.2, got 4; add images or change the fraction",
            id="too few for validation",
        ),
        pytest.param((50, 46, 4), 0.8, "'owl' must have at least 5 .* got 4", id="for training"),
        pytest.param((98, 1, 1), 0.5, "'dog' .* got 1; class 'owl' .* got 1", id="two classes"),
        pytest.param((9, 9, 0), 0.5, "'owl' must have at least 2 .* got 0", id="absent class"),
        pytest.param((1, 1, 1), 0.1, "'cat' must have at least 3 .* got 1", id="tiny fraction"),
        pytest.param((1, 0, 0), 0.1, "'dog' must have at least 1 .* got 0", id="one image"),
    ],
)
def test_class_with_too_few_examples(counts, fraction, message):
    with pytest.raises(DataError, match=message):
        splits.stratified(labels(*counts), CLASSES, fraction, seed=20)


def test_of_many_classes_with_too_few_examples_some_are_named():
    targets, classes = np.arange(1000, dtype=np.int32), [f"class {n}" for n in range(1000)]

    with pytest.raises(DataError, match=r"class 4' .*; 995 more classes have too few; add") as told:
        splits.stratified(targets, classes, 0.1, seed=1)

    assert len(str(told.value)) < 1000


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.2, 0.8])
def test_fewest_examples_are_enough(fraction, seed):
    targets = labels(50, 45, 5)

    for part in splits.stratified(targets, CLASSES, fraction, seed):
        assert np.bincount(targets[part])[2] == (1 if len(part) == 20 else 4)


def variant(**keys):
    form = {"image_size_px": 8, "color": "rgb", "fit": "stretch", "interpolation": "area"}
    return sections.Prepare(**{"dataset": "pets", "validation_fraction": 0.0, **form, **keys})


def limits(**keys):
    return sections.LimitPerClass(**keys)


EXTRACTED = {"train": labels(50, 30, 20), "test": labels(9, 8, 7)}
WITH_VALIDATION = EXTRACTED | {"validation": labels(3, 3, 3)}


def drawn(extracted=EXTRACTED, seed=20, **keys):
    return splits.draw(extracted, CLASSES, variant(**keys), seed)


def counts(extracted, selection):
    return np.bincount(extracted[selection.source][selection.rows], minlength=3).tolist()


def plain(chosen):
    return {name: (source, rows.tolist()) for name, (source, rows) in chosen.items()}


def test_all_images_without_limits_or_fraction():
    assert plain(drawn()) == {
        "train": ("train", [*range(100)]),
        "test": ("test", [*range(24)]),
    }


def test_limits_come_before_the_validation_images():
    chosen = drawn(limit_per_class=limits(train=10, test=2), validation_fraction=0.2)

    assert {name: counts(EXTRACTED, one) for name, one in chosen.items()} == {
        "train": [8, 8, 8],
        "validation": [2, 2, 2],
        "test": [2, 2, 2],
    }


@pytest.mark.parametrize("limit", [None, limits(train=10)], ids=["all", "limited"])
def test_training_and_validation_images_are_apart(limit):
    chosen = drawn(limit_per_class=limit, validation_fraction=0.2)

    train, validation = chosen["train"], chosen["validation"]
    assert train.source == validation.source == "train"
    both = [*train.rows, *validation.rows]
    assert len(set(both)) == len(both) == (30 if limit else 100)


def test_limited_images_are_those_that_are_divided():
    whole = drawn(limit_per_class=limits(train=10))["train"].rows
    chosen = drawn(limit_per_class=limits(train=10), validation_fraction=0.2)

    both = [*chosen["train"].rows, *chosen["validation"].rows]
    assert sorted(both) == whole.tolist()


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_limit_of_one_split_leaves_the_other(split):
    chosen, everything = drawn(limit_per_class=limits(**{split: 2})), plain(drawn())

    other = "test" if split == "train" else "train"
    assert counts(EXTRACTED, chosen[split]) == [2, 2, 2]
    assert plain(chosen)[other] == everything[other]


def test_selections_are_in_order():
    chosen = drawn(limit_per_class=limits(train=10, test=2), validation_fraction=0.2)

    for _, rows in chosen.values():
        assert (np.diff(rows) > 0).all()


def test_validation_images_of_the_data_are_all_kept():
    chosen = drawn(WITH_VALIDATION, limit_per_class=limits(train=1, test=1))

    assert list(chosen) == ["train", "validation", "test"]
    assert plain(chosen)["validation"] == ("validation", [*range(9)])
    assert counts(EXTRACTED, chosen["train"]) == [1, 1, 1]


def test_data_with_validation_images_give_no_others():
    message = (
        r"^validation_fraction must be 0\.0, for pets has 9 validation images of its own, got 0\.2$"
    )
    with pytest.raises(DataError, match=message):
        drawn(WITH_VALIDATION, validation_fraction=0.2)


def test_selections_are_those_of_the_seed():
    keys = {"limit_per_class": limits(train=10, test=2), "validation_fraction": 0.2}

    first, again, other = (plain(drawn(seed=seed, **keys)) for seed in (20, 20, 21))

    assert first == again
    for name in ("train", "validation", "test"):
        assert first[name] != other[name]


def test_a_class_that_is_limited_too_much_to_be_split():
    with pytest.raises(DataError, match=r"class 'cat' must have at least 6 training .* got 2"):
        drawn(limit_per_class=limits(train=2), validation_fraction=0.2)


def test_limited_takes_whole_classes_where_they_are_smaller():
    targets = labels(50, 4, 5)

    rows = splits.limited(targets, 5, seed=20)

    assert np.bincount(targets[rows]).tolist() == [5, 4, 5]
    assert np.isin(np.flatnonzero(targets > 0), rows).all()


def test_limited_draws_from_the_whole_class():
    ordered = np.repeat(np.arange(2, dtype=np.int32), 500)

    rows = splits.limited(ordered, 100, seed=20)

    assert 200 < rows[:100].mean() < 300  # not the first ones of a class
    assert 700 < rows[100:].mean() < 800


def test_a_smaller_limit_draws_a_part_of_a_greater_ones():
    few, many = (splits.limited(labels(50, 30, 20), count, seed=20) for count in (3, 10))

    assert set(few) < set(many)


def test_no_limit():
    assert splits.limited(labels(2, 1), None, seed=20).tolist() == [0, 1, 2]
