"""The whole of cat_dog_mobilenet against a usual script, from zip to metrics.

    python -m bench.cat_dog cat_dog.zip mobilenet_v2_1.0_no_top.weights.h5 [--rounds N]

The zip has folders training_set and test_set. Ours is `dvc repro` in an empty project, the usual
script is bench/usual_cat_dog.py; both are whole processes that take turns on the same photos. Then,
in the finished project, the head is changed and `dvc repro` run again.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
EXPERIMENT = "cat_dog_mobilenet"
RECIPE = ROOT / "recipes" / f"{EXPERIMENT}.yaml"
SEED = 20
PROJECT = ("imago", "stages", "dvc.yaml", ".dvc/config", ".dvc/plots", ".dvcignore")
OURS = [sys.executable, "-m", "dvc", "repro", f"evaluate@{EXPERIMENT}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    published = (arguments.archive.resolve(), arguments.weights.resolve())
    rounds = [one_round(*published, number % 2 == 1) for number in range(arguments.rounds)]
    ratios = sorted(usual_s / ours_s for usual_s, ours_s, *_ in rounds)
    usual_s, ours_s, usual_accuracy, ours_accuracy, head_s = map(
        statistics.median, zip(*rounds, strict=True)
    )
    print(f"usual script  {usual_s:6.1f} s  accuracy {usual_accuracy:.4f}")
    print(f"imago         {ours_s:6.1f} s  accuracy {ours_accuracy:.4f}")
    print(f"ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})")
    print(f"another head  {head_s:6.1f} s, to metrics and exports")


def one_round(
    archive: Path, weights: Path, ours_first: bool
) -> tuple[float, float, float, float, float]:
    """Return the seconds and the accuracy of both sides, and the seconds of another head."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        create(project, archive, weights)
        usual = [sys.executable, "-m", "bench.usual_cat_dog", str(archive), str(weights)]
        sides = [("usual", usual, ROOT), ("ours", OURS, project)]
        found = {
            name: timed(command, where)
            for name, command, where in (reversed(sides) if ours_first else sides)
        }
        accuracy = json.loads((project / f"metrics/{EXPERIMENT}.json").read_text())["accuracy"]
        usual_accuracy = json.loads(found["usual"][1].splitlines()[-1])["accuracy"]
        change_head(project)
        head_s, _ = timed([*OURS, f"export@{EXPERIMENT}"], project)
    return found["usual"][0], found["ours"][0], usual_accuracy, accuracy, head_s


def create(project: Path, archive: Path, weights: Path) -> None:
    """Write a project with this one experiment, whose data are files of this machine."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, project / name)
    settings = {"seed": SEED} | yaml.safe_load(RECIPE.read_text("utf-8"))
    del settings["about"]
    (dataset,), (net,) = settings["datasets"].values(), settings["weights"].values()
    del dataset["extract"]["test_fraction"]  # the zip has test photos of its own
    for published, path in ((dataset, archive), (net, weights)):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        published |= {"files": {path.name: digest}, "sources": [f"{path.parent}/{{name}}"]}
    write(project, settings)
    subprocess.run(
        [sys.executable, "-m", "dvc", "config", "--local", "core.no_scm", "true"],
        cwd=project,
        check=True,
    )


def change_head(project: Path) -> None:
    """Put one hidden layer into the head instead of two."""
    settings = yaml.safe_load((project / "params.yaml").read_text("utf-8"))
    settings["experiments"][EXPERIMENT]["train"]["hidden_units"] = [641]
    write(project, settings)


def write(project: Path, settings: object) -> None:
    """Write params.yaml."""
    (project / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


def timed(command: list[str], where: Path) -> tuple[float, str]:
    """Run a command and give its seconds and what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMAGO_")}
    start = time.perf_counter()
    found = subprocess.run(
        command, cwd=where, env=kept | {"PATH": path}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if found.returncode:
        raise SystemExit(found.stdout + found.stderr)
    return seconds, found.stdout


if __name__ == "__main__":
    main()
