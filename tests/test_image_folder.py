import csv
import hashlib
import re
import zipfile

import cv2
import numpy as np
import photo_archives
import pytest
from photo_archives import encoded, photo, picture
from PIL import Image

from imago import params
from imago.core.errors import DataError, ParamsError
from imago.data import arrays
from imago.datasets.image_folder import layout
from imago.datasets.image_folder.settings import Extract, Settings
from imago.photos import packs
from tests.trees import contents

BROKEN = b"dear reader"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pets(prefix="", numbers=range(6), suffix=".png"):
    """Photos of cats and dogs, each with a number of its own."""
    names = [(name, number) for name in ("cat", "dog") for number in numbers]
    return {
        f"{prefix}{name}/{number}{suffix}": photo(number + 1000 * (name == "dog"), suffix)
        for name, number in names
    }


def split_pets():
    return pets("train/") | pets("test/", range(100, 103))


def extract(here, contents, **changes):
    extract = {"greatest_unreadable_fraction": 0.1, "greatest_megapixels": 1.0} | changes
    settings = Settings(
        layout="image_folder",
        licence="MIT",
        files={"pets.zip": "0" * 64},
        sources=["photos/{name}"],
        extract=Extract(**extract),
    )
    photo_archives.write(here / "pets.zip", contents)
    return layout.extract(settings, here, here / "out/pets")


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_written(here):
    info = extract(here, split_pets())
    folder = here / "out/pets"

    assert info == arrays.read_info(folder)
    assert info.classes == ("cat", "dog")
    assert info.image_shape is None
    assert info.splits["train"].examples_per_class == {"cat": 6, "dog": 6}
    assert info.splits["test"].examples_per_class == {"cat": 3, "dog": 3}
    assert arrays.read_labels(folder, "train").tolist() == [0] * 6 + [1] * 6
    train, test = packs.read_images(folder, "train"), packs.read_images(folder, "test")
    for number in range(6):
        np.testing.assert_array_equal(train[number], picture(number))
        np.testing.assert_array_equal(train[6 + number], picture(1000 + number))
    np.testing.assert_array_equal(test[5], picture(1102))
    assert list(contents(folder)) == [
        "dataset.json",
        "index.csv",
        "leaks.csv",
        "set_aside.csv",
        "test/images.pack",
        "test/labels.npy",
        "test/offsets.npy",
        "train/images.pack",
        "train/labels.npy",
        "train/offsets.npy",
    ]
    assert (folder / "set_aside.csv").read_text() == "path,reason\n"
    assert (
        folder / "leaks.csv"
    ).read_text() == "split,path,other_split,other_path,kind,differing_bits\n"


def test_the_index_says_where_each_photo_is(here):
    contents = split_pets()
    extract(here, contents)
    rows = table(here / "out/pets/index.csv")

    assert [row["path"] for row in rows] == sorted(contents, key=lambda p: (p < "train", p))
    assert rows[8] == {
        "path": "train/dog/2.png",
        "class": "dog",
        "split": "train",
        "row": "8",
        "width_px": "32",
        "height_px": "24",
        "file_bytes": str(len(contents["train/dog/2.png"])),
        "sha256": rows[8]["sha256"],
    }
    photos = packs.read_images(here / "out/pets", "train")
    np.testing.assert_array_equal(photos[8], picture(1002))


def test_validation_photos_are_a_split(here):
    info = extract(here, split_pets() | pets("val/", range(200, 202)))

    assert {name: split.examples for name, split in info.splits.items()} == {
        "train": 12,
        "validation": 4,
        "test": 6,
    }


def test_twice_gives_the_same_bytes(here):
    extract(here, split_pets())
    first = contents(here / "out/pets")
    extract(here, dict(reversed(split_pets().items())))

    assert contents(here / "out/pets") == first


