"""The trials of a search as experiments of DVC, on top of the commit that is checked out."""

import copy
import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from dvc.repo import Repo
from ruamel.yaml import YAML

from imago import params
from imago.core import files, paths, sections, strict_yaml
from imago.core.errors import ParamsError, SearchError
from imago.sweep.space import Trial

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def name(experiment: str, trial: Trial) -> str:
    """Name a trial by what it tries, so that a search that is repeated finds those it has."""
    digest = hashlib.sha256(json.dumps(trial, sort_keys=True).encode()).hexdigest()
    return f"{experiment}-{digest[:7]}"


def recipes(experiment: str, trials: Sequence[Trial]) -> list[sections.Train]:
    """Read the section `train` of the experiment as params.yaml would have it in each trial.

    Raises:
        SearchError: A key or value is not allowed; the message says in which trial.
    """
    raw = strict_yaml.read(paths.PARAMS.read_text("utf-8"))
    found = []
    for trial in trials:
        changed = copy.deepcopy(raw)
        for key, value in trial.items():
            _set(changed, _full(experiment, key), value)
        plain = json.loads(json.dumps(changed))  # so that no part is written as an anchor
        try:
            checked = params.parse(yaml.safe_dump(plain), describe(trial))
        except ParamsError as error:
            raise SearchError(str(error)) from error
        found.append(checked.experiments[experiment].train)
    return found


def describe(trial: Trial) -> str:
    """Write a trial in one line."""
    return ", ".join(f"{key}={value}" for key, value in trial.items())


def require_commit() -> str:
    """Return the commit that is checked out, on which the trials stand.

    Raises:
        SearchError: Files that git tracks differ from it, or there is no commit.
    """
    if changed := _git("status", "--porcelain", "--untracked-files=no").splitlines():
        names = ", ".join(line[3:] for line in changed[:5])
        message = f"files must be committed for trials to stand on them, got changes of {names}"
        raise SearchError(message)
    return _git("rev-parse", "HEAD").strip()


def finished(commit: str) -> dict[str, str]:
    """Return the revisions of the experiments that stand on a commit, by their names."""
    refs = f"refs/exps/{commit[:2]}/{commit[2:]}/"
    lines = _git("for-each-ref", "--format=%(objectname) %(refname)", refs).splitlines()
    return {ref.removeprefix(refs): revision for revision, ref in map(str.split, lines)}


def queue(experiment: str, trials: Sequence[Trial]) -> None:
    """Put trials that are not there yet into DVC's queue; each trains, and is not tested.

    Raises:
        SearchError: DVC failed.
    """
    with Repo() as repo:
        tasks = repo.experiments.celery_queue.status()
    waiting = {task["name"] for task in tasks if task["status"] in ("Queued", "Running")}
    raw = strict_yaml.read(paths.PARAMS.read_text("utf-8"))
    for trial in trials:
        called = name(experiment, trial)
        if called not in waiting:
            full = {_full(experiment, key): value for key, value in trial.items()}
            values = [f"{_sign(raw, key)}{key}={written(full[key])}" for key in full]
            options = [word for value in values for word in ("--set-param", value)]
            queued = ["exp", "run", "--quiet", "--queue", "--name", called]
            dvc(*queued, *options, f"train@{experiment}")


def run_queue(jobs: int) -> None:
    """Run all that is in the queue, `jobs` at a time, printing what the trainings print."""
    dvc("exp", "run", "--run-all", "--jobs", str(jobs))


def apply(experiment: str, trial: Trial, revision: str) -> None:
    """Put a trial into the working tree.

    Raises:
        SearchError: DVC failed.
    """
    before = paths.PARAMS.read_text("utf-8")
    command = [sys.executable, "-m", "dvc", "exp", "apply", name(experiment, trial)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    # DVC also fails over the artifacts of other experiments that have never run here.
    kept = (str(paths.PARAMS), "dvc.lock")
    if found.returncode and _git("diff", "--name-only", revision, "--", *kept):
        message = f"{' '.join(command[2:])}: {found.stderr.strip()}"
        raise SearchError(message)
    full = {_full(experiment, key): value for key, value in trial.items()}
    files.write_text(paths.PARAMS, edited(before, full))


def edited(text: str, values: Mapping[str, Any]) -> str:
    """Change values in the text of params.yaml, which otherwise stays as it is.

    DVC, where it changes a value, writes the lists and sections of the whole file anew.
    """
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 1000
    editor.indent(mapping=2, sequence=4, offset=2)
    content = editor.load(text)
    for key, value in values.items():
        plain = yaml.safe_dump(value, default_flow_style=True, width=1000)
        _set(content, key, editor.load(plain) if isinstance(value, dict | list) else value)
    out = io.StringIO()
    editor.dump(content, out)
    return out.getvalue()


def dvc(*arguments: str) -> None:
    """Run a dvc command. Raises SearchError if it fails."""
    if subprocess.run([sys.executable, "-m", "dvc", *arguments], check=False).returncode:
        message = f"dvc {' '.join(arguments)} failed; its error is above"
        raise SearchError(message)


def read(revision: str, path: str) -> str:
    """Return the text of a file of a revision. Raises SearchError if it has none."""
    return _git("show", f"{revision}:./{path}")


def _set(section: Any, key: str, value: Any) -> None:
    """Put a value into nested sections. Raises SearchError where one of them is none."""
    *parts, last = key.split(".")
    for part in parts:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            message = f"{key}: must be a key of params.yaml, and {part} holds {section!r}"
            raise SearchError(message)
    section[last] = value


def _full(experiment: str, key: str) -> str:
    return f"experiments.{experiment}.train.{key}"


def _sign(raw: object, key: str) -> str:
    """Return the sign with which DVC adds a key that params.yaml has not yet."""
    for part in key.split("."):
        if not isinstance(raw, dict) or part not in raw:
            return "+"
        raw = raw[part]
    return ""


def written(value: object) -> str:
    """Write a value as `dvc exp run --set-param` reads it."""
    match value:
        case dict():
            return "{" + ",".join(f"{key}:{written(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case str() if _PLAIN.fullmatch(value):
            return value
        case _:
            return json.dumps(value)


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if found.returncode:
        message = f"git {' '.join(arguments)}: {found.stderr.strip()}"
        raise SearchError(message)
    return found.stdout
