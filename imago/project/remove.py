"""An experiment taken out, with what it alone used and all that came of it.

Git keeps the entries, and DVC's cache and remote the artifacts until `dvc gc` deletes them.
"""

from dataclasses import dataclass
from pathlib import Path

from imago import params
from imago.core import files, paths
from imago.params import Params
from imago.project import dvc, lock, yaml_text
from imago.project.check import OVERVIEW

SHARED = ("exports",)
"""Sections whose entries say how, not what, and so stay for the next experiment."""


@dataclass(frozen=True)
class Removed:
    """What was removed.

    Attributes:
        entries: Of params.yaml, as section.name.
        artifacts: Files and folders that were there.
        decisions: Tables on photos that are no longer used, which stay.
    """

    entries: list[str]
    artifacts: list[Path]
    decisions: list[Path]


def experiment(name: str) -> Removed:
    """Remove an experiment. One that was stopped is done again, as params.yaml is written last.

    Raises:
        ParamsError: There is no such experiment, or params.yaml breaks a rule.
        DvcError, LockError: The project is broken.
    """
    settings = params.load()
    params.pick(settings.experiments, "experiment", name)
    dvc.require_idle()
    entries = _used_by_it_alone(settings, name)
    text = paths.PARAMS.read_bytes().decode()
    for section, entry in entries:
        text = yaml_text.remove(text, section, entry)
    params.parse(text, f"{paths.PARAMS} without {name}")  # before anything is gone
    stages = {f"{stage}@{entry}" for key, entry in entries for stage in dvc.stages_of(key)}
    outs = [out for stage, made in dvc.outs().items() if stage in stages for out in made]
    there = [out.path for out in outs if out.path.exists()]
    datasets = [entry for key, entry in entries if key == "datasets"]
    listings = [paths.listing(entry) for entry in datasets]
    for path in (*there, paths.report(name), *of_no_stage(name), *listings):
        files.remove(path)
    if known := lock.records(lock.read()):
        lock.write({stage: one for stage, one in known.items() if stage not in stages})
    files.write_text(paths.PARAMS, text)
    decisions = [path for path in map(paths.decisions, datasets) if path.exists()]
    return Removed([f"{section}.{entry}" for section, entry in entries], there, decisions)


def of_no_stage(name: str) -> list[Path]:
    """Return what DVC does not know of an experiment: states, times, TensorBoard's files."""
    return [paths.trainings(name), paths.latency(name), paths.tensorboard(name)]


def renew_overview() -> bool:
    """Write the overview without what was removed, if it was ever written. Raises DvcError."""
    is_known = OVERVIEW in lock.stages(lock.read())
    if is_known:
        dvc.run_silently("repro", "--single-item", OVERVIEW)
    return is_known


def _used_by_it_alone(settings: Params, name: str) -> list[tuple[str, str]]:
    """Return the sections and names of the entries to which no other experiment leads."""
    others = [settings.used_by(other) for other in settings.experiments if other != name]
    return [
        (section, entry)
        for section, some in settings.used_by(name).items()
        for entry in sorted(some)
        if section not in SHARED and not any(entry in other[section] for other in others)
    ]
