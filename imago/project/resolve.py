"""A merge of two branches that stopped over params.yaml, dvc.lock or what stages write.

What only one side changed is taken from there. Of each stage that both sides ran, the run is kept
that is of the merged code and parameters, so that nothing is run again that one of them has run.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imago import params
from imago.core import files, messages, paths, strict_yaml
from imago.core.errors import ParamsError
from imago.project import check, dvc, git, lock, yaml_text
from imago.project.check import OVERVIEW, Staleness
from imago.project.git import Merge

Side = Literal["ours", "theirs"]
_ABSENT = object()


@dataclass
class Resolved:
    """What came of a merge.

    Attributes:
        taken: The stages that both sides ran differently, and whose run was kept.
        staleness: What is to be run, as neither side has run it.
        renewed_twice: Data sets whose photos both sides took as they were then; one side's stay.
        conclusion: The command that concludes the merge.
        left: Files that are to be merged by hand.
    """

    taken: dict[str, Side]
    staleness: Staleness
    renewed_twice: list[str]
    conclusion: str
    left: list[str]


def merge(prefer: Side | None) -> Resolved:
    """Resolve what can be in the merge that has stopped.

    Args:
        prefer: Whose values of params.yaml to take where both sides changed one.

    Raises:
        GitError: There is no merge.
        ParamsError: Both sides changed a value, and neither is to be preferred.
        DvcError, LockError: The project is broken.
    """
    sides = git.merge()
    if str(paths.PARAMS) in git.unmerged() and not _is_sound():
        merged = _merged_params(sides, prefer)
        params.parse(merged, f"{paths.PARAMS}, merged")  # before the marks of the conflict go
        files.write_text(paths.PARAMS, merged)
    params.load()
    git.add(str(paths.PARAMS))
    renewed_twice = _take_listings(sides)
    runs = _Runs(sides)
    staleness = runs.choose()
    if OVERVIEW in staleness.reasons:
        dvc.run_silently("repro", "--single-item", OVERVIEW)
        git.add(*(str(out.path) for out in runs.outs[OVERVIEW] if not out.is_cached))
        staleness = check.staleness()
    git.add(lock.NAME)
    git.remove(*runs.orphans(git.unmerged()))
    left = git.unmerged()
    return Resolved(runs.chosen, staleness, renewed_twice, sides.conclusion, left)


def _take_listings(sides: Merge) -> list[str]:
    """Take the listing of each folder of photos from the side whose digest of them was kept.

    Returns:
        The data sets of which both sides have another listing than before.
    """
    kept, unmerged = params.load().datasets, git.unmerged()
    base, *of_side = (
        (commit, _datasets_of(commit)) for commit in (sides.base, sides.ours, sides.theirs)
    )
    listings = paths.listing("any").parent
    gone = [name for name in unmerged if Path(name).parent == listings]
    git.remove(*(name for name in gone if Path(name).stem not in kept))
    twice = []
    for name, dataset in kept.items():
        path = str(paths.listing(name))
        before, *now = ((known.get(name) or {}).get("files") for _, known in (base, *of_side))
        if path in unmerged and None not in now and before not in now:
            twice.append(name)
        for (commit, _), files_of_side in zip(of_side, now, strict=True):
            is_its = files_of_side == dataset.files
            if is_its and path in unmerged and git.has(commit, path):
                git.take(commit, path)
    return twice


def _datasets_of(commit: str) -> Mapping[str, Any]:
    """Return the data sets that a commit knows, none where its params.yaml cannot be read."""
    try:
        _, values = _params_of(commit)
    except ParamsError:
        return {}
    return values.get("datasets") or {}


def _is_sound() -> bool:
    """Tell whether params.yaml has been merged by hand."""
    try:
        params.load()
    except ParamsError:
        return False
    return True


def _merged_params(sides: Merge, prefer: Side | None) -> str:
    """Put into ours what theirs changed. Raises ParamsError, naming what both changed."""
    text, ours = _params_of(sides.ours)
    theirs_text, theirs = _params_of(sides.theirs)
    _, base = _params_of(sides.base)
    disputed = []
    for change in _changes(base, ours, theirs):
        if change.is_disputed and prefer is None:
            here, there = (_said(value) for value in (change.ours, change.theirs))
            disputed.append(f"{'.'.join(change.keys)} ({here} here, {there} there)")
        elif not change.is_disputed or prefer == "theirs":
            text = _with(text, change, theirs_text)
    if disputed:
        message = (
            f"{paths.PARAMS}: both sides changed {', '.join(disputed)}; edit the file so that it "
            f"says what you want and run `imago resolve` again, or give it --ours or --theirs"
        )
        raise ParamsError(message)
    try:
        params.parse(text)
    except ParamsError:
        return _with_what_is_used(text, sides)
    return text


def _with_what_is_used(text: str, sides: Merge) -> str:
    """Bring back what an experiment that stays needs, and one side has removed with it."""
    for side in (sides.ours, sides.theirs):
        merged = strict_yaml.read(text)
        of_side, values = _params_of(side)
        known = params.check(values, f"{paths.PARAMS} of {side[:7]}")
        used: defaultdict[str, set[str]] = defaultdict(set)
        for name, one in (merged.get("experiments") or {}).items():
            if values["experiments"].get(name) == one:
                for section, entries in known.used_by(name).items():
                    used[section] |= entries
        for section, entries in used.items():
            for entry in sorted(entries - (merged.get(section) or {}).keys()):
                block = yaml_text.entries(of_side)[section][entry]
                text = yaml_text.insert(text, section, block)
    return text


def _said(value: Any) -> str:
    return "taken out" if value is _ABSENT else messages.shown(value)


def _params_of(commit: str) -> tuple[str, dict[str, Any]]:
    """Return params.yaml as a commit has it, and what it says; both empty where it has none.

    Raises:
        ParamsError: It is no YAML, which a person then has to merge.
    """
    content = git.read(commit, str(paths.PARAMS)) or b""
    try:
        text = content.decode()
        values = strict_yaml.read(text)
    except ValueError as error:
        message = (
            f"{paths.PARAMS} of {commit[:7]}: must be YAML: {error}; edit {paths.PARAMS} so that "
            "it says what you want, and run `imago resolve` again"
        )
        raise ParamsError(message) from error
    return text, values if isinstance(values, dict) else {}


@dataclass(frozen=True)
class _Change:
    """What theirs changed; disputed where ours changed it to something else."""

    keys: tuple[str, ...]
    ours: Any
    theirs: Any
    is_disputed: bool


def _changes(base: Any, ours: Any, theirs: Any, keys: tuple[str, ...] = ()) -> Iterator[_Change]:
    for name in dict.fromkeys([*ours, *theirs]):
        before, here, there = (one.get(name, _ABSENT) for one in (base, ours, theirs))
        within = (*keys, name)
        if there in (before, here):
            continue
        if isinstance(here, dict) and isinstance(there, dict):
            yield from _changes(before if isinstance(before, dict) else {}, here, there, within)
        else:
            yield _Change(within, here, there, here != before)


def _with(text: str, change: _Change, theirs: str) -> str:
    if change.theirs is _ABSENT:
        return yaml_text.remove(text, *change.keys)
    section, *entry = change.keys
    if change.ours is _ABSENT and len(entry) == 1:  # a new one, with its comments
        return yaml_text.insert(text, section, yaml_text.entries(theirs)[section][entry[0]])
    return yaml_text.put(text, change.keys, change.theirs)


class _Runs:
    """The runs of both sides, of which one is chosen for each stage."""

    def __init__(self, sides: Merge) -> None:
        self._commits = {"ours": sides.ours, "theirs": sides.theirs}
        ours, theirs, base = map(_records_of, (sides.ours, sides.theirs, sides.base))
        lock.write(ours)  # without the marks of the conflict, over which DVC stops
        self.outs = dvc.outs()
        self._of_side = {"ours": ours, "theirs": theirs}
        self._options: dict[str, list[Side]] = {}
        for stage in self.outs:
            if ours.get(stage) != theirs.get(stage):
                is_theirs = ours.get(stage) == base.get(stage)
                order: list[Side] = ["theirs", "ours"] if is_theirs else ["ours", "theirs"]
                self._options[stage] = [side for side in order if stage in self._of_side[side]]
        self.chosen: dict[str, Side] = {}

    def choose(self) -> Staleness:
        """Choose of each stage the run that is current, if one is, and return what is stale."""
        wanted = {stage: options[0] for stage, options in self._options.items()}
        while wanted:
            self.chosen |= wanted
            self._place(wanted)
            dvc.checkout()  # of all: what lies there may be of another branch
            found = check.staleness()
            untried = {
                stage: self._options[stage][-1]
                for stage in found.reasons
                if self.chosen.get(stage, self._last(stage)) != self._last(stage)
            }
            wanted = {
                stage: side
                for stage, side in untried.items()
                if not _stands_on_any(stage, untried, found.needs)
            }
        return check.staleness()

    def orphans(self, unmerged: Iterable[str]) -> list[str]:
        """Return those files that a stage has made which is no more."""
        gone = {
            Path(out["path"])
            for side in self._of_side.values()
            for stage, record in side.items()
            if stage not in self.outs
            for out in record.get("outs", [])
        }
        return [name for name in unmerged if gone & {Path(name), *Path(name).parents}]

    def _last(self, stage: str) -> Side | None:
        return self._options[stage][-1] if stage in self._options else None

    def _place(self, wanted: Mapping[str, Side]) -> None:
        """Put runs into dvc.lock, and what they wrote where git has it into the working tree."""
        both = self._of_side["ours"] | self._of_side["theirs"]
        sides = {stage: self.chosen.get(stage, "ours") for stage in both if stage in self.outs}
        lock.write({stage: self._of_side[side][stage] for stage, side in sides.items()})
        for stage, side in wanted.items():
            for out in self.outs[stage]:
                if out.is_cached:
                    if side == "theirs":  # lest ours stays where the cache has not theirs
                        files.remove(out.path)
                elif git.has(self._commits[side], str(out.path)):
                    files.remove(out.path)
                    git.take(self._commits[side], str(out.path))


def _stands_on_any(stage: str, others: Mapping[str, Side], needs: Mapping[str, list[str]]) -> bool:
    return any(one in others or _stands_on_any(one, others, needs) for one in needs[stage])


def _records_of(commit: str) -> dict[str, Any]:
    return lock.records(git.read(commit, lock.NAME), f"{lock.NAME} of {commit[:7]}")
