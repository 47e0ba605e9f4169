"""Another name for an experiment, whose training and evaluation are taken over.

What has the name in it, its exports, page and card, is made again under the new one.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imago import params
from imago.core import files, paths
from imago.core.errors import ParamsError
from imago.project import dvc, lock, remove, yaml_text

TAKEN_OVER = ("train", "evaluate")
"""The stages whose artifacts do not have the name of the experiment in them."""


def experiment(old: str, new: str) -> list[str]:
    """Rename an experiment; its data set, variant and features keep their names.

    Returns:
        The stages that run for the new name.

    Raises:
        ParamsError: There is no such experiment, the new name is taken, or it cannot be one.
        DvcError, LockError: The project is broken.
    """
    settings = params.load()
    params.pick(settings.experiments, "experiment", old)
    dvc.require_idle()
    if new in settings.experiments:
        message = f"{paths.PARAMS}: experiments has an entry {new} already; choose another name"
        raise ParamsError(message)
    text = yaml_text.rename(paths.PARAMS.read_bytes().decode(), "experiments", old, new)
    params.parse(text)
    of_it = [f"{stage}@{old}" for stage in dvc.stages_of("experiments")]
    outs = {s: [out.path for out in made] for s, made in dvc.outs().items() if s in of_it}
    kept = [stage for stage in outs if stage.partition("@")[0] in TAKEN_OVER]
    moves = {path: _renamed(path, old, new) for stage in kept for path in outs[stage]}
    for path, target in moves.items():
        if path.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            files.remove(target)
            path.replace(target)
    gone = [path for stage in outs if stage not in kept for path in outs[stage]]
    for path in (*gone, paths.report(old), *remove.of_no_stage(old)):
        files.remove(path)
    if known := lock.records(lock.read()):
        lock.write(dict(_stages(known, of_it, old, new, moves)))
    files.write_text(paths.PARAMS, text)
    return [_name(stage, old, new) for stage in outs if stage not in kept]


def _stages(
    known: Mapping[str, Any], of_it: list[str], old: str, new: str, moves: Mapping[Path, Path]
) -> Iterator[tuple[str, Any]]:
    """Yield the recorded stages with the new name in those that are taken over, without others."""
    texts = {path.as_posix(): target.as_posix() for path, target in moves.items()}
    for stage, recorded in known.items():
        if stage not in of_it:
            yield stage, recorded
        elif stage.partition("@")[0] in TAKEN_OVER:
            yield _name(stage, old, new), _with_name(recorded, old, new, texts)


def _with_name(recorded: Any, old: str, new: str, moves: Mapping[str, str]) -> Any:
    """Put the new name into the command, the paths and the keys of params.yaml of a stage."""
    found = dict(recorded)
    found["cmd"] = f"{found['cmd'].removesuffix(old)}{new}"
    for kind in ("deps", "outs"):
        files_of_it = [one | {"path": moves.get(one["path"], one["path"])} for one in found[kind]]
        found[kind] = sorted(files_of_it, key=lambda one: one["path"])
    if "params" in found:
        before, after = f"experiments.{old}.", f"experiments.{new}."
        found["params"] = {
            file: {
                key.replace(before, after, 1) if key.startswith(before) else key: value
                for key, value in values.items()
            }
            for file, values in found["params"].items()
        }
    return found


def _name(stage: str, old: str, new: str) -> str:
    return f"{stage.removesuffix(old)}{new}"


def _renamed(path: Path, old: str, new: str) -> Path:
    """Put the new name into a path such as reports/<name>/roc.csv or metrics/<name>.json."""
    folder, own, *rest = path.parts
    return Path(folder, f"{new}{own.removeprefix(old)}", *rest)
