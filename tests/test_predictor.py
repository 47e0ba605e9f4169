import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

import imago
from imago.core.errors import DataError, ImageError
from imago.data import writing
from imago.images import forms
from imago.photos import packs
from imago.predict import predictor
from imago.predict.predictor import Prediction, Predictor
from imago.preparing import conversion
from imago.runtimes import model_json
from tests import color_export

pytestmark = pytest.mark.fault

ORANGE = np.full((4, 4, 3), (200, 50, 0), np.uint8)
"""Four fifths red, one fifth green."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return color_export.write(tmp_path_factory.mktemp("exports") / "colors")


@pytest.fixture(scope="module")
def colors(folder):
    return Predictor(folder, threads=1)


def encoded(image, format_name="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format_name, **options)
    return buffer.getvalue()


def test_a_prediction_names_the_classes(colors):
    (found,) = colors.predict([ORANGE])
    assert (found.label, found.probability) == ("red", pytest.approx(0.8))
    assert found.probabilities == {
        "red": pytest.approx(0.8),
        "green": pytest.approx(0.2),
        "blue": 0.0,
    }
    assert list(found.probabilities) == list(colors.classes) == ["red", "green", "blue"]


def test_top():
    said = Prediction("b", 0.5, {"a": 0.25, "b": 0.5, "c": 0.25})
    assert said.top(2) == [("b", 0.5), ("a", 0.25)]
    assert said.top(9) == [("b", 0.5), ("a", 0.25), ("c", 0.25)]


def as_file(tmp_path):
    path = tmp_path / "orange.png"
    path.write_bytes(encoded(ORANGE))
    return path


KINDS = {
    "array": lambda _: ORANGE,
    "array with opacity": lambda _: np.dstack([ORANGE, np.full((4, 4), 255, np.uint8)]),
    "bytes": lambda _: encoded(ORANGE),
    "array of bytes": lambda _: bytearray(encoded(ORANGE)),
    "view of bytes": lambda _: memoryview(encoded(ORANGE)),
    "path": as_file,
    "entry of a folder": lambda tmp_path: list(os.scandir(as_file(tmp_path).parent))[0],  # noqa: RUF015 - all, or it stays open
    "text of a path": lambda tmp_path: str(as_file(tmp_path)),
    "image of Pillow": lambda _: Image.fromarray(ORANGE),
    "opened by Pillow": lambda _: Image.open(io.BytesIO(encoded(ORANGE))),
    "of another size": lambda _: np.full((31, 17, 3), (200, 50, 0), np.uint8),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_may_be_any_of(kind, colors, tmp_path):
    (found,) = colors.predict([KINDS[kind](tmp_path)])
    assert found.probability == pytest.approx(0.8)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1)])
def test_a_gray_image_has_all_colors(shape, colors):
    (found,) = colors.predict([np.full(shape, 90, np.uint8)])
    assert list(found.probabilities.values()) == pytest.approx([1 / 3] * 3)


def test_what_is_transparent_is_white(colors):
    clear = np.dstack([ORANGE, np.zeros((4, 4), np.uint8)])
    assert colors.pixels(clear).tolist() == np.full((4, 4, 3), 255).tolist()


def test_pixels_are_those_of_prepare(colors, tmp_path):
    photo = np.random.default_rng(1).integers(0, 256, (70, 110, 3), dtype=np.uint8)
    content = encoded(photo, "JPEG")
    form = forms.Form((4, 4, 3), "stretch", "area")
    with writing.splits(tmp_path / "one", ("cat", "dog"), None) as writer:
        packs.add(writer, "train", np.zeros(1, np.int32), [content])
    packed = packs.read_images(tmp_path / "one", "train", form.shrinking)
    assert packed[0].shape == (9, 14, 3)  # an eighth, of which 4 are made

    (expected,) = next(conversion.converted(packed, np.arange(1), form))
    np.testing.assert_array_equal(colors.pixels(content), expected)


def test_a_file_and_its_pixels_are_nearly_one_picture(colors):
    photo = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (400, 600, 3), dtype=np.uint8), (0, 0), 9
    )
    content = encoded(photo, "JPEG")
    whole = np.asarray(Image.open(io.BytesIO(content)))

    difference = colors.pixels(content).astype(int) - colors.pixels(whole)
    assert abs(difference).max() <= 2


def test_exif_turns_are_undone(colors):
    photo = np.random.default_rng(1).integers(0, 256, (48, 32, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    turned = encoded(np.rot90(photo), "PNG", exif=exif)
    np.testing.assert_array_equal(colors.pixels(turned), colors.pixels(photo))
    opened = Image.open(io.BytesIO(turned))
    np.testing.assert_array_equal(colors.pixels(opened), colors.pixels(photo))


def test_probabilities_of_no_images(colors):
    assert colors.predict([]) == []
    assert colors.probabilities(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 3)


def truncated(_):
    return encoded(np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8))[:900]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (lambda _: b"no image", "image: not of a known format: AVIF, BMP, GIF"),
        (lambda folder: folder / "none.jpg", "none.jpg: No such file or directory"),
        (lambda folder: folder, ".*: Is a directory"),
        (lambda _: np.zeros((3, 3), np.float32), "image: must be uint8 of .*, got float32 3×3"),
        (lambda _: np.zeros((3, 3, 2), np.uint8), "image: must be uint8 of .*, got uint8 3×3×2"),
        (lambda _: np.zeros((0, 3), np.uint8), "image: must have one or more pixels, got none"),
        (truncated, "image: not decodable as PNG: "),
        (lambda f: Image.open(io.BytesIO(truncated(f))), "image: not decodable as PNG: "),
        (lambda _: "a\0b.png", "a\0b.png: no path, for it has a zero byte in it"),
        (lambda _: None, "image: must be a path, the bytes of an image file, .*, got NoneType"),
        (lambda _: [[1, 2], [3, 4]], "image: must be a path, .*, got list"),
        (lambda _: io.BytesIO(truncated(_)), "image: must be a path, .*, got BytesIO"),
    ],
    ids=[
        *("text", "missing", "folder", "float", "channels", "empty", "truncated", "Pillow"),
        *("zero byte", "none", "list", "stream"),
    ],
)
def test_unreadable_images(image, message, colors, tmp_path):
    with pytest.raises(ImageError, match=message):
        colors.predict([image(tmp_path)])


@pytest.mark.parametrize(
    "image",
    [
        "a.png",
        Path("a.png"),
        b"content",
        bytearray(b"content"),
        memoryview(b"content"),
        Image.new("L", (2, 2)),
        np.zeros((8, 9), np.uint8),
        np.zeros((8, 9, 3), np.uint8),
    ],
    ids=["name", "path", "bytes", "array", "view", "Pillow", "grayscale", "colours"],
)
def test_one_image_is_no_list_of_images(image, colors):
    with pytest.raises(ImageError, match="images must be several, such as a list, got one"):
        colors.predict(image)


def test_an_image_with_too_many_pixels():
    with pytest.raises(ImageError, match="a: too many pixels: 4×4, more than 15"):
        predictor.decode(encoded(ORANGE), greatest_pixels=15, name="a")


def test_a_file_of_an_export_may_be_named(folder):
    assert Predictor(folder / "model.onnx").classes == ("red", "green", "blue")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", r"empty: must hold model\.tflite or model\.onnx or .*; run the stage export"),
        ("alone/model.keras", r"model\.keras: must be a folder or a \.tflite or \.onnx file"),
        ("none.onnx", r"none\.onnx: not found; run the stage export, or copy all that it wrote"),
        ("none", r"none: not found; run the stage export"),
        ("bare/saved_model", r"saved_model: must hold model\.tflite or .*; name .*/bare$"),
        ("damaged/renamed.onnx", r"renamed\.onnx: must be a file that .*/model\.json names, model"),
        ("alone/model.onnx", r"alone/model\.json: not found; it belongs beside the model"),
        ("broken/model.onnx", r"broken/model\.json: must be JSON: .*; run the stage export again"),
        ("bare", r"bare/model\.json: must describe a model, but has no classes; run the stage"),
        (
            "damaged",
            r"damaged/model\.onnx: must have the sha256 that .* says, \w{64}, got \w{64}; ",
        ),
    ],
)
def test_exports_that_cannot_be_used(name, message, folder, tmp_path):
    model = (folder / "model.onnx").read_bytes()
    for part in ("empty", "alone", "broken", "bare", "damaged"):
        (tmp_path / part).mkdir()
        if part != "empty":
            (tmp_path / part / "model.onnx").write_bytes(model[: 40 if part == "damaged" else None])
    (tmp_path / "alone/model.keras").write_bytes(b"")
    (tmp_path / "broken/model.json").write_text("{", "utf-8")
    (tmp_path / "bare/model.json").write_text("{}", "utf-8")
    (tmp_path / "bare/saved_model").mkdir()
    (tmp_path / "damaged/renamed.onnx").write_bytes(model)
    (tmp_path / "damaged/model.json").write_bytes((folder / "model.json").read_bytes())
    with pytest.raises(DataError, match=message):
        Predictor(tmp_path / name)


def test_one_flipped_bit_of_a_weight_is_found(tmp_path):
    folder = color_export.write(tmp_path / "colors")
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(
        DataError, match=r"^.*it is damaged, or of another model: run the stage exp"
    ):
        Predictor(folder)


def not_a_model(folder):
    (folder / "model.onnx").write_bytes(b"no model")


def of_two_inputs(folder):
    model = onnx.load(folder / "model.onnx")
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["N"]))
    onnx.save(model, folder / "model.onnx")


def without_finite_numbers(folder):
    model = onnx.load(folder / "model.onnx")
    node = helper.make_node("Sub", ["means", "means"], ["zeros"])
    model.graph.node.insert(2, node)
    model.graph.node[3].input[0] = "zeros"
    onnx.save(model, folder / "model.onnx")


def of_another_form(folder):
    color_export.write(folder, side_px=5)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (not_a_model, "must be a whole .onnx file of one input: "),
        (of_two_inputs, "must be a whole .onnx file of one input: too many values"),
        (of_another_form, "must take images of 4×4×3 and give 3 probabilities: "),
        (
            without_finite_numbers,
            "give 3 probabilities, got numbers that are not finite",
        ),
    ],
)
def test_models_of_another_kind_whose_description_knows_their_bytes(change, fault, tmp_path):
    folder = color_export.write(tmp_path / "colors")
    described = model_json.read_export(folder)
    change(folder)
    formats = {"onnx": {"file": "model.onnx", "sha256": model_json.digest(folder / "model.onnx")}}
    model_json.write(folder, dataclasses.replace(described, formats=formats))
    with pytest.raises(
        DataError, match=rf"{fault}.*; run the stage export again, or copy"
    ) as found:
        Predictor(folder)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((1, 5, 4, 3), np.uint8), "uint8 of 1×5×4×3"),
        (np.zeros((4, 4, 3), np.uint8), "uint8 of 4×4×3"),
        (np.zeros((1, 4, 4, 3), np.float32), "float32 of 1×4×4×3"),
        (np.zeros((), np.uint8), "uint8 of none"),
    ],
)
@pytest.mark.parametrize("ask", ["predictions", "probabilities"])
def test_pixels_that_the_model_does_not_take(folder, pixels, found, ask):
    with pytest.raises(ImageError, match=f"pixels must be uint8 of N×4×4×3, got {found}$"):
        getattr(Predictor(folder), ask)(pixels)


def test_a_file_that_tells_no_distance_says_that_it_lacks_it(tmp_path):
    """As that of 8 bits, beside others that do."""
    folder = color_export.write(tmp_path / "colors")
    described = model_json.read_export(folder)
    limits = {"probability": 0.5, "distance": 0.1}
    model_json.write(folder, dataclasses.replace(described, unsure=limits))
    predictor = Predictor(folder)
    assert predictor.lacks_distance
    assert predictor.may_be_unsure
    (found,) = predictor.predict([np.full((4, 4, 3), (9, 0, 0), np.uint8)])
    assert (found.label, found.unsure, found.distance) == ("red", None, None)
    assert not Predictor(folder, threshold=0).lacks_distance
    model_json.write(folder, dataclasses.replace(described, unsure=limits | {"probability": None}))
    assert not Predictor(folder).may_be_unsure


@pytest.fixture
def on_dark(tmp_path):
    """A model of light things that fill half of a dark 8×8 image; only its pixels are looked at."""
    framing = {"ground": "dark", "longest_side": 0.5, "center": "box", "at": [0.5, 0.5]}
    return color_export.write(tmp_path / "dark", 8, 1, framing=framing, color="grayscale")


DARK_BAR = np.full((8, 8), 250, np.uint8)
DARK_BAR[1:5, 2] = 10


@pytest.mark.parametrize(
    ("polarity", "inverted"), [("auto", True), ("inverted", True), ("as_is", False)]
)
def test_polarity(on_dark, polarity, inverted):
    found = Predictor(on_dark, polarity=polarity).pixels(DARK_BAR)[..., 0]
    np.testing.assert_array_equal(found, 255 - DARK_BAR if inverted else DARK_BAR)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"polarity": "invert"}, "polarity must be one of auto, as_is, inverted, got 'invert'"),
        ({"threshold": 2}, "threshold must be a probability, 0 to 1, or None, got 2"),
        ({"threshold": float("nan")}, "got nan"),
        ({"threshold": "0.5"}, "got '0.5'"),
        ({"threads": -1}, "threads must be a number from 1 on, or None for all cores, got -1"),
        ({"threads": "2"}, "got '2'"),
    ],
)
def test_what_a_predictor_cannot_be_asked(on_dark, how, message):
    with pytest.raises(ValueError, match=message):
        Predictor(on_dark, **how)


def test_an_image_of_the_right_polarity_and_size_stays_as_it_is(on_dark):
    np.testing.assert_array_equal(Predictor(on_dark).pixels(255 - DARK_BAR)[..., 0], 255 - DARK_BAR)


def test_the_thing_in_a_larger_image_is_found(on_dark):
    photo = np.full((60, 90, 3), 230, np.uint8)
    photo[5:25, 61:66] = 40
    expected = np.zeros((8, 8), np.uint8)
    expected[2:6, 4] = 255  # 4 pixels high, in the middle
    np.testing.assert_array_equal(Predictor(on_dark).pixels(photo)[..., 0], expected)


def test_finding_it_can_be_left_out(on_dark):
    photo = np.full((16, 16), 230, np.uint8)
    photo[:4, :4] = 30
    found = Predictor(on_dark, find_subject=False).pixels(photo)[..., 0]
    expected = np.full((8, 8), 25)
    expected[:2, :2] = 225
    np.testing.assert_array_equal(found, expected)


def test_predictor_comes_from_the_package_itself():
    assert imago.Predictor is Predictor
    with pytest.raises(AttributeError, match="'imago' has no attribute 'Predict'"):
        _ = imago.Predict


HEAVY = {"tensorflow", "keras", "pandas", "pydantic", "sklearn", "matplotlib", "requests", "tqdm"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import imago", HEAVY | {"numpy", "cv2", "PIL"}),
        ("import imago; imago.Predictor", HEAVY | {"onnxruntime", "ai_edge_litert"}),
        ("import imago.commands.predict, imago.runtimes.litert", HEAVY | {"onnxruntime"}),
    ],
)
def test_what_is_not_imported(statement, absent):
    script = f"{statement}\nimport sys; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert absent & set(found.stdout.decode().split()) == set()
