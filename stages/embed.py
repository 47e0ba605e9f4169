"""Compute a frozen backbone's features of a variant's training and validation images.

The test split is left to the stage that evaluates: the finished model takes its pixels.

Reads   data/prepared/<variant>, data/backbones/<backbone>, params.yaml: features.<name>
Writes  data/features/<name>, with the backbone for the model that is to be made, backbone.keras
"""

import functools
import logging
import shutil
import time

import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths, progress, stage
from imago.data import arrays, provenance, unfinished, writing
from imago.data.rows import Rows
from imago.runtimes import calls, frozen, trained

SPLITS: tuple[arrays.SplitName, ...] = ("train", "validation")

log = logging.getLogger("imago.stages.embed")


def main(name: str) -> None:
    """Embed the variant that params.yaml names under features.<name>.

    Raises:
        DataError: The variant or the backbone is missing or damaged, or they do not fit.
        ParamsError: params.yaml breaks a rule.
    """
    whole = params.load()
    settings = params.pick(whole.features, "features", name)
    source = paths.prepared(settings.variant)
    info = arrays.read_info(source)
    arrays.verify(source, *SPLITS)
    splits = {split: arrays.read_split(source, split) for split in SPLITS if split in info.splits}
    folder = paths.backbone(settings.backbone)
    total = sum(len(split.labels) for split in splits.values())
    backbone = frozen.read(folder, splits["train"].images.shape[1:], total)

    asked = {"name": name} | settings.model_dump(exclude_unset=True)
    made_of = [info.digest, asked, backbone.elsewhere.sha256]
    shape = (backbone.features,)
    start_s = time.monotonic()
    with writing.splits(paths.features(name), info.classes, shape, info.views, made_of) as writer:
        with progress.bar(f"{name}: features", total, "images") as advance:
            for split, data in splits.items():
                between = functools.partial(_between, data.images, backbone.elsewhere)
                done = len(writer.finished(split, len(data.labels), between))
                advance(done)
                images = data.images[done:] if done else data.images
                outputs = backbone.runtime.outputs(images, advance, backbone.elsewhere)
                writer.add(split, data.labels, outputs)
        per_second = total / (time.monotonic() - start_s)
        shutil.copyfile(folder / trained.KERAS_FILE, writer.folder / frozen.COPY)
        made_by = whole.backbones[settings.backbone].model_dump(exclude_unset=True)
        provenance.carry(source, writer.folder, features=asked | made_by)
    log.info(
        "%s: %s features of each of %s images, %.0f images a second",
        *(name, f"{backbone.features:,}", f"{total:,}", per_second),
    )


def _between(
    images: NDArray[np.uint8], elsewhere: calls.Elsewhere, first: int, last: int
) -> unfinished.Make:
    return functools.partial(calls.outputs_of, elsewhere, Rows(images, np.arange(first, last)))


if __name__ == "__main__":
    stage.run(main, __doc__)
