"""Write the page over all experiments that have a report.

Reads   reports/cards
Writes  reports/index.html
"""

import logging

from imago import command, files, paths
from imago.reports import overview

log = logging.getLogger("imago.stages.overview")


def main() -> None:
    """Render the cards, in the order of their names."""
    cards = [files.read_json(path) for path in sorted(paths.cards().glob("*.json"))]
    files.write_text(paths.overview(), overview.render(cards))
    log.info("%s: %d experiments", paths.overview(), len(cards))


if __name__ == "__main__":
    command.run_alone(main, __doc__)
