import json
import re

import pytest

from imago.core.errors import DataError
from imago.runtimes import model_json
from imago.runtimes.model_json import ExportDescription, TrainedDescription

TRAINED = TrainedDescription(classes=("cat", "dög"), parameters=12)
EXPORT = ExportDescription(
    experiment="pets",
    classes=("cat", "dög"),
    input={"shape": [None, 4, 4, 1], "fit": "crop", "interpolation": "area", "framing": None},
    output={"shape": [None, 2]},
    formats={"onnx": {"file": "model.onnx", "accuracy": 0.5}},
)
FRAMING = {"ground": "dark", "longest_side": 0.5, "center": "box", "at": (0.5, 0.25)}


def test_what_is_written_is_read(tmp_path):
    model_json.write(tmp_path / "models/pets", TRAINED)
    model_json.write(tmp_path / "exports/pets", EXPORT)

    assert model_json.read_trained(tmp_path / "models/pets") == TRAINED
    assert model_json.read_export(tmp_path / "exports/pets") == EXPORT


def test_keys_are_in_the_order_of_the_fields(tmp_path):
    model_json.write(tmp_path, TRAINED)
    text = '{\n  "classes": [\n    "cat",\n    "dög"\n  ],\n  "parameters": 12\n}\n'
    assert (tmp_path / "model.json").read_text("utf-8") == text

    model_json.write(tmp_path, EXPORT)
    found = json.loads((tmp_path / "model.json").read_text("utf-8"))
    assert list(found) == ["experiment", "classes", "input", "output", "formats"]


def test_framing_is_read_as_it_was_measured(tmp_path):
    wanted = {**EXPORT.input, "framing": FRAMING}
    described = ExportDescription(
        experiment="", classes=("a",), input=wanted, output={}, formats={}
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
    ],
    ids=["missing", "half", "bytes", "list", "empty"],
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
        ("input", "fit", None, "input.fit must be text, got null"),
        ("input", "interpolation", 1, "input.interpolation must be text, got 1"),
        ("input", "framing", {"ground": "dark"}, "input.framing must be null or a section of at,"),
        ("input", "framing", "dark", "input.framing must be null or a section of at, center, "),
        ("", "output", "p", 'output must be a section of keys and values, got "p"'),
        ("", "formats", {"onnx": "model.onnx"}, "formats must be a section for each format, got"),
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


@pytest.mark.parametrize("key", ["experiment", "output", "input.shape", "input.framing"])
def test_a_lacking_key_is_named(key, tmp_path):
    model_json.write(tmp_path, EXPORT)
    path = tmp_path / "model.json"
    described = json.loads(path.read_text("utf-8"))
    section, _, name = key.rpartition(".")
    del (described[section] if section else described)[name]
    path.write_text(json.dumps(described), "utf-8")

    with pytest.raises(DataError, match=f"must describe a model, but has no {key}; run the stage"):
        model_json.read_export(tmp_path)
