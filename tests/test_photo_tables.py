import random

import pandas as pd
import pytest

from imago.core.errors import DataError
from imago.datasets.image_folder import tables
from imago.datasets.image_folder.arrangement import Place
from imago.datasets.image_folder.tables import Row

PHOTOS = ["images/1.jpg", "images/2.jpg", "images/3.png", "images/4.jpg"]
CAT, DOG = Place("train", "cat"), Place("train", "dog")


def read(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tables.read(path).rows


@pytest.mark.parametrize(
    "text",
    [
        "path,label\n1.jpg,cat\n2.jpg,dog\n",
        "path;label\r\n1.jpg;cat\r\n2.jpg;dog\r\n",
        "\ufeffPath\tLabel\n1.jpg\tcat\n2.jpg\tdog\n",
        "path,label\n1.jpg,cat\n2.jpg,dog\n".encode("utf-16"),
        'label,id,note\ncat,1.jpg,"a, b"\ndog,2.jpg,\n\n,,\n',
        "filename,class\n 1.jpg , cat \n2.jpg,dog",
        "path|label\n1.jpg|cat\n2.jpg|dog\n",
        "id,photo,label\n1,1.jpg,cat\n2,2.jpg,dog\n",
        "photo,id,label\nby Ann,1.jpg,cat\nby Bob,2.jpg,dog\n",
        'path\tlabel\tnote\n"1.jpg" \tcat\t"Big" one\n2.jpg\tdog\t\n',
        "\n\npath,label\n1.jpg,cat\n2.jpg,dog\n",
        'path;label;note\r1.jpg;cat;"a, b, c, d"\r2.jpg;dog;\r',
    ],
    ids=[
        *("commas", "semicolons", "tabs and a mark", "UTF-16", "more columns", "other names"),
        *("bars", "numbered rows", "photographers", "stray quotes", "empty lines first"),
        "of a Macintosh",
    ],
)
def test_tables_as_programs_write_them(tmp_path, text):
    assert read(tmp_path, text) == [Row("1.jpg", "cat", "", ""), Row("2.jpg", "dog", "", "")]


def test_split_and_group(tmp_path):
    text = "path,label,split,group\n1.jpg,cat,test,a\n2.jpg,dog,,\n"

    assert read(tmp_path, text) == [Row("1.jpg", "cat", "test", "a"), Row("2.jpg", "dog", "", "")]


@pytest.mark.parametrize(
    ("header", "cells", "split", "group"),
    [
        ("Subset,patient_id", "train,7", "train", "7"),
        ("phase,Patient ID", "train,7", "train", "7"),
        ("usage,video-id", "Training,7", "Training", "7"),
        ("phase,age", "2,7", "", ""),
        ("phase,usage", "test,", "test", ""),
    ],
)
def test_what_split_and_group_may_be_called(tmp_path, header, cells, split, group):
    text = f"path,label,{header}\n1.jpg,cat,{cells}\n"

    assert read(tmp_path, text) == [Row("1.jpg", "cat", split, group)]


@pytest.mark.parametrize(
    ("header", "rows", "labels"),
    [
        ("path,class,category", ["1.jpg,0,cat", "2.jpg,1,dog"], ["cat", "dog"]),
        ("path,label,class_name", ["1.jpg,0,cat", "2.jpg,1,dog"], ["cat", "dog"]),
        (
            "path,category,choice,annotator,annotation_id",
            ["1.jpg,a,cat,1,1", "2.jpg,b,dog,1,2"],
            ["cat", "dog"],
        ),
        ("path,choice,label", ["1.jpg,x,cat", "2.jpg,y,cat"], ["cat", "cat"]),
        ("path,label,category", ["1.jpg,tabby,cat", "2.jpg,ginger,cat"], ["tabby", "ginger"]),
        ("path,label,class", ["1.jpg,cat,Cat", "2.jpg,dog,"], ["cat", "dog"]),
        ("path,label,target", ["1.jpg,cat,0.3", "2.jpg,cat,0.7"], ["cat", "cat"]),
        ("path,label,class", ["1.jpg,,cat", "2.jpg,,dog"], ["cat", "dog"]),
        ("path,label,label", ["1.jpg,cat,cat", "2.jpg,dog,dog"], ["cat", "dog"]),
        ("path,label,class", ["1.jpg,3,0", "2.jpg,4,1"], ["3", "4"]),
    ],
    ids=[
        *("numbers and names", "label in numbers", "Label Studio", "choice of no tool"),
        *("coarser", "case and a gap", "other numbers", "empty", "twice", "numbers alone"),
    ],
)
def test_of_several_labels_the_first_and_names_before_numbers(tmp_path, header, rows, labels):
    found = read(tmp_path, "\n".join([header, *rows]))
    assert [row.label for row in found] == labels


def test_the_split_as_fastai_writes_it(tmp_path):
    found = read(tmp_path, "path,label,is_valid\n1.jpg,a,True\n2.jpg,b,False\n3.jpg,a,False\n")
    assert [row.split for row in found] == ["validation", "train", "train"]


def test_the_path_may_be_the_index_of_a_parquet(tmp_path):
    table = pd.DataFrame({"label": ["cat"]}, pd.Index(["1.jpg"], name="path"))
    table.to_parquet(tmp_path / "labels.parquet")
    assert tables.read(tmp_path / "labels.parquet").rows == [Row("1.jpg", "cat")]


def test_the_delimiter_that_a_first_line_names(tmp_path):
    for first in ("sep=;", '"sep=;"', "SEP=;"):
        found = read(tmp_path, f"{first}\r\npath;label\r\n1.jpg;cat, tabby\r\n")
        assert found == [Row("1.jpg", "cat, tabby")]


def test_which_columns_are_used_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("image,label,Patient ID,age,\n1.jpg,cat,7,3,\n")

    table = tables.read(tmp_path / "a.csv")

    assert (
        table.summary() == "columns: path from image, label, group from Patient ID; not used: age"
    )


def test_damaged_parquet_is_told_as_such(tmp_path):
    """Or is read, where the damage is in a text; pyarrow and pandas have many kinds of errors."""
    path, draw = tmp_path / "labels.parquet", random.Random(1)
    names = [f"{number}.jpg" for number in range(40)]
    pd.DataFrame({"path": names, "label": ["a", "b"] * 20}).to_parquet(path)
    whole, refused = path.read_bytes(), 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(draw.choice((1, 3, 20))):
            content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)
        try:
            tables.read(path)
        except DataError:
            refused += 1
    assert 200 < refused < 300