def petimages():
    """As published, but for the number of photos and of broken ones, 5 % here."""
    contents = {
        f"PetImages/{name}/{number}.jpg": photo(number + start, ".jpg")
        for name, start in (("Cat", 0), ("Dog", 1000))
        for number in range(20)
    }
    contents["PetImages/Cat/6.jpg"] = b""
    contents["PetImages/Dog/17.jpg"] = contents["PetImages/Dog/17.jpg"][:-300]
    for name in ("PetImages/Cat/Thumbs.db", "PetImages/Dog/Thumbs.db", "readme[1].txt", "x.docx"):
        contents[name] = b"\xd0\xcf\x11\xe0"
    return contents


def test_petimages_as_published(here, caplog):
    with caplog.at_level("INFO", "imago"):
        info = extract(here, petimages(), test_fraction=0.25)

    assert info.classes == ("Cat", "Dog")
    assert info.splits["train"].examples_per_class == {"Cat": 14, "Dog": 14}
    assert info.splits["test"].examples_per_class == {"Cat": 5, "Dog": 5}
    rows = table(here / "out/pets/set_aside.csv")
    assert {row["path"]: row["reason"].split(":")[0] for row in rows} == {
        "PetImages/Cat/6.jpg": "empty",
        "PetImages/Cat/Thumbs.db": "left by an operating system",
        "PetImages/Dog/17.jpg": "truncated",
        "PetImages/Dog/Thumbs.db": "left by an operating system",
        "readme[1].txt": "no image by its name",
        "x.docx": "no image by its name",
    }
    assert caplog.messages == [
        "pets.zip: 2 classes: Cat 19, Dog 19",
        "pets.zip: 2 of 40 photos set aside: 1 empty, 1 truncated; see "
        f"{here}/out/pets/set_aside.csv",
        "pets.zip: 4 other files left out: 2 left by an operating system, 2 no image by its name; "
        f"see {here}/out/pets/set_aside.csv",
    ]


