"""Run the pipeline of the revision in this folder on the tiny data set of its tests.

    python scripts/tiny_revision.py PROJECT CACHE [all]

Writes the project into PROJECT, as one commit with the results; keeps artifacts in the DVC cache
CACHE, so that two revisions share what is the same. `all` also makes figures and pages.
"""

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path.cwd()))
from tests import tiny_project


def main(project: str, cache: str, wanted: str = "") -> None:
    """Create the project, run it and commit."""
    folder = Path(project).absolute()
    folder.mkdir(parents=True)
    tiny_project.create_with_digits(folder)
    values = tiny_project.read_params(folder)
    values["gate"] = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["gate"]
    tiny_project.write_params(folder, values)
    tiny_project.dvc(folder, "cache", "dir", "--local", cache)
    targets = [] if wanted else [f"evaluate@{name}" for name in values["experiments"]]
    print(tiny_project.dvc(folder, "repro", *targets), flush=True)
    tiny_project.commit(folder, "Run")


if __name__ == "__main__":
    main(*sys.argv[1:])
