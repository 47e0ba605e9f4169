"""What a trial is called, and what it makes of params.yaml."""

import copy
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from imago import params
from imago.core import paths, sections, strict_yaml
from imago.core.errors import ParamsError, SweepError
from imago.project import yaml_text
from imago.sweep.space import Trial


def name(experiment: str, trial: Trial) -> str:
    """Name a trial by what it tries, so that a search that is repeated finds those it has."""
    digest = hashlib.sha256(json.dumps(trial, sort_keys=True).encode()).hexdigest()
    return f"{experiment}-{digest[:7]}"


def describe(trial: Trial) -> str:
    """Write a trial in one line."""
    return ", ".join(f"{key}={value}" for key, value in trial.items())


def trainings(experiment: str, trials: Sequence[Trial]) -> list[sections.Train]:
    """Read the section `train` of the experiment as params.yaml would have it in each trial.

    Raises:
        SweepError: A key or value is not allowed; the message says in which trial.
    """
    raw = strict_yaml.read(paths.PARAMS.read_text("utf-8"))
    found = []
    for trial in trials:
        changed = copy.deepcopy(raw)
        for key, value in _by_full_key(experiment, trial).items():
            _set(changed, key, value)
        try:
            checked = params.check(changed, describe(trial))
        except ParamsError as error:
            raise SweepError(str(error)) from error
        found.append(checked.experiments[experiment].train)
    return found


def put_into(text: str, experiment: str, trial: Trial) -> str:
    """Change the values that were tried in the text of params.yaml, and no other line."""
    for key, value in _by_full_key(experiment, trial).items():
        try:
            text = yaml_text.put(text, key.split("."), value)
        except ValueError as error:
            raise SweepError(str(error)) from error
    return text


def says(text: str, experiment: str, trial: Trial) -> bool:
    """Tell whether the text of a params.yaml has the values of a trial."""
    try:
        return put_into(text, experiment, trial) == text
    except SweepError:
        return False


def _by_full_key(experiment: str, trial: Trial) -> Trial:
    """Return the values of a trial by their keys from the root of params.yaml on."""
    return {f"experiments.{experiment}.train.{key}": value for key, value in trial.items()}


def _set(section: Any, key: str, value: Any) -> None:
    """Put a value into nested sections. Raises SweepError where one of them is none."""
    *parts, last = key.split(".")
    for part in parts:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            message = f"{key}: must be a key of params.yaml, and {part} holds {section!r}"
            raise SweepError(message)
    section[last] = value
