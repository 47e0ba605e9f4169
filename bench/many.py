"""Many classes, many images: every stage on a generated data set, and the size of what it writes.

python -m bench.many [--classes 1000] [--train 167000] [--test 33000] [--side 16] [--folder F]
"""

import argparse
from pathlib import Path

from bench import every_stage

SHOWN = ("predictions", "metrics", "reports", "exports")
LEAST_BYTES = 20_000
"""Of a file that is listed."""


def main() -> None:
    """Run, and print a line for each stage and for each file that is not small."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--train", type=int, default=167_000)
    parser.add_argument("--test", type=int, default=33_000)
    parser.add_argument("--side", type=int, default=16, help="of each image, in pixels")
    parser.add_argument("--folder", type=Path, help="where the project is made, and stays")
    asked = parser.parse_args()
    photos = (asked.classes, asked.train, asked.test, asked.side, "pixels")
    with every_stage.project(asked.folder, *photos) as project:
        for cost in (one for part in (every_stage.run, every_stage.kept) for one in part(project)):
            print(f"{cost.name:18} {cost.seconds:8.1f} s {cost.peak_mb:8.0f} MB", flush=True)
        for path in sorted(one for name in SHOWN for one in (project / name).rglob("*")):
            if path.is_file() and path.stat().st_size >= LEAST_BYTES:
                print(f"{path.stat().st_size / 1e6:9.2f} MB {path.relative_to(project)}")
        for path in (project / "metrics").iterdir():
            print(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
