"""Write the page over all experiments that have a report, and tables for `dvc plots`.

Reads   reports/cards
Writes  reports/index.html, reports/accuracies.csv, reports/curves.csv
"""

import logging

from imago.core import files, paths, stage
from imago.reports import overview

log = logging.getLogger("imago.stages.overview")


def main() -> None:
    """Render the cards, in the order of their names."""
    cards = [files.read_json(path) for path in sorted(paths.cards().glob("*.json"))]
    files.write_text(paths.overview(), overview.render(cards))
    files.write_csv(paths.accuracies(), overview.accuracies(cards))
    files.write_csv(paths.curves(), overview.curves(cards))
    log.info("%s: %d experiments", paths.overview(), len(cards))


if __name__ == "__main__":
    stage.run_alone(main, __doc__)
