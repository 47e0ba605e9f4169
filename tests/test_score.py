"""The command `imago score`, and the modules that only it uses."""

import csv
import dataclasses
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from imago import cli, params
from imago.commands.score import floor as floor_of
from imago.predict.predictor import Predictor
from imago.runtimes import model_json
from imago.score import answers, labelled
from tests import color_export

pytestmark = pytest.mark.fault

COUNTS = {"red": 8, "green": 4, "blue": 3}
RIGHT = {"red": 7, "green": 4, "blue": 3}
"""One photo in red's folder is green."""


def encoded(color):
    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), color, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def contents():
    colors = {"red": (200, 50, 0), "green": (10, 200, 10), "blue": (0, 0, 250)}
    found = {
        f"new/{name}/{index}.png": encoded(np.clip(np.array(colors[name]) + index, 0, 255))
        for name, count in COUNTS.items()
        for index in range(count)
    }
    return found | {
        "new/red/7.png": encoded((0, 255, 0)),
        "new/notes.txt": b"no photo",
        "new/.hidden/red/1.png": encoded((9, 0, 0)),
    }


def write_folder(files, root):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_zip(files, path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(files, path, mode):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    color_export.write(tmp_path / "exports/colors")
    write_folder(contents(), tmp_path)
    return tmp_path


def score(*words):
    return cli.main(["score", *map(str, words)])


def scored(capsys, *words):
    """Score, and return what JSON says."""
    capsys.readouterr()
    assert score("colors", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("here")
def test_metrics_by_hand(capsys):
    found = scored(capsys, "new")

    assert found["model"] == "exports/colors/model.onnx"
    assert found["metrics"]["examples"] == 15
    assert found["metrics"]["accuracy"] == 14 / 15
    assert found["metrics"]["balanced_accuracy"] == pytest.approx((7 / 8 + 1 + 1) / 3)
    assert "parameters" not in found["metrics"]
    assert found["leading"] == "balanced_accuracy"
    for name, (low, high) in found["intervals"].items():
        assert low <= found["metrics"][name] <= high
    assert {row["class"]: row["support"] for row in found["classes"]} == COUNTS
    assert found["confusions"] == [
        {
            "true": "red",
            "predicted": "green",
            "count": 1,
            "share": 1 / 8,
            "photos": ["red/7.png"],
        }
    ]


def test_of_photos_that_are_confused_the_surest_is_first(here, capsys):
    (here / "new/red/0.png").write_bytes(encoded((90, 100, 90)))
    (here / "new/red/9.png").write_bytes(encoded((9, 200, 9)))

    (found,) = scored(capsys, "new")["confusions"]

    assert found["photos"] == ["red/7.png", "red/9.png", "red/0.png"]


def test_a_model_with_limits_says_how_often_it_is_unsure(here, capsys):
    described = model_json.read_export(here / "exports/colors")
    limits = {"probability": 0.9, "distance": None}
    model_json.write(here / "exports/colors", dataclasses.replace(described, unsure=limits))
    (here / "new/green/9.png").write_bytes(encoded((100, 0, 100)))

    found = scored(capsys, "new")

    # All blues, two greens, of 200 in 220 and 201 in 223, and the green one among the reds.
    assert found["answered"] == {"photos": 16, "answered": 6, "right_answered": 5}
    assert found["notes"][0] == (
        "imago predict would be unsure of 10 of 16 (62.50 %); of the others 83.33 % are named "
        "right (43.65 to 96.99)"
    )


def test_a_model_without_limits_is_never_unsure(here, capsys):
    assert scored(capsys, "new")["answered"] is None


def test_a_table_for_people(here, capsys):
    (here / "new/blue/broken.png").write_bytes(b"nothing")

    assert score("exports/colors", "new") == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]

    assert lines[0] == "new: 15 photos, scored by exports/colors/model.onnx"
    assert lines[4].split() == ["Balanced", "accuracy", "95.83", "%", "68.45", "to", "99.25"]
    assert lines[5].split() == ["Accuracy", "93.33", "%", "70.18", "to", "98.81"]
    assert any(line.split() == ["red", "green", "1", "12.50", "%", "red/7.png"] for line in lines)
    assert lines[-3] == "left out: 1 not of a known format: blue/broken.png"
    assert sorted(lines[-2:]) == [
        "left out: 1 hidden, or in a hidden folder: .hidden/",
        "left out: 1 no image by its name: notes.txt",
    ]


FORMS = ("new.zip", "new.tar", "new.tar.gz", "new.tar.xz", "table over the folder", "several")


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_the_photos_does_not_matter(form, here, capsys):
    """Not even to the last digit, nor in what is written beside the page."""
    files = contents()
    expected = scored(capsys, "new", "--output", "of_folder")
    given = [form]
    if form == "new.zip":
        write_zip(files, here / form)
    elif form.startswith("new.tar"):
        write_tar(files, here / form, f"w:{form.removeprefix('new.tar').lstrip('.')}")
    elif form == "several":
        for part in ("a.zip", "b.zip"):
            some = [name for name in files if ("/red/" in name) == (part == "a.zip")]
            write_zip({name: files[name] for name in some}, here / part)
        given = ["a.zip", "b.zip"]
    else:
        with (here / "labels.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["path", "label"])
            photos = [name for name in files if name.endswith("png") and "hidden" not in name]
            table.writerows([name, name.split("/")[1]] for name in photos)
        given = ["labels.csv", "new"]

    found = scored(capsys, *given, "--output", "of_form")

    assert {**found, "photos": "", "confusions": 0, "left_out": 0} == {
        **expected,
        "photos": "",
        "confusions": 0,
        "left_out": 0,
    }
    for name in ("metrics.json", "per_class.csv", "confusion.csv"):
        assert (here / "of_form" / name).read_bytes() == (here / "of_folder" / name).read_bytes()
    first, second = (rows(here / at / "predictions.csv") for at in ("of_folder", "of_form"))
    assert [row.pop("photo").removeprefix("new/") for row in first] == [
        row.pop("photo").removeprefix("new/") for row in second
    ]
    assert first == second


def test_a_split_is_taken_alone_and_a_table_may_say_which(here, capsys):
    files = {
        f"pets/{split}/{name}/{split}{index}.png": encoded((90 + index, 9, 9))
        for split, count in (("train", 4), ("test", 2))
        for name in ("red", "green")
        for index in range(count)
    }
    write_zip(files, here / "pets.zip")
    assert scored(capsys, "pets.zip")["metrics"]["examples"] == 12
    assert scored(capsys, "pets.zip", "--split", "test")["metrics"]["examples"] == 4

    drawn = ["pets/train/red/train1.png", "pets/test/green/test0.png"]
    table = [["path", "class", "split", "row"]]
    table += [[name, name.split("/")[2], "test" if name in drawn else "train", 0] for name in files]
    (here / "index.csv").write_text("\n".join(",".join(map(str, row)) for row in table))

    found = scored(capsys, "pets.zip", "index.csv", "--split", "test", "--output", "out")

    assert found["split"] == "test"
    assert sorted(row["photo"] for row in rows(here / "out/predictions.csv")) == sorted(drawn)


def test_photos_need_no_training_photos(here, capsys):
    """`imago add` asks for them; what is scored may be test photos, or of one class."""
    photos = [f"{split}/{name}/1.png" for split in ("val", "test") for name in COUNTS]
    write_zip(dict.fromkeys(photos, encoded((200, 9, 9))), here / "others.zip")
    assert scored(capsys, "others.zip")["metrics"]["examples"] == 6
    (here / "one.csv").write_text("path,label\nred/0.png,red\nred/1.png,red\n")

    found = scored(capsys, "one.csv", "new")

    assert found["metrics"]["accuracy"] == 1
    assert found["notes"] == [
        "no photos of 2 classes of the model: green, blue; balanced accuracy and ROC AUC leave "
        "them out, macro F1 counts each as 0"
    ]


@pytest.mark.parametrize("folder", ["only", "only/photos/of/june"])
def test_a_folder_of_one_class(folder, here, capsys):
    """A folder around all photos is a class where the model has one of that name."""
    write_folder({f"{folder}/RED/{n}.png": encoded((200, 9, 9)) for n in (1, 2)}, here)
    assert scored(capsys, "only")["metrics"]["examples"] == 2


def test_a_class_of_a_table_that_the_model_does_not_know(here, capsys):
    (here / "one.csv").write_text("path,label\nred/0.png,red\nred/1.png,7\n")

    assert score("--output", "out", "colors", "one.csv", "new") == 2
    said = capsys.readouterr().err
    assert said.startswith("imago score: one.csv: classes must be among those that the model knows")
    assert said.endswith("got 7; mend the table\n")


def test_case_of_a_class_does_not_matter_and_copies_are_said(here, capsys):
    (here / "new/red").rename(here / "new/Red")
    (here / "new/Red/copy.png").write_bytes((here / "new/Red/1.png").read_bytes())

    found = scored(capsys, "new")

    assert {row["class"]: row["support"] for row in found["classes"]} == COUNTS | {"red": 9}
    assert found["notes"] == ["1 photo is the same as another one, byte for byte; each counts"]


def test_a_photo_under_two_classes_is_said(here, capsys):
    (here / "new/green/copy.png").write_bytes((here / "new/red/1.png").read_bytes())

    assert scored(capsys, "new")["notes"][1] == (
        "1 photo is under two classes, so one label of each is wrong"
    )


@pytest.mark.parametrize("name", ["colors", "others"])
def test_photos_that_the_model_has_learnt_from_are_said(here, capsys, monkeypatch, name):
    known = SimpleNamespace(experiments={name: SimpleNamespace(variant="colors32")})
    monkeypatch.setattr(params, "load", lambda: known)
    contents = [(here / f"new/red/{number}.png").read_bytes() for number in (1, 2, 3)]
    splits = ("train", "validation", "test")
    lines = [
        f"{row}.png,red,{split},0,{hashlib.sha256(content).hexdigest()}"
        for row, (split, content) in enumerate(zip(splits, contents, strict=True))
    ]
    folder = here / "data/prepared/colors32"
    folder.mkdir(parents=True)
    (folder / "index.csv").write_text("\n".join(["path,class,split,row,sha256", *lines, ""]))

    notes = scored(capsys, "new")["notes"]

    said = "2 photos are such that the model has learnt from or was chosen by, so the metrics"
    assert [note for note in notes if note.startswith(said)] == notes[: name == "colors"]


def test_names_that_differ_by_case_alone_are_told_apart():
    names = labelled._positions("x", ["a", "B", "c"], ["A", "a", "b", "C"])

    assert names == {"a": 1, "B": 2, "c": 3}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["colors", "absent.zip"], "absent.zip: not found; put the archive there, or name where"),
        (["color", "new"], "MODEL must be an experiment or an exported file, got 'color'; exports"),
        (["colors", "labels.csv"], "labels.csv is a table; name the folder or the archive of its"),
        (["colors", "strange"], "strange: classes must be among those that the model knows, red, "),
        (["colors", "flat"], "flat: must have a folder with photos for each class, got none and"),
        (["colors", "new", "--split", "test"], "new: must have a folder, or rows of a table, of "),
        (["colors", "damaged"], "damaged: of 3 photos a share of 0.1 may be unreadable, got 1: 1 "),
        (["colors", "new", "--output", "labels.csv"], "labels.csv: --output must be a folder, got"),
    ],
    ids=[
        *("absent", "model", "table alone", "unknown class", "no folders", "no split"),
        *("unreadable", "file"),
    ],
)
def test_what_cannot_be_scored(words, message, here, capsys):
    (here / "labels.csv").write_text("path,label\n")
    write_folder({"flat/1.png": encoded((9, 0, 0))}, here)
    for name in ("red", "owl"):
        write_folder({f"strange/{name}/1.png": encoded((9, 0, 0))}, here)
    for name in ("red/1", "red/2", "green/1"):
        content = b"" if name == "red/2" else encoded((9, 0, 0))
        write_folder({f"damaged/{name}.png": content}, here)

    assert score("--output", "out", *words) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"imago score: {message}")
    assert said.err.count("\n") == 1
    assert not said.out
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("floor", "missed"),
    [
        ("accuracy=0.93", None),
        ("accuracy=0.94", "accuracy 93.33 % is below its floor, 94.00 %"),
        ("loss=100", None),
        ("loss=0.01", "loss 1."),
        ("top_3_accuracy=0.5", "top_3_accuracy is missing from the metrics, and has a floor,"),
    ],
)
@pytest.mark.usefixtures("here")
def test_floors(floor, missed, capsys):
    assert score("colors", "new", "--floor", floor, "--floor", "macro_f1=0.1") == bool(missed)
    said = capsys.readouterr().err
    assert said.startswith(f"imago score: {missed}") if missed else not said
    assert said.count("\n") == bool(missed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy", "must be a number, such as accuracy=0.95, got 'accuracy'"),
        ("accuracy=high", "must be a number, such as accuracy=0.95, got 'accuracy=high'"),
        ("accuracy=95", "accuracy must be 0 to 1, got 95"),
        ("loss=nan", "loss must be 0 or more, got nan"),
        ("examples=5", "must be of one of accuracy, accuracy_low, balanced_accuracy,"),
    ],
)
def test_floors_that_are_none(text, message, capsys):
    with pytest.raises(SystemExit) as ended:
        score("colors", "new", "--floor", text)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_every_metric_with_a_direction_may_have_a_floor():
    assert floor_of("expected_calibration_error=0.1").metric.better == "lower"
    assert floor_of("balanced_accuracy_low=0.1").metric.better == "higher"


