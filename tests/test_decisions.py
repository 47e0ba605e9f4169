import dataclasses
import hashlib

import numpy as np
import pytest

from imago.core.errors import DataError
from imago.datasets.image_folder import decisions
from imago.datasets.image_folder.decisions import Decision
from imago.datasets.image_folder.inspection import Photo
from imago.photos.fingerprints import fingerprint

HEAD = "photo,decision,label,why"


def photo(path, content=None):
    image = np.zeros((2, 2, 3), np.uint8)
    digest = hashlib.sha256((content or path).encode()).digest()
    return Photo(path, "train", path.split("/")[0], 2, 2, 10, digest, fingerprint(image))


PHOTOS = [photo("cat/a.jpg"), photo("cat/é.jpg"), photo("dog/b.jpg"), photo("dog/c.jpg", "é")]


def written(tmp_path, *lines):
    path = tmp_path / "pets.csv"
    path.write_text("\n".join([HEAD, *lines, ""]), "utf-8")
    return path


def applied(*made):
    return decisions.apply("pets.csv", PHOTOS, made, ("cat", "dog"))


def test_a_photo_is_dropped_or_gets_another_label():
    left, dropped = applied(
        Decision("cat/é.jpg", "drop", "", "blurred"), Decision("dog/b.jpg", "label", "cat", "")
    )
    assert dropped == {"cat/é.jpg": "dropped by decision: blurred"}
    expected = [PHOTOS[0], dataclasses.replace(PHOTOS[2], class_name="cat"), PHOTOS[3]]
    assert left == expected


def test_a_digest_stands_for_a_photo_wherever_it_lies():
    left, _ = applied(Decision(PHOTOS[3].sha256.hex().upper(), "label", "cat", ""))
    assert left[3].class_name == "cat"


@pytest.mark.parametrize("name", ["CAT/A.jpg", "cat/a.JPG"])
def test_case_of_a_path_does_not_count(name):
    left, dropped = applied(Decision(name, "drop", "", ""))
    assert (left, list(dropped)) == (PHOTOS[1:], ["cat/a.jpg"])


def test_a_path_in_another_form_of_unicode_is_the_same():
    _, dropped = applied(Decision("cat/e\u0301.jpg", "drop", "", ""))
    assert list(dropped) == ["cat/é.jpg"]


def test_case_of_a_label_does_not_count():
    left, _ = applied(Decision("dog/b.jpg", "label", "CAT", ""))
    assert left[2].class_name == "cat"


def test_the_last_decision_holds():
    left, dropped = applied(
        Decision("dog/b.jpg", "drop", "", ""), Decision("dog/b.jpg", "label", "cat", "")
    )
    assert (len(left), dropped) == (4, {})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            Decision("dog/x.jpg", "drop", "", ""),
            "pets.csv: dog/x.jpg: must be on a photo that is used, got none; correct the row",
        ),
        (
            Decision("dog/b.jpg", "label", "cow", ""),
            "pets.csv: dog/b.jpg: must be on a class, one of cat, dog, got cow; correct the row",
        ),
    ],
    ids=["photo", "class"],
)
def test_what_there_is_not(made, message):
    with pytest.raises(DataError, match=message):
        applied(made)


def test_all_rows_on_what_there_is_not_are_told_at_once():
    made = [Decision(f"dog/x{n}.jpg", "drop", "", "") for n in range(7)]
    with pytest.raises(DataError) as caught:
        applied(*made, Decision("dog/b.jpg", "label", "cow", ""))
    said = str(caught.value)
    assert said.startswith(
        "pets.csv: dog/x0.jpg: must be on a photo that is used, got none; dog/x1"
    )
    assert said.endswith("; so are 3 more; correct these rows")


def test_written_and_read(tmp_path):
    made = [Decision('a "b", c.jpg', "drop", "", "x, y"), Decision("é.jpg", "label", "cat", "")]
    decisions.write(tmp_path / "pets.csv", made)
    assert decisions.read(tmp_path / "pets.csv") == made
    assert (tmp_path / "pets.csv").read_text("utf-8").startswith(f"{HEAD}\n")


def test_a_spreadsheets_mark_and_more_columns(tmp_path):
    path = tmp_path / "pets.csv"
    path.write_text("\ufeffwhy,photo,decision,label,who\nw,a.jpg, drop ,,me\n", "utf-8")
    assert decisions.read(path) == [Decision("a.jpg", "drop", "", "w")]


@pytest.mark.parametrize(
    "text",
    [
        "Photo;Decision;Label;Why\r\na.jpg;drop;;w\r\n",
        "photo, decision, label, why\na.jpg, drop, , w\n",
        "photo\tdecision\tlabel\twhy\na.jpg\tdrop\t\tw\n\n",
    ],
    ids=["Excel", "spaces", "tabs"],
)
def test_as_people_save_it(tmp_path, text):
    (tmp_path / "pets.csv").write_text(text, "utf-8")
    assert decisions.read(tmp_path / "pets.csv") == [Decision("a.jpg", "drop", "", "w")]


def test_a_line_break_in_a_reason_stays(tmp_path):
    path = written(tmp_path, 'a.jpg,drop,,"blurred,\ntoo"')
    assert decisions.read(path) == [Decision("a.jpg", "drop", "", "blurred,\ntoo")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg,drop,,blurred, too", "line 2: must have at most 4 cells, .* ',' in it into quotes"),
        ('"a.jpg,drop,,', "Excel: a quote is opened and not"),
        ("a.jpg,delete,,", "line 2: must have a photo, and drop or label, got 'a.jpg', 'delete'"),
        (",drop,,", "line 2: must have a photo, and drop or label, got '', 'drop'"),
        ("a.jpg,drop,cat,", "line 2: a.jpg: drop must have no label, got 'cat'"),
        ("a.jpg,label,,", "line 2: a.jpg: label must have the right label, got ''"),
        ("a.jpg", "line 2: must have a photo, and drop or label, got 'a.jpg', ''"),
    ],
)
def test_rows_that_break_a_rule(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        decisions.read(written(tmp_path, line))


def test_other_files(tmp_path):
    path = tmp_path / "pets.csv"
    with pytest.raises(
        DataError,
        match=r"pets.csv: not found; `git restore .*` brings it back, `imago decide pets` gives up",
    ):
        decisions.read(path)
    path.write_text("path,label\n", "utf-8")
    with pytest.raises(DataError, match=r"must have the columns photo, .*, got path, label"):
        decisions.read(path)
    path.write_bytes("photo,decision,label,why\né,drop,,".encode("latin-1"))
    with pytest.raises(DataError, match="must be a table in UTF-8, as CSV UTF-8 of Excel: "):
        decisions.read(path)


def test_a_table_that_was_changed_since(tmp_path):
    path = written(tmp_path, "a.jpg,drop,,")
    decisions.verify(path, hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(DataError, match=r"changed since params.yaml took it up; `imago decide pe"):
        decisions.verify(path, "0" * 64)
