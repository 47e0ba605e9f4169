"""Bring a data set to one size and colour, split it, augment it, and measure the pixels.

Reads   data/extracted/<dataset>, params.yaml: seed, prepare.<variant>
Writes  data/prepared/<variant>
"""

import functools
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths, progress, stage
from imago.core.sections import Prepare
from imago.data import arrays, index, provenance
from imago.images import augment, forms
from imago.photos import packs
from imago.preparing import conversion, splits, views

logger = logging.getLogger("imago.stages.prepare")


def main(name: str) -> None:
    """Prepare the variant `name`.

    Only training images are augmented. The statistics are those of the training images as they
    are written, with their augmented copies.

    Raises:
        DataError: The extracted data are missing or damaged, or a class is too small to split.
        ParamsError: params.yaml breaks a rule or has no such variant.
    """
    settings = params.load()
    variant = params.pick(settings.prepare, "variant", name)
    source, target = paths.extracted(variant.dataset), paths.prepared(name)
    info = arrays.read_info(source)
    arrays.verify(source, *info.splits)
    labels = {split: arrays.read_labels(source, split) for split in info.splits}
    chosen = splits.draw(labels, info.classes, variant, settings.seed)
    form, copies = conversion.form(variant), variant.views or 0
    totals = conversion.Totals(form.shape[-1])

    with arrays.writing(target, info.classes, form.shape, copies) as writer:
        for split, (origin, rows) in chosen.items():
            blocks = _converted(source, origin, rows, form)
            if split == "train":
                blocks = totals.over(_augmented(blocks, variant, settings.seed))
                writer.add(split, np.repeat(labels[origin][rows], 1 + copies), blocks)
            else:
                writer.add(split, labels[origin][rows], blocks)
        tested = chosen["test"]
        originals = packs.read_images(source, tested.source)
        writer.identify("test", packs.identities(originals, tested.rows))
        writer.statistics = totals.statistics()
        asked = {"name": name, "seed": settings.seed} | variant.model_dump(exclude_unset=True)
        provenance.carry(source, writer.folder, prepare=asked)
        index.carry(source, writer.folder, chosen, copies)
    logger.info("%s: %s", name, writer.info.summary())


def _converted(
    source: Path, split: arrays.SplitName, rows: NDArray[np.intp], form: forms.Form
) -> Iterator[NDArray[np.uint8]]:
    with progress.bar(f"prepare {split}", len(rows), "images") as advance:
        images = packs.read_images(source, split, form.shrinking)
        blocks = conversion.converted(images, rows, form)
        yield from progress.counted(blocks, advance)


def _augmented(
    blocks: Iterator[NDArray[np.uint8]], variant: Prepare, seed: int
) -> Iterator[NDArray[np.uint8]]:
    if variant.augment is None or variant.views is None:
        return blocks
    draw = functools.partial(augment.draw, variant.augment, generator=np.random.default_rng(seed))
    return views.interleaved(blocks, variant.views, draw)


if __name__ == "__main__":
    stage.run(main, __doc__)
