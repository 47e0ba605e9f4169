"""The command `imago predict`, and the modules that only it uses."""

import codecs
import csv
import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flaky_server import Status, Truncate, serving
from PIL import Image

from imago import cli
from imago.core import boundary, paths
from imago.core import workers as core_workers
from imago.predict import bulk, given, models
from imago.predict.given import Given
from imago.predict.predictor import Predictor
from imago.sources import retries, transport
from tests import color_export, rude_server

pytestmark = pytest.mark.fault

UNKNOWN = "not of a known format: AVIF, BMP, GIF, HEIF, JPEG, PNG, TIFF, WEBP"
COLORS = {"r.png": (200, 50, 0), "g.bmp": (10, 200, 10), "deep/b.tif": (0, 0, 250)}


def encoded(color, format_name="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), color, np.uint8)).save(buffer, format_name)
    return buffer.getvalue()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    color_export.write(tmp_path / "exports/colors")
    for name, color in COLORS.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), color, np.uint8)).save(path)
    (tmp_path / "photos/notes.txt").write_text("no image")
    return tmp_path


def predict(*words):
    return cli.main(["predict", *map(str, words)])


def records(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_image_by_the_only_model(here, capsys):
    assert predict("photos/r.png") == 0
    assert records(capsys) == [
        {
            "image": "photos/r.png",
            "answer": "red",
            "label": "red",
            "probability": 0.8,
            "top": {"red": 0.8, "green": 0.2, "blue": 0.0},
        }
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["photos"], ["photos/g.bmp", "photos/r.png", "photos/deep/b.tif"]),
        (["photos/deep", "photos/r.png"], ["photos/deep/b.tif", "photos/r.png"]),
        (["photos/[gr].*"], ["photos/g.bmp", "photos/r.png"]),
        (["photos/**/*.tif"], ["photos/deep/b.tif"]),
        (["photos/r.png", "photos/r.png"], ["photos/r.png", "photos/r.png"]),
    ],
    ids=["folder", "folder and file", "pattern", "deep pattern", "twice"],
)
def test_what_words_name(words, expected, capsys):
    assert predict(*words) == 0
    assert [record["image"] for record in records(capsys)] == expected


def test_what_is_left_out_of_a_folder_is_said(here, capsys):
    for name in (".hidden/r.png", "deep/@eaDir/r.png", "._r.png", "Icon\r", "notes.md"):
        path = here / "photos" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded((9, 0, 0)))

    assert predict("photos") == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert said.err.splitlines() == [
        "imago predict: left out: 3 left by an operating system, such as photos/._r.png",
        "imago predict: left out: 2 no image by its name, such as photos/notes.md",
        "imago predict: left out: 1 hidden, or in a hidden folder: photos/.hidden",
    ]


def test_a_hidden_folder_may_be_named(here, capsys):
    (here / "photos").rename(here / ".photos")

    assert predict(".photos/deep", ".photos/r.png") == 0
    assert capsys.readouterr().err == ""


def test_photos_of_a_kind_that_is_not_read_are_no_success(here, capsys):
    (here / "photos/IMG_1.CR2").write_bytes(b"II*\0")

    assert predict("photos") == 3
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert said.err.splitlines()[0] == (
        "imago predict: photos/IMG_1.CR2: a photo or film of a kind that is not read: .cr2; "
        "convert it to JPEG"
    )


def test_links_to_folders_are_followed_once(here, capsys):
    (here / "elsewhere").mkdir()
    (here / "elsewhere/a.png").write_bytes(encoded((9, 0, 0)))
    (here / "photos/deep/link").symlink_to(here / "elsewhere")
    (here / "photos/deep/again").symlink_to(here / "elsewhere")
    (here / "elsewhere/loop").symlink_to(here / "photos")

    assert predict("photos/deep") == 0
    names = [record["image"] for record in records(capsys)]
    assert names == [
        "photos/deep/b.tif",
        "photos/deep/again/a.png",
        "photos/deep/again/loop/g.bmp",
        "photos/deep/again/loop/r.png",
    ]


