"""The results of a project: of the experiments that have run, and which have not.

Metrics are those of metrics/, which git keeps; sizes of exports are those of reports/cards.
"""

from imago.core import files, paths
from imago.params import Params
from imago.reports import results
from imago.reports.results import Result
from imago.scoring import summary


def found(params: Params) -> tuple[list[Result], list[str]]:
    """Return the results in the order of their table, and the experiments that have none."""
    there = [name for name in params.experiments if paths.metrics(name).is_file()]
    absent = [name for name in params.experiments if name not in there]
    return results.ordered(_result(name, params) for name in there), absent


def _result(name: str, params: Params) -> Result:
    card = files.read_json(paths.card(name)) if paths.card(name).is_file() else {"exports": {}}
    return Result(
        experiment=name,
        dataset=params.prepare[params.experiments[name].variant].dataset,
        metrics=summary.read(paths.metrics(name)),
        export_bytes={kind: one["bytes"] for kind, one in card["exports"].items()},
    )
