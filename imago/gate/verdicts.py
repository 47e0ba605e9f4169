"""From p-values and floors to what is said of each experiment."""

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imago import params
from imago.core.errors import ParamsError
from imago.gate import significance
from imago.gate.changes import Change
from imago.scoring import floors, metric
from imago.scoring.floors import Floor
from imago.scoring.metric import Kind


class Verdict(enum.StrEnum):
    """What became of an experiment, or of one of its metrics."""

    REGRESSION = "regression"
    WORSE_WITHIN_NOISE = "worse within noise"
    NO_CHANGE = "no change"
    BETTER = "better"
    NEW = "new"
    REMOVED = "removed"
    NOT_RUN = "not run"
    MISSING = "missing"
    NOT_COMPARED = "could not compare"


class Outcome(enum.StrEnum):
    """What the verdicts and the floors come to."""

    PASS = "pass"
    FAIL = "fail"
    NOT_COMPARED = "could not compare"

    @property
    def exit_code(self) -> int:
        """What a shell is told."""
        return list(Outcome).index(self)


@dataclass(frozen=True)
class Recorded:
    """A metric of metrics/<experiment>.json that is another one than in the base."""

    metric: str
    base: float
    here: float

    @property
    def kind(self) -> Kind:
        """How its values are written."""
        return metric.named(self.metric).kind


@dataclass(frozen=True)
class Judged:
    """A change with its verdict.

    Attributes:
        change: What was measured.
        p_value: Of the direction in which it changed, adjusted for all tests.
        verdict: One of the first four.
    """

    change: Change
    p_value: float
    verdict: Verdict


@dataclass
class Finding:
    """What was found of an experiment."""

    experiment: str
    fate: Verdict | None = None
    """What kept it from being compared, or made that needless, if anything did."""
    floors: Sequence[Floor] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What the floors are held against."""
    changes: list[Change] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Of the experiment: a regression of any metric, else a gain of any, else of the first."""
        if self.fate:
            return self.fate
        verdicts = [one.verdict for one in self.judged]
        for strong in (Verdict.REGRESSION, Verdict.BETTER):
            if strong in verdicts:
                return strong
        whole = [one.verdict for one in self.judged if one.change.of_class is None] or verdicts
        return whole[0]

    @property
    def outcome(self) -> Outcome:
        """Whether the experiment may pass."""
        if self.verdict in (Verdict.REGRESSION, Verdict.MISSING):
            return Outcome.FAIL
        if floors.missed(self.floors, self.metrics):
            return Outcome.FAIL
        return Outcome.NOT_COMPARED if self.verdict == Verdict.NOT_COMPARED else Outcome.PASS


def outcome(findings: Sequence[Finding]) -> Outcome:
    """Return the outcome of all experiments: a failure before what could not be compared."""
    found = {finding.outcome for finding in findings}
    return next((one for one in (Outcome.FAIL, Outcome.NOT_COMPARED) if one in found), Outcome.PASS)


def judge(findings: Sequence[Finding], gate: params.Gate) -> None:
    """Judge every change in `findings`.

    All tests of all experiments in which anything changed are one family: the level is the
    probability of one false alarm among them. Where nothing changed no test can sound an alarm, so
    it need not be counted.

    Raises:
        ParamsError: There are too few bootstrap samples for so many tests.
    """
    family = [change for finding in findings for change in finding.changes if change.is_open]
    _require_samples(family, gate)
    shares = [change.share for change in family]
    losses = significance.holm([change.p_loss for change in family], shares)
    # Whether a class got better is of no account, so its share is for the others.
    whole = [change for change in family if change.of_class is None]
    gains = significance.holm([c.p_gain for c in whole], [c.share for c in whole])
    p_loss = {id(change): p for change, p in zip(family, losses, strict=True)}
    p_gain = {id(change): p for change, p in zip(whole, gains, strict=True)}
    for finding in findings:
        finding.judged = [
            _judged(change, p_loss.get(id(change), 1.0), p_gain.get(id(change), 1.0), gate)
            for change in finding.changes
        ]


def _judged(change: Change, p_loss: float, p_gain: float, gate: params.Gate) -> Judged:
    p_value = p_loss if change.is_worse else p_gain if change.change else 1.0
    if change.is_worse and p_loss <= gate.significance_level:
        return Judged(change, p_value, Verdict.REGRESSION)
    if change.is_worse:
        return Judged(change, p_value, Verdict.WORSE_WITHIN_NOISE)
    if p_gain <= gate.significance_level:
        return Judged(change, p_value, Verdict.BETTER)
    return Judged(change, p_value, Verdict.NO_CHANGE)


def _require_samples(family: Sequence[Change], gate: params.Gate) -> None:
    resampled = [change for change in family if change.is_resampled]
    if not resampled:
        return
    smallest = min(change.share for change in resampled) / sum(c.share for c in family)
    needed = math.ceil(1 / (gate.significance_level * smallest))  # for a p-value that is less
    if gate.bootstrap_samples < needed:
        message = (
            f"params.yaml: gate.bootstrap_samples must be {needed} or more for {len(family)} "
            f"tests, got {gate.bootstrap_samples}"
        )
        raise ParamsError(message)