def test_a_folder_that_cannot_be_read_is_no_success(here, monkeypatch, capsys):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert predict("photos") == 3
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert said.err.splitlines()[0] == "imago predict: photos/deep: Permission denied"


def test_a_file_whose_name_looks_like_a_pattern(here):
    (here / "r[1].png").write_bytes(encoded((9, 0, 0)))
    assert [image.name for image in given.expand(["r[1].png"])] == ["r[1].png"]


class FakeStdin(io.TextIOWrapper):
    """Standard input with a content."""

    def __init__(self, content):
        super().__init__(io.BufferedReader(io.BytesIO(content)), "utf-8")


@pytest.mark.usefixtures("here")
def test_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", FakeStdin(encoded((0, 200, 0))))
    assert predict("-") == 0
    (said,) = records(capsys)
    assert (said["image"], said["answer"]) == ("-", "green")


@pytest.mark.usefixtures("here")
def test_a_list_of_images_on_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", FakeStdin(b"photos/r.png\n\nphotos/deep\r\n"))
    assert predict("photos/g.bmp", "--from", "-") == 0
    found = [record["image"] for record in records(capsys)]
    assert found == ["photos/g.bmp", "photos/r.png", "photos/deep/b.tif"]


def test_a_list_of_images_in_a_file(here, capsys):
    (here / "list.txt").write_text("photos/r.png\nnone.png\n", "utf-8")
    assert predict("--from", "list.txt", "--format", "csv") == 3
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1:] == ["photos/r.png,red,red,0.8,green,0.2,blue,0.0"]
    assert printed.err == "imago predict: none.png: No such file or directory\n"


@pytest.mark.usefixtures("here")
def test_unreadable_images_are_a_line_each_and_the_others_go_on(capsys):
    words = ["none.png", "photos/notes.txt", "photos/r.png", "*.gif", "exports", "photos/g.bmp"]
    assert predict(*words) == 3
    printed = capsys.readouterr()
    assert [json.loads(line)["answer"] for line in printed.out.splitlines()] == ["red", "green"]
    assert printed.err.splitlines() == [
        "imago predict: none.png: No such file or directory",
        f"imago predict: photos/notes.txt: {UNKNOWN}",
        "imago predict: *.gif: matches no files",
        "imago predict: exports: holds no images",
        "imago predict: left out: 2 no image by its name, such as exports/colors/model.json",
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("threshold", "code", "answer"), [("0.8", 0, "red"), ("0.81", 4, "unsure")]
)
def test_threshold(threshold, code, answer, capsys):
    assert predict("photos/r.png", "--threshold", threshold) == code
    (said,) = records(capsys)
    assert (said["answer"], said["label"]) == (answer, "red")


@pytest.mark.usefixtures("here")
def test_csv_of_the_two_most_probable(capsys):
    assert predict("photos", "--format", "csv", "--top", 2) == 0
    assert capsys.readouterr().out.splitlines() == [
        "image,answer,label,probability,label_2,probability_2",
        "photos/g.bmp,green,green,0.909091,red,0.045455",
        "photos/r.png,red,red,0.8,green,0.2",
        "photos/deep/b.tif,blue,blue,1.0,red,0.0",
    ]


@pytest.mark.usefixtures("here")
def test_table(capsys):
    assert predict("photos", "--format", "table", "--threshold", 0.9) == 4
    assert capsys.readouterr().out.splitlines() == [
        "image              answer  probability  or",
        "photos/g.bmp       green        90.9 %  red 4.5 %, blue 4.5 %",
        "photos/r.png       unsure       80.0 %  red 80.0 %, green 20.0 %, blue <0.1 %",
        "photos/deep/b.tif  blue        >99.9 %  red <0.1 %, green <0.1 %",
    ]


