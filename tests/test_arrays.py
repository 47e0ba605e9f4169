import hashlib
import json

import numpy as np
import pytest

from imago.core.errors import DataError
from imago.data import arrays, writing
from imago.data.arrays import Statistics
from tests.trees import contents

pytestmark = pytest.mark.fault

CLASSES = ("cat", "dog", "owl")
LABELS = np.array([0, 1, 1, 2, 0], np.int32)
IMAGES = np.arange(5 * 2 * 3 * 1, dtype=np.uint8).reshape(5, 2, 3, 1)


def write(folder, statistics=None):
    with writing.splits(folder, CLASSES, (2, 3, 1)) as writer:
        writer.add("train", LABELS, arrays.blocks(IMAGES))
        writer.add("test", LABELS[:2], [IMAGES[:2]])
        writer.statistics = statistics


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def edit(folder, change):
    path = folder / "dataset.json"
    description = json.loads(path.read_text("utf-8"))
    change(description)
    path.write_text(json.dumps(description), "utf-8")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "pets")
    return tmp_path / "pets"


def test_splits_read_back_as_written(folder):
    split = arrays.read_split(folder, "train")

    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, LABELS)
    assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int32)


def test_splits_are_memory_mapped_and_read_only(folder):
    split = arrays.read_split(folder, "train")

    assert isinstance(split.images, np.memmap)
    assert isinstance(split.labels, np.memmap)
    assert not split.images.flags.writeable


def test_writer_gives_the_split_memory_mapped(tmp_path):
    with writing.splits(tmp_path / "pets", CLASSES, (2, 3, 1)) as writer:
        split = writer.add("train", LABELS, [IMAGES])

        assert isinstance(split.images, np.memmap)
        np.testing.assert_array_equal(split.images, IMAGES)


def test_description(folder):
    info = arrays.read_info(folder)

    assert info == arrays.Info(
        classes=CLASSES,
        image_shape=(2, 3, 1),
        splits={
            "train": arrays.SplitInfo(
                examples=5,
                examples_per_class={"cat": 2, "dog": 2, "owl": 1},
                images_sha256=sha256(folder / "train/images.npy"),
                labels_sha256=sha256(folder / "train/labels.npy"),
            ),
            "test": arrays.SplitInfo(
                examples=2,
                examples_per_class={"cat": 1, "dog": 1, "owl": 0},
                images_sha256=sha256(folder / "test/images.npy"),
                labels_sha256=sha256(folder / "test/labels.npy"),
            ),
        },
        views=0,
        statistics=None,
    )
    assert info.summary() == "5 train, 2 test images of 2×3×1"


