import re

import pytest

from imago.core.errors import DataError
from imago.datasets.image_folder import folders
from imago.datasets.image_folder.arrangement import Place

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
        pytest.param(
            ["cat/train/1.jpg", "cat/test/1.jpg", "dog/train/1.jpg", "dog/test/2.jpg"],
            [CAT, TEST_CAT, DOG, TEST_DOG],
            id="split folders within classes",
        ),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "test/Cat/1.jpg"],
            [CAT, DOG, TEST_CAT],
            id="another case",
        ),
        pytest.param(
            ["train/cat /1.jpg", "train/dog/1.jpg", "test/cat/1.jpg"],
            [CAT, DOG, TEST_CAT],
            id="a space at the end",
        ),
        pytest.param(
            ["train/k\u00e4/1.jpg", "train/dog/1.jpg", "test/ka\u0308/1.jpg"],
            [Place("train", "k\u00e4"), DOG, Place("test", "k\u00e4")],
            id="another Unicode form",
        ),
        pytest.param(
            [f"seg_{s}/seg_{s}/{name}/1.jpg" for s in ("train", "test") for name in ("cat", "dog")],
            [CAT, DOG, TEST_CAT, TEST_DOG],
            id="seg_train",
        ),
        pytest.param(
            ["x/train2017/cat/1.jpg", "x/train2017/dog/1.jpg", "x/val2017/cat/1.jpg"],
            [CAT, DOG, Place("validation", "cat")],
            id="val2017",
        ),
        pytest.param(
            ["TrainSet/cat/1.jpg", "TrainSet/dog/1.jpg", "TestSet/dog/1.jpg"],
            [CAT, DOG, TEST_DOG],
            id="TestSet",
        ),
        pytest.param(
            ["train/images/cat/1.jpg", "train/images/dog/1.jpg", "test/images/dog/1.jpg"],
            [CAT, DOG, TEST_DOG],
            id="wrapped within splits",
        ),
        pytest.param(
            ["a/train_data/cat/1.jpg", "a/train_data/dog/1.jpg", "a/test_data/test/dog/1.jpg"],
            [CAT, DOG, TEST_DOG],
            id="one split doubled",
        ),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "test/dog/1.jpg"],
            [CAT, DOG, TEST_DOG],
            id="one class in test, which wraps nothing",
        ),
        pytest.param(
            ["valid/1.jpg", "invalid/1.jpg"],
            [Place("train", "valid"), Place("train", "invalid")],
            id="classes valid and invalid",
        ),
        pytest.param(
            ["train/1.jpg", "bus/1.jpg", "car/2.jpg"],
            [Place("train", "train"), Place("train", "bus"), Place("train", "car")],
            id="class train",
        ),
        pytest.param(
            ["test_tube/1.jpg", "train_station/1.jpg"],
            [Place("train", "test_tube"), Place("train", "train_station")],
            id="classes that speak of splits",
        ),
        pytest.param(
            ["test_tube/a/1.jpg", "test_tube/b/1.jpg", "train_station/c/1.jpg"],
            [Place("train", "test_tube")] * 2 + [Place("train", "train_station")],
            id="classes that speak of splits, with folders",
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
        pytest.param("pets/cat/.jpg", "hidden, or in a hidden folder", id="suffix alone"),
        pytest.param("pets/cat/Thumbs.db", "left by an operating system", id="Windows"),
        pytest.param("__MACOSX/pets/cat/1.jpg", "left by an operating system", id="macOS"),
        pytest.param("pets/__MACOSX/cat/1.jpg", "left by an operating system", id="macOS within"),
        pytest.param("pets/cat/._1.jpg", "left by an operating system", id="resource fork"),
        pytest.param("pets/.DS_Store", "left by an operating system", id="Finder"),
        pytest.param("pets/cat/Icon\r", "left by an operating system", id="icon of a folder"),
        pytest.param("pets/cat/1.jpg:Zone.Identifier", "left by an operating system", id="zone"),
        pytest.param("pets/cat/@eaDir/1.jpg/S.jpg", "left by an operating system", id="Synology"),
        pytest.param("pets/cat/.thumbnails/1.jpg", "left by an operating system", id="Android"),
        pytest.param("$RECYCLE.BIN/cat/1.jpg", "left by an operating system", id="bin"),
        pytest.param(
            "pets/.ipynb_checkpoints/1-checkpoint.jpg",
            "hidden, or in a hidden folder",
            id="Jupyter",
        ),
        pytest.param("pets/cat/.1.jpg", "hidden, or in a hidden folder", id="hidden"),
        pytest.param(
            "pets/cat/1.NEF", "a photo or film of a kind that is not read: .nef", id="raw photo"
        ),
        pytest.param("pets/more.zip", "an archive", id="archive"),
        pytest.param("pets/docs/about.pdf", "no image by its name", id="folder of documents"),
        pytest.param(
            "pets/pets/cat/1.jpg", "lies in a copy of the folders beside it", id="packed twice"
        ),
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


def test_folders_that_nobody_looked_into_are_listed():
    paths = ["cat/1.jpg", "dog/1.jpg", "cat/@eaDir/", ".git/", "__MACOSX/", "__MACOSX/a", "cat/"]
    found = folders.arrange(paths, "pets")

    assert found.unused == {
        "__MACOSX/a": "left by an operating system",
        "cat/@eaDir/": "left by an operating system",
        ".git/": "hidden, or in a hidden folder",
    }


def test_unlabelled_folders_beside_splits_are_left_out():
    paths = ["seg_train/cat/1.jpg", "seg_train/dog/1.jpg", "seg_test/cat/1.jpg", "seg_pred/7.jpg"]
    found = folders.arrange(paths, "x.zip")

    assert list(found.places.values()) == [CAT, DOG, TEST_CAT]
    assert found.unused == {"seg_pred/7.jpg": "lies in no class folder"}


def test_all_that_is_packed_twice_is_left_out():
    once = [f"{split}/{name}/1.jpg" for split in ("train", "test") for name in ("cat", "dog")]
    twice = [f"xray/xray/{path}" for path in once]
    found = folders.arrange([f"xray/{path}" for path in once] + twice, "x.zip")

    assert list(found.places.values()) == [CAT, DOG, TEST_CAT, TEST_DOG]
    assert list(found.unused) == twice


def test_photos_of_each_class_and_split_are_counted():
    paths = ["train/dog/1.jpg", "train/dog/2.jpg", "train/cat/1.jpg", "test/cat/1.jpg"]

    assert folders.arrange(paths, "x.zip").counts() == {
        "cat": {"train": 1, "test": 1},
        "dog": {"train": 2},
    }


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
        pytest.param(
            ["a/cat/1.jpg", "a/cat/2.jpg"],
            "classes, got cat alone, with a/cat/1.jpg, a/cat/2.jpg; names of",
            id="a class",
        ),
        pytest.param(
            ["3.jpg", "1.jpg", "2.jpg", "4.jpg"],
            "got none and photos outside, such as 3.jpg, 1.jpg, 2.jpg and 1 more; names of photos "
            "end in one of .avif ",
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
            ["test/1.jpg", "cat/1.jpg", "dog/1.jpg"],
            "got test beside cat, dog; move the others, or rename a class that has a split's name",
            id="unlabelled test photos, or a class",
        ),
        pytest.param(
            ["pets/cat/1.jpg", "pets/dog/1.jpg", "docs/1.png"],
            "class folders must hold photos at one depth, got docs, with photos, beside pets, with "
            "the folders cat, dog; if these are the classes, take out docs, or move it into pets; "
            "else put the photos of pets directly into it",
            id="two depths",
        ),
        pytest.param(
            ["cat/1.jpg", "dog/1.jpg", "pets/cat/1.jpg", "pets/dog/9.jpg"],
            "got cat, dog, with photos, beside pets, with the folders cat, dog;",
            id="classes beside a folder of other photos of them",
        ),
        pytest.param(
            ["one/cat/1.jpg", "one/dog/1.jpg", "two/cat/2.jpg", "two/dog/2.jpg"],
            "class folders must not repeat each other's folders, got cat, dog in each of one, two;",
            id="the same folders twice",
        ),
        pytest.param(
            ["set_train/cat/1.jpg", "set_train/dog/1.jpg", "set_test/owl/1.jpg", "x/1.jpg"],
            "class folders must hold photos at one depth, got x",
            id="names of splits beside another",
        ),
        pytest.param(
            ["cat/1.jpg", "dog/1.jpg", "owl/"],
            "every class folder must have photos, got none in owl; add photos",
            id="empty folder",
        ),
        pytest.param(
            ["train/cat/1.jpg", "train/dog/1.jpg", "train/owl/", "test/cat/"],
            "got none in owl; add photos",
            id="empty folder of a split",
        ),
        pytest.param(
            ["cat/1.jpg", "dog/1.jpg", "owl/1.CR2", "owl/2.CR2"],
            "got none in owl, but files such as owl/1.CR2 and 1 more; add photos, converted",
            id="raw photos",
        ),
        pytest.param(
            ["cat/1.jpg", "dog/1.jpg", "owl/.DS_Store"],
            "got none in owl, but files such as owl/.DS_Store; add photos",
            id="droppings alone",
        ),
        pytest.param(
            ["train.zip", "test.zip", "about.txt"],
            "got archives within: train.zip, test.zip; unpack it, and add what is in them",
            id="archives within",
        ),
        pytest.param(
            ["images/1.jpg", "images/2.jpg", "labels.csv"],
            "got images alone, with images/1.jpg, images/2.jpg; if labels.csv says the classes, "
            "take it out and",
            id="a table within",
        ),
        pytest.param(
            ["cat/1.dng", "dog/1.dng"],
            "got none and files of kinds that are not read, such as cat/1.dng, dog/1.dng; convert",
            id="raw photos alone",
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


def test_spaces_around_the_name_of_a_class_do_not_count():
    paths = [" cat /", " cat /1.jpg", "dog\xa0/", "dog\xa0/1.jpg"]

    assert folders.arrange(paths, "x").places == {paths[1]: CAT, paths[3]: DOG}


def test_classes_without_training_photos():
    message = (
        "x: every class must have training photos, got only validation and test photos of cat, "
        "dog; training has none"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        folders.arrange(["val/cat/1.jpg", "test/cat/2.jpg", "test/dog/3.jpg"], "x")


@pytest.mark.parametrize(
    ("paths", "classes"),
    [
        (["cat/lynx/1.jpg", "cat/puma/2.jpg"], {"lynx", "puma"}),
        (["cat/lynx/1.jpg", "cat/lynx/2.jpg"], {"lynx"}),
        (["x/Cat/1.jpg", "x/Cat/2.jpg"], {"Cat"}),
        (["cat/test/dog/1.jpg", "cat/train/dog/2.jpg"], {"dog"}),
    ],
)
def test_a_class_that_is_known_may_hold_all_photos(paths, classes):
    found = folders.arrange(paths, "x", for_training=False, known=["cat", "lynx", "puma"])

    assert set(found.counts()) == classes