@pytest.mark.usefixtures("here")
def test_a_table_of_the_answer_alone_has_long_names_on_lines_of_their_own(capsys):
    folder = Path("photos", "n" * 60)
    folder.mkdir()
    (folder / "r.png").write_bytes(encoded((9, 0, 0)))
    assert predict(folder, "--format", "table", "--top", 1) == 0
    assert capsys.readouterr().out.splitlines() == [
        "image" + " " * 57 + "answer  probability",
        f"photos/{'n' * 60}/r.png",
        " " * 62 + "red         >99.9 %",
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            "60",
            [
                "image         answer  probability  or",
                "photos/g.bmp  green        90.9 %  red 4.5 %, blue 4.5 %",
            ],
        ),
        (
            "50",
            [
                "image         answer  probability  or",
                "photos/g.bmp  green        90.9 %  red 4.5 %,",
                "                                   blue 4.5 %",
            ],
        ),
        (
            "40",
            [
                "image",
                "  answer  probability  or",
                "photos/g.bmp",
                "  green        90.9 %  red 4.5 %,",
                "                       blue 4.5 %",
            ],
        ),
    ],
)
def test_a_narrow_table_breaks_lines_between_words(columns, expected, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert predict("photos/g.bmp", "--format", "table") == 0
    assert capsys.readouterr().out.splitlines() == expected


@pytest.mark.usefixtures("here")
def test_names_keep_their_lines_and_columns(capsys):
    for name in ("a\nb.png", "犬.png", os.fsdecode(b"caf\xe9.png")):
        Path(name).write_bytes(encoded((9, 0, 0)))
    words = ["a\nb.png", "犬.png", os.fsdecode(b"caf\xe9.png"), "no\nne.png"]
    assert predict(*words, "--format", "table", "--top", 1) == 3
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "image          answer  probability",
        "a\\nb.png       red         >99.9 %",
        "犬.png         red         >99.9 %",
        "caf\\udce9.png  red         >99.9 %",
    ]
    assert printed.err == "imago predict: no\\nne.png: No such file or directory\n"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_no_name_is_too_odd_to_be_written(form, encoding):
    names = ["ä\n.png", "犬.png", os.fsdecode(b"caf\xe9.png")]
    for name in names:
        Path(name).write_bytes(encoded((9, 0, 0)))
    command = [sys.executable, "-m", "imago", "predict", "--format", form, *names]
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    printed = done.stdout.decode(encoding)
    assert done.stderr == b""
    if form == "jsonl":
        assert [json.loads(line)["image"] for line in printed.splitlines()] == names
    else:
        assert [row["answer"] for row in csv.DictReader(io.StringIO(printed, ""))] == ["red"] * 3


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("é.png\r\nb c.png\r\n".encode("utf-8-sig"), ["é.png", "b c.png"]),
        ("é.png\r\nb.png".encode("utf-16"), ["é.png", "b.png"]),
        (codecs.BOM_UTF16_BE + "é.png\n".encode("utf-16-be"), ["é.png"]),
        ("é.png\n".encode("utf-16") + b"x", ["é.png", "\ufffd"]),
        (b"caf\xe9.png\nb.png\n", [os.fsdecode(b"caf\xe9.png"), "b.png"]),
        (b"", []),
    ],
    ids=["mark", "UTF-16", "big endian", "torn", "Latin-1", "empty"],
)
def test_lists_as_systems_write_them(content, found, tmp_path):
    (tmp_path / "list.txt").write_bytes(content)
    assert list(given.lines(str(tmp_path / "list.txt"))) == found


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "content",
    ["a.png\nb.png\n".encode("utf-16-le"), b"a.png\0b.png\0", encoded((9, 0, 0))],
    ids=["UTF-16 without its mark", "parted by NUL", "an image"],
)
def test_what_is_no_list_is_one_line(content, capsys):
    Path("list.txt").write_bytes(content)
    assert predict("photos/r.png", "--from", "list.txt") == 3
    printed = capsys.readouterr()
    assert [json.loads(line)["answer"] for line in printed.out.splitlines()] == ["red"]
    said = "NUL; a list must be UTF-8, with a name a line: an image is given without --from\n"
    assert printed.err.endswith(said)
    assert printed.err.count("NUL") == 1


