import dataclasses
import hashlib
import json
import re

import pytest

from imago.core.errors import DataError
from imago.runtimes import model_json
from imago.runtimes.model_json import ExportDescription, TrainedDescription

pytestmark = pytest.mark.fault

TRAINED = TrainedDescription(classes=("cat", "dög"), parameters=12, files={"model.keras": "0" * 64})
EXPORT = ExportDescription(
    experiment="pets",
    classes=("cat", "dög"),
    input={"shape": [None, 4, 4, 1], "fit": "crop", "interpolation": "area", "framing": None},
    output={"shape": [None, 2]},
    formats={"onnx": {"file": "model.onnx", "sha256": 64 * "0", "accuracy": 0.5}},
)
NAN = float("nan")
FRAMING = {"ground": "dark", "longest_side": 0.5, "center": "box", "at": (0.5, 0.25)}


def test_what_is_written_is_read(tmp_path):
    model_json.write(tmp_path / "models/pets", TRAINED)
    model_json.write(tmp_path / "exports/pets", EXPORT)

    assert model_json.read_trained(tmp_path / "models/pets") == TRAINED
    assert model_json.read_export(tmp_path / "exports/pets") == EXPORT


def test_keys_are_in_the_order_of_the_fields(tmp_path):
    model_json.write(tmp_path, TRAINED)
    text = '{\n  "classes": [\n    "cat",\n    "dög"\n  ],\n  "parameters": 12,\n  "files": {\n'
    text += '    "model.keras": "'
    text += f'{"0" * 64}"\n  }}\n}}\n'
    assert (tmp_path / "model.json").read_text("utf-8") == text

    model_json.write(tmp_path, EXPORT)
    found = json.loads((tmp_path / "model.json").read_text("utf-8"))
    assert list(found) == ["experiment", "classes", "input", "output", "formats", "sha256"]


def test_framing_is_read_as_it_was_measured(tmp_path):
    wanted = {**EXPORT.input, "framing": FRAMING}
    described = ExportDescription(
        experiment="", classes=("a",), input=wanted, output={"shape": [None, 1]}, formats={}
    )
    model_json.write(tmp_path, described)

    assert model_json.read_export(tmp_path).input["framing"] == FRAMING | {"at": [0.5, 0.25]}


def test_exported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_json.exported() == []
    for name in ("b", "a"):
        model_json.write(tmp_path / "exports" / name, EXPORT)
    (tmp_path / "exports/half").mkdir()

    assert model_json.exported() == ["a", "b"]


@pytest.mark.parametrize(
    ("read", "stage"),
    [(model_json.read_trained, "train"), (model_json.read_export, "export")],
    ids=["train", "export"],
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "not found; it belongs beside the model, and the stage {stage} writes it"),
        (b"{", "must be JSON: Expecting property name enclosed in double quotes: line 1 column 2 "),
        (b"\xff", "must be JSON: 'utf-8' codec can't decode byte 0xff "),
        (b"[1]", "must be a section of keys and values, got [1]; run the stage {stage} again"),
        (b"{}", "must describe a model, but has no "),
        (
            b"[" * 100_000,
            "must be JSON, got sections in sections without end; run the stage {stage}",
        ),
        (b"9" * 9_000, "must be JSON: Exceeds the limit"),
        (b" " * 10_000_001, "must have at most 10,000,000 bytes, got more; run the stage {stage} "),
    ],
    ids=["missing", "half", "bytes", "list", "empty", "deep", "long number", "large"],
)
def test_a_file_that_describes_no_model(read, stage, content, message, tmp_path):
    if content is not None:
        (tmp_path / "model.json").write_bytes(content)

    expected = re.escape(f"{tmp_path / 'model.json'}: {message.format(stage=stage)}")
    with pytest.raises(DataError, match=expected):
        read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("classes", "cat", 'classes must be a list of one or more names, got "cat"'),
        ("classes", [], "classes must be a list of one or more names, got []"),
        ("classes", ["cat", 1], "classes must be a list of one or more names, got ['cat', 1]"),
        ("parameters", "12", 'parameters must be a whole number, 0 or more, got "12"'),
        ("parameters", True, "parameters must be a whole number, 0 or more, got true"),
        ("parameters", -1, "parameters must be a whole number, 0 or more, got -1"),
    ],
)
def test_ill_typed_keys_of_a_trained_model(key, value, fault, tmp_path):
    described = {"classes": ["cat"], "parameters": 12} | {key: value}
    (tmp_path / "model.json").write_text(json.dumps(described), "utf-8")

    with pytest.raises(DataError, match=rf"{re.escape(fault)}; run the stage train again$"):
        model_json.read_trained(tmp_path)


