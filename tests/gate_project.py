"""A git repository with DVC in which experiments are evaluated by saying what was predicted."""

import contextlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from dvc.repo import Repo

CLASSES = tuple("abcdefghij")
DVC_YAML = """\
stages:
  evaluate:
    foreach: ${experiments}
    do:
      cmd: evaluate ${key}
      outs: ["predictions/${key}.parquet"]
      metrics:
        - metrics/${key}.json: {cache: false}
"""
GATE = {
    "significance_level": 0.05,
    "bootstrap_samples": 2000,
    "metrics": {
        "accuracy": {"share": 0.5, "margin": 0.0},
        "macro_f1": {"share": 0.25, "margin": 0.0},
        "class_recall": {"share": 0.25, "margin": 0.05},
    },
}
PERSON = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "Tester", "EMAIL": "tester@example.org"}.items()
}


def labels(of_each_class: int) -> np.ndarray:
    """As many of each class, in turn."""
    return np.arange(of_each_class * len(CLASSES)) % len(CLASSES)


def answers(truth: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Predictions that are the next class at the places `wrong`."""
    predicted = truth.copy()
    predicted[wrong] = (truth[wrong] + 1) % len(CLASSES)
    return predicted


def table(truth: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """As imago.scoring.predictions writes it, with 0.9 for the predicted class."""
    names = np.array(CLASSES)
    others = 0.1 / (len(CLASSES) - 1)
    probabilities = np.where(np.eye(len(CLASSES))[predicted] == 1, 0.9, others)
    whole = pd.DataFrame(
        {
            "example": np.arange(len(truth)),
            "image": [f"{image:016x}" for image in range(len(truth))],
            "true": names[truth],
            "predicted": names[predicted],
        }
    )
    return pd.concat(
        [whole, pd.DataFrame(probabilities, columns=[f"p:{n}" for n in names])], axis=1
    )


class Project:
    """The repository in a folder that exists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        Repo.init(str(folder)).close()
        (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
        (folder / "dvc.yaml").write_text(DVC_YAML)
        (folder / ".gitignore").write_text("/predictions/*\n")
        for name in ("predictions", "metrics"):
            (folder / name).mkdir()

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        found = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=os.environ | PERSON,
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.strip()

    def settings(self, floors: dict[str, float | None], **others: object) -> None:
        """Write params.yaml with these experiments and their floors of accuracy."""
        experiments = {
            name: {"floors": {"accuracy": floor}} if floor else {} for name, floor in floors.items()
        }
        values = {"seed": 20, "experiments": experiments, "gate": GATE} | others
        plain = json.loads(json.dumps(values))  # so that no part is written as an anchor
        (self.folder / "params.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))

    def evaluate(self, experiment: str, rows: pd.DataFrame, **metrics: float) -> None:
        """Write predictions and metrics, and have DVC record them."""
        if "parquet" in (self.folder / "dvc.yaml").read_text():
            rows.to_parquet(self.folder / f"predictions/{experiment}.parquet")
        else:
            rows.to_csv(self.folder / f"predictions/{experiment}.csv", index=False)
        accuracy = float((rows["true"] == rows["predicted"]).mean())
        path = self.folder / "metrics" / f"{experiment}.json"
        path.write_text(json.dumps({"accuracy": accuracy} | metrics))
        with contextlib.chdir(self.folder), Repo() as repo:
            repo.commit(f"evaluate@{experiment}", force=True)

    def commit(self, message: str = "Change") -> str:
        """Commit all that git does not ignore, and return the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")