@pytest.mark.parametrize("words", [["-", "--from", "-"], ["-", "-"]])
def test_standard_input_is_named_once(words, capsys):
    assert predict(*words) == 2
    assert capsys.readouterr().err == "imago predict: - is standard input, which is read once\n"


@pytest.mark.usefixtures("here")
def test_a_pattern_goes_round_in_no_loop(capsys):
    Path("photos/again").symlink_to("../photos")
    assert predict("photos/**/*.png") == 0
    assert [one["image"] for one in records(capsys)] == ["photos/r.png"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("other/../photos/*.png", "other/../photos/r.png"),
        ("other/../*/*.png", "other/../photos/r.png"),
        ("here/photos/**/*.png", "here/photos/r.png"),
        ("here/photos/*.png", "here/photos/r.png"),
    ],
)
@pytest.mark.usefixtures("here")
def test_patterns_through_folders_above_and_links(word, found, capsys):
    Path("other").mkdir()
    Path("here").symlink_to(".")
    assert predict(word) == 0
    assert [one["image"] for one in records(capsys)] == [found]


@pytest.mark.parametrize("name", ["colors", "exports/colors", "exports/colors/model.onnx"])
def test_a_model_by_name_or_path(name, here, capsys):
    color_export.write(here / "exports/others")
    assert predict("--model", name, "photos/r.png") == 0
    assert records(capsys)[0]["answer"] == "red"


@pytest.mark.parametrize(
    ("others", "words", "message"),
    [
        (
            ["more"],
            [],
            "--model must name one of several models; exports has colors, more",
        ),
        (
            [],
            ["--model", "color"],
            "--model must be an experiment or an exported file, got 'color'; exports has colors; "
            "run `dvc repro export@<experiment>` to export one, or `dvc pull export@<experiment>` "
            "for what a colleague has pushed",
        ),
    ],
    ids=["several", "unknown"],
)
def test_a_model_that_cannot_be_told(others, words, message, here, capsys):
    for name in others:
        color_export.write(here / "exports" / name)
    assert predict("photos/r.png", *words) == 1
    assert capsys.readouterr().err == f"imago predict: {message}\n"


def test_no_model_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="there is no exported model; run `dvc repro export@"):
        models.find(None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name an image, or - for standard input"),
        (["a.png", "--top", "0"], "must be 1 or more, got 0"),
        (["a.png", "--threshold", "2"], "must be 0 to 1, got 2"),
    ],
)
def test_wrong_arguments_exit_with_2(words, message, capsys):
    try:
        code = predict(*words)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_urls(monkeypatch, capsys):
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    with serving() as server:
        server.files |= {"/r.png": encoded((200, 50, 0)), "/page": b"<html>"}
        server.script["/r.png"] = [Status(503), Truncate(20)]  # and then as it should
        urls = [f"{server.url}/{name}" for name in ("none.png", "page", "r.png")]
        assert predict(*urls) == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)["image"] == urls[2]
    assert printed.err.splitlines() == [
        f"imago predict: {urls[0]}: 404 Not Found",
        f"imago predict: {urls[1]}: {UNKNOWN}",
    ]


@pytest.mark.usefixtures("here")
def test_redirects_are_followed_and_their_bodies_are_not_read(capsys):
    image = encoded((200, 50, 0))
    with rude_server.serving() as server:
        server.answers = {
            "/moved.png": lambda _: itertools.chain(
                [b"HTTP/1.1 302 Found\r\nLocation: /r.png\r\n\r\n"],
                itertools.repeat(bytes(2**16)),
            ),
            "/r.png": lambda _: iter([b"HTTP/1.1 200 OK\r\n\r\n", image]),
        }
        assert predict(f"{server.url}/moved.png") == 0
    assert records(capsys)[0]["label"] == "red"
    assert server.sent_bytes < 16 * 2**20


