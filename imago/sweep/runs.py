"""The trials of a search as experiments of DVC, on top of the commit that is checked out."""

import re
from collections.abc import Mapping
from pathlib import Path

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
    commit = git.head()
    if changed := git.changed():
        names = ", ".join(changed[:CHANGES_SHOWN])
        message = f"files must be committed for trials to stand on them, got changes of {names}"
        raise SweepError(message)
    return commit


def queue(experiment: str, wanted: Mapping[str, Trial]) -> None:
    """Put trials that are not there yet into DVC's queue; each trains, and is not tested.

    Raises:
        DvcError: DVC failed.
        SweepError: DVC's queue would stand still.
    """
    with dvc.project() as repo, dvc.one_line():
        _require_ascii(Path(repo.root_dir), Path(repo.cache.local_cache_dir))
        tasks = repo.experiments.celery_queue.status()
        running = [task["name"] for task in tasks if task["status"] == "Running"]
        is_lost = bool(running) and not repo.experiments.celery_queue.worker_status()
    if is_lost:  # with the machine, or by a kill; DVC would wait for them for ever
        dvc.run("queue", "kill", "--force", *running)
        dvc.run("queue", "remove", *running)
        running = []
    waiting = {*running, *(task["name"] for task in tasks if task["status"] == "Queued")}
    before = there = paths.PARAMS.read_bytes().decode()  # with its line ends
    try:
        # DVC takes what is in the working tree. Its own --set-param knows no name that begins with
        # a digit, and writes the whole file anew.
        for name in [name for name in wanted if name not in waiting]:
            _require_unchanged(there)
            there = trials.put_into(before, experiment, wanted[name])
            files.write_text(paths.PARAMS, there)
            dvc.run("exp", "run", "--quiet", "--queue", "--name", name, f"train@{experiment}")
            _require_unchanged(there)
    finally:
        if paths.PARAMS.read_bytes().decode() == there:
            files.write_text(paths.PARAMS, before)


def _require_unchanged(text: str) -> None:
    """Raise SweepError where params.yaml is not as it was left, which DVC takes into trials."""
    if paths.PARAMS.read_bytes().decode() != text:
        message = (
            f"{paths.PARAMS} was changed while trials were put into DVC's queue, and stays so, "
            "with the values of a trial in it; correct it, clear the queue with `dvc queue remove "
            "--all`, and begin again"
        )
        raise SweepError(message)


def _require_ascii(project: Path, cache: Path) -> None:
    """Raise SweepError for what DVC's queue copies as ASCII, failing which it waits for ever."""
    git_config, dvc_config = project / ".git/config", project / ".dvc/config.local"
    for what, text, remedy in (
        ("the path of the DVC cache", str(cache), "move the project"),
        (".git/config", _text(git_config), "write with `git config --global` what is not"),
        (".dvc/config.local", _text(dvc_config), "write into .dvc/config what is not"),
    ):
        if found := re.search(r"\S*[^\x00-\x7f]\S*", text):
            shown = text if text == str(cache) else found[0]
            message = f"{what} must be ASCII for DVC's queue, got {shown}; {remedy}"
            raise SweepError(message)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


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
        if git.differs(revision, str(paths.PARAMS), str(paths.LOCK)):
            message = f"dvc {' '.join(command)}: {error}"
            raise DvcError(message) from error
    files.write_text(paths.PARAMS, trials.put_into(before, experiment, trial))
