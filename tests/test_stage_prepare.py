import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imago import arrays
from imago.arrays import Statistics
from imago.errors import DataError, ParamsError
from stages import prepare

PARAMS = """
seed: SEED
datasets:
  pets:
    layout: idx
    files: {a: HASH, b: HASH, c: HASH, d: HASH}
    sources: [pip:none==1]
    extract:
      classes: [cat, dog]
      train: {images: a, labels: b}
      test: {images: c, labels: d}
prepare:
  pets4: {dataset: pets, image_size_px: 4, color: grayscale, validation_fraction: 0.0}
  pets4_validated: {dataset: pets, image_size_px: 4, color: grayscale, validation_fraction: 0.2}
  pets2_rgb: {dataset: pets, image_size_px: 2, color: rgb, validation_fraction: 0.2}
  pets4_torn: {dataset: pets, image_size_px: 4, color: grayscale, validation_fraction: 0.01}
experiments: {}
""".replace("HASH", "f" * 64)

LABELS = np.tile(np.array([0, 1, 1, 1], np.int32), 10)
IMAGES = np.random.default_rng(5).integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seed(tmp_path, 20)
    with arrays.writing(tmp_path / "data/extracted/pets", ("cat", "dog"), (4, 4, 1)) as writer:
        writer.add("train", LABELS, [IMAGES])
        writer.add("test", LABELS[:5], [255 - IMAGES[:5]])
    return tmp_path


def seed(tree, value):
    (tree / "params.yaml").write_text(PARAMS.replace("SEED", str(value)), "utf-8")


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


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


@pytest.mark.parametrize("variant", ["pets4", "pets4_validated", "pets2_rgb"])
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


@pytest.mark.parametrize("variant", ["pets4_validated", "pets2_rgb"])
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