@pytest.mark.usefixtures("here")
def test_what_does_not_come_to_its_end_is_left(monkeypatch, capsys):
    clock = SimpleNamespace(monotonic=itertools.count(step=20).__next__)
    monkeypatch.setattr(given, "time", clock)
    monkeypatch.setattr(transport, "time", clock)
    with rude_server.serving() as server:
        drops = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 2000]
        server.answers["/a"] = lambda _: (time.sleep(0.001) or drop for drop in drops)
        assert predict(f"{server.url}/a") == 3
    said = f"imago predict: {server.url}/a: takes longer than 5 minutes\n"
    assert capsys.readouterr().err == said


def test_what_is_too_large_is_not_taken_from_the_network(monkeypatch):
    monkeypatch.setattr(given, "GREATEST_BYTES", 1000)
    with serving() as server:
        server.files["/big.png"] = bytes(5000)
        (image,) = given.expand([f"{server.url}/big.png"])
        with pytest.raises(ValueError, match=r"big\.png: must have at most 1,000 bytes, got more"):
            image.read()


@pytest.mark.parametrize("workers", [1, 3])
def test_many_images_come_in_their_order_and_few_are_held(here, workers):
    begun = []

    def images():
        for index in range(100):
            begun.append(index)
            color = (200, 50, 0) if index % 3 else (0, 0, 9)
            yield Given(str(index), lambda color=color: encoded(color))

    loads = []

    def load():
        loads.append(1)
        return Predictor(here / "exports/colors", threads=1)

    answers = bulk.predict(images(), load, workers)
    first = next(answers)
    most = bulk.IMAGES_PER_CALL * (workers * core_workers.AHEAD + 1)
    assert len(begun) <= most < 100
    found = [first, *answers]
    assert [image.name for image, _ in found] == [str(index) for index in range(100)]
    assert [said.label for _, said in found] == ["red" if i % 3 else "blue" for i in range(100)]
    assert 1 <= len(loads) <= workers


def test_whoever_has_enough_stops_the_rest(here):
    read = []
    images = (Given(str(i), lambda i=i: read.append(i) or encoded((9, 9, 9))) for i in range(1000))
    load = lambda: Predictor(here / "exports/colors", threads=1)  # noqa: E731
    answers = bulk.predict(images, load, 1)
    next(answers)
    answers.close()
    assert len(read) <= bulk.IMAGES_PER_CALL * (core_workers.AHEAD + 1)


def test_a_closed_pipe_ends_it_without_a_word(here):
    words = ["photos/r.png"] * 2000
    command = [sys.executable, "-m", "imago", "predict", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, cwd=here
    )
    assert json.loads(process.stdout.readline())["answer"] == "red"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), said) == (boundary.BROKEN_PIPE, b"")


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def sparse(path):
    with path.open("wb") as file:
        file.truncate(20 * 2**30)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (pipe, "not a regular file, but a pipe, a socket or a device"),
        (endless, "not a regular file, but a pipe, a socket or a device"),
        (unix_socket, "No such device or address"),
        (sparse, "21,474,836,480 bytes, more than 1,000,000,000"),
    ],
)
@pytest.mark.parametrize("word", ["odd/a.png", "odd", "odd/*.png"])
def test_what_is_no_regular_file_is_refused_unread(word, make, reason, here, capsys):
    (here / "odd").mkdir()
    make(here / "odd/a.png")

    assert predict(word, "photos/r.png") == 3
    said = capsys.readouterr()
    assert json.loads(said.out)["label"] == "red"
    assert said.err == f"imago predict: odd/a.png: {reason}\n"


def test_a_list_that_is_a_pipe_of_nobody(here, capsys, monkeypatch):
    monkeypatch.setattr(given, "PATIENCE_S", 0.01)
    os.mkfifo(here / "list")
    assert predict("--from", "list") == 1
    message = "list: must be a list of images, got a pipe that nobody writes to"
    assert capsys.readouterr().err == f"imago predict: {message}\n"


