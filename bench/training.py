"""Our training against plain Keras: python -m bench.training [--rounds N] [EXPERIMENT ...].

Each measurement is a process of its own, and the two sides take turns, so that a machine whose
speed drifts slows both. Two figures: the training call alone (imago's epoch loop against
`model.fit`), and the whole process (`python -m stages.train` against a usual Keras script). The
ratio of each round is plain Keras' time over ours. It needs the prepared data (dvc repro).
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXPERIMENTS = ("mnist_sgd", "mnist_adam", "fashion_mlp")
TRAIN = """
import dataclasses, json, sys
from bench import trainings
print(json.dumps(dataclasses.asdict(getattr(trainings, sys.argv[1])(sys.argv[2], seed=20))))
"""
SCORE = """
import sys
from bench import trainings
print(trainings.accuracy_of_file(sys.argv[1], sys.argv[2]))
"""


@dataclasses.dataclass(frozen=True)
class Pair:
    """One round: seconds and accuracy on the test split of both sides."""

    ours_s: float
    plain_s: float
    ours_accuracy: float
    plain_accuracy: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.plain_s / self.ours_s


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="*", default=EXPERIMENTS)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for title, measure in (("training call", training_call), ("whole process", whole_process)):
        print(f"\n| {title} | plain Keras | imago | ratio, median (lowest to highest) | accuracy |")
        print("|---|---|---|---|---|")
        for experiment in arguments.experiments:
            pairs = [measure(experiment, number % 2 == 1) for number in range(arguments.rounds)]
            print(row(experiment, pairs), flush=True)


def training_call(experiment: str, ours_first: bool) -> Pair:
    """Time the training call alone, in a process for each side."""
    sides = ["with_plain_keras", "with_imago"]
    found = {
        side: json.loads(run([sys.executable, "-c", TRAIN, side, experiment], ROOT))
        for side in (reversed(sides) if ours_first else sides)
    }
    plain, ours = (found[side] for side in sides)
    return Pair(ours["seconds"], plain["seconds"], ours["accuracy"], plain["accuracy"])


def whole_process(experiment: str, ours_first: bool) -> Pair:
    """Time the training stage and a plain script from start to exit, in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        (workspace / "params.yaml").symlink_to(ROOT / "params.yaml")
        (workspace / "data").symlink_to(ROOT / "data")
        plain = (["-m", "bench.plain_keras", experiment, "model.keras"], "model.keras")
        ours = (["-m", "stages.train", experiment], f"models/{experiment}/model.keras")
        times, accuracies = {}, {}
        for arguments, model in (ours, plain) if ours_first else (plain, ours):
            times[model] = seconds(lambda: run([sys.executable, *arguments], workspace))  # noqa: B023
            score = [sys.executable, "-c", SCORE, experiment, model]
            accuracies[model] = float(run(score, workspace))
    return Pair(times[ours[1]], times[plain[1]], accuracies[ours[1]], accuracies[plain[1]])


def seconds(action: Callable[[], object]) -> float:
    """Time a call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def run(command: list[str], folder: Path) -> str:
    """Run a command with this repository's modules and return the last line that it printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(found.stderr)
    return found.stdout.strip().splitlines()[-1]


def row(experiment: str, pairs: list[Pair]) -> str:
    """Format the rounds of an experiment as a row of a Markdown table."""
    plain_s, ours_s = (
        statistics.median(getattr(pair, side) for pair in pairs) for side in ("plain_s", "ours_s")
    )
    ratios = sorted(pair.ratio for pair in pairs)
    ratio = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    plain, ours = (
        statistics.median(getattr(pair, side) for pair in pairs)
        for side in ("plain_accuracy", "ours_accuracy")
    )
    accuracy = f"plain {plain:.4f}, imago {ours:.4f}"
    return f"| `{experiment}` | {plain_s:.1f} s | {ours_s:.1f} s | {ratio} | {accuracy} |"


if __name__ == "__main__":
    main()
