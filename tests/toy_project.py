"""A DVC project in a git repository whose stages copy files: what DVC keeps, without a training."""

import contextlib
import hashlib
import subprocess
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from gate_project import PERSON

from tests import tiny_project

DVC_YAML = """\
stages:
  train:
    cmd: cat data/prepared/images data/prepared/labels > model
    deps: [data/prepared]
    outs: [model]
  prepare:
    cmd: mkdir -p data/prepared && cp images labels data/prepared
    deps: [images, labels]
    outs: [data/prepared]
  evaluate:
    cmd: wc -c < data/prepared/labels > predictions.csv
    deps: [data/prepared]
    outs: [predictions.csv]
"""
FOLDER, IMAGES, MODEL, PREDICTIONS = (
    "data/prepared",
    "data/prepared/images",
    "model",
    "predictions.csv",
)


def create(folder: Path) -> None:
    """Write the project into `folder`, run it and commit it."""
    (folder / "images").write_text("many pixels")
    (folder / "labels").write_text("cat, dog")
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / ".gitignore").write_text("/data\n/model\n/predictions.csv\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    Repo.init(str(folder)).close()
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    dvc(folder, "reproduce")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Run")


def git(folder: Path, *arguments: str) -> None:
    """Run git."""
    environment = tiny_project.environment() | PERSON
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True)


def dvc(folder: Path, name: str, *arguments: Any, **options: Any) -> None:
    """Call a method of DVC's own class for a repository, with what lies there now."""
    with contextlib.chdir(folder), Repo() as repo:
        getattr(repo, name)(*arguments, **options)


def add_remote(folder: Path, url: str, name: str = "storage", **settings: str) -> None:
    """Make a remote the default one."""
    lines = [f"url = {url}", *(f"{key} = {value}" for key, value in settings.items())]
    (folder / ".dvc/config").write_text(
        f"[core]\n    analytics = false\n    remote = {name}\n"
        f"['remote \"{name}\"']\n" + "".join(f"    {line}\n" for line in lines)
    )


def digest(path: Path) -> str:
    """The MD5 of a file."""
    return hashlib.md5(path.read_bytes()).hexdigest()


def damage(store: Path, digest: str) -> None:
    """Change a byte of an object that a cache or a remote keeps in a folder."""
    path = store / "files/md5" / digest[:2] / digest[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    path.chmod(0o444)  # as DVC left it, or DVC itself notices