def test_parquet(tmp_path):
    table = pd.DataFrame({"path": ["1.jpg", "2.jpg"], "label": [3, 4], "group": [None, "a"]})
    table.to_parquet(tmp_path / "labels.parquet")

    assert tables.read(tmp_path / "labels.parquet").rows == [
        Row("1.jpg", "3", "", ""),
        Row("2.jpg", "4", "", "a"),
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pd.Series([0, 1, None], dtype="Int64"), ["0", "1", ""]),
        (pd.Series(["a", "b", None], dtype="category"), ["a", "b", ""]),
        (pd.Series([True, False, None], dtype=object), ["True", "False", ""]),
    ],
    ids=["whole", "categories", "truth"],
)
def test_labels_of_parquet_where_some_are_missing(tmp_path, labels, expected):
    table = pd.DataFrame({"path": ["1.jpg", "2.jpg", "3.png"], "label": labels})
    table.to_parquet(tmp_path / "labels.parquet")
    rows = tables.read(tmp_path / "labels.parquet").rows
    assert [row.label for row in rows] == expected


@pytest.mark.parametrize("name", ["labels.csv", "labels.json", "labels.parquet"])
def test_a_table_that_is_not_there(tmp_path, name):
    with pytest.raises(DataError, match=f"{name}: not found; name the table where it is"):
        tables.read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "a,b\n1,2\n", "must have the columns path and label, and may have split and gro"),
        ("a.csv", "path,b\n1,2\n", "got path, b; name the column label"),
        ("a.csv", "", "got none; name the column path and label"),
        ("a.csv", b"path,label\n\xff\xfe,\n", "must be a table in UTF-8, as CSV UTF-8 of Excel"),
        (
            "a.csv",
            'path,label\n"1.jpg,cat\n2.jpg,dog\n',
            "Excel: a quote is opened and not closed; ",
        ),
        (
            "a.csv",
            "path,label\n1.jpg,cat, tabby\n",
            "line 2: must have at most 2 cells, as the .*3",
        ),
        ("a.csv", "\n\npath,label\n1.jpg,cat, tabby\n", "line 4: must have at most 2 cells"),
        ("a.parquet", b"no", "must be a whole Parquet file: "),
        (
            "a.csv",
            "path,class,category\n1.jpg,0,cat\n2.jpg,1,cat\n",
            "got class and category, which do not say the same, such as 0 and cat; rename",
        ),
        ("a.csv", "path,label,label\n1.jpg,cat,dog\n2.jpg,cat,cat\n", "such as cat and dog; ren"),
        (
            "a.csv",
            "path,label,usage\n1.jpg,cat,Training\n2.jpg,cat,Test\n3.jpg,cat,Public\n",
            "usage looks like the split, and must then say train, .*, got Public; correct it",
        ),
        ("a.csv", "cat/1.jpg,cat\ncat/2.jpg,cat\n", "looks like a photo's, must name them"),
        (
            "a.csv",
            "path,cat,dog\n1.jpg,1,0\n2.jpg,0,1\n",
            "; write in one column, label, which of cat, dog a photo is",
        ),
        ("a.json", '{"labels": {}}', "JSON-MIN; of other tools, export a table as CSV, or folders"),
    ],
)
def test_what_is_no_table(tmp_path, name, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, text, name)
    assert str(caught.value).startswith(f"{tmp_path}/{name}: ")


