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

import keras
import numpy as np
from PIL import Image

photo = Image.open("photo.png").convert("{mode}").resize(({width}, {height}))
pixels = np.asarray(photo, np.uint8).reshape(1, {height}, {width}, {channels})
classes = json.loads(Path("{model}/model.json").read_text("utf-8"))["classes"]

model = keras.saving.load_model("{model}/model.keras")
(probabilities,) = model.predict(pixels)
print(classes[probabilities.argmax()], probabilities.max())
"""

LITERT = """\
import json
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

photo = Image.open("photo.png").convert("{mode}").resize(({width}, {height}))
pixels = np.asarray(photo, np.uint8).reshape(1, {height}, {width}, {channels})
classes = json.loads(Path("{export}/model.json").read_text("utf-8"))["classes"]

model = Interpreter("{export}/{file}")
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], pixels)
model.invoke()
(probabilities,) = model.get_tensor(model.get_output_details()[0]["index"])
print(classes[probabilities.argmax()], probabilities.max())
"""


def of(card: Mapping[str, Any]) -> dict[str, str]:
    """Return Python code for an image file, photo.png, by what it needs to be installed.

    `imago` converts an image to the last bit as the training images were; the others nearly so.
    """
    height, width, channels = card["data"]["image_shape"]
    values = {
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
