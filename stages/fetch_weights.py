"""Fetch a backbone's published weights from the first source that has them.

Reads   params.yaml, the sources that it names, the environment variable IMAGO_MIRROR
Writes  data/weights/<name>
"""

from imago import params
from imago.core import paths, stage
from imago.sources import fetching


def main(name: str) -> None:
    """Fill data/weights/<name> with exactly the files that params.yaml names."""
    settings = params.pick(params.load().weights, "weights", name)
    section = f"weights.{name}"
    fetching.fill(paths.weights(name), section, settings.files, settings.sources, settings.limits)


if __name__ == "__main__":
    stage.run(main, __doc__)
