"""`imago crossvalidate` on features of a few made-up images."""

import re

import numpy as np
import pytest

from imago import cli, params
from imago.core.errors import SweepError
from imago.data import arrays, writing
from imago.sweep import crossvalidation, fold_scores
from tests import test_stage_train

CLASSES = test_stage_train.CLASSES
COUNTS = {"train": 45, "validation": 15}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Noise with labels that only one who saw an image's twin can know, on `features/pets8`.

    Every image of `train` is there twice, one after the other, and each has a copy of its own.
    """
    monkeypatch.chdir(tmp_path)
    write(tmp_path, learnable=False)
    return tmp_path


def write(tree, *, learnable, **train_keys):
    generator = np.random.default_rng(2)
    test_stage_train.write_transfer_params(tree, hidden_units=[], learning_rate=0.05, **train_keys)
    for kind, shape in (("prepared", (8, 8, 3)), ("features", (6,))):
        with writing.splits(tree / f"data/{kind}/pets8", CLASSES, shape, 1) as writer:
            for split, count in COUNTS.items():
                labels = np.arange(count, dtype=np.int32) % 3
                copies = 4 if split == "train" else 1  # its twin, and one augmented of each
                made = (
                    generator.integers(0, 255, (count, *shape), dtype=np.uint8)
                    if kind == "prepared"
                    else generator.normal(size=(count, *shape)).astype(np.float32)
                )
                if learnable and kind == "features":
                    made[np.arange(count), labels] += 4
                writer.add(split, np.repeat(labels, copies), [np.repeat(made, copies, axis=0)])


def chosen():
    return params.load().experiments["transfer"]


def test_what_is_read(tree):
    examples = crossvalidation.read(chosen())

    assert examples.features.shape == (45 * 2 + 15, 2, 6)
    np.testing.assert_array_equal(examples.labels[:6], [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(examples.groups[:6], [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(examples.features[:, 0], examples.features[:, 1])
    assert examples.groups.max() == 45 + 15 - 1


def test_no_head_has_seen_what_it_is_scored_on(tree, monkeypatch):
    """Nor an image's twin or copies: the labels are those of noise, so all would be known by it."""
    seen, learnt = [], crossvalidation.learnt

    def record(training, train, *rest):
        seen.append({row.tobytes() for row in train.images})
        return learnt(training, train, *rest)

    monkeypatch.setattr(crossvalidation, "learnt", record)
    (result,) = crossvalidation.run("transfer", [], 3)

    assert len(result.accuracies) == len(result.balanced_accuracies) == len(seen) == 3
    everything = set().union(*seen)
    assert len(everything) == 60
    held_out = [everything - some for some in seen]
    assert set().union(*held_out) == everything
    assert sum(map(len, held_out)) == 60
    assert np.mean(result.accuracies) < 0.6


def test_what_can_be_learnt_is_found_and_two_runs_are_equal(tree, capsys):
    write(tree, learnable=True, epochs=30, batch_size=200)
    words = ["crossvalidate", "transfer", "learning_rate=0.05,0.000001", "--folds", "2"]

    assert cli.main(words) == 0
    first = capsys.readouterr().out
    assert cli.main(words) == 0
    assert capsys.readouterr().out == first

    header, best, worst, *_ = first.splitlines()
    assert re.split(r"  +", header.strip()) == [
        *("balanced accuracy", "of each fold", "accuracy", "of each fold", "learning_rate")
    ]
    assert re.fullmatch(r" *(9\d|100)\.\d ± \d\.\d %  ( ?\d+\.\d){2}  .*0\.05", best)
    assert worst.endswith("1e-06")
    assert "Each is the mean of 2 folds, ± their standard deviation" in first


def test_the_test_split_is_not_read(tree, monkeypatch):
    asked, read = set(), arrays.read_split
    monkeypatch.setattr(arrays, "read_split", lambda *a: (asked.add(a[1]), read(*a))[1])
    crossvalidation.read(chosen())
    assert asked == {"train", "validation"}


@pytest.mark.parametrize(
    ("train_keys", "values", "message"),
    [
        (
            {"early_stopping": {"monitor": "validation_loss", "patience_epochs": 2}},
            [],
            "must have no early_stopping in a cross-validation, .*; try early_stopping=null",
        ),
        ({"fine_tune": test_stage_train.FINE_TUNE}, [], "must have no fine_tune"),
        ({}, ["learning_rate=0.001..0.1"], "must be values for a grid, got a range"),
        ({}, ["learning_rat=0.1"], "learning_rat is an unknown key"),
    ],
    ids=["early stopping", "fine-tuning", "range", "unknown key"],
)
def test_what_cannot_be_cross_validated(tree, train_keys, values, message):
    write(tree, learnable=False, **train_keys)
    with pytest.raises(SweepError, match=message):
        crossvalidation.run("transfer", values, 3)


def test_an_experiment_on_pixels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test_stage_train.write_params(tmp_path)
    with pytest.raises(SweepError, match=r"plain: input must be features .*, got prepared/tiny8"):
        crossvalidation.run("plain", [], 3)


def test_early_stopping_that_is_left_out(tree):
    stopping = {"monitor": "validation_loss", "patience_epochs": 2}
    write(tree, learnable=True, batch_size=200, early_stopping=stopping)
    (result,) = crossvalidation.run("transfer", ["early_stopping=null"], 2)
    assert result.trial == {"early_stopping": None}


def test_balanced_accuracy_is_the_mean_recall():
    hits = np.array([True, True, True, False, False, True])
    labels = np.array([0, 0, 0, 0, 1, 1])
    found = fold_scores.of({}, [hits], [labels])
    assert found.balanced_accuracies == [pytest.approx((0.75 + 0.5) / 2)]
    assert found.accuracies == [pytest.approx(4 / 6)]
