"""What every stage costs as the photos grow in number, and whether that is linear.

    python -m bench.scale [--times 1 4 16] [--photos 3000] [--side 160] [--folder F]

Runs every stage on so many times 3,000 generated photos, then has DVC keep what they made, find
that nothing changed, and push it. Prints seconds and peak memory, and how both grow:

    exponent       the time as a power of the photos, fitted to all multiples; 1 is linear
    s per 1,000    of photos, the time beyond a constant: a line fitted by least squares
    bend           what a photo costs from the second greatest multiple to the greatest, over what
                   it costs from the least to the second greatest; 1 is linear
    memory         that no file backs, of the greatest multiple over that of the second least, or
                   of the least of two
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench import every_stage
from bench.every_stage import Cost

CLASSES, TEST_SHARE = 10, 3
"""A third of the photos are for the test."""
Costs = Mapping[int, Sequence[Cost]]
"""By the number of photos, in the order of the stages."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--side", type=int, default=160, help="of each photo, in pixels")
    parser.add_argument("--folder", type=Path, help="where the projects are made, and stay")
    asked = parser.parse_args()
    costs: dict[int, list[Cost]] = {}
    for times in sorted(asked.times):
        count = times * asked.photos
        folder = asked.folder / str(count) if asked.folder else None
        costs[count] = measure(count, asked.side, folder)
    report(costs)


def measure(count: int, side_px: int, folder: Path | None) -> list[Cost]:
    """Run every stage and DVC on so many photos."""
    test = count // TEST_SHARE
    photos = (CLASSES, count - test, test, side_px, "features")
    found = []
    with every_stage.project(folder, *photos) as project:
        for part in (every_stage.run, every_stage.kept):
            for cost in part(project):
                print(
                    f"{count:9,} {cost.name:16} {cost.seconds:9.1f} s "
                    f"{cost.private_mb:7.0f} MB, {cost.peak_mb:7.0f} with mapped files",
                    flush=True,
                )
                found.append(cost)
    return found


def report(costs: Costs) -> None:
    """Print a table with a row for each stage."""
    counts = list(costs)
    heads = [f"{count:,}" for count in counts]
    names = [f"{head} {unit}" for unit in ("s", "MB") for head in heads]
    print(f"\n| stage | {' | '.join(names)} | exponent | s per 1,000 | bend | memory |")
    print("|---" * (len(names) + 5) + "|")
    for row in zip(*costs.values(), strict=True):
        seconds, memory = [cost.seconds for cost in row], [cost.private_mb for cost in row]
        cells = [*(f"{value:.1f}" for value in seconds), *(f"{value:.0f}" for value in memory)]
        print(f"| {row[0].name} | {' | '.join([*cells, *grown(counts, seconds, memory)])} |")


def grown(counts: Sequence[int], seconds: Sequence[float], memory: Sequence[float]) -> list[str]:
    """Say how time and memory grow; nothing of one multiple alone."""
    if len(counts) < 2:
        return ["", "", "", ""]
    exponent = np.polyfit(np.log(counts), np.log(seconds), 1)[0]
    slope = np.polyfit(counts, seconds, 1)[0]
    bend, base = "", memory[0]
    if len(counts) > 2:
        last = (seconds[-1] - seconds[-2]) / (counts[-1] - counts[-2])
        before = (seconds[-2] - seconds[0]) / (counts[-2] - counts[0])
        bend, base = f"{last / before:.2f}" if before else "", memory[1]
    return [f"{exponent:.2f}", f"{1000 * slope:.3f}", bend, f"{memory[-1] / base:.2f}"]


if __name__ == "__main__":
    main()
