"""One revision held against another, experiment by experiment."""

from imago import params
from imago.core.errors import DataError, GateError
from imago.gate import changes, pairs, verdicts
from imago.gate.revisions import Commit, Evidence, Revision, WorkingTree
from imago.gate.verdicts import Finding, Verdict
from imago.project import git


def trees(revision: str | None, base: str | None) -> tuple[Commit, Commit | WorkingTree]:
    """Find the commits that are meant.

    Args:
        revision: What is tested; the working tree if none.
        base: What it is compared with; if none, the merge base with the main branch.

    Returns:
        The base, and what is tested.

    Raises:
        GateError: This is no git repository, or it has no such revision.
    """
    git.require_repository()
    here = _commit(revision) if revision else WorkingTree()
    if base:
        return _commit(base), here
    found = git.merge_base_with_main(here.commit or "HEAD")
    return Commit(f"the merge base with main, {found[:7]}", found), here


def _commit(revision: str) -> Commit:
    found = git.commit(revision)
    if not found:
        message = f"unknown revision {revision!r}; `git log --all --oneline` lists commits"
        raise GateError(message)
    short = found[:7]
    return Commit(short if found.startswith(revision) else f"{revision}, {short}", found)


def compare(base: Revision, here: Revision, gate: params.Gate) -> list[Finding]:
    """Compare every experiment of either revision, in the order of params.yaml."""
    names = list(dict.fromkeys([*here.settings.experiments, *base.settings.experiments]))
    findings = [_of_experiment(name, base, here, gate) for name in names]
    verdicts.judge(findings, gate)
    return findings


def _of_experiment(name: str, base: Revision, here: Revision, gate: params.Gate) -> Finding:
    finding = Finding(name)
    in_base = name in base.settings.experiments
    if name not in here.settings.experiments:
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
        evidence = here.evidence(name)
    except DataError as error:
        finding.fate = Verdict.MISSING
        finding.notes.append(str(error))
        return finding
    finding.floors = verdicts.floors(here.settings.floors(name), evidence.metrics)
    if not here.is_of_lock(name):
        finding.notes.append("the predictions here are not those that dvc.lock names")
    if is_first:
        finding.fate = Verdict.NEW
        finding.notes.append("nothing in the base to compare with: held against its floors only")
    else:
        _measure(finding, base, evidence, gate, here.settings.seed)
    return finding


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
        finding.changes = changes.measure(*pair, gate, seed, finding.experiment)


def _note_changed_floors(finding: Finding, base: Revision, here: Revision) -> None:
    """Say it where a floor is lower than in the base, lest it goes unseen."""
    if finding.experiment not in base.settings.experiments:
        return
    new = here.settings.floors(finding.experiment)
    for metric, floor in base.settings.floors(finding.experiment).items():
        if metric not in new:
            finding.notes.append(f"the floor of {metric}, {floor:g} in the base, is gone")
        elif new[metric] < floor:
            finding.notes.append(
                f"the floor of {metric} is lowered from {floor:g} to {new[metric]:g}"
            )
