"""Zips of tiny photos, for the tests of what reads them."""

import zipfile

import cv2
import numpy as np


def picture(number, height=24, width=32):
    """A picture unlike those of other numbers: (height, width, 3) uint8, RGB."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encoded(image, suffix=".png"):
    """The bytes of an image file; PNG keeps the pixels as they are."""
    return cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def photo(number, suffix=".png"):
    """The bytes of the picture of this number."""
    return encoded(picture(number), suffix)


def write(path, contents):
    """Write a zip: path within it: bytes. Gives its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path