def test_files_are_what_numpy_itself_writes(folder, tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    np.save(tmp_path / "labels.npy", LABELS)

    assert (folder / "train/images.npy").read_bytes() == (tmp_path / "images.npy").read_bytes()
    assert (folder / "train/labels.npy").read_bytes() == (tmp_path / "labels.npy").read_bytes()


def test_statistics_read_back_as_the_same_numbers(tmp_path):
    statistics = Statistics(mean=[1 / 3], variance=[2.0])
    write(tmp_path / "pets", statistics=statistics)

    assert arrays.read_info(tmp_path / "pets").statistics == statistics


@pytest.mark.parametrize("images_per_block", [1, 2, 5, 100])
def test_bytes_do_not_depend_on_the_block_size(folder, tmp_path, monkeypatch, images_per_block):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", images_per_block * 2 * 3)
    write(tmp_path / "again")

    assert contents(tmp_path / "again") == contents(folder)


def test_digest_is_of_the_data(folder, tmp_path):
    write(tmp_path / "same")
    write(tmp_path / "other", statistics=Statistics(mean=[1.0], variance=[1.0]))

    digest = arrays.read_info(folder).digest
    assert arrays.read_info(tmp_path / "same").digest == digest
    assert arrays.read_info(tmp_path / "other").digest != digest


def test_images_are_taken_only_as_they_are_written(tmp_path):
    taken = []

    def one_by_one():
        for position, image in enumerate(IMAGES):
            path = next(tmp_path.glob(".pets*")) / "pets/train/images.npy"
            taken.append((position, path.exists()))
            yield image[np.newaxis]

    with writing.splits(tmp_path / "pets", CLASSES, (2, 3, 1)) as writer:
        writer.add("train", LABELS, one_by_one())

    assert taken == [(position, True) for position in range(5)]


def test_interrupted_writing_leaves_what_was_there(folder):
    before = contents(folder)

    def interrupted():
        yield IMAGES[:2]
        raise RuntimeError("power cut")

    with (
        pytest.raises(RuntimeError, match="power cut"),
        writing.splits(folder, CLASSES, (2, 3, 1)) as writer,
    ):
        writer.add("train", LABELS, interrupted())

    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["pets"]


@pytest.mark.parametrize(
    ("labels", "images", "message"),
    [
        pytest.param(LABELS[:0], [], "train: must have one or more labels", id="empty"),
        pytest.param(LABELS + 1, [IMAGES], "labels of 0 to 2, got 5 of 0 to 3", id="label"),
        pytest.param(LABELS, [IMAGES[:4]], "must hold 5 rows, got 4", id="too few"),
        pytest.param(LABELS, [IMAGES, IMAGES], "must hold 5 rows, got 10", id="too many"),
        pytest.param(
            LABELS, [IMAGES[:, :1]], "hold uint8 5×2×3×1, got a part of uint8 5×1×3×1", id="shape"
        ),
        pytest.param(
            LABELS, [IMAGES / 255], "hold uint8 5×2×3×1, got a part of float64", id="dtype"
        ),
        pytest.param(
            LABELS.astype(np.int64), [IMAGES], "hold int32 5, got a part of int64 5", id="labels"
        ),
    ],
)
def test_writer_refuses(tmp_path, labels, images, message):
    with (
        pytest.raises(ValueError, match=message),
        writing.splits(tmp_path / "pets", CLASSES, (2, 3, 1)) as writer,
    ):
        writer.add("train", labels, images)

    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path):
    with pytest.raises(DataError, match=r"nowhere/dataset\.json: not found; run the stage"):
        arrays.read_info(tmp_path / "nowhere")


def test_missing_split(folder):
    with pytest.raises(DataError, match="pets: has no validation split, only train, test"):
        arrays.read_split(folder, "validation")


def test_missing_array(folder):
    (folder / "train/labels.npy").unlink()

    with pytest.raises(DataError, match=r"train/labels\.npy: not found; run the stage"):
        arrays.read_split(folder, "train")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"{", r"dataset\.json: the file must describe splits: Invalid", id="JSON"),
        pytest.param(b"\xff", r"the file must describe splits", id="encoding"),
        pytest.param(b"{}", "classes must describe splits: Field required", id="key"),
    ],
)
def test_damaged_description(folder, content, message):
    (folder / "dataset.json").write_bytes(content)

    with pytest.raises(DataError, match=message):
        arrays.read_info(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda description: description["splits"].update(holdout={}), "holdout", id="name"
        ),
        pytest.param(
            lambda description: description.update(image_shape=[2, 3]), "image_shape", id="shape"
        ),
        pytest.param(
            lambda description: description["splits"]["train"].update(examples="5"),
            r"splits\.train\.examples must describe splits: Input should be a valid integer",
            id="type",
        ),
    ],
)
def test_wrong_description(folder, change, message):
    edit(folder, change)

    with pytest.raises(DataError, match=message):
        arrays.read_info(folder)


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        pytest.param(
            "images.npy",
            IMAGES[:4],
            "must be uint8 5×2×3×1, as dataset.json says, got uint8 4×2×3×1; run the stage",
            id="shape",
        ),
        pytest.param("images.npy", IMAGES / 255, "got float64 5×2×3×1", id="dtype"),
        pytest.param("labels.npy", LABELS[:4], "must be int32 5, .* got int32 4", id="labels"),
    ],
)
def test_array_that_disagrees_with_the_description(folder, file, array, message):
    np.save(folder / "train" / file, array)

    with pytest.raises(DataError, match=message):
        arrays.read_split(folder, "train")


@pytest.mark.parametrize("length", [0, 20, 140])
def test_truncated_array(folder, length):
    path = folder / "train/images.npy"
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(DataError, match=r"train/images\.npy: must be a whole \.npy file"):
        arrays.read_split(folder, "train")


def test_blocks_of_all_images_are_views(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 6)
    blocks = list(arrays.blocks(IMAGES))

    assert [len(block) for block in blocks] == [2, 2, 1]
    assert all(np.shares_memory(block, IMAGES) for block in blocks)