def test_too_many_unreadable_photos_stop_the_stage(here):
    message = (
        f"{here}/pets.zip: of 40 photos a share of 0.04 may be unreadable, got 2: 1 empty, "
        "1 truncated; .imago/set_aside/pets.csv lists them: mend or remove them, or raise"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        extract(here, petimages(), test_fraction=0.25, greatest_unreadable_fraction=0.04)

    assert not (here / "out").exists()
    assert len(table(here / ".imago/set_aside/pets.csv")) == 6


def test_a_share_is_compared_as_a_share(here):
    """0.29 * 100 is a little under 29."""
    bad = {f"cat/{number}.png": b"" for number in range(29)}
    good = {f"{('cat', 'dog')[n % 2]}/x{n}.png": photo(n) for n in range(71)}
    info = extract(here, bad | good, test_fraction=0.25, greatest_unreadable_fraction=0.29)
    assert sum(split.examples for split in info.splits.values()) == 71


def test_just_as_many_unreadable_photos_as_allowed(here):
    info = extract(here, petimages(), test_fraction=0.25, greatest_unreadable_fraction=0.05)
    assert info.splits["train"].examples == 28


def test_photos_with_too_many_pixels_are_set_aside(here):
    contents = split_pets() | {"train/cat/big.png": encoded(np.zeros((101, 100, 3), np.uint8))}
    info = extract(here, contents, greatest_megapixels=0.01)

    assert info.splits["train"].examples == 12
    (row,) = table(here / "out/pets/set_aside.csv")
    assert row["path"] == "train/cat/big.png"
    assert "100×101" in row["reason"]


def test_the_remedy_for_too_many_pixels_is_the_limit_on_them(here):
    message = (
        "1 too many pixels; .imago/set_aside/pets.csv lists them: raise extract.greatest_megap"
    )
    contents = split_pets() | {"train/cat/big.png": encoded(np.zeros((101, 100, 3), np.uint8))}
    with pytest.raises(DataError, match=re.escape(message)):
        extract(here, contents, greatest_megapixels=0.01, greatest_unreadable_fraction=0.0)


def test_pictures_in_two_classes_are_told(here, caplog):
    contents = split_pets()
    contents |= {f"train/dog/copy{n}.png": contents[f"train/cat/{n}.png"] for n in range(4)}
    with caplog.at_level("INFO", "imago"):
        extract(here, contents)

    assert caplog.messages[1] == (
        "pets.zip: 4 pictures, pixel for pixel, are in two classes, such as "
        "train/cat/0.png = train/dog/copy0.png, train/cat/1.png = train/dog/copy1.png, "
        "train/cat/2.png = train/dog/copy2.png and 1 more; of each pair one label is wrong: "
        "remove one, or decide on it"
    )


def test_exact_leaks_stop_the_stage(here):
    contents = split_pets()
    contents["test/dog/101.png"] = contents["train/cat/3.png"]
    message = (
        f"{here}/pets.zip: no photo may be in two splits, got 1 that are, pixel for pixel: "
        "test/dog/101.png = train/cat/3.png; .imago/leaks/pets.csv lists them"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        extract(here, contents)

    assert not (here / "out").exists()
    assert len(table(here / ".imago/leaks/pets.csv")) == 1


def test_exact_leaks_may_be_allowed(here, caplog):
    contents = split_pets()
    contents["test/dog/101.png"] = encoded(picture(3), ".bmp")  # other bytes, the same pixels
    with caplog.at_level("INFO", "imago"):
        info = extract(here, contents, allow_leaks=True)

    assert info.splits["test"].examples == 6
    assert table(here / "out/pets/leaks.csv") == [
        {
            "split": "test",
            "path": "test/dog/101.png",
            "other_split": "train",
            "other_path": "train/cat/3.png",
            "kind": "exact",
            "differing_bits": "0",
        }
    ]
    assert caplog.messages[-1] == (
        "pets.zip: photos in two splits: 1 pixel for pixel, 0 to the eye; "
        f"see {here}/out/pets/leaks.csv"
    )


def test_near_leaks_are_listed(here):
    contents = split_pets()
    smaller = cv2.resize(picture(3), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    contents["test/cat/101.png"] = encoded(smaller)
    extract(here, contents)

    (row,) = table(here / "out/pets/leaks.csv")
    assert (row["path"], row["other_path"]) == ("test/cat/101.png", "train/cat/3.png")
    assert row["kind"] == "near"
    assert int(row["differing_bits"]) <= 4


def test_flat_photos_are_no_leaks(here):
    contents = split_pets()
    contents["train/cat/white.png"] = encoded(np.full((20, 20, 3), 255, np.uint8))
    contents["test/cat/gray.png"] = encoded(np.full((20, 20, 3), 90, np.uint8))
    extract(here, contents)

    assert table(here / "out/pets/leaks.csv") == []


def test_a_drawn_test_split_has_no_leaks(here):
    contents = pets(numbers=range(20))
    contents |= {f"{path}.copy.png": content for path, content in contents.items()}
    info = extract(here, contents, test_fraction=0.3)

    assert info.splits["test"].examples_per_class == {"cat": 12, "dog": 12}
    assert table(here / "out/pets/leaks.csv") == []
    split_of = {row["path"]: row["split"] for row in table(here / "out/pets/index.csv")}
    assert all(split_of[f"{path}.copy.png"] == split_of[path] for path in pets(numbers=range(20)))


def extract_by_table(here, table, **changes):
    wanted = {"greatest_unreadable_fraction": 0.1, "greatest_megapixels": 1.0} | changes
    files = {"pets.zip": "0" * 64, "labels.csv": "0" * 64}
    settings = Settings(
        layout="image_folder", licence="MIT", files=files, sources=["x"], extract=Extract(**wanted)
    )
    photo_archives.write(here / "pets.zip", {f"{n}.png": photo(n) for n in range(40)})
    (here / "labels.csv").write_text(table)
    return layout.extract(settings, here, here / "out/pets")


def test_groups_of_a_table_are_in_one_split(here):
    rows = [f"{n},{'cat' if n % 2 else 'dog'},patient {n // 4}" for n in range(40)]
    text = "\n".join(["path,label,group", *rows])
    info = extract_by_table(here, text, test_fraction=0.3, keep_together=True)

    assert info.classes == ("cat", "dog")
    index = table(here / "out/pets/index.csv")
    splits = {(row["group"], row["split"]) for row in index}
    assert len(splits) == 10
    assert {split for _, split in splits} == {"train", "test"}


def test_a_group_in_two_splits_of_a_table(here):
    rows = [
        f"{n},{'cat' if n % 2 else 'dog'},{'test' if n < 9 else ''},p{n // 4}" for n in range(40)
    ]
    text = "\n".join(["path,label,split,group", *rows])
    with pytest.raises(
        DataError, match="no group may be in two splits, got p2; give each group one"
    ):
        extract_by_table(here, text)


def test_look_alikes_are_drawn_together(here):
    contents = pets(numbers=range(30))
    for name, start in (("cat", 0), ("dog", 1000)):
        for n in range(30):
            small = cv2.resize(picture(n + start), (24, 18), interpolation=cv2.INTER_AREA)
            contents[f"{name}/{n}.small.png"] = encoded(small)
    shares = {"test_fraction": 0.3, "validation_fraction": 0.2}
    info = extract(here, contents, keep_together=True, **shares)

    assert set(info.splits) == {"train", "validation", "test"}
    assert table(here / "out/pets/leaks.csv") == []
    split_of = {row["path"]: row["split"] for row in table(here / "out/pets/index.csv")}
    assert all(split_of[f"{p[:-4]}.small.png"] == split_of[p] for p in pets(numbers=range(30)))


@pytest.mark.parametrize(
    ("contents", "changes", "message"),
    [
        pytest.param(
            split_pets() | pets("val/", range(200, 202)),
            {"validation_fraction": 0.2, "keep_together": True},
            "extract.validation_fraction must be left out where there is a validation folder",
            id="fraction beside a validation folder",
        ),
        pytest.param(
            split_pets(),
            {"test_fraction": 0.2},
            "extract.test_fraction must be left out where there is a test folder, got 0.2; remove",
            id="fraction beside a test folder",
        ),
        pytest.param(
            pets(), {}, "must have a test folder that holds a folder for each class", id="no test"
        ),
        pytest.param(pets("cat/"), {}, "must have a test folder", id="wrapped in a class's name"),
        pytest.param(
            {path: content for path, content in pets().items() if "cat" in path},
            {"test_fraction": 0.5},
            "must have a folder with photos for each of two or more classes, got cat alone, with",
            id="one class",
        ),
        pytest.param(
            split_pets() | dict.fromkeys(pets("train/", range(6)), BROKEN),
            {"greatest_unreadable_fraction": 0.9},
            "must have readable photos in train, different from those in other splits, got none of "
            "cat, dog; those of cat that could be cannot be read: 6 not of a known format, such as "
            "train/cat/0.png and 5 more; add photos",
            id="unreadable training photos",
        ),
        pytest.param(
            split_pets() | dict.fromkeys(pets("test/", range(100, 103)), BROKEN),
            {"greatest_unreadable_fraction": 0.9},
            "must have readable photos in test, different from those in other splits, got none of "
            "cat, dog; those of cat that could be cannot be read: 3 not of a known format, such as "
            "test/cat/100.png and 2 more; add photos",
            id="unreadable test photos",
        ),
        pytest.param(
            pets() | {"owl/1.png": photo(1), "owl/2.png": photo(1)},
            {"test_fraction": 0.5},
            "must have readable photos in test, different from those in other splits, got none of "
            "owl; the 2 photos of owl are fewer different ones than splits, since those that look "
            "alike, or are of one group, stay together; add photos",
            id="class of one picture",
        ),
        pytest.param(
            pets() | {"owl/1.png": photo(1), "validation/x/2.png": photo(2)},
            {"test_fraction": 0.5},
            "all photos or none must lie in split folders",
            id="validation beside classes",
        ),
        pytest.param(
            pets("train/")
            | {"train/owl/1.png": photo(1)}
            | {f"validation/owl/{n}.png": photo(n) for n in range(2, 7)},
            {"test_fraction": 0.5},
            "got none of owl; add photos",
            id="class of one training photo and others for validation",
        ),
        pytest.param(
            pets() | {"../cat/7.png": photo(7)},
            {"test_fraction": 0.5},
            "pets.zip: ../cat/7.png: path must stay within the archive",
            id="hostile zip",
        ),
    ],
)
def test_faulty_archive(here, contents, changes, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        extract(here, contents, **changes)
    assert str(caught.value).startswith(f"{here}/pets.zip: ")
    assert not (here / "out").exists()


def test_a_test_class_may_be_empty(here):
    contents = pets("train/") | {"test/dog/100.png": photo(1100)}
    assert extract(here, contents).splits["test"].examples_per_class == {"cat": 0, "dog": 1}


def test_no_zip(here):
    (here / "pets.zip").write_bytes(BROKEN)
    settings = Settings(
        layout="image_folder",
        licence="MIT",
        files={"pets.zip": "0" * 64},
        sources=["x"],
        extract=Extract(greatest_unreadable_fraction=0.1, greatest_megapixels=1.0),
    )
    with pytest.raises(DataError, match=r"pets\.zip: must be a whole zip file"):
        layout.extract(settings, here, here / "out/pets")


def test_a_failure_leaves_what_was_there(here):
    extract(here, split_pets())
    before = contents(here / "out/pets")
    with pytest.raises(DataError):
        extract(here, split_pets() | {"train/cat/x.jpg": BROKEN}, greatest_unreadable_fraction=0.0)

    assert contents(here / "out/pets") == before


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("L", "png"), ("P", "png"), ("RGBA", "png"), ("CMYK", "jpg"), ("I;16", "png"), ("P", "gif")],
)
def test_photos_of_any_mode_are_rgb(here, mode, suffix):
    gray = np.full((20, 30), 128, np.uint8)
    image = Image.fromarray(gray.astype(np.uint16) * 257 if mode == "I;16" else gray)
    if mode != "I;16":
        image = image.convert("RGB").convert(mode, palette=Image.Palette.ADAPTIVE)
    contents = split_pets()
    with zipfile.ZipFile(here / "one.zip", "w") as archive, archive.open("x", "w") as file:
        image.save(file, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
    with zipfile.ZipFile(here / "one.zip") as archive:
        contents[f"train/cat/00.{suffix}"] = archive.read("x")
    extract(here, contents)

    found = packs.read_images(here / "out/pets", "train")[1]
    assert found.shape == (20, 30, 3)
    assert np.abs(found.astype(int) - 128).max() <= 2


PARAMS = """
seed: 20
datasets:
  pets:
    layout: image_folder
    licence: MIT
    files: {pets.zip: HASH}
    sources: ["photos/{name}"]
    extract: {greatest_unreadable_fraction: 0.05, greatest_megapixels: 100}
prepare: {}
weights: {}
backbones: {}
features: {}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64)


def test_sound_section():
    settings = params.parse(PARAMS).datasets["pets"]

    assert isinstance(settings, Settings)
    assert settings.may_hold_validation
    assert settings.extract.test_fraction is None
    assert not settings.extract.allow_leaks


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "files: {",
            f"files: {{a.csv: {'e' * 64}, b.csv: {'e' * 64}, ",
            "datasets.pets: files must be archives, and at most one table of their photos, got a.",
            id="two tables",
        ),
        pytest.param("pets.zip:", "pets.csv:", "files must be archives, and at most", id="table"),
        pytest.param("0.05", "1.0", "extract.greatest_unreadable_fraction", id="fraction"),
        pytest.param("100", "0", "extract.greatest_megapixels", id="megapixels"),
        pytest.param("extract: {", "extract: {test_fraction: 1.0, ", "test_fraction", id="all"),
        pytest.param(
            "extract: {",
            "extract: {validation_fraction: 0.2, ",
            "validation_fraction needs keep_together: true",
            id="validation by itself",
        ),
        pytest.param(
            "extract: {",
            "extract: {keep_together: true, test_fraction: 0.6, validation_fraction: 0.4, ",
            "must leave photos for training",
            id="nothing for training",
        ),
        pytest.param("extract: {", "extract: {test_fraction: 0.0, ", "test_fraction", id="none"),
    ],
)
def test_faulty_section(old, new, message):
    assert old in PARAMS

    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(PARAMS.replace(old, new))


def decide(here, *lines):
    table = here / "decisions/pets.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text("\n".join(["photo,decision,label,why", *lines, ""]), "utf-8")
    return hashlib.sha256(table.read_bytes()).hexdigest()


def test_what_was_decided_is_done(here, caplog):
    digest = decide(here, "train/cat/2.png,drop,,blurred", "test/dog/101.png,label,cat,a kitten")
    with caplog.at_level("INFO", "imago"):
        info = extract(here, split_pets(), decisions_sha256=digest)
    folder = here / "out/pets"
    assert info.splits["train"].examples_per_class == {"cat": 5, "dog": 6}
    assert info.splits["test"].examples_per_class == {"cat": 4, "dog": 2}
    assert table(folder / "set_aside.csv") == [
        {"path": "train/cat/2.png", "reason": "dropped by decision: blurred"}
    ]
    index = {row["path"]: row["class"] for row in table(folder / "index.csv")}
    assert index["test/dog/101.png"] == "cat"
    assert "train/cat/2.png" not in index
    assert (folder / "decisions.csv").read_bytes() == (here / "decisions/pets.csv").read_bytes()
    said = "pets.zip: photos dropped 1, given another label 1, as decisions/pets.csv says"
    assert said in caplog.messages
    assert "pets.zip: 2 classes: cat 9, dog 8" in caplog.messages


def test_decisions_stand_beside_the_photos_in_one_form(here):
    """However a spreadsheet has saved them: the report counts them."""
    text = "\ufeffPhoto;Decision;Label;Why\r\nTrain/Cat/2.png;drop;;\r\n"
    (here / "decisions").mkdir()
    (here / "decisions/pets.csv").write_text(text, "utf-8", newline="")
    digest = hashlib.sha256((here / "decisions/pets.csv").read_bytes()).hexdigest()
    extract(here, split_pets(), decisions_sha256=digest)
    found = (here / "out/pets/decisions.csv").read_text()
    assert found == "photo,decision,label,why\nTrain/Cat/2.png,drop,,\n"


def test_a_photo_that_cannot_be_read_may_be_dropped(here):
    """The page lists it, and `imago decide` knows it by its name."""
    contents = split_pets() | {"train/cat/2.png": b"broken"}
    digest = decide(here, "train/cat/2.png,drop,,")
    extract(here, contents, decisions_sha256=digest)
    (row,) = table(here / "out/pets/set_aside.csv")
    assert row["reason"].startswith("not of a known format")


def test_decisions_that_leave_a_class_without_photos(here):
    dogs = [name for name in split_pets() if name.startswith("train/dog/")]
    digest = decide(here, *(f"{name},drop,," for name in dogs))
    with pytest.raises(
        DataError, match=r"got none of dog; .* or see what decisions/pets\.csv takes"
    ):
        extract(here, split_pets(), decisions_sha256=digest)


def test_decisions_that_were_not_taken_up(here):
    decide(here, "train/cat/2.png,drop,,blurred")
    with pytest.raises(DataError, match=r"changed since params.yaml took it up"):
        extract(here, split_pets(), decisions_sha256="0" * 64)
    assert not (here / "out").exists()
