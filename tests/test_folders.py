import re

import pytest

from imago.core.errors import DataError
from imago.datasets.image_folder import folders
from imago.datasets.image_folder.folders import Place

CAT, DOG = Place("train", "cat"), Place("train", "dog")
TEST_CAT, TEST_DOG = Place("test", "cat"), Place("test", "dog")


@pytest.mark.parametrize(
    ("paths", "places"),
    [
        pytest.param(["cat/1.jpg", "dog/1.jpg"], [CAT, DOG], id="classes alone"),
        pytest.param(["a/b/c/cat/1.jpg", "a/b/c/dog/1.jpg"], [CAT, DOG], id="wrapped three times"),
        pytest.param(["cat/1/2/x.jpg", "dog/1.jpg"], [CAT, DOG], id="folders within a class"),
        pytest.param(["Train/cat/1.jpg", "Train/dog/1.jpg"], [CAT, DOG], id="training alone"),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "test/cat/2.jpg", "test/dog/3.jpg"],
            [CAT, DOG, TEST_CAT, TEST_DOG],
            id="split folders",
        ),
        pytest.param(
            ["x/TRAINING/cat/1.png", "x/training/dog/1.png", "x/Testing/dog/1.png"],
            [CAT, DOG, TEST_DOG],
            id="wrapped, any case, a class without test photos",
        ),
        pytest.param(
            [
                "training_set/training_set/cat/1.jpg",
                "training_set/training_set/dog/1.jpg",
                "test_set/test_set/cat/1.jpg",
            ],
            [CAT, DOG, TEST_CAT],
            id="split folders doubled",
        ),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "validation/dog/1.jpg"],
            [CAT, DOG, Place("validation", "cat"), Place("validation", "dog")],
            id="validation",
        ),
        pytest.param(
            ["test/train/cat/1.jpg", "test/train/dog/1.jpg", "test/test/dog/1.jpg"],
            [CAT, DOG, TEST_DOG],
            id="wrapped in a folder that has a split's name",
        ),
    ],
)
def test_places(paths, places):
    found = folders.arrange(paths, "x.zip")

    assert found.places == dict(zip(paths, places, strict=True))
    assert found.unused == {}


@pytest.mark.parametrize("suffix", ["jpg", "JPG", "jpeg", "png", "gif", "bmp", "tif", "webp"])
def test_suffixes_of_photos(suffix):
    paths = [f"cat/1.{suffix}", f"dog/1.{suffix}"]
    assert list(folders.arrange(paths, "x.zip").places) == paths


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("readme.txt", "no image by its name", id="text at the root"),
        pytest.param("pets/cat/notes.docx", "no image by its name", id="document in a class"),
        pytest.param("pets/cat/1", "no image by its name", id="no suffix"),
        pytest.param("pets/cat/.jpg", "no image by its name", id="suffix alone"),
        pytest.param("pets/cat/Thumbs.db", "left by an operating system", id="Windows"),
        pytest.param("__MACOSX/pets/cat/1.jpg", "left by an operating system", id="macOS"),
        pytest.param("pets/__MACOSX/cat/1.jpg", "left by an operating system", id="macOS within"),
        pytest.param("pets/cat/._1.jpg", "left by an operating system", id="resource fork"),
        pytest.param("pets/.DS_Store", "left by an operating system", id="Finder"),
        pytest.param("preview.jpg", "lies in no class folder", id="photo at the root"),
        pytest.param("pets/preview.jpg", "lies in no class folder", id="photo beside the classes"),
    ],
)
def test_what_is_left_out_is_listed(path, reason):
    found = folders.arrange(["pets/cat/1.jpg", "pets/dog/1.jpg", path], "x.zip")

    assert found.places == {"pets/cat/1.jpg": CAT, "pets/dog/1.jpg": DOG}
    assert found.unused == {path: reason}


def test_unlabelled_test_photos_are_left_out():
    found = folders.arrange(["train/cat/1.jpg", "train/dog/1.jpg", "test/7.jpg"], "x.zip")

    assert found.places == {"train/cat/1.jpg": CAT, "train/dog/1.jpg": DOG}
    assert found.unused == {"test/7.jpg": "lies in no class folder"}


def test_classes_are_sorted():
    paths = ["train/b/1.jpg", "train/a/1.jpg", "train/C/1.jpg", "test/a/1.jpg"]
    found = folders.arrange(paths, "x.zip")

    assert found.classes("train") == ["C", "a", "b"]
    assert found.classes("test") == ["a"]
    assert found.classes("validation") == []


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        pytest.param([], "for each of two or more classes, got none; names of", id="empty"),
        pytest.param(["cat/a.txt", "dog/b"], "or more classes, got none; names of", id="no photos"),
        pytest.param(["a/cat/1.jpg", "a/cat/2.jpg"], "classes, got none and photos", id="a class"),
        pytest.param(
            ["3.jpg", "1.jpg", "2.jpg", "4.jpg"],
            "got none and photos outside, such as 3.jpg, 1.jpg, 2.jpg and 1 more; names of photos "
            "end in one of .bmp ",
            id="no folders",
        ),
        pytest.param(
            ["train/1.jpg", "test/2.jpg"],
            "got none and photos outside, such as train/1.jpg, test/2.jpg; names",
            id="split folders without classes",
        ),
        pytest.param(
            ["train/cat/1.jpg", "dog/1.jpg", "owl/1.jpg"],
            "all photos or none must lie in split folders, got train beside dog, owl; move",
            id="some in split folders",
        ),
        pytest.param(
            ["cat/train/1.jpg", "cat/test/1.jpg", "dog/train/1.jpg"],
            "split folders must hold class folders, got test, train within cat, dog; swap the "
            "folders, such as train/cat",
            id="split folders within classes",
        ),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "test/Cat/1.jpg", "test/dog/1.jpg"],
            "every class must have training photos, got only test photos of Cat; training has cat, "
            "dog",
            id="test class unknown",
        ),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "val/owl/1.jpg"],
            "got only validation photos of owl",
            id="validation class unknown",
        ),
    ],
)
def test_faulty_folders(paths, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        folders.arrange(paths, "x.zip")
    assert str(caught.value).startswith("x.zip: ")
