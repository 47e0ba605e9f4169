"""How often the gate cries, and how much it finds: python -m bench.gate [PART ...].

simulated   draws pairs of models whose true difference is known
seeds       compares the predictions that bench.gate_seeds made, every pair in both directions
plain       tests the same pairs for what the gate leaves alone: recalls without a margin, and loss

Prints Markdown tables; those of docs/gate.md are from here. Settings are those of params.yaml, but
for fewer bootstrap samples, which changes little and saves hours.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from imago import params
from imago.core import paths
from imago.gate import changes, significance, verdicts
from imago.gate.verdicts import Finding, Verdict
from imago.scoring import predictions
from imago.scoring.metrics import loss as cross_entropy
from imago.scoring.predictions import Predictions

EXAMPLES, CLASSES = 10_000, 10
IMAGES = np.arange(EXAMPLES).astype(np.str_)
BOOTSTRAP_SAMPLES = 1_000
DRAWS = {1: (1_000, (0.0, 0.002, 0.01)), 5: (200, (0.0, 0.01))}
"""Of how many experiments changed together: how often they are drawn, and true losses of one."""
MODELS = (
    # accuracy, discordance: the share of images that exactly one of the two has right
    (0.97, 0.02),
    (0.97, 0.03),
    (0.88, 0.05),
    (0.88, 0.08),
    (0.88, 0.10),
    (0.70, 0.20),
)


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["simulated", "seeds", "plain"])
    parts = parser.parse_args().parts
    if "plain" in parts:
        plain()
    gate = params.load().gate
    if gate is None:
        parser.error("params.yaml has no section gate")
    gate = gate.model_copy(update={"bootstrap_samples": BOOTSTRAP_SAMPLES})
    if "simulated" in parts:
        for changed, (draws, losses) in DRAWS.items():
            simulated(gate, changed, draws, losses)
    if "seeds" in parts:
        seeds(gate)


def simulated(gate: params.Gate, changed: int, draws: int, losses: Sequence[float]) -> None:
    """Print how often a regression is found, of `changed` experiments of which one is worse."""
    print(f"\n{changed} changed: share of {draws:,} draws in which a regression is found\n")
    titles = "".join(f" | {100 * loss:g} points worse" for loss in losses)
    print(f"| accuracy | discordance{titles} |\n|--:|--:{'|--:' * len(losses)}|")
    for accuracy, discordance in MODELS:
        cells = [f"{100 * accuracy:g} %", f"{100 * discordance:g} %"]
        for loss in losses:
            generator = np.random.default_rng(1)
            found = 0
            for _ in range(draws):
                worse = [loss, *[0.0] * (changed - 1)]
                pairs = [draw(generator, accuracy, discordance, one) for one in worse]
                # Where one is worse it is that one which is to be found.
                cries = regressions(pairs, gate)
                found += cries[0] if loss else any(cries)
            cells.append(_share(found, draws))
        print(f"| {' | '.join(cells)} |", flush=True)


def draw(
    generator: np.random.Generator, accuracy: float, discordance: float, loss: float
) -> tuple[Predictions, Predictions]:
    """Draw what two models say of the same images; the second is truly worse by `loss`."""
    labels = generator.integers(CLASSES, size=EXAMPLES)
    lost, gained = (discordance + loss) / 2, (discordance - loss) / 2
    kinds = generator.choice(4, EXAMPLES, p=[accuracy - lost, lost, gained, 1 - accuracy - gained])
    # Wrong answers lean to the next class, as those of real nets lean to a similar one.
    wrong = (labels + generator.geometric(0.5, EXAMPLES).clip(1, 3)) % CLASSES
    first = np.where(kinds <= 1, labels, wrong)
    second = np.where(kinds % 2 == 0, labels, wrong)
    return _table(labels, first), _table(labels, second)


def _table(labels: np.ndarray, predicted: np.ndarray) -> Predictions:
    probabilities = np.eye(CLASSES)[predicted]
    return Predictions(tuple("0123456789"), IMAGES, labels, predicted, probabilities)


def seeds(gate: params.Gate) -> None:
    """Print how often one seed of an experiment passes for a regression of another."""
    print("\nPairs of seeds of one experiment, both directions: regressions found\n")
    tests = ["accuracy, exact McNemar at 0.025", *gate.metrics, "the gate"]
    print(f"| experiment | seeds | pairs | discordance | {' | '.join(tests)} |")
    print("|---|--:|--:|--:" + "|--:" * len(tests) + "|")
    for name, tables in _tables():
        found, discordances = dict.fromkeys(tests, 0), []
        pairs = list(itertools.permutations(tables, 2))
        for base, here in pairs:
            finding = judged(name, base, here, gate)
            lost = int((base.right & ~here.right).sum())
            gained = int((~base.right & here.right).sum())
            discordances.append((lost + gained) / len(base.labels))
            found[tests[0]] += stats.binom.sf(lost - 1, lost + gained, 0.5) <= 0.025
            for metric in {one.change.metric for one in _regressions(finding)}:
                found[metric] += 1
            found["the gate"] += finding.verdict == Verdict.REGRESSION
        cells = [name, f"{len(tables)}", f"{len(pairs)}", f"{np.mean(discordances):.1%}"]
        cells += [_share(number, len(pairs)) for number in found.values()]
        print(f"| {' | '.join(cells)} |", flush=True)


def plain() -> None:
    """Print how often seeds differ by tests at 0.05 that the gate does not make, and why."""
    print("\nPairs of seeds of one experiment, tested at 0.05 without a margin\n")
    print("| experiment | seeds | a recall is worse | greatest fall of one | loss is worse |")
    print("|---|--:|--:|--:|--:|")
    for name, tables in _tables():
        recalls = losses = 0
        falls = []
        pairs = list(itertools.permutations(tables, 2))
        for base, here in pairs:
            tests = [_test_of_recall(base, here, label) for label in np.unique(base.labels)]
            recalls += min(significance.holm([p for p, _ in tests], [1] * len(tests))) <= 0.05
            falls += [fall for _, fall in tests]
            both = cross_entropy.of_each(here), cross_entropy.of_each(base)
            losses += stats.ttest_rel(*both, alternative="greater").pvalue <= 0.05
        cells = [name, f"{len(tables)}", _share(recalls, len(pairs)), f"{100 * max(falls):.1f}"]
        print(f"| {' | '.join([*cells, _share(losses, len(pairs))])} |", flush=True)


def _test_of_recall(base: Predictions, here: Predictions, label: int) -> tuple[float, float]:
    of_class = base.labels == label
    lost = int((base.right & ~here.right & of_class).sum())
    gained = int((~base.right & here.right & of_class).sum())
    return significance.mcnemar(lost, gained), (lost - gained) / int(of_class.sum())


def _tables() -> Iterator[tuple[str, list[Predictions]]]:
    for folder in sorted((paths.WORK / "seeds").iterdir()):
        files = sorted(folder.glob("*.csv"))
        yield (
            folder.name,
            [predictions.parse(path.read_bytes(), str(path)).ordered() for path in files],
        )


def judged(name: str, base: Predictions, here: Predictions, gate: params.Gate) -> Finding:
    """Judge one experiment by itself."""
    finding = Finding(name, changes=changes.measure(base, here, gate, 1, name))
    verdicts.judge([finding], gate)
    return finding


def regressions(pairs: list[tuple[Predictions, Predictions]], gate: params.Gate) -> list[bool]:
    """Judge experiments together, and tell which of them are said to be worse."""
    findings = [
        Finding(str(index), changes=changes.measure(*pair, gate, 1, str(index)))
        for index, pair in enumerate(pairs)
    ]
    verdicts.judge(findings, gate)
    return [finding.verdict == Verdict.REGRESSION for finding in findings]


def _regressions(finding: Finding) -> Iterator[verdicts.Judged]:
    return (one for one in finding.judged if one.verdict == Verdict.REGRESSION)


def _share(found: int, of: int) -> str:
    return f"{found / of:.1%}"


if __name__ == "__main__":
    main()
