"""Models that are damaged, foreign or described as another: whatever reads them says one line.

And goes on with the models beside them.
"""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from fastapi.testclient import TestClient
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from app import catalog, endpoint
from imago import cli
from imago.core import boundary, files
from imago.data import writing
from imago.runtimes import inference, litert, model_json, saving
from imago.runtimes.model_json import ExportDescription, TrainedDescription
from stages import evaluate, export
from tests import tiny_project

pytestmark = pytest.mark.fault

CLASSES = ("top", "middle", "bottom")
SHAPE = (1, 3, 1)
IMAGES = np.random.default_rng(1).integers(0, 129, (12, *SHAPE), dtype=np.uint8)

Change = Callable[[Path], Any]


def net(shape: tuple[int, ...] = SHAPE, classes: int = 3, dtype: str = "uint8") -> keras.Model:
    pixels = keras.Input(shape, dtype=dtype, name="pixels")
    flat = keras.layers.Flatten(name="flatten")(keras.layers.Rescaling(1 / 128)(pixels))
    return keras.Model(pixels, keras.layers.Dense(classes, name="answers")(flat), name="m")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    values = tiny_project.settings()
    values["exports"][tiny_project.EXPORT] |= {"formats": ["onnx"]}
    tiny_project.write_params(folder, values)
    data = folder / "data/prepared/tiny8"
    with writing.splits(data, CLASSES, SHAPE) as writer:
        for split in ("train", "test"):
            writer.add(split, np.arange(12, dtype=np.int32) % 3, [IMAGES])
    files.write_json(
        data / "provenance.json", {"dataset": {}, "prepare": values["prepare"]["tiny8"]}
    )
    saving.write(folder / "models/plain", net(), CLASSES)
    for name, file in (("plain", "model.tflite"), ("by_onnx", "model.onnx"), ("sound", "")):
        exported = folder / "exports" / name
        exported.mkdir(parents=True)
        if file != "model.tflite":
            onnx.save(made(), exported / "model.onnx")
        if file != "model.onnx":
            shutil.copy(folder / "models/plain/model.tflite", exported)
        describe_export(exported)
    Image.new("L", (3, 1)).save(folder / "x.png")
    return folder


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(template, tmp_path, dirs_exist_ok=True)


def describe_export(
    folder: Path, classes: tuple[str, ...] = CLASSES, shape: tuple[int, ...] = SHAPE
) -> None:
    formats = {
        path.suffix: {"file": path.name, "sha256": model_json.digest(path)}
        for path in sorted(folder.glob("*.*"))
        if path.suffix != ".json"
    }
    described = ExportDescription(
        experiment=folder.name,
        classes=classes,
        input={"shape": [None, *shape], "fit": "stretch", "interpolation": "area", "framing": None},
        output={"shape": [None, len(classes)]},
        formats=formats,
    )
    model_json.write(folder, described)


def describe_training(
    folder: Path, classes: tuple[str, ...] = CLASSES, parameters: int | None = None
) -> None:
    digests = {
        path.name: model_json.digest(path) for path in folder.iterdir() if path.suffix != ".json"
    }
    count = net().count_params() if parameters is None else parameters
    described = TrainedDescription(classes=classes, parameters=count, files=digests)
    model_json.write(folder, described)


def made(
    nodes: list[onnx.NodeProto] | None = None,
    pixels: tuple[int, Any] = (TensorProto.UINT8, SHAPE),
    result: tuple[int, Any] = (TensorProto.FLOAT, ["n", 3]),
    opset: int = 18,
    ir_version: int = 9,
    constants: dict[str, Any] | None = None,
) -> onnx.ModelProto:
    """Build an ONNX model that, unless told otherwise, is of this experiment."""
    graph = helper.make_graph(
        nodes or [helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT), *TAIL],
        "m",
        [helper.make_tensor_value_info("pixels", pixels[0], ["n", *pixels[1]])],
        [helper.make_tensor_value_info("probabilities", *result)],
        [
            numpy_helper.from_array(np.array(value), key)
            for key, value in ({"shape": [-1, 3]} | (constants or {})).items()
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version
    )