def arrange(*rows, photos=PHOTOS):
    return tables.arrange([Row(*row, *[""] * (4 - len(row))) for row in rows], photos, "a.csv")


def test_many_photos_of_one_name():
    """As exports of medical archives have them; each row was compared with each photo."""
    photos = [f"case{number}/image.png" for number in range(20_000)]
    labels = ["cat", "dog"] * 10_000
    rows = [(f"root/{photo}", label) for photo, label in zip(photos, labels, strict=True)]
    found = arrange(*rows, photos=photos)
    assert [found.places[photo].class_name for photo in photos] == labels


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("images/1.jpg", "images/1.jpg"),
        ("1.jpg", "images/1.jpg"),
        ("1", "images/1.jpg"),
        ("/home/me/images/1.jpg", "images/1.jpg"),
        ("C:\\photos\\images\\1.jpg", "images/1.jpg"),
        ("./images/1.jpg", "images/1.jpg"),
        ("/data/local-files/?d=pets/images/1.jpg", "images/1.jpg"),
        ("https://host/images/1%2Ejpg", "images/1.jpg"),
        ("/data/upload/3/0a1b2c3d-1.jpg", "images/1.jpg"),
        ("/data/upload/3/0a1b2c3d-1.jpg", "images/0a1b2c3d-1.jpg"),
        ("a/ka\u0308/1.jpg", "a/k\u00e4/1.jpg"),
        ("x/1.jpg", "x/1.jpg"),
        ("b/x/1.jpg", "b/x/1.jpg"),
    ],
)
def test_paths_as_tools_write_them(said, path):
    others = ["y/2.jpg"]
    others += ["y/1.jpg", "b/x/1.jpg", "x/1.jpg"] if "x/1" in path else []
    photos = sorted({path, *others})

    assert arrange((said, "cat"), ("y/2.jpg", "dog"), photos=photos).places[path] == CAT


