"""Write an experiment's report: a page that opens anywhere, and the model card as JSON.

Reads   metrics/<experiment>.json, reports/<experiment>, exports/<experiment>, data/<pixels>,
        data/<input>, params.yaml
Writes  reports/<experiment>/index.html, reports/cards/<experiment>.json
"""

import logging

from imago import params
from imago.core import files, paths, stage
from imago.reports import card, embedding, material, page

SECTIONS = {"input", "pixels", "train"}
"""Of an experiment: what its results depend on, and nothing else, beside its exports."""

log = logging.getLogger("imago.stages.report")


def main(experiment: str) -> None:
    """Gather what the stages have made of the experiment, and write it for people."""
    settings = params.load()
    chosen = params.pick(settings.experiments, "experiment", experiment)
    asked = chosen.model_dump(mode="json", exclude_unset=True, include=SECTIONS)
    exports = settings.exports[chosen.export].model_dump(mode="json", exclude_none=True)
    found = material.read(experiment, {"seed": settings.seed, **asked, "export": exports})

    told = card.make(found, card.versions())
    drawn = embedding.embed(found.captions, paths.figures(experiment))
    html = page.render(told, drawn, found.classification_report)
    files.write_json(paths.card(experiment), told)
    files.write_text(paths.page(experiment), html)
    log.info("%s: %s, %.0f kB", experiment, paths.page(experiment), len(html) / 1000)


if __name__ == "__main__":
    stage.run(main, __doc__)
