"""Draw an experiment's data, training, answers and mistakes.

A stage of its own, so that no training or scoring depends on how a figure looks.

Reads   predictions/<experiment>.parquet, data/<pixels>, models/<experiment>, params.yaml,
        reports/<experiment>/: history.csv, confusion.csv, per_class.csv, reliability.csv
Writes  reports/<experiment>/figures, reports/<experiment>/captions.json
"""

import matplotlib as mpl

from imago import figures, params
from imago.core import files, paths, registry, stage
from imago.drawing import canvas
from imago.figures._subject import Subject

PARTS = ("draw", "TITLE", "CAPTION", "SECTION", "PLACE")
"""Of a figure, see imago.figures."""


def main(experiment: str) -> None:
    """Draw every figure for which there is something to show."""
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    subject = Subject(experiment=experiment, settings=chosen, seed=settings.seed)
    known = {name: registry.load(figures, name, *PARTS) for name in registry.names(figures)}
    captions = {}
    mpl.rcdefaults()  # so that nobody's matplotlibrc changes a figure
    with files.replacing(paths.figures(experiment)) as folder:
        folder.mkdir()
        for name, module in sorted(known.items(), key=lambda item: item[1].PLACE):
            figure = module.draw(subject)
            if figure is not None:
                canvas.write(folder / f"{name}.png", figure)
                captions[name] = {
                    "title": module.TITLE,
                    "caption": module.CAPTION,
                    "section": module.SECTION,
                }
    files.write_json(paths.captions(experiment), captions)


if __name__ == "__main__":
    stage.run(main, __doc__)
