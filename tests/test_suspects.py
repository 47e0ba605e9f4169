import numpy as np

from imago.inspecting import suspects


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


def test_a_class_of_one_picture():
    features, labels, *_ = planted()
    labels[labels == 2] = 1
    labels[5] = 2
    asked = suspects.out_of_fold(features, labels, np.arange(len(labels)), 1)
    assert asked.shape == (len(labels), 3)
    assert asked[5, 2] == 0  # nobody else can tell
