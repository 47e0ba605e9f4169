"""Check a data set's files and pack their images.

Reads   data/raw/<dataset>, params.yaml: datasets.<dataset>
Writes  data/extracted/<dataset>
"""

import logging

from imago import datasets, params
from imago.core import paths, registry, stage
from imago.data import arrays, provenance, raw

log = logging.getLogger("imago.stages.extract")


def main(name: str) -> None:
    """Extract the data set `name`.

    Raises:
        DataError: A raw file breaks a rule of its layout.
        ParamsError: params.yaml breaks a rule or has no such data set.
    """
    settings = params.pick(params.load().datasets, "data set", name)
    raw.verify(paths.raw(name), settings.files)
    layout = registry.load(datasets, f"{settings.layout}.layout", "extract")
    info: arrays.Info = layout.extract(settings, paths.raw(name), paths.extracted(name))
    provenance.write(paths.extracted(name), name, settings)
    log.info("%s: %s", name, info.summary())


if __name__ == "__main__":
    stage.run(main, __doc__)
