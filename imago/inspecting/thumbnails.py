"""Small pictures that a page holds in its own text."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX, QUALITY = 96, 75
"""The longer side, at most, and that of JPEG: some 3 kB each."""


def data_uri(image: NDArray[np.uint8]) -> str:
    """Encode an image, (H, W, C) uint8, 0-255, C is 1 or 3, RGB, for the `src` of an img."""
    height, width, channels = image.shape
    scale = min(1.0, SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], channels)
    bgr = np.ascontiguousarray(small[..., ::-1])
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"
