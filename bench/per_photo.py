"""What a photo more costs: seconds and memory of every stage, and bytes of every file.

    python -m bench.per_photo [--photos 3000 30000] [--side 32]

Runs every stage on two numbers of small generated photos; a photo's cost is what the larger number
takes more, over how many there are more. docs/scale.md says what follows for a billion.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from bench import every_stage
from bench.every_stage import Cost

CLASSES, TEST_SHARE = 10, 3
"""A third of the photos are for the test, as in bench.scale."""
PLACES = ("data", "models", "predictions", "metrics", "reports", "exports")
LEAST_BYTES = 0.1
"""Of a photo, in files that are listed."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--photos", type=int, nargs=2, default=[3000, 30_000])
    parser.add_argument("--side", type=int, default=32, help="of each photo, in pixels")
    asked = parser.parse_args()
    few, many = sorted(asked.photos)
    (costs_few, files_few), (costs_many, files_many) = (
        measure(count, asked.side) for count in (few, many)
    )
    print(f"\nEach photo from {few:,} to {many:,}\n")
    print("| stage | ms | kB of memory |\n|---|--:|--:|")
    for before, after in zip(costs_few, costs_many, strict=True):
        milliseconds = 1e3 * (after.seconds - before.seconds) / (many - few)
        kilobytes = 1e3 * (after.private_mb - before.private_mb) / (many - few)
        print(f"| {after.name} | {milliseconds:.3f} | {kilobytes:.2f} |")
    print("\n| file | bytes |\n|---|--:|")
    for path, size in grown(files_few, files_many, many - few).items():
        print(f"| {path} | {size:.1f} |")


def measure(count: int, side_px: int) -> tuple[list[Cost], dict[str, int]]:
    """Return what each stage took with so many photos, and the bytes of each file."""
    test = count // TEST_SHARE
    with every_stage.project(None, CLASSES, count - test, test, side_px, "features") as project:
        costs = [*every_stage.run(project), *every_stage.kept(project)]
        return costs, sizes(project)


def sizes(project: Path) -> dict[str, int]:
    """Return the bytes of each file that the stages wrote."""
    return {
        path.relative_to(project).as_posix(): path.stat().st_size
        for place in PLACES
        for path in sorted((project / place).rglob("*"))
        if path.is_file()
    }


def grown(few: Mapping[str, int], many: Mapping[str, int], more: int) -> dict[str, float]:
    """Return by how many bytes for each photo more a file is larger, where it is."""
    each = {path: (size - few.get(path, 0)) / more for path, size in many.items()}
    return {path: size for path, size in each.items() if size >= LEAST_BYTES}


if __name__ == "__main__":
    main()
