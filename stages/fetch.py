"""Fetch the files of a data set from the first source that has them, verified by sha256.

Reads   params.yaml, the sources that it names, the environment variable IMAGO_MIRROR
Writes  data/raw/<data set>
"""

import os

from imago import command, files, params, paths
from imago.sources import fetching, kinds, store


def main(dataset: str) -> None:
    """Fill data/raw/<dataset> with exactly the files that params.yaml names."""
    settings = params.pick(params.load().datasets, "data set", dataset)
    mirror = os.environ.get(kinds.MIRROR_VARIABLE)

    fetching.fetch(dataset, settings.files, kinds.in_order(dataset, settings.sources, mirror))

    with files.replacing(paths.raw(dataset)) as folder:
        folder.mkdir()
        for name, digest in settings.files.items():
            store.place(digest, folder / name)


if __name__ == "__main__":
    command.run(main, __doc__)