def test_the_page_holds_all_and_needs_no_other_file(here):
    (here / "new/blue/broken.png").write_bytes(b"nothing")
    (here / "out").mkdir()
    (here / "out/notes.txt").write_text("mine")

    assert score("colors", "new", "--floor", "accuracy=0.99", "--output", "out") == 1

    names = sorted(path.name for path in (here / "out").iterdir())
    assert names == [
        *("confusion.csv", "index.html", "left_out.csv", "metrics.json", "notes.txt"),
        *("per_class.csv", "predictions.csv"),
    ]
    page = (here / "out/index.html").read_text("utf-8")
    assert "red taken for green: 1 photo, 12.50 % of the class" in page
    assert page.count('alt="red/7.png"') == 2  # of its confusion, and among the surest
    assert "accuracy 93.33 % is below its floor, 99.00 %" in page
    assert "blue/broken.png" in page
    assert 'src="data:image/jpeg' in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


@pytest.mark.usefixtures("here")
def test_answers_are_those_of_the_predictor(here):
    score("colors", "new", "--output", "out")

    found = rows(here / "out/predictions.csv")
    answers = Predictor("exports/colors").predict([here / "new" / row["photo"] for row in found])
    assert [row["predicted"] for row in found] == [answer.label for answer in answers]
    assert [np.float32(row["p:red"]) for row in found] == [
        np.float32(answer.probabilities["red"]) for answer in answers
    ]


@pytest.mark.usefixtures("here")
def test_photos_become_pixels_as_in_the_test_whatever_ground_they_have(monkeypatch):
    """Where `imago predict` inverts an image, and looks for a digit on paper."""
    seen = []
    ask = answers.ask
    monkeypatch.setattr(answers, "ask", lambda *given: seen.append(given[1]) or ask(*given))

    score("colors", "new")

    assert [(one.polarity, one.find_subject) for one in seen] == [("as_is", False)]


@pytest.mark.usefixtures("here")
def test_tensorflow_is_not_imported():
    code = (
        "import sys; from imago import cli;"
        "assert cli.main(['score', 'colors', 'new', '--output', 'out']) == 0;"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
