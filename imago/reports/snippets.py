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
{fitted}pixels = cv2.resize(np.asarray(photo), ({width}, {height}), interpolation={interpolation})
pixels = pixels.reshape(1, {height}, {width}, {channels})
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
{fitted}pixels = cv2.resize(np.asarray(photo), ({width}, {height}), interpolation={interpolation})
pixels = pixels.reshape(1, {height}, {width}, {channels})
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
    "crop": "photo = ImageOps.fit(photo, (min(photo.size),) * 2)  # its middle\n",
    "pad": "photo = ImageOps.pad(photo, (max(photo.size),) * 2)  # black borders\n",
}
INTERPOLATION = {
    "area": "cv2.INTER_AREA if min(photo.size) >= {side} else cv2.INTER_LINEAR",
    "cubic": "cv2.INTER_CUBIC",
    "lanczos": "cv2.INTER_LANCZOS4",
    "linear": "cv2.INTER_LINEAR",
    "nearest": "cv2.INTER_NEAREST_EXACT",
}


def of(card: Mapping[str, Any]) -> dict[str, str]:
    """Return Python code for an image file, photo.png, by what it needs to be installed.

    `imago` converts an image to the last bit as the training images were; the others nearly so: of
    1,000 photos of cats and dogs all got the same label, and 996 a probability within 0.02.
    """
    height, width, channels = card["data"]["image_shape"]
    interpolation = INTERPOLATION[card["input"]["interpolation"]]
    values = {
        "fitted": FITTED[card["input"]["fit"]],
        "interpolation": interpolation.format(side=max(height, width)),
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