def test_what_the_table_says():
    found = arrange(
        ("3", "owl", "Valid", "b"), ("1.jpg", "owl", "", "a"), ("2.jpg", "wren"), ("4", ""),
        photos=[*PHOTOS, "images/5.jpg", "notes.txt"],
    )  # fmt: skip

    assert found.places == {
        "images/1.jpg": Place("train", "owl", "a"),
        "images/2.jpg": Place("train", "wren"),
        "images/3.png": Place("validation", "owl", "b"),
    }
    assert found.unused == {
        "images/4.jpg": "has no label in the table",
        "images/5.jpg": "not in the table",
        "notes.txt": "no image by its name",
    }


@pytest.mark.parametrize("said", ["n/a", "NaN", "Unknown", "-"])
def test_a_group_that_nobody_knows_is_none(said):
    found = arrange(("1", "cat", "", said), ("2", "dog", "", said))

    assert found.places == {"images/1.jpg": CAT, "images/2.jpg": DOG}


def test_labels_that_are_one():
    found = arrange(("1", "K\u00e4"), ("2", "ka\u0308"), ("3", "dog"), ("1.jpg", "K\u00e4"))

    assert {place.class_name for place in found.places.values()} == {"K\u00e4", "dog"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("1", "cat"), ("2", "dog"), ("9.jpg", "dog"), ("other/1.jpg", "cat")],
            "the paths of the table must be there, got 2 of 4 that are not, such as 9.jpg, "
            "other/1.jpg; add the folder",
        ),
        (
            [("1", "cat"), ("5", "dog")],
            "the paths of the table must be of one photo alone, got 1 of 2 that are not, such as 5",
        ),
        (
            [("1", "cat"), ("2", "dog"), ("1.jpg", "dog")],
            "a photo must have one label, split and group, got cat and dog for 1.jpg; mend",
        ),
        ([("1", "cat", "later"), ("2", "dog")], "split must be train, validation or test, or left"),
        (
            [("1", "cat"), ("2", "cat")],
            "must name photos of two or more classes, got cat; mend the table",
        ),
        ([("1", "cat"), ("2", "dog"), ("3", "owl", "test")], "got only test photos of owl"),
        (
            [("1", "cat", "dev"), ("2", "dog", "test")],
            "got only validation and test photos of cat, dog; training has none",
        ),
        (
            [("1", "cat"), ("2", "dog"), ("6.jp2", "dog"), ("7", "dog")],
            "such as 6.jp2, 7; files that are left out: 1 a photo or film of a kind that is not "
            "read, 1 hidden, or in a hidden folder; convert or move them, or take the rows out",
        ),
        ([("", "cat"), ("2", "dog")], "such as an empty one; write them, or take the rows out"),
        ([("1", "cat"), ("x" * 9999, "dog")], "…" + "x" * 100 + "; add the folder"),
    ],
    ids=[
        *("absent", "doubtful", "two labels", "split", "one class", "test alone"),
        *("no training", "left out", "empty path", "no path"),
    ],
)
def test_tables_that_cannot_be_followed(rows, message):
    with pytest.raises(DataError) as caught:
        arrange(*rows, photos=[*PHOTOS, "a/5.jpg", "b/5.jpg", "6.jp2", ".x/7.jpg"])
    assert message in str(caught.value)
    assert str(caught.value).startswith("a.csv: ")


def test_case_alone_tells_no_photos_apart():
    found = arrange(("IMAGES/1.JPG", "cat"), ("2.Jpg", "dog"))

    assert found.places == {"images/1.jpg": CAT, "images/2.jpg": DOG}


