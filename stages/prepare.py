"""Give a data set one size and colour, hold out validation images, and measure the pixels.

Reads   data/extracted/<dataset>, params.yaml: seed, prepare.<variant>
Writes  data/prepared/<variant>
"""

import logging

from imago import arrays, command, images, params, paths, splits

logger = logging.getLogger("imago.stages.prepare")


def main(name: str) -> None:
    """Prepare the variant `name`.

    Every image is resized to the same square, those that are not square out of proportion. The
    statistics are those of the prepared training images alone, without the validation images.

    Raises:
        DataError: The extracted data are missing or damaged, or a class is too small to split.
        ParamsError: params.yaml breaks a rule or has no such variant.
    """
    settings = params.load()
    variant = params.pick(settings.prepare, "variant", name)
    source = paths.extracted(variant.dataset)
    classes = arrays.read_info(source).classes
    train, test = arrays.read_split(source, "train"), arrays.read_split(source, "test")

    rows, held_out = splits.stratified(
        train.labels, classes, variant.validation_fraction, settings.seed
    )
    shape = images.shape(variant.image_size_px, variant.color)
    with arrays.writing(paths.prepared(name), classes, shape) as writer:
        prepared = writer.add(
            "train", train.labels[rows], images.converted(train.images, rows, shape)
        )
        if len(held_out):
            writer.add(
                "validation",
                train.labels[held_out],
                images.converted(train.images, held_out, shape),
            )
        writer.add("test", test.labels, images.converted(test.images, None, shape))
        writer.statistics = images.statistics(prepared.images)
    logger.info("%s: %s", name, writer.info.summary())


if __name__ == "__main__":
    command.run(main, __doc__)
