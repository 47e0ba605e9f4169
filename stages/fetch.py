"""Fetch the files of a data set from the first source that has them, verified by sha256.

Reads   params.yaml, the sources that it names, the environment variable IMAGO_MIRROR
Writes  data/raw/<data set>
"""

from imago import params
from imago.core import paths, stage
from imago.sources import fetching


def main(dataset: str) -> None:
    """Fill data/raw/<dataset> with exactly the files that params.yaml names."""
    settings = params.pick(params.load().datasets, "data set", dataset)
    section = f"datasets.{dataset}"
    fetching.fill(paths.raw(dataset), section, settings.files, settings.sources, settings.limits)


if __name__ == "__main__":
    stage.run(main, __doc__)