def test_blocks_of_rows_are_in_their_order(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 6)
    blocks = list(arrays.blocks(IMAGES, np.array([4, 0, 2])))

    assert [len(block) for block in blocks] == [2, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), IMAGES[[4, 0, 2]])


def test_blocks_count_the_bytes_of_features(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 3 * 4)
    features = np.zeros((5, 3), np.float32)

    assert [len(block) for block in arrays.blocks(features)] == [2, 2, 1]
    assert [len(block) for block in arrays.blocks(features, np.arange(3))] == [2, 1]


def test_features_of_images(tmp_path):
    features = np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)
    with writing.splits(tmp_path / "features", CLASSES, (7,), views=4) as writer:
        writer.add("train", LABELS, arrays.blocks(features))

    info = arrays.read_info(tmp_path / "features")
    assert (info.image_shape, info.views) == ((7,), 4)
    np.testing.assert_array_equal(
        arrays.read_split(tmp_path / "features", "train").images, features
    )


def test_labels_alone(folder):
    assert arrays.read_labels(folder, "train").tolist() == LABELS.tolist()


def test_write_a_data_set(folder, tmp_path):
    train, test = arrays.Split(IMAGES, LABELS), arrays.Split(IMAGES[:2], LABELS[:2])
    info = writing.dataset(tmp_path / "again", arrays.Dataset(CLASSES, train, test))

    assert info == arrays.read_info(folder)
    assert contents(tmp_path / "again") == contents(folder)


def test_blocks_hold_few_bytes_but_at_least_one_image(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 13)
    assert [len(block) for block in arrays.blocks(IMAGES)] == [2, 2, 1]

    monkeypatch.setattr(arrays, "BLOCK_BYTES", 1)
    assert [len(block) for block in arrays.blocks(IMAGES)] == [1] * 5


def test_identities_read_back(tmp_path):
    identities = np.array([2**64 - 1, 0], np.uint64)
    with writing.splits(tmp_path / "tiny", ("a",), (1, 1, 1)) as writer:
        writer.add("test", np.zeros(2, np.int32), [np.zeros((2, 1, 1, 1), np.uint8)])
        writer.identify("test", identities)

    found = arrays.read_identities(tmp_path / "tiny", "test")

    assert found.dtype == np.uint64
    np.testing.assert_array_equal(found, identities)


def test_every_image_has_an_identity(tmp_path):
    with writing.splits(tmp_path / "tiny", ("a",), (1, 1, 1)) as writer:
        writer.add("test", np.zeros(2, np.int32), [np.zeros((2, 1, 1, 1), np.uint8)])
        with pytest.raises(ValueError, match="must have an identity for each of 2 images, got 1"):
            writer.identify("test", np.zeros(1, np.uint64))


@pytest.mark.parametrize("name", ["images", "labels"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_flipped_byte_is_found_in_the_splits_that_are_asked_for(folder, split, name):
    path = folder / split / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-4] ^= 1  # another pixel or label, as good as any other
    path.write_bytes(content)

    with pytest.raises(DataError) as caught:
        arrays.verify(folder, "train", "validation", "test")

    digest = getattr(arrays.read_info(folder).splits[split], f"{name}_sha256")
    assert str(caught.value) == (
        f"{path}: damaged since it was written: its sha256 is {sha256(path)}, dataset.json has "
        f"{digest}; delete {folder}, and `dvc checkout {folder}` brings it back from the DVC cache"
    )
    arrays.verify(folder, "test" if split == "train" else "train")


def test_what_tells_images_apart_is_verified_too(tmp_path):
    folder = tmp_path / "pets"
    with writing.splits(folder, CLASSES, IMAGES.shape[1:]) as writer:
        writer.add("test", LABELS, [IMAGES])
        writer.identify("test", np.arange(5, dtype=np.uint64))
    arrays.verify(folder, "test")
    path = folder / "test/identities.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")

    with pytest.raises(DataError, match=rf"\A{path}: damaged since it was written"):
        arrays.verify(folder, "test")


def test_an_array_that_is_missing_is_said(folder):
    (folder / "test/labels.npy").unlink()
    with pytest.raises(DataError, match=r"test/labels\.npy: not found; run the stage that writes"):
        arrays.verify(folder, "test")
