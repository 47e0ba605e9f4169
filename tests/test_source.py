import numpy as np

from imago.exports import source
from imago.runtimes.model_json import ExportDescription

VARIANT = {
    "dataset": "d",
    "image_size_px": 9,
    "color": "rgb",
    "fit": "crop",
    "interpolation": "area",
}


def test_describe():
    images = np.zeros((3, 9, 9, 3), np.uint8)
    assert source.describe("birds", ("robin", "tit"), VARIANT, images) == ExportDescription(
        experiment="birds",
        classes=("robin", "tit"),
        input={
            "name": "pixels",
            "shape": [None, 9, 9, 3],
            "dtype": "uint8",
            "range": [0, 255],
            "color": "rgb",
            "fit": "crop",
            "interpolation": "area",
            "framing": None,
        },
        output={"name": "probabilities", "shape": [None, 2], "dtype": "float32"},
        formats={},
    )


def test_framing_is_described_for_gray_images_on_plain_ground():
    images = np.zeros((3, 9, 9, 1), np.uint8)
    images[:, 3:6, 2:5] = 200
    described = source.describe("d", ("0", "1"), VARIANT | {"color": "grayscale"}, images)
    assert described.input["framing"] == {
        "ground": "dark",
        "longest_side": 0.333,
        "center": "box",
        "at": (0.5, 0.389),
    }
