"""How often the 95 % interval of the balanced accuracy holds the true value, in simulated tests.

    python -m bench.intervals

Beside it, that of the plain standard error, and the mean widths of both in percentage points.
"""

import math

import numpy as np

from imago.scoring import intervals

SETS, SEED = 20_000, 4
CASES = (
    ((8, 100), (0.95, 0.95)),
    ((8, 100), (0.8, 0.9)),
    ((10, 40, 200), (0.7, 0.9, 0.95)),
    ((24, 26, 30, 60), (0.7, 0.8, 0.6, 0.9)),
    ((12, 15, 20, 30, 60, 300), (0.6, 0.99, 0.8, 0.9, 0.5, 0.97)),
    ((3, 3, 3, 300), (0.9, 0.9, 0.9, 0.9)),
)
"""Test images of each class, and the share of each that is named right in the long run."""


def main() -> None:
    """Simulate and print."""
    print("| test images | true recalls | covered | width | standard error | width |")
    print("|---|---|--:|--:|--:|--:|")
    for images, recalls in CASES:
        drawn = np.random.default_rng(SEED).binomial(images, recalls, (SETS, len(images)))
        right, times = np.unique(drawn, axis=0, return_counts=True)
        ends = np.array([intervals.mean_of_shares(row, np.array(images)) for row in right])
        found = right / images
        error = np.sqrt((found * (1 - found) / images).sum(axis=1)) / len(images)
        reach = 1.959964 * error[:, np.newaxis] * [-1, 1]
        cells = [", ".join(map(str, images)), ", ".join(map(str, recalls))]
        for low, high in (ends.T, (found.mean(axis=1)[:, np.newaxis] + reach).T):
            truth = math.fsum(recalls) / len(recalls)
            covered = np.average((low <= truth) & (truth <= high), weights=times)
            width = np.average(high - low, weights=times)
            cells += [f"{100 * covered:.1f} %", f"{100 * width:.1f}"]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
