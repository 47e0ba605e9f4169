"""Compute a frozen backbone's features of a variant's training and validation images.

The test split is left to the stage that evaluates: the finished model takes its pixels.

Reads   data/prepared/<variant>, data/weights/<weights>, params.yaml: features.<name>
Writes  data/features/<name>, with the backbone itself, backbone.keras
"""

import logging
import time
from pathlib import Path
from typing import Literal

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import keras

from imago import backbones, params
from imago.core import paths, progress, registry, stage
from imago.core.errors import DataError
from imago.data import arrays, provenance, raw
from imago.runtimes import determinism, inference, saving

SPLITS: tuple[arrays.SplitName, ...] = ("train", "validation")

log = logging.getLogger("imago.stages.embed")


def main(name: str) -> None:
    """Embed the variant that params.yaml names under features.<name>.

    Raises:
        DataError: The variant or the weights are missing or damaged.
        ParamsError: params.yaml breaks a rule, or the backbone cannot take the variant's images.
    """
    whole = params.load()
    settings = params.pick(whole.features, "features", name)
    source = paths.prepared(settings.variant)
    info = arrays.read_info(source)
    arrays.verify(source, *SPLITS)
    splits = {split: arrays.read_split(source, split) for split in SPLITS if split in info.splits}
    image_shape = splits["train"].images.shape[1:]
    raw.verify(paths.weights(settings.weights), whole.weights[settings.weights].files)
    weights = _weights(paths.weights(settings.weights))

    determinism.enable()
    family = registry.load(backbones, registry.offers(backbones)[settings.backbone])
    model = frozen(family.build(settings.backbone, image_shape, weights), settings.pooling)
    runtime = inference.Runtime.of(model)
    total = sum(len(split.labels) for split in splits.values())
    start_s = time.monotonic()
    with arrays.writing(
        paths.features(name), info.classes, model.output_shape[1:], info.views
    ) as writer:
        with progress.bar(f"{name}: features", total, "images") as advance:
            for split, data in splits.items():
                writer.add(split, data.labels, runtime.outputs(data.images, advance))
        per_second = total / (time.monotonic() - start_s)
        saving.write_model(writer.folder / "backbone.keras", model)
        asked = {"name": name} | settings.model_dump(exclude_unset=True)
        provenance.carry(source, writer.folder, features=asked)
    (length,) = model.output_shape[1:]
    log.info(
        "%s: %s features of each of %s images, %.0f images a second",
        *(name, f"{length:,}", f"{total:,}", per_second),
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


def _weights(folder: Path) -> Path:
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
