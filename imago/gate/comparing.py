"""One revision held against another, experiment by experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imago import params
from imago.core.errors import DataError, GateError, ParamsError
from imago.gate import changes, pairs, revisions, verdicts
from imago.gate.revisions import AGREEMENT, Commit, Evidence, Revision, Tree, WorkingTree
from imago.gate.verdicts import Finding, Outcome, Recorded, Verdict
from imago.project import git
from imago.project.stores import Storage
from imago.scoring import floors


@dataclass(frozen=True)
class Report:
    """All that is to be said."""

    base: Tree
    here: Tree
    gate: params.Gate
    findings: Sequence[Finding]

    @property
    def outcome(self) -> Outcome:
        """Of all experiments."""
        return verdicts.outcome(self.findings)

    @property
    def title(self) -> str:
        """What was compared with what."""
        return f"{self.here.label} against {self.base.label}"


def report(revision: str | None, base: str | None, experiments: Sequence[str] = ()) -> Report:
    """Compare a revision, or the working tree, with another, or the merge base with main.

    Args:
        revision: What is tested; the working tree if none.
        base: What it is compared with; if none, the merge base with the main branch.
        experiments: The only ones to compare; all if none.

    Raises:
        GateError, GitError: There is no such revision, or no such experiment in either.
        ParamsError: The section gate is missing, or a params.yaml breaks a rule.
    """
    before, here = _trees(revision, base)
    storage = Storage()
    tested = Revision(here, storage)
    # A commit may be older than the section gate.
    gate = tested.params.gate or revisions.read_params(WorkingTree()).gate
    if gate is None:
        message = "params.yaml: gate is missing; docs/gate.md has one to copy"
        raise ParamsError(message)
    untested = Revision(before, storage)
    names = _names(untested, tested, experiments)
    return Report(before, here, gate, _compare(names, untested, tested, gate))


def _trees(revision: str | None, base: str | None) -> tuple[Commit, Commit | WorkingTree]:
    """Find the commits that are meant.

    Returns:
        The base, and what is tested.

    Raises:
        GateError: There is no such revision.
        GitError: This is no git repository, or one that does not reach back to main.
    """
    git.require_repository()
    here = WorkingTree() if revision is None else _commit(revision)
    if base is not None:
        return _commit(base), here
    found = git.merge_base_with_main(here.commit or "HEAD")
    return Commit(f"the merge base with main, {found[:7]}", found), here


def _commit(revision: str) -> Commit:
    found = git.commit(revision) if revision else None
    if not found:
        message = f"unknown revision {revision!r}; `git log --all --oneline` lists commits"
        raise GateError(message)
    short = found[:7]
    return Commit(short if found.startswith(revision) else f"{revision}, {short}", found)


def _names(base: Revision, here: Revision, chosen: Sequence[str]) -> list[str]:
    """Return the experiments of either revision that are chosen, in the order of params.yaml."""
    names = list(dict.fromkeys([*here.params.experiments, *base.params.experiments]))
    for name in chosen:
        if name not in names:
            message = f"unknown experiment {name!r}; there are {', '.join(names)}"
            raise GateError(message)
    return [name for name in names if name in chosen] if chosen else names


def _compare(
    names: Sequence[str], base: Revision, here: Revision, gate: params.Gate
) -> list[Finding]:
    findings = [_of_experiment(name, base, here, gate) for name in names]
    verdicts.judge(findings, gate)
    return findings


def _of_experiment(name: str, base: Revision, here: Revision, gate: params.Gate) -> Finding:
    finding = Finding(name)
    in_base = name in base.params.experiments
    if name not in here.params.experiments:
        finding.fate = Verdict.REMOVED
        finding.notes.append("no longer in params.yaml")
        return finding
    is_first = not (in_base and base.has_run(name))
    if is_first and in_base and not here.has_run(name):
        finding.fate = Verdict.NOT_RUN
        finding.notes.append(f"never evaluated, nor in the base; run `dvc repro evaluate@{name}`")
        return finding
    _note_changed_floors(finding, base, here)
    try:
        if is_first:
            _hold(finding, here, here.evidence(name).metrics, Verdict.NEW)
            finding.notes.append(
                "nothing in the base to compare with: held against its floors only"
            )
        else:
            _compare_with_base(finding, base, here, gate)
    except DataError as error:
        finding.fate = Verdict.MISSING
        finding.notes.insert(0, str(error))
    else:
        if not here.is_of_lock(here.predictions_path(name)):
            finding.notes.append("the predictions here are not those that dvc.lock names")
    return finding


def _compare_with_base(finding: Finding, base: Revision, here: Revision, gate: params.Gate) -> None:
    """Compare what both have. Predictions are read only where they or the metrics differ."""
    name = finding.experiment
    metrics = here.metrics(name)
    finding.recorded = _recorded(name, base, metrics)
    is_same = here.predictions_md5(name) == base.predictions_md5(name) is not None
    if not is_same:
        evidence = here.evidence(name)
        _hold(finding, here, metrics)
        _measure(finding, base, evidence, gate, here.params.seed)
    elif finding.recorded:
        finding.notes.append(
            "metrics differ from the base, though the predictions are the same: a contradiction, "
            "unless they are computed in another way since"
        )
        here.evidence(name)
        here.require_metrics_of_lock(name)
        _hold(finding, here, metrics, Verdict.NO_CHANGE)
    else:
        _hold(finding, here, metrics, Verdict.NO_CHANGE)
        finding.changes = changes.unchanged(metrics, gate)


def _recorded(name: str, base: Revision, metrics: Mapping[str, float]) -> list[Recorded]:
    """Return the metrics that the base has too, and with another value."""
    try:
        before = base.metrics(name)
    except DataError:  # which is said where it matters
        return []
    return [
        Recorded(metric, before[metric], value)
        for metric, value in metrics.items()
        if metric in before and abs(value - before[metric]) > AGREEMENT
    ]


def _hold(
    finding: Finding, here: Revision, metrics: Mapping[str, float], fate: Verdict | None = None
) -> None:
    """Hold metrics that can be relied upon against their floors."""
    finding.floors = floors.of(here.params.floors(finding.experiment))
    finding.metrics = metrics
    finding.fate = fate


def _measure(
    finding: Finding, base: Revision, evidence: Evidence, gate: params.Gate, seed: int
) -> None:
    try:
        before = base.evidence(finding.experiment)
        pair = pairs.pair(before.predictions, evidence.predictions)
    except (DataError, GateError) as error:
        finding.fate = Verdict.NOT_COMPARED
        finding.notes.append(str(error))
    else:
        compared = (pair.base, pair.here)
        finding.changes = changes.measure(*compared, gate, seed, finding.experiment)
        if pair.new:
            finding.notes.append(
                f"{pair.new:,} test images are new: compared on the {len(pair.here.labels):,} of "
                "the base; floors are held by all"
            )


def _note_changed_floors(finding: Finding, base: Revision, here: Revision) -> None:
    """Say it where a floor is lower than in the base, lest it goes unseen."""
    if finding.experiment not in base.params.experiments:
        return
    new = here.params.floors(finding.experiment)
    for metric, floor in base.params.floors(finding.experiment).items():
        if metric not in new:
            finding.notes.append(f"the floor of {metric}, {floor:g} in the base, is gone")
        elif new[metric] < floor:
            finding.notes.append(
                f"the floor of {metric} is lowered from {floor:g} to {new[metric]:g}"
            )
