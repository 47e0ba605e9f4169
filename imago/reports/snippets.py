"""Code that loads a model, for people to copy; a test runs it."""

from collections.abc import Mapping
from typing import Any

from imago.core import paths

IMAGO = """\
from imago import Predictor

(prediction,) = Predictor("{export}").predict(["photo.png"])
print(prediction.label, prediction.probability)
"""

KERAS = """\
import json
from pathlib import Path

import cv2
import keras
import numpy as np
from PIL import Image, ImageOps

photo = ImageOps.exif_transpose(Image.open("photo.png")).convert("RGBA")
photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("{mode}")
{fitted}{halved}pixels = cv2.resize(np.asarray(photo), {inside}, interpolation={interpolation})
{bordered}pixels = pixels.reshape(1, {height}, {width}, {channels})
classes = json.loads(Path("{model}/model.json").read_text("utf-8"))["classes"]

model = keras.saving.load_model("{model}/model.keras")
(probabilities,) = model.predict(pixels)
print(classes[probabilities.argmax()], probabilities.max())
"""

LITERT = """\
import json
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

photo = ImageOps.exif_transpose(Image.open("photo.png")).convert("RGBA")
photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("{mode}")
{fitted}{halved}pixels = cv2.resize(np.asarray(photo), {inside}, interpolation={interpolation})
{bordered}pixels = pixels.reshape(1, {height}, {width}, {channels})
classes = json.loads(Path("{export}/model.json").read_text("utf-8"))["classes"]

model = Interpreter("{export}/{file}")
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], pixels)
model.invoke()
(probabilities,) = model.get_tensor(model.get_output_details()[0]["index"])
print(classes[probabilities.argmax()], probabilities.max())
"""

FITTED = {
    "stretch": "",
    "crop": """\
side = min(photo.size)
left, top = ((size - side) // 2 for size in photo.size)
photo = photo.crop((left, top, left + side, top + side))  # its middle
""",
    "pad": """\
inside = [max(1, round(size * ({side} / max(photo.size)))) for size in photo.size]
""",
}
INSIDE = {"stretch": "({width}, {height})", "crop": "({width}, {height})", "pad": "inside"}
BORDERED = """\
left, top = (({side} - size) // 2 for size in inside)
right, bottom = {side} - inside[0] - left, {side} - inside[1] - top
pixels = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT)  # black
"""
HALVED = """\
if all(2 * to < size < 4 * to for size, to in zip(photo.size, {inside})):  # four points for an area
    photo = Image.fromarray(cv2.resize(np.asarray(photo), [2 * to for to in {inside}]))
"""
"""Of colours, with the interpolation area."""
INTERPOLATION = {
    "area": "cv2.INTER_AREA if {longer_or_shorter}(photo.size) >= {side} else cv2.INTER_LINEAR",
    "cubic": "cv2.INTER_CUBIC",
    "lanczos": "cv2.INTER_LANCZOS4",
    "linear": "cv2.INTER_LINEAR",
    "nearest": "cv2.INTER_NEAREST_EXACT",
}


def of(card: Mapping[str, Any]) -> dict[str, str]:
    """Return Python code for an image file, photo.png, by what it needs to be installed.

    `imago` converts an image to the last bit as the training images were; the others nearly always.
    bench.outside measures it.
    """
    height, width, channels = card["data"]["image_shape"]
    fit, interpolation = card["input"]["fit"], card["input"]["interpolation"]
    given = {"side": max(height, width), "inside": INSIDE[fit].format(height=height, width=width)}
    values = given | {
        "fitted": FITTED[fit].format(**given),
        "halved": HALVED.format(**given) if interpolation == "area" and channels == 3 else "",
        "bordered": BORDERED.format(**given) if fit == "pad" else "",
        "interpolation": INTERPOLATION[interpolation].format(
            **given, longer_or_shorter="max" if fit == "pad" else "min"
        ),
        "export": paths.export(card["experiment"]).as_posix(),
        "model": paths.model(card["experiment"]).as_posix(),
        "mode": "L" if channels == 1 else "RGB",
        "height": height,
        "width": width,
        "channels": channels,
    }
    found = {"imago": IMAGO, "Keras": KERAS}
    if "litert" in card["exports"]:
        values["file"] = card["exports"]["litert"]["file"]
        found["LiteRT"] = LITERT
    return {name: code.format(**values) for name, code in found.items()}
