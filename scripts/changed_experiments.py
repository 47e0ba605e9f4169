"""Print the experiments that a comparison with a revision has to run, one a line.

    python scripts/changed_experiments.py BASE

Those that are new, those whose predictions are not the base's by dvc.lock, and those whose
evaluation would run again.
"""

import sys

from imago.core.errors import ImagoError
from imago.gate.revisions import Commit, Revision, WorkingTree
from imago.project import check
from imago.project.stores import Storage


def main(commit: str) -> None:
    """Print their names."""
    storage = Storage()
    base, here = Revision(Commit(commit, commit), storage), Revision(WorkingTree(), storage)
    found = check.staleness()
    stale = {*found.reasons, *found.followers}
    for name in here.params.experiments:
        if (
            name not in base.params.experiments
            or here.predictions_md5(name) != base.predictions_md5(name)
            or f"evaluate@{name}" in stale
        ):
            print(name)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ImagoError as error:
        sys.exit(f"ci.sh: {error}")
