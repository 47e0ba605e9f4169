"""What labelling tools export, in their own forms, beside the photos or with them."""

import csv
import io
import json
import zipfile

import pytest
from photo_archives import photo

from imago.core.errors import DataError
from imago.datasets.image_folder import contents

CLASSES = ("cat", "dog")
NAMES = ["a 1.jpg", "IMG (2).jpg", "käfer.png", "4.jpg", "5.jpg", "skipped.jpg"]
LABELS = ["cat", "dog", "cat", "dog", "cat", ""]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (folder / "sub" / name).write_bytes(photo(number))
    return folder


def opened(*paths):
    with contents.opened(paths, "pets") as (_, arrangement):
        return arrangement


def rows(image):
    """Return what Label Studio exports of a project with one choice for each image."""
    return [
        {
            "annotation_id": 100 + number,
            "annotator": 1,
            "choice": label,
            "created_at": "2026-01-02T03:04:05.678901Z",
            "id": number,
            "image": image(name),
            "lead_time": 1.5,
            "updated_at": "2026-01-02T03:04:05.678901Z",
            "was_cancelled": not label,
        }
        for number, (name, label) in enumerate(zip(NAMES, LABELS, strict=True))
    ]


def as_table(delimiter):
    def write(found):
        text = io.StringIO()
        table = csv.DictWriter(text, found[0], delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
        table.writeheader()
        table.writerows(found)
        return text.getvalue()

    return write


def as_json_min(found):
    return json.dumps([{key: value or None for key, value in row.items()} for row in found])


WRITERS = {"csv": as_table(","), "tsv": as_table("\t"), "json": as_json_min}
IMAGES = {
    "uploaded": lambda name: (
        f"/data/upload/7/1f2e3d4c-{name.replace(' ', '_').replace('(', '').replace(')', '')}"
    ),
    "uploaded, with the host": lambda name: (
        f"http://localhost:8080/data/upload/7/1f2e3d4c-"
        f"{name.replace(' ', '_').replace('(', '').replace(')', '')}"
    ),
    "on its disk": lambda name: f"/data/local-files/?d=pets/photos/sub/{name}",
    "on its disk, in Windows": lambda name: f"/data/local-files/?d=photos%5Csub%5C{name}",
    "in a bucket": lambda name: f"s3://pets/photos/sub/{name}",
    "at a signed URL": lambda name: f"https://host/photos/sub/{name}?X-Amz-Signature=1/2.jpg",
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("image", IMAGES)
def test_label_studio(kind, image, photos, tmp_path):
    table = tmp_path / f"project-7-at-2026-01-02-03-04-1f2e3d4c.{kind}"
    table.write_text(WRITERS[kind](rows(IMAGES[image])), "utf-8")

    found = opened(photos, table)

    expected = {f"sub/{name}": label for name, label in zip(NAMES, LABELS, strict=True) if label}
    assert {path: place.class_name for path, place in found.places.items()} == expected
    assert found.unused == {"sub/skipped.jpg": "has no label in the table"}


def test_two_uploads_that_become_one_name(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(["a (1).jpg", "a 1.jpg", "b.jpg"]):
        (folder / name).write_bytes(photo(number))
    table = tmp_path / "labels.csv"
    table.write_text("image,choice\n/data/upload/1/1f2e3d4c-a_1.jpg,cat\nb.jpg,dog\n")

    with pytest.raises(DataError, match="must be of one photo alone, got 1 of 2"):
        opened(folder, table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            json.dumps([{"image": "4.jpg", "choice": {"choices": ["cat", "dog"]}}]),
            "a photo must have one label, got cat, dog for 4.jpg; mend the table",
        ),
        (
            json.dumps([{"id": 1, "data": {"image": "4.jpg"}, "annotations": []}]),
            "must be Label Studio's JSON-MIN, got its JSON; export JSON-MIN or CSV",
        ),
        (json.dumps({"images": []}), "must be a list of objects, one for each photo"),
        (json.dumps([1]), "must be a list of objects, one for each photo"),
        ("[", "must be JSON in UTF-8: .*; export it anew, or as CSV"),
        ("[" * 100_000, "must be JSON in UTF-8: .*; export it anew, or as CSV"),
        ("[]", "got none; name the column path and label"),
    ],
    ids=["two labels", "all of it", "an object", "numbers", "cut", "deep", "nothing"],
)
def test_json_that_is_no_table_of_labels(text, message, photos, tmp_path):
    (tmp_path / "labels.json").write_text(text)

    with pytest.raises(DataError, match=message) as caught:
        opened(photos, tmp_path / "labels.json")
    assert str(caught.value).startswith(f"{tmp_path}/labels.json: ")


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("folder", ["no_label", "_unlabeled"], ids=["CVAT", "FiftyOne"])
def test_folders_of_classes_and_one_without(tmp_path, folder):
    files = {f"{CLASSES[n % 2]}/photos/{n}.jpg": photo(n) for n in range(6)}
    path = zipped(tmp_path / "task.zip", files | {f"{folder}/photos/9.jpg": photo(9)})

    found = opened(path)

    assert {one: place.class_name for one, place in found.places.items()} == {
        one: one.partition("/")[0] for one in files
    }
    assert found.unused == {f"{folder}/photos/9.jpg": "has no label"}


def test_cvat_yolo_classification(tmp_path):
    files = {
        f"{split}/{name}/{n}.jpg": photo(n + ord(split[-1]))
        for split in ("train", "val", "test")
        for n, name in enumerate(CLASSES)
    }
    beside = {"train/labels.json": b"{}", "train/no_label/9.jpg": photo(9), "data.yaml": b""}

    found = opened(zipped(tmp_path / "task.zip", files | beside))

    assert {(place.split, place.class_name) for place in found.places.values()} == {
        (split, name) for split in ("train", "validation", "test") for name in CLASSES
    }
    assert found.unused["train/no_label/9.jpg"] == "has no label"


@pytest.mark.parametrize(
    "files",
    [
        {"annotations.xml": b"<?xml", "images/default/1.jpg": photo(1)},
        {"synsets.txt": b"cat\ndog\n", "default.txt": b"1 0\n"},
    ],
    ids=["CVAT for images", "ImageNet without images"],
)
def test_exports_of_cvat_without_folders_of_classes(files, tmp_path):
    with pytest.raises(DataError, match="of CVAT, export the format ImageNet with its images"):
        opened(zipped(tmp_path / "task.zip", files))


def test_annotations_of_cvat_alone(photos, tmp_path):
    (tmp_path / "annotations.xml").write_text("<?xml version='1.0'?><annotations/>")

    with pytest.raises(DataError, match="got XML; of CVAT, export the format ImageNet with its"):
        opened(photos, tmp_path / "annotations.xml")
