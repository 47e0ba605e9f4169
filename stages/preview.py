"""Draw some training images of a variant, with their augmented copies below.

A stage of its own, so that no training waits for it or depends on how the figure looks.

Reads   data/prepared/<variant>, params.yaml
Writes  reports/variants/<variant>.png
"""

from imago import params
from imago.core import paths, stage
from imago.data import arrays
from imago.drawing import augmented, canvas


def main(name: str) -> None:
    """Draw the preview of the variant `name`."""
    params.pick(params.load().prepare, "variant", name)
    folder = paths.prepared(name)
    info, train = arrays.read_info(folder), arrays.read_split(folder, "train")
    originals, copies, labels = augmented.sample(train, info.views, len(info.classes))
    names = [info.classes[label] for label in labels]
    canvas.write(paths.preview(name), augmented.preview(originals, copies, names))


if __name__ == "__main__":
    stage.run(main, __doc__)
