import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from imago.core.errors import DataError
from imago.data import arrays, writing
from imago.photos import packs
from tests.photo_archives import encoded, photo, picture

CLASSES = ("cat", "dog")
PICTURES = [picture(1, 24, 32), picture(2, 5, 7), picture(3, 40, 3), picture(4, 1, 1)]
CONTENTS = [encoded(image) for image in PICTURES]
LABELS = np.array([0, 1, 1, 0], np.int32)


def write(folder, labels=LABELS, contents=CONTENTS):
    with writing.splits(folder, CLASSES, image_shape=None) as writer:
        packs.add(writer, "train", labels, iter(contents))
        packs.add(writer, "test", labels[:1], contents[:1])


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "pets")
    return tmp_path / "pets"


@pytest.fixture
def found(folder):
    return packs.read_images(folder, "train")


def test_photos_read_back_each_of_its_size(found):
    assert len(found) == 4
    for image, expected in zip(found, PICTURES, strict=True):
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, expected)


def test_a_photo_is_decoded_as_any_image_file(tmp_path):
    gray, jpeg = encoded(PICTURES[0][..., :1].repeat(3, axis=-1)), photo(7, ".jpg")
    write(tmp_path / "pets", LABELS[:2], [gray, jpeg])

    first, second = packs.read_images(tmp_path / "pets", "train")

    assert first.shape == second.shape == (24, 32, 3)
    difference = np.abs(second.astype(np.int32) - picture(7))
    assert 0 < difference.mean() < 16  # lossy, but that picture


def test_bytes_are_kept_as_they_came(folder):
    assert (folder / "train/images.pack").read_bytes() == b"".join(CONTENTS)
    offsets = np.load(folder / "train/offsets.npy")
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [0, *np.cumsum([len(content) for content in CONTENTS])]


def test_description(folder):
    info = arrays.read_info(folder)

    assert (info.classes, info.image_shape, info.views) == (CLASSES, None, 0)
    assert info.splits["train"].examples_per_class == {"cat": 2, "dog": 2}
    assert info.splits["train"].images_sha256 == hashlib.sha256(b"".join(CONTENTS)).hexdigest()
    assert info.summary() == "4 train, 1 test images"
    assert arrays.read_labels(folder, "train").tolist() == LABELS.tolist()


def test_equal_photos_are_equal_bytes(folder, tmp_path):
    write(tmp_path / "again")

    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) == 7
    for path in written:
        again = tmp_path / "again" / path.relative_to(folder)
        assert again.read_bytes() == path.read_bytes()


def test_images_of_one_shape_are_read_as_an_array(tmp_path):
    images = np.stack([picture(number, 4, 4) for number in range(4)])
    with writing.splits(tmp_path / "pets", CLASSES, (4, 4, 3)) as writer:
        writer.add("train", LABELS, [images])

    found = packs.read_images(tmp_path / "pets", "train")

    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, images)


def test_positions_are_those_of_a_sequence(found):
    np.testing.assert_array_equal(found[-1], PICTURES[-1])
    np.testing.assert_array_equal(found[-4], PICTURES[0])
    for position in (4, -5):
        with pytest.raises(IndexError):
            found[position]


@pytest.mark.parametrize(
    "part", [slice(1, 3), slice(None), slice(None, None, -2), slice(3, 99), slice(2, 2)], ids=str
)
def test_slices_are_those_of_a_list(found, part):
    for image, expected in zip(found[part], PICTURES[part], strict=True):
        np.testing.assert_array_equal(image, expected)


def test_threads_may_share_the_photos(found):
    rows = [0, 1, 2, 3] * 50

    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(found.__getitem__, rows))

    for row, image in zip(rows, images, strict=True):
        np.testing.assert_array_equal(image, PICTURES[row])


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system what a process has mapped")
def test_photos_are_not_mapped_into_memory(folder):
    images = np.zeros((4, 4, 4, 3), np.uint8)
    with writing.splits(folder.with_name("arrays"), CLASSES, (4, 4, 3)) as writer:
        writer.add("train", LABELS, [images])
    opened = [packs.read_images(place, "train") for place in (folder, folder.with_name("arrays"))]
    assert [len(images[:]) for images in opened] == [4, 4]

    mapped = Path("/proc/self/maps").read_text()

    assert "arrays/train/images.npy" in mapped
    assert "images.pack" not in mapped


def test_photos_are_written_as_they_come(tmp_path):
    written = []

    def contents():
        for _ in LABELS:
            yield b"\0" * 100_000  # more than a file's buffer
            (pack,) = tmp_path.rglob("images.pack")
            written.append(pack.stat().st_size)

    with writing.splits(tmp_path / "pets", CLASSES, image_shape=None) as writer:
        packs.add(writer, "train", LABELS, contents())

    assert written == [100_000, 200_000, 300_000, 400_000]


@pytest.mark.parametrize("count", [3, 5], ids=["fewer", "more"])
def test_a_photo_for_each_label(tmp_path, count):
    message = f"train: must have a photo for each of 4 labels, got {count}"
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "pets", contents=[*CONTENTS, CONTENTS[0]][:count])
    assert list(tmp_path.iterdir()) == []


def test_photos_that_do_not_come_leave_nothing(tmp_path):
    def contents():
        yield CONTENTS[0]
        message = "the archive ends here"
        raise OSError(message)

    with pytest.raises(OSError, match="ends here"):
        write(tmp_path / "pets", contents=contents())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [-1, 1], ids=["truncated", "longer"])
def test_pack_of_another_length(folder, change):
    pack = folder / "train/images.pack"
    content, length = pack.read_bytes() + b"\0", sum(map(len, CONTENTS))
    pack.write_bytes(content[: length + change])

    message = (
        rf"train/images\.pack: must have {length} bytes, as offsets\.npy says, "
        rf"got {length + change}; run the stage that writes it again"
    )
    with pytest.raises(DataError, match=message):
        packs.read_images(folder, "train")


@pytest.mark.parametrize("name", ["images.pack", "offsets.npy"])
def test_missing_file(folder, name):
    (folder / "train" / name).unlink()

    message = rf"pets/train/{name}: not found; run the stage that writes .* again"
    with pytest.raises(DataError, match=message):
        packs.read_images(folder, "train")


@pytest.mark.parametrize("length", [0, 5, 130, 160])
def test_truncated_offsets(folder, length):
    offsets = folder / "train/offsets.npy"
    offsets.write_bytes(offsets.read_bytes()[:length])

    with pytest.raises(DataError, match=r"train/offsets\.npy: must be a whole \.npy file: .*again"):
        packs.read_images(folder, "train")


def test_missing_split(folder):
    with pytest.raises(DataError, match="pets: has no validation split, only train, test"):
        packs.read_images(folder, "validation")


def test_missing_folder(tmp_path):
    with pytest.raises(DataError, match=r"none/dataset\.json: not found; run the stage"):
        packs.read_images(tmp_path / "none", "train")


def test_identities_of_photos_are_of_their_bytes(found):
    identities = packs.identities(found, np.array([2, 0]))

    digests = [hashlib.sha256(CONTENTS[row]).hexdigest()[:16] for row in (2, 0)]
    assert identities.dtype == np.uint64
    assert [f"{identity:016x}" for identity in identities.tolist()] == digests


def test_identities_of_arrays_are_of_their_pixels():
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)

    (identity,) = packs.identities(images, np.array([1])).tolist()

    assert f"{identity:016x}" == hashlib.sha256(bytes(range(12, 24))).hexdigest()[:16]
