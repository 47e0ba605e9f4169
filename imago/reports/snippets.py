"""Code that loads a model, for people to copy; a test runs it."""

from collections.abc import Mapping
from typing import Any

from imago.core import paths

IMAGO = """\
from imago import Predictor

(prediction,) = Predictor("{export}").predict(["photo.png"])
label = {label}
print(label, prediction.probability)
"""

KERAS = """\
import json
from pathlib import Path

import cv2
import keras
import numpy as np
from PIL import Image, ImageOps

{pixels}
classes = json.loads(Path("{model}/model.json").read_text("utf-8"))["classes"]

model = keras.saving.load_model("{model}/model.keras")
(probabilities,) = model.predict(pixels)
label = {label}
print(label, probabilities.max())
"""

LITERT = """\
import json
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

{pixels}
classes = json.loads(Path("{export}/model.json").read_text("utf-8"))["classes"]

model = Interpreter("{export}/{file}")
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], pixels)
model.invoke()
{outputs} = (model.get_tensor(one["index"])[0] for one in model.get_output_details())
label = {label}
print(label, probabilities.max())
"""

OPENED = """\
photo = ImageOps.exif_transpose(Image.open("photo.png"))
if photo.mode.startswith("I;16"):  # 16 bits, which Pillow would clip and not scale
    photo = Image.fromarray(((np.asarray(photo).astype(np.uint32) + 128) // 257).astype(np.uint8))
photo = photo.convert("RGBA")
photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
"""
GRAY = """\
photo = Image.fromarray(cv2.cvtColor(np.asarray(photo), cv2.COLOR_RGB2GRAY))
"""
ALIKE = """\
gray = cv2.cvtColor(np.asarray(photo), cv2.COLOR_RGB2GRAY)
border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
photo = Image.fromarray(gray if np.median(border) {is_ground} else 255 - gray)  # {ground} ground
"""
"""Of images that show a thing on plain ground; what is cut out and centred must be so already."""
FITTED = {
    "stretch": "inside = ({width}, {height})\n",
    "crop": """\
side = min(photo.size)
left, top = ((size - side) // 2 for size in photo.size)
photo = photo.crop((left, top, left + side, top + side))  # its middle
inside = ({width}, {height})
""",
    "pad": "inside = [max(1, round(size * ({side} / max(photo.size)))) for size in photo.size]\n",
}
RESIZED = """\
pixels, to = np.asarray(photo), [min(sizes) for sizes in zip(photo.size, inside)]
{fours}pixels = cv2.resize(pixels, to, interpolation={shrinking})
pixels = cv2.resize(pixels, inside, interpolation={growing})
"""
FOURS = """\
shrunk = list(zip(photo.size, to))
if any(size % to for size, to in shrunk) and all(2 * to <= size <= 4 * to for size, to in shrunk):
    pixels = cv2.resize(pixels, [2 * size for size in to])  # four points stand for an area
"""
"""Of colours, with the interpolation area."""
BORDERED = """\
left, top = (({side} - size) // 2 for size in inside)
right, bottom = {side} - inside[0] - left, {side} - inside[1] - top
pixels = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT)  # black
"""
SHRINKING = {
    "area": "cv2.INTER_AREA",
    "cubic": "cv2.INTER_CUBIC",
    "lanczos": "cv2.INTER_LANCZOS4",
    "linear": "cv2.INTER_LINEAR",
    "nearest": "cv2.INTER_NEAREST_EXACT",
}
GROWING = SHRINKING | {"area": "cv2.INTER_LINEAR"}


def of(card: Mapping[str, Any]) -> dict[str, str]:
    """Return Python code for an image file, photo.png, by what it needs to be installed.

    `imago` converts an image to the last bit as the training images were; the others do but for a
    large JPEG, which it decodes at a smaller scale. bench.outside measures it.
    """
    limits = card.get("unsure") or {"probability": None, "distance": None}
    values = {
        "pixels": _pixels(card).rstrip("\n"),
        "export": paths.export(card["experiment"]).as_posix(),
        "model": paths.model(card["experiment"]).as_posix(),
        "outputs": "probabilities, *_" if limits["distance"] is None else "probabilities, distance",
    }
    best = "classes[probabilities.argmax()]"
    improbable = _limit("probabilities.max() <", limits["probability"])
    unlike = _limit("distance >", limits["distance"])
    own = '"unsure" if prediction.unsure else prediction.label'
    found = {
        "imago": IMAGO.format(**values, label=own if improbable or unlike else "prediction.label"),
        "Keras": KERAS.format(**values, label=_label(best, improbable)),
    }
    if "litert" in card["exports"]:
        values["file"] = card["exports"]["litert"]["file"]
        found["LiteRT"] = LITERT.format(**values, label=_label(best, improbable, unlike))
    return found


def _pixels(card: Mapping[str, Any]) -> str:
    """Return the code that brings a photo to the model's pixels."""
    height, width, channels = card["data"]["image_shape"]
    given = card["input"]
    fit, interpolation, framing = given["fit"], given["interpolation"], given.get("framing")
    values = {"side": max(height, width), "height": height, "width": width}
    code = OPENED
    if framing:
        is_ground = "< 128" if framing["ground"] == "dark" else ">= 128"
        code += ALIKE.format(is_ground=is_ground, ground=framing["ground"])
    elif channels == 1:
        code += GRAY
    code += FITTED[fit].format(**values)
    code += RESIZED.format(
        fours=FOURS if interpolation == "area" and channels == 3 else "",
        shrinking=SHRINKING[interpolation],
        growing=GROWING[interpolation],
    )
    code += BORDERED.format(**values) if fit == "pad" else ""
    return f"{code}pixels = pixels.reshape(1, {height}, {width}, {channels})\n"


def _limit(rule: str, limit: float | None) -> str:
    return "" if limit is None else f"{rule} {limit!r}"


def _label(best: str, *rules: str) -> str:
    unsure = " or ".join(filter(None, rules))
    return f'"unsure" if {unsure} else {best}' if unsure else best
