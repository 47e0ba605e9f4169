"""The trials of a search as experiments of DVC, on top of the commit that is checked out."""

from collections.abc import Mapping

from imago.core import files, paths
from imago.core.errors import DvcError, SweepError
from imago.project import dvc, git
from imago.sweep import trials
from imago.sweep.space import Trial

CHANGES_SHOWN = 5


def require_commit() -> str:
    """Return the commit that is checked out, on which the trials stand.

    Raises:
        SweepError: Files that git tracks differ from it.
        GitError: There is no commit.
    """
    if changed := git.changed():
        names = ", ".join(changed[:CHANGES_SHOWN])
        message = f"files must be committed for trials to stand on them, got changes of {names}"
        raise SweepError(message)
    return git.head()


def queue(experiment: str, wanted: Mapping[str, Trial]) -> None:
    """Put trials that are not there yet into DVC's queue; each trains, and is not tested.

    Raises:
        DvcError: DVC failed.
    """
    with dvc.project() as repo, dvc.one_line():
        tasks = repo.experiments.celery_queue.status()
    waiting = {task["name"] for task in tasks if task["status"] in ("Queued", "Running")}
    for name, trial in wanted.items():
        if name not in waiting:
            queued = ["exp", "run", "--quiet", "--queue", "--name", name]
            values = trials.assignments(experiment, trial)
            options = [word for value in values for word in ("--set-param", value)]
            dvc.run(*queued, *options, f"train@{experiment}")


def run_queue(jobs: int) -> None:
    """Run all that is in the queue, `jobs` at a time, printing what the trainings print."""
    dvc.run("exp", "run", "--run-all", "--jobs", str(jobs))


def history(experiment: str, name: str, revision: str) -> str:
    """Return the text of a trial's history.csv. Raises SweepError if it has none."""
    path = paths.report(experiment) / "history.csv"
    content = git.read(revision, path.as_posix())
    if content is None:
        message = f"{name}: must have {path}, got none; dvc exp remove {name} forgets the trial"
        raise SweepError(message)
    return content.decode()


def apply(experiment: str, trial: Trial, revision: str) -> None:
    """Put a trial into the working tree.

    Raises:
        DvcError: DVC failed.
    """
    before = paths.PARAMS.read_bytes().decode()  # with its line ends
    command = ("exp", "apply", trials.name(experiment, trial))
    try:
        dvc.run_silently(*command)
    except DvcError as error:
        # DVC also fails over the artifacts of other experiments that have never run here.
        if git.differs(revision, str(paths.PARAMS), "dvc.lock"):
            message = f"dvc {' '.join(command)}: {error}"
            raise DvcError(message) from error
    files.write_text(paths.PARAMS, trials.put_into(before, experiment, trial))