TAIL = [helper.make_node("Reshape", ["numbers", "shape"], ["probabilities"])]


def flipped(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)


def instead(path: Path, put: Callable[[Path], Any]) -> None:
    path.unlink()
    put(path)


def of_bytes(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


DAMAGES: dict[str, Change] = {
    "missing": Path.unlink,
    "empty": partial(of_bytes, change=lambda _: b""),
    "one byte": partial(of_bytes, change=lambda content: content[:1]),
    "half": partial(of_bytes, change=lambda content: content[: len(content) // 2]),
    "without its last bytes": partial(of_bytes, change=lambda content: content[:-2]),
    "with more": partial(of_bytes, change=lambda content: content + b"}\0"),
    "twice": partial(of_bytes, change=lambda content: content * 2),
    "first bit": partial(flipped, place=0),
    "a bit at a third": partial(flipped, place=1 / 3),
    "a bit in the middle": partial(flipped, place=1 / 2),
    "zeros": partial(of_bytes, change=lambda content: bytes(len(content))),
    "backwards": partial(of_bytes, change=lambda content: content[::-1]),
    "text": partial(of_bytes, change=lambda _: b"<html>no model</html>\n"),
    "a git conflict": partial(of_bytes, change=lambda content: b"<<<<<<< HEAD\n" + content),
    "compressed": partial(of_bytes, change=gzip.compress),
    "a folder": partial(instead, put=Path.mkdir),
    "a pipe": partial(instead, put=os.mkfifo),
    "a device": partial(instead, put=lambda path: path.symlink_to("/dev/zero")),
    "a link to nowhere": partial(instead, put=lambda path: path.symlink_to("nowhere")),
    "a link to itself": partial(instead, put=lambda path: path.symlink_to(path.name)),
    "without an end": lambda path: os.truncate(path, 2**31 + 1),
}


def says_one_line(capfd: pytest.CaptureFixture[str], code: int) -> str:
    answered, said = capfd.readouterr()
    assert (code, answered) == (1, "")
    assert boundary.TRACEBACK_VARIABLE not in said  # nobody had thought of it
    assert "Traceback" not in said
    assert said.count("\n") == 1
    return said


def check_readers_of_exports(name: str, capfd: pytest.CaptureFixture[str]) -> str:
    """See what the command, the page and the endpoint make of a broken model among sound ones."""
    said = says_one_line(capfd, cli.main(["predict", "--model", f"exports/{name}", "x.png"]))
    found = dict(catalog.models())
    assert not isinstance(found["sound"], str)
    assert isinstance(found.get(name, ""), str)
    sound = {"sound", "plain", "by_onnx"} - {name}
    with TestClient(endpoint.api) as client:
        health = client.get("/health").json()
        assert health["models"] == len(sound)
        assert set(health["broken"]) <= {name}
        listed = client.get("/models").json()
        assert {model["name"] for model in listed["models"]} == sound
        image = {"images": ("x.png", Path("x.png").read_bytes())}
        assert client.post(f"/predict?model={name}", files=image).status_code == 404
        assert client.post("/predict?model=sound", files=image).status_code == 200
    return said


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("plain", "model.tflite"),
        ("plain", "model.json"),
        ("by_onnx", "model.onnx"),
    ],
)
def test_an_export_that_is_damaged(
    name: str, file: str, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    DAMAGES[damage](Path("exports", name, file))
    check_readers_of_exports(name, capfd)


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("file", "readers", "damage"),
    [
        (file, readers, damage)
        for file, readers in {
            "model.keras": [export.main],
            "model.tflite": [evaluate.main],
            "model.json": [export.main, evaluate.main],
        }.items()
        for damage in DAMAGES
        if damage != "without an end"  # whose digest takes its time
        # A bit of this description is in one of its values, of which each reader needs but some.
        if file != "model.json" or "a bit" not in damage
    ],
)
def test_a_trained_model_that_is_damaged(
    file: str,
    readers: list[Callable[[str], None]],
    damage: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    DAMAGES[damage](Path("models/plain", file))
    for main in readers:
        before = sorted(Path().rglob("*"))
        code = boundary.run("stage", partial(main, "plain"))
        assert f"models/plain/{file}" in says_one_line(capfd, code)
        assert sorted(Path().rglob("*")) == before


def cast(to: int, *more: onnx.NodeProto) -> list[onnx.NodeProto]:
    return [helper.make_node("Cast", ["pixels"], ["numbers"], to=to), *(more or TAIL)]


def unknown_file() -> onnx.ModelProto:
    """Have weights that lie in a file beside the model, or rather anywhere."""
    model = made(
        cast(
            TensorProto.FLOAT,
            helper.make_node("Add", ["numbers", "weights"], ["sums"]),
            helper.make_node("Reshape", ["sums", "shape"], ["probabilities"]),
        ),
        constants={"weights": np.zeros(SHAPE, np.float32)},
    )
    weights = next(one for one in model.graph.initializer if one.name == "weights")
    onnx.external_data_helper.set_external_data(weights, "../../../../etc/passwd")
    weights.ClearField("raw_data")
    return model


def through(*nodes: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Compute something else of the numbers, which ends as `sums`."""
    end = helper.make_node("Reshape", ["sums", "shape"], ["probabilities"])
    return cast(TensorProto.FLOAT, *nodes, end)


FOREIGN_ONNX: dict[str, Callable[[], onnx.ModelProto]] = {
    "of larger images": lambda: made(pixels=(TensorProto.UINT8, (2, 3, 1))),
    "of colours": lambda: made(pixels=(TensorProto.UINT8, (1, 3, 3))),
    "of vectors": lambda: made(pixels=(TensorProto.UINT8, (3,))),
    "of float32": lambda: made(pixels=(TensorProto.FLOAT, SHAPE)),
    "of texts": lambda: made(pixels=(TensorProto.STRING, SHAPE)),
    "to one class": lambda: made(constants={"shape": [-1, 1]}, result=(1, ["n", 1])),
    "to four classes": lambda: made(
        through(helper.make_node("Concat", ["numbers", "numbers"], ["sums"], axis=1)),
        constants={"shape": [-1, 6]},
        result=(TensorProto.FLOAT, ["n", 6]),
    ),
    "to a number": lambda: made(
        through(helper.make_node("ReduceSum", ["numbers"], ["sums"])),
        constants={"shape": np.array([], np.int64)},
        result=(TensorProto.FLOAT, []),
    ),
    "to maps": lambda: made(constants={"shape": [-1, 3, 1]}, result=(1, ["n", 3, 1])),
    "to float64": lambda: made(cast(TensorProto.DOUBLE), result=(TensorProto.DOUBLE, ["n", 3])),
    "to whole numbers": lambda: made(cast(TensorProto.INT64), result=(TensorProto.INT64, ["n", 3])),
    "to texts": lambda: made(cast(TensorProto.STRING), result=(TensorProto.STRING, ["n", 3])),
    "to no numbers": lambda: made(
        through(
            helper.make_node("Sub", ["numbers", "numbers"], ["zeros"]),
            helper.make_node("Div", ["zeros", "zeros"], ["sums"]),
        )
    ),
    "to infinity": lambda: made(
        through(
            helper.make_node("Sub", ["numbers", "numbers"], ["zeros"]),
            helper.make_node("Reciprocal", ["zeros"], ["sums"]),
        )
    ),
    "of a later opset": lambda: made(opset=9999),
    "of a later form": lambda: made(ir_version=99),
    "of an unknown operator": lambda: made(
        through(helper.make_node("Guess", ["numbers"], ["sums"]))
    ),
    "of an unknown domain": lambda: made(
        through(helper.make_node("Guess", ["numbers"], ["sums"], domain="org.example"))
    ),
    "in a circle": lambda: made(
        through(
            helper.make_node("Add", ["numbers", "there"], ["here"]),
            helper.make_node("Add", ["numbers", "here"], ["there"]),
            helper.make_node("Add", ["here", "there"], ["sums"]),
        )
    ),
    "of weights that are not there": lambda: made(
        through(helper.make_node("Add", ["numbers", "weights"], ["sums"]))
    ),
    "of weights of another shape": lambda: made(
        through(helper.make_node("Add", ["numbers", "weights"], ["sums"])),
        constants={"weights": np.zeros((5, 7), np.float32)},
    ),
    "of weights in another file": unknown_file,
    "of more memory than there is": lambda: made(
        through(
            helper.make_node("ConstantOfShape", ["many"], ["zeros"]),
            helper.make_node("ReduceSum", ["zeros"], ["zero"]),
            helper.make_node("Add", ["numbers", "zero"], ["sums"]),
        ),
        constants={"many": [2**20, 2**20, 2**20]},
    ),
    "of an operator whose name is no text": lambda: made(
        through(helper.make_node("\N{SNOWMAN}" * 9, ["numbers"], ["sums"]))
    ),
    "of nothing": onnx.ModelProto,
}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("kind", FOREIGN_ONNX)
def test_an_onnx_model_of_another_kind_that_is_described_as_this_one(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = Path("exports/by_onnx")
    content = FOREIGN_ONNX[kind]().SerializeToString().replace("\N{SNOWMAN}".encode(), b"\xff!!")
    (folder / "model.onnx").write_bytes(content)
    describe_export(folder)
    assert "exports/by_onnx/model.onnx: must " in check_readers_of_exports("by_onnx", capfd)


FOREIGN_NETS: dict[str, Callable[[], keras.Model]] = {
    "of larger images": partial(net, (2, 3, 1)),
    "of vectors": partial(net, (3,)),
    "to two classes": partial(net, SHAPE, 2),
    "to four classes": partial(net, SHAPE, 4),
}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("kind", FOREIGN_NETS)
def test_a_net_of_another_kind_that_is_described_as_this_one(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    other = FOREIGN_NETS[kind]()
    saving.write_model(Path("models/plain/model.keras"), other)
    for folder in ("models/plain", "exports/plain"):
        Path(folder, "model.tflite").write_bytes(inference.to_litert(other))
    describe_training(Path("models/plain"), parameters=other.count_params())
    describe_export(Path("exports/plain"))
    for main in (export.main, evaluate.main):
        code = boundary.run("stage", partial(main, "plain"))
        assert "models/plain" in says_one_line(capfd, code)
    assert "exports/plain/model.tflite: must " in check_readers_of_exports("plain", capfd)


def of_one_image(net: keras.Model) -> bytes:
    """Convert a net for a fixed number of images."""
    import tensorflow as tf

    one = tf.function(lambda x: net(x), [tf.TensorSpec((1, *SHAPE), tf.uint8)])
    return litert.convert(net, one.get_concrete_function())


@pytest.mark.usefixtures("tree")
def test_a_net_of_so_many_images(capfd: pytest.CaptureFixture[str]) -> None:
    Path("exports/plain/model.tflite").write_bytes(of_one_image(net()))
    describe_export(Path("exports/plain"))
    said = check_readers_of_exports("plain", capfd)
    assert "must take any number of images, got a model of [1, 1, 3, 1]" in said


NAMES: dict[str, tuple[str, ...]] = {
    "swapped": ("top", "bottom", "middle"),
    "of others": ("cat", "dog", "bird"),
    "of another case": ("Top", "middle", "bottom"),
    "with a space": ("top ", "middle", "bottom"),
    "one less": ("top", "middle"),
    "one more": ("top", "middle", "bottom", "none"),
}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("kind", NAMES)
def test_classes_that_are_not_those_of_the_data(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    describe_training(Path("models/plain"), NAMES[kind])
    for main in (export.main, evaluate.main):
        says_one_line(capfd, boundary.run("stage", partial(main, "plain")))
    assert not Path("metrics").exists()


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("kind", NAMES)
def test_classes_that_somebody_wrote_into_an_export(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = Path("exports/plain/model.json")
    files.write_json(path, files.read_json(path) | {"classes": NAMES[kind]})
    said = check_readers_of_exports("plain", capfd)
    assert "sha256 must be that of the rest of the file" in said


@pytest.fixture(autouse=True)
def no_model_is_held() -> Iterator[None]:
    """Forget the last whole models, which answer while others are broken."""
    catalog._whole.clear()
    yield
    catalog._whole.clear()
