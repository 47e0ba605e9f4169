"""Whether dvc.lock is that of the code, the parameters and dvc.yaml; needs no data.

As `dvc repro --dry --allow-missing` tells, but with the reasons: data that are not here are taken
to be what dvc.lock says of them.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.dependency import Dependency, ParamsDependency
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import PipelineStage

from imago.core import files, paths
from imago.core.errors import LockError
from imago.project import dvc, git, lock, mend

LONGEST_VALUE = 60
"""Of a parameter, in characters, before it is shortened."""


DECISIONS = "decisions_sha256"
"""In the section `extract` of a data set of photos."""
OVERVIEW = "overview"
"""The stage that stands on all experiments, and is run alone lest it runs those never run, too."""


@dataclass
class Staleness:
    """What `dvc repro` would do, in the order in which it would.

    Attributes:
        reasons: Why a stage would run, for each that would by itself.
        followers: The stages that stand on one of these, and run if it makes something else.
        never_run: The stages that dvc.lock does not know, for nothing that they need is there.
        last: Those of the first two on which none of them stands.
        needs: The stages that each stage of dvc.yaml stands on, without those that these do.
        has_lock: Whether there is a dvc.lock.
    """

    reasons: dict[str, list[str]] = field(default_factory=dict)
    followers: list[str] = field(default_factory=list)
    never_run: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    needs: dict[str, list[str]] = field(default_factory=dict)
    has_lock: bool = True

    @property
    def commands(self) -> list[str]:
        """What to run for all to be current, but for what was never run."""
        targets = [stage for stage in self.last if stage != OVERVIEW]
        found = [f"dvc repro {' '.join(targets)}"] if targets else []
        if OVERVIEW in (*self.reasons, *self.followers):
            found.append(f"dvc repro --single-item {OVERVIEW}")
        return found


def staleness() -> Staleness:
    """Compare dvc.lock with what is in the folder.

    Raises:
        LockError: It cannot be told, as dvc.lock is broken.
        DvcError: It cannot be told, as dvc.yaml or params.yaml is broken, or this is no project.
    """
    with dvc.project() as repo:
        if cut_off := mend.faults(repo):
            message = f"{' and '.join(cut_off)} is cut off or broken; run `imago mend`"
            raise LockError(message)
        content = lock.read()
        recorded = lock.stages(content)
        with dvc.one_line():
            found = _compare(repo, recorded)
    found.has_lock = content is not None
    return found


def not_in_git() -> list[str]:
    """Return what belongs into git and is not there: what stages make for it, and tables.

    As of an experiment that is new, which `git commit --all` leaves out. Relative to this folder;
    what stages make elsewhere is not looked at.
    """
    tables = [paths.listing("any").parent, paths.decisions("any").parent]
    with dvc.project() as repo:
        root = Path(repo.root_dir)
        outs = [out for stage in repo.index.stages for out in stage.outs if not out.use_cache]
        made = [Path(out.fs_path) for out in outs if out.protocol == "local"]
        made = [path.relative_to(root) for path in made if path.is_relative_to(root)]
    wanted = {*made, *tables}
    unknown = [Path(name) for name in git.unknown(wanted)]
    within = {path for name in unknown for path in (name, *name.parents)}
    return sorted(map(str, wanted & within))


def outdated() -> int:
    """Count the stages of which dvc.lock has another command, other parameters or code, or nothing.

    What they have made is not looked at, for that may be of another branch.

    Raises:
        DvcError: It cannot be told; see `staleness`.
    """
    with dvc.project() as repo:
        recorded = lock.stages(lock.read())
        with dvc.one_line():
            made = {out.fs_path for stage in repo.index.stages for out in stage.outs}
            return sum(
                stage.addressing not in recorded or _differs(stage, made)
                for stage in repo.index.stages
            )


def _differs(stage: PipelineStage, made: Set[str]) -> bool:
    return bool(
        stage.changed_stage()
        or any(
            any(_changes_of_params(dep))
            if isinstance(dep, ParamsDependency)
            else dep.fs_path not in made and _fault_of_dependency(dep, None)
            for dep in stage.deps
        )
    )


def _compare(repo: Repo, recorded: Mapping[str, Mapping[str, Any]]) -> Staleness:
    graph = repo.index.graph  # edges lead from a stage to those that it needs
    makers = {out.fs_path: stage for stage in repo.index.stages for out in stage.outs}
    found, stale = Staleness(), set()
    for stage in _in_order(graph, repo.index.stages):
        needed = list(graph.successors(stage))
        name = stage.addressing
        found.needs[name] = [one.addressing for one in needed]
        if name in recorded:
            reasons = list(_reasons(stage, recorded[name], makers))
        elif needed and all(one.addressing in recorded for one in needed):
            reasons = ["never run, though what it needs has"]
        elif needed and all(one.addressing in recorded or one in stale for one in needed):
            reasons = []
        else:
            found.never_run.append(name)
            continue
        if reasons:
            found.reasons[name] = reasons
        elif any(one in stale for one in needed):
            found.followers.append(name)
        else:
            continue
        stale.add(stage)
    above = [stage for stage in stale if stage.addressing != OVERVIEW]
    last = stale - {one for stage in above for one in graph.successors(stage)}
    found.last = [stage.addressing for stage in repo.index.stages if stage in last]
    return found


def _in_order(graph: Any, stages: list[PipelineStage]) -> Iterator[PipelineStage]:
    """Yield each stage after those that it needs, else in the order of dvc.yaml."""
    given: set[PipelineStage] = set()
    for stage in stages:
        open_ends = [stage]
        while open_ends:
            needed = [one for one in graph.successors(open_ends[-1]) if one not in given]
            if needed:
                open_ends.append(needed[0])
            elif (ready := open_ends.pop()) not in given:
                given.add(ready)
                yield ready


def _reasons(
    stage: PipelineStage, recorded: Mapping[str, Any], makers: Mapping[str, PipelineStage]
) -> Iterator[str]:
    if stage.changed_stage():
        yield f"its command changed from `{recorded.get('cmd')}` to `{stage.cmd}`"
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            yield from _changes_of_params(dep)
            yield from _changes_of_decisions(dep)
    files = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]
    faults = [(_fault_of_dependency(dep, makers.get(dep.fs_path)), dep) for dep in files]
    faults += [(_fault_of_output(out), out) for out in stage.outs]
    for fault in dict.fromkeys(fault for fault, _ in faults if fault):
        yield fault.format(", ".join(str(file) for of_file, file in faults if of_file == fault))


def _changes_of_params(dep: ParamsDependency) -> Iterator[str]:
    before = dep.hash_info.value or {}
    now = dep.read_params()
    for key in dep.params:
        yield from _differences(key, before.get(key, _ABSENT), now.get(key, _ABSENT))


def _changes_of_decisions(dep: ParamsDependency) -> Iterator[str]:
    """Say where a table of decisions is not the one that params.yaml has taken up."""
    for key, value in dep.read_params().items():
        section, _, name = key.rpartition(".")
        if name == "extract" and (told := value.get(DECISIONS)):
            dataset = section.rpartition(".")[2]
            table = Path(dep.repo.root_dir) / paths.decisions(dataset)
            if not table.is_file():
                yield (
                    f"{paths.decisions(dataset)} is gone, which params.yaml has taken up; `git "
                    f"restore` it, or give it up by `imago decide {dataset}`"
                )
            elif files.sha256(table) != told:
                yield (
                    f"{paths.decisions(dataset)} is not the one that params.yaml has taken up; "
                    f"run `imago decide {dataset}`"
                )


_ABSENT = object()


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    """Yield the values that differ, at the innermost keys."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*before, *now]):
            yield from _differences(
                f"{key}.{name}", before.get(name, _ABSENT), now.get(name, _ABSENT)
            )
    elif before is _ABSENT and now is not _ABSENT:
        yield f"{key} is new, {_shown(now)}"
    elif now is _ABSENT and before is not _ABSENT:
        yield f"{key} is gone, was {_shown(before)}"
    elif before != now:
        yield f"{key} changed from {_shown(before)} to {_shown(now)}"


def _shown(value: Any) -> str:
    """Show a value as params.yaml has it, in one line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        text = f"{{{', '.join(f'{key}: {_shown(one)}' for key, one in value.items())}}}"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(map(_shown, value))}]"
    else:
        text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _fault_of_dependency(dep: Dependency, maker: PipelineStage | None) -> str:
    """Say what is wrong with a dependency, with {} in place of its name; nothing if it is sound."""
    if not dep.hash_info:
        return "it now needs {}"
    if dep.exists and dep.workspace_status():
        return "{} changed"
    if not dep.exists and maker is None:
        return "{} is missing"
    made = [out.hash_info for out in maker.outs if out.fs_path == dep.fs_path] if maker else []
    if maker and made and made[0] and made[0] != dep.hash_info:
        return f"{{}} made by {maker.addressing} differs from what it used"
    return ""


def _fault_of_output(out: Output) -> str:
    """Say what is wrong with what a stage makes, as above."""
    if not out.hash_info:
        return "it now makes {}"
    if out.exists:
        return "{} changed since it made this" if out.workspace_status() else ""
    return "" if out.use_cache else "{} is missing"