@pytest.mark.parametrize(
    "column",
    [
        "split,usage\n1.jpg,cat,train,train\n2.jpg,dog,test,web",
        "phase\n1.jpg,cat,dev\n2.jpg,dog,prod",
        "usage\n1.jpg,cat,commercial\n2.jpg,dog,test",
        "is_valid\n1.jpg,cat,True\n2.jpg,dog,True",
    ],
    ids=["beside a split", "phases", "usages", "a flag of quality"],
)
def test_what_only_looks_like_a_split_is_passed_over(tmp_path, column):
    (tmp_path / "a.csv").write_text(f"path,label,{column}\n")
    table = tables.read(tmp_path / "a.csv")
    assert len(table.unused) == 1
    assert [row.split for row in table.rows] in (["", ""], ["train", "test"])


@pytest.mark.parametrize("said", ["nan", "NaN", "<NA>", "\u200b"])
def test_what_programs_write_for_no_label(said):
    found = arrange(("1.jpg", "cat"), ("2.jpg", "dog"), ("3.png", said))
    assert found.unused["images/3.png"] == "has no label in the table"
    assert list(found.counts()) == ["cat", "dog"]


def test_signs_that_are_not_seen_make_no_other_class():
    found = arrange(
        ("1.jpg", "cat"), ("2.jpg", "dog"), ("3.png", "cat\u200b"), ("4.jpg", "\ufeffdog")
    )
    assert found.counts() == {"cat": {"train": 2}, "dog": {"train": 2}}


@pytest.mark.parametrize(
    "said",
    ['[{"x": 1.5, "y": 2}]', '{"objects": []}', '[["animal", "cat"]]', '{"choices": [["a"]]}'],
    ids=["boxes", "Labelbox", "taxonomy", "nested choices"],
)
def test_a_label_that_is_no_name(said):
    message = r"2\.jpg: the label must be the name of a class, got boxes or .*; export one choice"
    with pytest.raises(DataError, match=message):
        arrange(("1.jpg", "cat"), ("2.jpg", said))


@pytest.mark.parametrize(
    "name",
    [
        *("[cat]", "{dog", "[1]", "[]", "{}", "[null]", "null", "none", "NA"),
        *("\u062e\u0627\u0646\u0647\u200c\u0647\u0627", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_names_that_classes_may_have(name):
    """Brackets, what stands for nothing elsewhere, and letters joined by a sign without width."""
    found = arrange(("1.jpg", name), ("2.jpg", "owl"))
    assert set(found.counts()) == {name, "owl"}


def test_zeros_that_a_program_took_away():
    with pytest.raises(DataError, match="write 53 as 00053, and others as such: a program took"):
        arrange(("53", "cat"), ("2.jpg", "dog"), photos=["images/00053.jpg", "images/2.jpg"])


@pytest.mark.parametrize(
    "columns",
    [
        {"path": ["1.jpg"], "label": ["cat"], "meta": [{"a": 1}]},
        {"path": [b"1.jpg"], "label": [b"cat"], "hash": [b"\xff\xfe\x00"]},
        {"image": [{"bytes": None, "path": "1.jpg"}], "label": ["cat"]},
    ],
    ids=["a struct beside", "texts as bytes", "paths of images"],
)
def test_parquet_as_other_programs_write_it(tmp_path, columns):
    pd.DataFrame(columns).to_parquet(tmp_path / "labels.parquet")
    assert tables.read(tmp_path / "labels.parquet").rows == [Row("1.jpg", "cat")]


def test_an_index_that_is_a_column_too(tmp_path):
    table = pd.DataFrame({"path": ["1.jpg"], "label": ["cat"]}).set_index("path", drop=False)
    table.to_parquet(tmp_path / "labels.parquet")
    assert tables.read(tmp_path / "labels.parquet").rows == [Row("1.jpg", "cat")]


def test_images_within_a_parquet(tmp_path):
    table = pd.DataFrame({"image": [{"bytes": b"\xff\xd8", "path": "1.jpg"}], "label": ["cat"]})
    table.to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(DataError, match="got images in the column image; save each as a file"):
        tables.read(tmp_path / "labels.parquet")