def test_a_list_that_a_program_writes(here):
    command = f"exec {sys.executable} -m imago predict --from <(sleep 0.1; echo photos/r.png)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout)["label"] == "red"


@pytest.mark.usefixtures("here")
def test_a_list_that_is_a_folder(capsys):
    assert predict("--from", "photos") == 1
    message = "photos: must be a list of images, got a folder; give it without --from"
    assert capsys.readouterr().err == f"imago predict: {message}\n"


@pytest.mark.usefixtures("here")
def test_a_list_that_is_not_there(capsys):
    assert predict("--from", "nope") == 1
    message = "nope: not found; --from is a file with the path of an image on each line"
    assert capsys.readouterr().err == f"imago predict: {message}\n"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("host", ["a" * 300 + ".example", "a..b"])
def test_hosts_that_cannot_be_are_asked_once(host, monkeypatch, capsys):
    monkeypatch.setattr(retries, "sleep", pytest.fail)
    assert predict(f"http://{host}/") == 3
    assert capsys.readouterr().err == f"imago predict: http://{host}/: it names no host\n"


@pytest.mark.usefixtures("here")
def test_a_line_without_end(capsys):
    assert predict("--from", "/dev/zero") == 1
    message = "/dev/zero: a line must have at most 65,536 characters, got more"
    assert capsys.readouterr().err == f"imago predict: {message}\n"


@pytest.mark.usefixtures("here")
def test_no_cell_is_a_formula(capsys):
    Path("=cmd|calc.png").write_bytes(encoded((200, 50, 0)))
    assert predict("--format", "csv", "--top", 10**30, "=cmd|calc.png") == 0
    row = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1]
    assert row[:2] == ["'=cmd|calc.png", "red"]


def test_no_more_workers_than_cores(here, monkeypatch):
    asked = []

    def note(_images, _load, workers, _elsewhere):
        asked.append(workers)
        return iter(())

    monkeypatch.setattr(bulk, "predict", note)
    assert predict("photos", "--workers", 5000) == 0
    assert asked == [os.cpu_count()]


def made_anew(here, by=None):
    """Leave the project as DVC does when it begins with the stage export."""
    (here / "exports/colors").rename(here / "kept")
    rwlock = here / paths.RWLOCK
    rwlock.parent.mkdir(parents=True)
    written = {str(here / "exports/colors"): {"pid": by or os.getpid(), "cmd": "dvc repro"}}
    rwlock.write_text(json.dumps({"write": written, "read": {}}))


@pytest.mark.parametrize("words", [(), ("--model", "colors"), ("--model", "exports/colors")])
def test_an_export_that_is_made_anew_is_waited_for(words, here, monkeypatch, capsys):
    color_export.write(here / "exports/others")
    made_anew(here)

    def finish(_):
        shutil.rmtree(here / "exports/others")
        (here / "kept").rename(here / "exports/colors")
        (here / paths.RWLOCK).write_text("{}")

    monkeypatch.setattr(models.time, "sleep", finish)
    assert predict("photos/r.png", *words) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["label"] == "red"
    assert said.err == "imago predict: dvc is making the model; waiting 120 s at most\n"


@pytest.mark.parametrize("by", [None, 2**22 + 1], ids=["too long", "by nobody"])
def test_an_export_is_not_waited_for_without_end(by, here, monkeypatch, capsys):
    made_anew(here, by)
    monkeypatch.setattr(models, "PATIENCE_S", 0.1)
    assert predict("photos/r.png", "--model", "colors") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (2 if by is None else 1)
    assert lines[-1].startswith("imago predict: --model must be an experiment or an exported file")


def test_all_workers_run_the_model_that_the_first_one_read(here, capsys):
    first = Predictor(here / "exports/colors", threads=1)
    shutil.rmtree(here / "exports")
    twin = first.twin(threads=1)
    assert twin.predict([here / "photos/r.png"]) == first.predict([here / "photos/r.png"])
