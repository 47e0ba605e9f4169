import numpy as np
import pytest

from imago.inspecting import discriminant, suspects


def test_ranked_by_the_probability_of_their_labels():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.8, 0.2], [0.45, 0.55]])
    found = suspects.find(probabilities, np.array([0, 0, 1, 0], np.int32))
    assert found.rows.tolist() == [2, 1, 3]
    assert found.suggested.tolist() == [0, 1, 1]
    assert found.probability.tolist() == [0.8, 0.7, 0.55]
    assert found.own.tolist() == [0.2, 0.3, 0.45]


def planted(count=300, wrong=15):
    """Return features of three classes, labels of which some are wrong, and which."""
    generator = np.random.default_rng(1)
    true = np.repeat(np.arange(3), [count // 2, count // 3, count - count // 2 - count // 3])
    centers = generator.normal(0, 1, (3, 40))
    features = (centers[true] + generator.normal(0, 1, (count, 40))).astype(np.float32)
    labels = true.astype(np.int32)
    rows = generator.permutation(count)[:wrong]
    labels[rows] = (labels[rows] + generator.integers(1, 3, wrong)) % 3
    return features, labels, true, rows


def test_planted_errors_are_among_the_first():
    features, labels, true, rows = planted()
    told = []
    asked = suspects.out_of_fold(features, labels, np.arange(len(labels)), 7, told.append)
    found = suspects.find(asked, labels)
    assert set(rows) <= set(found.rows[: 2 * len(rows)].tolist())
    right = found.suggested == true[found.rows]
    assert right[np.isin(found.rows, rows)].mean() > 0.9
    assert sum(told) == len(labels)
    np.testing.assert_allclose(asked.sum(axis=1), 1, atol=1e-5)


def test_a_picture_is_not_learnt_where_it_is_asked_about():
    """A mislabelled photo whose copy has the same wrong label would vouch for itself."""
    features, labels, true, _ = planted()
    labels[:] = true
    features = np.concatenate([features, features[:1]])
    labels = np.append(labels, labels[0]).astype(np.int32)
    labels[[0, -1]] = 2
    pictures = np.append(np.arange(len(labels) - 1), 0)
    asked = suspects.out_of_fold(features, labels, pictures, 7)
    assert {0, len(labels) - 1} <= set(suspects.find(asked, labels).rows.tolist())


def test_equal_seeds_give_equal_answers():
    features, labels, *_ = planted()
    pictures = np.arange(len(labels))
    first, second, other = (
        suspects.out_of_fold(features, labels, pictures, seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_of_many_photos_a_quicker_classifier_finds_them(monkeypatch):
    monkeypatch.setattr(suspects, "MANY", 0)
    monkeypatch.setattr(discriminant, "ROWS_AT_ONCE", 7)
    features, labels, true, rows = planted()
    told = []

    found = suspects.suspected(features, labels, np.arange(len(labels)), 7, told.append)

    assert set(rows) <= set(found.rows[: 2 * len(rows)].tolist())
    right = found.suggested == true[found.rows]
    assert right[np.isin(found.rows, rows)].mean() > 0.9
    assert sum(told) == len(labels)
    assert (np.diff(found.own) >= 0).all()


def test_of_few_photos_it_is_logistic_regression():
    features, labels, *_ = planted()
    pictures = np.arange(len(labels))

    found = suspects.suspected(features, labels, pictures, 7)

    expected = suspects.find(suspects.out_of_fold(features, labels, pictures, 7), labels)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.own, expected.own)


def test_the_quicker_classifier_is_discriminant_analysis(monkeypatch):
    """As scikit-learn computes it for each fold from its photos."""
    monkeypatch.setattr(discriminant, "ROWS_AT_ONCE", 50)
    features, labels, *_ = planted()
    folds = np.arange(len(labels)) % 3
    for rows, found in discriminant.out_of_fold(features, labels, folds):
        learnt = folds != folds[rows[0]]
        x, y = features[learnt].astype(float), labels[learnt]
        means = np.stack([x[y == label].mean(axis=0) for label in range(3)])
        within = np.cov((x - means[y]).T, bias=True)
        scale = np.trace(within) / len(within)
        within = 0.9 * within + 0.1 * scale * np.eye(len(within))
        logits = features[rows] @ np.linalg.solve(within, means.T)
        logits += np.log(np.bincount(y) / len(y)) - 0.5 * np.sum(
            means @ np.linalg.inv(within) * means, axis=1
        )
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_where_a_class_is_in_one_fold_alone_others_cannot_tell():
    features, labels, *_ = planted()
    labels[labels == 2] = 1
    labels[5] = 2
    asked = discriminant.out_of_fold(features, labels, np.arange(len(labels)) % 4)
    found = {row: one for rows, some in asked for row, one in zip(rows.tolist(), some, strict=True)}
    assert found[5][2] == 0
    assert all(np.isfinite(one).all() for one in found.values())


def test_a_class_of_one_picture():
    features, labels, *_ = planted()
    labels[labels == 2] = 1
    labels[5] = 2
    asked = suspects.out_of_fold(features, labels, np.arange(len(labels)), 1)
    assert asked.shape == (len(labels), 3)
    assert asked[5, 2] == 0  # nobody else can tell


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_fewer_photos_of_each_class_than_folds(count):
    generator = np.random.default_rng(3)
    labels = np.repeat(np.arange(10, dtype=np.int32), count)
    features = generator.normal(0, 1, (len(labels), 5)).astype(np.float32)
    told = []

    asked = suspects.out_of_fold(features, labels, np.arange(len(labels)), 7, told.append)

    assert asked.shape == (10 * count, 10)
    assert sum(told) == len(labels)
    if count == 1:  # nothing to learn from, and nothing to suspect
        assert not suspects.find(asked, labels).rows.size