@pytest.mark.parametrize(
    ("section", "key", "value", "fault"),
    [
        ("", "experiment", 3, "experiment must be text, got 3"),
        ("", "classes", None, "classes must be a list of one or more names, got null"),
        ("", "input", [], "input must be a section of keys and values, got []"),
        ("input", "shape", [4, 4, 1], "input.shape must be [null, height, width, channels], got"),
        ("input", "shape", [None, "4", 4, 1], "input.shape must be [null, height, width, chan"),
        ("input", "fit", None, "input.fit must be one of stretch, crop, pad, got null"),
        ("input", "interpolation", 1, "input.interpolation must be one of area, cubic, l"),
        ("input", "framing", {"ground": "dark"}, "input.framing must be null or a section of at,"),
        ("input", "framing", "dark", "input.framing must be null or a section of at, center, "),
        ("", "output", "p", 'output must be a section of keys and values, got "p"'),
        (
            "",
            "classes",
            ["cat", ""],
            "classes must be a list of one or more names, got ['cat', '']",
        ),
        ("", "classes", ["cat", "cat"], "classes must be names that all differ, got ['cat', 'cat'"),
        ("", "classes", ["dög", "cat"], "sha256 must be that of the rest of the file, which was"),
        ("", "experiment", "others", "sha256 must be that of the rest of the file, which was"),
        ("", "sha256", 64 * "0", "sha256 must be that of the rest of the file, which was"),
        ("", "sha256", None, "sha256 must be a sha256, 64 characters, got null"),
        (
            "input",
            "shape",
            [1, 4, 4, 1],
            "input.shape must be [null, height, width, channels], got",
        ),
        ("input", "shape", [None, 0, 4, 1], "input.shape must be [null, height, width, channels"),
        ("input", "shape", [None, 10**9, 4, 1], "input.shape must be [null, height, width, chann"),
        (
            "input",
            "framing",
            FRAMING | {"at": [2, 0]},
            "input.framing must be null or a section of",
        ),
        ("input", "framing", FRAMING | {"at": [0, NAN]}, "input.framing must be null or a section"),
        (
            "input",
            "framing",
            FRAMING | {"ground": []},
            "input.framing must be null or a section of",
        ),
        (
            "",
            "formats",
            {"onnx": {"file": "a"}},
            "formats must be a section for each format, with ",
        ),
        ("", "formats", {"onnx": "model.onnx"}, "formats must be a section for each format, with "),
    ],
)
def test_ill_typed_keys_of_an_export(section, key, value, fault, tmp_path):
    model_json.write(tmp_path, EXPORT)
    path = tmp_path / "model.json"
    described = json.loads(path.read_text("utf-8"))
    (described[section] if section else described)[key] = value
    path.write_text(json.dumps(described), "utf-8")

    with pytest.raises(DataError, match=rf"{re.escape(fault)}.*; run the stage export again$"):
        model_json.read_export(tmp_path)


def test_a_number_of_outputs_that_is_not_that_of_the_classes(tmp_path):
    model_json.write(tmp_path, dataclasses.replace(EXPORT, output={"shape": [None, 3]}))
    with pytest.raises(DataError, match=re.escape("output.shape must be [null, 2], as there are")):
        model_json.read_export(tmp_path)


def test_digest(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/two").write_bytes(b"2")
    (tmp_path / "one").write_bytes(b"1")
    one, two = (hashlib.sha256(content).hexdigest() for content in (b"1", b"2"))

    assert model_json.digest(tmp_path / "one") == one
    listing = f"{two}  b/two\n{one}  one\n"
    assert model_json.digest(tmp_path) == hashlib.sha256(listing.encode()).hexdigest()


@pytest.mark.parametrize("key", ["experiment", "output", "input.shape", "input.framing", "sha256"])
def test_a_lacking_key_is_named(key, tmp_path):
    model_json.write(tmp_path, EXPORT)
    path = tmp_path / "model.json"
    described = json.loads(path.read_text("utf-8"))
    section, _, name = key.rpartition(".")
    del (described[section] if section else described)[name]
    path.write_text(json.dumps(described), "utf-8")

    with pytest.raises(DataError, match=f"must describe a model, but has no {key}; run the stage"):
        model_json.read_export(tmp_path)
