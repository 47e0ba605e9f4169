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
ONE = "import sys, json, dataclasses; from bench import recipes; " + (
    "print(json.dumps(dataclasses.asdict(getattr(recipes, sys.argv[1])(sys.argv[2], 20))))"
)


@dataclasses.dataclass(frozen=True)
class Pair:
    """One round: seconds and, where known, accuracy of both sides."""

    ours_s: float
    plain_s: float
    ours_accuracy: float | None = None
    plain_accuracy: float | None = None

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
            pairs = [measure(experiment) for _ in range(arguments.rounds)]
            print(row(experiment, pairs), flush=True)


def training_call(experiment: str) -> Pair:
    """Time the training call alone, in a process for each side."""
    plain, ours = (
        json.loads(run([sys.executable, "-c", ONE, side, experiment], ROOT))
        for side in ("with_plain_keras", "with_imago")
    )
    return Pair(ours["seconds"], plain["seconds"], ours["accuracy"], plain["accuracy"])


def whole_process(experiment: str) -> Pair:
    """Time the training stage and a plain script from start to exit, in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        (workspace / "params.yaml").symlink_to(ROOT / "params.yaml")
        (workspace / "data").symlink_to(ROOT / "data")
        plain = [sys.executable, "-m", "bench.plain_keras", experiment, "model.keras"]
        ours = [sys.executable, "-m", "stages.train", experiment]
        plain_s = seconds(lambda: run(plain, workspace))
        ours_s = seconds(lambda: run(ours, workspace))
    return Pair(ours_s, plain_s)


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
    accuracy = "-"
    if pairs[0].ours_accuracy is not None and pairs[0].plain_accuracy is not None:
        accuracy = f"plain {pairs[0].plain_accuracy:.4f}, imago {pairs[0].ours_accuracy:.4f}"
    return f"| `{experiment}` | {plain_s:.1f} s | {ours_s:.1f} s | {ratio} | {accuracy} |"


if __name__ == "__main__":
    main()
