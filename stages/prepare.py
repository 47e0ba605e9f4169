"""Bring a data set to one size and colour, split it, augment it, and measure the pixels.

Reads   data/extracted/<dataset>, params.yaml: seed, prepare.<variant>
Writes  data/prepared/<variant>
"""

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths, progress, stage
from imago.data import arrays, index, provenance, writing
from imago.data.rows import Rows
from imago.photos import decoding, packs
from imago.preparing import conversion, pieces, splits

log = logging.getLogger("imago.stages.prepare")


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
    form = conversion.form(variant)
    totals = conversion.Totals(form.shape[-1])

    asked = {"name": name, "seed": settings.seed} | variant.model_dump(exclude_unset=True)
    views, made_of = variant.views or 0, [info.digest, asked]
    opened = writing.splits(target, info.classes, form.shape, views, made_of)
    with decoding.quiet(), opened as writer:
        for split, (origin, rows) in chosen.items():
            is_train = split == "train"
            step = writer.info.step(split)
            images = Rows(packs.read_images(source, origin, form.shrinking), rows)
            changes = variant.augment if is_train else None
            whole = pieces.Piece(images, form, step - 1, changes, settings.seed)
            done = writer.finished(split, step * len(rows), whole.between)
            blocks = _counted(split, whole.between(len(done), step * len(rows)))
            if is_train:
                blocks = totals.over(blocks, arrays.blocks(done))
            writer.add(split, np.repeat(labels[origin][rows], step), blocks)
        tested = chosen["test"]
        originals = packs.read_images(source, tested.source)
        writer.identify("test", packs.identities(originals, tested.rows))
        writer.statistics = totals.statistics()
        provenance.carry(source, writer.folder, prepare=asked)
        index.carry(source, writer.folder, chosen, writer.info)
    log.info("%s: %s", name, writer.info.summary())


def _counted(split: arrays.SplitName, made: pieces.Cut) -> Iterator[NDArray[np.uint8]]:
    with progress.bar(f"prepare {split}", made.rows, "images") as advance:
        yield from progress.counted(made(), advance)


if __name__ == "__main__":
    stage.run(main, __doc__)
