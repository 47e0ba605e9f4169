"""Build a frozen backbone from published weights, for Keras and for LiteRT, and compare the two.

Whatever images it is to see later, so that all data sets of one image size share it.

Reads   data/weights/<weights>, params.yaml: backbones.<name>
Writes  data/backbones/<name>
"""

import logging
from pathlib import Path
from typing import Literal

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import keras

from imago import backbones, params
from imago.core import paths, registry, stage
from imago.core.errors import DataError
from imago.data import raw
from imago.runtimes import determinism, saving

log = logging.getLogger("imago.stages.backbone")


def main(name: str) -> None:
    """Build the backbone that params.yaml has under backbones.<name>.

    Raises:
        DataError: The weights are missing or damaged, or the two forms differ.
        ParamsError: params.yaml breaks a rule.
    """
    whole = params.load()
    settings = params.pick(whole.backbones, "backbone", name)
    folder = paths.weights(settings.weights)
    raw.verify(folder, whole.weights[settings.weights].files)
    weights = _only_file(folder)

    determinism.enable()
    side = settings.image_size_px
    family = registry.load(backbones, registry.offers(backbones)[settings.net], "build")
    model = frozen(family.build(settings.net, (side, side, 3), weights), settings.pooling)
    difference = saving.write_backbone(paths.backbone(name), model)
    (length,) = model.output_shape[1:]
    log.info(
        "%s: %s, %s features of an image; LiteRT's are Keras' to %.1g of the greatest",
        *(name, settings.net, f"{length:,}", difference),
    )


def frozen(net: keras.Model, pooling: Literal["average", "max"]) -> keras.Model:
    """Return a net that learns nothing, from pixels to features, (N, F) float32.

    Args:
        net: From pixels to maps.
        pooling: Over the positions of the maps.
    """
    layers = keras.layers
    pool = layers.GlobalAveragePooling2D if pooling == "average" else layers.GlobalMaxPooling2D
    model = keras.Model(net.input, pool(name="pooling")(net.output), name=net.name)
    model.trainable = False
    return model


def _only_file(folder: Path) -> Path:
    """Return the one file in a folder. Raises DataError where there is none, or more."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        message = (
            f"{folder}: must hold one file of weights, got {names}; run the stage that fetches "
            f"it, after naming one under weights.{folder.name}.files of params.yaml"
        )
        raise DataError(message)
    return found[0]


if __name__ == "__main__":
    stage.run(main, __doc__)
