import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imago import params
from imago.core import files, paths
from imago.core.errors import DataError, ParamsError
from imago.data import arrays, provenance, writing
from imago.data.arrays import Statistics
from imago.images import augment
from imago.photos import packs
from imago.preparing import conversion
from stages import prepare
from tests.photo_archives import encoded, picture
from tests.trees import contents, damage

PARAMS = """
seed: SEED
datasets:
  pets:
    layout: idx
    licence: MIT
    files: {a: HASH, b: HASH, c: HASH, d: HASH}
    sources: [pip:none==1]
    extract:
      classes: [cat, dog]
      train: {images: a, labels: b}
      test: {images: c, labels: d}
  photos:
    layout: image_folder
    licence: MIT
    files: {photos.zip: HASH}
    sources: [own]
    extract: {greatest_unreadable_fraction: 0.0, greatest_megapixels: 1}
prepare:
  pets4: {dataset: pets, image_size_px: 4, color: grayscale, FORM, validation_fraction: 0.0}
  pets4_validated:
    {dataset: pets, image_size_px: 4, color: grayscale, FORM, validation_fraction: 0.2}
  pets2_rgb: {dataset: pets, image_size_px: 2, color: rgb, FORM, validation_fraction: 0.2}
  pets4_torn: {dataset: pets, image_size_px: 4, color: grayscale, FORM, validation_fraction: 0.01}
  pets4_limited:
    dataset: pets
    image_size_px: 4
    color: grayscale
    FORM
    validation_fraction: 0.25
    limit_per_class: {train: 8, test: 1}
  pets4_views:
    dataset: pets
    image_size_px: 4
    color: grayscale
    FORM
    validation_fraction: 0.2
    augment: {rotation_degrees: 20, brightness: 0.1}
    views: 3
  photos_stretched:
    dataset: photos
    image_size_px: 8
    color: rgb
    fit: stretch
    interpolation: area
    validation_fraction: 0.0
  photos_padded:
    dataset: photos
    image_size_px: 8
    color: grayscale
    fit: pad
    interpolation: nearest
    validation_fraction: 0.0
  photos_cropped:
    dataset: photos
    image_size_px: 40
    color: rgb
    fit: crop
    interpolation: cubic
    validation_fraction: 0.0
  photos_views:
    dataset: photos
    image_size_px: 8
    color: rgb
    fit: stretch
    interpolation: area
    validation_fraction: 0.25
    limit_per_class: {train: 4}
    augment: {rotation_degrees: 20, horizontal_flip: true}
    views: 2
weights: {}
backbones: {}
features: {}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64)
PARAMS = PARAMS.replace("\n    FORM\n", "\n    fit: stretch\n    interpolation: area\n")
PARAMS = PARAMS.replace("FORM", "fit: stretch, interpolation: area")

LABELS = np.tile(np.array([0, 1, 1, 1], np.int32), 10)
IMAGES = np.random.default_rng(5).integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
SIZES = ((24, 32), (32, 24), (5, 7), (60, 20))
PHOTOS = [picture(number, *SIZES[number % 4]) for number in range(15)]
PHOTO_LABELS = np.arange(15, dtype=np.int32) // 2 % 2


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seed(tmp_path, 20)
    with writing.splits(tmp_path / "data/extracted/pets", ("cat", "dog"), (4, 4, 1)) as writer:
        writer.add("train", LABELS, [IMAGES])
        writer.add("test", LABELS[:5], [255 - IMAGES[:5]])
    contents = [encoded(photo) for photo in PHOTOS]
    with writing.splits(tmp_path / "data/extracted/photos", ("cat", "dog"), None) as writer:
        packs.add(writer, "train", PHOTO_LABELS[:12], contents[:12])
        packs.add(writer, "test", PHOTO_LABELS[12:], contents[12:])
    for name, dataset in params.load().datasets.items():
        provenance.write(paths.extracted(name), name, dataset)
    return tmp_path


def seed(tree, value):
    (tree / "params.yaml").write_text(PARAMS.replace("SEED", str(value)), "utf-8")


def test_right_images_pass_unchanged(tree, caplog):
    with caplog.at_level("INFO", "imago"):
        prepare.main("pets4")

    folder = tree / "data/prepared/pets4"
    assert list(arrays.read_info(folder).splits) == ["train", "test"]
    assert not (folder / "validation").exists()
    for split in ("train", "test"):
        for file in ("images.npy", "labels.npy"):
            source = tree / "data/extracted/pets" / split / file
            assert (folder / split / file).read_bytes() == source.read_bytes()
    assert caplog.messages == ["pets4: 40 train, 5 test images of 4×4×1"]
    assert arrays.read_info(folder).views == 0


def test_validation_images_are_taken_from_the_training_images(tree, caplog):
    with caplog.at_level("INFO", "imago"):
        prepare.main("pets4_validated")

    folder = tree / "data/prepared/pets4_validated"
    info = arrays.read_info(folder)
    assert info.splits["train"].examples_per_class == {"cat": 8, "dog": 24}
    assert info.splits["validation"].examples_per_class == {"cat": 2, "dog": 6}
    both = [arrays.read_split(folder, split) for split in ("train", "validation")]
    found = {
        (image.tobytes(), label)
        for split in both
        for image, label in zip(split.images, split.labels.tolist(), strict=True)
    }
    assert found == {
        (image.tobytes(), label) for image, label in zip(IMAGES, LABELS.tolist(), strict=True)
    }
    assert caplog.messages == ["pets4_validated: 32 train, 8 validation, 5 test images of 4×4×1"]


def test_test_images_are_all_kept_in_order(tree):
    prepare.main("pets4_validated")

    test = arrays.read_split(tree / "data/prepared/pets4_validated", "test")
    np.testing.assert_array_equal(test.images, 255 - IMAGES[:5])
    assert test.labels.tolist() == LABELS[:5].tolist()


def test_size_and_color_are_converted(tree):
    prepare.main("pets2_rgb")

    test = arrays.read_split(tree / "data/prepared/pets2_rgb", "test")
    assert test.images.shape == (5, 2, 2, 3)
    means = (255.0 - IMAGES[:5]).reshape(5, 2, 2, 2, 2).mean(axis=(2, 4))
    assert np.abs(test.images - means[..., np.newaxis]).max() <= 0.5  # rounded


@pytest.mark.parametrize(
    "variant",
    ["pets4", "pets4_validated", "pets2_rgb", "pets4_limited", "pets4_views", "photos_views"],
)
def test_statistics_are_of_the_prepared_training_images(tree, variant):
    prepare.main(variant)

    folder = tree / "data/prepared" / variant
    pixels = np.asarray(arrays.read_split(folder, "train").images, np.int64)
    count = pixels[..., 0].size
    sums, squares = pixels.sum(axis=(0, 1, 2)), (pixels**2).sum(axis=(0, 1, 2))
    expected = Statistics(
        mean=(sums / count).tolist(),
        variance=((count * squares - sums**2) / count**2).tolist(),
    )
    assert arrays.read_info(folder).statistics == expected


@pytest.mark.parametrize(
    "variant", ["pets4_validated", "pets2_rgb", "pets4_limited", "pets4_views", "photos_views"]
)
def test_bytes_do_not_depend_on_the_run_or_the_block_size(tree, monkeypatch, variant):
    prepare.main(variant)
    first = contents(tree / "data/prepared" / variant)

    for block_bytes in (1, 50):
        monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
        prepare.main(variant)
        assert contents(tree / "data/prepared" / variant) == first


def test_another_seed_draws_other_validation_images(tree):
    prepare.main("pets4_validated")
    first = contents(tree / "data/prepared/pets4_validated")

    seed(tree, 21)
    prepare.main("pets4_validated")

    second = contents(tree / "data/prepared/pets4_validated")
    assert second["validation/images.npy"] != first["validation/images.npy"]
    assert second["test/images.npy"] == first["test/images.npy"]


def test_another_seed_draws_other_copies(tree):
    prepare.main("pets4_views")
    first = arrays.read_split(tree / "data/prepared/pets4_views", "train").images[:].copy()
    seed(tree, 21)
    prepare.main("pets4_views")
    second = arrays.read_split(tree / "data/prepared/pets4_views", "train").images

    changes = [copies_of(first), copies_of(second)]
    assert changes[0].keys() != changes[1].keys()  # other images are held out
    shared = changes[0].keys() & changes[1].keys()
    assert shared
    assert all(changes[0][image] != changes[1][image] for image in shared)


def copies_of(stored, views=3):
    """What stands after each original: its bytes: the bytes of its copies."""
    rows = stored.reshape(-1, 1 + views, *stored.shape[1:])
    return {row[0].tobytes(): row[1:].tobytes() for row in rows}


@pytest.mark.parametrize("variant", ["photos_stretched", "photos_padded", "photos_cropped"])
def test_photos_are_brought_to_the_form_of_the_variant(tree, variant):
    prepare.main(variant)

    form = conversion.form(params.load().prepare[variant])
    for split, expected in (("train", PHOTOS[:12]), ("test", PHOTOS[12:])):
        found = arrays.read_split(tree / "data/prepared" / variant, split)
        by_hand = [conversion.convert(photo, form) for photo in expected]
        np.testing.assert_array_equal(found.images, np.stack(by_hand))
    assert found.labels.tolist() == PHOTO_LABELS[12:].tolist()


def test_fit_and_interpolation_are_those_of_the_variant(tree):
    for variant in ("photos_stretched", "photos_padded"):
        prepare.main(variant)

    padded = arrays.read_split(tree / "data/prepared/photos_padded", "train").images[0]
    assert padded.shape == (8, 8, 1)
    assert padded[[0, 7]].max() == 0  # of 24×32 to 6×8
    assert padded[1:7].max(axis=(1, 2)).min() > 0
    stretched = arrays.read_split(tree / "data/prepared/photos_stretched", "train").images[0]
    areas = PHOTOS[0].reshape(8, 3, 8, 4, 3).mean(axis=(1, 3))
    assert np.abs(stretched - areas).max() <= 0.5  # rounded


def test_limits_per_class(tree, caplog):
    with caplog.at_level("INFO", "imago"):
        prepare.main("pets4_limited")

    info = arrays.read_info(tree / "data/prepared/pets4_limited")
    assert {name: split.examples_per_class for name, split in info.splits.items()} == {
        "train": {"cat": 6, "dog": 6},
        "validation": {"cat": 2, "dog": 2},
        "test": {"cat": 1, "dog": 1},
    }
    assert caplog.messages == ["pets4_limited: 12 train, 4 validation, 2 test images of 4×4×1"]


def test_each_training_image_is_followed_by_its_copies(tree, caplog):
    prepare.main("pets4_validated")
    with caplog.at_level("INFO", "imago"):
        prepare.main("pets4_views")

    plain, augmented = (
        tree / "data/prepared" / name for name in ("pets4_validated", "pets4_views")
    )
    originals = arrays.read_split(plain, "train")
    train, info = arrays.read_split(augmented, "train"), arrays.read_info(augmented)
    assert info.views == 3
    assert info.splits["train"].examples_per_class == {"cat": 4 * 8, "dog": 4 * 24}
    assert train.labels.tolist() == np.repeat(originals.labels, 4).tolist()
    np.testing.assert_array_equal(train.images[::4], originals.images)
    settings = params.load().prepare["pets4_views"].augment
    draws = augment.draw(settings, 32 * 3, np.random.default_rng(20))
    by_hand = augment.apply(np.repeat(originals.images, 3, axis=0), draws)
    copies = train.images.reshape(32, 4, 4, 4, 1)[:, 1:]
    np.testing.assert_array_equal(copies, by_hand.reshape(32, 3, 4, 4, 1))
    assert caplog.messages == ["pets4_views: 128 train, 8 validation, 5 test images of 4×4×1"]


def test_validation_and_test_images_are_not_augmented(tree):
    for variant in ("pets4_validated", "pets4_views"):
        prepare.main(variant)

    plain, augmented = (
        contents(tree / "data/prepared" / name) for name in ("pets4_validated", "pets4_views")
    )
    for split in ("validation", "test"):
        for file in ("images.npy", "labels.npy"):
            assert augmented[f"{split}/{file}"] == plain[f"{split}/{file}"]


def test_data_with_validation_images_of_their_own(tree):
    with writing.splits(tree / "data/extracted/photos", ("cat", "dog"), None) as writer:
        for split, rows in (("train", range(8)), ("validation", range(8, 12)), ("test", [12])):
            chosen = [encoded(PHOTOS[row]) for row in rows]
            packs.add(writer, split, PHOTO_LABELS[list(rows)], chosen)
        provenance.carry(tree / "data/extracted/photos", writer.folder)

    prepare.main("photos_stretched")

    folder = tree / "data/prepared/photos_stretched"
    assert list(arrays.read_info(folder).splits) == ["train", "validation", "test"]
    form = conversion.form(params.load().prepare["photos_stretched"])
    expected = np.stack([conversion.convert(photo, form) for photo in PHOTOS[8:12]])
    np.testing.assert_array_equal(arrays.read_split(folder, "validation").images, expected)
    with pytest.raises(DataError, match=r"must be 0\.0, for photos has 4 validation images of its"):
        prepare.main("photos_views")


def test_a_variant_says_where_its_images_come_from(tree):
    (tree / "data/extracted/photos/set_aside.csv").write_text("path,reason\na.jpg,truncated\n")
    (tree / "data/extracted/photos/leaks.csv").write_text("split,path\n")

    prepare.main("photos_views")

    told = files.read_json(tree / "data/prepared/photos_views/provenance.json")
    assert told["dataset"]["files"] == {"photos.zip": "f" * 64}
    assert told["prepare"] == {
        "name": "photos_views",
        "seed": 20,
        "dataset": "photos",
        "image_size_px": 8,
        "color": "rgb",
        "fit": "stretch",
        "interpolation": "area",
        "validation_fraction": 0.25,
        "limit_per_class": {"train": 4},
        "augment": {"rotation_degrees": 20.0, "horizontal_flip": True},
        "views": 2,
    }
    listed = sorted(path.name for path in (tree / "data/prepared/photos_views").glob("*.csv"))
    assert listed == ["set_aside.csv"]


def test_class_too_small_to_split_leaves_nothing(tree):
    with pytest.raises(DataError, match="class 'cat' must have at least 40 training images"):
        prepare.main("pets4_torn")
    assert not (tree / "data/prepared").exists()


def test_missing_extracted_data(tree):
    (tree / "data/extracted/pets/dataset.json").unlink()

    with pytest.raises(DataError, match=r"data/extracted/pets/dataset.json: not found"):
        prepare.main("pets4")


@pytest.mark.usefixtures("tree")
def test_unknown_variant():
    with pytest.raises(ParamsError, match=r"unknown variant 'pets9'; params\.yaml has pets2_rgb"):
        prepare.main("pets9")


def test_slow_libraries_are_not_imported_at_the_start():
    script = "import sys, stages.extract, stages.prepare; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert not {"tensorflow", "keras", "sklearn", "pandas"} & set(modules)


@pytest.mark.usefixtures("tree")
def test_an_image_has_one_identity_in_every_variant():
    for variant in ("pets4", "pets2_rgb"):
        prepare.main(variant)

    small, large = (
        arrays.read_identities(Path("data/prepared", variant), "test")
        for variant in ("pets4", "pets2_rgb")
    )

    np.testing.assert_array_equal(small, large)
    assert len(set(small.tolist())) == len(small)


@pytest.mark.parametrize(
    ("variant", "path"),
    [
        ("pets4", "pets/train/images.npy"),
        ("pets4", "pets/test/labels.npy"),
        ("photos_views", "photos/train/images.pack"),
    ],
)
def test_damaged_images_are_not_prepared(tree, variant, path):
    damage(tree / "data/extracted" / path)
    with pytest.raises(DataError, match=rf"{path}: damaged since it was written"):
        prepare.main(variant)
    assert not (tree / "data/prepared").exists()
