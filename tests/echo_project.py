"""A DVC project in a git repository with stages as ours, which echo what they depend on."""

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from gate_project import PERSON

from imago.core import paths
from imago.project import yaml_text
from tests import tiny_project

DVC_YAML = """\
stages:
  extract:
    foreach: ${datasets}
    do:
      cmd: mkdir -p data/extracted/${key} && echo ${item.licence} > data/extracted/${key}/licence
      params:
      - datasets.${key}.licence
      outs:
      - data/extracted/${key}
  train:
    foreach: ${experiments}
    do:
      cmd: python train.py ${key}
      deps:
      - train.py
      params:
      - experiments.${key}.train
      outs:
      - models/${key}
      plots:
      - reports/${key}/history.csv:
          cache: false
  evaluate:
    foreach: ${experiments}
    do:
      cmd: sh evaluate.sh ${key}
      deps:
      - models/${key}
      outs:
      - predictions/${key}.parquet
      metrics:
      - metrics/${key}.json:
          cache: false
  report:
    foreach: ${experiments}
    do:
      cmd: sh report.sh ${key}
      deps:
      - metrics/${key}.json
      outs:
      - reports/cards/${key}.json:
          cache: false
  overview:
    cmd: cat reports/cards/*.json > reports/curves.csv
    deps:
    - reports/cards
    plots:
    - reports/curves.csv:
        cache: false
"""
EVALUATE = """\
mkdir -p predictions metrics
cp models/$1 predictions/$1.parquet
cp models/$1 metrics/$1.json
"""
REPORT = """\
mkdir -p reports/cards
(echo $1; cat metrics/$1.json) > reports/cards/$1.json
"""
TRAIN = """\
import pathlib, re, sys
name = sys.argv[1]
text = pathlib.Path("params.yaml").read_text(encoding="utf-8").split(f"  {name}:\\n    input")[1]
values = [re.search(f" {key}: (.*)", text)[1] for key in ("learning_rate", "epochs")]
for path in (f"models/{name}", f"reports/{name}/history.csv"):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(" ".join(values) + "\\n")
with open("trainings", "a") as file:
    print(name, *values, file=file)
"""


def create(folder: Path) -> None:
    """Write the project with the experiments `plain` and `validated`, run it and commit it."""
    for name in ("models", "predictions", "metrics", "reports/cards"):
        (folder / name).mkdir(parents=True)
    shutil.copy(tiny_project.ROOT / ".gitattributes", folder)
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "train.py").write_text(TRAIN, "utf-8")
    (folder / "evaluate.sh").write_text(EVALUATE)
    (folder / "report.sh").write_text(REPORT)
    (folder / ".gitignore").write_text("/data\n/models\n/predictions\n/trainings\n")
    tiny_project.write_params(folder, tiny_project.settings())
    git(folder, "init", "--quiet", "--initial-branch=main")
    Repo.init(str(folder)).close()
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    run(folder)
    commit(folder)


def run(folder: Path, *targets: str) -> None:
    """Run what is not current."""
    with contextlib.chdir(folder), Repo() as repo:
        repo.reproduce(list(targets) or None)


def trainings(folder: Path) -> list[str]:
    """What was trained, with its learning rate and epochs, in this order."""
    return (folder / "trainings").read_text().splitlines()


def put(folder: Path, keys: str, value: Any) -> None:
    """Change a value of params.yaml."""
    path = folder / paths.PARAMS
    path.write_text(yaml_text.put(path.read_text(), keys.split("."), value))


def commit(folder: Path) -> None:
    """Commit all that git does not ignore."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Run")


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git, and return what it printed."""
    environment = tiny_project.environment() | PERSON
    command = ["git", *arguments]
    found = subprocess.run(
        command, cwd=folder, env=environment, check=check, capture_output=True, text=True
    )
    return found.stdout
