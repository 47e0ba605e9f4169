"""Images in several files: read as one array, written anew only where they must be."""

import contextlib
import errno
import os
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest

from imago.core import paths, sections
from imago.core.errors import DataError
from imago.data import arrays, npy, shards, writing
from imago.data.arrays import Split
from imago.data.rows import Rows
from imago.data.shards import Shards
from imago.images import augment, forms
from imago.photos import packs
from imago.preparing import pieces
from tests.test_training import build, fit, make_blobs, weights

CLASSES = ("cat", "dog")
IMAGES = np.random.default_rng(1).integers(0, 256, (10, 2, 3, 1), np.uint8)
LABELS = np.arange(10, dtype=np.int32) % 2


@pytest.fixture
def of_three(monkeypatch):
    """Let a shard be three images, which no block is."""
    monkeypatch.setattr(writing, "SHARD_BYTES", 3 * 6 + 5)


@pytest.fixture
def folder(tmp_path, of_three) -> Path:
    return written(tmp_path / "pets", [IMAGES[:4], IMAGES[4:9], IMAGES[9:]])


def written(folder, blocks, made_of=None):
    with writing.splits(folder, CLASSES, (2, 3, 1), made_of=made_of) as writer:
        done = len(writer.finished("train", 10))
        writer.add("train", LABELS, (block for block in blocks[done // 3 :]))
    return folder


def test_shards_are_arrays_of_their_own(folder):
    names = [f"images-0000{number}.npy" for number in range(4)]
    assert sorted(path.name for path in (folder / "train").iterdir()) == [*names, "labels.npy"]
    parts = [np.load(folder / "train" / name) for name in names]
    assert [len(part) for part in parts] == [3, 3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(parts), IMAGES)
    assert len(arrays.read_info(folder).splits["train"].images_sha256) == 4
    arrays.verify(folder, "train")


@contextlib.contextmanager
def few_open_files():
    """Let this process have few more open than it has; it may raise that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    there = sum(1 for _ in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (there + 10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def read(folder):
    return arrays.read_split(folder, "train").images


def gone_on_with(folder):
    """What a run finds that follows another, which was killed; it is killed too."""
    with (
        contextlib.suppress(KilledError),
        writing.splits(folder.with_name("other"), CLASSES, (2, 3, 1), made_of="it") as writer,
    ):
        images = writer.finished("train", 10)
        writer.add("train", LABELS, killed([IMAGES[:9]], at=1))
    return images


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files as Linux does")
@pytest.mark.parametrize("how", ["read", "unpickled", "gone on with", "photos"])
def test_more_of_them_than_files_may_be_open(folder, how):
    with writing.splits(folder.with_name("photos"), CLASSES, image_shape=None) as writer:
        packs.add(writer, "train", LABELS, [bytes(20)] * 10)
    content = pickle.dumps(read(folder))
    gone_on_with(folder)
    made = {
        "read": lambda: read(folder),
        "unpickled": lambda: pickle.loads(content),
        "gone on with": lambda: gone_on_with(folder),
        "photos": lambda: packs.read_images(folder.with_name("photos"), "train"),
    }
    with few_open_files():
        found = [made[how]() for _ in range(5)]
    assert {len(one) for one in found} == {9 if how == "gone on with" else 10}


def test_their_size_may_have_been_another(folder, monkeypatch):
    monkeypatch.setattr(writing, "SHARD_BYTES", 2**20)
    np.testing.assert_array_equal(arrays.read_split(folder, "train").images, IMAGES)


@pytest.mark.parametrize(
    "wanted",
    [
        4,
        -1,
        np.int64(9),
        slice(2, 8),
        slice(None, None, 2),
        slice(8, None, -3),
        [0, 9, 4, 4],
        np.array([5]),
        [],
        [-1, -10],
    ],
    ids=str,
)
def test_rows_are_those_of_the_array(folder, wanted):
    images = arrays.read_split(folder, "train").images
    assert isinstance(images, Shards)
    wanted = np.asarray(wanted, int) if isinstance(wanted, list) else wanted
    np.testing.assert_array_equal(images[wanted], IMAGES[wanted])
    again = pickle.loads(pickle.dumps(images[1:][::2]))
    np.testing.assert_array_equal(again, IMAGES[1:][::2])
    np.testing.assert_array_equal(again[[1, 2]], IMAGES[1:][::2][[1, 2]])
    assert (images.shape, images.dtype, images.nbytes) == (IMAGES.shape, np.uint8, IMAGES.nbytes)


@pytest.mark.parametrize("wanted", [10, [0, 10], [-11]], ids=str)
def test_a_row_that_is_not_there(folder, wanted):
    with pytest.raises(IndexError):
        arrays.read_split(folder, "train").images[wanted]


def test_a_task_for_another_process_has_their_places(folder):
    images = arrays.read_split(folder, "train").images
    rows = pickle.dumps(Rows(images, np.array([8, 1])))
    assert IMAGES[8].tobytes() not in rows
    np.testing.assert_array_equal(pickle.loads(rows).stacked(), IMAGES[[8, 1]])


@pytest.mark.parametrize("name", ["images-00000.npy", "images-00003.npy"])
def test_a_damaged_shard_is_named(folder, name):
    path = folder / "train" / name
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataError, match=rf"train/{name}: damaged since it was written"):
        arrays.verify(folder, "train")
    path.unlink()
    for read in (arrays.verify, arrays.read_split):
        with pytest.raises(DataError, match=rf"train/{name}: not found"):
            read(folder, "train")


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([IMAGES[:9]], "images-00003.npy: must hold 1 rows, got 0"),
        ([IMAGES, IMAGES[:1]], "images-00003.npy: must hold 1 rows, got 2"),
    ],
)
def test_a_wrong_number_of_images(tmp_path, of_three, blocks, message):
    with pytest.raises(ValueError, match=message):
        written(tmp_path / "pets", blocks)


class KilledError(Exception):
    pass


def killed(blocks, at):
    yield from blocks[:at]
    raise KilledError


def test_a_killed_run_goes_on_after_its_last_shard(tmp_path, of_three, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = [IMAGES[start : start + 3] for start in range(0, 10, 3)]
    whole = written(Path("data/whole"), blocks)
    target, asked = Path("data/prepared/pets"), {"seed": 1}
    with (
        pytest.raises(KilledError),
        writing.splits(target, CLASSES, (2, 3, 1), made_of=asked) as writer,
    ):
        writer.add("train", LABELS, killed(blocks, at=2))
    assert not target.exists()

    taken = []

    def told(blocks):
        for block in blocks:
            taken.append(len(block))
            yield block

    with writing.splits(target, CLASSES, (2, 3, 1), made_of=asked) as writer:
        done = writer.finished("train", 10)
        np.testing.assert_array_equal(done, IMAGES[:6])
        writer.add("train", LABELS, told([IMAGES[6:]]))
    assert taken == [4]
    for path in whole.rglob("*.*"):
        assert (target / path.relative_to(whole)).read_bytes() == path.read_bytes()
    assert not paths.unfinished(target).exists()


def test_without_hard_links_what_a_cluster_wrote_is_moved(tmp_path, of_three, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refused(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    target = Path("data/prepared/pets")
    monkeypatch.setattr(os, "link", refused)
    with writing.splits(target, CLASSES, (2, 3, 1), made_of={}) as writer:
        writer.unfinished.folder.mkdir(parents=True)
        first = tmp_path / "first"
        digest = npy.write(first, (3, 2, 3, 1), np.uint8, [IMAGES[:3]])
        first.replace(writer.unfinished.folder / f"train-images-00000.npy.{digest}")
        done = writer.finished("train", 10)
        assert len(done) == 3
        writer.add("train", LABELS, [IMAGES[3:]])
        np.testing.assert_array_equal(done, IMAGES[:3])
    np.testing.assert_array_equal(arrays.read_split(target, "train").images, IMAGES)
    arrays.verify(target, "train")


@pytest.mark.parametrize("change", ["settings", "damage", "code"])
def test_shards_of_other_data_are_not_taken(tmp_path, of_three, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    target, asked = Path("data/prepared/pets"), {"seed": 1}
    with (
        pytest.raises(KilledError),
        writing.splits(target, CLASSES, (2, 3, 1), made_of=asked) as writer,
    ):
        writer.add("train", LABELS, killed([IMAGES[:6]], at=1))
    if change == "settings":
        asked = {"seed": 2}
    elif change == "code":
        monkeypatch.setattr(writing.workers, "fingerprint", lambda: "another")
    else:
        (first,) = paths.unfinished(target).rglob("train-images-00000*")
        first.write_bytes(first.read_bytes()[:-1] + b"\0")
    with writing.splits(target, CLASSES, (2, 3, 1), made_of=asked) as writer:
        assert len(writer.finished("train", 10)) == 0
        writer.add("train", LABELS, [IMAGES])
    np.testing.assert_array_equal(arrays.read_split(target, "train").images, IMAGES)
    assert not paths.unfinished(target).exists()


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}], ids=["graph", "xla"])
def test_a_training_takes_the_same_steps(tmp_path, monkeypatch, options):
    blobs = make_blobs()
    monkeypatch.setattr(writing, "SHARD_BYTES", 9 * 16)
    with writing.splits(tmp_path / "blobs", ("a", "b", "c"), blobs.images.shape[1:]) as writer:
        writer.add("train", blobs.labels, [blobs.images])
    split = arrays.read_split(tmp_path / "blobs", "train")
    assert isinstance(split.images, Shards)
    ours, theirs = build(), build()
    fit(ours, split, split, epochs=2, **options)
    fit(theirs, Split(blobs.images, blobs.labels), blobs, epochs=2)
    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-6 if options else 0)


def test_cut_keeps_every_row():
    blocks = [IMAGES[:1], IMAGES[1:1], IMAGES[1:8], IMAGES[8:]]
    found = [[len(block) for block in part] for part in shards.cut(blocks, 10, 4)]
    assert [sum(each) for each in found] == [4, 4, 2]


def test_photos_in_several_packs(tmp_path, monkeypatch):
    contents = [bytes([number]) * length for number, length in enumerate((40, 50, 60, 101, 1, 99))]
    monkeypatch.setattr(writing, "SHARD_BYTES", 100)
    with writing.splits(tmp_path / "pets", CLASSES, image_shape=None) as writer:
        packs.add(writer, "train", LABELS[:6], contents)
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "pets/train").glob("*.pack")}
    assert sizes == {f"images-0000{n}.pack": size for n, size in enumerate((90, 60, 101, 100))}
    photos = packs.read_images(tmp_path / "pets", "train")
    for one in (photos, pickle.loads(pickle.dumps(photos))):
        assert [one.content(row) for row in range(6)] == contents
    arrays.verify(tmp_path / "pets", "train")
    (tmp_path / "pets/train/images-00002.pack").write_bytes(b"\0" * 101)
    with pytest.raises(DataError, match=r"images-00002\.pack: damaged since it was written"):
        arrays.verify(tmp_path / "pets", "train")


CHANGES = sections.Augment(rotation_degrees=90.0, horizontal_flip=True)


def piece(changes=CHANGES, copies=2) -> pieces.Piece:
    images = Rows(IMAGES.repeat(3, axis=3), np.arange(9, -1, -1))
    return pieces.Piece(images, forms.Form((4, 4, 3), "stretch", "area"), copies, changes, 5)


@pytest.mark.parametrize("options", [{}, {"changes": None, "copies": 0}], ids=["copies", "none"])
@pytest.mark.parametrize("crop", [False, True])
def test_pieces_are_those_of_the_whole(options, crop):
    whole = piece(**options)
    if crop and whole.changes:
        cropped = sections.RandomResizedCrop(least_area=0.3, greatest_stretch=1.3)
        whole = piece(whole.changes.model_copy(update={"random_resized_crop": cropped}))
    wanted = np.concatenate(list(whole.blocks()))
    assert len(wanted) == 10 * (1 + whole.copies)
    for first, last in ((0, len(wanted)), (0, 1), (4, 9), (5, 10), (len(wanted) - 1, len(wanted))):
        made = pickle.loads(pickle.dumps(whole.between(first, last)))
        found = np.concatenate(list(made()))
        np.testing.assert_array_equal(found, wanted[first:last])
    assert list(whole.between(len(wanted), len(wanted))()) == []


def test_skipped_draws_are_those_that_come_before():
    drawn, skipped = np.random.default_rng(3), np.random.default_rng(3)
    augment.draw(CHANGES, 7, drawn)
    augment.skip(CHANGES, 7, skipped)
    assert drawn.random() == skipped.random()
